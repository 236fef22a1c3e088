//! Broadcast mode: clients that hear of every change below a prefix.
//!
//! All keys that one command or transaction has changed below a prefix go into one message, sorted
//! and each once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use store::effects::Modified;

use super::{Invalidation, Tracker};
use crate::prefix_map::PrefixMap;

/// The prefixes, with those who listen to them.
pub(super) type Broadcasts = PrefixMap<Vec<Arc<Tracker>>>;

impl Broadcasts {
    /// `tracker` hears of changes below `prefix`.
    pub(super) fn listen(&mut self, prefix: &[u8], tracker: &Arc<Tracker>) {
        self.get_or_default(prefix).push(tracker.clone());
    }

    /// `tracker` hears no more of them.
    pub(super) fn leave(&mut self, prefix: &[u8], tracker: &Arc<Tracker>) {
        let Some(listeners) = self.get_mut(prefix) else { return };
        listeners.retain(|known| !Arc::ptr_eq(known, tracker));
        if listeners.is_empty() {
            self.remove(prefix);
        }
    }

    /// Calls `send` with each listener and what it is to be told of `keys`, which `session` has
    /// changed.
    pub(super) fn tell(
        &self,
        keys: &[Modified],
        session: u64,
        mut send: impl FnMut(&Tracker, &Arc<Invalidation>),
    ) {
        let mut by_prefix: BTreeMap<&[u8], Changes<'_>> = BTreeMap::new();
        for modified in keys {
            let name = &*modified.key.key;
            for (prefix, listeners) in self.matching(name) {
                let new = || Changes { listeners, all: BTreeSet::new(), by_time: BTreeSet::new() };
                let changes = by_prefix.entry(prefix).or_insert_with(new);
                changes.all.insert(name);
                if modified.by_time {
                    changes.by_time.insert(name);
                }
            }
        }
        for changes in by_prefix.into_values() {
            changes.tell(session, &mut send);
        }
    }
}

/// What changed below a prefix.
struct Changes<'k> {
    listeners: &'k [Arc<Tracker>],
    all: BTreeSet<&'k [u8]>,
    /// Those keys whose time had come: the session that found them so is told too.
    by_time: BTreeSet<&'k [u8]>,
}

impl Changes<'_> {
    fn tell(self, session: u64, send: &mut impl FnMut(&Tracker, &Arc<Invalidation>)) {
        let message = |keys: &BTreeSet<&[u8]>| {
            let keys: Vec<&[u8]> = keys.iter().copied().collect();
            Arc::new(Invalidation::of(&keys))
        };
        let all = message(&self.all);
        for tracker in self.listeners {
            if !tracker.is_spared(session) {
                send(tracker, &all);
            } else if !self.by_time.is_empty() {
                send(tracker, &message(&self.by_time));
            }
        }
    }
}
