"""Bitmaps: single bits, counts, positions, operations between strings, and bit fields."""

NOT_INTEGER = "value is not an integer or out of range"


def run(c):
    bits(c)
    counts(c)
    positions(c)
    operations(c)
    fields(c)


def bits(c):
    r = c.r
    c.eq(r.setbit("b", 7, 1), 0)
    c.eq(r.setbit("b", 7, 0), 1)
    c.eq(r.setbit("b", 100, 1), 0)
    c.eq(r.getbit("b", 100), 1)
    c.eq(r.getbit("b", 101), 0)
    c.eq(r.getbit("b", 1_000_000), 0)
    c.eq(r.getbit("nothing", 0), 0)
    c.eq(r.strlen("b"), 13)
    offset = "bit offset is not an integer or out of range"
    c.error(offset, r.setbit, "b", -1, 1)
    c.error(offset, r.setbit, "b", 4 * 1024 * 1024 * 1024, 1)
    c.error(offset, r.execute_command, "GETBIT", "b", "x")
    c.error("bit is not an integer or out of range", r.execute_command, "SETBIT", "b", "0", "2")


def counts(c):
    r = c.r
    r.set("c", "foobar")
    c.eq(r.bitcount("c"), 26)
    c.eq(r.bitcount("c", 0, 0), 4)
    c.eq(r.bitcount("c", 1, 1), 6)
    c.eq(r.bitcount("c", -2, -1), 7)
    c.eq(r.bitcount("c", 5, 30, "BIT"), 17)
    c.eq(r.bitcount("c", 0, -1, "BYTE"), 26)
    c.eq(r.bitcount("c", 4, 2), 0)
    c.eq(r.bitcount("nothing"), 0)
    c.error("syntax error", r.execute_command, "BITCOUNT", "c", "0", "-1", "BITS")
    c.error(NOT_INTEGER, r.execute_command, "BITCOUNT", "c", "a", "b")


def positions(c):
    r = c.r
    r.set("p", b"\xff\xf0\x00")
    c.eq(r.bitpos("p", 0), 12)
    c.eq(r.bitpos("p", 1), 0)
    c.eq(r.bitpos("p", 1, 2), -1)
    c.eq(r.bitpos("p", 0, 0, 0), -1)
    c.eq(r.bitpos("p", 0, 13, 15, "BIT"), 13)
    c.eq(r.bitpos("p", 1, -2, -1), 8)
    r.set("ones", b"\xff\xff")
    c.eq(r.bitpos("ones", 0), 16)
    c.eq(r.bitpos("nothing", 0), 0)
    c.eq(r.bitpos("nothing", 1), -1)
    c.error("The bit argument must be 1 or 0.", r.execute_command, "BITPOS", "p", "2")


def operations(c):
    r = c.r
    r.mset({"x": b"\xf0\x0f", "y": b"\xff", "z": b"\x81\x18"})
    for operation, keys, want in [
        ("AND", ["x", "y"], b"\xf0\x00"),
        ("OR", ["x", "y"], b"\xff\x0f"),
        ("XOR", ["x", "y"], b"\x0f\x0f"),
        ("NOT", ["x"], b"\x0f\xf0"),
        ("AND", ["x", "z"], b"\x80\x08"),
        ("OR", ["x", "nothing"], b"\xf0\x0f"),
    ]:
        c.eq(r.bitop(operation, "dest", *keys), 2)
        c.eq(r.get("dest"), want)
    if c.since("8.2", "BITOP DIFF, DIFF1, ANDOR, ONE"):
        for operation, want in [
            ("DIFF", b"\x00\x07"), ("DIFF1", b"\x0f\x10"), ("ANDOR", b"\xf0\x08"),
            ("ONE", b"\x0e\x17"),
        ]:
            c.eq(r.bitop(operation, "dest", "x", "y", "z"), 2)
            c.eq(r.get("dest"), want)
    c.eq(r.bitop("AND", "dest", "nothing", "nowhere"), 0)
    c.eq(r.exists("dest"), 0)
    c.error(
        "BITOP NOT must be called with a single source key.",
        r.execute_command, "BITOP", "NOT", "dest", "x", "y",
    )
    c.error("syntax error", r.execute_command, "BITOP", "NAND", "dest", "x", "y")


def fields(c):
    r = c.r
    field = r.bitfield("bf")
    field.set("u8", 0, 255).get("u8", 0).incrby("u8", 0, 10)
    c.eq(field.execute(), [0, 255, 9])
    field = r.bitfield("bf", "SAT")
    c.eq(field.incrby("u8", 0, 1_000).incrby("i5", "#2", -100).execute(), [255, -16])
    field = r.bitfield("bf", "FAIL")
    c.eq(field.incrby("u8", 0, 1).execute(), [None])
    r.set("wide", b"\x80\0\0\0\0\0\0\x02")
    wide = r.execute_command("BITFIELD", "wide", "GET", "i64", "0", "GET", "u63", "1")
    c.eq(wide, [2 - 2**63, 2])
    c.eq(r.execute_command("BITFIELD", "bf"), [])
    c.eq(r.bitfield_ro("bf", "u4", 0, [("u8", 0)]), [15, 255])
    c.eq(r.execute_command("BITFIELD", "nothing", "GET", "u8", "100"), [0])
    c.eq(r.exists("nothing"), 0)
    kind = (
        "Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
    )
    for bad in ["u64", "i65", "u0", "x8", "i"]:
        c.error(kind, r.execute_command, "BITFIELD", "bf", "GET", bad, "0")
    c.error(
        "Invalid OVERFLOW type specified",
        r.execute_command, "BITFIELD", "bf", "OVERFLOW", "BOGUS",
    )
    c.error(
        "BITFIELD_RO only supports the GET subcommand",
        r.execute_command, "BITFIELD_RO", "bf", "SET", "u8", "0", "1",
    )
