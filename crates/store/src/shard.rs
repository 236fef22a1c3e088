//! The store: 256 shards, each a lock around its part of every database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};

use collections::entry::ValueRef;
use collections::prefetch::{self, Hint, LOOK_AHEAD_MAX};
use collections::table::KeyTable;
use crossbeam_utils::CachePadded;
use parking_lot::Mutex;

use crate::databases::Databases;
use crate::effects::Interest;
use crate::lock::{Held, HeldLong, lock_soon};
use crate::position::{KeyHasher, Position, SHARDS, shard_of};
use crate::snapshot::Current;
use crate::tracked::{Added, Reader, Readers, Tracked};
use crate::waiting::Waiting;
use crate::watch::{WatchFlag, Watchers};

/// One shard's part of the dataset; what every command needs comes first, behind the lock.
#[derive(Debug)]
#[repr(C)]
pub struct Shard {
    pub(crate) databases: Databases,
    /// Who watches keys of this shard.
    pub(crate) watchers: Watchers,
    /// Who waits for keys of this shard.
    pub(crate) waiting: Waiting,
    /// Who may have cached keys of this shard.
    pub(crate) tracked: Tracked,
}

impl Shard {
    fn new(databases: usize) -> Self {
        Self {
            databases: Databases::new(databases),
            watchers: Watchers::default(),
            waiting: Waiting::default(),
            tracked: Tracked::default(),
        }
    }

    /// The key table of database `db`.
    #[must_use]
    pub fn table(&self, db: usize) -> &KeyTable {
        &self.databases[db]
    }
}

/// The whole dataset. Shared by all threads; every access goes through a shard's lock.
#[derive(Debug)]
pub struct Store {
    pub(crate) shards: Box<[CachePadded<Mutex<Shard>>]>,
    hasher: KeyHasher,
    databases: usize,
    interest: AtomicU32,
    watched_keys: AtomicU64,
    /// Number of clients that wait for keys.
    pub(crate) waiting: AtomicU64,
    /// How many keep locks for long and have said so.
    long_holds: AtomicU32,
    /// Keys that clients may have cached, and pairs of such a key and a client.
    tracked_keys: AtomicU64,
    tracked_pairs: AtomicU64,
    /// Whether checksums of payloads are left unread.
    ignores_checksums: AtomicBool,
    /// The snapshot that is being taken.
    pub(crate) snapshots: Mutex<Current>,
}

impl Store {
    /// An empty store of `databases` databases whose key hash is keyed by `seed`.
    #[must_use]
    pub fn new(databases: usize, seed: [u64; 2]) -> Self {
        let shard = || CachePadded::new(Mutex::new(Shard::new(databases)));
        Self {
            shards: (0..SHARDS).map(|_| shard()).collect(),
            hasher: KeyHasher::new(seed),
            databases,
            interest: AtomicU32::new(0),
            watched_keys: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
            long_holds: AtomicU32::new(0),
            tracked_keys: AtomicU64::new(0),
            tracked_pairs: AtomicU64::new(0),
            ignores_checksums: AtomicBool::new(false),
            snapshots: Mutex::new(Current::default()),
        }
    }

    /// Number of databases.
    #[must_use]
    pub fn databases(&self) -> usize {
        self.databases
    }

    /// The position of a key.
    #[inline]
    #[must_use]
    pub fn position(&self, key: &[u8]) -> Position {
        self.hasher.position(key)
    }

    /// Who listens to effects.
    #[inline]
    #[must_use]
    pub fn interest(&self) -> Interest {
        Interest::from_bits(self.interest.load(Ordering::Relaxed))
    }

    /// Sets who listens; commands that begin afterwards record for them.
    pub fn set_interest(&self, interest: Interest) {
        self.interest.store(interest.bits(), Ordering::Relaxed);
    }

    /// Whether `RESTORE` leaves checksums unread, for tests with damaged payloads.
    #[must_use]
    pub fn ignores_checksums(&self) -> bool {
        self.ignores_checksums.load(Ordering::Relaxed)
    }

