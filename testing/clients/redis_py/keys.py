"""Keys: existence, expiry, renaming, copying, scanning, and what OBJECT tells."""

import time

NO_KEY = "no such key"


def run(c):
    existence(c)
    expiry(c)
    expiry_conditions(c)
    really_expires(c)
    renaming(c)
    databases(c)
    scanning(c)
    objects(c)


def existence(c):
    r = c.r
    r.flushall()
    r.mset({"a": "1", "b": "2", "c": "3"})
    c.eq(r.exists("a", "b", "a", "nothing"), 3)
    c.eq(r.touch("a", "b", "nothing"), 2)
    c.eq(r.type("a"), b"string")
    c.eq(r.type("nothing"), b"none")
    c.eq(r.dbsize(), 3)
    c.true(r.randomkey() in {b"a", b"b", b"c"}, "RANDOMKEY returns one of the keys")
    c.eq(r.delete("a", "b", "nothing"), 2)
    c.eq(r.unlink("c", "c"), 1)
    c.eq(r.randomkey(), None)
    c.eq(r.dbsize(), 0)


def expiry(c):
    r = c.r
    r.set("e", "v")
    c.eq(r.ttl("e"), -1)
    c.eq(r.pttl("nothing"), -2)
    c.eq(r.expiretime("e"), -1)
    c.eq(r.pexpiretime("nothing"), -2)
    c.eq(r.persist("e"), False)
    c.eq(r.expire("e", 100), True)
    c.eq(r.expire("nothing", 100), False)
    c.within(r.ttl("e"), 99, 100)
    c.eq(r.pexpire("e", 90_000), True)
    c.within(r.pttl("e"), 89_000, 90_000)
    future = int(time.time()) + 1_000
    c.eq(r.expireat("e", future), True)
    c.eq(r.expiretime("e"), future)
    c.eq(r.pexpireat("e", future * 1_000 + 3), True)
    c.eq(r.pexpiretime("e"), future * 1_000 + 3)
    c.eq(r.persist("e"), True)
    c.eq(r.ttl("e"), -1)
    c.eq(r.expire("e", -1), True)
    c.eq(r.exists("e"), 0)
    r.set("e", "v")
    overflow = "invalid expire time in 'expire' command"
    c.error(overflow, r.execute_command, "EXPIRE", "e", str(2**63 - 1))
    c.error(
        "value is not an integer or out of range", r.execute_command, "EXPIRE", "e", "soon"
    )


def expiry_conditions(c):
    r = c.r
    r.set("cond", "v")
    c.eq(r.expire("cond", 100, xx=True), False)
    c.eq(r.expire("cond", 100, gt=True), False)
    c.eq(r.expire("cond", 100, nx=True), True)
    c.eq(r.expire("cond", 200, nx=True), False)
    c.eq(r.expire("cond", 200, gt=True), True)
    c.eq(r.expire("cond", 300, lt=True), False)
    c.eq(r.expire("cond", 50, lt=True), True)
    c.eq(r.expire("cond", 60, xx=True), True)
    c.within(r.ttl("cond"), 59, 60)
    both = "NX and XX, GT or LT options at the same time are not compatible"
    c.error(both, r.execute_command, "EXPIRE", "cond", "10", "NX", "XX")
    c.error(
        "GT and LT options at the same time are not compatible",
        r.execute_command, "EXPIRE", "cond", "10", "GT", "LT",
    )
    c.error("Unsupported option BOGUS", r.execute_command, "EXPIRE", "cond", "10", "BOGUS")


def really_expires(c):
    r = c.r
    r.flushall()
    pipe = r.pipeline(transaction=False)
    for i in range(200):
        pipe.set(f"short:{i}", "v", px=60)
    c.eq(pipe.execute(), [True] * 200)
    r.set("lasting", "v")
    time.sleep(0.08)
    c.eq(r.get("short:0"), None)
    c.eq(r.exists(*[f"short:{i}" for i in range(1, 100)]), 0)
    c.eventually(lambda: r.dbsize() == 1, "expired keys go by themselves")
    c.eq(r.keys("*"), [b"lasting"])


