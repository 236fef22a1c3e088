"""Lists: both ends, ranges, searching, moving, and their errors."""

NOT_INTEGER = "value is not an integer or out of range"


def run(c):
    ends(c)
    ranges(c)
    editing(c)
    searching(c)
    moving(c)
    popping_many(c)
    encodings(c)
    wrong_type(c)


def ends(c):
    r = c.r
    r.flushall()
    c.eq(r.rpush("l", "b", "c"), 2)
    c.eq(r.lpush("l", "a", "z"), 4)
    c.eq(r.lrange("l", 0, -1), [b"z", b"a", b"b", b"c"])
    c.eq(r.lpushx("none", "x"), 0)
    c.eq(r.rpushx("none", "x"), 0)
    c.eq(r.exists("none"), 0)
    c.eq(r.lpushx("l", "y"), 5)
    c.eq(r.rpushx("l", "d", "e"), 7)
    c.eq(r.llen("l"), 7)
    c.eq(r.llen("none"), 0)
    c.eq(r.lpop("l"), b"y")
    c.eq(r.rpop("l"), b"e")
    c.eq(r.lpop("l", 2), [b"z", b"a"])
    c.eq(r.rpop("l", 2), [b"d", b"c"])
    c.eq(r.lpop("l", 0), [])
    c.eq(r.lpop("none"), None)
    c.eq(r.lpop("none", 3), None)
    c.eq(r.rpop("l", 10), [b"b"])
    c.eq(r.exists("l"), 0)
    c.error("value is out of range, must be positive", r.lpop, "l", -1)
    c.error("wrong number of arguments for 'rpush' command", r.execute_command, "RPUSH", "l")


def ranges(c):
    r = c.r
    r.delete("l")
    r.rpush("l", *range(10))
    c.eq(r.lrange("l", 2, 4), [b"2", b"3", b"4"])
    c.eq(r.lrange("l", -3, -2), [b"7", b"8"])
    c.eq(r.lrange("l", 5, 1), [])
    c.eq(r.lrange("l", -100, 0), [b"0"])
    c.eq(r.lrange("none", 0, -1), [])
    c.eq(r.lindex("l", 3), b"3")
    c.eq(r.lindex("l", -1), b"9")
    c.eq(r.lindex("l", 10), None)
    c.eq(r.ltrim("l", 2, -3), True)
    c.eq(r.lrange("l", 0, -1), [b"2", b"3", b"4", b"5", b"6", b"7"])
    c.eq(r.ltrim("l", 5, 3), True)
    c.eq(r.exists("l"), 0)
    c.error(NOT_INTEGER, r.execute_command, "LRANGE", "l", "a", "b")


def editing(c):
    r = c.r
    r.rpush("e", "a", "b", "a", "c", "a")
    c.eq(r.lset("e", 1, "B"), True)
    c.eq(r.lset("e", -1, "A"), True)
    c.error("index out of range", r.lset, "e", 5, "x")
    c.error("no such key", r.lset, "none", 0, "x")
    c.eq(r.linsert("e", "BEFORE", "B", "before"), 6)
    c.eq(r.linsert("e", "AFTER", "B", "after"), 7)
    c.eq(r.linsert("e", "AFTER", "nowhere", "x"), -1)
    c.eq(r.linsert("none", "AFTER", "B", "x"), 0)
    c.error("syntax error", r.linsert, "e", "BESIDE", "B", "x")
    c.eq(r.lrange("e", 0, -1), [b"a", b"before", b"B", b"after", b"a", b"c", b"A"])
    c.eq(r.lrem("e", 1, "a"), 1)
    c.eq(r.lrem("e", -1, "a"), 1)
    c.eq(r.lrem("e", 0, "nothing"), 0)
    c.eq(r.lrange("e", 0, -1), [b"before", b"B", b"after", b"c", b"A"])


def searching(c):
    r = c.r
    r.rpush("p", *"abcabcab")
    c.eq(r.lpos("p", "b"), 1)
    c.eq(r.lpos("p", "z"), None)
    c.eq(r.lpos("p", "b", rank=2), 4)
    c.eq(r.lpos("p", "b", rank=-1), 7)
    c.eq(r.lpos("p", "b", count=0), [1, 4, 7])
    c.eq(r.lpos("p", "b", rank=-1, count=2), [7, 4])
    c.eq(r.lpos("p", "b", count=0, maxlen=5), [1, 4])
    c.eq(r.lpos("none", "b", count=0), [])
    c.error(
        "RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use "
        "negative to start from the end of the list",
        r.lpos, "p", "b", rank=0,
    )
    c.error("COUNT can't be negative", r.lpos, "p", "b", count=-1)
    c.error("MAXLEN can't be negative", r.lpos, "p", "b", maxlen=-1)


def moving(c):
    r = c.r
    r.delete("from", "to")
    r.rpush("from", *"abcd")
    c.eq(r.rpoplpush("from", "to"), b"d")
    c.eq(r.lmove("from", "to", "LEFT", "RIGHT"), b"a")
    c.eq(r.lmove("from", "from", "LEFT", "RIGHT"), b"b")
    c.eq(r.lmove("none", "to"), None)
    c.eq(r.rpoplpush("none", "to"), None)
    c.eq(r.lrange("from", 0, -1), [b"c", b"b"])
    c.eq(r.lrange("to", 0, -1), [b"d", b"a"])
    c.error("syntax error", r.execute_command, "LMOVE", "from", "to", "UP", "LEFT")


def popping_many(c):
    r = c.r
    r.delete("x", "y")
    r.rpush("y", *"abcde")
    c.eq(r.lmpop(2, "x", "y", direction="LEFT", count=2), [b"y", [b"a", b"b"]])
    c.eq(r.lmpop(2, "x", "y", direction="RIGHT"), [b"y", [b"e"]])
    c.eq(r.lmpop(1, "x", direction="LEFT"), None)
    c.error("numkeys should be greater than 0", r.execute_command, "LMPOP", "0", "y", "LEFT")
    c.error(
        "count should be greater than 0",
        r.execute_command, "LMPOP", "1", "y", "LEFT", "COUNT", "0",
    )
    c.error("syntax error", r.execute_command, "LMPOP", "2", "y", "LEFT")


def encodings(c):
    r = c.r
    r.delete("enc")
    r.rpush("enc", *range(20_000))
    c.eq(r.object("encoding", "enc"), b"quicklist")
    c.eq(r.lindex("enc", 12_345), b"12345")
    c.eq(r.lrange("enc", 0, -1), [str(i).encode() for i in range(20_000)])
    pipe = r.pipeline(transaction=False)
    for _ in range(10_000):
        pipe.lpop("enc").rpop("enc")
    c.eq(
        pipe.execute(),
        [str(n).encode() for i in range(10_000) for n in (i, 19_999 - i)],
    )
    c.eq(r.exists("enc"), 0)
    every_byte = bytes(range(256))
    c.eq(r.rpush("bin", every_byte, b"", every_byte * 1_000), 3)
    c.eq(r.lrange("bin", 0, -1), [every_byte, b"", every_byte * 1_000])


def wrong_type(c):
    r = c.r
    r.set("text", "x")
    c.wrong_type(
        "text",
        "LPUSH x", "RPUSHX x", "LPOP", "RPOP 1", "LLEN", "LRANGE 0 1", "LINDEX 0", "LSET 0 x",
        "LINSERT BEFORE a b", "LREM 0 x", "LTRIM 0 1", "LPOS x", "LMOVE to LEFT LEFT",
        "RPOPLPUSH to",
    )