    /// Sets whether checksums are left unread.
    pub fn ignore_checksums(&self, ignore: bool) {
        self.ignores_checksums.store(ignore, Ordering::Relaxed);
    }

    /// Number of keys in `db`, each shard counted at its own moment.
    #[must_use]
    pub fn len(&self, db: usize) -> usize {
        self.shards.iter().map(|s| s.lock().databases[db].len()).sum()
    }

    /// Whether every database is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        (0..self.databases).all(|db| self.len(db) == 0)
    }

    /// Number of keys that are watched, over all sessions.
    #[must_use]
    pub fn watched_keys(&self) -> u64 {
        self.watched_keys.load(Ordering::Relaxed)
    }

    /// Asks the processor for the lock of the shard of `position`, away from the core that used it
    /// last.
    #[inline]
    pub fn prefetch_shard(&self, position: Position) {
        prefetch::for_write(&*self.shards[shard_of(position)]);
    }

    /// Asks the processor for the cache lines where the look-ups of `positions` begin; best some
    /// time after [`Store::prefetch_shard`]. Those whose shards are locked just now are left out.
    #[inline]
    pub fn prefetch_buckets(&self, db: usize, positions: &[Position]) {
        self.prefetch_all(db, positions, KeyTable::bucket_hint);
    }

    /// Asks for the entries that the look-ups of `positions` will probably find; best some time
    /// after [`Store::prefetch_buckets`].
    #[inline]
    pub fn prefetch_entries(&self, db: usize, positions: &[Position]) {
        self.prefetch_all(db, positions, KeyTable::entry_hint);
    }

    #[inline]
    fn prefetch_all(
        &self,
        db: usize,
        positions: &[Position],
        hint: impl Fn(&KeyTable, Position) -> Option<Hint>,
    ) {
        for positions in positions.chunks(LOOK_AHEAD_MAX) {
            let mut hints = [None; LOOK_AHEAD_MAX];
            for (place, &position) in hints.iter_mut().zip(positions) {
                let shard = self.shards[shard_of(position)].try_lock();
                *place = shard.and_then(|shard| hint(&shard.databases[db], position));
            }
            hints.into_iter().flatten().for_each(Hint::fetch);
        }
    }

    /// Asks for what looking up the elements of these names in the value of `key` will read, if it
    /// is a collection; best some time after [`Store::prefetch_entries`].
    pub fn prefetch_elements(&self, db: usize, position: Position, key: &[u8], names: &[&[u8]]) {
        let Some(shard) = self.shards[shard_of(position)].try_lock() else { return };
        let entry = shard.databases[db].find(position, key);
        if let Some(ValueRef::Object(object)) = entry.map(|entry| entry.value()) {
            object.prefetch(names);
        }
    }

    /// Takes back the registration of `flag` for `key`; `db` is the database it was made in. No
    /// lock is held by the caller.
    ///
    /// # Errors
    /// If the key's shard is held for long; nothing is done then.
    pub fn unwatch(&self, db: usize, key: &[u8], flag: &Arc<WatchFlag>) -> Result<(), HeldLong> {
        let position = self.position(key);
        let mut held = Held::one_soon(self, position)?;
        let shard = held.get_mut(shard_of(position)).expect("it was just locked");
        let before = shard.watchers.len();
        shard.watchers.remove(db, key, flag);
        self.count_watched(before, shard.watchers.len());
        Ok(())
    }

    /// From now on the caller keeps locks for long: who waits for them by [`Held::one_soon`] and
    /// its kin is told.
    pub fn begin_long_hold(&self) {
        self.long_holds.fetch_add(1, Ordering::Release);
    }

    /// The caller is about to give those locks back. Whoever finds them held for long after this,
    /// and leaves something undone, sees that they are not, or the caller sees what was left.
    pub fn end_long_hold(&self) {
        self.long_holds.fetch_sub(1, Ordering::Release);
        fence(Ordering::SeqCst);
    }

    /// Whether anybody keeps locks for long.
    #[must_use]
    #[inline]
    pub fn is_held_long(&self) -> bool {
        self.long_holds.load(Ordering::Acquire) > 0
    }

    /// Number of keys that clients may have cached.
    #[must_use]
    pub fn tracked_keys(&self) -> u64 {
        self.tracked_keys.load(Ordering::Relaxed)
    }

    /// Number of pairs of such a key and a client that may have cached it.
    #[must_use]
    pub fn tracked_pairs(&self) -> u64 {
        self.tracked_pairs.load(Ordering::Relaxed)
    }

    /// Forgets who may have cached what, shard by shard as long as `nobody` says that there is none
    /// who may. It is asked under each lock, so what is read from then on is not forgotten.
    ///
    /// # Errors
    /// If a shard is held for long: it and those behind it remember on.
    pub fn forget_tracked(&self, nobody: impl Fn() -> bool) -> Result<(), HeldLong> {
        for shard in 0..SHARDS {
            let mut shard = lock_soon(self, shard)?;
            if !nobody() {
                return Ok(());
            }
            let tracked = std::mem::take(&mut shard.tracked);
            drop(shard);
            self.uncount_tracked(tracked.len(), tracked.pairs());
        }
        Ok(())
    }

    /// Forgets one tracked key, which `lot` decides, and calls `tell` with its name and those who
    /// may have cached it, under its shard's lock; without a name if the key is not found. False
    /// if no key is tracked, or only such whose shards are held for long.
    pub fn evict_tracked(&self, lot: u64, tell: impl FnOnce(Option<&[u8]>, &[Reader])) -> bool {
        for step in 0..SHARDS {
            let shard = lock_soon(self, (shard_of(lot) + step) % SHARDS);
            let Ok(mut shard) = shard else { continue };
            let Some(evicted) = shard.tracked.evict(lot) else { continue };
            self.uncount_tracked(1, evicted.readers.as_slice().len());
            let mut name = evicted.name;
            for table in shard.databases.iter().filter(|table| !table.is_empty()) {
                if name.is_some() {
                    break;
                }
                table.scan(evicted.position, |entry| {
                    if self.position(entry.key()) == evicted.position {
                        name = Some(entry.key().into());
                    }
                });
            }
            tell(name.as_deref(), evicted.readers.as_slice());
            return true;
        }
        false
    }

    pub(crate) fn count_tracked(&self, added: Added) {
        if added.key {
            self.tracked_keys.fetch_add(1, Ordering::Relaxed);
        }
        if added.reader {
            self.tracked_pairs.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn uncount_tracked(&self, keys: usize, pairs: usize) {
        self.tracked_keys.fetch_sub(keys as u64, Ordering::Relaxed);
        self.tracked_pairs.fetch_sub(pairs as u64, Ordering::Relaxed);
    }

    /// Takes out who may have cached a key that has changed; its shard's table is locked.
    pub(crate) fn take_readers(&self, key: &[u8], tracked: &mut Tracked) -> Readers {
        let readers = tracked.take(self.position(key));
        if readers != Readers::None {
            self.uncount_tracked(1, readers.as_slice().len());
        }
        readers
    }

    pub(crate) fn count_watched(&self, before: usize, after: usize) {
        let delta = (after as u64).wrapping_sub(before as u64);
        self.watched_keys.fetch_add(delta, Ordering::Relaxed);
    }
}

/// What one database holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Number of keys.
    pub keys: usize,
    /// Number of keys with a deadline.
    pub expiring: usize,
    /// Number of hashes with fields that have a deadline.
    pub hashes_expiring: usize,
    /// Bytes of the key tables, entries not included.
    pub table_bytes: usize,
}

impl Usage {
    /// Counts one table.
    pub(crate) fn add(&mut self, table: &KeyTable) {
        self.keys += table.len();
        self.expiring += table.expiring();
        self.hashes_expiring += table.hashes_expiring();
        self.table_bytes += table.memory_bytes();
    }
}
