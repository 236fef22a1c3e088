//! Snapshots: the whole dataset as it was at one moment, while everybody goes on writing.
//!
//! The moment is the *cut*: all shards are locked, every table that has keys is told to show each
//! key to the snapshot before its first change, and the locks are given back. That takes some
//! ten microseconds, whatever the number of keys. Afterwards a walker takes what is left, some
//! hundred entries under one shard's lock at a time.
//!
//! ```text
//!            shard 0      shard 1      shard 2   ...                     gathered
//!  db 0     ┌───────┐    ┌───────┐    ┌───────┐                    ┌───┬───┬───┬───┐
//!           │done   │    │walker │──┐ │ old   │  writer's change   │   │   │   │   │──> whoever
//!  db 1     ├───────┤    ├───────┤  └─┼───────┼───────────────────>└───┴───┴───┴───┘    saves
//!           │ old   │    │ old   │    │ old ──┼──> its old key       chunks: encoded
//!           └───────┘    └───────┘    └───────┘                      and shared entries
//!                  FLUSHALL: whole old tables ──> orphans, walked without a lock
//! ```
//!
//! What is small is [encoded](Encode) at once, into a buffer of the table; what is large is shared,
//! which takes no time, and encoded by whoever takes the chunk, outside of every lock. A writer's
//! buffer is handed on when it has gathered some kilobytes, and whoever saves takes what was handed
//! on before the walker goes on: so what a snapshot adds to the memory in use is what writers
//! change faster than it is taken away, and each entry counts once at most.
//!
//! Tables may change their place (`SWAPDB`) and be taken out (`FLUSHALL`) meanwhile. Each knows the
//! database it belonged to at the cut and how far it was walked; one that is taken out is an
//! *orphan*, which the walker owns from then on and walks to its end without a lock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use collections::entry::{Entry, EntryRef, StringRef, ValueRef};
use collections::table::{BucketSink, Cause, EPOCH_MAX, KeyTable};
use parking_lot::{Mutex, MutexGuard};

use crate::keyspace::Keyspace;
use crate::lock::Held;
use crate::position::SHARDS;
use crate::shard::{Shard, Store, Usage};

/// Entries that the walker takes under one lock: some tens of microseconds.
const STEP_ENTRIES: usize = 256;
/// Larger values are shared under the lock, and encoded later.
const ENCODED_BYTES_MAX: usize = 256;
/// A writer's buffer is handed on when it has so many bytes.
const HANDED_ON_BYTES: usize = 4 * 1024;
/// Room for that and for the entry that goes beyond it.
const BUFFER_BYTES: usize = HANDED_ON_BYTES + ENCODED_BYTES_MAX;
/// Or so many shared values.
const HANDED_ON_VALUES: usize = 16;
/// Buffers kept for reuse.
const SPARE_BUFFERS: usize = 64;

/// How small entries become bytes. Called under the lock of their shard: no waiting.
pub trait Encode: Send + Sync {
    /// Appends one entry.
    fn encode(&self, entry: EntryRef<'_>, out: &mut Vec<u8>);
}

/// Some entries of a snapshot, all of one database.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The database in which they were at the cut.
    pub db: usize,
    /// How many entries there are, both kinds together.
    pub keys: u64,
    /// The small ones, as [`Encode`] wrote them, one behind the other.
    pub encoded: Vec<u8>,
    /// The large ones. They share their values with the dataset.
    pub shared: Vec<Entry>,
    /// Bytes that count as held for it.
    held: usize,
}

/// A snapshot in progress: the walker's end of it.
///
/// Dropping one before its end leaves tables behind that show their keys to nobody, until the
/// next snapshot; [`Snapshot::cancel`] leaves nothing.
#[derive(Debug)]
pub struct Snapshot {
    epoch: u32,
    gathered: Arc<Gathered>,
    usage: Vec<Usage>,
    db: usize,
    shard: usize,
    /// The orphan that is being walked.
    orphan: Option<KeyTable>,
}

