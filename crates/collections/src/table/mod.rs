//! The key table: all keys of one shard and database.
//!
//! # The idea
//!
//! A hash table that never rehashes as a whole. Keys are ordered by their *position*, a 64-bit
//! keyed hash, most significant bit first. A directory cuts the range of positions into segments; a
//! segment cuts its range into buckets of one cache line; a bucket points to entries. A full
//! segment grows by a step, and a large one splits in two: some ten microseconds, whatever the
//! number of keys.
//!
//! ```text
//!  position  ssssssss dddddd fffffffff...... tttttttt
//!            shard    │      │               tag: the lowest byte, compared before the key
//!                     │      └ fraction x buckets = home bucket in the segment
//!                     └ directory index
//!
//!  directory      segment: 2 to 64 cache lines                        entries
//!  ┌──────┐      ┌────────┐
//!  │ 000  ├─────>│ header │ live, earliest deadline                  ┌───────────────────┐
//!  │ 001  ├──┐   ├────────┤   8 tags  8 pointers         epoch...  ┌>│ header key value  │
//!  │ 010  ├┐ │   │bucket 0│ ┌─┬─┬─┬─┬┬────┬────┬────┬──┬────────┐  │ └───────────────────┘
//!  │ 011  ├┤ │   │bucket 1│ │t│t│t│t││ p  │ p  │ p  │  │        ├──┘
//!  │ 100  ││ v   │  ...   │ └─┴─┴─┴─┴┴────┴────┴────┴──┴────────┘
//!  │ ...  │v     │ stash  │ keys that found both their buckets full
//!  └──────┘      └────────┘
//! ```
//!
//! A look-up touches the directory, one bucket and one entry; the bucket's line says when a second
//! one must be read. Nothing else is on the way, not even the segment's header.
//!
//! # Invariants
//!
//! - **A logical bucket is a range of positions.** The home bucket is the fraction of the position
//!   inside its segment times the number of buckets: monotone. Wherever its keys live (the home
//!   line, the next, the stash), *logical bucket* means all keys of one home. `SCAN`, snapshots and
//!   the walker work on logical buckets, so moving a key between lines is nothing to them, and
//!   since a key's position never changes, a cursor that is a position survives every split and
//!   merge.
//! - **Bounds are lower bounds.** A segment's and the table's earliest deadline may be too early
//!   (after a key was removed), never too late. Visiting a segment makes its bound exact.
//! - **A snapshot sees a key before its first change.** Its bucket's marks say whether it did.
//!
//! # Trade-offs
//!
//! - Eight slots and a one-byte tag: a miss compares a wrong key once in 32 times; in return a key
//!   costs 8 bytes of line at full load and 10 to 12 on average.
//! - Home first, not the emptier of two lines: slightly lower load at the first overflow, but most
//!   look-ups end in one line, and the stash takes what overflows.
//! - Segments move in steps of a third to a half, so that memory follows the number of keys
//!   closely; each step looks at every key of the segment again (it must be hashed: there is no
//!   room for the position). A key is rehashed three times on its way in, on average, by
//!   memory that is prefetched.
//! - Positions are expected to be spread evenly below their leading bits, which a keyed hash gives.
//!   Where they are not, the table stays correct: the stash of a segment grows without end.

mod bucket;
mod directory;
mod expire;
mod placement;
mod resize;
mod sample;
mod scan;
mod segment;
mod sizes;
mod slot;
mod snapshot;

use std::fmt;

use crate::entry::{Entry, EntryRef};
use crate::prefetch::Hint;
use directory::Directory;
use segment::{Place, Segment, Shape};
use sizes::Tally;
use slot::At;
use snapshot::Snapshot;

pub use expire::Expired;
pub use sample::Search;
pub use scan::Iter;
pub use sizes::{Sizes, TYPES, row};
pub use slot::{Cursor, Slot};
pub use snapshot::{BucketSink, Cause, EPOCH_MAX};

/// The top bits of a position name the shard; the table ignores them.
pub const SHARD_BITS: u32 = 8;

/// The keys of one shard and database, ordered by position. See the module page.
///
/// Positions come from the caller, together with the key or through `rehash`: the function from a
/// key to its position. Both must always agree, else keys are not found again.
///
/// What a look-up reads comes first.
#[repr(C)]
pub struct KeyTable {
    directory: Directory,
    len: usize,
    /// How many entries have deadlines.
    timed: Timed,
    /// How many entries there are of each size.
    sizes: Sizes,
    /// At most the earliest deadline of all entries and their fields, while there is one.
    earliest: u64,
    /// Local position at which the sweep of due entries goes on.
    sweep_at: u64,
    snapshot: Option<Box<Snapshot>>,
}

