//! Files that other servers wrote: everything that was put into them is there.

use harness::{Connection, InProcess, Setup};
use simdisk::SimDisk;

/// What is in all of them.
const COMMON: &[(&str, &str)] = &[
    ("GET string", "hello"),
    ("GET number", "12345"),
    ("OBJECT ENCODING number", "int"),
    ("GET wide", "12345678901234"),
    ("GET negative", "-7"),
    ("STRLEN long", "Integer(200)"),
    ("GETRANGE long 0 5", "abcdab"),
    ("PEXPIRETIME expires", "Integer(4102444800000)"),
    ("LRANGE list:small 0 -1", "a 1 -300 hello"),
    ("OBJECT ENCODING list:small", "listpack"),
    ("LRANGE list:large 0 -1", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20"),
    ("LLEN list:plain", "Integer(2)"),
    ("LINDEX list:plain 1", "y"),
    ("SORT set:ints", "1 2 3"),
    ("SORT set:words ALPHA", "5 a b"),
    ("SCARD set:large", "Integer(13)"),
    ("SISMEMBER set:large word", "Integer(1)"),
    ("SISMEMBER set:large 112", "Integer(1)"),
    ("HGETALL hash:small", "f v n 42"),
    ("HLEN hash:large", "Integer(10)"),
    ("HGET hash:large f10", "10"),
    ("ZRANGE zset:small 0 -1 WITHSCORES", "low -inf one 1 two 2.5"),
    ("ZRANGE zset:large 0 1 WITHSCORES", "m1 1.5 m2 2.5"),
    ("ZRANK zset:large m10", "Integer(9)"),
    ("XLEN stream", "Integer(5)"),
    ("XRANGE stream - + COUNT 2", "1-1 f 1 g x 3-1 f 3 g x"),
    ("XPENDING stream readers", "Integer(1) 3-1 3-1 alice 1"),
    ("GETBIT bits 7", "Integer(1)"),
    ("PFCOUNT hll", "Integer(3)"),
    ("GEOHASH geo Palermo", "sqc8b49rny0"),
    ("FCALL f 0", "Integer(1)"),
    ("SELECT 3", "OK"),
    ("GET other", "database"),
    ("DBSIZE", "Integer(1)"),
];

/// A reply on one line, nested ones flat.
fn flat(value: &client::Value) -> String {
    match value {
        client::Value::Array(values) => values.iter().map(flat).collect::<Vec<_>>().join(" "),
        other => match other.as_bytes() {
            Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            None => format!("{other:?}"),
        },
    }
}

fn loaded(file: &[u8], config: &str) -> (InProcess, Connection) {
    let disk = SimDisk::new();
    disk.put("dump.rdb", file);
    let setup = Setup { disk, config: config.to_owned(), ..Setup::default() };
    let server = InProcess::new(setup);
    server.engine.begin_loading();
    server.engine.load_at_start().expect("a real server wrote it");
    let client = server.connect();
    (server, client)
}

fn holds(client: &mut Connection, expected: &[(&str, &str)]) {
    for (command, reply) in expected {
        assert_eq!(flat(&client.ask(command)), *reply, "{command}");
    }
}

#[test]
fn of_redis_7_0() {
    let (_server, mut client) = loaded(include_bytes!("../golden/rdb/redis-7.0.rdb"), "");
    holds(&mut client, &[("DBSIZE", "Integer(20)")]);
    holds(&mut client, COMMON);
}

#[test]
fn of_redis_8() {
    let file = include_bytes!("../golden/rdb/redis-8-pre.rdb");
    let (_server, mut client) = loaded(file, "maxmemory-policy allkeys-lfu");
    let more = [
        ("DBSIZE", "Integer(22)"),
        ("OBJECT FREQ string", "Integer(5)"),
        ("HPEXPIRETIME hash:timed FIELDS 2 a b", "Integer(4102444800000) Integer(-1)"),
        ("HGETALL hash:timed", "a 1 b 2"),
        (
            "HPEXPIRETIME hash:timed:large FIELDS 3 f1 f2 f3",
            "Integer(4102444800000) Integer(4102444800000) Integer(-1)",
        ),
        ("HMGET hash:timed:large f1 f10", "1 10"),
    ];
    holds(&mut client, &more);
    holds(&mut client, COMMON);
}

#[test]
fn of_valkey_8_1() {
    let file = include_bytes!("../golden/rdb/valkey-8.1.rdb");
    let (_server, mut client) = loaded(file, "maxmemory-policy allkeys-lru");
    holds(&mut client, &[("DBSIZE", "Integer(20)"), ("OBJECT IDLETIME string", "Integer(1)")]);
    holds(&mut client, COMMON);
}
