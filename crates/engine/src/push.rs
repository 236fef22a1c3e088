//! What a client gets that is no reply: published messages, lines of `MONITOR`.
//!
//! It is written by whoever has news, shared, and sent to the event loops of its receivers. Whether
//! a client gets it, and in which form, its session decides in its own thread, when it arrives.

use std::sync::Arc;

use crate::clients::ClientFlags;
use crate::pubsub::Published;
use crate::session::Session;

/// A message for clients that did not ask for it just then.
#[derive(Clone, Debug)]
pub enum Push {
    /// A published message.
    Published(Arc<Published>),
    /// A command that somebody has executed, as a whole reply.
    Monitored(Arc<[u8]>),
}

impl Session {
    /// The bytes that this client gets of a push; none if it is not for this client any more.
    #[must_use]
    pub fn receive(&self, push: &Push) -> Option<Arc<[u8]>> {
        match push {
            Push::Published(message) => {
                self.wants(message).then(|| message.bytes(self.version).clone())
            }
            Push::Monitored(line) => {
                self.handle.flags().has(ClientFlags::MONITOR).then(|| line.clone())
            }
        }
    }
}
