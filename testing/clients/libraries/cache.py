"""redis-py's cache of what it has read: `python cache.py PORT`.

A cached reply is given without asking the server, until the server says that its key has changed.
Whether the server was asked is in its own count of commands, so that a cache that is never used
and an invalidation that never comes are both noticed.
"""

import sys
import threading
import time

import redis
from redis.cache import CacheConfig
from redis.connection import CacheProxyConnection

import expect

# What the library needs is there since Redis 6; it asks for more than some servers say they are.
CacheProxyConnection.MIN_ALLOWED_VERSION = "6.0.0"

READERS = 4
KEYS = 20
WRITES = 500


def caching(port, **options):
    return redis.Redis(
        port=port, protocol=3, socket_timeout=30, cache_config=CacheConfig(**options),
    )


class Server:
    """A connection without a cache, and how often the server has been asked."""

    def __init__(self, port):
        self.r = redis.Redis(port=port, socket_timeout=30)

    def asked(self, command="get"):
        return self.r.info("commandstats").get(f"cmdstat_{command}", {}).get("calls", 0)


def reading(port, server):
    """Each type's reads are answered once by the server and then by the cache."""
    r, w = caching(port), server.r
    w.set("s", "v")
    w.rpush("l", "a", "b")
    w.hset("h", mapping={"f": "1", "g": "2"})
    w.sadd("set", "m")
    w.zadd("z", {"m": 1.5})
    w.xadd("x", {"f": "v"}, id="1-1")
    reads = [
        (lambda: r.get("s"), b"v", "get"),
        (lambda: r.mget("s", "none"), [b"v", None], "mget"),
        (lambda: r.lrange("l", 0, -1), [b"a", b"b"], "lrange"),
        (lambda: r.hgetall("h"), {b"f": b"1", b"g": b"2"}, "hgetall"),
        (lambda: r.smismember("set", ["m", "n"]), [1, 0], "smismember"),
        (lambda: r.zscore("z", "m"), 1.5, "zscore"),
        (lambda: r.xlen("x"), 1, "xlen"),
        (lambda: r.exists("s", "none"), 1, "exists"),
        (lambda: r.type("z"), b"zset", "type"),
    ]
    for read, want, command in reads:
        before = server.asked(command)
        expect.equal([read() for _ in range(5)], [want] * 5)
        expect.equal(server.asked(command) - before, 1)
    expect.equal(r.get_cache().size, len(reads))
    r.close()


def changing(port, server):
    """Every way for a key to change is told to who has read it."""
    r, w = caching(port), server.r

    changes = {
        "SET": (lambda: w.set("k", "2"), b"2"),
        "INCR": (lambda: w.incr("k"), b"2"),
        "APPEND": (lambda: w.append("k", "x"), b"1x"),
        "DEL": (lambda: w.delete("k"), None),
        "UNLINK": (lambda: w.unlink("k"), None),
        "RENAME from it": (lambda: w.rename("k", "elsewhere"), None),
        "RENAME to it": (lambda: w.rename("other", "k"), b"3"),
        "COPY": (lambda: w.copy("other", "k", replace=True), b"3"),
        "MOVE": (lambda: w.move("k", 1), None),
        "FLUSHDB": (lambda: w.flushdb(), None),
        "FLUSHALL": (lambda: w.flushall(asynchronous=True), None),
        "MULTI": (lambda: w.pipeline().set("k", "5").incr("k").execute(), b"6"),
        "EVAL": (lambda: w.eval("return redis.call('SET', KEYS[1], ARGV[1])", 1, "k", "7"), b"7"),
        "time": (lambda: w.pexpire("k", 1), None),
        "a time that is over": (lambda: w.pexpire("k", -1), None),
        "the client's own SET": (lambda: r.set("k", "8"), b"8"),
        "the client's own DEL": (lambda: r.delete("k"), None),
    }
    for name, (change, want) in changes.items():
        w.flushall()
        w.mset({"k": "1", "other": "3"})
        expect.eventually(lambda: r.get("k") == b"1", f"the value before {name}")
        change()
        expect.eventually(lambda: r.get("k") == want, f"the value after {name}")
    # A key of which others are told nothing new stays in the cache.
    w.set("k", "1")
    expect.eventually(lambda: r.get("k") == b"1", "the value of before")
    r.get("k")
    before = server.asked()
    w.set("unrelated", "1")
    w.delete("none")
    w.setnx("k", "9")
    expect.equal([r.get("k") for _ in range(5)], [b"1"] * 5)
    expect.equal(server.asked() - before, 0)
    r.close()
    w.flushall()


def bounding(port, server):
    """A small cache forgets what was not read for the longest time."""
    r = caching(port, max_size=3)
    for number in range(4):
        server.r.set(f"k{number}", number)
        r.get(f"k{number}")
    before = server.asked()
    expect.equal([r.get(f"k{number}") for number in (3, 2, 1)], [b"3", b"2", b"1"])
    expect.equal(server.asked() - before, 0)
    expect.equal(r.get("k0"), b"0")
    expect.equal(server.asked() - before, 1)
    r.close()


def racing(port, server):
    """While others write, no reader goes back, and all see the last value of every key."""
    last = {f"race:{key}": 0 for key in range(KEYS)}
    server.r.mset(last)
    over = threading.Event()
    backwards = []

    def read():
        r = caching(port)
        seen = dict(last)
        while not over.is_set():
            for name in seen:
                got = int(r.get(name))
                if got < seen[name]:
                    backwards.append((name, seen[name], got))
                seen[name] = got
        r.close()

    readers = [threading.Thread(target=read) for _ in range(READERS)]
    late = caching(port)
    for reader in readers:
        reader.start()
    for number in range(1, WRITES + 1):
        name = f"race:{number % KEYS}"
        server.r.set(name, number)
        last[name] = number
        late.get(name)
    over.set()
    for reader in readers:
        reader.join()
    expect.equal(backwards, [])
    for name, want in last.items():
        expect.eventually(lambda: int(late.get(name)) == want, f"the last value of {name}")
    print(f"{READERS} readers saw {WRITES} writes in order")
    late.close()


def lost(port, server):
    """A connection that is lost takes the whole cache with it."""
    r = caching(port, max_size=100)
    server.r.set("kept", "1")
    r.get("kept")
    for row in server.r.client_list(_type="normal"):
        if row["id"] != str(server.r.client_id()):
            server.r.client_kill_filter(_id=row["id"])
    time.sleep(0.05)
    server.r.set("kept", "2")
    expect.eventually(lambda: r.get("kept") == b"2", "the value behind the lost connection")
    r.close()


def main():
    port = int(sys.argv[1])
    server = Server(port)
    server.r.flushall()
    for part in (reading, changing, bounding, racing, lost):
        part(port, server)
    stats = server.r.info("stats")
    expect.equal((stats["tracking_total_prefixes"], server.r.info("clients")["tracking_clients"]),
                 (0, 0))
    server.r.flushall()
    expect.summary(f"redis-py {redis.__version__} with its cache")


if __name__ == "__main__":
    main()
