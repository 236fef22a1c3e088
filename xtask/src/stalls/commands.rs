//! The longest that single commands on one huge value keep their locks.
//!
//! Each command gets a value of its own, filled for it. The figure is the server's own: the longest
//! command since its statistics were reset, from before its locks are taken until it is over. A
//! scheduler that takes the processor away in between lengthens it, so that what seems slow is
//! tried anew, and the shortest of the attempts counts.

use serde_json::{Map, Value, json};

use super::Plan;
use super::scenarios::inside;
use crate::Result;
use crate::server::{Server, ask, pump};
use crate::shell::words;

/// What no command should exceed, in microseconds.
const LIMIT_US: u64 = 1_000;
/// How often a command is tried that seems to exceed it.
const ATTEMPTS: usize = 3;
/// Elements that one command adds while a value is filled.
const AT_ONCE: u64 = 100;

/// A value: its name, and the command that adds the elements from one number on.
struct Huge {
    name: &'static str,
    prepare: &'static str,
    add: fn(u64) -> String,
}

fn elements(from: u64, element: impl Fn(u64) -> String) -> String {
    (from..from + AT_ONCE).map(|i| element(i) + " ").collect::<String>().trim_end().to_owned()
}

/// All values that commands are tried on. `pending` is a stream of which one consumer has all.
const VALUES: &[Huge] = &[
    Huge {
        name: "string",
        prepare: "SETRANGE v 0 x",
        add: |i| format!("SETRANGE v {} {i:0100}", i * 20),
    },
    Huge {
        name: "hash",
        prepare: "HSET v f v",
        add: |i| format!("HSET v {}", elements(i, |i| format!("field:{i:07} value:{i:07}"))),
    },
    Huge {
        name: "hash, fields with deadlines",
        prepare: "HSET v f v",
        add: |i| {
            let fields = elements(i, |i| format!("field:{i:07} value:{i:07}"));
            format!("HSETEX v PX 600000 FIELDS {AT_ONCE} {fields}")
        },
    },
    Huge {
        name: "set",
        prepare: "SADD v m",
        add: |i| format!("SADD v {}", elements(i, |i| format!("member:{i:07}"))),
    },
    Huge {
        name: "zset",
        prepare: "ZADD v 0 m",
        add: |i| format!("ZADD v {}", elements(i, |i| format!("{i} member:{i:07}"))),
    },
    Huge {
        name: "list",
        prepare: "RPUSH v e",
        add: |i| format!("RPUSH v {}", elements(i, |i| format!("element:{i:07}"))),
    },
    Huge {
        name: "stream",
        prepare: "XADD v 1-1 f v",
        add: |i| format!("XADD v {}-1 sensor {i}", i + 2),
    },
    Huge {
        name: "pending",
        prepare: "XGROUP CREATE v g 0 MKSTREAM",
        add: |i| format!("XADD v {}-1 sensor {i}", i + 2),
    },
    Huge {
        name: "array",
        prepare: "ARSET v 0 e",
        add: |i| format!("ARSET v {i} {}", elements(i, |i| format!("element:{i:07}"))),
    },
    Huge {
        name: "array, far between",
        prepare: "ARSET v 0 e",
        add: |i| format!("ARMSET v {}", elements(i, |i| format!("{} element:{i:07}", i * 10_000))),
    },
];

