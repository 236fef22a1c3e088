//! The core command families, one folder each. A file holds one command or a few true siblings: its
//! specification, the parsing of its arguments (which sees no store), its execution (which sees no
//! socket) and its tests.
//!
//! Adding a command touches its file and one row of its family's table.

use command::DataCommand;
use config::Config;
use format::rdb::Limits;

pub mod array;
pub mod bitmap;
mod element_scan;
mod first_key;
pub mod geo;
pub mod hash;
pub mod hyperloglog;
pub mod keys;
pub mod list;
mod look_ahead;
#[cfg(test)]
mod meta_tests;
mod random;
pub mod set;
pub mod stream;
pub mod string;
#[cfg(test)]
mod testing;
pub mod zset;

/// Which form values take that come from elsewhere, as configured; tables are keyed by `seed`.
#[must_use]
pub fn encoding_limits(config: &Config, seed: u64) -> Limits {
    Limits {
        list: list::limits(config),
        set: set::limits_of(config, seed),
        hash: hash::limits_of(config, seed),
        sorted_set: zset::limits_of(config, seed),
        array: array::limits(config),
    }
}

/// Every command of every family.
pub fn all() -> impl Iterator<Item = &'static DataCommand> {
    let families = [
        string::COMMANDS,
        bitmap::COMMANDS,
        geo::COMMANDS,
        hyperloglog::COMMANDS,
        keys::COMMANDS,
        hash::COMMANDS,
        list::COMMANDS,
        set::COMMANDS,
        stream::COMMANDS,
        zset::COMMANDS,
        array::COMMANDS,
    ];
    families.into_iter().flatten().copied()
}
