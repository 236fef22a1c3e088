//! Walks over the keyspace: `SCAN`, `KEYS`, `DBSIZE`, `RANDOMKEY`, digests, flushes, `SWAPDB`.
//!
//! A walk that need not be atomic goes shard by shard and, inside a shard, a bounded number of
//! logical buckets per lock, so that it never holds a lock for long. Inside a transaction, which
//! holds every lock already, the same code walks under those.

use collections::entry::EntryRef;
use collections::table::KeyTable;

use crate::effects::{DbKey, Garbage, Interest};
use crate::keyspace::Keyspace;
use crate::lock::{each_shard, with_shard};
use crate::position::{Position, SHARDS, shard_of};
use crate::shard::Usage;

/// Logical buckets visited under one lock: some hundred entries, tens of microseconds.
const BUCKETS_PER_LOCK: usize = 16;
/// Low bits of a position that a cursor leaves out, so that it fits the signed integers of every
/// client.
const CURSOR_SHIFT: u32 = 16;
/// Bits of a position inside its shard.
const SHARD_BITS: u32 = 56;

impl Keyspace<'_> {
    /// Number of keys of the selected database.
    pub fn len(&mut self) -> usize {
        let (db, mut keys) = (self.scope.db, 0);
        each_shard(&self.store.shards, &mut self.held, |_, shard| {
            keys += shard.databases[db].len()
        });
        keys
    }

    /// Whether the selected database is empty.
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0
    }

    /// What each database holds, each shard counted at its own moment.
    pub fn usage(&mut self) -> Vec<Usage> {
        let mut usage = vec![Usage::default(); self.store.databases()];
        each_shard(&self.store.shards, &mut self.held, |_, shard| {
            for (sum, table) in usage.iter_mut().zip(shard.databases.iter()) {
                sum.add(table);
            }
        });
        usage
    }

    /// Average time to live in milliseconds of the keys of `db` that have a deadline: of all in a
    /// small database, of some hundred in a large one; 0 if none was found.
    ///
    /// Shards without deadlines are passed over, so that few keys among many shards are found.
    /// Inside one the order is that of hashes: its first keys are a fair sample.
    pub fn average_ttl(&mut self, db: usize) -> u64 {
        const DEADLINES_MAX: u64 = 512;
        const ENTRIES_MAX: usize = 8192;
        let (now, first) = (self.scope.now, self.rng.index(SHARDS));
        let (mut sum, mut count, mut seen) = (0u128, 0, 0);
        for shard in (first..SHARDS).chain(0..first) {
            let mut at = Some(0);
            while let Some(position) = at.filter(|_| count < DEADLINES_MAX && seen < ENTRIES_MAX) {
                at = with_shard(&self.store.shards, &mut self.held, shard, |shard| {
                    let table = Some(&shard.databases[db]).filter(|table| table.expiring() > 0)?;
                    table.scan(position, |entry| {
                        seen += 1;
                        if let Some(deadline) = entry.deadline() {
                            sum += u128::from(deadline.saturating_sub(now));
                            count += 1;
                        }
                    })
                });
            }
        }
        let average = sum.checked_div(u128::from(count)).unwrap_or(0);
        u64::try_from(average).expect("an average is at most the largest deadline")
    }

    /// One step of `SCAN`: visits logical buckets from `cursor` until about `count` keys were seen
    /// and returns the next cursor, 0 at the end. `show` gets the entries of the keys that are
    /// `wanted`; those whose time has come are removed instead, at once or by way of
    /// [`Effects::due`](crate::Effects::due).
    pub fn scan(
        &mut self,
        cursor: u64,
        count: usize,
        mut wanted: impl FnMut(&[u8]) -> bool,
        mut show: impl FnMut(EntryRef<'_>),
    ) -> u64 {
        let now = self.scope.now;
        let mut due: Vec<Box<[u8]>> = Vec::new();
        let next = self.scan_step(cursor, count, |entry| {
            if wanted(entry.key()) {
                match entry.deadline() {
                    Some(deadline) if deadline <= now => due.push(entry.key().into()),
                    _ => show(entry),
                }
            }
        });
        if self.held.is_all() {
            for key in &due {
                let _removed = self.peek(key);
            }
        } else {
            let db = self.scope.db;
            self.effects.due.extend(due.into_iter().map(|key| DbKey { db, key }));
        }
        next
    }

    fn scan_step(&mut self, cursor: u64, count: usize, mut visit: impl FnMut(EntryRef<'_>)) -> u64 {
        let (mut shard, mut position) = split_cursor(cursor);
        let (mut seen, mut buckets) = (0, 0usize);
        // As in Redis, a step over sparse tables ends after ten buckets per wanted key.
        while seen < count && buckets < count.saturating_mul(10) {
            let next = self.scan_bucket(shard, position, |entry| {
                seen += 1;
                visit(entry);
            });
            match next {
                Some(next) => (position, buckets) = (next, buckets + 1),
                // Empty shards and the end of one cost nothing.
                None if shard + 1 == SHARDS => return 0,
                None => (shard, position) = (shard + 1, 0),
            }
        }
        self.align(shard, position, visit)
    }

    /// The cursor for `position`, rounded up; the keys that rounding would skip are shown at once.
    fn align(&mut self, shard: usize, position: u64, mut visit: impl FnMut(EntryRef<'_>)) -> u64 {
        let aligned = position.next_multiple_of(1 << CURSOR_SHIFT);
        if aligned != position {
            let store = self.store;
            let _ = self.scan_bucket(shard, position, |entry| {
                let here = local(store.position(entry.key()));
                if (position..aligned).contains(&here) {
                    visit(entry);
                }
            });
        }
        // Beyond a shard's last position is the next one's first, and beyond the last shard the
        // end.
        ((shard as u64) << SHARD_BITS).wrapping_add(aligned) >> CURSOR_SHIFT
    }

    fn scan_bucket(
        &mut self,
        shard: usize,
        position: u64,
        visit: impl FnMut(EntryRef<'_>),
    ) -> Option<u64> {
        let db = self.scope.db;
        with_shard(&self.store.shards, &mut self.held, shard, |shard| {
            shard.databases[db].scan(position, visit)
        })
    }

    /// Visits the keys of database `db`, each once at most: those that exist throughout the walk,
    /// and whichever of those that come or go meanwhile. One moment only if all locks are held.
    /// Keys whose time has come are not shown.
    pub fn walk(&mut self, db: usize, mut visit: impl FnMut(EntryRef<'_>)) {
        let (now, store) = (self.scope.now, self.store);
        for shard in 0..SHARDS {
            let mut at = Some(0);
            while let Some(mut position) = at {
                at = with_shard(&store.shards, &mut self.held, shard, |shard| {
                    for bucket in 0..BUCKETS_PER_LOCK {
                        // Buckets may have merged between two locks: then the first one holds
                        // keys before this position, which were shown already.
                        let from = if bucket == 0 { position } else { 0 };
                        position = shard.databases[db].scan(position, |entry| {
                            let shown = from > 0 && local(store.position(entry.key())) < from;
                            if !shown && entry.deadline().is_none_or(|at| at > now) {
                                visit(entry);
                            }
                        })?;
                    }
                    Some(position)
                });
            }
        }
    }

    /// Whether `key` exists in the selected database, without a trace. Its shard need not be
    /// locked if no other is.
    pub fn contains(&mut self, key: &[u8]) -> bool {
        let (scope, position) = (self.scope, self.store.position(key));
        with_shard(&self.store.shards, &mut self.held, shard_of(position), |shard| {
            let entry = shard.databases[scope.db].find(position, key);
            entry.is_some_and(|entry| entry.deadline().is_none_or(|at| !scope.is_due(at)))
        })
    }

    /// A random key of the selected database, each with about the same chance. Keys whose time has
    /// come are passed over.
    pub fn random_key(&mut self) -> Option<Box<[u8]>> {
        let scope = self.scope;
        let mut lengths = [0; SHARDS];
        each_shard(&self.store.shards, &mut self.held, |index, shard| {
            lengths[index] = shard.databases[scope.db].len();
        });
        let total: usize = lengths.iter().sum();
        // A database full of keys that are due but not yet reclaimed ends the search with a walk.
        for _ in 0..100 {
            if total == 0 {
                return None;
            }
            let mut at = self.rng.below(total as u64) as usize;
            let shard = lengths.iter().position(|&len| {
                let here = at < len;
                at = if here { at } else { at - len };
                here
            })?;
            let random = self.rng.next_u64();
            let key = with_shard(&self.store.shards, &mut self.held, shard, |shard| {
                let entry = shard.databases[scope.db].sample(random)?;
                let alive = entry.deadline().is_none_or(|at| !scope.is_due(at));
                alive.then(|| Box::from(entry.key()))
            });
            if key.is_some() {
                return key;
            }
        }
        let mut found = None;
        self.walk(scope.db, |entry| found = Some(Box::from(entry.key())));
        found
    }

    /// Empties database `db`, or all of them. Needs every lock. Returns the number of keys removed;
    /// their memory is in the effects' garbage.
    pub fn flush(&mut self, db: Option<usize>) -> usize {
        self.effects.changing = true;
        assert!(self.held.is_all(), "a flush is atomic over the whole keyspace");
        let now = self.scope.now;
        let databases = db.map_or(0..self.store.databases(), |db| db..db + 1);
        let mut removed = 0;
        for shard in 0..SHARDS {
            let shard = self.held.get_mut(shard).expect("all shards are held");
            for db in databases.clone() {
                let table = &mut shard.databases[db];
                if table.is_empty() {
                    continue;
                }
                let (old, position) = (std::mem::replace(table, KeyTable::new()), self.store);
                removed += old.len();
                shard.watchers.database_changed(db, |key, stale| {
                    let was_stale = std::mem::take(stale);
                    let entry = old.find(position.position(key), key);
                    entry.is_some_and(|e| !(was_stale && e.deadline().is_some_and(|at| at <= now)))
                });
                self.effects.garbage.extend(self.store.orphan(old).map(Garbage::Table));
            }
        }
        self.effects.dirty += removed as u64;
        self.look_after_waiters();
        self.databases_changed();
        removed
    }

    /// Whole databases changed: whatever clients have cached, of whichever database, is not
    /// remembered any more, and they are told so.
    fn databases_changed(&mut self) {
        if !self.effects.interest.wants(Interest::TRACKING) {
            return;
        }
        self.effects.flushed = true;
        self.effects.modified.clear();
        let (mut tables, mut pieces) = (Vec::new(), 0);
        for shard in 0..SHARDS {
            let shard = self.held.get_mut(shard).expect("all shards are held");
            let tracked = std::mem::take(&mut shard.tracked);
            self.store.uncount_tracked(tracked.len(), tracked.pairs());
            pieces += tracked.len();
            tables.push(tracked);
        }
        self.effects.garbage.push(Garbage::Part(Box::new(tables), pieces));
    }

    /// Whole databases changed: whoever waits for a key is looked at.
    fn look_after_waiters(&mut self) {
        if self.store.waiters() > 0 {
            for (db, key) in self.awaited_keys() {
                self.effects.ready(db, &key);
            }
        }
    }

    /// Exchanges two databases. Needs every lock.
    pub fn swap_databases(&mut self, a: usize, b: usize) {
        self.effects.changing = true;
        assert!(self.held.is_all(), "an exchange is atomic over the whole keyspace");
        let (now, store) = (self.scope.now, self.store);
        for shard in 0..SHARDS {
            let shard = self.held.get_mut(shard).expect("all shards are held");
            shard.databases.swap(a, b);
            let alive = |table: &KeyTable, key: &[u8]| {
                let entry = table.find(store.position(key), key);
                entry.map(|e| e.deadline().is_none_or(|at| at > now))
            };
            for (db, other) in [(a, b), (b, a)] {
                let (here, there) = (&shard.databases[db], &shard.databases[other]);
                shard.watchers.database_changed(db, |key, stale| {
                    let (now_alive, was_stale) = (alive(here, key), *stale);
                    // Stale keys are as good as absent: one in place of the other is no change.
                    let was_absent = was_stale || alive(there, key).is_none();
                    *stale = was_absent && now_alive == Some(false);
                    !was_absent || now_alive == Some(true)
                });
            }
        }
        self.effects.dirty += 1;
        self.look_after_waiters();
        self.databases_changed();
    }
}

/// The position inside its shard.
const fn local(position: Position) -> u64 {
    position & (u64::MAX >> 8)
}

/// The shard and the position inside it that a cursor stands for.
fn split_cursor(cursor: u64) -> (usize, u64) {
    let position = cursor << CURSOR_SHIFT;
    ((position >> SHARD_BITS) as usize, position & (u64::MAX >> 8))
}
