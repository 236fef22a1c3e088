//! What a client gets that is no reply: published messages, lines of `MONITOR`, invalidations.
//!
//! It is written by whoever has news, shared, and sent to the event loops of its receivers. Whether
//! a client gets it, and in which form, its session decides in its own thread, when it arrives.

use std::sync::Arc;

use resp::{Reply, Version};

use crate::clients::ClientFlags;
use crate::pubsub::Published;
use crate::session::Session;
use crate::tracking::Invalidation;

/// A message for clients that did not ask for it just then.
#[derive(Clone, Debug)]
pub enum Push {
    /// A published message.
    Published(Arc<Published>),
    /// A command that somebody has executed, as a whole reply.
    Monitored(Arc<[u8]>),
    /// Keys that a client has cached are not what they were.
    Invalidated(Arc<Invalidation>),
    /// Keys that another client has cached, which gets its invalidations here.
    Redirected(Arc<Invalidation>),
    /// The client whose number this is gets invalidations no more, since it is gone.
    RedirectBroken(u64),
    /// What the client's debugger of scripts has to say, as a whole reply.
    Debugger(Arc<[u8]>),
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
            Push::Debugger(lines) => self.is_debugging().then(|| lines.clone()),
            Push::Invalidated(keys) => {
                (self.version == Version::Resp3).then(|| keys.bytes(self.version).clone())
            }
            Push::Redirected(keys) => {
                let listens = self.version == Version::Resp3 || self.subscriptions.is_some();
                listens.then(|| keys.bytes(self.version).clone())
            }
            Push::RedirectBroken(target) => (self.version == Version::Resp3).then(|| {
                let mut reply = Reply::new(self.version);
                reply.push(2);
                reply.bulk(b"tracking-redir-broken");
                reply.integer(*target as i64);
                reply.take_bytes().into()
            }),
        }
    }
}
