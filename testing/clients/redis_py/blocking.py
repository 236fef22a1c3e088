"""Blocking commands: served by a second connection, in order, or ended by a timeout or UNBLOCK."""

import concurrent.futures
import time

import redis


def run(c):
    c.r.flushall()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        served_at_once(c)
        timeouts(c)
        lists(c, pool)
        sorted_sets(c, pool)
        streams(c, pool)
        first_come(c, pool)
        unblocking(c, pool)
    inside_transactions(c)


def waiting(c, pool, call, blocked=1):
    """Starts `call(client)` on a connection of its own; returns once the server has it waiting."""
    other = c.connect(single_connection_client=True)
    future = pool.submit(lambda: call(other))
    future.add_done_callback(lambda _: other.close())
    deadline = time.monotonic() + 5
    while c.r.info("clients")["blocked_clients"] < blocked:
        if future.done() or time.monotonic() > deadline:
            raise AssertionError(f"RESP{c.protocol}: did not wait: {future.result(0)!r}")
        time.sleep(0.002)
    return future


def served_at_once(c):
    r = c.r
    r.rpush("l", *"abcdefg")
    c.eq(pair(r.blpop(["none", "l"], 1)), (b"l", b"a"))
    c.eq(pair(r.brpop("l", 1)), (b"l", b"g"))
    c.eq(r.blmove("l", "m", 1), b"b")
    c.eq(r.brpoplpush("l", "m", 1), b"f")
    c.eq(r.blmpop(1, 2, "none", "l", direction="LEFT", count=5), [b"l", [b"c", b"d", b"e"]])
    r.zadd("z", {"a": 1, "b": 2, "c": 3})
    c.raw([b"z", b"a", b"1"] if c.protocol == 2 else [b"z", b"a", 1.0], "BZPOPMIN", "z", "1")
    c.raw([b"z", b"c", b"3"] if c.protocol == 2 else [b"z", b"c", 3.0], "BZPOPMAX", "z", "1")
    c.raw(
        [b"z", [[b"b", b"2"]]] if c.protocol == 2 else [b"z", [[b"b", 2.0]]],
        "BZMPOP", "1", "1", "z", "MAX",
    )


def timeouts(c):
    r = c.r
    for command in [
        ["BLPOP", "none", "0.05"], ["BRPOP", "none", "0.05"], ["BZPOPMIN", "none", "0.05"],
        ["BLMOVE", "none", "to", "LEFT", "LEFT", "0.05"], ["BRPOPLPUSH", "none", "to", "0.05"],
        ["BLMPOP", "0.05", "1", "none", "LEFT"], ["BZMPOP", "0.05", "1", "none", "MIN"],
        ["XREAD", "BLOCK", "50", "STREAMS", "none", "$"],
    ]:
        start = time.monotonic()
        c.raw(None, *command)
        c.within(time.monotonic() - start, 0.04, 1)
    c.error("timeout is negative", r.execute_command, "BLPOP", "none", "-1")
    c.error("timeout is not a float or out of range", r.execute_command, "BLPOP", "none", "x")
    c.error(
        "timeout is not an integer or out of range",
        r.execute_command, "XREAD", "BLOCK", "x", "STREAMS", "none", "$",
    )


def pair(reply):
    return reply and tuple(reply)


def lists(c, pool):
    r = c.r
    future = waiting(c, pool, lambda other: other.blpop(["w1", "w2"], 5))
    c.eq(r.rpush("w2", "x", "y"), 2)
    c.eq(pair(future.result(5)), (b"w2", b"x"))
    c.eq(r.lrange("w2", 0, -1), [b"y"])
    future = waiting(c, pool, lambda other: other.blmove("w1", "moved", 5, "RIGHT", "LEFT"))
    c.eq(r.lpush("w1", "v"), 1)
    c.eq(future.result(5), b"v")
    c.eq(r.lrange("moved", 0, -1), [b"v"])
    c.eq(r.exists("w1"), 0)
    future = waiting(c, pool, lambda o: o.blmpop(5, 2, "w3", "w4", direction="RIGHT", count=2))
    pipe = r.pipeline(transaction=True)
    pipe.rpush("w4", "a").rpush("w4", "b").rpush("w4", "c")
    c.eq(pipe.execute(), [1, 2, 3])
    c.eq(future.result(5), [b"w4", [b"c", b"b"]])
    # A key that comes into being under another name serves too.
    r.rpush("source", "renamed")
    future = waiting(c, pool, lambda other: other.brpop("target", 5))
    c.eq(r.rename("source", "target"), True)
    c.eq(pair(future.result(5)), (b"target", b"renamed"))
    # A value of another type does not; the client goes on waiting.
    future = waiting(c, pool, lambda other: other.blpop("typed", 5))
    c.eq(r.set("typed", "text"), True)
    c.eq(r.delete("typed"), 1)
    c.eq(r.rpush("typed", "list"), 1)
    c.eq(pair(future.result(5)), (b"typed", b"list"))