/// The snapshot that the store takes part in, if any.
#[derive(Debug, Default)]
pub(crate) struct Current {
    /// Of the last one.
    epoch: u32,
    gathered: Option<Arc<Gathered>>,
}

/// Where entries of a snapshot gather.
#[derive(Debug, Default)]
struct Gathered {
    chunks: Mutex<VecDeque<Chunk>>,
    orphans: Mutex<Vec<KeyTable>>,
    spare: Mutex<Vec<Vec<u8>>>,
    /// Bytes that writers copied.
    copied: AtomicU64,
    /// Bytes that the buffers take, full or not, and values that only the snapshot may have by now.
    held: AtomicU64,
    /// Nobody takes the chunks any more.
    is_over: AtomicBool,
}

impl Gathered {
    /// The next chunk that was handed on.
    fn take(&self) -> Option<Chunk> {
        let chunk = self.chunks.lock().pop_front()?;
        self.hold(chunk.held, 0);
        Some(chunk)
    }

    /// What takes `before` bytes takes `now` bytes.
    fn hold(&self, before: usize, now: usize) {
        self.held.fetch_add((now as u64).wrapping_sub(before as u64), Ordering::Relaxed);
    }
}

/// There is a snapshot in progress already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InProgress;

impl Keyspace<'_> {
    /// Begins a snapshot of this moment. Needs every lock. `at_cut` is called at that moment.
    ///
    /// # Errors
    /// If there is one in progress.
    pub fn begin_snapshot(
        &mut self,
        encode: &Arc<dyn Encode>,
        at_cut: impl FnOnce(),
    ) -> Result<Snapshot, InProgress> {
        self.store.begin_snapshot_under(&mut self.held, encode, at_cut)
    }
}

impl Store {
    /// As [`Keyspace::begin_snapshot`], where no lock is held.
    ///
    /// # Errors
    /// As there.
    pub fn begin_snapshot(
        &self,
        encode: &Arc<dyn Encode>,
        at_cut: impl FnOnce(),
    ) -> Result<Snapshot, InProgress> {
        self.begin_snapshot_under(&mut Held::all(self), encode, at_cut)
    }

    fn begin_snapshot_under(
        &self,
        held: &mut Held<'_>,
        encode: &Arc<dyn Encode>,
        at_cut: impl FnOnce(),
    ) -> Result<Snapshot, InProgress> {
        assert!(held.is_all(), "a snapshot is one moment of the whole keyspace");
        let mut current = self.snapshots.lock();
        if current.gathered.as_ref().is_some_and(|it| !it.is_over.load(Ordering::Acquire)) {
            return Err(InProgress);
        }
        let gathered = Arc::new(Gathered::default());
        current.gathered = Some(Arc::clone(&gathered));
        current.epoch = current.epoch % EPOCH_MAX + 1;
        let mut usage = vec![Usage::default(); self.databases()];
        for shard in 0..SHARDS {
            let shard = held.get_mut(shard).expect("all shards are held");
            for (db, (table, usage)) in shard.databases.iter_mut().zip(&mut usage).enumerate() {
                usage.add(table);
                // What an abandoned snapshot left behind goes too.
                drop(table.end_snapshot());
                if !table.is_empty() {
                    let sink = Box::new(TableSink::new(db, encode, &gathered));
                    table.begin_snapshot(current.epoch, db as u32, sink);
                }
            }
        }
        at_cut();
        Ok(Snapshot { epoch: current.epoch, gathered, usage, db: 0, shard: 0, orphan: None })
    }

    /// Bytes of memory that a snapshot takes besides the dataset; 0 without one.
    #[must_use]
    pub fn snapshot_bytes(&self) -> u64 {
        let current = self.snapshots.lock();
        let gathered = current.gathered.as_ref();
        let running = gathered.filter(|gathered| !gathered.is_over.load(Ordering::Acquire));
        running.map_or(0, |gathered| gathered.held.load(Ordering::Relaxed))
    }

