//! The server family: configuration, introspection, and what concerns the dataset as a whole.

use super::AdminCommand;
use ::command::Flags;

mod command;
mod command_log;
mod config;
mod debug;
mod flush;
pub(crate) mod info;
mod latency;
mod lolwut;
mod memory;
mod monitor;
mod shutdown;
mod state;
mod swapdb;

pub use info::sections;

/// The family's table.
pub const COMMANDS: &[&AdminCommand] = &[
    &command::COMMAND,
    &command_log::COMMANDLOG,
    &config::CONFIG,
    &debug::DEBUG,
    &flush::FLUSHALL,
    &flush::FLUSHDB,
    &info::INFO,
    &latency::LATENCY,
    &state::LASTSAVE,
    &lolwut::LOLWUT,
    &memory::MEMORY,
    &monitor::MONITOR,
    &state::ROLE,
    &shutdown::SHUTDOWN,
    &command_log::SLOWLOG,
    &swapdb::SWAPDB,
    &state::TIME,
];

/// Administrative, and not for scripts.
const ADMIN: Flags = Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::LOADING).union(Flags::STALE);
/// For everybody, at any time.
const OPEN: Flags = Flags::LOADING.union(Flags::STALE);
