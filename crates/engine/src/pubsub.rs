//! Publish and subscribe: who listens to what, and how a message reaches them.
//!
//! The subscribers of a channel are lists of client numbers, one for each event loop that owns any.
//! A message is written once for each protocol version and shared by all who get it
//! ([`Published`]); each loop gets one letter with the message and its list, and hands it to its
//! own connections. All loops get the letters of one channel in the same order: its lock is held
//! while they are sent.
//!
//! A subscription begins and ends in the subscriber's own thread, which also delivers: so a
//! confirmation always comes before the first message, and a message that is on its way when the
//! subscription ends is dropped ([`Session::wants`]), but for what a client says to itself: within
//! one transaction it may begin to listen, speak, and end.

mod message;
mod patterns;
mod topics;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hashbrown::HashSet;
use parking_lot::RwLock;

use crate::clients::ClientFlags;
use crate::platform::{Message, Platform};
use crate::push::Push;
use crate::session::Session;

pub use message::Published;
use patterns::Patterns;
pub(crate) use topics::Listeners;
use topics::Topics;

/// What a subscription is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A channel by its name.
    Channel,
    /// All channels that match a pattern.
    Pattern,
    /// A channel of one shard of a cluster.
    Shard,
}

impl Kind {
    /// All, in the order of their indexes.
    const ALL: [Self; 3] = [Self::Channel, Self::Pattern, Self::Shard];
}

/// All subscriptions of the server.
#[derive(Debug, Default)]
pub(crate) struct PubSub {
    channels: Topics,
    shards: Topics,
    patterns: RwLock<Patterns>,
}

impl PubSub {
    /// Whether nobody listens to anything.
    pub(crate) fn is_silent(&self) -> bool {
        self.channels.is_empty() && self.shards.is_empty() && self.patterns.read().is_empty()
    }

    /// Number of names with at least one subscriber.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Channel => self.channels.len(),
            Kind::Shard => self.shards.len(),
            Kind::Pattern => self.patterns.read().len(),
        }
    }

    /// Number of subscribers to a channel by name.
    pub(crate) fn subscribers(&self, kind: Kind, name: &[u8]) -> usize {
        self.topics(kind).with(name, Listeners::len).unwrap_or(0)
    }

    /// The channels with subscribers for which `wanted` holds.
    pub(crate) fn names(&self, kind: Kind, wanted: impl Fn(&[u8]) -> bool) -> Vec<Box<[u8]>> {
        self.topics(kind).names(wanted)
    }

    /// Sends `payload` to those who listen to the channel, and to those with a matching pattern
    /// unless it is one of a shard. Returns how many subscriptions it reached. `publisher` is the
    /// client that says it, 0 for the server.
    pub(crate) fn publish(
        &self,
        platform: &dyn Platform,
        publisher: u64,
        (kind, channel): (Kind, &[u8]),
        payload: &[u8],
    ) -> usize {
        let send = |listeners: &Listeners, message: Published| {
            let message = Arc::new(message.by(publisher));
            for (thread, clients) in listeners.by_thread() {
                let (clients, message) = (clients.clone(), message.clone());
                platform.send(thread, Message::Push { clients, push: Push::Published(message) });
            }
            listeners.len()
        };
        let direct = self.topics(kind).with(channel, |listeners| {
            send(listeners, Published::new(kind, channel, channel, payload))
        });
        let mut reached = direct.unwrap_or(0);
        if kind == Kind::Channel {
            self.patterns.read().matching(channel, |pattern, listeners| {
                let message = Published::new(Kind::Pattern, pattern, channel, payload);
                reached += send(listeners, message);
            });
        }
        reached
    }

    /// How many subscriptions a message on the channel would reach.
    pub(crate) fn reach(&self, kind: Kind, channel: &[u8]) -> usize {
        let mut reached = self.subscribers(kind, channel);
        if kind == Kind::Channel {
            self.patterns.read().matching(channel, |_, listeners| reached += listeners.len());
        }
        reached
    }

    fn topics(&self, kind: Kind) -> &Topics {
        if kind == Kind::Shard { &self.shards } else { &self.channels }
    }

    fn add(&self, kind: Kind, name: &[u8], thread: usize, client: u64) {
        match kind {
            Kind::Pattern => self.patterns.write().add(name, thread, client),
            Kind::Channel | Kind::Shard => self.topics(kind).add(name, thread, client),
        }
    }

    fn remove(&self, kind: Kind, name: &[u8], thread: usize, client: u64) {
        match kind {
            Kind::Pattern => self.patterns.write().remove(name, thread, client),
            Kind::Channel | Kind::Shard => self.topics(kind).remove(name, thread, client),
        }
    }
}

