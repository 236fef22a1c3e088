//! redis-rs against a server, over RESP2 and RESP3, with every reply checked:
//! `redis-rs-checks PORT`.
//!
//! The typed calls test that replies convert to Rust types as a program expects; the table of raw
//! commands tests the replies themselves, where the two protocols give the same value.

mod checks;
mod raw;
mod types;

use std::collections::HashSet;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use checks::{Checks, Outcome};
use redis::{Commands, Connection, ExistenceCheck, Expiry, SetExpiry, SetOptions};

fn main() -> ExitCode {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    let Some(port) = port else {
        eprintln!("usage: redis-rs-checks PORT");
        return ExitCode::from(2);
    };
    for resp3 in [false, true] {
        let mut checks = Checks::new(port, resp3);
        match run(&mut checks) {
            Ok(()) => println!("{}: {} checks", checks.label(), checks.count()),
            Err(message) => {
                eprintln!("{}: {message}", checks.label());
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

fn run(c: &mut Checks) -> Outcome {
    let mut con = c.connect()?;
    raw::run(c, &mut con)?;
    strings(c, &mut con)?;
    bitmaps(c, &mut con)?;
    keys(c, &mut con)?;
    types::run(c, &mut con)?;
    transactions(c, &mut con)?;
    pipelines(c, &mut con)?;
    connections(c, &mut con)?;
    server(c, &mut con)
}

fn strings(c: &mut Checks, con: &mut Connection) -> Outcome {
    c.eq(con.set("s", "v"), ())?;
    c.eq(con.get("s"), "v".to_owned())?;
    c.eq(con.get("nothing"), None::<String>)?;
    let options = SetOptions::default()
        .conditional_set(ExistenceCheck::XX)
        .get(true)
        .with_expiration(SetExpiry::EX(100));
    c.eq(con.set_options("s", "w", options), Some("v".to_owned()))?;
    c.within(con.ttl("s"), 99, 100)?;
    c.eq(con.get_ex("s", Expiry::PERSIST), "w".to_owned())?;
    c.eq(con.ttl("s"), -1_i64)?;
    c.eq(con.append("s", "xyz"), 4_usize)?;
    c.eq(con.getrange("s", 1, -1), "xyz".to_owned())?;
    c.eq(con.setrange("s", 6, "!"), 7_usize)?;
    c.eq(con.get_del("s"), b"wxyz\0\0!".to_vec())?;
    c.eq(con.mset(&[("m1", "a"), ("m2", "b")]), ())?;
    c.eq(con.mget(&["m1", "none", "m2"]), vec![Some("a".to_owned()), None, Some("b".to_owned())])?;
    c.eq(con.mset_nx(&[("m2", "x"), ("m3", "y")]), false)?;
    c.eq(con.set_nx("m3", "y"), true)?;
    c.eq(con.incr("n", 41), 41_i64)?;
    c.eq(con.incr("n", 1), 42_i64)?;
    c.eq(con.decr("n", 2), 40_i64)?;
    c.eq(con.incr("n", 0.5_f64), 40.5_f64)?;
    c.error("value is not an integer or out of range", con.incr::<_, _, i64>("n", 1))?;
    let every: Vec<u8> = (0..=255).collect();
    c.eq(con.set(&every, &every), ())?;
    c.eq(con.get(&every), every)?;
    let big = vec![b'x'; 4 << 20];
    c.eq(con.set("big", &big), ())?;
    c.eq(con.get("big"), big)?;
    c.eq(con.strlen("big"), 4_usize << 20)
}

fn bitmaps(c: &mut Checks, con: &mut Connection) -> Outcome {
    c.eq(con.setbit("b", 10, true), false)?;
    c.eq(con.getbit("b", 10), true)?;
    c.eq(con.bitcount("b"), 1_usize)?;
    c.eq(con.bitcount_range("b", 0, 0), 0_usize)?;
    c.eq(con.set("b2", vec![0xFF_u8, 0x0F]), ())?;
    c.eq(con.bit_and("and", &["b", "b2"]), 2_usize)?;
    c.eq(con.bitcount("and"), 0_usize)?;
    c.eq(con.bit_or("or", &["b", "b2"]), 2_usize)?;
    c.eq(con.get("or"), vec![0xFF_u8, 0x2F])?;
    c.eq(con.bit_xor("xor", &["b", "b2"]), 2_usize)?;
    c.eq(con.bit_not("not", "b2"), 2_usize)?;
    c.eq(con.get("not"), vec![0x00_u8, 0xF0])
}

fn keys(c: &mut Checks, con: &mut Connection) -> Outcome {
    c.eq(redis::cmd("FLUSHALL").query(con), ())?;
    let names: HashSet<String> = (0..500).map(|i| format!("scan:{i}")).collect();
    for name in &names {
        c.eq(con.set(name, "v"), ())?;
    }
    let scanned: redis::RedisResult<HashSet<String>> =
        con.scan_match::<_, String>("scan:*").and_then(|found| found.collect());
    c.eq(scanned, names)?;
    c.eq(con.keys("scan:49?").map(|k: Vec<String>| k.len()), 10)?;
    c.eq(con.exists("scan:0"), true)?;
    c.eq(con.pexpire("scan:0", 20), true)?;
    sleep(Duration::from_millis(40));
    c.eq(con.exists("scan:0"), false)?;
    c.eq(con.expire("scan:1", 100), true)?;
    c.within(con.pttl("scan:1"), 99_000, 100_000)?;
    c.eq(con.persist("scan:1"), true)?;
    c.eq(con.expire_at("scan:1", 33_177_117_420), true)?;
    c.eq(con.expire_time("scan:1"), 33_177_117_420_i64)?;
    c.eq(con.rename("scan:1", "renamed"), ())?;
    c.eq(con.rename_nx("renamed", "scan:2"), false)?;
    c.eq(con.object_encoding("renamed"), Some("embstr".to_owned()))?;
    c.eq(con.object_refcount("nothing"), None::<usize>)?;
    c.eq(con.unlink(&["renamed", "nothing"]), 1_usize)?;
    c.eq(con.del("scan:2"), 1_usize)?;
    c.error("no such key", con.rename::<_, _, ()>("scan:2", "x"))
}

fn transactions(c: &mut Checks, con: &mut Connection) -> Outcome {
    let mut pipe = redis::pipe();
    pipe.atomic().set("t", 1).ignore().incr("t", 1).get("t");
    c.eq(pipe.query(con), (2_i64, "2".to_owned()))?;
    let mut rounds = 0;
    let mut other = c.connect()?;
    let added = redis::transaction(con, &["t"], |con, pipe| {
        rounds += 1;
        let value: i64 = con.get("t")?;
        if rounds == 1 {
            // Somebody else is faster: the first EXEC must be refused.
            other.set::<_, _, ()>("t", 10)?;
        }
        pipe.set("t", value + 1).ignore().get("t").query(con)
    });
    c.eq(added, (11_i64,))?;
    c.eq(Ok(rounds), 2)?;
    c.eq(redis::cmd("WATCH").arg("t").query(con), ())?;
    c.eq(redis::cmd("UNWATCH").query(con), ())?;
    c.eq(redis::cmd("MULTI").query(con), ())?;
    c.eq(redis::cmd("SET").arg("t").arg(1).query(con), "QUEUED".to_owned())?;
    c.eq(redis::cmd("DISCARD").query(con), ())?;
    c.eq(con.get("t"), 11_i64)
}

fn pipelines(c: &mut Checks, con: &mut Connection) -> Outcome {
    let mut pipe = redis::pipe();
    for _ in 0..1_000 {
        pipe.incr("p", 1);
    }
    c.eq(pipe.query(con), (1..=1_000).collect::<Vec<i64>>())
}

fn connections(c: &mut Checks, con: &mut Connection) -> Outcome {
    let mut named = c.connect()?;
    c.eq(redis::cmd("CLIENT").arg("SETNAME").arg("worker").query(&mut named), ())?;
    let name = redis::cmd("CLIENT").arg("GETNAME").query(&mut named);
    c.eq(name, "worker".to_owned())?;
    let id: redis::RedisResult<i64> = redis::cmd("CLIENT").arg("ID").query(&mut named);
    let id = id.map_err(|e| e.to_string())?;
    c.eq(redis::cmd("CLIENT").arg("KILL").arg("ID").arg(id).query(con), 1)?;
    let gone: redis::RedisResult<String> = redis::cmd("PING").query(&mut named);
    c.holds(gone.is_err(), "a killed client is disconnected")?;
    c.eq(redis::cmd("CONFIG").arg("SET").arg("requirepass").arg("secret").query(con), ())?;
    let refused = c.connect_with(":wrong@").is_err();
    let trusted = c.connect_with(":secret@").map(|_| ());
    c.eq(redis::cmd("CONFIG").arg("SET").arg("requirepass").arg("").query(con), ())?;
    c.holds(refused, "a wrong password is refused")?;
    c.holds(trusted.is_ok(), "the right password is accepted")?;
    let mut third = c.connect_with("")?;
    c.eq(redis::cmd("SELECT").arg(3).query(&mut third), ())?;
    c.eq(third.set("in-three", 1), ())?;
    c.eq(con.exists("in-three"), false)
}

fn server(c: &mut Checks, con: &mut Connection) -> Outcome {
    let info: redis::InfoDict =
        redis::cmd("INFO").query(con).map_err(|e: redis::RedisError| e.to_string())?;
    c.holds(info.get::<String>("redis_version").is_some(), "INFO names the version")?;
    c.eq(Ok(info.get::<String>("role")), Some("master".to_owned()))?;
    let (seconds, micros): (u64, u64) =
        redis::cmd("TIME").query(con).map_err(|e: redis::RedisError| e.to_string())?;
    c.holds(seconds > 1_700_000_000 && micros < 1_000_000, "TIME is the time")?;
    c.within(redis::cmd("COMMAND").arg("COUNT").query(con), 80, 1_000)?;
    c.eq(redis::cmd("FLUSHALL").arg("ASYNC").query(con), ())?;
    c.eq(redis::cmd("DBSIZE").query(con), 0_i64)
}