/// Commands by the value they are tried on. `{n}` is the number of its elements, `{half}` half of
/// them and `{most}` nine tenths; what stands before a `;` prepares.
const COMMANDS: &[(&str, &[&str])] = &[
    (
        "string",
        &[
            "DEL v",
            "GETDEL v",
            "SET v x",
            "GETEX v PX 100000",
            "SETRANGE v 5 x",
            "APPEND v x",
            "SETBIT v 7 1",
            "COPY v w",
            "RENAME v w",
            "COPY v w ; SETRANGE w 5 x",
            "SET w x ; RENAME w v",
        ],
    ),
    (
        "hash",
        &[
            "DEL v",
            "UNLINK v",
            "SET v x",
            "EXPIRE v -1",
            "RENAME v w",
            "SET w x ; RENAME w v",
            "COPY v w",
            "SET w x ; COPY w v REPLACE",
            "COPY v w ; HSET v f w",
            "HSET v new value",
            "HDEL v field:0000007",
            "HGETDEL v FIELDS 1 field:0000007",
            "HEXPIRE v 100 FIELDS 1 field:0000007",
            "HRANDFIELD v -1000",
            "MOVE v 1",
            "FLUSHDB SYNC",
            "FLUSHALL ASYNC",
        ],
    ),
    (
        "hash, fields with deadlines",
        &["DEL v", "HSET v f v", "HPERSIST v FIELDS 1 field:0000007", "HLEN v", "PERSIST v"],
    ),
    (
        "set",
        &[
            "DEL v",
            "SADD v new",
            "SREM v member:0000007",
            "SPOP v",
            "SPOP v 1000",
            "SPOP v {half}",
            "SPOP v {most}",
            "SPOP v {n}",
            "SRANDMEMBER v -1000",
            "SMOVE v w member:0000007",
            "SADD w x ; SINTERSTORE v w",
            "SADD w x ; SINTERSTORE v v w",
            "SADD w x ; SUNIONSTORE v w",
            "SADD w member:0000007 ; SDIFFSTORE v w v",
            "SADD w x ; SORT w ALPHA STORE v",
            "SADD w x ; SINTERCARD 2 v w",
        ],
    ),
    (
        "zset",
        &[
            "DEL v",
            "ZADD v 7 new",
            "ZREM v member:0000007",
            "ZPOPMIN v",
            "ZPOPMIN v {half}",
            "ZREMRANGEBYRANK v 0 {half}",
            "ZREMRANGEBYRANK v 1 -2",
            "ZREMRANGEBYRANK v 0 -1",
            "ZREMRANGEBYSCORE v 5 {half}",
            "ZREMRANGEBYLEX v [member:0000007 +",
            "ZADD w 1 x ; ZUNIONSTORE v 1 w",
            "ZADD w 1 x ; ZRANGESTORE v w 0 -1",
            "ZADD w 1 x ; ZRANGESTORE v w 5 6",
            "ZADD w 1 x ; ZINTERSTORE v 2 v w",
        ],
    ),
    (
        "list",
        &[
            "DEL v",
            "RPUSH v x",
            "LPOP v",
            "LPOP v {half}",
            "LTRIM v 0 {half}",
            "LTRIM v {half} -1",
            "LTRIM v 5 5",
            "LTRIM v 1 0",
            "LSET v {half} x",
            "LINDEX v {half}",
            "LINSERT v BEFORE element:0000007 x",
            "LREM v 1 element:0000007",
            "LREM v 0 absent",
            "LMOVE v v LEFT RIGHT",
        ],
    ),
    (
        "stream",
        &[
            "DEL v",
            "XADD v * f v",
            "XADD v MAXLEN 1 * f v",
            "XADD v MAXLEN ~ 1 * f v",
            "XTRIM v MAXLEN {half}",
            "XTRIM v MAXLEN 0",
            "XTRIM v MINID {half}",
            "XDEL v {half}-1",
            "XSETID v {n}0-1",
            "XGROUP CREATE v g 0",
            "XINFO STREAM v",
        ],
    ),
    (
        "pending",
        &[
            "DEL v",
            "XGROUP DELCONSUMER v g c",
            "XGROUP DESTROY v g",
            "XGROUP SETID v g 0",
            "XACK v g {half}-1",
            "XADD v * f v",
            "XDEL v {half}-1",
            "XDELEX v DELREF IDS 1 {half}-1",
            "XTRIM v MAXLEN {half}",
            "XTRIM v MAXLEN {half} DELREF",
            "XTRIM v MAXLEN {half} ACKED",
            "XAUTOCLAIM v g d 0 0 COUNT 100",
            "XPENDING v g",
            "XINFO STREAM v FULL",
            "COPY v w",
            "COPY v w ; XACK v g {half}-1",
        ],
    ),
    (
        "array",
        &[
            "DEL v",
            "ARSET v 7 x",
            "ARDEL v 7",
            "ARDELRANGE v 0 {n}",
            "ARDELRANGE v 7 {half}",
            "ARDELRANGE v {half} {n}",
            "ARCOUNT v",
            "ARLEN v",
        ],
    ),
    (
        "array, far between",
        &["DEL v", "ARDELRANGE v 7 {half}0000", "ARDELRANGE v {half}0000 {n}0000"],
    ),
];

/// Runs each command on a huge value and prints how long it kept its locks.
///
/// # Errors
/// A server that fails.
pub fn measure(plan: &Plan) -> Result<Value> {
    let server = plan.launch.start()?;
    let count = plan.keys / 10 / AT_ONCE * AT_ONCE;
    println!("longest a command on one value of {count} elements keeps its locks, in us");
    let mut figures = Map::new();
    for (name, commands) in COMMANDS {
        let value = VALUES.iter().find(|value| value.name == *name).expect("a row of the table");
        for command in *commands {
            let us = shortest(&server, value, command, count)?;
            let remark = if us > LIMIT_US { "  above the limit" } else { "" };
            println!("  {name:<30}{command:<44}{us:>9}{remark}");
            figures.insert(format!("{name}: {command}"), json!(us));
        }
    }
    Ok(Value::Object(figures))
}

fn shortest(server: &Server, value: &Huge, command: &str, count: u64) -> Result<u64> {
    let mut shortest = u64::MAX;
    for _ in 0..ATTEMPTS {
        shortest = shortest.min(attempt(server, value, command, count)?);
        if shortest <= LIMIT_US {
            break;
        }
    }
    Ok(shortest)
}

/// Fills the value, runs the command, and asks how long it took.
fn attempt(server: &Server, value: &Huge, command: &str, count: u64) -> Result<u64> {
    let mut client = server.connect()?;
    ask(&mut client, &["FLUSHALL", "SYNC"])?;
    let run = |client: &mut client::Client, line: &str| {
        let numbers = [("{n}", count), ("{half}", count / 2), ("{most}", count / 10 * 9)];
        let line = numbers
            .iter()
            .fold(line.to_owned(), |line, (name, number)| line.replace(name, &number.to_string()));
        let line = words(&line);
        ask(client, &line.iter().map(String::as_str).collect::<Vec<_>>())
    };
    run(&mut client, value.prepare)?;
    let step = if value.prepare.starts_with('X') { 1 } else { AT_ONCE };
    let adds = (0..count).step_by(step as usize);
    pump(&mut client, adds.map(|i| words(&(value.add)(i))))?;
    if value.name == "pending" {
        let read = words(&format!("XREADGROUP GROUP g c COUNT {AT_ONCE} STREAMS v >"));
        pump(&mut client, (0..count / AT_ONCE).map(|_| read.clone()))?;
    }
    let (before, command) = command.rsplit_once(';').map_or((None, command), |(b, c)| (Some(b), c));
    if let Some(before) = before {
        run(&mut client, before)?;
    }
    ask(&mut client, &["CONFIG", "RESETSTAT"])?;
    run(&mut client, command)?;
    let inside = inside(server)?;
    let text = inside.get("lock_hold_duration_max").and_then(Value::as_str);
    text.and_then(|text| text.parse().ok()).ok_or_else(|| "INFO debug names no such figure".into())
}
