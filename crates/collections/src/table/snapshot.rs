//! Snapshots without fork: each key is shown to a sink before its first change.
//!
//! Raising the epoch makes every bucket old at once. From then on the walker delivers bucket after
//! bucket and marks each with the epoch. A writer that is about to change a key in an old bucket
//! delivers that key first, and marks its slot; the walker leaves out what is marked. So each key
//! is delivered exactly once, as it was when the epoch was raised.
//!
//! ```text
//!   epoch 7 raised       writer changes a key of bucket 5       walker passes
//!   6 6 6 6 6 6 6 6  ->  6 6 6 6 6 7 6 6 6 6               ->  7 7 7 7 7 7 7 7 7 7    done
//!                                  slot 3                         all slots
//! ```
//!
//! The walker's unit is the logical bucket (all keys of one home), not the cache line: a key that
//! moves between its home, its neighbour and the stash stays in its logical bucket, so moves are no
//! changes. Marks are of slots, though, and only of those at home. A key that lives elsewhere
//! counts as not delivered until its whole bucket is: before one of them changes, or one at home
//! moves out, all are delivered. Resizing redraws the borders of buckets: the whole segment is
//! delivered first, and the buckets of the new one are born with the epoch.
//!
//! The walker's place is a position and is kept here, with the table: so a table that is exchanged
//! with another, or taken out by a flush, is walked on from where it was.

use super::KeyTable;
use super::bucket::{Marks, SlotSet};
use super::slot::At;
use crate::entry::EntryRef;

/// Receives the entries of a snapshot.
pub trait BucketSink: Send {
    /// One entry of the dataset as it was when the snapshot began. Each comes exactly once. Called
    /// while the table is locked: copy small values, share large ones, and return.
    fn entry(&mut self, entry: EntryRef<'_>, cause: Cause);

    /// The walker ends a step, or the table its snapshot: whatever has gathered is to be handed on.
    fn pause(&mut self) {}
}

/// Why an entry is shown to a snapshot now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The walker came by.
    Walk,
    /// A writer is about to change it, or another key of its bucket.
    Change,
}

/// A snapshot in progress.
pub(super) struct Snapshot {
    epoch: u32,
    /// Whose table it was when the snapshot began.
    origin: u32,
    /// The position, without its shard bits, up to which all has been delivered; none at the end.
    cursor: Option<u64>,
    sink: Box<dyn BucketSink>,
}

// SAFETY: the sink is only reached through `&mut Snapshot`; sharing references gives no access.
unsafe impl Sync for Snapshot {}

/// The largest epoch of a snapshot. After so many they begin anew: no bucket is marked with one
/// that is eight million snapshots old, since each that is not called off comes to every bucket.
pub const EPOCH_MAX: u32 = Marks::EPOCH_MAX;
/// How many lines ahead of the walker entries are fetched.
const PREFETCH_LINES: usize = 4;
const CHANGED: &str = "a segment that changes exists";

impl KeyTable {
    /// Begins a snapshot: every entry that is present now goes to `sink` exactly once as it is now,
    /// before its first change or in [`KeyTable::snapshot_step`]. A snapshot in progress is
    /// dropped. `origin` is what [`KeyTable::snapshot_origin`] says until the end: the caller's
    /// name for a table that may be elsewhere by then.
    ///
    /// Dropping the table ends the snapshot without delivering the rest: who replaces a table in
    /// the middle of its snapshot, as a flush does, walks the old one to its end first.
    ///
    /// # Panics
    /// If `epoch` is 0 (which marks buckets of no snapshot) or above [`EPOCH_MAX`]. It must be
    /// another than those of all snapshots that a bucket may still be marked with.
    pub fn begin_snapshot(&mut self, epoch: u32, origin: u32, sink: Box<dyn BucketSink>) {
        assert!(epoch > 0, "epoch 0 means never delivered");
        assert!(epoch <= EPOCH_MAX, "marks have room for so many epochs");
        self.snapshot = Some(Box::new(Snapshot { epoch, origin, cursor: Some(0), sink }));
    }

    /// The origin of the snapshot in progress.
    #[must_use]
    pub fn snapshot_origin(&self) -> Option<u32> {
        self.snapshot.as_ref().map(|snapshot| snapshot.origin)
    }

    /// The epoch of the snapshot in progress.
    #[must_use]
    pub fn snapshot_epoch(&self) -> Option<u32> {
        self.snapshot.as_ref().map(|snapshot| snapshot.epoch)
    }

    /// Ends the snapshot, complete or not, and hands the sink back.
    pub fn end_snapshot(&mut self) -> Option<Box<dyn BucketSink>> {
        let mut snapshot = self.snapshot.take()?;
        snapshot.sink.pause();
        Some(snapshot.sink)
    }

