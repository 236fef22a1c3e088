//! One huge collection grows and is deleted, and many small ones change their encoding.

use std::thread::sleep;

use serde_json::{Map, Value};

use super::Plan;
use super::scenarios::{AFTERMATH, watched};
use crate::Result;
use crate::server::{Server, ask, ask_integer, pump};
use crate::shell::words;
use crate::versus::loads::{LOADS, Load};

/// The loads of the memory table that fill one key.
const HUGE: &[(&str, &str)] =
    &[("hash", "h"), ("set", "s"), ("zset", "z"), ("list", "l"), ("stream", "x")];

/// Elements up to which a collection stays packed here: eight times the default and more, since
/// what is converted at once is what can stall.
const PACKED_MAX: u64 = 4_096;
/// Collections of each type that are converted.
const CONVERTED: u64 = 300;

/// The command that adds an element, by the numbers of the key and of the element.
type Add = fn(u64, u64) -> String;

/// How each type that converts is filled.
const PACKED: &[(&str, Add)] = &[
    ("hash", |key, i| format!("HSET h:{key} field:{i} value:{i}")),
    ("set", |key, i| format!("SADD s:{key} member:{i}")),
    ("intset", |key, i| format!("SADD i:{key} {i}")),
    ("zset", |key, i| format!("ZADD z:{key} {i} member:{i}")),
    ("list", |key, i| format!("RPUSH l:{key} element:{i}")),
];

/// One key of each type grows to half as many elements as the keyspace has keys, and is deleted.
///
/// # Errors
/// A server that fails.
pub fn huge(plan: &Plan) -> Result<Value> {
    let mut figures = Map::new();
    for (name, key) in HUGE {
        let load = LOADS.iter().find(|load| load.name == *name).expect("a row of the table");
        let server = plan.launch.start()?;
        let grown = watched(plan, &server, &format!("a {name} grows"), || {
            fill(&server, load, plan.keys / 2)
        })?;
        let deleted = watched(plan, &server, &format!("the {name} is deleted"), || {
            let mut client = server.connect()?;
            let count = ask_integer(&mut client, &["DEL", key])?;
            sleep(AFTERMATH);
            if count == 1 { Ok(()) } else { Err(format!("DEL {key} replied {count}")) }
        })?;
        figures.insert(format!("{name}-grows"), grown);
        figures.insert(format!("{name}-deleted"), deleted);
    }
    Ok(Value::Object(figures))
}

fn fill(server: &Server, load: &Load, count: u64) -> Result {
    pump(&mut server.connect()?, (0..count).map(|i| words(&(load.command)(i))))
}

/// Collections of each type outgrow the packed encoding.
///
/// # Errors
/// A server that fails.
pub fn convert(plan: &Plan) -> Result<Value> {
    let server = plan.launch.start()?;
    let mut client = server.connect()?;
    let limit = PACKED_MAX.to_string();
    for kind in ["hash", "set", "zset"] {
        ask(&mut client, &["CONFIG", "SET", &format!("{kind}-max-listpack-entries"), &limit])?;
    }
    ask(&mut client, &["CONFIG", "SET", "set-max-intset-entries", &limit])?;
    ask(&mut client, &["CONFIG", "SET", "list-max-listpack-size", &limit])?;
    for (_, add) in PACKED {
        let elements = |key| (0..PACKED_MAX).map(move |i| words(&add(key, i)));
        pump(&mut client, (0..CONVERTED).flat_map(elements))?;
    }
    let mut figures = Map::new();
    for (name, add) in PACKED {
        let title = format!("{CONVERTED} packed {name}s convert");
        let figure = watched(plan, &server, &title, || {
            pump(&mut client, (0..CONVERTED).map(|key| words(&add(key, PACKED_MAX))))
        })?;
        figures.insert((*name).to_owned(), figure);
    }
    Ok(Value::Object(figures))
}
