"""Fields of hashes that expire: setting, asking, taking away, and what the server does by itself."""

import time


def run(c):
    if c.since("7.4", "HEXPIRE family") and c.has("HEXPIRE"):
        setting(c)
        conditions(c)
        passing(c)
        errors(c)
    if c.since("8.0", "HGETEX, HSETEX") and c.has("HGETEX"):
        getting_and_setting(c)


def setting(c):
    r = c.r
    r.flushall()
    r.hset("h", mapping={"a": "1", "b": "2", "c": "3"})
    c.eq(r.hexpire("h", 100, "a", "none"), [1, -2])
    c.eq(r.httl("h", "b", "none"), [-1, -2])
    c.within(r.httl("h", "a")[0], 99, 100)
    c.eq(r.hpexpire("h", 200_000, "b"), [1])
    c.within(r.hpttl("h", "b")[0], 199_000, 200_000)
    future = int(time.time()) + 1_000
    c.eq(r.hexpireat("h", future, "a"), [1])
    c.eq(r.hexpiretime("h", "a"), [future])
    c.eq(r.hpexpireat("h", future * 1_000 + 7, "b"), [1])
    c.eq(r.hpexpiretime("h", "b", "c"), [future * 1_000 + 7, -1])
    c.eq(r.hpersist("h", "a", "c", "none"), [1, -1, -2])
    c.eq(r.httl("h", "a"), [-1])
    c.eq(r.hset("h", "b", "again"), 0)
    c.eq(r.httl("h", "b"), [-1])
    c.eq(r.hexpire("h", 0, "c"), [2])
    c.eq(r.hgetall("h"), {b"a": b"1", b"b": b"again"})
    c.raw([-2], "HEXPIRE", "none", "10", "FIELDS", "1", "f")
    c.raw([-2], "HTTL", "none", "FIELDS", "1", "f")


def conditions(c):
    r = c.r
    r.delete("h")
    r.hset("h", "f", "v")
    c.eq(r.hexpire("h", 100, "f", xx=True), [0])
    c.eq(r.hexpire("h", 100, "f", gt=True), [0])
    c.eq(r.hexpire("h", 100, "f", nx=True), [1])
    c.eq(r.hexpire("h", 200, "f", nx=True), [0])
    c.eq(r.hexpire("h", 200, "f", lt=True), [0])
    c.eq(r.hexpire("h", 200, "f", gt=True), [1])
    c.eq(r.hexpire("h", 50, "f", lt=True), [1])
    c.within(r.httl("h", "f")[0], 49, 50)


def passing(c):
    r = c.r
    r.flushall()
    r.hset("h", mapping={f"f{i}": i for i in range(1_000)})
    r.hset("h", "lasting", "v")
    c.eq(r.hpexpire("h", 60, *[f"f{i}" for i in range(1_000)]), [1] * 1_000)
    time.sleep(0.1)
    c.eq(r.hget("h", "f0"), None)
    c.eq(r.hgetall("h"), {b"lasting": b"v"})
    c.eventually(lambda: r.hlen("h") == 1, "expired fields go by themselves")
    c.eq(r.hpexpire("h", 20, "lasting"), [1])
    c.eventually(lambda: r.exists("h") == 0, "with its last field goes the key")


def errors(c):
    r = c.r
    r.hset("h", "f", "v")
    r.set("text", "x")
    c.wrong_type("text", "HEXPIRE 10 FIELDS 1 f", "HTTL FIELDS 1 f", "HPERSIST FIELDS 1 f")
    c.error(
        "wrong number of arguments for 'hexpire' command", r.execute_command, "HEXPIRE", "h", "10"
    )
    c.error(
        "value is not an integer or out of range",
        r.execute_command, "HEXPIRE", "h", "x", "FIELDS", "1", "f",
    )


def getting_and_setting(c):
    r = c.r
    r.delete("h")
    c.raw(1, "HSETEX", "h", "EX", "100", "FIELDS", "2", "a", "1", "b", "2")
    c.within(r.httl("h", "a")[0], 99, 100)
    c.raw(0, "HSETEX", "h", "FNX", "FIELDS", "2", "a", "9", "c", "9")
    c.raw(1, "HSETEX", "h", "FXX", "KEEPTTL", "FIELDS", "1", "a", "3")
    c.within(r.httl("h", "a")[0], 99, 100)
    c.raw([b"3", None], "HGETEX", "h", "PERSIST", "FIELDS", "2", "a", "none")
    c.eq(r.httl("h", "a", "b")[0], -1)
    c.raw([b"3"], "HGETEX", "h", "PX", "50000", "FIELDS", "1", "a")
    c.within(r.hpttl("h", "a")[0], 49_000, 50_000)
