"""Connection: PING, ECHO, SELECT, HELLO, AUTH, RESET, QUIT and the CLIENT subcommands."""

import threading
import time

import redis


def run(c):
    greetings(c)
    hello(c)
    names(c)
    listing(c)
    killing(c)
    pausing(c)
    switches(c)
    password(c)
    unknown(c)


def greetings(c):
    r = c.r
    c.eq(r.ping(), True)
    c.raw(b"PONG", "PING")
    c.raw(b"hello", "PING", "hello")
    c.eq(r.echo("echo \0 me"), b"echo \0 me")
    single = c.connect(single_connection_client=True)
    c.eq(single.select(3), True)
    c.eq(int(single.client_info()["db"]), 3)
    c.error("DB index is out of range", single.select, 16)
    c.error("value is not an integer or out of range", single.execute_command, "SELECT", "x")
    c.true(single.reset() in (b"RESET", "RESET"), "RESET confirms")
    c.eq(single.execute_command("QUIT"), True)
    single.close()


def hello(c):
    single = c.connect(single_connection_client=True)
    reply = single.execute_command("HELLO")
    if isinstance(reply, list):
        reply = dict(zip(reply[::2], reply[1::2]))
    c.eq(set(reply), {b"server", b"version", b"proto", b"id", b"mode", b"role", b"modules"})
    c.eq(reply[b"server"], b"redis")
    c.eq(reply[b"proto"], c.protocol)
    c.eq(reply[b"mode"], b"standalone")
    c.eq(reply[b"role"], b"master")
    c.eq(reply[b"id"], single.client_id())
    c.error("NOPROTO unsupported protocol version", single.execute_command, "HELLO", "4")
    c.error(
        "Protocol version is not an integer or out of range",
        single.execute_command, "HELLO", "x",
    )
    c.error("Syntax error in HELLO option 'BOGUS'", single.execute_command, "HELLO", "3", "BOGUS")
    single.close()


def names(c):
    single = c.connect(single_connection_client=True)
    c.eq(single.client_getname(), None)
    c.eq(single.client_setname("worker"), True)
    c.true(single.client_getname() in ("worker", b"worker"), "CLIENT GETNAME gives the name")
    c.error(
        "Client names cannot contain spaces, newlines or special characters.",
        single.client_setname, "two words",
    )
    first = single.client_id()
    c.true(c.r.client_id() != first, "client ids are unique")
    if c.since("7.2", "CLIENT SETINFO, CLIENT NO-TOUCH"):
        c.eq(single.client_setinfo("LIB-NAME", "checks"), True)
        c.eq(single.client_setinfo("LIB-VER", "1.0"), True)
        info = single.client_info()
        c.eq((info["lib-name"], info["lib-ver"]), ("checks", "1.0"))
        c.error("Unrecognized option 'BOGUS'", single.client_setinfo, "BOGUS", "x")
        c.eq(single.client_no_touch("ON"), b"OK")
        c.eq(single.client_no_touch("OFF"), b"OK")
    c.eq(single.client_no_evict("ON"), b"OK")
    c.eq(single.client_no_evict("OFF"), b"OK")
    c.error("syntax error", single.execute_command, "CLIENT", "NO-EVICT", "MAYBE")
    single.close()


def listing(c):
    r = c.r
    single = c.connect(single_connection_client=True, client_name="listed")
    own = single.client_id()
    rows = r.client_list(client_id=[own])
    c.eq(len(rows), 1)
    row = rows[0]
    c.eq((int(row["id"]), row["name"], int(row["db"]), row["user"]), (own, "listed", 0, "default"))
    fields = {"addr", "laddr", "fd", "age", "idle", "flags", "sub", "psub", "multi", "qbuf",
              "qbuf-free", "argv-mem", "obl", "oll", "omem", "tot-mem", "events", "cmd", "resp"}
    c.eq(fields - set(row) - {"resp"} if c.version < (7, 0, 5) else fields - set(row), set())
    c.eq(str(row["resp"]), str(c.protocol))
    c.true(any(int(row["id"]) == own for row in r.client_list()), "CLIENT LIST lists the client")
    c.eq(r.client_list(_type="replica"), [])
    c.true(len(r.client_list(_type="normal")) >= 2, "CLIENT LIST TYPE normal")
    c.error("Unknown client type 'bogus'", r.execute_command, "CLIENT", "LIST", "TYPE", "bogus")
    c.error("Invalid client ID", r.execute_command, "CLIENT", "LIST", "ID", "x")
    single.close()


