"""Streams: entries, ranges, trimming, consumer groups, and their errors."""

import time


def run(c):
    entries(c)
    ranges(c)
    trimming(c)
    reading(c)
    groups(c)
    pending(c)
    claiming(c)
    introspection(c)
    long_streams(c)
    wrong_type(c)
    if c.since("8.2", "XDELEX, XACKDEL, KEEPREF, DELREF, ACKED"):
        references(c)


def read(c, *streams):
    """What XREAD gives through redis-py: lists of pairs over RESP2, a map over RESP3."""
    if c.protocol == 2:
        return [[name, rows] for name, rows in streams]
    return {name: [rows] for name, rows in streams}


def entries(c):
    r = c.r
    r.flushall()
    c.eq(r.xadd("s", {"f": "v"}, id="1-1"), b"1-1")
    c.eq(r.xadd("s", {"f": "v", "g": "w"}, id="1-*"), b"1-2")
    c.eq(r.xadd("s", {"f": "x"}, id="2-0"), b"2-0")
    automatic = r.xadd("s", {"f": "now"})
    now = int(time.time() * 1_000)
    c.within(int(automatic.split(b"-")[0]), now - 5_000, now + 5_000)
    c.eq(r.xlen("s"), 4)
    c.eq(r.xlen("none"), 0)
    c.eq(r.xadd("none", {"f": "v"}, nomkstream=True), None)
    c.eq(r.exists("none"), 0)
    c.eq(r.xdel("s", automatic, "9-9"), 1)
    c.eq(r.xlen("s"), 3)
    c.error(
        "The ID specified in XADD is equal or smaller than the target stream top item",
        r.xadd, "s", {"f": "v"}, id="2-0",
    )
    c.error("The ID specified in XADD must be greater than 0-0", r.xadd, "s", {"f": "v"}, id="0-0")
    c.error(
        "Invalid stream ID specified as stream command argument", r.xadd, "s", {"f": "v"}, id="x"
    )
    c.error(
        "wrong number of arguments for 'xadd' command", r.execute_command, "XADD", "s", "*", "f"
    )


def ranges(c):
    r = c.r
    first = (b"1-1", {b"f": b"v"})
    second = (b"1-2", {b"f": b"v", b"g": b"w"})
    third = (b"2-0", {b"f": b"x"})
    c.eq(r.xrange("s"), [first, second, third])
    c.eq(r.xrange("s", "1", "1"), [first, second])
    c.eq(r.xrange("s", "(1-1", "+", count=1), [second])
    c.eq(r.xrevrange("s"), [third, second, first])
    c.eq(r.xrevrange("s", "1-2", "-", count=1), [second])
    c.eq(r.xrange("none"), [])
    c.raw([[b"2-0", [b"f", b"x"]]], "XRANGE", "s", "2", "+")
    c.error("Invalid stream ID specified as stream command argument", r.xrange, "s", "x", "y")


def trimming(c):
    r = c.r
    r.delete("t")
    for i in range(1, 11):
        r.xadd("t", {"i": i}, id=f"{i}-0")
    c.eq(r.xtrim("t", maxlen=8, approximate=False), 2)
    c.eq(r.xtrim("t", minid="5", approximate=False), 2)
    c.eq(r.xrange("t", count=1), [(b"5-0", {b"i": b"5"})])
    c.eq(r.xtrim("t", maxlen=1), 0)
    c.eq(r.xadd("t", {"i": 11}, id="11-0", maxlen=3, approximate=False), b"11-0")
    c.eq(r.xlen("t"), 3)
    c.error("syntax error", r.execute_command, "XTRIM", "t", "MAXCOUNT", "1")
    c.error(
        "The MAXLEN argument must be >= 0.", r.execute_command, "XTRIM", "t", "MAXLEN", "-1"
    )


