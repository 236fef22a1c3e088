//! Snapshots without fork: each logical bucket is shown to a sink before its first change.
//!
//! Raising the epoch makes every bucket old at once. From then on the walker delivers bucket after
//! bucket, and a writer that is about to change an old bucket delivers that one first; both mark it
//! with the epoch, so each is delivered exactly once, as it was when the epoch was raised.
//!
//! ```text
//!   epoch 7 raised        writer hits bucket 5          walker passes
//!   6 6 6 6 6 6 6 6   ->   6 6 6 6 6 7 6 6 6 6   ->   7 7 7 7 7 7 7 7 7 7    done
//! ```
//!
//! The unit is the logical bucket (all keys of one home), not the cache line: a key that moves
//! between its home, its neighbour and the stash stays in its logical bucket, so moves are no
//! changes. Resizing redraws the borders of buckets: the whole segment is delivered first, and the
//! buckets of the new one are born with the epoch.

use super::KeyTable;
use crate::entry::EntryRef;

/// Receives the entries of a snapshot.
pub trait BucketSink: Send {
    /// One entry of the dataset as it was when the snapshot began. Each comes exactly once. Called
    /// while the table is locked: copy small values, share large ones, and return.
    fn entry(&mut self, entry: EntryRef<'_>);
}

/// A snapshot in progress.
pub(super) struct Snapshot {
    epoch: u32,
    sink: Box<dyn BucketSink>,
}

// SAFETY: the sink is only reached through `&mut Snapshot`; sharing references gives no access.
unsafe impl Sync for Snapshot {}

impl KeyTable {
    /// Begins a snapshot: every entry that is present now goes to `sink` exactly once as it is now,
    /// before its first change or in [`KeyTable::snapshot_step`]. A snapshot in progress is ended.
    ///
    /// Dropping the table ends the snapshot without delivering the rest: who replaces a table in
    /// the middle of its snapshot, as a flush does, walks the old one to its end first.
    ///
    /// # Panics
    /// If `epoch` is 0 (which marks buckets of no snapshot). It must be larger than all before.
    pub fn begin_snapshot(&mut self, epoch: u32, sink: Box<dyn BucketSink>) {
        assert!(epoch > 0, "epoch 0 means never delivered");
        self.snapshot = Some(Box::new(Snapshot { epoch, sink }));
    }

    /// Ends the snapshot and hands the sink back.
    pub fn end_snapshot(&mut self) -> Option<Box<dyn BucketSink>> {
        self.snapshot.take().map(|snapshot| snapshot.sink)
    }

    /// The walker: delivers the logical bucket that contains `cursor`, a position without its shard
    /// bits, unless it was delivered already, and returns where the next begins; `None` at the end,
    /// when the snapshot is complete. Start with 0.
    pub fn snapshot_step(&mut self, cursor: u64) -> Option<u64> {
        let (index, home, next) = self.bucket_at(cursor)?;
        self.before_change(index, home);
        next
    }

    /// The epoch that new buckets are born with.
    pub(super) fn epoch(&self) -> u32 {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.epoch)
    }

    /// To be called before the keys of a logical bucket change.
    #[inline]
    pub(super) fn before_change(&mut self, index: usize, home: usize) {
        if self.snapshot.is_some() {
            self.deliver(index, home);
        }
    }

    /// To be called before the borders of a segment's buckets change.
    pub(super) fn deliver_segment(&mut self, index: usize) {
        if self.snapshot.is_some() {
            let buckets = self.directory.get(index).map_or(0, |segment| segment.buckets());
            (0..buckets).for_each(|home| self.deliver(index, home));
        }
    }

    #[cold]
    fn deliver(&mut self, index: usize, home: usize) {
        let Some(snapshot) = &mut self.snapshot else { return };
        let segment = self.directory.get_mut(index).expect("a bucket that changes exists");
        if segment.bucket(home).epoch != snapshot.epoch {
            segment.visit_home(home, &mut |entry| snapshot.sink.entry(entry));
            segment.bucket_mut(home).epoch = snapshot.epoch;
        }
    }
}
