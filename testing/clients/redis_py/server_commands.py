"""Server commands: COMMAND, CONFIG, INFO, MEMORY, flushing, time and the other introspection."""

import time


def run(c):
    commands(c)
    config(c)
    info(c)
    memory(c)
    flushing(c)
    rest(c)


def commands(c):
    r = c.r
    count = r.command_count()
    c.within(count, 80, 1_000)
    c.eq(len(r.command_list()), len(set(r.command_list())))
    c.true(b"get" in {name.lower() for name in r.command_list()}, "COMMAND LIST has get")
    c.raw([b"a", b"c"], "COMMAND", "GETKEYS", "MSET", "a", "b", "c", "d")
    c.raw([b"k"], "COMMAND", "GETKEYS", "GET", "k")
    c.eq(r.command_getkeysandflags("SET", "k", "v"), [[b"k", [b"OW", b"update"]]])
    c.error("The command has no key arguments", r.command_getkeys, "PING", "x")
    c.error(
        "Invalid number of arguments specified for command", r.command_getkeys, "SETEX", "k"
    )
    c.error("Invalid command specified", r.command_getkeys, "BOGUS", "x")
    connection = r.connection_pool.get_connection()
    connection.send_command("COMMAND", "INFO", "get", "bogus")
    get, bogus = connection.read_response()
    c.eq(bogus, None)
    c.eq(get[0], b"get")
    c.eq(get[1], 2)
    c.eq(set(get[2]), {b"readonly", b"fast"})
    c.eq(get[3:6], [1, 1, 1])
    c.eq(set(get[6]), {b"@read", b"@string", b"@fast"})
    connection.send_command("COMMAND", "DOCS", "get")
    docs = connection.read_response()
    c.eq(type(docs), list if c.protocol == 2 else dict)
    name, doc = docs if c.protocol == 2 else next(iter(docs.items()))
    c.eq(name, b"get")
    doc = dict(zip(doc[::2], doc[1::2])) if c.protocol == 2 else doc
    c.eq((doc[b"since"], doc[b"group"], doc[b"complexity"]), (b"1.0.0", b"string", b"O(1)"))
    connection.send_command("COMMAND", "LIST", "FILTERBY", "PATTERN", "get*")
    listed = {name.lower() for name in connection.read_response()}
    c.eq(listed >= {b"get", b"getbit", b"getdel", b"getex", b"getrange", b"getset"}, True)
    connection.send_command("COMMAND", "LIST", "FILTERBY", "ACLCAT", "bitmap")
    listed = set(connection.read_response())
    c.eq(listed >= {b"getbit", b"setbit", b"bitop", b"bitcount", b"bitpos", b"bitfield"}, True)
    r.connection_pool.release(connection)


def config(c):
    r = c.r
    c.eq(r.config_get("maxmemory-policy"), {"maxmemory-policy": "noeviction"})
    c.eq(r.config_set("maxmemory-policy", "allkeys-lru"), True)
    c.eq(r.config_get("maxmemory-policy"), {"maxmemory-policy": "allkeys-lru"})
    c.eq(r.config_set("maxmemory-policy", "noeviction"), True)
    c.eq(r.config_set("maxmemory", "100mb"), True)
    c.eq(r.config_get("maxmemory"), {"maxmemory": "104857600"})
    c.eq(r.config_set("maxmemory", "0"), True)
    limits = r.config_get("hash-max-listpack-entries", "hash-max-listpack-value")
    c.eq(set(limits), {"hash-max-listpack-entries", "hash-max-listpack-value"})
    c.eq(limits["hash-max-listpack-value"], "64")
    c.eq(r.config_get("no-such-*"), {})
    c.true(len(r.config_get("*")) > 150, "CONFIG GET * lists every parameter")
    c.eq(r.config_set("timeout", 100, "tcp-keepalive", 200), True)
    c.eq(r.config_get("timeout", "tcp-keepalive"), {"timeout": "100", "tcp-keepalive": "200"})
    c.eq(r.config_set("timeout", 0, "tcp-keepalive", 300), True)
    c.eq(r.config_resetstat(), True)
    c.error(
        "Unknown option or number of arguments for CONFIG SET - 'no-such'",
        r.config_set, "no-such", "1",
    )
    c.error(
        "CONFIG SET failed (possibly related to argument 'loglevel') - argument(s) must be one of "
        "the following: debug, verbose, notice, warning" + (", nothing" if c.version >= (7, 2) else ""),
        r.config_set, "loglevel", "bogus",
    )
    c.error(
        "CONFIG SET failed (possibly related to argument 'port') - argument must be between 0 and "
        "65535 inclusive",
        r.config_set, "port", "70000",
    )
    c.error("The server is running without a config file", r.config_rewrite)


