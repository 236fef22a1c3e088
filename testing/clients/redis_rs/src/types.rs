//! The collections through typed calls, with many elements, and waiting on a second connection.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use redis::geo::{Coord, Unit};
use redis::streams::{
    StreamAutoClaimOptions, StreamAutoClaimReply, StreamMaxlen, StreamRangeReply,
    StreamReadOptions, StreamReadReply,
};
use redis::{Commands, Connection, Direction, LposOptions, RedisResult};

use crate::checks::{Checks, Outcome};

/// Every family in turn.
pub fn run(c: &mut Checks, con: &mut Connection) -> Outcome {
    c.eq(redis::cmd("FLUSHALL").query(con), ())?;
    lists(c, con)?;
    sets(c, con)?;
    hashes(c, con)?;
    sorted_sets(c, con)?;
    streams(c, con)?;
    places_and_estimates(c, con)?;
    waiting(c, con)?;
    c.eq(redis::cmd("FLUSHALL").query(con), ())
}

fn names(range: std::ops::Range<usize>, prefix: &str) -> Vec<String> {
    range.map(|i| format!("{prefix}{i}")).collect()
}

fn lists(c: &mut Checks, con: &mut Connection) -> Outcome {
    let elements = names(0..5_000, "e");
    c.eq(con.rpush("l", &elements), 5_000_usize)?;
    c.eq(con.lrange("l", 0, -1), elements)?;
    c.eq(con.lpos("l", "e7", LposOptions::default()), Some(7_usize))?;
    c.eq(con.lpos("l", "e7", LposOptions::default().count(0)), vec![7_usize])?;
    c.eq(con.lindex("l", -1), "e4999".to_owned())?;
    c.eq(con.linsert_before("l", "e1", "new"), 5_001_isize)?;
    c.eq(con.ltrim("l", 0, 3), ())?;
    c.eq(
        con.lrange("l", 0, -1),
        vec!["e0", "new", "e1", "e2"].into_iter().map(str::to_owned).collect::<Vec<_>>(),
    )?;
    c.eq(con.lmove("l", "m", Direction::Right, Direction::Left), "e2".to_owned())?;
    c.eq(
        con.lmpop(2, &["none", "l"], Direction::Left, 2),
        Some(("l".to_owned(), vec!["e0".to_owned(), "new".to_owned()])),
    )?;
    c.eq(con.lpop("l", None), Some("e1".to_owned()))?;
    c.eq(con.lpop("l", None), None::<String>)?;
    let every: Vec<u8> = (0..=255).collect();
    c.eq(con.rpush("bytes", &every), 1_usize)?;
    c.eq(con.rpop("bytes", None), Some(every))
}

fn sets(c: &mut Checks, con: &mut Connection) -> Outcome {
    let members: BTreeSet<String> = names(0..3_000, "m").into_iter().collect();
    c.eq(con.sadd("s", &members), 3_000_usize)?;
    c.eq(con.smembers("s"), members.clone())?;
    let scanned: RedisResult<BTreeSet<String>> =
        con.sscan::<_, String>("s").and_then(|found| found.collect());
    c.eq(scanned, members)?;
    c.eq(con.smismember("s", &["m1", "x"]), vec![true, false])?;
    c.eq(con.sadd("t", &["m1", "m2", "x"]), 3_usize)?;
    c.eq(con.sinter(&["s", "t"]), BTreeSet::from(["m1".to_owned(), "m2".to_owned()]))?;
    c.eq(con.sdiff(&["t", "s"]), BTreeSet::from(["x".to_owned()]))?;
    c.eq(con.sunionstore("u", &["s", "t"]), 3_001_usize)?;
    c.eq(con.srandmember_multiple("u", -5_000).map(|m: Vec<String>| m.len()), 5_000)?;
    let popped: RedisResult<BTreeSet<String>> = redis::cmd("SPOP").arg("u").arg(3_001).query(con);
    c.eq(popped.map(|popped| popped.len()), 3_001)?;
    c.eq(con.exists("u"), false)
}

