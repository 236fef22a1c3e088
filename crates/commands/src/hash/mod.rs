//! Commands on hashes.
//!
//! A command that goes through all fields holds the hash by a reference that shares its nodes,
//! gives the locks back and works on that: however large it is, nobody waits for it.
//!
//! Fields may have deadlines. No command sees a field that is due. One that names fields removes
//! those of them that are, as a look-up of a key does; `HDEL`, `HSET` and `HLEN` do without: they
//! take the field as it is there, as in Redis. The rest is the sweep's.

mod all;
#[cfg(test)]
mod deadline_tests;
mod fields;
mod get;
mod hdel;
mod hexpire;
mod hgetdel;
mod hgetex;
mod hincrby;
mod hincrbyfloat;
mod hpersist;
mod hrandfield;
mod hscan;
mod hset;
mod hsetex;
mod httl;
pub mod import;
mod options;
#[cfg(test)]
mod tests;

use collections::hash::{Hash, Limits};
use collections::listpack::Item;
use command::{CommandError, Cx, DataCommand, KeyFlags, KeySpec};
use config::Config;
use config::rows::{HASH_MAX_LISTPACK_ENTRIES, HASH_MAX_LISTPACK_VALUE};
use resp::Reply;
use store::{Event, EventClass};

pub(crate) use get::reply_value;

/// The commands of this family.
pub static COMMANDS: &[&DataCommand] = &[
    // Some fields.
    &hset::HSET,
    &hset::HMSET,
    &hset::HSETNX,
    &get::HGET,
    &get::HMGET,
    &get::HEXISTS,
    &get::HSTRLEN,
    &hdel::HDEL,
    &hgetdel::HGETDEL,
    &hgetex::HGETEX,
    &hsetex::HSETEX,
    // Deadlines.
    &hexpire::HEXPIRE,
    &hexpire::HPEXPIRE,
    &hexpire::HEXPIREAT,
    &hexpire::HPEXPIREAT,
    &httl::HTTL,
    &httl::HPTTL,
    &httl::HEXPIRETIME,
    &httl::HPEXPIRETIME,
    &hpersist::HPERSIST,
    // Counters.
    &hincrby::HINCRBY,
    &hincrbyfloat::HINCRBYFLOAT,
    // The hash as a whole.
    &get::HLEN,
    &all::HGETALL,
    &all::HKEYS,
    &all::HVALS,
    &hscan::HSCAN,
    &hrandfield::HRANDFIELD,
];

/// Key specs of the commands that return fields or values.
const READ: &[KeySpec] = &[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS))];
/// Key specs of the commands that only ask about the hash.
const ASKED: &[KeySpec] = &[KeySpec::first(KeyFlags::RO)];
/// Key specs of the commands that count.
const COUNTED: &[KeySpec] =
    &[KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))];

/// An event of class `h`.
const fn event(name: &'static str) -> Event {
    Event { class: EventClass::Hash, name }
}

const SET: Event = event("hset");
const REMOVED: Event = event("hdel");
const EXPIRE: Event = event("hexpire");
const PERSIST: Event = event("hpersist");

/// When hashes change their form, as configured; a table made under it is keyed anew.
pub(crate) fn limits(cx: &mut Cx<'_>) -> Limits {
    limits_of(cx.config, cx.db.rng().next_u64())
}

/// As [`limits`], from the parameters, with tables keyed by `seed`.
pub(crate) fn limits_of(config: &Config, seed: u64) -> Limits {
    let entries = config.get(HASH_MAX_LISTPACK_ENTRIES);
    let value = config.get(HASH_MAX_LISTPACK_VALUE);
    Limits {
        listpack_entries: usize::try_from(entries).unwrap_or(usize::MAX),
        listpack_value: usize::try_from(value).unwrap_or(usize::MAX),
        seed,
    }
}

/// The hash of a key, shared, for work without locks, which are given back; an empty one if there
/// is no such key.
fn held(cx: &mut Cx<'_>, key: &[u8]) -> Result<Hash, CommandError> {
    let hash = cx.db.get::<Hash>(key)?.cloned().unwrap_or_default();
    cx.db.release();
    Ok(hash)
}

/// Replies with the name or the value of a field.
fn reply_item(reply: &mut Reply, item: Item<'_>) {
    match item {
        Item::Int(number) => reply.bulk_int(number),
        Item::Bytes(text) => reply.bulk(text),
    }
}
