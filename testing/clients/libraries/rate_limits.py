"""The rate limits of `limits`, all three strategies: `python rate_limits.py PORT`.

Each strategy is a script or two: a counter that gets its expiry with its first hit, a list of
times searched by halves, two counters of which one is renamed into the other. The last clears
everything by a pattern, so that a script also reads the whole keyspace.
"""

import concurrent.futures
import importlib.metadata
import sys
import time

import redis
from limits import RateLimitItemPerHour, RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import (
    FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter,
)

import expect

STRATEGIES = (FixedWindowRateLimiter, MovingWindowRateLimiter, SlidingWindowCounterRateLimiter)
THREADS = 8
HITS_OF_A_THREAD = 50


def counting(limiter):
    ten = RateLimitItemPerHour(10)
    expect.equal(limiter.test(ten, "user"), True)
    expect.equal([limiter.hit(ten, "user") for _ in range(4)], [True] * 4)
    expect.equal(limiter.get_window_stats(ten, "user").remaining, 6)
    expect.equal(limiter.hit(ten, "user", cost=5), True)
    expect.equal(limiter.test(ten, "user", cost=2), False)
    expect.equal(limiter.test(ten, "user"), True)
    expect.equal([limiter.hit(ten, "user") for _ in range(3)], [True, False, False])
    stats = limiter.get_window_stats(ten, "user")
    expect.equal(stats.remaining, 0)
    expect.within(stats.reset_time - time.time(), 3_500, 3_600)
    # Nobody else pays for it, and a cost above the limit is never met.
    expect.equal(limiter.hit(ten, "other", "path", cost=10), True)
    expect.equal(limiter.hit(ten, "greedy", cost=11), False)
    limiter.clear(ten, "user")
    expect.equal(limiter.get_window_stats(ten, "user").remaining, 10)


def expiring(limiters):
    """A window that is over counts no more, and for a sliding one less and less."""
    ten = RateLimitItemPerSecond(10, 2)
    for limiter in limiters:
        expect.equal(limiter.hit(ten, "brief", cost=10), True)
        expect.equal(limiter.hit(ten, "brief"), False)
    time.sleep(3.1)
    for limiter in limiters:
        if isinstance(limiter, SlidingWindowCounterRateLimiter):
            expect.within(sum(limiter.hit(ten, "brief") for _ in range(11)), 1, 10)
        else:
            expect.equal(limiter.hit(ten, "brief", cost=10), True)
        expect.equal(limiter.hit(ten, "brief", cost=10), False)


def concurrency(limiter):
    """Of more hits at once than the limit allows, exactly as many pass."""
    hundred = RateLimitItemPerHour(100)

    def hits(_):
        return sum(limiter.hit(hundred, "crowd") for _ in range(HITS_OF_A_THREAD))

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        passed = sum(pool.map(hits, range(THREADS)))
    expect.equal(passed, 100)
    print(f"{type(limiter).__name__}: {passed} of {THREADS * HITS_OF_A_THREAD} hits passed")


def print_left(r):
    for name in sorted(r.scan_iter()):
        # The keys of short windows may have gone meanwhile.
        if b"brief" not in name:
            expires = "expires" if r.ttl(name) > 0 else "stays"
            print(f"{name.decode()} {r.type(name).decode()} {expires}")


def main():
    port = int(sys.argv[1])
    r = redis.Redis(port=port, socket_timeout=30)
    r.flushall()
    url = f"redis://127.0.0.1:{port}/0"
    storages = [RedisStorage(url, key_prefix=strategy.__name__) for strategy in STRATEGIES]
    limiters = [strategy(storage) for strategy, storage in zip(STRATEGIES, storages)]
    for limiter in limiters:
        counting(limiter)
        concurrency(limiter)
    expiring(limiters)
    print_left(r)
    r.set("unrelated", "stays")
    for storage in storages:
        expect.equal(storage.check(), True)
        expect.within(storage.reset(), 2, 6)
    expect.equal(r.keys(), [b"unrelated"])
    r.flushall()
    expect.summary(f"limits {importlib.metadata.version('limits')}")


if __name__ == "__main__":
    main()
