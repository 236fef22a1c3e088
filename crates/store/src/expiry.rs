//! Expiry: what follows when a key's time has come, and the sweep that finds such keys on time.
//!
//! A look-up removes a key that is due (lazy expiry, in [`crate::keyspace`]). The sweep here
//! reclaims the keys that nobody looks up, shard by shard, a bounded number of entries under each
//! lock. Fields of hashes have deadlines of their own, and are removed in the same two ways.

use collections::entry::Entry;
use collections::table::{Expired, KeyTable};
use parking_lot::MutexGuard;

use crate::UnixMs;
use crate::effects::{Effects, Event, EventClass, Interest, Subkeys};
use crate::shard::{Shard, Store};
use crate::waiting::Waiting;
use crate::watch::Watchers;

/// Records that `entry` was removed because its time had come.
pub(crate) fn expired(
    watchers: &Watchers,
    waiting: &Waiting,
    effects: &mut Effects,
    db: usize,
    entry: Entry,
) {
    let key = entry.key();
    if !watchers.is_empty() {
        watchers.key_expired(db, key);
    }
    if waiting.awaits_loss(db, key) {
        effects.ready(db, key);
    }
    effects.counters.expired += 1;
    let unlinks = effects.interest.wants(Interest::UNLINK_EXPIRED);
    effects.record(db, &[if unlinks { b"UNLINK".as_slice() } else { b"DEL" }, key]);
    effects.modified_by_time(db, key);
    effects.event(db, Event { class: EventClass::Expired, name: "expired" }, key);
    effects.discard(entry);
}

/// Records that fields were removed from the hash under `key` because their time had come. Replicas
/// get a deletion for each.
pub(crate) fn fields_expired(
    watchers: &Watchers,
    effects: &mut Effects,
    db: usize,
    key: &[u8],
    names: &[Box<[u8]>],
) {
    if !watchers.is_empty() {
        watchers.key_changed(db, key);
    }
    effects.counters.expired_fields += names.len() as u64;
    for name in names {
        effects.record(db, &[b"HDEL", key, name]);
    }
    effects.modified_by_time(db, key);
    let mut about = Subkeys::new(effects.interest);
    about.note_all(names.iter().map(|name| &**name));
    effects.event_about(db, Event { class: EventClass::Hash, name: "hexpired" }, key, about);
}

/// Records that a hash was removed because its last field was: that goes without saying in the log.
pub(crate) fn emptied(effects: &mut Effects, db: usize, entry: Entry) {
    effects.event(db, Event::generic("del"), entry.key());
    effects.discard(entry);
}

/// How a sweep is bounded.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// The time.
    pub now: UnixMs,
    /// A segment of a large table is visited once its earliest deadline is this many milliseconds
    /// past: visiting later finds more due keys at once. Those of small tables are visited at once.
    pub slack_ms: u64,
    /// Entries to visit under one lock.
    pub batch: usize,
}

impl Sweep {
    /// The slack for one table.
    fn slack_of(&self, table: &KeyTable) -> u64 {
        /// Visiting all entries of so few takes some microseconds.
        const SMALL: usize = 1_000;
        if table.len() < SMALL { 0 } else { self.slack_ms }
    }
}

impl Store {
    /// Removes keys and fields of `shard` that are due, at most one batch of one database, since a
    /// batch is what one lock may cover. `route` is called with the effects while the lock is held.
    /// Returns whether due keys may remain: call again then.
    pub fn expire_shard(
        &self,
        shard: usize,
        sweep: Sweep,
        effects: &mut Effects,
        mut route: impl FnMut(&mut Effects),
    ) -> bool {
        let mut shard = self.shards[shard].lock();
        let Shard { databases, watchers, waiting, tracked } = &mut *shard;
        let has_due = |table: &KeyTable| table.has_due(sweep.now, sweep.slack_of(table));
        let Some(db) = databases.iter().position(has_due) else { return false };
        let mut more = databases.iter().skip(db + 1).any(has_due);
        let table = &mut databases[db];
        let rehash = |key: &[u8]| self.position(key);
        // Under the lock, as for a command.
        effects.interest = self.interest();
        let gone = |gone: Expired<'_>| match gone {
            Expired::Key(entry) => expired(watchers, waiting, effects, db, entry),
            Expired::Fields { key, names } => {
                fields_expired(watchers, effects, db, key, names);
            }
            Expired::Emptied(entry) => emptied(effects, db, entry),
        };
        let slack_ms = sweep.slack_of(table);
        more |= table.expire_due(sweep.now, slack_ms, sweep.batch, &rehash, gone);
        // The locks of whoever waits for the end of a key may be others than this one.
        effects.ready_later.append(&mut effects.ready);
        for modified in &mut effects.modified {
            modified.readers = Some(self.take_readers(&modified.key.key, tracked));
        }
        if effects.pending() {
            route(effects);
        }
        // Whoever waits goes first: a sweep that took the lock back at once could hold a command
        // up for as long as the shard has due keys.
        MutexGuard::unlock_fair(shard);
        more
    }
}