    /// Hands a table that a flush has taken out to the snapshot that has not seen all of it, or
    /// back. Called under the lock of its shard.
    pub(crate) fn orphan(&self, table: KeyTable) -> Option<KeyTable> {
        if table.snapshot_origin().is_none() {
            return Some(table);
        }
        let current = self.snapshots.lock();
        match &current.gathered {
            Some(gathered) if !gathered.is_over.load(Ordering::Acquire) => {
                gathered.orphans.lock().push(table);
                None
            }
            _ => Some(table),
        }
    }
}

impl Snapshot {
    /// What each database held at the cut.
    #[must_use]
    pub fn usage(&self) -> &[Usage] {
        &self.usage
    }

    /// Bytes that writers have copied for the snapshot so far.
    #[must_use]
    pub fn copied_bytes(&self) -> u64 {
        self.gathered.copied.load(Ordering::Relaxed)
    }

    /// Whether writers have handed on more than was taken.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        !self.gathered.chunks.lock().is_empty()
    }

    /// More of the snapshot: what writers have handed on, else what the walker finds. None at the
    /// end. No lock is held.
    pub fn next_chunk(&mut self, store: &Store) -> Option<Chunk> {
        loop {
            let chunk = self.gathered.take();
            if chunk.is_some() {
                return chunk;
            }
            if !self.step(store) {
                // Every table is through: nothing more can be handed on.
                let last = self.gathered.take();
                if last.is_none() {
                    self.gathered.is_over.store(true, Ordering::Release);
                }
                return last;
            }
        }
    }

    /// Takes the buffers of a chunk that is not needed any more.
    pub fn recycle(&self, chunk: Chunk) {
        let mut buffer = chunk.encoded;
        buffer.clear();
        let mut spare = self.gathered.spare.lock();
        if spare.len() < SPARE_BUFFERS && buffer.capacity() > 0 {
            self.gathered.hold(0, buffer.capacity());
            spare.push(buffer);
        }
    }

    /// Gives the snapshot up. No lock is held. If it has come to its end there may be another one
    /// by now, whose tables are none of its business.
    pub fn cancel(self, store: &Store) {
        self.gathered.is_over.store(true, Ordering::Release);
        for shard in &store.shards {
            let mut shard = shard.lock();
            let tables = shard.databases.iter_mut();
            tables
                .filter(|table| table.snapshot_epoch() == Some(self.epoch))
                .for_each(|table| drop(table.end_snapshot()));
            MutexGuard::unlock_fair(shard);
        }
    }

    /// One step of the walk; false at its end.
    fn step(&mut self, store: &Store) -> bool {
        let orphan = self.orphan.take().or_else(|| self.gathered.orphans.lock().pop());
        if let Some(mut orphan) = orphan {
            if orphan.snapshot_step(STEP_ENTRIES) {
                self.orphan = Some(orphan);
            }
            return true;
        }
        while self.usage.get(self.db).is_some_and(|usage| usage.keys == 0) {
            self.db += 1;
        }
        if self.db == self.usage.len() {
            return false;
        }
        let mut shard = store.shards[self.shard].lock();
        let more = match of_origin(&mut shard, self.db) {
            Some(table) => table.snapshot_step(STEP_ENTRIES),
            // It had no keys, or it is an orphan by now.
            None => false,
        };
        // The walker comes back for the same lock at once: whoever waits goes first.
        MutexGuard::unlock_fair(shard);
        if !more {
            self.shard = (self.shard + 1) % SHARDS;
            self.db += usize::from(self.shard == 0);
        }
        true
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.gathered.is_over.store(true, Ordering::Release);
        self.gathered.chunks.lock().clear();
        self.gathered.orphans.lock().clear();
        self.gathered.spare.lock().clear();
    }
}

/// The table that was database `db` at the cut and is not walked to its end, wherever `SWAPDB` has
/// put it since.
fn of_origin(shard: &mut Shard, db: usize) -> Option<&mut KeyTable> {
    let is_it = |table: &KeyTable| table.snapshot_origin() == Some(db as u32);
    let at = match is_it(&shard.databases[db]) {
        true => db,
        false => shard.databases.iter().position(is_it)?,
    };
    Some(&mut shard.databases[at])
}

