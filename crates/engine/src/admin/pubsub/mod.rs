//! The publish/subscribe family.

use command::{Categories, Flags};

use super::AdminCommand;

mod introspection;
mod publish;
mod subscribe;

/// The family's table.
pub const COMMANDS: &[&AdminCommand] = &[
    &subscribe::PSUBSCRIBE,
    &publish::PUBLISH,
    &introspection::PUBSUB,
    &subscribe::PUNSUBSCRIBE,
    &publish::SPUBLISH,
    &subscribe::SSUBSCRIBE,
    &subscribe::SUBSCRIBE,
    &subscribe::SUNSUBSCRIBE,
    &subscribe::UNSUBSCRIBE,
];

const OPEN: Flags = Flags::PUBSUB.union(Flags::LOADING).union(Flags::STALE);
const PUBSUB: Categories = Categories::PUBSUB;

/// Whether a client that listens in RESP2 may send the command: whatever it receives then could be
/// a message, so that an ordinary reply could not be told from one.
pub(crate) fn allowed_while_subscribed(name: &str) -> bool {
    const ALLOWED: &[&str] = &[
        "ping",
        "subscribe",
        "ssubscribe",
        "psubscribe",
        "unsubscribe",
        "sunsubscribe",
        "punsubscribe",
        "quit",
        "reset",
    ];
    ALLOWED.contains(&name)
}