/// A position without its shard bits, its leading bit first.
#[inline]
const fn local(position: u64) -> u64 {
    position << SHARD_BITS
}

/// The byte of a position that is compared before the key is.
#[inline]
const fn tag(position: u64) -> u8 {
    position as u8
}

impl KeyTable {
    /// An empty table; allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            directory: Directory::new(),
            len: 0,
            timed: Timed { keys: 0, hashes: 0 },
            sizes: Sizes::default(),
            earliest: u64::MAX,
            sweep_at: 0,
            snapshot: None,
        }
    }

    /// Number of keys.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no keys.
    #[inline]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of keys with a deadline.
    #[must_use]
    pub const fn expiring(&self) -> usize {
        self.timed.keys
    }

    /// Number of keys whose value is a hash with a field that has a deadline.
    #[must_use]
    pub const fn hashes_expiring(&self) -> usize {
        self.timed.hashes
    }

    /// How many keys there are of each type and size.
    #[must_use]
    pub const fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// Bytes of table structure: directory and segments, not the entries.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        self.directory.bytes()
    }

    /// The entry of `key`, whose position is `position`.
    #[inline]
    #[must_use]
    pub fn find(&self, position: u64, key: &[u8]) -> Option<EntryRef<'_>> {
        let segment = self.segment(position)?;
        let home = segment.home(local(position));
        let (_, entry) = segment.find(home, tag(position), key)?;
        Some(entry)
    }

    /// The slot of `key`, for changing it.
    #[inline]
    #[must_use]
    pub fn find_mut(&mut self, position: u64, key: &[u8]) -> Option<Slot<'_>> {
        let at = self.locate(position, key)?;
        Some(Slot::new(self, at))
    }

    /// The cursor of `key`, for changing, removing and adding it.
    #[inline]
    #[must_use]
    pub fn cursor(&mut self, position: u64, key: &[u8]) -> Cursor<'_> {
        let at = self.locate(position, key);
        Cursor::new(self, at)
    }

    #[inline]
    fn locate(&self, position: u64, key: &[u8]) -> Option<At> {
        let index = self.directory.index(local(position));
        let segment = self.directory.get(index)?;
        let home = segment.home(local(position));
        let (place, entry) = segment.find(home, tag(position), key)?;
        Some(At { index, home, place, entry: entry.address() })
    }

    /// Adds an entry whose key is absent.
    ///
    /// The caller has made sure of that, usually by [`KeyTable::find_mut`]: adding a key twice
    /// leaves two entries of which either may be found.
    pub fn insert(
        &mut self,
        position: u64,
        entry: Entry,
        rehash: &impl Fn(&[u8]) -> u64,
    ) -> Slot<'_> {
        let (at, tag, tally) = (local(position), tag(position), Tally::of(entry.view()));
        let deadline = if tally.is_timed() { entry.view().earliest() } else { None };
        let entry = Owned::new(entry);
        let pointer = entry.pointer;
        let (index, home, place) = loop {
            let index = self.directory.index(at);
            let Some(segment) = self.directory.get(index) else {
                self.found(at);
                continue;
            };
            let home = segment.home(at);
            self.before_insertion(index, home);
            let segment = self.directory.get_mut(index).expect("looked up above");
            match segment.place(home, tag, entry.pointer) {
                Some(place) => break (index, home, place),
                None => self.grow(at, rehash),
            }
        };
        entry.handed_over();
        let at = At { index, home, place, entry: pointer };
        self.after_insertion(&at);
        self.len += 1;
        self.count(tally);
        if let Some(deadline) = deadline {
            self.lower_bounds(index, deadline);
        }
        Slot::new(self, at)
    }

    /// Removes `key`.
    pub fn remove(
        &mut self,
        position: u64,
        key: &[u8],
        rehash: &impl Fn(&[u8]) -> u64,
    ) -> Option<Entry> {
        self.find_mut(position, key).map(|slot| slot.remove(rehash))
    }

    /// Where the look-up of `position` begins. A batch of commands fetches this for all its keys,
    /// then what [`KeyTable::entry_hint`] says, then runs.
    #[inline]
    #[must_use]
    pub fn bucket_hint(&self, position: u64) -> Option<Hint> {
        let segment = self.segment(position)?;
        Some(segment.bucket_hint(segment.home(local(position))))
    }

    /// The entry that the look-up of `position` will probably compare.
    #[inline]
    #[must_use]
    pub fn entry_hint(&self, position: u64) -> Option<Hint> {
        let segment = self.segment(position)?;
        segment.entry_hint(segment.home(local(position)), tag(position))
    }

    /// Leaves an empty table behind, in constant time. A snapshot in progress goes with the keys.
    #[must_use]
    pub fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Frees at least `n` entries while there are as many, and returns how many: the background
    /// free of a large table in steps. The rest stays a valid table.
    pub fn drain_some(&mut self, n: usize) -> usize {
        let mut freed = 0;
        let mut index = self.directory.len();
        while freed < n && index > 0 {
            index -= 1;
            if self.directory.get(index).is_none() {
                continue;
            }
            self.deliver_segment(index);
            let start = self.directory.start(index);
            let mut segment = self.directory.detach(start).expect("looked up above");
            freed += segment.header().live as usize;
            self.len -= segment.header().live as usize;
            free_entries(&mut segment, |tally| self.discount(tally));
            // SAFETY: detached, so this is the only word, and the entries are freed.
            unsafe { segment.free() };
        }
        self.directory.settle();
        freed
    }

    #[inline]
    fn segment(&self, position: u64) -> Option<&Segment> {
        self.directory.get(self.directory.index(local(position)))
    }

    /// Gives positions without a segment a first small one.
    fn found(&mut self, at: u64) {
        let depth = self.directory.vacant_depth(at);
        let segment = Segment::allocate(Shape::for_keys(1), depth as u8, self.epoch());
        self.directory.attach(at, segment);
    }

    /// Counts what has arrived.
    #[inline]
    fn count(&mut self, tally: Tally) {
        self.timed.add(tally.timed());
        self.sizes.add(tally);
    }

    /// Counts what is no longer there.
    #[inline]
    fn discount(&mut self, tally: Tally) {
        self.timed.remove(tally.timed());
        self.sizes.remove(tally);
    }

    /// Keeps the bounds of the earliest deadline below a new one.
    #[inline]
    fn lower_bounds(&mut self, index: usize, deadline: u64) {
        self.earliest = self.earliest.min(deadline);
        let segment = self.directory.get_mut(index).expect("the key's segment exists");
        let header = segment.header_mut();
        header.earliest = header.earliest.min(deadline);
    }
}

