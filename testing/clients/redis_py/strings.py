"""Strings: every command and option, their errors, and their effect on the expiry."""

import time

NOT_INTEGER = "value is not an integer or out of range"


def run(c):
    basics(c)
    set_options(c)
    getex(c)
    numbers(c)
    ranges(c)
    many(c)
    lcs(c)
    binary(c)
    wrong_type(c)
    if c.since("8.4", "SET IFEQ, DELEX, DIGEST, MSETEX"):
        compare(c)
        msetex(c)
    if c.since("8.8", "INCREX"):
        increx(c)


def basics(c):
    r = c.r
    c.eq(r.set("s", "hello"), True)
    c.eq(r.get("s"), b"hello")
    c.eq(r.get("nothing"), None)
    c.eq(r.strlen("s"), 5)
    c.eq(r.strlen("nothing"), 0)
    c.eq(r.append("s", " world"), 11)
    c.eq(r.append("fresh", "x"), 1)
    c.eq(r.get("s"), b"hello world")
    c.eq(r.getset("s", "new"), b"hello world")
    c.eq(r.getset("getset", "first"), None)
    c.eq(r.getdel("s"), b"new")
    c.eq(r.getdel("s"), None)
    c.eq(r.setnx("nx", "1"), True)
    c.eq(r.setnx("nx", "2"), False)
    c.eq(r.get("nx"), b"1")
    c.eq(r.setex("ex", 100, "v"), True)
    c.within(r.ttl("ex"), 99, 100)
    c.eq(r.psetex("px", 100_000, "v"), True)
    c.within(r.pttl("px"), 99_000, 100_000)
    c.error("invalid expire time in 'setex' command", r.setex, "ex", 0, "v")
    c.error("invalid expire time in 'psetex' command", r.psetex, "ex", -1, "v")
    c.error(NOT_INTEGER, r.execute_command, "SETEX", "ex", "ten", "v")
    c.error("wrong number of arguments for 'get' command", r.execute_command, "GET")
    c.error("wrong number of arguments for 'set' command", r.execute_command, "SET", "k")


def set_options(c):
    r = c.r
    c.eq(r.set("o", "1", nx=True), True)
    c.eq(r.set("o", "2", nx=True), None)
    c.eq(r.set("o", "2", xx=True), True)
    c.eq(r.set("absent", "2", xx=True), None)
    c.eq(r.exists("absent"), 0)
    c.eq(r.set("o", "3", ex=100), True)
    c.within(r.ttl("o"), 99, 100)
    c.eq(r.set("o", "4", keepttl=True), True)
    c.within(r.ttl("o"), 99, 100)
    c.eq(r.set("o", "5"), True)
    c.eq(r.ttl("o"), -1)
    c.eq(r.set("o", "6", px=50_000), True)
    c.within(r.pttl("o"), 49_000, 50_000)
    future = int(time.time()) + 1_000
    c.eq(r.set("o", "7", exat=future), True)
    c.eq(r.expiretime("o"), future)
    c.eq(r.set("o", "8", pxat=future * 1_000 + 5), True)
    c.eq(r.pexpiretime("o"), future * 1_000 + 5)
    c.eq(r.set("o", "9", get=True), b"8")
    c.eq(r.set("unset", "9", get=True), None)
    c.eq(r.set("o", "10", nx=True, get=True), b"9")
    c.eq(r.get("o"), b"9")
    c.eq(r.set("o", "10", xx=True, get=True), b"9")
    c.eq(r.set("past", "v", pxat=1), True)
    c.eq(r.exists("past"), 0)
    c.error("syntax error", r.execute_command, "SET", "o", "v", "NX", "XX")
    c.error("syntax error", r.execute_command, "SET", "o", "v", "EX", "10", "PX", "10")
    c.error("syntax error", r.execute_command, "SET", "o", "v", "EX", "10", "KEEPTTL")
    c.error("syntax error", r.execute_command, "SET", "o", "v", "BOGUS")
    c.error("invalid expire time in 'set' command", r.execute_command, "SET", "o", "v", "EX", "0")
    c.error(NOT_INTEGER, r.execute_command, "SET", "o", "v", "EX", "1.5")


