"""pottery's Redlock and its ids over three servers: `python redlock.py PORT PORT PORT`.

A lock is held when a majority of independent servers says so. Every answer but the first is given
by a script (who holds it, for how long, let go of it if it is mine), called by digest and loaded
where a server does not know it. At the end a server after the other is shut down.
"""

import importlib.metadata
import logging
import sys
import threading
import time

import pottery
import redis
from pottery.exceptions import (
    ExtendUnlockedLock, QuorumIsImpossible, QuorumNotAchieved, ReleaseUnlockedLock,
    TooManyExtensions,
)
from redis.backoff import NoBackoff
from redis.retry import Retry

import expect

THREADS = 4
ROUNDS = 25


class Redlock(pottery.Redlock):
    """The library's lock, with less patience between two tries than it has for real work."""

    _RETRY_DELAY = 0.02


def values(servers, name):
    """What each server has under the name of a lock."""
    return [server.get(f"redlock:{name}") for server in servers]


def holding(servers):
    lock = Redlock(key="held", masters=servers, auto_release_time=20)
    other = Redlock(key="held", masters=servers, auto_release_time=20)
    expect.equal(lock.locked(), 0)
    expect.equal(lock.acquire(), True)
    expect.eventually(lambda: None not in values(servers, "held"), "all servers know the lock")
    expect.equal(len(set(values(servers, "held"))), 1)
    expect.within(lock.locked(), 15, 20)
    for server in servers:
        expect.within(server.pttl("redlock:held"), 15_000, 20_000)
    held = values(servers, "held")
    expect.equal(other.acquire(blocking=False), False)
    expect.equal(other.acquire(timeout=0.2), False)
    expect.equal(other.locked(), 0)
    expect.raises(ReleaseUnlockedLock, other.release)
    expect.raises(ExtendUnlockedLock, other.extend)
    expect.equal(values(servers, "held"), held)
    for server in servers:
        server.pexpire("redlock:held", 5_000)
    lock.extend()
    expect.eventually(
        lambda: all(server.pttl("redlock:held") > 15_000 for server in servers),
        "all servers extend the lock",
    )
    expect.within(lock.locked(), 15, 20)
    lock.extend()
    lock.extend()
    expect.raises(TooManyExtensions, lock.extend)
    lock.release()
    expect.eventually(lambda: values(servers, "held") == [None] * 3, "all servers let go")
    expect.raises(ReleaseUnlockedLock, lock.release)
    with other:
        expect.within(other.locked(), 15, 20)
        refused = Redlock(key="held", masters=servers, context_manager_blocking=False)
        expect.raises(QuorumNotAchieved, refused.__enter__)
    expect.equal(other.locked(), 0)


def expiring(servers):
    """Who comes after a lock that ran out is not disturbed by its former holder."""
    lock = Redlock(key="short", masters=servers, auto_release_time=0.3)
    expect.equal(lock.acquire(), True)
    other = Redlock(key="short", masters=servers, auto_release_time=20)
    expect.equal(other.acquire(timeout=10), True)
    expect.equal(lock.locked(), 0)
    expect.raises(ReleaseUnlockedLock, lock.release)
    expect.raises(ExtendUnlockedLock, lock.extend)
    expect.within(other.locked(), 10, 20)
    other.release()


def quorum(servers):
    """One server that says no is outvoted; two are not, and what the third gave is taken back."""
    lock = Redlock(key="voted", masters=servers)
    servers[0].set("redlock:voted", "somebody else")
    expect.equal(lock.acquire(blocking=False), True)
    lock.release()
    left = [b"somebody else", None, None]
    expect.eventually(lambda: values(servers, "voted") == left, "two servers let go")
    servers[1].set("redlock:voted", "somebody else")
    expect.equal(lock.acquire(blocking=False), False)
    expect.eventually(lambda: values(servers, "voted")[2] is None, "the third is free again")
    for server in servers[:2]:
        server.delete("redlock:voted")


def exclusion(servers):
    """A counter that is read and written in two steps loses nothing under the lock."""
    store = servers[0]
    store.set("counter", 0)

    def count():
        lock = Redlock(key="counter", masters=servers, auto_release_time=20)
        for _ in range(ROUNDS):
            with lock:
                store.set("counter", int(store.get("counter")) + 1)

    threads = [threading.Thread(target=count) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect.equal(int(store.get("counter")), THREADS * ROUNDS)
    print(f"{THREADS} threads counted to {THREADS * ROUNDS} under the lock")


def identifiers(servers):
    """Ids that grow by one, whichever two of three servers answer first."""
    ids = pottery.NextID(key="ids", masters=servers)
    expect.equal([next(ids) for _ in range(50)], list(range(1, 51)))
    again = pottery.NextID(key="ids", masters=servers)
    expect.equal(next(again), 51)
    ids.reset()
    expect.equal(next(again), 1)


def failing(servers):
    """With one server down a lock works; with two it cannot be had, which the caller is told."""
    shut_down(servers[2])
    lock = Redlock(key="down", masters=servers, raise_on_redis_errors=True)
    expect.equal(lock.acquire(), True)
    expect.within(lock.locked(), 5, 10)
    lock.extend()
    lock.release()
    expect.eventually(lambda: values(servers[:2], "down") == [None] * 2, "both let go")
    shut_down(servers[1])
    expect.raises(QuorumIsImpossible, lock.acquire, blocking=False)
    lenient = Redlock(key="down", masters=servers, raise_on_redis_errors=False)
    expect.equal(lenient.acquire(blocking=False), False)
    expect.eventually(lambda: values(servers[:1], "down") == [None], "what was taken is given back")


def shut_down(server):
    server.shutdown(nosave=True)
    time.sleep(0.1)


def main():
    # The library logs every refusal of a server, which is what this program provokes.
    logging.disable(logging.CRITICAL)
    once = Retry(NoBackoff(), 0)
    servers = [
        redis.Redis(port=int(port), retry=once, socket_timeout=30) for port in sys.argv[1:4]
    ]
    for server in servers:
        server.flushall()
    for part in (holding, expiring, quorum, exclusion, identifiers):
        part(servers)
    # A lock whose last answer arrives after its release stays until it expires, and a counter of
    # identifiers is on as many servers as were asked before most had answered.
    names = {name for server in servers for name in server.scan_iter()}
    print(f"left: {sorted(name for name in names if not name.startswith(b'redlock:'))}")
    for server in servers:
        server.flushall()
    failing(servers)
    expect.summary(f"pottery {importlib.metadata.version('pottery')}")


if __name__ == "__main__":
    main()