fn hashes(c: &mut Checks, con: &mut Connection) -> Outcome {
    let fields: Vec<(String, usize)> = names(0..1_000, "f").into_iter().zip(0..).collect();
    let all: BTreeMap<String, usize> = fields.iter().cloned().collect();
    c.eq(con.hset_multiple("h", &fields), ())?;
    c.eq(con.hgetall("h"), all.clone())?;
    c.eq(con.hgetall("none"), HashMap::<String, String>::new())?;
    let scanned: RedisResult<BTreeMap<String, usize>> =
        con.hscan::<_, (String, usize)>("h").and_then(|found| found.collect());
    c.eq(scanned, all)?;
    c.eq(con.hmget("h", &["f1", "none"]), (Some(1), None::<i64>))?;
    c.eq(con.hincr("h", "f1", 9), 10_i64)?;
    c.eq(con.hincr("h", "f1", 0.5_f64), 10.5_f64)?;
    c.eq(con.hset("h", "f1", "text"), 0_usize)?;
    c.error("hash value is not an integer", con.hincr::<_, _, _, i64>("h", "f1", 1))?;
    c.eq(con.hdel("h", names(1..1_000, "f")), 999_usize)?;
    c.eq(con.hkeys("h"), vec!["f0".to_owned()])?;
    let random = redis::cmd("HRANDFIELD").arg("h").arg(1).arg("WITHVALUES").query(con);
    c.eq(random, vec![("f0".to_owned(), 0)])
}

fn sorted_sets(c: &mut Checks, con: &mut Connection) -> Outcome {
    let rows: Vec<(f64, String)> =
        names(0..3_000, "m").into_iter().enumerate().map(|(i, m)| (i as f64, m)).collect();
    let row = |i: usize| (format!("m{i}"), i as f64);
    c.eq(con.zadd_multiple("z", &rows), 3_000_usize)?;
    c.eq(con.zrange_withscores("z", 10, 11), vec![row(10), row(11)])?;
    c.eq(con.zrevrange_withscores("z", 0, 0), vec![row(2_999)])?;
    c.eq(con.zrangebyscore_limit("z", "(10", "+inf", 0, 2), names(11..13, "m"))?;
    c.eq(con.zrank("z", "m1234"), Some(1_234_usize))?;
    c.eq(con.zscore("z", "m7"), Some(7.0))?;
    c.eq(con.zscore("z", "none"), None::<f64>)?;
    c.eq(con.zscore_multiple("z", &["m1", "none"]), (Some(1.0), None::<f64>))?;
    c.eq(con.zincr("z", "m0", 0.5_f64), 0.5_f64)?;
    c.eq(con.zcount("z", 0, 100), 101_usize)?;
    let scanned: RedisResult<BTreeMap<String, f64>> =
        con.zscan::<_, (String, f64)>("z").and_then(|found| found.collect());
    c.eq(scanned.map(|scanned| scanned.len()), 3_000)?;
    c.eq(con.zadd("y", "m1", 10), 1_usize)?;
    c.eq(con.zinterstore("i", &["z", "y"]), 1_usize)?;
    c.eq(con.zrange_withscores("i", 0, -1), vec![("m1".to_owned(), 11.0)])?;
    c.eq(con.zpopmin("z", 1), vec![("m0".to_owned(), 0.5)])?;
    c.eq(con.zpopmax("z", 2), vec![row(2_999), row(2_998)])?;
    c.eq(con.zmpop_min(&["none", "z"], 1), Some(("z".to_owned(), vec![row(1)])))?;
    c.eq(con.zrembyscore("z", "-inf", "+inf"), 2_996_usize)
}

fn streams(c: &mut Checks, con: &mut Connection) -> Outcome {
    for i in 1..=500 {
        c.eq(con.xadd("st", format!("{i}-0"), &[("i", i)]), Some(format!("{i}-0")))?;
    }
    let ids = |rows: StreamRangeReply| rows.ids.into_iter().map(|row| row.id).collect::<Vec<_>>();
    c.eq(con.xrange("st", "2", "3").map(ids), vec!["2-0".to_owned(), "3-0".to_owned()])?;
    c.eq(con.xrevrange_count("st", "+", "-", 1).map(ids), vec!["500-0".to_owned()])?;
    c.eq(con.xgroup_create("st", "g", "0"), ())?;
    let options = StreamReadOptions::default().group("g", "me").count(100);
    let mut seen = Vec::new();
    loop {
        let read: RedisResult<Option<StreamReadReply>> =
            con.xread_options(&["st"], &[">"], &options);
        let Some(read) = read.map_err(|e| e.to_string())? else { break };
        let rows = &read.keys[0].ids;
        let entries: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        seen.extend(rows.iter().filter_map(|row| row.get::<usize>("i")));
        c.eq(con.xack("st", "g", &entries[1..]), entries.len() - 1)?;
    }
    c.eq(Ok(seen), (1..=500).collect::<Vec<_>>())?;
    let claim = StreamAutoClaimOptions::default().count(2).with_justid();
    let claimed = con.xautoclaim_options("st", "g", "other", 0, "0", claim);
    let claimed: StreamAutoClaimReply = claimed.map_err(|e| e.to_string())?;
    let entries: Vec<String> = claimed.claimed.into_iter().map(|row| row.id).collect();
    c.eq(
        Ok((entries, claimed.next_stream_id)),
        (vec!["1-0".to_owned(), "101-0".to_owned()], "201-0".to_owned()),
    )?;
    c.eq(con.xtrim("st", StreamMaxlen::Equals(10)), 490_usize)?;
    c.eq(con.xlen("st"), 10_usize)
}

