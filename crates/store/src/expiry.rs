//! Expiry: what follows when a key's time has come, and the sweep that finds such keys on time.
//!
//! A look-up removes a key that is due (lazy expiry, in [`crate::keyspace`]). The sweep here
//! reclaims the keys that nobody looks up, shard by shard, a bounded number of entries under each
//! lock.

use collections::entry::Entry;

use crate::UnixMs;
use crate::effects::{Effects, Event, EventClass};
use crate::shard::{Shard, Store};

/// Records that `entry` was removed because its time had come.
pub(crate) fn expired(effects: &mut Effects, db: usize, entry: Entry) {
    let key = entry.key();
    effects.counters.expired += 1;
    effects.record(db, &[b"DEL", key]);
    effects.modified(db, key);
    effects.event(db, Event { class: EventClass::Expired, name: "expired" }, key);
    effects.discard(entry);
}

/// How a sweep is bounded.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// The time.
    pub now: UnixMs,
    /// A segment is visited once its earliest deadline is this many milliseconds past: visiting
    /// later finds more due keys at once.
    pub slack_ms: u64,
    /// Entries to visit under one lock.
    pub batch: usize,
}

impl Store {
    /// Removes keys of `shard` that are due, at most one batch per database. `route` is called
    /// with the effects while the lock is held. Returns whether due keys may remain.
    pub fn expire_shard(
        &self,
        shard: usize,
        sweep: Sweep,
        effects: &mut Effects,
        mut route: impl FnMut(&mut Effects),
    ) -> bool {
        let mut shard = self.shards[shard].lock();
        let Shard { databases, watchers } = &mut *shard;
        let mut more = false;
        for (db, table) in databases.iter_mut().enumerate() {
            if !table.has_due(sweep.now, sweep.slack_ms) {
                continue;
            }
            let rehash = |key: &[u8]| self.position(key);
            more |= table.expire_due(sweep.now, sweep.slack_ms, sweep.batch, &rehash, |entry| {
                if !watchers.is_empty() {
                    watchers.key_expired(db, entry.key());
                }
                expired(effects, db, entry);
            });
        }
        if effects.pending() {
            route(effects);
        }
        more
    }
}
