//! The whole state of a server, read through commands: every key of every database with its type,
//! encoding, value and deadline. DUMP is not used, so that a server needs no serialization format
//! for its state to be compared.

use std::collections::BTreeMap;

use client::{Address, Client, Error, Options, Value};
use conformance::render::render;
use conformance::words;

use crate::compare::Compare;
use crate::lockstep::Mismatch;

/// Databases that are compared: those that streams select.
const DATABASES: usize = 4;

/// What is known of one key, as replies.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyState {
    /// Reply to TYPE.
    pub kind: Value,
    /// Reply to OBJECT ENCODING.
    pub encoding: Value,
    /// Reply to the command that reads the whole value; sorted for types without an order.
    pub value: Value,
    /// Reply to PEXPIRETIME.
    pub deadline: Value,
}

/// All keys, by database and name.
pub type State = BTreeMap<(usize, Vec<u8>), KeyState>;

/// Reads the state of the server at `address`.
///
/// # Errors
/// When it does not answer.
pub fn read(address: &Address) -> Result<State, Error> {
    let mut client = Client::connect(address, &Options::default())?;
    let mut state = State::new();
    for database in 0..DATABASES {
        client.command(&["SELECT", &database.to_string()])?;
        let Value::Array(keys) = client.command(&["KEYS", "*"])? else { continue };
        for key in keys {
            let Value::Bulk(key) = key else { continue };
            let ask = |name: &str| vec![name.as_bytes().to_vec(), key.clone()];
            let encoding = vec![b"OBJECT".to_vec(), b"ENCODING".to_vec(), key.clone()];
            let mut replies = client.pipeline([ask("TYPE"), encoding, ask("PEXPIRETIME")])?;
            let (deadline, encoding) = (replies.pop(), replies.pop());
            let kind = replies.pop().unwrap_or(Value::Null);
            let value = sorted(&kind, client.command(&reader(&kind, &key))?);
            let encoding = encoding.unwrap_or(Value::Null);
            let deadline = deadline.unwrap_or(Value::Null);
            state.insert((database, key), KeyState { kind, encoding, value, deadline });
        }
    }
    Ok(state)
}

/// The command that reads a whole value of that type.
fn reader(kind: &Value, key: &[u8]) -> Vec<Vec<u8>> {
    let words: &[&[u8]] = match kind {
        Value::Simple(name) => match &name[..] {
            b"list" => &[b"LRANGE", b"", b"0", b"-1"],
            b"set" => &[b"SMEMBERS", b""],
            b"zset" => &[b"ZRANGE", b"", b"0", b"-1", b"WITHSCORES"],
            b"hash" => &[b"HGETALL", b""],
            b"array" => &[b"ARSCAN", b"", b"0", b"18446744073709551614"],
            b"stream" => &[b"XRANGE", b"", b"-", b"+"],
            _ => &[b"GET", b""],
        },
        _ => &[b"GET", b""],
    };
    let mut command: Vec<Vec<u8>> = words.iter().map(|word| word.to_vec()).collect();
    command[1] = key.to_vec();
    command
}

/// Members of sets and pairs of hashes in one fixed order.
fn sorted(kind: &Value, value: Value) -> Value {
    let width = match kind {
        Value::Simple(name) if name == b"set" => 1,
        Value::Simple(name) if name == b"hash" => 2,
        _ => return value,
    };
    let Value::Array(items) = value else { return value };
    let mut groups: Vec<&[Value]> = items.chunks(width).collect();
    groups.sort_by_key(|group| format!("{group:?}"));
    Value::Array(groups.concat())
}

/// The first difference between two states.
pub fn difference(subject: &State, reference: &State) -> Option<Mismatch> {
    let keys = subject.keys().chain(reference.keys());
    for (database, key) in keys {
        let place = (*database, key.clone());
        let shown = format!("the state of {} in database {database}", words::word(key));
        let found = |what: &str, said: String, right: String| {
            let what = format!("{shown}: {what}");
            Some(Mismatch { at: 0, what, subject: said, reference: right })
        };
        let (said, right) = match (subject.get(&place), reference.get(&place)) {
            (Some(said), Some(right)) => (said, right),
            (None, Some(_)) => return found("existence", "none".into(), "exists".into()),
            _ => return found("existence", "exists".into(), "none".into()),
        };
        // Lists and sets have had a listpack encoding since 7.2 only.
        let listpack = said.encoding == Value::Bulk(b"listpack".to_vec());
        let is_zset = said.kind == Value::Simple(b"zset".to_vec());
        let values = if is_zset { Compare::Scores } else { Compare::Exact };
        for (what, compare, said, right) in [
            ("type", Compare::Exact, &said.kind, &right.kind),
            ("encoding", Compare::Exact, &said.encoding, &right.encoding),
            ("value", values, &said.value, &right.value),
            ("deadline", Compare::Millis, &said.deadline, &right.deadline),
        ] {
            let explained = what == "encoding" && listpack;
            if !explained && !compare.agrees(said, right) {
                return found(what, render(said), render(right));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: &str, encoding: &str, deadline: i64) -> State {
        let bulk = |text: &str| Value::Bulk(text.into());
        let key = KeyState {
            kind: Value::Simple("string".into()),
            encoding: bulk(encoding),
            value: bulk(value),
            deadline: Value::Integer(deadline),
        };
        State::from([((0, b"k".to_vec()), key)])
    }

    #[test]
    fn every_part_counts() {
        let right = one("v", "embstr", 1_000_000_000);
        assert_eq!(difference(&right, &right), None);
        assert_eq!(difference(&one("v", "embstr", 1_000_000_100), &right), None);
        for (wrong, what) in [
            (one("w", "embstr", 1_000_000_000), "value"),
            (one("v", "raw", 1_000_000_000), "encoding"),
            (one("v", "embstr", -1), "deadline"),
            (one("v", "embstr", 1_000_100_000), "deadline"),
            (State::new(), "existence"),
        ] {
            let found = difference(&wrong, &right).unwrap();
            assert!(found.what.ends_with(what), "{}", found.what);
            assert!(difference(&right, &wrong).is_some());
        }
    }

    #[test]
    fn hashes_and_sets_have_no_order() {
        let bulks =
            |texts: &[&str]| Value::Array(texts.iter().map(|t| Value::Bulk((*t).into())).collect());
        let kind = |name: &str| Value::Simple(name.into());
        let hash = sorted(&kind("hash"), bulks(&["b", "1", "a", "2"]));
        assert_eq!(hash, bulks(&["a", "2", "b", "1"]));
        assert_eq!(sorted(&kind("set"), bulks(&["b", "a"])), bulks(&["a", "b"]));
        assert_eq!(sorted(&kind("list"), bulks(&["b", "a"])), bulks(&["b", "a"]));
    }
}