def renaming(c):
    r = c.r
    r.flushall()
    r.set("old", "v", ex=100)
    c.eq(r.rename("old", "new"), True)
    c.within(r.ttl("new"), 99, 100)
    c.error(NO_KEY, r.rename, "old", "new")
    r.set("other", "w")
    c.eq(r.renamenx("new", "other"), False)
    c.eq(r.renamenx("new", "fresh"), True)
    c.error(NO_KEY, r.renamenx, "new", "x")
    c.eq(r.rename("fresh", "other"), True)
    c.eq(r.get("other"), b"v")
    c.eq(r.copy("other", "twin"), True)
    c.eq(r.copy("other", "twin"), False)
    c.eq(r.copy("other", "twin", replace=True), True)
    c.within(r.ttl("twin"), 98, 100)
    c.eq(r.copy("nothing", "twin2"), False)
    c.error("source and destination objects are the same", r.copy, "other", "other")


def databases(c):
    r = c.r
    r.flushall()
    one = c.connect(db=1)
    r.set("d", "zero")
    c.eq(r.move("d", 1), True)
    c.eq(r.exists("d"), 0)
    c.eq(one.get("d"), b"zero")
    r.set("d", "again")
    c.eq(r.move("d", 1), False)
    c.eq(r.copy("d", "d2", destination_db=1), True)
    c.eq(one.get("d2"), b"again")
    c.eq(one.dbsize(), 2)
    c.eq(r.swapdb(0, 1), True)
    c.eq(r.get("d"), b"zero")
    c.eq(one.get("d"), b"again")
    c.eq(one.flushdb(), True)
    c.eq(one.dbsize(), 0)
    c.eq(r.dbsize(), 2)
    c.error("DB index is out of range", r.execute_command, "MOVE", "d", "100")
    c.error("DB index is out of range", r.execute_command, "SWAPDB", "0", "100")
    c.error("invalid first DB index", r.execute_command, "SWAPDB", "x", "0")
    c.error("source and destination objects are the same", r.execute_command, "MOVE", "d", "0")
    one.close()


def scanning(c):
    r = c.r
    r.flushall()
    names = {f"scan:{i}".encode() for i in range(1_000)}
    r.mset({name: "v" for name in names})
    r.set("outside", "v")
    c.eq(set(r.scan_iter("scan:*")), names)
    c.eq(set(r.scan_iter(count=7)), names | {b"outside"})
    c.eq(set(r.scan_iter(_type="string")), names | {b"outside"})
    c.eq(list(r.scan_iter(_type="list")), [])
    c.eq(set(r.keys("scan:99?")), {f"scan:99{i}".encode() for i in range(10)})
    c.eq(r.keys("out[a-z]ide"), [b"outside"])
    c.eq(r.keys("none*"), [])
    cursor, found = r.scan(0, count=100)
    c.true(cursor != 0 and 0 < len(found) < 1_001, "SCAN returns a part and a cursor")
    c.error("invalid cursor", r.execute_command, "SCAN", "x")
    c.error("syntax error", r.execute_command, "SCAN", "0", "COUNT", "0")
    c.error("syntax error", r.execute_command, "SCAN", "0", "BOGUS", "1")
    c.eq(r.execute_command("SCAN", "0", "MATCH", "none*", "COUNT", "100000"), (0, []))


def objects(c):
    r = c.r
    r.set("o", "abc")
    c.eq(r.object("refcount", "o"), 1)
    c.within(r.object("idletime", "o"), 0, 2)
    c.eq(r.object("encoding", "o"), b"embstr")
    c.eq(r.object("encoding", "nothing"), None)
    c.error(
        "An LFU maxmemory policy is not selected, access frequency not tracked. "
        "Please note that when switching between policies at runtime LRU and LFU data will take "
        "some time to adjust.",
        r.object, "freq", "o",
    )
    c.eq(r.execute_command("OBJECT HELP")[0],
         b"OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
    c.error("unknown subcommand 'bogus'. Try OBJECT HELP.", r.execute_command, "OBJECT", "bogus", "o")
    c.within(r.memory_usage("o"), 8, 200)
    c.eq(r.memory_usage("nothing"), None)
