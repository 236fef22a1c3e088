//! `WATCH`: which sessions must be told that a key changed.
//!
//! The registrations of a key live in the key's shard, under its lock, so that "was it changed
//! since I watched it" has one answer. A registration is an `Arc` flag of the session's transaction
//! state: the edit handle raises it, `EXEC` reads it after it has locked the watched keys' shards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashMap;

/// Raised when any key the session watches has changed.
#[derive(Debug, Default)]
pub struct WatchFlag(AtomicBool);

impl WatchFlag {
    /// Marks the transaction as doomed.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether a watched key changed.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

#[derive(Debug)]
struct Watcher {
    flag: Arc<WatchFlag>,
    /// The session knows the key as past its time: removing it is then no change.
    expired: bool,
}

type Keys = HashMap<Box<[u8]>, Vec<Watcher>, foldhash::fast::RandomState>;

/// The watched keys of one shard.
#[derive(Debug, Default)]
pub struct Watchers {
    databases: HashMap<usize, Keys, foldhash::fast::RandomState>,
}

impl Watchers {
    /// Whether nobody watches anything here: the common case, checked on every edit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.databases.is_empty()
    }

    /// Registers `flag` for `key`; `expired` says that the key was already past its time. False if
    /// it is registered already, which then stays as it is.
    pub fn add(&mut self, db: usize, key: &[u8], flag: &Arc<WatchFlag>, expired: bool) -> bool {
        let keys = self.databases.entry(db).or_default();
        let watchers = match keys.get_mut(key) {
            Some(watchers) => watchers,
            None => keys.entry(key.into()).or_default(),
        };
        let is_new = !watchers.iter().any(|w| Arc::ptr_eq(&w.flag, flag));
        if is_new {
            watchers.push(Watcher { flag: flag.clone(), expired });
        }
        is_new
    }

    /// Removes the registration of `flag` for `key`.
    pub fn remove(&mut self, db: usize, key: &[u8], flag: &Arc<WatchFlag>) {
        let Some(keys) = self.databases.get_mut(&db) else { return };
        if let Some(watchers) = keys.get_mut(key) {
            watchers.retain(|w| !Arc::ptr_eq(&w.flag, flag));
            if watchers.is_empty() {
                keys.remove(key);
            }
        }
        if keys.is_empty() {
            self.databases.remove(&db);
        }
    }

    /// Whether the key was past its time already when `flag` was registered.
    #[must_use]
    pub fn saw_expired(&self, db: usize, key: &[u8], flag: &Arc<WatchFlag>) -> bool {
        let watchers = self.databases.get(&db).and_then(|keys| keys.get(key));
        let own = watchers.and_then(|list| list.iter().find(|w| Arc::ptr_eq(&w.flag, flag)));
        own.is_some_and(|w| w.expired)
    }

    /// The key changed.
    pub fn key_changed(&self, db: usize, key: &[u8]) {
        if let Some(watchers) = self.databases.get(&db).and_then(|keys| keys.get(key)) {
            watchers.iter().for_each(|w| w.flag.raise());
        }
    }

    /// The key's time had come and it was removed: only those who saw it alive are told.
    pub fn key_expired(&self, db: usize, key: &[u8]) {
        if let Some(watchers) = self.databases.get(&db).and_then(|keys| keys.get(key)) {
            watchers.iter().filter(|w| !w.expired).for_each(|w| w.flag.raise());
        }
    }

    /// Every key for which `changed(key, stale)` holds has changed: a flush or an exchange of
    /// databases. `stale` says that the session knows the key as past its time; `changed` sets it
    /// to what the session knows from now on.
    pub fn database_changed(
        &mut self,
        db: usize,
        mut changed: impl FnMut(&[u8], &mut bool) -> bool,
    ) {
        let Some(keys) = self.databases.get_mut(&db) else { return };
        for (key, watchers) in keys {
            for watcher in watchers {
                if changed(key, &mut watcher.expired) {
                    watcher.flag.raise();
                }
            }
        }
    }

    /// Number of watched keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.databases.values().map(HashMap::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_raises_the_flags_of_that_key_only() {
        let (a, b) = (Arc::new(WatchFlag::default()), Arc::new(WatchFlag::default()));
        let mut watchers = Watchers::default();
        assert!(watchers.add(0, b"a", &a, false));
        assert!(!watchers.add(0, b"a", &a, false), "once is enough");
        assert!(watchers.add(1, b"a", &b, false));
        watchers.key_changed(0, b"a");
        assert!(a.is_raised() && !b.is_raised());
        watchers.remove(0, b"a", &a);
        watchers.remove(1, b"a", &b);
        assert!(watchers.is_empty());
    }

    #[test]
    fn expiry_of_a_key_watched_when_stale_is_no_change() {
        let (stale, alive) = (Arc::new(WatchFlag::default()), Arc::new(WatchFlag::default()));
        let mut watchers = Watchers::default();
        watchers.add(0, b"k", &stale, true);
        watchers.add(0, b"k", &alive, false);
        watchers.key_expired(0, b"k");
        assert!(!stale.is_raised() && alive.is_raised());
    }
}
