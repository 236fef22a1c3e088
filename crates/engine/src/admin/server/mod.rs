//! The server family: configuration, introspection, and what concerns the dataset as a whole.

use super::AdminCommand;
use ::command::Flags;

mod aof;
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
mod save;
mod shutdown;
mod state;
mod swapdb;

pub use info::sections;

/// The family's table.
pub const COMMANDS: &[&AdminCommand] = &[
    &aof::BGREWRITEAOF,
    &save::BGSAVE,
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
    &save::SAVE,
    &shutdown::SHUTDOWN,
    &command_log::SLOWLOG,
    &swapdb::SWAPDB,
    &state::TIME,
    &aof::WAIT,
    &aof::WAITAOF,
];

/// Administrative, and not for scripts.
const ADMIN: Flags = Flags::ADMIN.union(Flags::NOSCRIPT).union(Flags::LOADING).union(Flags::STALE);
/// For everybody, at any time.
const OPEN: Flags = Flags::LOADING.union(Flags::STALE);
