//! Commands as they are, with the reply that both protocols give.

mod collections;

use redis::{Connection, Value};

use crate::checks::{Checks, Outcome};

/// A reply in the table below.
enum Want {
    Okay,
    Simple(&'static str),
    Bulk(&'static str),
    Int(i64),
    Nil,
    Bulks(&'static [&'static str]),
    Ints(&'static [i64]),
    /// The error text without its code.
    Error(&'static str),
}

use Want::{Bulk, Bulks, Error, Int, Ints, Nil, Okay, Simple};

/// Command lines whose words are separated by one space, and their replies, on an empty keyspace.
const CASES: &[(&str, Want)] = &[
    ("PING", Simple("PONG")),
    ("PING hello", Bulk("hello")),
    ("ECHO hello", Bulk("hello")),
    ("SET a hello", Okay),
    ("SET a x NX", Nil),
    ("SET a x XX GET", Bulk("hello")),
    ("GET a", Bulk("x")),
    ("GETSET a y", Bulk("x")),
    ("GETDEL a", Bulk("y")),
    ("GETDEL a", Nil),
    ("SETEX a 100 v", Okay),
    ("PSETEX a 100000 v", Okay),
    ("SETEX a 0 v", Error("invalid expire time in 'setex' command")),
    ("PERSIST a", Int(1)),
    ("PERSIST a", Int(0)),
    ("SET a v EX 1 PX 1", Error("syntax error")),
    ("SET a v PXAT 1", Okay),
    ("EXISTS a", Int(0)),
    ("APPEND a abc", Int(3)),
    ("SUBSTR a 0 1", Bulk("ab")),
    ("SETRANGE a -1 x", Error("offset is out of range")),
    ("INCRBY n 10", Int(10)),
    ("DECRBY n 3", Int(7)),
    ("INCRBYFLOAT n 1.5", Bulk("8.5")),
    ("INCRBYFLOAT n x", Error("value is not a valid float")),
    ("INCR a", Error("value is not an integer or out of range")),
    ("MSET x 1 y 2", Okay),
    ("MSETNX y 1 z 2", Int(0)),
    ("MGET x y", Bulks(&["1", "2"])),
    ("MSET x", Error("wrong number of arguments for 'mset' command")),
    ("MSET l1 ohmytext l2 mynewtext", Okay),
    ("LCS l1 l2", Bulk("mytext")),
    ("LCS l1 l2 LEN", Int(6)),
    ("SETBIT b 7 1", Int(0)),
    ("BITPOS b 1", Int(7)),
    ("BITPOS b 0 0 0 BIT", Int(0)),
    ("BITCOUNT b 0 -1 BIT", Int(1)),
    ("BITFIELD f SET u8 0 255 INCRBY u8 0 2", Ints(&[0, 1])),
    ("BITFIELD f OVERFLOW SAT INCRBY i8 8 1000", Ints(&[127])),
    ("BITFIELD_RO f GET u16 0", Ints(&[383])),
    ("BITOP NOT c b x", Error("BITOP NOT must be called with a single source key.")),
    ("FLUSHALL", Okay),
    ("RANDOMKEY", Nil),
    ("SET k v", Okay),
    ("TYPE k", Simple("string")),
    ("TYPE none", Simple("none")),
    ("EXPIRE k 100 XX", Int(0)),
    ("EXPIRE k 100 NX", Int(1)),
    ("EXPIRE k 200 LT", Int(0)),
    ("EXPIRE k 200 GT", Int(1)),
    ("PEXPIREAT k 33177117420123", Int(1)),
    ("PEXPIRETIME k", Int(33_177_117_420_123)),
    ("EXPIRETIME k", Int(33_177_117_420)),
    ("TTL none", Int(-2)),
    ("COPY k k2", Int(1)),
    ("COPY k k2", Int(0)),
    ("COPY k k2 REPLACE", Int(1)),
    ("MOVE k2 1", Int(1)),
    ("RENAMENX k r", Int(1)),
    ("TOUCH r none", Int(1)),
    ("OBJECT REFCOUNT r", Int(1)),
    ("OBJECT ENCODING none", Nil),
    ("KEYS *", Bulks(&["r"])),
    ("SCAN x", Error("invalid cursor")),
    ("SWAPDB 0 1", Okay),
    ("EXISTS k2", Int(1)),
    ("DBSIZE", Int(1)),
    ("FLUSHDB SYNC", Okay),
    ("SELECT 99", Error("DB index is out of range")),
    ("COMMAND GETKEYS MSET a 1 b 2", Bulks(&["a", "b"])),
    ("CONFIG SET maxmemory-samples 5", Okay),
    ("CONFIG SET bogus 1", Error("Unknown option or number of arguments for CONFIG SET - 'bogus'")),
    ("CLIENT NO-EVICT ON", Okay),
    ("CLIENT NO-EVICT OFF", Okay),
    ("MEMORY USAGE none", Nil),
    ("MEMORY PURGE", Okay),
    ("EXEC", Error("EXEC without MULTI")),
    ("DISCARD", Error("DISCARD without MULTI")),
    ("BOGUS a", Error("unknown command 'BOGUS', with args beginning with: 'a' ")),
    ("FLUSHALL SYNC", Okay),
];

/// Sends every case, each table on an emptied keyspace. What a server does not have yet is left out
/// as a whole, by the name of one of its commands.
pub fn run(c: &mut Checks, con: &mut Connection) -> Outcome {
    let tables = [
        ("get", CASES),
        ("lpush", collections::CASES),
        ("sort", collections::SORTING),
        ("hexpire", collections::FIELD_EXPIRY),
    ];
    for (command, cases) in tables {
        c.eq(redis::cmd("FLUSHALL").query(con), ())?;
        let info: redis::RedisResult<Vec<Value>> =
            redis::cmd("COMMAND").arg("INFO").arg(command).query(con);
        match info.map_err(|e| e.to_string())?.first() {
            Some(Value::Array(_)) => table(c, con, cases)?,
            _ => println!("{}: left out: {command} (not on this server)", c.label()),
        }
    }
    c.eq(redis::cmd("FLUSHALL").query(con), ())
}

fn table(c: &mut Checks, con: &mut Connection, cases: &[(&str, Want)]) -> Outcome {
    for (line, want) in cases {
        let mut words = line.split(' ');
        let mut command = redis::cmd(words.next().unwrap_or_default());
        words.for_each(|word| {
            command.arg(word);
        });
        let got = command.query::<Value>(con);
        let outcome = match want {
            Error(words) => c.error(words, got),
            want => c.eq(got, value(want)),
        };
        outcome.map_err(|message| format!("{line}: {message}"))?;
    }
    Ok(())
}

fn value(want: &Want) -> Value {
    let bulk = |text: &str| Value::BulkString(text.as_bytes().to_vec());
    match want {
        Okay => Value::Okay,
        Simple(text) | Error(text) => Value::SimpleString((*text).to_owned()),
        Bulk(text) => bulk(text),
        Int(number) => Value::Int(*number),
        Nil => Value::Nil,
        Bulks(texts) => Value::Array(texts.iter().map(|text| bulk(text)).collect()),
        Ints(numbers) => Value::Array(numbers.iter().map(|n| Value::Int(*n)).collect()),
    }
}
