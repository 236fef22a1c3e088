//! The sequential specification: what a store of strings and a list answers when commands come one
//! at a time.
//!
//! A history is right when some order of its operations, in which none that ended before another
//! began comes after it, makes this model give the replies that were observed.

use std::collections::BTreeMap;

use client::Value;

/// A key of the few that a history uses.
pub type Key = u8;

/// The key that is a list; the others are strings.
pub const LIST: Key = 200;

/// One command.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the commands")]
pub enum Op {
    Get(Key),
    Set(Key, Vec<u8>),
    SetNx(Key, Vec<u8>),
    GetSet(Key, Vec<u8>),
    Incr(Key),
    Append(Key, Vec<u8>),
    Del(Key),
    MGet(Vec<Key>),
    MSet(Vec<(Key, Vec<u8>)>),
    /// `RPUSH` to the list.
    Push(Vec<u8>),
    /// `BLPOP` of the list, which waits for a moment if there is nothing.
    Pop,
}

/// What one client did in one step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// A single command.
    One(Op),
    /// MULTI, these commands, EXEC.
    Block(Vec<Op>),
    /// `EVAL` of these commands.
    Script {
        /// The commands.
        ops: Vec<Op>,
        /// Whether the keys are declared.
        declared: bool,
        /// Part of the text, so that there are several scripts with a past of their own each.
        salt: u64,
    },
    /// WATCH and GET of the key, then MULTI, SET of the key to this value, EXEC.
    ///
    /// The reply is an array of what GET said and what EXEC said. EXEC must not succeed when the
    /// key has changed since GET; it may always fail, because a write that puts the same value
    /// counts too.
    CompareAndSet(Key, Vec<u8>),
}

/// The values of the keys that exist. A list is its elements, each with a line end.
pub type State = BTreeMap<Key, Vec<u8>>;

impl Op {
    /// The keys it reads or writes.
    pub fn keys(&self) -> Vec<Key> {
        match self {
            Op::Get(key) | Op::Set(key, _) | Op::SetNx(key, _) | Op::GetSet(key, _) => vec![*key],
            Op::Incr(key) | Op::Append(key, _) | Op::Del(key) => vec![*key],
            Op::MGet(keys) => keys.clone(),
            Op::MSet(pairs) => pairs.iter().map(|(key, _)| *key).collect(),
            Op::Push(_) | Op::Pop => vec![LIST],
        }
    }

    /// The command as it is sent.
    pub fn words(&self) -> Vec<Vec<u8>> {
        let name = |name: &str| name.as_bytes().to_vec();
        match self {
            Op::Get(key) => vec![name("GET"), key_name(*key)],
            Op::Set(key, value) => vec![name("SET"), key_name(*key), value.clone()],
            Op::SetNx(key, value) => vec![name("SETNX"), key_name(*key), value.clone()],
            Op::GetSet(key, value) => vec![name("GETSET"), key_name(*key), value.clone()],
            Op::Incr(key) => vec![name("INCR"), key_name(*key)],
            Op::Append(key, value) => vec![name("APPEND"), key_name(*key), value.clone()],
            Op::Del(key) => vec![name("DEL"), key_name(*key)],
            Op::MGet(keys) => {
                std::iter::once(name("MGET")).chain(keys.iter().map(|key| key_name(*key))).collect()
            }
            Op::MSet(pairs) => {
                let pairs = pairs.iter().flat_map(|(key, value)| [key_name(*key), value.clone()]);
                std::iter::once(name("MSET")).chain(pairs).collect()
            }
            Op::Push(value) => vec![name("RPUSH"), key_name(LIST), value.clone()],
            Op::Pop => vec![name("BLPOP"), key_name(LIST), name("0.002")],
        }
    }

    /// Applies the command to `state` and returns the reply.
    pub fn apply(&self, state: &mut State) -> Value {
        match self {
            Op::Get(key) => read(state, *key),
            Op::Set(key, value) => {
                state.insert(*key, value.clone());
                ok()
            }
            Op::SetNx(key, value) => {
                let absent = !state.contains_key(key);
                state.entry(*key).or_insert_with(|| value.clone());
                Value::Integer(i64::from(absent))
            }
            Op::GetSet(key, value) => {
                let old = read(state, *key);
                state.insert(*key, value.clone());
                old
            }
            Op::Incr(key) => increment(state, *key),
            Op::Append(key, value) => {
                let whole = state.entry(*key).or_default();
                whole.extend_from_slice(value);
                Value::Integer(i64::try_from(whole.len()).expect("a value fits the memory"))
            }
            Op::Del(key) => Value::Integer(i64::from(state.remove(key).is_some())),
            Op::MGet(keys) => Value::Array(keys.iter().map(|key| read(state, *key)).collect()),
            Op::MSet(pairs) => {
                state.extend(pairs.iter().cloned());
                ok()
            }
            Op::Push(value) => {
                let list = state.entry(LIST).or_default();
                list.extend_from_slice(value);
                list.push(b'\n');
                let len = list.iter().filter(|&&byte| byte == b'\n').count();
                Value::Integer(i64::try_from(len).expect("a list fits the memory"))
            }
            Op::Pop => pop(state),
        }
    }
}

