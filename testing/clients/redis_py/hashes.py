"""Hashes: fields, numbers, random fields, iteration, and their errors."""


def run(c):
    fields(c)
    numbers(c)
    random_fields(c)
    iteration(c)
    encodings(c)
    wrong_type(c)
    if c.since("8.0", "HGETDEL"):
        getting_and_deleting(c)


def fields(c):
    r = c.r
    r.flushall()
    c.eq(r.hset("h", "a", "1"), 1)
    c.eq(r.hset("h", mapping={"a": "2", "b": "3", "c": "4"}), 2)
    c.eq(r.hget("h", "a"), b"2")
    c.eq(r.hget("h", "none"), None)
    c.eq(r.hget("none", "a"), None)
    c.eq(r.hmget("h", "a", "none", "c"), [b"2", None, b"4"])
    c.eq(r.hmget("none", "a", "b"), [None, None])
    c.raw(b"OK", "HMSET", "h", "d", "5", "e", "6")
    c.eq(r.hsetnx("h", "a", "x"), 0)
    c.eq(r.hsetnx("h", "f", "x"), 1)
    c.eq(r.hexists("h", "a"), True)
    c.eq(r.hexists("h", "z"), False)
    c.eq(r.hlen("h"), 6)
    c.eq(r.hlen("none"), 0)
    c.eq(r.hstrlen("h", "a"), 1)
    c.eq(r.hstrlen("h", "none"), 0)
    want = {b"a": b"2", b"b": b"3", b"c": b"4", b"d": b"5", b"e": b"6", b"f": b"x"}
    c.eq(r.hgetall("h"), want)
    c.eq(r.hgetall("none"), {})
    c.eq(sorted(r.hkeys("h")), sorted(want))
    c.eq(sorted(r.hvals("h")), sorted(want.values()))
    c.eq(r.hkeys("none"), [])
    c.eq(r.hdel("h", "a", "b", "z"), 2)
    c.eq(r.hdel("none", "a"), 0)
    c.eq(r.hdel("h", *"cdef"), 4)
    c.eq(r.exists("h"), 0)
    c.error("wrong number of arguments for 'hset' command", r.execute_command, "HSET", "h", "a")
    c.error(
        "wrong number of arguments for 'hmset' command",
        r.execute_command, "HMSET", "h", "a", "1", "b",
    )
    every_byte = bytes(range(256))
    c.eq(r.hset("bin", every_byte, every_byte * 10), 1)
    c.eq(r.hgetall("bin"), {every_byte: every_byte * 10})


def numbers(c):
    r = c.r
    r.flushall()
    c.eq(r.hincrby("n", "i", 5), 5)
    c.eq(r.hincrby("n", "i", -7), -2)
    c.eq(r.hincrbyfloat("n", "f", 10.5), 10.5)
    c.eq(r.hincrbyfloat("n", "f", 0.1), 10.6)
    c.eq(r.hget("n", "f"), b"10.6")
    c.raw(b"10.7", "HINCRBYFLOAT", "n", "f", "0.1")
    r.hset("n", "text", "x")
    c.error("hash value is not an integer", r.hincrby, "n", "text")
    c.error("hash value is not a float", r.hincrbyfloat, "n", "text")
    r.hset("n", "max", 2**63 - 1)
    c.error("increment or decrement would overflow", r.hincrby, "n", "max")
    c.error(
        "value is not an integer or out of range", r.execute_command, "HINCRBY", "n", "i", "x"
    )
    c.error("value is not a valid float", r.execute_command, "HINCRBYFLOAT", "n", "i", "x")


def random_fields(c):
    r = c.r
    r.flushall()
    everything = {f"f{i}".encode(): str(i).encode() for i in range(200)}
    r.hset("r", mapping=everything)
    c.true(r.hrandfield("r") in everything, "HRANDFIELD gives a field")
    some = r.hrandfield("r", 50)
    c.eq((len(some), len(set(some)), set(some) <= set(everything)), (50, 50, True))
    c.eq(len(r.hrandfield("r", -500)), 500)
    c.eq(set(r.hrandfield("r", 1_000)), set(everything))
    c.eq(r.hrandfield("none"), None)
    c.eq(r.hrandfield("none", 3), [])
    r.hset("one", "f", "v")
    c.raw(
        [b"f", b"v"] if c.protocol == 2 else [[b"f", b"v"]],
        "HRANDFIELD", "one", "1", "WITHVALUES",
    )
    c.error("syntax error", r.execute_command, "HRANDFIELD", "r", "1", "WITHSCORES")


def iteration(c):
    r = c.r
    r.flushall()
    everything = {f"field:{i}".encode(): str(i).encode() for i in range(3_000)}
    r.hset("big", mapping=everything)
    c.eq(r.hgetall("big"), everything)
    c.eq(dict(r.hscan_iter("big", count=100)), everything)
    c.eq(len(dict(r.hscan_iter("big", match="field:12*", count=500))), 111)
    if c.since("7.4", "HSCAN NOVALUES"):
        c.eq(set(r.hscan_iter("big", no_values=True)), set(everything))
    c.eq(r.hscan("none"), (0, {}))
    c.error("syntax error", r.execute_command, "HSCAN", "big", "0", "COUNT", "0")


def encodings(c):
    r = c.r
    r.flushall()
    limit = int(r.config_get("hash-max-listpack-entries")["hash-max-listpack-entries"])
    r.hset("e", mapping={f"f{i}": i for i in range(limit)})
    c.eq(r.object("encoding", "e"), b"listpack")
    r.hset("e", "one", "more")
    c.eq(r.object("encoding", "e"), b"hashtable")
    r.hset("long", "f", "x" * 64)
    c.eq(r.object("encoding", "long"), b"listpack")
    r.hset("long", "f", "x" * 65)
    c.eq(r.object("encoding", "long"), b"hashtable")


def wrong_type(c):
    r = c.r
    r.set("text", "x")
    c.wrong_type(
        "text",
        "HSET f v", "HSETNX f v", "HGET f", "HMGET f", "HGETALL", "HDEL f", "HEXISTS f", "HLEN",
        "HSTRLEN f", "HKEYS", "HVALS", "HINCRBY f 1", "HINCRBYFLOAT f 1", "HRANDFIELD", "HSCAN 0",
    )


def getting_and_deleting(c):
    r = c.r
    r.delete("h")
    r.hset("h", mapping={"a": "1", "b": "2", "c": "3"})
    c.eq(r.hgetdel("h", "a", "none"), [b"1", None])
    c.eq(r.hgetdel("none", "a"), [None])
    c.eq(r.hgetdel("h", "b", "c"), [b"2", b"3"])
    c.eq(r.exists("h"), 0)
