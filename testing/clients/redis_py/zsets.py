"""Sorted sets: scores, ranks, ranges of every kind, algebra, popping, and their errors."""

import math

ROWS = {"a": 1, "b": 2, "c": 3, "d": 4.5}


def run(c):
    adding(c)
    scores_and_ranks(c)
    ranges(c)
    ranges_by_score(c)
    ranges_by_member(c)
    removing(c)
    algebra(c)
    popping(c)
    random_members(c)
    iteration(c)
    encodings(c)
    wrong_type(c)


def scored(c, *rows):
    """Members with scores as redis-py gives them: tuples over RESP2, lists over RESP3."""
    kind = tuple if c.protocol == 2 else list
    return [kind(row) for row in rows]


def adding(c):
    r = c.r
    r.flushall()
    c.eq(r.zadd("z", ROWS), 4)
    c.eq(r.zadd("z", {"a": 1.5, "e": 9}), 1)
    c.eq(r.zadd("z", {"a": 7}, nx=True), 0)
    c.eq(r.zadd("z", {"f": 7}, xx=True), 0)
    c.eq(r.zadd("z", {"a": 7, "e": 9}, ch=True), 1)
    c.eq(r.zadd("z", {"a": 1}, gt=True, ch=True), 0)
    c.eq(r.zadd("z", {"a": 1}, lt=True, ch=True), 1)
    c.eq(r.zadd("z", {"a": 2.5}, incr=True), 3.5)
    c.eq(r.zadd("z", {"a": 1}, incr=True, nx=True), None)
    c.eq(r.zincrby("z", -2.5, "a"), 1.0)
    c.eq(r.zincrby("z", 2, "new"), 2.0)
    c.eq(r.zadd("inf", {"low": -math.inf, "high": math.inf}), 2)
    c.error("resulting score is not a number (NaN)", r.zincrby, "inf", -math.inf, "high")
    c.error("value is not a valid float", r.execute_command, "ZADD", "z", "x", "m")
    c.error("value is not a valid float", r.execute_command, "ZADD", "z", "nan", "m")
    c.error("syntax error", r.execute_command, "ZADD", "z", "1", "m", "2")
    c.error(
        "XX and NX options at the same time are not compatible",
        r.execute_command, "ZADD", "z", "NX", "XX", "1", "m",
    )
    c.error(
        "GT, LT, and/or NX options at the same time are not compatible",
        r.execute_command, "ZADD", "z", "GT", "LT", "1", "m",
    )
    c.error(
        "INCR option supports a single increment-element pair",
        r.execute_command, "ZADD", "z", "INCR", "1", "m", "2", "n",
    )


def scores_and_ranks(c):
    r = c.r
    r.flushall()
    r.zadd("z", ROWS)
    c.eq(r.zscore("z", "d"), 4.5)
    c.eq(r.zscore("z", "none"), None)
    c.raw(b"4.5" if c.protocol == 2 else 4.5, "ZSCORE", "z", "d")
    c.eq(r.zmscore("z", ["a", "none", "d"]), [1.0, None, 4.5])
    c.eq(r.zcard("z"), 4)
    c.eq(r.zrank("z", "c"), 2)
    c.eq(r.zrevrank("z", "c"), 1)
    c.eq(r.zrank("z", "none"), None)
    if c.since("7.2", "ZRANK WITHSCORE"):
        c.eq(r.zrank("z", "c", withscore=True), [2, 3.0])
        c.eq(r.zrevrank("z", "d", withscore=True), [0, 4.5])
        c.eq(r.zrank("z", "none", withscore=True), None)
    c.eq(r.zcount("z", 2, 4), 2)
    c.eq(r.zcount("z", "(2", "+inf"), 2)
    c.eq(r.zcount("none", "-inf", "+inf"), 0)
    c.eq(r.zlexcount("z", "-", "+"), 4)
    c.error("min or max is not a float", r.zcount, "z", "x", "1")
    c.error("min or max not valid string range item", r.zlexcount, "z", "a", "b")