/// How many keys, and how many hashes with fields, have deadlines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Timed {
    keys: usize,
    hashes: usize,
}

impl Timed {
    /// Whether nothing has a deadline.
    #[inline]
    const fn is_none(self) -> bool {
        self.keys + self.hashes == 0
    }

    #[inline]
    const fn add(&mut self, other: Self) {
        self.keys += other.keys;
        self.hashes += other.hashes;
    }

    #[inline]
    const fn remove(&mut self, other: Self) {
        self.keys -= other.keys;
        self.hashes -= other.hashes;
    }
}

/// An entry on its way into a slot: freed if it does not arrive (a panic in `rehash`).
struct Owned {
    pointer: std::ptr::NonNull<u8>,
}

impl Owned {
    fn new(entry: Entry) -> Self {
        Self { pointer: entry.into_raw() }
    }

    fn handed_over(self) {
        std::mem::forget(self);
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: from `into_raw`, and no slot owns it: `handed_over` was not called.
        drop(unsafe { Entry::from_raw(self.pointer) });
    }
}

/// Frees the entries of a detached segment, prefetching ahead; `gone` is told of each.
fn free_entries(segment: &mut Segment, mut gone: impl FnMut(Tally)) {
    for line in 0..segment.lines() {
        segment.prefetch_entries(line + 1);
        for slot in segment.used(line) {
            let place = Place::new(line, slot);
            // SAFETY: a used slot owns its entry; the segment is not read again but for its memory.
            let entry = unsafe { Entry::from_raw(segment.pointer(place)) };
            gone(Tally::of(entry.view()));
        }
    }
}

impl Default for KeyTable {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for KeyTable {
    fn drop(&mut self) {
        self.snapshot = None;
        self.drain_some(usize::MAX);
    }
}

impl fmt::Debug for KeyTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyTable")
            .field("len", &self.len)
            .field("timed", &self.timed)
            .field("segments", &self.directory.segments())
            .field("memory_bytes", &self.memory_bytes())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