/// What one table shows: the buffer in which it gathers.
struct TableSink {
    chunk: Chunk,
    /// Bytes in it that writers copied.
    copied: usize,
    /// Bytes of the strings in it that are about to be changed.
    shared_bytes: usize,
    encode: Arc<dyn Encode>,
    gathered: Arc<Gathered>,
}

impl TableSink {
    fn new(db: usize, encode: &Arc<dyn Encode>, gathered: &Arc<Gathered>) -> Self {
        let chunk = Chunk { db, ..Chunk::default() };
        let (encode, gathered) = (Arc::clone(encode), Arc::clone(gathered));
        Self { chunk, copied: 0, shared_bytes: 0, encode, gathered }
    }

    fn hand_on(&mut self) {
        if self.chunk.keys > 0 && !self.gathered.is_over.load(Ordering::Acquire) {
            self.gathered.copied.fetch_add(self.copied as u64, Ordering::Relaxed);
            let encoded = self.gathered.spare.lock().pop().unwrap_or_else(|| {
                self.gathered.hold(0, BUFFER_BYTES);
                Vec::with_capacity(BUFFER_BYTES)
            });
            let held = encoded.capacity();
            let next = Chunk { db: self.chunk.db, encoded, held, ..Chunk::default() };
            let chunk = std::mem::replace(&mut self.chunk, next);
            self.gathered.chunks.lock().push_back(chunk);
        }
        self.copied = 0;
        self.chunk.keys = 0;
        self.chunk.encoded.clear();
        self.chunk.shared.clear();
        self.shared_bytes = 0;
        self.count();
    }

    /// Counts what the chunk takes by now.
    fn count(&mut self) {
        let held = self.chunk.encoded.capacity() + self.shared_bytes;
        if held != self.chunk.held {
            self.gathered.hold(self.chunk.held, held);
            self.chunk.held = held;
        }
    }
}

impl Drop for TableSink {
    fn drop(&mut self) {
        self.gathered.hold(self.chunk.held, 0);
    }
}

impl BucketSink for TableSink {
    fn entry(&mut self, entry: EntryRef<'_>, cause: Cause) {
        let before = self.chunk.encoded.len();
        let mut shared_bytes = 0;
        if is_small(entry) {
            self.encode.encode(entry, &mut self.chunk.encoded);
        } else {
            let mut shared = Entry::new(entry.key(), entry.value().to_new(), entry.deadline());
            shared.set_clock(entry.clock());
            shared_bytes = copied_by_writers(entry);
            self.chunk.shared.push(shared);
        }
        self.chunk.keys += 1;
        if cause == Cause::Change {
            self.copied += self.chunk.encoded.len() - before + shared_bytes;
            self.shared_bytes += shared_bytes;
            self.count();
            if self.chunk.encoded.len() >= HANDED_ON_BYTES
                || self.chunk.shared.len() >= HANDED_ON_VALUES
            {
                self.hand_on();
            }
        }
    }

    fn pause(&mut self) {
        self.hand_on();
    }
}

/// Bytes that a writer copies because the snapshot shares them: the whole of a string. Of a large
/// collection it copies the nodes that it changes, which are few and not known yet.
fn copied_by_writers(entry: EntryRef<'_>) -> usize {
    match entry.value() {
        ValueRef::String(StringRef::Shared { bytes, .. }) => bytes.len(),
        ValueRef::String(_) | ValueRef::Object(_) => 0,
    }
}

/// Whether encoding the entry takes a microsecond or two at most.
fn is_small(entry: EntryRef<'_>) -> bool {
    match entry.value() {
        ValueRef::String(StringRef::Int(_) | StringRef::Inline { .. }) => true,
        ValueRef::String(StringRef::Shared { bytes, .. }) => bytes.len() <= ENCODED_BYTES_MAX,
        ValueRef::Object(object) => {
            // The block and what holds it.
            object.pieces() <= 2 && object.allocated_bytes() <= ENCODED_BYTES_MAX
        }
    }
}

#[cfg(test)]
mod tests;