#[cfg(test)]
mod tests {
    use collections::entry::NewValue;
    use stdx::rng::Rng;

    use super::*;
    use crate::position::SHARDS;
    use crate::{Deadline, Held, Keyspace, Scope};

    const NOW: UnixMs = 1_000_000;
    const SET: Event = Event::string("set");

    fn with_keys<R>(
        store: &Store,
        effects: &mut Effects,
        db: usize,
        work: impl FnOnce(&mut Keyspace<'_>) -> R,
    ) -> R {
        let scope = Scope { db, now: NOW, access: Default::default(), overdue: Default::default() };
        let mut rng = Rng::seed(1);
        let held = Held::all(store);
        work(&mut Keyspace::new(store, held, effects, scope, &mut rng))
    }

    fn set(store: &Store, db: usize, key: &[u8], deadline: Deadline) {
        with_keys(store, &mut Effects::default(), db, |keys| {
            keys.edit(key).set(NewValue::Int(1), deadline, SET);
        });
    }

    #[test]
    fn one_lock_covers_one_batch_of_one_database() {
        let store = Store::new(4, [1, 2]);
        (0..4).for_each(|db| set(&store, db, b"key", Deadline::At(NOW - 1)));
        let shard = crate::position::shard_of(store.position(b"key"));
        let sweep = Sweep { now: NOW, slack_ms: 0, batch: 512 };
        let mut effects = Effects::default();
        let more = [1, 2, 3, 4].map(|removed| {
            let more = store.expire_shard(shard, sweep, &mut effects, |_| {});
            assert_eq!(effects.counters.expired, removed);
            more
        });
        assert_eq!(more, [true, true, true, false]);
        assert!(store.is_empty());
    }

    #[test]
    fn the_log_names_the_removal_as_configured() {
        let store = Store::new(1, [1, 2]);
        for (interest, word) in
            [(Interest::LOG, &b"DEL"[..]), (Interest::LOG | Interest::UNLINK_EXPIRED, b"UNLINK")]
        {
            store.set_interest(interest);
            let mut effects = Effects { interest, ..Effects::default() };
            set(&store, 0, b"read", Deadline::At(NOW - 1));
            with_keys(&store, &mut effects, 0, |keys| assert!(keys.peek(b"read").is_none()));
            set(&store, 0, b"swept", Deadline::At(NOW - 1));
            // Who listens is known under the lock only.
            effects.interest = Interest::NONE;
            let sweep = Sweep { now: NOW, slack_ms: 0, batch: 512 };
            for shard in 0..SHARDS {
                store.expire_shard(shard, sweep, &mut effects, |_| {});
            }
            let line = |key: &str| (0, format!("{} {key}", String::from_utf8_lossy(word)));
            assert_eq!(effects.records.lines(), [line("read"), line("swept")]);
        }
    }

    #[test]
    fn the_average_time_to_live_counts_few_keys_among_many_shards() {
        let store = Store::new(2, [1, 2]);
        let average = |db| with_keys(&store, &mut Effects::default(), db, |k| k.average_ttl(db));
        assert_eq!(average(1), 0);
        (0..1000).for_each(|key: u32| set(&store, 1, &key.to_be_bytes(), Deadline::Clear));
        assert_eq!(average(1), 0);
        set(&store, 1, b"a", Deadline::At(NOW + 1000));
        set(&store, 1, b"b", Deadline::At(NOW + 4000));
        assert_eq!(average(1), 2500);
        set(&store, 0, b"far", Deadline::At(UnixMs::MAX));
        set(&store, 0, b"too", Deadline::At(UnixMs::MAX));
        assert_eq!(average(0), UnixMs::MAX - NOW);
    }
}
