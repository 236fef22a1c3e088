//! The server family: configuration, introspection, and what concerns the dataset as a whole.

use super::AdminCommand;
use ::command::Flags;

mod command;
mod config;
mod debug;
mod flush;
pub(crate) mod info;
mod lolwut;
mod memory;
mod save;
mod shutdown;
mod state;
mod swapdb;

pub use info::sections;

/// The family's table.
pub const COMMANDS: &[&AdminCommand] = &[
    &save::BGSAVE,
    &command::COMMAND,
    &config::CONFIG,
    &debug::DEBUG,
    &flush::FLUSHALL,
    &flush::FLUSHDB,
    &info::INFO,
    &state::LASTSAVE,
    &lolwut::LOLWUT,
    &memory::MEMORY,
    &state::ROLE,
    &save::SAVE,
    &shutdown::SHUTDOWN,
    &swapdb::SWAPDB,
    &state::TIME,
];

/// Administrative, and not for scripts.
const ADMIN: Flags = Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::LOADING).union(Flags::STALE);
/// For everybody, at any time.
const OPEN: Flags = Flags::LOADING.union(Flags::STALE);
