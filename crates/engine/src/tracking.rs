//! Client-side caching: clients that are told when a key which they may have cached changes.
//!
//! In the ordinary mode the server remembers who has read which key
//! ([`Tracked`](store::tracked::Tracked), in each shard). In broadcast mode a client names prefixes
//! and hears of every change below them. Both become an [`Invalidation`], which travels as a
//! message to the event loop of its receiver; so a client gets the reply to a command before what
//! the command invalidated.

mod broadcast;
mod invalidation;
mod session;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use parking_lot::RwLock;
use store::consumers::Tracking;
use store::effects::Modified;
use store::tracked::Reader;

use crate::clients::{ClientFlags, ClientHandle, Clients};
use crate::engine::Engine;
use crate::platform::{Message, Platform};
use crate::push::Push;
use broadcast::Broadcasts;
pub use invalidation::Invalidation;
pub(crate) use session::{Caching, Mode, TrackingSession};

/// A client that caches, as those see it who change keys.
#[derive(Debug)]
pub(crate) struct Tracker {
    /// Its number in the tables.
    pub(crate) number: Reader,
    pub(crate) handle: Arc<ClientHandle>,
    /// Whether it is spared its own changes.
    pub(crate) no_loop: AtomicBool,
    /// The client that gets its invalidations; 0 for itself.
    pub(crate) redirect: AtomicU64,
}

impl Tracker {
    /// Whether it is told of anything.
    fn is_on(&self) -> bool {
        self.handle.flags().has(ClientFlags::TRACKING)
    }

    /// Whether it is told of keys that it has read.
    fn is_told_of_reads(&self) -> bool {
        let flags = self.handle.flags();
        flags.has(ClientFlags::TRACKING) && !flags.has(ClientFlags::BROADCAST)
    }

    /// Whether it is spared what `session` has changed.
    fn is_spared(&self, session: u64) -> bool {
        self.no_loop.load(Ordering::Relaxed) && self.handle.id == session
    }
}

/// Everybody who caches.
#[derive(Debug, Default)]
pub(crate) struct Trackers {
    by_number: RwLock<HashMap<Reader, Arc<Tracker>>>,
    broadcasts: RwLock<Broadcasts>,
    last_number: AtomicU32,
    /// Clients that have tracking on.
    on: AtomicUsize,
    /// Whether the last of them has turned it off, and the tables remember still who has read what.
    stale: AtomicBool,
    /// Bytes of messages on their way to those who have read a key.
    under_way: Arc<AtomicU64>,
    /// Decides which keys leave a table that is too large.
    lot: AtomicU64,
}

impl Trackers {
    /// Number of clients that have tracking on.
    pub(crate) fn len(&self) -> usize {
        self.on.load(Ordering::Relaxed)
    }

    /// Whether nobody is to be told of changes.
    pub(crate) fn is_idle(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of messages that have not reached the sockets of their receivers. There may be many
    /// where receivers do not read, which is not the place to say so.
    pub(crate) fn bytes_under_way(&self) -> u64 {
        const SHOWN_MAX: u64 = 4 << 20;
        self.under_way.load(Ordering::Relaxed).min(SHOWN_MAX)
    }

    /// Number of prefixes that clients in broadcast mode have named.
    pub(crate) fn prefixes(&self) -> usize {
        self.broadcasts.read().len()
    }

    /// A tracker for a client, without tracking it yet.
    fn register(&self, handle: &Arc<ClientHandle>) -> Arc<Tracker> {
        let mut by_number = self.by_number.write();
        let number = loop {
            let next = self.last_number.fetch_add(1, Ordering::Relaxed) & (u32::MAX >> 1);
            if !by_number.contains_key(&next) {
                break next;
            }
        };
        let tracker = Arc::new(Tracker {
            number,
            handle: handle.clone(),
            no_loop: AtomicBool::new(false),
            redirect: AtomicU64::new(0),
        });
        by_number.insert(number, tracker.clone());
        tracker
    }

    fn find(&self, number: Reader) -> Option<Arc<Tracker>> {
        self.by_number.read().get(&number).cloned()
    }
}

/// Sends invalidations; plugged in among the consumers of effects.
pub(crate) struct Invalidations {
    pub(crate) trackers: Arc<Trackers>,
    pub(crate) clients: Arc<Clients>,
    pub(crate) platform: Arc<dyn Platform>,
}

impl Invalidations {
    /// Sends keys to one client, or to the one that it names in its place.
    fn send(&self, tracker: &Tracker, keys: &Arc<Invalidation>) {
        let redirect = tracker.redirect.load(Ordering::Relaxed);
        let (receiver, push) = if redirect == 0 {
            (tracker.handle.clone(), Push::Invalidated(keys.clone()))
        } else if let Some(target) = self.clients.get(redirect) {
            (target, Push::Redirected(keys.clone()))
        } else {
            tracker.handle.set_flag(ClientFlags::BROKEN_REDIRECT, true);
            (tracker.handle.clone(), Push::RedirectBroken(redirect))
        };
        let clients = Arc::new(vec![receiver.id]);
        self.platform.send(receiver.thread, Message::Push { clients, push });
    }