def reading(c):
    r = c.r
    r.delete("a", "b")
    r.xadd("a", {"f": "1"}, id="1-0")
    r.xadd("a", {"f": "2"}, id="2-0")
    r.xadd("b", {"f": "3"}, id="1-0")
    one, two, three = ((b"1-0", {b"f": b"1"}), (b"2-0", {b"f": b"2"}), (b"1-0", {b"f": b"3"}))
    c.eq(r.xread({"a": "0", "b": "0"}), read(c, (b"a", [one, two]), (b"b", [three])))
    c.eq(r.xread({"a": "1-0", "b": "1-0"}), read(c, (b"a", [two])))
    c.eq(r.xread({"a": "0"}, count=1), read(c, (b"a", [one])))
    c.eq(r.xread({"a": "$"}), read(c))
    c.raw(
        [[b"b", [[b"1-0", [b"f", b"3"]]]]] if c.protocol == 2
        else {b"b": [[b"1-0", [b"f", b"3"]]]},
        "XREAD", "STREAMS", "b", "0",
    )
    if c.since("7.4", "XREAD +"):
        c.eq(r.xread({"a": "+"}), read(c, (b"a", [two])))
    c.error("syntax error", r.execute_command, "XREAD", "COUNT", "1", "BOGUS", "a", "0")


def groups(c):
    r = c.r
    c.eq(r.xgroup_create("a", "g", id="0"), True)
    c.error("BUSYGROUP Consumer Group name already exists", r.xgroup_create, "a", "g")
    c.eq(r.xgroup_create("made", "g", mkstream=True), True)
    c.error(
        "The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to "
        "use the MKSTREAM option to create an empty stream automatically.",
        r.xgroup_create, "none", "g",
    )
    one, two = ((b"1-0", {b"f": b"1"}), (b"2-0", {b"f": b"2"}))
    c.eq(r.xreadgroup("g", "alice", {"a": ">"}, count=1), read(c, (b"a", [one])))
    c.eq(r.xreadgroup("g", "bob", {"a": ">"}), read(c, (b"a", [two])))
    c.eq(r.xreadgroup("g", "bob", {"a": ">"}), read(c))
    c.eq(r.xreadgroup("g", "alice", {"a": "0"}), read(c, (b"a", [one])))
    c.error(
        "NOGROUP No such key 'a' or consumer group 'bogus' in XREADGROUP with GROUP option",
        r.xreadgroup, "bogus", "alice", {"a": ">"},
    )
    c.eq(r.xgroup_createconsumer("a", "g", "carol"), 1)
    c.eq(r.xgroup_createconsumer("a", "g", "carol"), 0)
    c.eq(r.xgroup_delconsumer("a", "g", "carol"), 0)


def pending(c):
    r = c.r
    c.eq(r.xpending("a", "g"), {
        "pending": 2, "min": b"1-0", "max": b"2-0",
        "consumers": [{"name": b"alice", "pending": 1}, {"name": b"bob", "pending": 1}],
    })
    rows = r.xpending_range("a", "g", "-", "+", 10)
    c.eq([(row["message_id"], row["consumer"], row["times_delivered"]) for row in rows],
         [(b"1-0", b"alice", 2), (b"2-0", b"bob", 1)])
    c.within(rows[0]["time_since_delivered"], 0, 5_000)
    c.eq(len(r.xpending_range("a", "g", "-", "+", 10, consumername="bob")), 1)
    c.eq(r.xpending_range("a", "g", "-", "+", 10, idle=60_000), [])
    c.eq(r.xack("a", "g", "1-0", "9-9"), 1)
    c.eq(r.xpending("a", "g")["pending"], 1)
    c.eq(r.xpending("made", "g"), {"pending": 0, "min": None, "max": None, "consumers": []})
    c.error(
        "NOGROUP No such key 'a' or consumer group 'bogus'", r.xpending, "a", "bogus"
    )