fn places_and_estimates(c: &mut Checks, con: &mut Connection) -> Outcome {
    let places = [("13.361389", "38.115556", "Palermo"), ("15.087269", "37.502669", "Catania")];
    c.eq(con.geo_add("g", &places), 2_usize)?;
    c.eq(con.geo_dist("g", "Palermo", "Catania", Unit::Kilometers), Some(166.2742_f64))?;
    let palermo = Coord::lon_lat(13.361_389_338_970_184, 38.115_556_395_496_3);
    c.eq(con.geo_pos("g", &["Palermo", "none"]), vec![Some(palermo), None])?;
    c.eq(con.pfadd("p", names(0..1_000, "")), true)?;
    c.eq(con.pfcount("p"), 1_001_usize)?;
    c.eq(con.pfmerge("q", &["p"]), ())
}

/// One connection waits while the other provides, for each command that can wait.
fn waiting(c: &mut Checks, con: &mut Connection) -> Outcome {
    let popped = |key: &str, element: &str| Some([key.to_owned(), element.to_owned()]);
    let got = served(c, con, |other| other.blpop(&["a", "b"], 5.0), "RPUSH b x")?;
    c.eq(got, popped("b", "x"))?;
    let got = served(c, con, |other| other.brpop("a", 5.0), "RPUSH a x y")?;
    c.eq(got, popped("a", "y"))?;
    c.eq(redis::cmd("DEL").arg("a").query(con), 1)?;
    let moved =
        |other: &mut Connection| other.blmove("a", "b", Direction::Left, Direction::Right, 5.0);
    let got = served(c, con, moved, "RPUSH a x")?;
    c.eq(got, Some("x".to_owned()))?;
    let got = served(c, con, |other| other.bzpopmin("z2", 5.0), "ZADD z2 2 m 1 n")?;
    c.eq(got, Some(("z2".to_owned(), "n".to_owned(), 1.0)))?;
    let read = |other: &mut Connection| -> RedisResult<StreamReadReply> {
        let options = StreamReadOptions::default().block(5_000);
        other.xread_options(&["ws"], &["$"], &options)
    };
    let got = served(c, con, read, "XADD ws 1-1 f v")?;
    c.eq(got.map(|read| read.keys[0].ids[0].id.clone()), "1-1".to_owned())?;
    c.eq(con.blpop("never", 0.02), None::<[String; 2]>)
}

/// Runs `wait` on a connection of its own and the command line `provide` once that one waits.
fn served<T: Send>(
    c: &Checks,
    con: &mut Connection,
    wait: impl FnOnce(&mut Connection) -> RedisResult<T> + Send,
    provide: &str,
) -> Result<RedisResult<T>, String> {
    let mut other = c.connect()?;
    thread::scope(|scope| {
        let waiter = scope.spawn(move || wait(&mut other));
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let info: String = redis::cmd("INFO").arg("clients").query(con).map_err(text)?;
            if info.contains("blocked_clients:1\r\n") {
                break;
            }
            if waiter.is_finished() || Instant::now() > deadline {
                return Err(format!("did not wait for {provide}"));
            }
            sleep(Duration::from_millis(2));
        }
        let mut words = provide.split(' ');
        let mut command = redis::cmd(words.next().unwrap_or_default());
        words.for_each(|word| {
            command.arg(word);
        });
        command.query::<redis::Value>(con).map_err(text)?;
        waiter.join().map_err(|_| "the waiting thread panicked".to_owned())
    })
}

fn text(error: redis::RedisError) -> String {
    error.to_string()
}