def ranges(c):
    r = c.r
    c.eq(r.zrange("z", 0, -1), [b"a", b"b", b"c", b"d"])
    c.eq(r.zrange("z", 1, 2, withscores=True), scored(c, (b"b", 2.0), (b"c", 3.0)))
    c.eq(r.zrange("z", 0, 1, desc=True), [b"d", b"c"])
    c.eq(r.zrevrange("z", 0, 0, withscores=True), scored(c, (b"d", 4.5)))
    c.eq(r.zrange("z", 5, 9), [])
    c.eq(r.zrange("none", 0, -1), [])
    c.raw(
        [b"a", b"1", b"b", b"2"] if c.protocol == 2 else [[b"a", 1.0], [b"b", 2.0]],
        "ZRANGE", "z", "0", "1", "WITHSCORES",
    )
    c.eq(r.zrange("z", 1, "(4.5", byscore=True), [b"a", b"b", b"c"])
    c.eq(r.zrange("z", "+inf", "-inf", byscore=True, desc=True, offset=1, num=2), [b"c", b"b"])
    c.eq(r.zrange("z", "[b", "+", bylex=True), [b"b", b"c", b"d"])
    c.eq(r.zrangestore("to", "z", 1, 2), 2)
    c.eq(r.zrange("to", 0, -1, withscores=True), scored(c, (b"b", 2.0), (b"c", 3.0)))
    c.eq(r.zrangestore("to", "z", 9, 10), 0)
    c.eq(r.exists("to"), 0)
    c.error(
        "syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
        r.execute_command, "ZRANGE", "z", "0", "1", "LIMIT", "0", "1",
    )
    c.error(
        "syntax error, WITHSCORES not supported in combination with BYLEX",
        r.execute_command, "ZRANGE", "z", "-", "+", "BYLEX", "WITHSCORES",
    )


def ranges_by_score(c):
    r = c.r
    c.eq(r.zrangebyscore("z", 2, 3), [b"b", b"c"])
    c.eq(r.zrangebyscore("z", "(2", "+inf", withscores=True), scored(c, (b"c", 3.0), (b"d", 4.5)))
    c.eq(r.zrangebyscore("z", "-inf", "+inf", start=1, num=2), [b"b", b"c"])
    c.eq(r.zrevrangebyscore("z", "+inf", 2), [b"d", b"c", b"b"])
    c.eq(r.zrevrangebyscore("z", 3, "(1", withscores=True), scored(c, (b"c", 3.0), (b"b", 2.0)))
    c.error("min or max is not a float", r.zrangebyscore, "z", "x", "y")


def ranges_by_member(c):
    r = c.r
    r.zadd("lex", {x: 0 for x in "abcde"})
    c.eq(r.zrangebylex("lex", "[b", "(d"), [b"b", b"c"])
    c.eq(r.zrangebylex("lex", "-", "+", start=1, num=2), [b"b", b"c"])
    c.eq(r.zrevrangebylex("lex", "+", "(c"), [b"e", b"d"])
    c.eq(r.zlexcount("lex", "(a", "[c"), 2)
    c.eq(r.zremrangebylex("lex", "-", "[b"), 2)
    c.eq(r.zrange("lex", 0, -1), [b"c", b"d", b"e"])


def removing(c):
    r = c.r
    r.flushall()
    r.zadd("z", {f"m{i}": i for i in range(10)})
    c.eq(r.zrem("z", "m0", "none"), 1)
    c.eq(r.zremrangebyrank("z", 0, 1), 2)
    c.eq(r.zremrangebyscore("z", 3, "(5"), 2)
    c.eq(r.zrange("z", 0, -1), [b"m5", b"m6", b"m7", b"m8", b"m9"])
    c.eq(r.zremrangebyrank("z", 0, -1), 5)
    c.eq(r.exists("z"), 0)


def algebra(c):
    r = c.r
    r.flushall()
    r.zadd("a", {"x": 1, "y": 2, "z": 3})
    r.zadd("b", {"y": 10, "z": 20, "w": 30})
    r.sadd("s", "z", "q")
    c.eq(r.zinter(["a", "b"]), [b"y", b"z"])
    c.eq(r.zinter(["a", "b"], withscores=True), scored(c, (b"y", 12.0), (b"z", 23.0)))
    c.eq(
        r.zunion({"a": 2, "b": 1}, aggregate="MAX", withscores=True),
        scored(c, (b"x", 2.0), (b"y", 10.0), (b"z", 20.0), (b"w", 30.0)),
    )
    c.eq(r.zdiff(["a", "b"]), [b"x"])
    c.raw([b"x", b"1"] if c.protocol == 2 else [[b"x", 1.0]], "ZDIFF", "2", "a", "b", "WITHSCORES")
    c.eq(r.zinterstore("to", {"a": 1, "s": 5}), 1)
    c.eq(r.zrange("to", 0, -1, withscores=True), scored(c, (b"z", 8.0)))
    c.eq(r.zunionstore("to", ["a", "b"], aggregate="MIN"), 4)
    c.eq(r.zscore("to", "z"), 3.0)
    c.eq(r.zdiffstore("to", ["a", "none"]), 3)
    c.eq(r.zintercard(2, ["a", "b"]), 2)
    c.eq(r.zintercard(2, ["a", "b"], limit=1), 1)
    c.error("weight value is not a float", r.zunion, {"a": "x"})
    c.error(
        "at least 1 input key is needed for 'zinter' command",
        r.execute_command, "ZINTER", "0", "a",
    )


