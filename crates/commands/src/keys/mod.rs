//! Commands on keys of any type: whether they exist, how long they live, what they are called.
//!
//! Only `SORT` looks inside a value. Most lock the keys they name; `SCAN`, `KEYS`, `DBSIZE` and
//! `RANDOMKEY` name none and walk the keyspace shard by shard instead, see
//! [`Flags::KEYSPACE_WALK`](command::Flags::KEYSPACE_WALK).

mod copy;
mod database;
mod dbsize;
mod del;
mod dump;
mod exists;
pub(crate) mod expire;
mod keys_command;
mod move_key;
mod object;
mod persist;
mod randomkey;
mod rename;
mod restore;
mod scan;
mod sort;
#[cfg(test)]
mod tests;
mod touch;
mod ttl;
mod type_command;

use command::{DataCommand, KeyFlags, KeySpec};

pub(crate) use dump::options as payload_options;

/// The commands of this family.
pub static COMMANDS: &[&DataCommand] = &[
    // Presence and removal.
    &exists::EXISTS,
    &touch::TOUCH,
    &type_command::TYPE,
    &del::DEL,
    &del::UNLINK,
    // Names and places.
    &rename::RENAME,
    &rename::RENAMENX,
    &copy::COPY,
    &move_key::MOVE,
    // Time to live.
    &expire::EXPIRE,
    &expire::PEXPIRE,
    &expire::EXPIREAT,
    &expire::PEXPIREAT,
    &ttl::TTL,
    &ttl::PTTL,
    &ttl::EXPIRETIME,
    &ttl::PEXPIRETIME,
    &persist::PERSIST,
    // The keyspace as a whole.
    &dbsize::DBSIZE,
    &randomkey::RANDOMKEY,
    &keys_command::KEYS,
    &scan::SCAN,
    // Values as bytes.
    &dump::DUMP,
    &restore::RESTORE,
    &restore::RESTORE_ASKING,
    // Order.
    &sort::SORT,
    &sort::SORT_RO,
    // What the server knows of a value.
    &object::OBJECT,
];

/// Key specs of the commands that take nothing but keys, and only ask whether they are there.
const ALL_ASKED: &[KeySpec] = &[KeySpec::range(KeyFlags::RO, 1, -1, 1)];
/// Key specs of the commands that read something about one key.
const ONE_READ: &[KeySpec] = &[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS))];
/// Key specs of the commands that change something about one key.
const ONE_UPDATED: &[KeySpec] = &[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))];
/// Hints for commands whose keys may lie on several nodes: ask each and add up the answers.
const ADDED_UP: &[&str] = &["request_policy:multi_shard", "response_policy:agg_sum"];