def claiming(c):
    r = c.r
    two = (b"2-0", {b"f": b"2"})
    c.eq(r.xclaim("a", "g", "alice", 0, ["2-0"]), [two])
    c.eq(r.xclaim("a", "g", "bob", 60_000, ["2-0"]), [])
    c.eq(r.xclaim("a", "g", "bob", 0, ["2-0"], justid=True), [b"2-0"])
    c.eq(r.xpending_range("a", "g", "-", "+", 1)[0]["consumer"], b"bob")
    cursor, claimed, deleted = r.xautoclaim("a", "g", "alice", 0)
    c.eq((cursor, claimed, deleted), (b"0-0", [two], []))
    c.eq(r.xdel("a", "2-0"), 1)
    c.raw([b"0-0", [], [b"2-0"]], "XAUTOCLAIM", "a", "g", "bob", "0", "0")
    c.eq(r.xgroup_setid("a", "g", "0"), True)
    c.eq(r.xreadgroup("g", "bob", {"a": ">"}, noack=True),
         read(c, (b"a", [(b"1-0", {b"f": b"1"})])))
    c.eq(r.xpending("a", "g")["pending"], 0)


def introspection(c):
    r = c.r
    info = r.xinfo_stream("a")
    c.eq((info["length"], info["last-generated-id"], info["groups"]), (1, b"2-0", 1))
    c.eq(info["first-entry"], (b"1-0", {b"f": b"1"}))
    c.eq((info["max-deleted-entry-id"], info["entries-added"]), (b"2-0", 2))
    group = r.xinfo_groups("a")[0]
    c.eq((group["name"], group["consumers"], group["pending"]), (b"g", 2, 0))
    names = sorted(row["name"] for row in r.xinfo_consumers("a", "g"))
    c.eq(names, [b"alice", b"bob"])
    c.eq(r.xinfo_stream("a", full=True)["length"], 1)
    c.eq(r.execute_command("XSETID", "a", "100-0"), b"OK")
    c.eq(r.xinfo_stream("a")["last-generated-id"], b"100-0")
    c.eq(r.xgroup_destroy("a", "g"), 1)
    c.eq(r.xgroup_destroy("a", "g"), 0)
    c.error("no such key", r.xinfo_stream, "none")


def long_streams(c):
    r = c.r
    r.delete("long")
    pipe = r.pipeline(transaction=False)
    for i in range(1, 5_001):
        pipe.xadd("long", {"i": i, "text": "x" * (i % 50)}, id=f"{i}-{i}")
    c.eq(pipe.execute(), [f"{i}-{i}".encode() for i in range(1, 5_001)])
    rows = r.xrange("long", "2000", "2999")
    c.eq([int(fields[b"i"]) for _, fields in rows], list(range(2_000, 3_000)))
    c.eq(r.object("encoding", "long"), b"stream")
    r.xgroup_create("long", "g", id="0")
    seen = []
    while True:
        found = r.xreadgroup("g", "c", {"long": ">"}, count=500)
        if not found:
            break
        part = found[0][1] if c.protocol == 2 else found[b"long"][0]
        seen += [entry for entry, _ in part]
        c.eq(r.xack("long", "g", *[entry for entry, _ in part]), len(part))
    c.eq(seen, [f"{i}-{i}".encode() for i in range(1, 5_001)])
    c.eq(r.xtrim("long", maxlen=0, approximate=False), 5_000)
    c.eq(r.xlen("long"), 0)


def wrong_type(c):
    r = c.r
    r.set("text", "x")
    c.wrong_type(
        "text",
        "XADD * f v", "XLEN", "XRANGE - +", "XDEL 1-1", "XTRIM MAXLEN 1", "XACK g 1-1",
        "XPENDING g", "XSETID 1-1",
    )


def references(c):
    r = c.r
    r.delete("ref")
    for i in range(1, 5):
        r.xadd("ref", {"i": i}, id=f"{i}-0")
    r.xgroup_create("ref", "g", id="0")
    r.xreadgroup("g", "c", {"ref": ">"})
    c.raw([1, -1], "XDELEX", "ref", "IDS", "2", "1-0", "9-0")
    c.raw([2], "XDELEX", "ref", "ACKED", "IDS", "1", "2-0")
    c.raw([1], "XACKDEL", "ref", "g", "DELREF", "IDS", "1", "2-0")
    c.raw([1], "XDELEX", "ref", "DELREF", "IDS", "1", "3-0")
    c.eq([row["message_id"] for row in r.xpending_range("ref", "g", "-", "+", 10)],
         [b"1-0", b"4-0"])
    c.eq(r.xlen("ref"), 1)