def popping(c):
    r = c.r
    r.flushall()
    r.zadd("z", {x: i for i, x in enumerate("abcdefgh")})
    c.eq(r.zpopmin("z"), scored(c, (b"a", 0.0)) if c.protocol == 2 else [b"a", 0.0])
    c.eq(r.zpopmin("z", 2), scored(c, (b"b", 1.0), (b"c", 2.0)))
    c.eq(r.zpopmax("z", 2), scored(c, (b"h", 7.0), (b"g", 6.0)))
    c.eq(r.zpopmax("none"), [])
    c.raw([b"d", b"3"] if c.protocol == 2 else [b"d", 3.0], "ZPOPMIN", "z")
    c.raw([b"f", b"5"] if c.protocol == 2 else [[b"f", 5.0]], "ZPOPMAX", "z", "1")
    c.raw(
        [b"z", [[b"e", b"4"]]] if c.protocol == 2 else [b"z", [[b"e", 4.0]]],
        "ZMPOP", "2", "none", "z", "MIN",
    )
    c.eq(r.exists("z"), 0)
    c.raw(None, "ZMPOP", "1", "none", "MAX", "COUNT", "2")
    c.error("value is out of range, must be positive", r.zpopmin, "z", -1)


def random_members(c):
    r = c.r
    r.flushall()
    everything = {f"m{i}".encode() for i in range(200)}
    r.zadd("z", {member: 1 for member in everything})
    c.true(r.zrandmember("z") in everything, "ZRANDMEMBER gives a member")
    some = r.zrandmember("z", 50)
    c.eq((len(some), len(set(some)), set(some) <= everything), (50, 50, True))
    c.eq(len(r.zrandmember("z", -500)), 500)
    c.eq(r.zrandmember("none"), None)
    c.eq(r.zrandmember("none", 2), [])
    r.zadd("one", {"m": 2.5})
    c.raw(
        [b"m", b"2.5"] if c.protocol == 2 else [[b"m", 2.5]],
        "ZRANDMEMBER", "one", "1", "WITHSCORES",
    )


def iteration(c):
    r = c.r
    r.flushall()
    everything = {f"member:{i}".encode(): float(i) for i in range(3_000)}
    r.zadd("big", everything)
    c.eq({row[0]: row[1] for row in r.zscan_iter("big", count=100)}, everything)
    c.eq(len({row[0] for row in r.zscan_iter("big", match="member:12*", count=500)}), 111)
    c.eq(r.zscan("none"), (0, []))
    c.eq(r.zrange("big", 1_500, 1_501), [b"member:1500", b"member:1501"])
    c.eq(r.zrank("big", "member:2999"), 2_999)


def encodings(c):
    r = c.r
    r.flushall()
    r.zadd("e", {f"m{i}": i for i in range(128)})
    c.eq(r.object("encoding", "e"), b"listpack")
    r.zadd("e", {"more": 1})
    c.eq(r.object("encoding", "e"), b"skiplist")
    r.zadd("long", {"x" * 65: 1})
    c.eq(r.object("encoding", "long"), b"skiplist")


def wrong_type(c):
    r = c.r
    r.set("text", "x")
    c.wrong_type(
        "text",
        "ZADD 1 m", "ZINCRBY 1 m", "ZSCORE m", "ZMSCORE m", "ZCARD", "ZRANK m", "ZCOUNT 0 1",
        "ZRANGE 0 1", "ZREM m", "ZPOPMIN", "ZRANDMEMBER", "ZSCAN 0", "ZRANGEBYSCORE 0 1",
        "ZREMRANGEBYRANK 0 1",
    )