def info(c):
    r = c.r
    everything = r.info()
    for field in [
        "redis_version", "redis_mode", "os", "arch_bits", "process_id", "run_id", "tcp_port",
        "uptime_in_seconds", "hz", "connected_clients", "blocked_clients", "used_memory",
        "used_memory_rss", "used_memory_peak", "maxmemory", "maxmemory_policy", "mem_allocator",
        "loading", "rdb_changes_since_last_save", "aof_enabled", "total_connections_received",
        "total_commands_processed", "instantaneous_ops_per_sec", "expired_keys", "evicted_keys",
        "keyspace_hits", "keyspace_misses", "total_error_replies", "role", "connected_slaves",
        "master_replid", "used_cpu_sys", "used_cpu_user", "cluster_enabled",
    ]:
        c.true(field in everything, f"INFO has {field}")
    c.eq(everything["tcp_port"], c.port)
    c.eq(everything["role"], "master")
    r.flushall()
    r.config_resetstat()
    r.mset({"i1": "v", "i2": "v"})
    r.expire("i1", 100)
    r.get("i1"), r.get("nothing"), r.get("nothing")
    stats = r.info("stats")
    c.eq((stats["keyspace_hits"], stats["keyspace_misses"]), (1, 2))
    keyspace = r.info("keyspace")
    c.eq((keyspace["db0"]["keys"], keyspace["db0"]["expires"]), (2, 1))
    c.eq(r.info("commandstats")["cmdstat_get"]["calls"], 3)
    try:
        r.execute_command("BOGUS")
    except Exception:
        pass
    c.eq(r.info("errorstats"), {"errorstat_ERR": {"count": 1}})
    c.eq(set(r.info("server", "clients")) >= {"redis_version", "connected_clients"}, True)
    c.eq(r.info("bogus"), {})


def memory(c):
    r = c.r
    stats = r.memory_stats()
    stats = {k.decode() if isinstance(k, bytes) else k: v for k, v in stats.items()}
    for field in ["peak.allocated", "total.allocated", "startup.allocated", "clients.normal",
                  "overhead.total", "keys.count", "keys.bytes-per-key", "dataset.bytes",
                  "dataset.percentage", "fragmentation"]:
        c.true(field in stats, f"MEMORY STATS has {field}")
    c.eq(stats["keys.count"], r.dbsize())
    r.set("memory", "x" * 10_000)
    c.within(r.memory_usage("memory"), 10_000, 20_000)
    c.eq(r.memory_purge(), True)
    c.true(isinstance(r.execute_command("MEMORY DOCTOR"), (bytes, str)), "MEMORY DOCTOR is a text")
    c.eq(r.execute_command("MEMORY HELP")[0],
         b"MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")


def flushing(c):
    r = c.r
    r.flushall()
    for asynchronous in (False, True):
        r.mset({f"f{i}": i for i in range(1_000)})
        c.eq(r.dbsize(), 1_000)
        c.eq(r.flushdb(asynchronous=asynchronous), True)
        c.eq(r.dbsize(), 0)
        r.mset({f"f{i}": i for i in range(1_000)})
        c.eq(r.flushall(asynchronous=asynchronous), True)
        c.eq(r.dbsize(), 0)
    c.eq(r.execute_command("FLUSHALL", "SYNC"), True)
    c.error("syntax error", r.execute_command, "FLUSHALL", "LATER")


def rest(c):
    r = c.r
    seconds, micros = r.time()
    c.within(seconds, int(time.time()) - 2, int(time.time()) + 2)
    c.within(micros, 0, 999_999)
    c.true(isinstance(r.lastsave().timestamp(), float), "LASTSAVE is a time")
    role = r.role()
    c.eq([role[0], role[1], role[2]], [b"master", 0, []])
    c.raw([b"master", 0, []], "ROLE")
    c.true(b"ver." in as_bytes(r.lolwut()), "LOLWUT names the version")
    c.true(b"ver." in as_bytes(r.lolwut(5, 10, 5, 5)), "LOLWUT 5 draws")
    c.error(
        "wrong number of arguments for 'dbsize' command", r.execute_command, "DBSIZE", "extra"
    )


def as_bytes(reply):
    return reply if isinstance(reply, bytes) else str(reply).encode()
