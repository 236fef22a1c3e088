//! Who may ask for the effects of edits. The engine routes each command's [`Effects`] to them while
//! the command's locks are still held, so every consumer sees one valid serial order per key, and
//! the log one of the whole dataset.
//!
//! A consumer that does not exist yet plugs in here without touching a handler.

use std::sync::Arc;

use crate::effects::{Effects, Interest, KeyEvent, Modified, forget};
use crate::records::Records;

/// Publishes keyspace events to `__keyspace@N__` and `__keyevent@N__` channels.
pub trait KeyspaceEvents: Send + Sync {
    /// One event, in the order of the edits. Must not block.
    fn key_event(&self, event: &KeyEvent);
}

/// Sends invalidation messages to clients that cache keys.
pub trait Tracking: Send + Sync {
    /// Keys changed, by one command or transaction of the client `session`. Whether anybody was
    /// told. Must not block.
    fn keys_modified(&self, keys: &[Modified], session: u64) -> bool;

    /// Whole databases changed. Whether anybody was told. Must not block.
    fn flushed(&self) -> bool;
}

/// The effect log that feeds the AOF, the replication backlog and the replicas.
pub trait CommandLog: Send + Sync {
    /// Appends what one command or transaction did; the position in bytes where the log ends then.
    /// Called with the locks of every changed key held.
    fn append(&self, records: &Records) -> u64;

    /// Whether it is fed at all: nothing is recorded for a log that nobody reads.
    fn is_open(&self) -> bool {
        true
    }
}

impl<L: CommandLog + ?Sized> CommandLog for Arc<L> {
    fn append(&self, records: &Records) -> u64 {
        (**self).append(records)
    }

    fn is_open(&self) -> bool {
        (**self).is_open()
    }
}

/// The consumers that are plugged in.
#[derive(Default)]
pub struct Consumers {
    /// Keyspace events.
    pub events: Option<Box<dyn KeyspaceEvents>>,
    /// Client-side caching.
    pub tracking: Option<Box<dyn Tracking>>,
    /// The log.
    pub log: Option<Box<dyn CommandLog>>,
}

impl std::fmt::Debug for Consumers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consumers").field("interest", &self.interest()).finish()
    }
}

impl Consumers {
    /// What the consumers that exist want to hear of.
    #[must_use]
    pub fn interest(&self) -> Interest {
        let mut interest = Interest::NONE;
        let wanted = [
            (self.events.is_some(), Interest::EVENTS),
            (self.tracking.is_some(), Interest::TRACKING),
            (self.log.as_ref().is_some_and(|log| log.is_open()), Interest::LOG),
        ];
        for (present, bit) in wanted {
            if present {
                interest = interest | bit;
            }
        }
        interest
    }

    /// Hands the records over and clears them; counters and garbage stay.
    pub fn route(&self, effects: &mut Effects, session: u64) {
        if !effects.records.is_empty() {
            if let Some(log) = &self.log {
                effects.logged = log.append(&effects.records);
            }
            effects.records.clear();
        }
        self.route_events(effects);
        let flushed = std::mem::take(&mut effects.flushed);
        if let Some(tracking) = &self.tracking {
            if !effects.modified.is_empty() {
                effects.told |= tracking.keys_modified(&effects.modified, session);
            }
            if flushed {
                effects.told |= tracking.flushed();
            }
        }
        forget(&mut effects.modified);
    }

    /// Hands over the events, which those hear of who listen now.
    pub fn route_events(&self, effects: &mut Effects) {
        if !effects.events.is_empty() {
            if let Some(events) = &self.events {
                effects.events.iter().for_each(|event| events.key_event(event));
            }
            forget(&mut effects.events);
        }
    }
}