/// What a session listens to; never empty.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    names: [HashSet<Arc<[u8]>>; 3],
    /// Of the names and what stands for them.
    bytes: usize,
}

/// What a subscription takes beside its name, here and in the table of channels or patterns: two
/// references, the counts of the shared name, a client's number.
const SUBSCRIPTION_BYTES: usize = 56;

impl Subscriptions {
    fn is_empty(&self) -> bool {
        self.names.iter().all(HashSet::is_empty)
    }
}

impl Session {
    /// Whether a message is for this session: it listens to what the message was sent to still, or
    /// it has sent it to itself, and in one go ended the subscription.
    #[must_use]
    pub fn wants(&self, message: &Published) -> bool {
        if message.publisher() == self.id() {
            return true;
        }
        let subscriptions = self.subscriptions.as_deref();
        subscriptions.is_some_and(|s| s.names[message.kind() as usize].contains(message.listened()))
    }

    /// Whether it listens to anything.
    #[must_use]
    pub const fn is_subscribed(&self) -> bool {
        self.subscriptions.is_some()
    }

    /// Number of subscriptions, as a confirmation tells it: channels and patterns count together.
    pub(crate) fn subscribed(&self, kind: Kind) -> usize {
        let count = |kind: Kind| {
            self.subscriptions
                .as_ref()
                .map_or(0, |subscriptions| subscriptions.names[kind as usize].len())
        };
        match kind {
            Kind::Channel | Kind::Pattern => count(Kind::Channel) + count(Kind::Pattern),
            Kind::Shard => count(Kind::Shard),
        }
    }

    /// The names of one kind that the session listens to.
    pub(crate) fn subscriptions(&self, kind: Kind) -> Vec<Arc<[u8]>> {
        let subscriptions = self.subscriptions.as_deref();
        subscriptions.map_or_else(Vec::new, |s| s.names[kind as usize].iter().cloned().collect())
    }

    /// Begins to listen, if it does not do so yet.
    pub(crate) fn subscribe(&mut self, pubsub: &PubSub, kind: Kind, name: &[u8]) {
        let (thread, client) = (self.handle.thread, self.id());
        let subscriptions = self.subscriptions.get_or_insert_default();
        if subscriptions.names[kind as usize].insert(name.into()) {
            subscriptions.bytes += SUBSCRIPTION_BYTES + name.len();
            pubsub.add(kind, name, thread, client);
        }
        self.show_subscriptions();
    }

    /// Ends a subscription, if there is one.
    pub(crate) fn unsubscribe(&mut self, pubsub: &PubSub, kind: Kind, name: &[u8]) {
        let (thread, client) = (self.handle.thread, self.id());
        let Some(subscriptions) = self.subscriptions.as_deref_mut() else { return };
        if subscriptions.names[kind as usize].remove(name) {
            subscriptions.bytes -= SUBSCRIPTION_BYTES + name.len();
            pubsub.remove(kind, name, thread, client);
        }
        if subscriptions.is_empty() {
            self.subscriptions = None;
        }
        self.show_subscriptions();
    }

    /// Ends all subscriptions.
    pub(crate) fn unsubscribe_all(&mut self, pubsub: &PubSub) {
        for kind in Kind::ALL {
            for name in self.subscriptions(kind) {
                self.unsubscribe(pubsub, kind, &name);
            }
        }
    }

    /// Updates what other threads see.
    fn show_subscriptions(&self) {
        let subscriptions = self.subscriptions.as_deref();
        self.handle.set_flag(ClientFlags::PUBSUB, subscriptions.is_some());
        let bytes = subscriptions.map_or(0, |s| s.bytes as u64);
        self.handle.buffers.subscriptions.store(bytes, Ordering::Relaxed);
        for kind in Kind::ALL {
            let count = subscriptions.map_or(0, |s| s.names[kind as usize].len());
            self.handle.show_subscriptions(kind, count);
        }
    }
}