def sorted_sets(c, pool):
    r = c.r
    for call, score, want in [
        (lambda other: other.bzpopmin("wz", 5), {"a": 1.5, "b": 2}, b"a"),
        (lambda other: other.bzpopmax(["none", "wz"], 5), {"a": 1.5, "b": 2}, b"b"),
    ]:
        r.delete("wz")
        future = waiting(c, pool, call)
        c.eq(r.zadd("wz", score), 2)
        c.eq(tuple(future.result(5)), (b"wz", want, float(score[want.decode()])))
    r.delete("wz")
    future = waiting(c, pool, lambda o: o.execute_command("BZMPOP", 5, 1, "wz", "MIN", "COUNT", 9))
    c.eq(r.zadd("wz", {"a": 1, "b": 2}), 2)
    key, rows = future.result(5)
    c.eq((key, [row[0] for row in rows]), (b"wz", [b"a", b"b"]))


def streams(c, pool):
    r = c.r
    future = waiting(c, pool, lambda other: other.xread({"ws": "$"}, block=5_000))
    c.eq(r.xadd("ws", {"f": "v"}, id="1-1"), b"1-1")
    entry = (b"1-1", {b"f": b"v"})
    c.eq(future.result(5), [[b"ws", [entry]]] if c.protocol == 2 else {b"ws": [[entry]]})
    r.xgroup_create("ws", "g", id="$")
    future = waiting(c, pool, lambda o: o.xreadgroup("g", "me", {"ws": ">"}, block=5_000))
    c.eq(r.xadd("ws", {"f": "w"}, id="2-1"), b"2-1")
    entry = (b"2-1", {b"f": b"w"})
    c.eq(future.result(5), [[b"ws", [entry]]] if c.protocol == 2 else {b"ws": [[entry]]})
    c.eq(r.xpending("ws", "g")["pending"], 1)
    future = waiting(c, pool, lambda o: o.xreadgroup("g", "me", {"ws": ">"}, block=5_000))
    c.eq(r.xgroup_destroy("ws", "g"), 1)
    words = "No such key 'ws' or consumer group 'g' in XREADGROUP with GROUP option"
    if c.version < (7, 2):
        words = "the consumer group this client was blocked on no longer exists"
    c.error(f"NOGROUP {words}", future.result, 5)


def first_come(c, pool):
    """Whoever waited first is served first."""
    futures = [
        waiting(c, pool, lambda other: other.blpop("queue", 5), blocked=number + 1)
        for number in range(5)
    ]
    c.eq(c.r.rpush("queue", *"abcde"), 5)
    got = [pair(future.result(5)) for future in futures]
    c.eq(got, [(b"queue", x.encode()) for x in "abcde"])
    c.eq(c.r.exists("queue"), 0)


def unblocking(c, pool):
    r = c.r
    words = "UNBLOCKED client unblocked via CLIENT UNBLOCK"
    for mode, want in [("TIMEOUT", None), ("ERROR", words)]:
        other = c.connect(single_connection_client=True)
        number = other.client_id()
        future = waiting(c, pool, lambda _: other.blpop("never", 5))
        c.raw(1, "CLIENT", "UNBLOCK", str(number), mode)
        if want is None:
            c.eq(future.result(5), None)
        else:
            c.error(want, future.result, 5)
        c.raw(0, "CLIENT", "UNBLOCK", str(number))
        other.close()
    other = c.connect(single_connection_client=True)
    number = other.client_id()
    future = waiting(c, pool, lambda _: other.blpop("never", 5))
    c.eq(r.client_kill_filter(_id=number), 1)
    c.true(isinstance(future.exception(5), redis.ConnectionError), "a killed client is cut off")
    c.eq(r.info("clients")["blocked_clients"], 0)


def inside_transactions(c):
    """Inside MULTI nothing waits: a command that would is answered as if its time were up."""
    pipe = c.r.pipeline(transaction=True)
    pipe.blpop("none", 0).blmove("none", "to", 0).bzpopmin("none", 0).rpush("none", "x")
    pipe.blpop("none", 0)
    replies = pipe.execute()
    c.eq(replies[:4], [None, None, None, 1])
    c.eq(pair(replies[4]), (b"none", b"x"))
