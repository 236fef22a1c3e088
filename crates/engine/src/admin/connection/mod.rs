//! The connection family: what a client says about its own connection, and about others'.

use super::AdminCommand;
use command::{Categories, Flags};

mod auth;
pub(crate) mod client;
mod hello;
mod ping;
mod reset;
mod select;

/// The family's table.
pub const COMMANDS: &[&AdminCommand] = &[
    &auth::AUTH,
    &client::CLIENT,
    &ping::ECHO,
    &hello::HELLO,
    &ping::PING,
    &reset::QUIT,
    &reset::RESET,
    &select::SELECT,
];

/// Commands that are allowed in almost every state of the server.
const ALWAYS: Flags = Flags::NOSCRIPT.union(Flags::LOADING).union(Flags::STALE);
/// Commands that a client may send before it has authenticated.
const HANDSHAKE: Flags = ALWAYS.union(Flags::FAST).union(Flags::NO_AUTH).union(Flags::ALLOW_BUSY);

const CONNECTION: Categories = Categories::CONNECTION;
