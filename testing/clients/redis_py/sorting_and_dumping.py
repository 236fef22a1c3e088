"""SORT over every type that it takes, and DUMP and RESTORE of every type."""


def run(c):
    if c.has("SORT"):
        sorting(c)
    if c.has("DUMP"):
        dumping(c)


def sorting(c):
    r = c.r
    r.flushall()
    r.rpush("l", 3, 1, 10, 2)
    c.eq(r.sort("l"), [b"1", b"2", b"3", b"10"])
    c.eq(r.sort("l", desc=True), [b"10", b"3", b"2", b"1"])
    c.eq(r.sort("l", alpha=True), [b"1", b"10", b"2", b"3"])
    c.eq(r.sort("l", start=1, num=2), [b"2", b"3"])
    c.eq(r.sort("none"), [])
    for i, weight in [(1, 40), (2, 30), (3, 20), (10, 10)]:
        r.set(f"weight_{i}", weight)
        r.hset(f"object_{i}", "name", f"n{i}")
    c.eq(r.sort("l", by="weight_*"), [b"10", b"3", b"2", b"1"])
    c.eq(r.sort("l", by="nosort"), [b"3", b"1", b"10", b"2"])
    c.eq(r.sort("l", get=["#", "object_*->name"], start=0, num=2), [b"1", b"n1", b"2", b"n2"])
    c.eq(r.sort("l", get=["#", "none_*"], start=0, num=1, groups=True), [(b"1", None)])
    c.eq(r.sort("l", store="to"), 4)
    c.eq(r.lrange("to", 0, -1), [b"1", b"2", b"3", b"10"])
    c.eq(r.sort_ro("l", start=0, num=1), [b"1"])
    r.sadd("s", "c", "a", "b")
    c.eq(r.sort("s", alpha=True), [b"a", b"b", b"c"])
    r.zadd("z", {"x": 3, "y": 1, "z": 2})
    c.eq(r.sort("z", alpha=True, desc=True), [b"z", b"y", b"x"])
    c.eq(r.sort("z", by="nosort"), [b"y", b"z", b"x"])
    c.error("One or more scores can't be converted into double", r.sort, "s")
    r.set("text", "x")
    c.wrong_type("text", "SORT")


def dumping(c):
    r = c.r
    r.flushall()
    r.set("string", "text")
    r.set("number", 12345)
    r.rpush("list", *range(1_000))
    r.sadd("ints", *range(100))
    r.sadd("set", *[f"m{i}" for i in range(1_000)])
    r.hset("hash", mapping={f"f{i}": i for i in range(1_000)})
    r.hset("small", mapping={"a": 1, "b": 2})
    r.zadd("zset", {f"m{i}": i / 2 for i in range(1_000)})
    r.xadd("stream", {"f": "v"}, id="1-1")
    r.xgroup_create("stream", "g", id="0")
    r.xreadgroup("g", "me", {"stream": ">"})
    read = {
        "string": r.get, "number": r.get, "ints": r.smembers, "set": r.smembers,
        "hash": r.hgetall, "small": r.hgetall, "list": lambda key: r.lrange(key, 0, -1),
        "zset": lambda key: r.zrange(key, 0, -1, withscores=True),
        "stream": lambda key: (r.xrange(key), r.xpending(key, "g")),
    }
    for key, call in read.items():
        payload = r.dump(key)
        c.eq(r.restore("copy", 0, payload, replace=True), b"OK")
        c.eq(call("copy"), call(key))
        c.eq(r.object("encoding", "copy"), r.object("encoding", key))
        c.error("BUSYKEY Target key name already exists.", r.restore, "copy", 0, payload)
        broken = payload[:-1] + bytes([payload[-1] ^ 1])
        words = "DUMP payload version or checksum are wrong"
        c.error(words, r.restore, "broken", 0, broken)
    c.eq(r.dump("none"), None)
    payload = r.dump("string")
    c.eq(r.restore("timed", 100_000, payload), b"OK")
    c.within(r.pttl("timed"), 99_000, 100_000)
    c.eq(r.restore("idle", 0, payload, idletime=500), b"OK")
    c.within(r.object("idletime", "idle"), 500, 502)
    c.error("Invalid TTL value, must be >= 0", r.restore, "bad", -1, payload)
