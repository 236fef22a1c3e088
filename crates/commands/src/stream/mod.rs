//! Streams: one table of commands, a file for each or for true siblings.
//!
//! [`id`] is how ids are written and read, [`reply`] how entries are shown, [`trimming`] the
//! options that `XADD` and `XTRIM` share, [`reading`] those of `XREAD` and `XREADGROUP`, [`group`]
//! what the commands on consumer groups have in common: looking one up, and the forms in which
//! their changes are logged.

#[cfg(test)]
mod fixture;
mod group;
mod id;
mod reading;
mod reply;
mod trimming;
mod xack;
mod xadd;
mod xautoclaim;
mod xcfgset;
mod xclaim;
mod xdel;
mod xdelex;
mod xgroup;
mod xidmprecord;
mod xinfo;
mod xlen;
mod xnack;
mod xpending;
mod xrange;
mod xread;
mod xreadgroup;
mod xsetid;
mod xtrim;

use collections::stream::{Limits, Retention};
use command::{CommandError, DataCommand};
use config::Config;
use config::rows::{
    STREAM_IDMP_DURATION, STREAM_IDMP_MAXSIZE, STREAM_NODE_MAX_BYTES, STREAM_NODE_MAX_ENTRIES,
};
use store::{Event, EventClass};

/// The commands of this family.
pub static COMMANDS: &[&DataCommand] = &[
    &xack::XACK,
    &xdelex::XACKDEL,
    &xadd::XADD,
    &xautoclaim::XAUTOCLAIM,
    &xcfgset::XCFGSET,
    &xclaim::XCLAIM,
    &xdel::XDEL,
    &xdelex::XDELEX,
    &xgroup::XGROUP,
    &xidmprecord::XIDMPRECORD,
    &xinfo::XINFO,
    &xlen::XLEN,
    &xnack::XNACK,
    &xpending::XPENDING,
    &xrange::XRANGE,
    &xread::XREAD,
    &xreadgroup::XREADGROUP,
    &xrange::XREVRANGE,
    &xsetid::XSETID,
    &xtrim::XTRIM,
];

/// A keyspace event of class `t`.
const fn event(name: &'static str) -> Event {
    Event { class: EventClass::Stream, name }
}

/// How large the blocks of a stream may be.
fn limits(config: &Config) -> Limits {
    let bytes = config.get(STREAM_NODE_MAX_BYTES);
    let entries = config.get(STREAM_NODE_MAX_ENTRIES);
    Limits {
        block_bytes: usize::try_from(bytes).unwrap_or(usize::MAX),
        block_entries: usize::try_from(entries).unwrap_or(usize::MAX),
    }
}

/// What a stream remembers of idempotent producers, unless it is told otherwise.
fn retention(config: &Config) -> Retention {
    let number = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
    Retention {
        seconds: number(config.get(STREAM_IDMP_DURATION)),
        per_producer: number(config.get(STREAM_IDMP_MAXSIZE)),
    }
}

/// What a container answers to a subcommand with arguments that it does not have.
fn wrong_subcommand(sub: &[u8], help: &str) -> CommandError {
    let before = "ERR unknown subcommand or wrong number of arguments for '";
    CommandError::quoting(before, sub, &format!("'. Try {help} HELP."))
}
