//! Expiry: what follows when a key's time has come, and the sweep that finds such keys on time.
//!
//! A look-up removes a key that is due (lazy expiry, in [`crate::keyspace`]). The sweep here
//! reclaims the keys that nobody looks up, shard by shard, a bounded number of entries under each
//! lock.

use collections::entry::Entry;
use parking_lot::MutexGuard;
use collections::table::KeyTable;

use crate::UnixMs;
use crate::effects::{Effects, Event, EventClass, Interest};
use crate::shard::{Shard, Store};

/// Records that `entry` was removed because its time had come.
pub(crate) fn expired(effects: &mut Effects, db: usize, entry: Entry) {
    let key = entry.key();
    effects.counters.expired += 1;
    let unlinks = effects.interest.wants(Interest::UNLINK_EXPIRED);
    effects.record(db, &[if unlinks { b"UNLINK".as_slice() } else { b"DEL" }, key]);
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
    /// Removes keys of `shard` that are due, at most one batch of one database, since a batch is
    /// what one lock may cover. `route` is called with the effects while the lock is held. Returns
    /// whether due keys may remain: call again then.
    pub fn expire_shard(
        &self,
        shard: usize,
        sweep: Sweep,
        effects: &mut Effects,
        mut route: impl FnMut(&mut Effects),
    ) -> bool {
        let mut shard = self.shards[shard].lock();
        let Shard { databases, watchers } = &mut *shard;
        let has_due = |table: &KeyTable| table.has_due(sweep.now, sweep.slack_ms);
        let Some(db) = databases.iter().position(has_due) else { return false };
        let (table, rest) = databases[db..].split_first_mut().expect("a database was found there");
        let mut more = rest.iter().any(has_due);
        let rehash = |key: &[u8]| self.position(key);
        more |= table.expire_due(sweep.now, sweep.slack_ms, sweep.batch, &rehash, |entry| {
            if !watchers.is_empty() {
                watchers.key_expired(db, entry.key());
            }
            expired(effects, db, entry);
        });
        if effects.pending() {
            route(effects);
        }
        // Whoever waits goes first: a sweep that took the lock back at once could hold a command
        // up for as long as the shard has due keys.
        MutexGuard::unlock_fair(shard);
        more
    }
}
