//! Sorted sets: members with scores, in order.
//!
//! [`bounds`] reads the ends of ranges by rank, score and member and makes ranks of them;
//! [`reply`] writes members and scores; [`combine`] is the algebra of several sets.

mod add;
mod blocking;
mod bounds;
mod combine;
mod combine_commands;
mod count;
mod pop;
mod random;
mod range;
mod range_commands;
mod rank;
mod remove;
mod reply;
mod scan;
mod score;

use collections::sorted_set::Limits;
use command::{Categories, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec};
use config::Config;
use config::rows::{ZSET_MAX_LISTPACK_ENTRIES, ZSET_MAX_LISTPACK_VALUE};
use store::{Event, EventClass};

pub(crate) use score::scores;

/// The commands of this family.
pub static COMMANDS: &[&DataCommand] = &[
    &blocking::BZMPOP,
    &blocking::BZPOPMAX,
    &blocking::BZPOPMIN,
    &add::ZADD,
    &count::ZCARD,
    &count::ZCOUNT,
    &combine_commands::ZDIFF,
    &combine_commands::ZDIFFSTORE,
    &add::ZINCRBY,
    &combine_commands::ZINTER,
    &combine_commands::ZINTERCARD,
    &combine_commands::ZINTERSTORE,
    &count::ZLEXCOUNT,
    &pop::ZMPOP,
    &score::ZMSCORE,
    &pop::ZPOPMAX,
    &pop::ZPOPMIN,
    &random::ZRANDMEMBER,
    &range_commands::ZRANGE,
    &range_commands::ZRANGEBYLEX,
    &range_commands::ZRANGEBYSCORE,
    &range_commands::ZRANGESTORE,
    &rank::ZRANK,
    &remove::ZREM,
    &remove::ZREMRANGEBYLEX,
    &remove::ZREMRANGEBYRANK,
    &remove::ZREMRANGEBYSCORE,
    &range_commands::ZREVRANGE,
    &range_commands::ZREVRANGEBYLEX,
    &range_commands::ZREVRANGEBYSCORE,
    &rank::ZREVRANK,
    &scan::ZSCAN,
    &score::ZSCORE,
    &combine_commands::ZUNION,
    &combine_commands::ZUNIONSTORE,
];

/// What all specifications of the family have in common.
const fn spec(
    name: &'static str,
    since: &'static str,
    arity: i16,
    complexity: &'static str,
    summary: &'static str,
) -> Spec {
    Spec::new(name, Group::SortedSet, since, arity, complexity, summary).acl(Categories::SORTEDSET)
}

const READ_FAST: Flags = Flags::READONLY.union(Flags::FAST);
const WRITE_FAST: Flags = Flags::WRITE.union(Flags::FAST);
/// Writes that may grow memory.
const GROW: Flags = Flags::WRITE.union(Flags::DENYOOM);

const READ_DATA: KeyFlags = KeyFlags::RO.union(KeyFlags::ACCESS);
const OVERWRITE: KeyFlags = KeyFlags::OW.union(KeyFlags::UPDATE);
const TAKE: KeyFlags = KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE);

/// Key specs of the commands that read members of one key.
const ONE_READ: &[KeySpec] = &[KeySpec::first(READ_DATA)];
/// Key specs of the commands that remove members of one key without showing them.
const ONE_TRIMMED: &[KeySpec] = &[KeySpec::first(KeyFlags::RW.union(KeyFlags::DELETE))];
/// Key specs of the commands that remove members of one key and show them.
const ONE_TAKEN: &[KeySpec] = &[KeySpec::first(TAKE)];

/// The deletion of a key whose new value would be empty.
const DEL: Event = Event::generic("del");

/// An event of this family.
pub(crate) const fn event(name: &'static str) -> Event {
    Event { class: EventClass::SortedSet, name }
}

/// Up to where a sorted set stays one listpack, and the key of the hash if it becomes an index.
pub(crate) fn limits(cx: &mut Cx<'_>) -> Limits {
    limits_of(cx.config, cx.db.rng().next_u64())
}

/// As [`limits`], from the parameters, with tables keyed by `seed`.
pub(crate) fn limits_of(config: &Config, seed: u64) -> Limits {
    let entries_max = config.get(ZSET_MAX_LISTPACK_ENTRIES);
    let member_bytes_max = config.get(ZSET_MAX_LISTPACK_VALUE);
    Limits {
        entries_max: usize::try_from(entries_max).unwrap_or(usize::MAX),
        member_bytes_max: usize::try_from(member_bytes_max).unwrap_or(usize::MAX),
        seed,
    }
}
