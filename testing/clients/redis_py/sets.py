"""Sets: members, algebra, random members, iteration, and their errors."""


def run(c):
    members(c)
    algebra(c)
    random_members(c)
    iteration(c)
    encodings(c)
    wrong_type(c)


def members(c):
    r = c.r
    r.flushall()
    c.eq(r.sadd("s", "a", "b", "c", "a"), 3)
    c.eq(r.sadd("s", "c", "d"), 1)
    c.eq(r.scard("s"), 4)
    c.eq(r.scard("none"), 0)
    c.eq(r.sismember("s", "a"), 1)
    c.eq(r.sismember("s", "z"), 0)
    c.eq(r.sismember("none", "a"), 0)
    c.eq(r.smismember("s", ["a", "z", "d"]), [1, 0, 1])
    c.eq(r.smismember("none", ["a", "z"]), [0, 0])
    c.eq(r.smembers("s"), {b"a", b"b", b"c", b"d"})
    c.eq(r.smembers("none"), set())
    c.eq(r.srem("s", "a", "z"), 1)
    c.eq(r.srem("none", "a"), 0)
    c.eq(r.smove("s", "t", "b"), True)
    c.eq(r.smove("s", "t", "b"), False)
    c.eq(r.smembers("t"), {b"b"})
    c.eq(r.srem("t", "b"), 1)
    c.eq(r.exists("t"), 0)
    c.error("wrong number of arguments for 'sadd' command", r.execute_command, "SADD", "s")


def algebra(c):
    r = c.r
    r.flushall()
    r.sadd("a", *"abcd")
    r.sadd("b", *"cdef")
    r.sadd("n1", *range(100))
    r.sadd("n2", *range(50, 150))
    c.eq(r.sinter("a", "b"), {b"c", b"d"})
    c.eq(r.sinter("a", "none"), set())
    c.eq(r.sunion("a", "b", "none"), {x.encode() for x in "abcdef"})
    c.eq(r.sdiff("a", "b"), {b"a", b"b"})
    c.eq(r.sdiff("none", "a"), set())
    c.eq(r.sinter("n1", "n2"), {str(i).encode() for i in range(50, 100)})
    c.eq(r.sdiff("n2", "n1"), {str(i).encode() for i in range(100, 150)})
    c.eq(len(r.sunion("n1", "n2", "a")), 154)
    c.eq(r.sinterstore("to", "a", "b"), 2)
    c.eq(r.smembers("to"), {b"c", b"d"})
    c.eq(r.sunionstore("to", "a", "b"), 6)
    c.eq(r.sdiffstore("to", "a", "b"), 2)
    c.eq(r.smembers("to"), {b"a", b"b"})
    c.eq(r.sinterstore("to", "a", "none"), 0)
    c.eq(r.exists("to"), 0)
    c.eq(r.sintercard(2, ["a", "b"]), 2)
    c.eq(r.sintercard(2, ["n1", "n2"], limit=7), 7)
    c.eq(r.sintercard(2, ["a", "none"]), 0)
    c.error("LIMIT can't be negative", r.sintercard, 1, ["a"], -1)
    c.error(
        "Number of keys can't be greater than number of args",
        r.execute_command, "SINTERCARD", "3", "a",
    )
    c.error("numkeys should be greater than 0", r.execute_command, "SINTERCARD", "0", "a")


def random_members(c):
    r = c.r
    r.flushall()
    everything = {str(i).encode() for i in range(200)}
    r.sadd("r", *everything)
    c.true(r.srandmember("r") in everything, "SRANDMEMBER gives a member")
    some = r.srandmember("r", 50)
    c.eq((type(some), len(some), len(set(some)), set(some) <= everything), (list, 50, 50, True))
    many = r.srandmember("r", -500)
    c.eq((len(many), set(many) <= everything), (500, True))
    c.eq(set(r.srandmember("r", 1_000)), everything)
    c.eq(r.srandmember("none"), None)
    c.eq(r.srandmember("none", 5), [])
    popped = r.spop("r")
    c.true(popped in everything, "SPOP gives a member")
    c.eq(r.sismember("r", popped), 0)
    more = set(r.spop("r", 99))
    c.eq((len(more), r.scard("r")), (99, 100))
    c.eq(r.smembers("r"), everything - more - {popped})
    c.eq(len(r.spop("r", 1_000)), 100)
    c.eq(r.exists("r"), 0)
    c.eq(r.spop("none"), None)
    c.error("value is out of range, must be positive", r.spop, "r", -1)


def iteration(c):
    r = c.r
    r.flushall()
    everything = {f"member:{i}".encode() for i in range(3_000)}
    r.sadd("big", *everything)
    c.eq(set(r.sscan_iter("big", count=100)), everything)
    c.eq(len(set(r.sscan_iter("big", match="member:12*", count=500))), 111)
    c.eq(r.sscan("none"), (0, []))
    r.sadd("small", *"abc")
    cursor, found = r.sscan("small")
    c.eq((cursor, sorted(found)), (0, [b"a", b"b", b"c"]))
    c.error("invalid cursor", r.execute_command, "SSCAN", "small", "x")


def encodings(c):
    r = c.r
    r.flushall()
    r.sadd("ints", 1, 2, 3)
    c.eq(r.object("encoding", "ints"), b"intset")
    r.sadd("ints", *range(512))
    c.eq(r.object("encoding", "ints"), b"intset")
    r.sadd("ints", 1_000)
    c.eq(r.object("encoding", "ints"), b"hashtable")
    if c.since("7.2", "sets as listpacks"):
        r.sadd("words", "a", "b")
        c.eq(r.object("encoding", "words"), b"listpack")
        r.sadd("words", "x" * 65)
    else:
        r.sadd("words", "a")
    c.eq(r.object("encoding", "words"), b"hashtable")


def wrong_type(c):
    r = c.r
    r.set("text", "x")
    r.sadd("s", "a")
    c.wrong_type(
        "text",
        "SADD x", "SREM x", "SCARD", "SISMEMBER x", "SMISMEMBER x", "SMEMBERS", "SPOP",
        "SRANDMEMBER", "SSCAN 0", "SINTER s", "SUNION s", "SDIFF s", "SMOVE s x",
    )