def getex(c):
    r = c.r
    r.set("g", "v")
    c.eq(r.getex("g"), b"v")
    c.eq(r.ttl("g"), -1)
    c.eq(r.getex("g", ex=100), b"v")
    c.within(r.ttl("g"), 99, 100)
    c.eq(r.getex("g", persist=True), b"v")
    c.eq(r.ttl("g"), -1)
    c.eq(r.getex("g", px=90_000), b"v")
    c.within(r.pttl("g"), 89_000, 90_000)
    future = int(time.time()) + 500
    c.eq(r.getex("g", exat=future), b"v")
    c.eq(r.expiretime("g"), future)
    c.eq(r.getex("g", pxat=future * 1_000 + 7), b"v")
    c.eq(r.pexpiretime("g"), future * 1_000 + 7)
    c.eq(r.getex("nothing", ex=100), None)
    c.error("syntax error", r.execute_command, "GETEX", "g", "EX", "1", "PERSIST")
    c.error("invalid expire time in 'getex' command", r.execute_command, "GETEX", "g", "EX", "-1")


def numbers(c):
    r = c.r
    c.eq(r.incr("n"), 1)
    c.eq(r.incr("n", 41), 42)
    c.eq(r.incrby("n", -2), 40)
    c.eq(r.decr("n"), 39)
    c.eq(r.decrby("n", 9), 30)
    c.eq(r.execute_command("DECRBY", "n", "-5"), 35)
    c.eq(r.get("n"), b"35")
    c.eq(r.object("encoding", "n"), b"int")
    c.eq(r.incrbyfloat("n", 0.5), 35.5)
    c.raw(b"36", "INCRBYFLOAT", "n", "0.5")
    c.raw(b"5036", "INCRBYFLOAT", "n", "5.0e3")
    c.raw(b"0.1", "INCRBYFLOAT", "f", "0.1")
    c.raw(b"0.3", "INCRBYFLOAT", "f", "0.2")
    r.set("max", 2**63 - 1)
    c.error("increment or decrement would overflow", r.incr, "max")
    r.set("min", -(2**63))
    c.error("increment or decrement would overflow", r.decr, "min")
    c.error("decrement would overflow", r.execute_command, "DECRBY", "n2", str(-(2**63)))
    r.set("text", "abc")
    c.error(NOT_INTEGER, r.incr, "text")
    r.set("padded", " 1")
    c.error(NOT_INTEGER, r.incr, "padded")
    c.error(NOT_INTEGER, r.execute_command, "INCRBY", "n", "9223372036854775808")
    c.error("value is not a valid float", r.incrbyfloat, "text", 1.0)
    c.error("increment would produce NaN or Infinity", r.incrbyfloat, "inf", float("inf"))
    r.set("kept", "1", ex=100)
    c.eq(r.incr("kept"), 2)
    c.within(r.ttl("kept"), 99, 100)


def ranges(c):
    r = c.r
    r.set("r", "This is a string")
    c.eq(r.getrange("r", 0, 3), b"This")
    c.eq(r.getrange("r", -3, -1), b"ing")
    c.eq(r.getrange("r", 0, -1), b"This is a string")
    c.eq(r.getrange("r", 10, 100), b"string")
    c.eq(r.getrange("r", 5, 3), b"")
    c.eq(r.getrange("nothing", 0, -1), b"")
    c.eq(r.substr("r", 5, 6), b"is")
    c.eq(r.setrange("r", 10, "STRING"), 16)
    c.eq(r.get("r"), b"This is a STRING")
    c.eq(r.setrange("padded-range", 3, "x"), 4)
    c.eq(r.get("padded-range"), b"\0\0\0x")
    c.eq(r.setrange("nothing", 5, ""), 0)
    c.eq(r.exists("nothing"), 0)
    c.error("offset is out of range", r.setrange, "r", -1, "x")
    c.error(
        "string exceeds maximum allowed size (proto-max-bulk-len)",
        r.setrange, "r", 536_870_912, "x",
    )
    c.eq(r.object("encoding", "r"), b"raw")


