//! Commands on sets.
//!
//! A command that goes through all members, or through several sets, holds them by a reference that
//! shares their nodes ([`held`]), gives the locks back and works on that: however large they
//! are, nobody waits for it. Commands that store their result keep the locks.

mod add;
mod algebra;
mod combine;
mod combine_card;
mod combine_store;
mod members;
mod smove;
mod spop;
mod srandmember;
mod sscan;
#[cfg(test)]
mod tests;

use collections::listpack::Item;
use collections::set::{Limits, Set};
use command::{CommandError, Cx, DataCommand, KeyFlags, KeySpec};
use config::Config;
use config::rows::{SET_MAX_INTSET_ENTRIES, SET_MAX_LISTPACK_ENTRIES, SET_MAX_LISTPACK_VALUE};
use resp::Reply;
use store::{Event, EventClass};

/// The commands of this family.
pub static COMMANDS: &[&DataCommand] = &[
    // One set.
    &add::SADD,
    &add::SREM,
    &members::SCARD,
    &members::SISMEMBER,
    &members::SMISMEMBER,
    &members::SMEMBERS,
    &sscan::SSCAN,
    // Random members.
    &spop::SPOP,
    &srandmember::SRANDMEMBER,
    // Several sets.
    &smove::SMOVE,
    &combine::SINTER,
    &combine::SUNION,
    &combine::SDIFF,
    &combine_store::SINTERSTORE,
    &combine_store::SUNIONSTORE,
    &combine_store::SDIFFSTORE,
    &combine_card::SINTERCARD,
    &combine_card::SUNIONCARD,
    &combine_card::SDIFFCARD,
];

/// Key specs of the commands that return members.
const READ: &[KeySpec] = &[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS))];
/// Key specs of the commands that only ask about the set.
const ASKED: &[KeySpec] = &[KeySpec::first(KeyFlags::RO)];

/// An event of class `s`.
const fn event(name: &'static str) -> Event {
    Event { class: EventClass::Set, name }
}

const ADDED: Event = event("sadd");
const REMOVED: Event = event("srem");

/// When sets change their form, as configured; a table made under it is keyed anew.
pub(crate) fn limits(cx: &mut Cx<'_>) -> Limits {
    limits_of(cx.config, cx.db.rng().next_u64())
}

/// As [`limits`], from the parameters, with tables keyed by `seed`.
pub(crate) fn limits_of(config: &Config, seed: u64) -> Limits {
    let entries = |value: i64| usize::try_from(value).unwrap_or(usize::MAX);
    Limits {
        intset_entries: entries(config.get(SET_MAX_INTSET_ENTRIES)),
        listpack_entries: entries(config.get(SET_MAX_LISTPACK_ENTRIES)),
        listpack_value: entries(config.get(SET_MAX_LISTPACK_VALUE)),
        seed,
    }
}

/// The set of a key, shared, if there is such a key.
fn held(cx: &mut Cx<'_>, key: &[u8]) -> Result<Option<Set>, CommandError> {
    Ok(cx.db.get::<Set>(key)?.cloned())
}

/// Replies with a member.
fn reply_member(reply: &mut Reply, member: Item<'_>) {
    match member {
        Item::Int(number) => reply.bulk_int(number),
        Item::Bytes(text) => reply.bulk(text),
    }
}
