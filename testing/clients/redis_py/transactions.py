"""Transactions: MULTI, EXEC, DISCARD and WATCH, and how errors end them."""

import redis


def run(c):
    plain(c)
    errors(c)
    watching(c)
    watched_changes(c)


def plain(c):
    r = c.r
    r.flushall()
    pipe = r.pipeline(transaction=True)
    pipe.set("t", "1").incr("t").get("t").mget("t", "nothing").expire("t", 100)
    c.eq(pipe.execute(), [True, 2, b"2", [b"2", None], True])
    single = c.connect(single_connection_client=True)
    c.eq(single.execute_command("MULTI"), b"OK")
    c.eq(single.execute_command("ECHO", "x"), b"QUEUED")
    c.error("MULTI calls can not be nested", single.execute_command, "MULTI")
    c.eq(single.execute_command("DISCARD"), b"OK")
    c.error("DISCARD without MULTI", single.execute_command, "DISCARD")
    c.error("EXEC without MULTI", single.execute_command, "EXEC")
    c.eq(single.execute_command("MULTI"), b"OK")
    c.eq(single.execute_command("EXEC"), [])
    single.close()


def errors(c):
    r = c.r
    # A command that fails while it runs does not stop the others.
    pipe = r.pipeline(transaction=True)
    pipe.set("t", "text").incr("t").set("t", "after")
    replies = pipe.execute(raise_on_error=False)
    c.eq(replies[0], True)
    c.true(isinstance(replies[1], redis.ResponseError), "INCR of a text fails inside EXEC")
    c.eq(replies[2], True)
    c.eq(r.get("t"), b"after")
    # A command that cannot be queued aborts the whole.
    single = c.connect(single_connection_client=True)
    c.eq(single.execute_command("MULTI"), b"OK")
    c.error("wrong number of arguments for 'get' command", single.execute_command, "GET")
    c.eq(single.execute_command("APPEND", "t", "never"), b"QUEUED")
    c.error(
        "Transaction discarded because of previous errors.", single.execute_command, "EXEC"
    )
    c.eq(single.execute_command("MULTI"), b"OK")
    c.error(
        "unknown command 'BOGUS', with args beginning with: 'a' 'b' ",
        single.execute_command, "BOGUS", "a", "b",
    )
    c.error(
        "Transaction discarded because of previous errors.", single.execute_command, "EXEC"
    )
    c.error("WATCH inside MULTI is not allowed", watch_in_multi, single)
    c.eq(single.execute_command("DISCARD"), b"OK")
    c.eq(r.get("t"), b"after")
    single.close()


def watch_in_multi(client):
    client.execute_command("MULTI")
    client.execute_command("WATCH", "t")


def watching(c):
    r = c.r
    r.set("w", "1")
    with r.pipeline() as pipe:
        pipe.watch("w")
        c.eq(pipe.get("w"), b"1")
        pipe.multi()
        pipe.set("w", "2")
        c.eq(pipe.execute(), [True])
    with r.pipeline() as pipe:
        pipe.watch("w")
        r.set("w", "other")
        pipe.multi()
        pipe.set("w", "3")
        c.error("Watched variable changed.", pipe.execute)
    c.eq(r.get("w"), b"other")
    with r.pipeline() as pipe:
        pipe.watch("w")
        r.set("w", "again")
        c.eq(pipe.unwatch(), True)
        pipe.multi()
        pipe.set("w", "4")
        c.eq(pipe.execute(), [True])
    c.eq(r.transaction(lambda pipe: pipe.multi() or pipe.incr("w"), "w"), [5])


def watched_changes(c):
    """Which commands of another client count as a change of a watched key."""
    r = c.r
    other = c.connect()
    single = c.connect(single_connection_client=True)
    changes = [
        (True, lambda: other.append("k", "x")),
        (True, lambda: other.setbit("k", 0, 1)),
        (True, lambda: other.expire("k", 100)),
        (True, lambda: other.rename("k", "k2")),
        (True, lambda: other.delete("k")),
        (True, lambda: other.flushall()),
        (True, lambda: other.swapdb(0, 1)),
        (False, lambda: other.get("k")),
        (False, lambda: other.persist("k")),
        (False, lambda: other.set("unrelated", "v")),
        (False, lambda: other.set("k", "v", nx=True)),
        (False, lambda: other.touch("k")),
    ]
    for aborts, change in changes:
        r.flushall()
        r.set("k", "v")
        c.eq(single.execute_command("WATCH", "k"), True)
        change()
        c.eq(single.execute_command("MULTI"), b"OK")
        c.eq(single.execute_command("ECHO", "x"), b"QUEUED")
        c.eq(single.execute_command("EXEC"), None if aborts else [b"x"])
    single.close()
    other.close()