def many(c):
    r = c.r
    c.eq(r.mset({"m1": "a", "m2": "b"}), True)
    c.eq(r.mget("m1", "nothing", "m2"), [b"a", None, b"b"])
    c.eq(r.msetnx({"m2": "x", "m3": "y"}), False)
    c.eq(r.exists("m3"), 0)
    c.eq(r.msetnx({"m3": "y", "m4": "z"}), True)
    c.eq(r.mget(["m3", "m4"]), [b"y", b"z"])
    c.error("wrong number of arguments for 'mset' command", r.execute_command, "MSET", "a", "b", "c")
    c.error("wrong number of arguments for 'msetnx' command", r.execute_command, "MSETNX", "a")
    c.error("wrong number of arguments for 'mget' command", r.execute_command, "MGET")
    names = [f"bulk:{i}" for i in range(500)]
    c.eq(r.mset({name: name[5:] for name in names}), True)
    c.eq(r.mget(names), [name[5:].encode() for name in names])
    pipe = r.pipeline(transaction=False)
    for name in names:
        pipe.incr(name)
    c.eq(pipe.execute(), list(range(1, 501)))


def lcs(c):
    r = c.r
    r.mset({"lcs1": "ohmytext", "lcs2": "mynewtext"})
    c.eq(r.lcs("lcs1", "lcs2"), b"mytext")
    c.eq(r.lcs("lcs1", "lcs2", len=True), 6)
    c.eq(r.lcs("lcs1", "nothing"), b"")
    matches = [[[4, 7], [5, 8]], [[2, 3], [0, 1]]]
    with_length = [[[4, 7], [5, 8], 4]]
    if c.protocol == 2:
        c.raw([b"matches", matches, b"len", 6], "LCS", "lcs1", "lcs2", "IDX")
        want = [b"matches", with_length, b"len", 6]
    else:
        c.raw({b"matches": matches, b"len": 6}, "LCS", "lcs1", "lcs2", "IDX")
        want = {b"matches": with_length, b"len": 6}
    c.raw(want, "LCS", "lcs1", "lcs2", "IDX", "MINMATCHLEN", "4", "WITHMATCHLEN")
    c.error(
        "If you want both the length and indexes, please just use IDX.",
        r.execute_command, "LCS", "lcs1", "lcs2", "LEN", "IDX",
    )


def binary(c):
    r = c.r
    every_byte = bytes(range(256))
    c.eq(r.set(every_byte, every_byte * 10), True)
    c.eq(r.get(every_byte), every_byte * 10)
    c.eq(r.set("", ""), True)
    c.eq(r.get(""), b"")
    big = b"x" * (4 << 20)
    c.eq(r.set("big", big), True)
    c.eq(r.get("big"), big)
    c.eq(r.strlen("big"), 4 << 20)
    c.eq(r.delete("big"), 1)
    for value, encoding in [("12", b"int"), ("abc", b"embstr"), ("x" * 45, b"raw")]:
        r.set("e", value)
        c.eq(r.object("encoding", "e"), encoding)


def wrong_type(c):
    r = c.r
    r.delete("a-list")
    r.rpush("a-list", "x")
    c.wrong_type(
        "a-list", "GET", "APPEND x", "STRLEN", "INCR", "DECRBY 1", "INCRBYFLOAT 1", "GETRANGE 0 1",
        "SETRANGE 0 x", "GETSET x", "GETDEL", "GETEX", "SET x GET", "GETBIT 0", "SETBIT 0 1",
        "BITCOUNT", "BITPOS 1", "BITFIELD GET u8 0",
    )
    c.error("The specified keys must contain string values", r.lcs, "a-list", "lcs1")
    c.eq(r.mget("a-list"), [None])
    c.eq(r.set("a-list", "now a string"), True)