    /// The walker: delivers what was not delivered yet of about `entries` entries more, and says
    /// whether some may be left. When not, the snapshot is complete and over.
    pub fn snapshot_step(&mut self, entries: usize) -> bool {
        let mut left = entries;
        while left > 0 {
            let Some(at) = self.snapshot.as_ref().and_then(|snapshot| snapshot.cursor) else {
                drop(self.end_snapshot());
                return false;
            };
            let cursor = self.bucket_at(at).and_then(|(index, home, _)| {
                let (visited, next) = self.deliver_from(index, home, left);
                left = left.saturating_sub(visited);
                next
            });
            self.snapshot.as_mut().expect("looked up above").cursor = cursor;
        }
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.sink.pause();
        }
        true
    }

    /// Delivers buckets of one segment from `home` on until about `entries` entries were visited.
    /// Returns how many were, an empty bucket counting as one, and the cursor where the next bucket
    /// begins.
    fn deliver_from(&mut self, index: usize, home: usize, entries: usize) -> (usize, Option<u64>) {
        const WALKED: &str = "the walked segment exists";
        let segment = self.directory.get(index).expect(WALKED);
        let buckets = segment.buckets();
        (home..home + PREFETCH_LINES).for_each(|line| segment.prefetch_entries(line));
        let (mut visited, mut at) = (0, home);
        loop {
            let segment = self.directory.get(index).expect(WALKED);
            segment.prefetch_entries(at + PREFETCH_LINES);
            visited += self.deliver(index, at, Cause::Walk).max(1);
            if visited >= entries || at + 1 == buckets {
                let segment = self.directory.get(index).expect(WALKED);
                return (visited, self.after_bucket(index, segment, at));
            }
            at += 1;
        }
    }

    /// The epoch that new buckets are born with.
    pub(super) fn epoch(&self) -> u32 {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.epoch)
    }

    /// To be called before a key changes, goes or moves.
    #[inline]
    pub(super) fn before_change(&mut self, at: &At) {
        if self.snapshot.is_some() {
            self.show(at);
        }
    }

    /// To be called before a key is put into a bucket.
    #[inline]
    pub(super) fn before_insertion(&mut self, index: usize, home: usize) {
        if self.snapshot.is_some() {
            self.make_room_for_marks(index, home);
        }
    }

    /// To be called after a key was put there: it is none of the snapshot's business.
    #[inline]
    pub(super) fn after_insertion(&mut self, at: &At) {
        if let Some(snapshot) = &self.snapshot
            && at.place.line as usize == at.home
        {
            let segment = self.directory.get_mut(at.index).expect(CHANGED);
            segment.bucket_mut(at.home).marks.add(snapshot.epoch, at.place.slot as usize);
        }
    }

    /// Where a bucket is full, keys move, and marks say nothing of keys that live next door or in
    /// the stash: those of this bucket and of the next one are shown before.
    #[inline(never)]
    fn make_room_for_marks(&mut self, index: usize, home: usize) {
        let segment = self.directory.get(index).expect(CHANGED);
        if segment.bucket(home).free().is_none() {
            let next = segment.after(home);
            self.deliver(index, home, Cause::Change);
            self.deliver(index, next, Cause::Change);
        }
    }

    /// Shows a key that is about to change, unless that was done. One that does not live at home
    /// has no mark: all keys of its home are shown.
    #[inline(never)]
    fn show(&mut self, at: &At) {
        let Some(snapshot) = &mut self.snapshot else { return };
        let segment = self.directory.get_mut(at.index).expect(CHANGED);
        let (slot, marks) = (at.place.slot as usize, segment.bucket(at.home).marks);
        if marks.has_all(snapshot.epoch) {
            return;
        }
        if at.place.line as usize != at.home {
            self.deliver(at.index, at.home, Cause::Change);
        } else if marks.slots(snapshot.epoch) >> slot & 1 == 0 {
            snapshot.sink.entry(segment.entry(at.place), Cause::Change);
            segment.bucket_mut(at.home).marks.add(snapshot.epoch, slot);
        }
    }

    /// To be called before the borders of a segment's buckets change.
    pub(super) fn deliver_segment(&mut self, index: usize) {
        if self.snapshot.is_some() {
            let buckets = self.directory.get(index).map_or(0, |segment| segment.buckets());
            (0..buckets).for_each(|home| {
                self.deliver(index, home, Cause::Change);
            });
        }
    }

    /// Delivers what was not delivered of a bucket, and returns how many entries went.
    #[inline(never)]
    fn deliver(&mut self, index: usize, home: usize, cause: Cause) -> usize {
        let Some(snapshot) = &mut self.snapshot else { return 0 };
        let segment = self.directory.get_mut(index).expect(CHANGED);
        let marks = segment.bucket(home).marks;
        if marks.has_all(snapshot.epoch) {
            return 0;
        }
        if cause == Cause::Change {
            // Keys of one bucket lie anywhere: one wait for memory instead of eight.
            segment.prefetch_entries(home);
        }
        let mut entries = 0;
        segment.visit_home_but(home, SlotSet(marks.slots(snapshot.epoch)), &mut |entry| {
            snapshot.sink.entry(entry, cause);
            entries += 1;
        });
        segment.bucket_mut(home).marks = Marks::all(snapshot.epoch);
        entries
    }
}
