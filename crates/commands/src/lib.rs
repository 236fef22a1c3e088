//! The core command families, one folder each. A file holds one command or a few true siblings: its
//! specification, the parsing of its arguments (which sees no store), its execution (which sees no
//! socket) and its tests.
//!
//! Adding a command touches its file and one row of its family's table.

use command::DataCommand;

pub mod array;
pub mod bitmap;
mod element_scan;
mod first_key;
pub mod geo;
pub mod hash;
pub mod hyperloglog;
pub mod keys;
pub mod list;
#[cfg(test)]
mod meta_tests;
mod random;
pub mod set;
pub mod stream;
pub mod string;
#[cfg(test)]
mod testing;
pub mod zset;

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