def compare(c):
    r = c.r
    r.set("cmp", "v1")
    digest = r.digest("cmp")
    c.eq(digest, r.digest_local("v1"))
    c.eq(r.digest("nothing"), None)
    c.eq(r.set("cmp", "v2", ifeq="v1"), True)
    c.eq(r.set("cmp", "v3", ifeq="v1"), None)
    c.eq(r.set("cmp", "v3", ifne="v1"), True)
    c.eq(r.set("cmp", "v4", ifne="v3"), None)
    c.eq(r.set("cmp", "v4", ifdeq=r.digest_local("v3")), True)
    c.eq(r.set("cmp", "v5", ifdeq=r.digest_local("v3")), None)
    c.eq(r.set("cmp", "v5", ifdne=r.digest_local("v3")), True)
    c.eq(r.set("cmp", "v6", ifdne=r.digest_local("v5")), None)
    c.eq(r.set("cmp", "v6", ifeq="other", get=True), b"v5")
    c.eq(r.set("nothing", "v", ifeq="v"), None)
    c.eq(r.set("ifne-new", "v", ifne="v"), True)
    c.eq(r.delex("cmp", ifeq="other"), 0)
    c.eq(r.delex("cmp", ifne="v5"), 0)
    c.eq(r.delex("cmp", ifdeq=r.digest_local("v5")), 1)
    r.set("cmp", "v")
    c.eq(r.delex("cmp", ifdne=r.digest_local("v")), 0)
    c.eq(r.delex("cmp"), 1)
    c.eq(r.delex("cmp"), 0)
    c.eq(r.delex("cmp", ifeq="v"), 0)


def msetex(c):
    r = c.r
    from redis.commands.core import DataPersistOptions

    c.eq(r.msetex({"mx1": "a", "mx2": "b"}, ex=100), 1)
    c.eq(r.mget("mx1", "mx2"), [b"a", b"b"])
    c.within(r.ttl("mx1"), 99, 100)
    c.eq(r.msetex({"mx1": "c", "mx3": "d"}, data_persist_option=DataPersistOptions.NX), 0)
    c.eq(r.msetex({"mx1": "c", "mx3": "d"}, data_persist_option=DataPersistOptions.XX), 0)
    c.eq(r.msetex({"mx1": "c"}, data_persist_option=DataPersistOptions.XX, keepttl=True), 1)
    c.within(r.ttl("mx1"), 99, 100)
    c.eq(r.msetex({"mx1": "c", "mx2": "d"}), 1)
    c.eq(r.ttl("mx1"), -1)
    c.eq(r.msetex({"mx1": "e"}, px=90_000), 1)
    c.within(r.pttl("mx1"), 89_000, 90_000)


def increx(c):
    r = c.r
    c.eq(r.increx("ix"), [1, 1])
    c.eq(r.increx("ix", byint=9), [10, 9])
    c.eq(r.increx("ix", byint=5, ubound=12, saturate=True), [12, 2])
    c.eq(r.increx("ix", byint=-20, lbound=0, saturate=True), [0, -12])
    c.eq(r.increx("ix", byint=5, ubound=3), [0, 0])
    c.eq(r.get("ix"), b"0")
    c.eq(r.increx("ix", byint=1, ex=100), [1, 1])
    c.within(r.ttl("ix"), 99, 100)
    c.eq(r.increx("ix", byint=1, ex=500, enx=True), [2, 1])
    c.within(r.ttl("ix"), 99, 100)
    c.eq(r.increx("ix", byint=1, persist=True), [3, 1])
    c.eq(r.ttl("ix"), -1)