impl Request {
    /// The keys it reads or writes.
    pub fn keys(&self) -> Vec<Key> {
        match self {
            Request::One(op) => op.keys(),
            Request::Block(ops) | Request::Script { ops, .. } => {
                ops.iter().flat_map(Op::keys).collect()
            }
            Request::CompareAndSet(key, _) => vec![*key],
        }
    }

    /// Whether the reply is one that this request may get in `state`, which is changed accordingly.
    pub fn accepts(&self, reply: &Value, state: &mut State) -> bool {
        match self {
            Request::One(op) => op.apply(state) == *reply,
            Request::Block(ops) => {
                let replies = ops.iter().map(|op| op.apply(state)).collect();
                Value::Array(replies) == *reply
            }
            Request::Script { ops, .. } => {
                let replies: Vec<Value> = ops.iter().map(|op| op.apply(state)).collect();
                reply.as_slice().is_some_and(|items| {
                    items.len() == replies.len()
                        && items
                            .iter()
                            .zip(&replies)
                            .all(|(item, reply)| same_in_script(item, reply))
                })
            }
            Request::CompareAndSet(key, value) => {
                let Some([seen, exec]) = reply.as_slice() else { return false };
                if *exec == Value::NullArray {
                    return true;
                }
                let unchanged = read(state, *key) == *seen;
                state.insert(*key, value.clone());
                unchanged && *exec == Value::Array(vec![ok()])
            }
        }
    }
}

/// The name of a key on the server.
pub fn key_name(key: Key) -> Vec<u8> {
    format!("linearizability:{key}").into_bytes()
}

fn ok() -> Value {
    Value::Simple(b"OK".to_vec())
}

fn read(state: &State, key: Key) -> Value {
    state.get(&key).map_or(Value::NullBulk, |value| Value::Bulk(value.clone()))
}

/// Lua has one nil: of which kind a null was is lost.
fn same_in_script(item: &Value, reply: &Value) -> bool {
    item == reply || (*item == Value::NullBulk && *reply == Value::NullArray)
}

fn pop(state: &mut State) -> Value {
    let Some(list) = state.get_mut(&LIST) else { return Value::NullArray };
    let end = list.iter().position(|&byte| byte == b'\n').expect("each element has a line end");
    let first = list.drain(..=end).take(end).collect();
    if list.is_empty() {
        state.remove(&LIST);
    }
    Value::Array(vec![Value::Bulk(key_name(LIST)), Value::Bulk(first)])
}

fn increment(state: &mut State, key: Key) -> Value {
    let old = state.get(&key).map_or(&b"0"[..], |value| value);
    let number = std::str::from_utf8(old).ok().and_then(|text| text.parse::<i64>().ok());
    // "01", which APPEND can make, is no integer to a server.
    let number = number.filter(|number| number.to_string().as_bytes() == old);
    match number.and_then(|number| number.checked_add(1)) {
        Some(number) => {
            state.insert(key, number.to_string().into_bytes());
            Value::Integer(number)
        }
        None => Value::Error(b"ERR value is not an integer or out of range".to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_answer_as_a_server_does() {
        let mut state = State::new();
        let bulk = |text: &str| Value::Bulk(text.into());
        for (op, reply) in [
            (Op::Get(0), Value::NullBulk),
            (Op::Incr(0), Value::Integer(1)),
            (Op::SetNx(0, b"x".into()), Value::Integer(0)),
            (Op::Append(0, b"2".into()), Value::Integer(2)),
            (Op::GetSet(0, b"x".into()), bulk("12")),
            (Op::Incr(0), Value::Error(b"ERR value is not an integer or out of range".to_vec())),
            (Op::MSet(vec![(0, b"a".into()), (1, b"b".into())]), ok()),
            (Op::MGet(vec![1, 2]), Value::Array(vec![bulk("b"), Value::NullBulk])),
            (Op::Del(1), Value::Integer(1)),
            (Op::Del(1), Value::Integer(0)),
            (Op::Pop, Value::NullArray),
            (Op::Push(b"a".into()), Value::Integer(1)),
            (Op::Push(b"b".into()), Value::Integer(2)),
            (Op::Pop, Value::Array(vec![Value::Bulk(key_name(LIST)), bulk("a")])),
            (Op::Set(1, b"01".into()), ok()),
            (Op::Incr(1), Value::Error(b"ERR value is not an integer or out of range".to_vec())),
        ] {
            assert_eq!(op.apply(&mut state), reply, "{op:?}");
        }
    }
}