def killing(c):
    r = c.r
    victim = c.connect(single_connection_client=True)
    identity = victim.client_id()
    c.eq(r.client_kill_filter(_id=str(identity)), 1)
    c.eq(r.client_kill_filter(_id=str(identity)), 0)
    try:
        victim.connection.send_command("PING")
        victim.connection.read_response()
        c.true(False, "a killed client is disconnected")
    except redis.ConnectionError:
        c.true(True, "disconnected")
    victim.close()
    victim = c.connect(single_connection_client=True)
    address = victim.client_info()["addr"]
    c.raw(b"OK", "CLIENT", "KILL", address)
    c.error("No such client", r.client_kill, address)
    victim.close()
    c.error("No such client", r.execute_command, "CLIENT", "KILL", "1.2.3.4:5")
    c.error("client-id should be greater than 0", r.execute_command, "CLIENT", "KILL", "ID", "0")
    c.eq(r.execute_command("CLIENT", "UNBLOCK", str(r.client_id())), 0)


def pausing(c):
    r = c.r
    other = c.connect()
    c.eq(other.ping(), True)
    c.eq(r.client_pause(300, all=False), True)
    started = time.monotonic()
    c.eq(other.get("nothing"), None)
    c.within(time.monotonic() - started, 0, 0.25)
    c.eq(other.set("paused", "v"), True)
    c.within(time.monotonic() - started, 0.2, 3)
    # A pause of everything also holds back CLIENT UNPAUSE, so only writes are paused for long.
    c.eq(r.client_pause(200), True)
    started = time.monotonic()
    c.eq(other.get("paused"), b"v")
    c.within(time.monotonic() - started, 0.1, 3)
    c.eq(r.client_pause(60_000, all=False), True)
    done = []
    waiter = threading.Thread(target=lambda: done.append(other.set("paused", "w")))
    waiter.start()
    time.sleep(0.1)
    c.eq(done, [])
    c.raw(b"OK", "CLIENT", "UNPAUSE")
    waiter.join(5)
    c.eq(done, [True])
    c.error(
        "timeout is not an integer or out of range", r.execute_command, "CLIENT", "PAUSE", "x"
    )
    other.close()


def switches(c):
    """CLIENT REPLY: what is suppressed leaves no trace in the stream of replies."""
    connection = c.connect(single_connection_client=True).connection
    send, read = connection.send_command, connection.read_response
    send("CLIENT", "REPLY", "SKIP")
    send("ECHO", "skipped")
    send("ECHO", "seen")
    c.eq(read(), b"seen")
    send("CLIENT", "REPLY", "OFF")
    send("ECHO", "off")
    send("CLIENT", "REPLY", "ON")
    c.eq(read(), b"OK")
    send("ECHO", "on")
    c.eq(read(), b"on")
    connection.disconnect()


def password(c):
    r = c.r
    admin = c.connect(single_connection_client=True)
    c.error(
        "AUTH <password> called without any password configured for the default user. "
        "Are you sure your configuration is correct?",
        admin.execute_command, "AUTH", "x",
    )
    c.eq(admin.config_set("requirepass", "secret"), True)
    try:
        outsider = c.connect(protocol=2, lib_name=None, lib_version=None)
        c.error("Authentication required.", outsider.get, "x")
        wrong = c.connect(password="wrong")
        c.error("invalid username-password pair or user is disabled.", wrong.get, "x")
        right = c.connect(password="secret")
        c.eq(right.get("nothing"), None)
        named = c.connect(username="default", password="secret")
        c.eq(named.ping(), True)
        for client in (outsider, wrong, right, named):
            client.close()
    finally:
        c.eq(admin.config_set("requirepass", ""), True)
    admin.close()
    c.eq(r.ping(), True)


def unknown(c):
    r = c.r
    c.error(
        "unknown command 'BOGUS', with args beginning with: 'a' ", r.execute_command, "BOGUS", "a"
    )
    c.error(
        "unknown subcommand 'BOGUS'. Try CLIENT HELP.", r.execute_command, "CLIENT", "BOGUS"
    )
