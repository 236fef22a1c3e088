//! Commands as programs send them, of every family: over many small values, and over a few large.
//!
//! The other tests have budgets. This one looks for what fell behind: a command that costs more
//! than at the better peer is worth a profile.

use serde_json::{Value, json};

use super::cpu::{Test, table};
use super::{Plan, median};
use crate::Result;
use crate::server::{Server, pump};

/// Keys of each kind of small value, and elements of each large one.
const KEYS: u64 = 100_000;
/// Elements of a small collection.
const SMALL: u64 = 10;

/// Command lines; `*N` repeats the word before it.
const LINES: &[&str] = &[
    "PING",
    "ECHO hello",
    "GET key:__rand_int__",
    "SET key:__rand_int__ value",
    "SET key:__rand_int__ value EX 1000",
    "SETNX key:__rand_int__ v",
    "GETSET key:__rand_int__ v",
    "MGET key:__rand_int__ *5",
    "MSET key:__rand_int__ v key:__rand_int__ v key:__rand_int__ v",
    "APPEND log:__rand_int__ x",
    "STRLEN key:__rand_int__",
    "GETRANGE key:__rand_int__ 0 5",
    "INCRBY count:__rand_int__ 3",
    "INCRBYFLOAT float:__rand_int__ 1.5",
    "EXISTS key:__rand_int__",
    "TYPE key:__rand_int__",
    "TTL key:__rand_int__",
    "EXPIRE key:__rand_int__ 1000",
    "PERSIST key:__rand_int__",
    "DEL nokey:__rand_int__",
    "OBJECT ENCODING key:__rand_int__",
    "COPY key:__rand_int__ copy:__rand_int__ REPLACE",
    "DUMP user:__rand_int__",
    "SCAN 0 COUNT 10",
    "HGET user:__rand_int__ age",
    "HGETALL user:__rand_int__",
    "HMGET user:__rand_int__ name age city",
    "HSET user:__rand_int__ age 5",
    "HINCRBY user:__rand_int__ age 1",
    "HEXISTS user:__rand_int__ x",
    "HLEN user:__rand_int__",
    "HKEYS user:__rand_int__",
    "HDEL user:__rand_int__ x",
    "HSCAN user:__rand_int__ 0",
    "HGET hash field:__rand_int__",
    "HMGET hash field:__rand_int__ *5",
    "HSET hash field:__rand_int__ v",
    "HINCRBY counts field:__rand_int__ 1",
    "HSCAN hash 0 COUNT 100",
    "SADD set member:__rand_int__",
    "SISMEMBER set member:__rand_int__",
    "SMISMEMBER set member:__rand_int__ *2",
    "SRANDMEMBER set",
    "SRANDMEMBER set 10",
    "SCARD set",
    "SMEMBERS set:1",
    "SINTER set:1 set:2",
    "SUNION set:1 set:2",
    "SSCAN set 0 COUNT 100",
    "LPUSH queue v",
    "RPUSH queue v",
    "LPOP queue",
    "RPOP queue",
    "LLEN queue",
    "LRANGE list:1 0 -1",
    "LRANGE list 0 99",
    "LINDEX list 50000",
    "LSET list:1 3 x",
    "LPOS list:1 element:7",
    "LREM list:1 1 nothing",
    "LTRIM list:2 0 9",
    "LMOVE list:3 list:4 LEFT RIGHT",
    "RPOPLPUSH list:5 list:5",
    "ZADD ranks __rand_int__ member:__rand_int__",
    "ZADD zset:1 3 member:3",
    "ZSCORE zset:1 member:7",
    "ZINCRBY zset 1 member:__rand_int__",
    "ZRANK zset member:__rand_int__",
    "ZCARD zset",
    "ZCOUNT zset 5000 6000",
    "ZRANGE zset:1 0 -1 WITHSCORES",
    "ZREVRANGE zset 0 9 WITHSCORES",
    "ZRANGEBYSCORE zset 5000 +inf LIMIT 0 10",
    "ZRANGEBYLEX zset:1 - + LIMIT 0 10",
    "ZMSCORE zset member:__rand_int__ *2",
    "ZRANDMEMBER zset 5",
    "ZUNION 2 zset:1 zset:2",
    "ZREM ranks member:__rand_int__",
    "ZPOPMIN ranks",
    "XADD stream:1 * f v",
    "XADD kept MAXLEN ~ 1000 * f v",
    "XLEN stream",
    "XRANGE stream 50000 + COUNT 10",
    "XREVRANGE stream + - COUNT 10",
    "XREAD COUNT 10 STREAMS stream 50000",
    "GETBIT bits 12345",
    "SETBIT bits 12345 1",
    "BITCOUNT bits 0 100",
    "BITFIELD bits INCRBY u8 100 1",
    "PFADD hll __rand_int__",
    "PFCOUNT hll",
    "GEOADD geo 13.3 38.1 member:__rand_int__",
    "GEOPOS geo place:1",
    "GEODIST geo place:1 place:777",
    "GEOSEARCH geo FROMMEMBER place:777 BYRADIUS 50 km",
    "SORT list:1 ALPHA",
    "PUBLISH channel hello",
    "EVAL return(1) 0",
    "SELECT 0",
    "TIME",
];