    /// Tells these clients that they may have cached a key which has changed; whether it told any.
    pub(crate) fn tell_readers(&self, key: &[u8], readers: &[Reader], spared: u64) -> bool {
        let mut keys = None;
        for number in readers {
            let Some(tracker) = self.trackers.find(*number) else { continue };
            if tracker.is_told_of_reads() && !tracker.is_spared(spared) {
                let new = || Invalidation::counted(key, readers.len(), &self.trackers.under_way);
                let keys = keys.get_or_insert_with(|| Arc::new(new()));
                self.send(&tracker, keys);
            }
        }
        keys.is_some()
    }

    /// Tells these clients to forget everything.
    fn tell_all_of(&self, readers: &[Reader]) {
        let all = Arc::new(Invalidation::everything());
        let trackers = readers.iter().filter_map(|number| self.trackers.find(*number));
        trackers.filter(|t| t.is_told_of_reads()).for_each(|tracker| self.send(&tracker, &all));
    }
}

impl Tracking for Invalidations {
    fn keys_modified(&self, keys: &[Modified], session: u64) -> bool {
        let mut told = false;
        for modified in keys {
            let readers = modified.readers.as_ref().map_or(&[][..], |readers| readers.as_slice());
            told |= self.tell_readers(&modified.key.key, readers, session);
        }
        let broadcasts = self.trackers.broadcasts.read();
        if !broadcasts.is_empty() {
            broadcasts.tell(keys, session, |tracker, keys| {
                self.send(tracker, keys);
                told = true;
            });
        }
        told
    }

    fn flushed(&self) -> bool {
        let all = Arc::new(Invalidation::everything());
        for tracker in self.trackers.by_number.read().values() {
            if tracker.is_on() {
                self.send(tracker, &all);
            }
        }
        !self.trackers.is_idle()
    }
}

impl Engine {
    /// Removes keys from the tables as long as they are more than `tracking-table-max-keys`, and
    /// tells who may have cached them. Nothing is held.
    pub(crate) fn limit_tracked_keys(&self) {
        let max = self.config.get(config::rows::TRACKING_TABLE_MAX_KEYS).unsigned_abs();
        while max > 0 && self.store.tracked_keys() > max {
            // An odd constant with mixed bits: every shard has its turn.
            let lot = self.trackers.lot.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            let found = self.store.evict_tracked(lot, |key, readers| match key {
                Some(key) => {
                    self.invalidations().tell_readers(key, readers, 0);
                }
                None => self.invalidations().tell_all_of(readers),
            });
            if !found {
                return;
            }
        }
    }

    /// Empties the tables if nobody is to be told any more; later if a script holds locks for long.
    /// Nothing is held: so not within `EXEC`, but behind it.
    #[inline]
    pub(crate) fn forget_reads(&self) {
        if self.trackers.stale.load(Ordering::Relaxed) {
            self.forget_stale_reads();
        }
    }

    /// Who turns tracking on meanwhile ends this; what was read before may then be told once more.
    #[cold]
    fn forget_stale_reads(&self) {
        if self.trackers.stale.swap(false, Ordering::Relaxed) {
            let forgotten = self.store.forget_tracked(|| self.trackers.is_idle());
            if forgotten.is_err() {
                self.trackers.stale.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Who sends invalidations.
    pub(crate) fn invalidations(&self) -> Invalidations {
        let (trackers, clients) = (self.trackers.clone(), self.clients.clone());
        Invalidations { trackers, clients, platform: self.platform.clone() }
    }
}
