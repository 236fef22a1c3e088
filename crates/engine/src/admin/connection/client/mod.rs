//! `CLIENT`: connections as objects, to list, name, kill and pause.

use command::{Command, Group, Spec};

use crate::admin::{AdminCommand, AdminHandler, container};

mod filter;
mod help;
mod kill;
pub(crate) mod list;
mod mode;
pub(super) mod names;
mod pause;
mod tracking;

/// `CLIENT subcommand ...`
pub static CLIENT: AdminCommand = Command::container(
    Spec::new(
        "client",
        Group::Connection,
        "2.4.0",
        -2,
        "Depends on subcommand.",
        "A container for client connection commands.",
    ),
    container as AdminHandler,
    &[
        &tracking::CACHING,
        &names::CAPA,
        &names::GETNAME,
        &tracking::GETREDIR,
        &help::HELP,
        &list::ID,
        &mode::IMPORT_SOURCE,
        &list::INFO,
        &kill::KILL,
        &list::LIST,
        &mode::NO_EVICT,
        &mode::NO_TOUCH,
        &pause::PAUSE,
        &mode::REPLY,
        &names::SETINFO,
        &names::SETNAME,
        &tracking::TRACKING,
        &tracking::TRACKINGINFO,
        &kill::UNBLOCK,
        &pause::UNPAUSE,
    ],
);