/// What the lines work on.
fn fill() -> impl Iterator<Item = String> {
    let named = |i: u64| {
        [
            format!("SET key:{i:012} value:{i}"),
            format!("SET count:{i:012} {i}"),
            format!(
                "HSET user:{i:012} name Ann{i} email a{i}@example.org age {} city Oslo",
                i % 90
            ),
        ]
    };
    let element = |i: u64| {
        [
            format!("HSET hash field:{i:012} value:{i}"),
            format!("SADD set member:{i:012}"),
            format!("RPUSH list element:{i}"),
            format!("ZADD zset {i} member:{i:012}"),
            format!("XADD stream {}-1 f v{i} g w", i + 1),
            format!("SETBIT bits {} 1", i * 7 % 1_000_000),
            format!("PFADD hll {i}"),
            format!("GEOADD geo {}.{:02} {} place:{i}", i / 100 % 180, i % 100, i / 18_000),
        ]
    };
    let small = |i: u64| {
        let (of, i) = (i / SMALL, i % SMALL);
        [
            format!("RPUSH list:{of} element:{i}"),
            format!("SADD set:{of} member:{i}"),
            format!("ZADD zset:{of} {i} member:{i}"),
        ]
    };
    let large = (0..KEYS).flat_map(element);
    (0..KEYS).flat_map(named).chain(large).chain((0..SMALL * SMALL).flat_map(small))
}

/// Measures each line, and says how many cost less than at the better peer.
///
/// # Errors
/// A server or a load that fails.
pub fn measure(plan: &Plan) -> Result<Value> {
    let servers: Vec<Server> = plan.servers.iter().map(|s| s.start()).collect::<Result<_>>()?;
    for server in &servers {
        let words = |line: String| line.split(' ').map(str::to_owned).collect();
        pump(&mut server.connect()?, fill().map(words))?;
    }
    let tests: Vec<Test> = LINES.iter().map(|line| Test::new(line, line)).collect();
    let plan = Plan { keys: KEYS, depths: vec![16], ..plan.clone() };
    let figures = table(&plan, &servers, &tests.iter().collect::<Vec<_>>())?;
    let ratios: Vec<f64> = figures.values().filter_map(|figure| figure["ratio"].as_f64()).collect();
    let below = |limit: f64| ratios.iter().filter(|ratio| **ratio < limit).count();
    let (count, half, one) = (ratios.len(), below(0.5), below(1.0));
    println!(
        "{count} commands: median ratio {:.2}, {half} below 0.5, {one} below 1",
        median(ratios.clone())
    );
    Ok(json!(figures))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_was_written() {
        let written: Vec<String> = fill().collect();
        let has = |start: &str| written.iter().any(|line| line.contains(start));
        for name in ["key:000000000001 ", " user:000000099999 ", " list:5 ", " zset:2 ", " geo "] {
            assert!(has(name), "{name}");
        }
    }
}
