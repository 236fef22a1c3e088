//! Walking over a table: `SCAN`, iteration.
//!
//! A cursor is a local position (a position without its shard bits), not a place. Logical buckets
//! are ranges of positions in ascending order, so a walk that always visits the whole logical
//! bucket at its cursor and goes on where that bucket ends meets every key that is present
//! throughout, whatever splits and merges happen in between. After a merge it may meet some twice.

use std::iter::FusedIterator;

use super::bucket::SlotSet;
use super::segment::{Place, Segment};
use super::{KeyTable, SHARD_BITS};
use crate::entry::EntryRef;

impl KeyTable {
    /// Visits all keys of the logical bucket that contains `cursor`, a position without its shard
    /// bits, and returns the cursor where the next bucket begins; `None` at the end. Start with 0.
    ///
    /// The keys visited have positions below the returned cursor and include all those from
    /// `cursor` on. A bucket may be empty.
    pub fn scan(&self, cursor: u64, mut visit: impl FnMut(EntryRef<'_>)) -> Option<u64> {
        let (index, home, next) = self.bucket_at(cursor)?;
        self.directory.get(index)?.visit_home(home, &mut visit);
        next
    }

    /// The logical bucket at a cursor or the first one after it: directory index, home, and the
    /// cursor behind it. `None` if there is none.
    pub(super) fn bucket_at(&self, cursor: u64) -> Option<(usize, usize, Option<u64>)> {
        let mut at = cursor << SHARD_BITS;
        let mut index = self.directory.index(at);
        // Whole stretches without a key are skipped at once.
        while self.directory.get(index).is_none() {
            index += 1;
            if index >= self.directory.len() {
                return None;
            }
            at = self.directory.start(index);
        }
        let segment = self.directory.get(index)?;
        let home = segment.home(at);
        Some((index, home, self.after_bucket(index, segment, home)))
    }

    /// The cursor where the bucket after `home` begins.
    pub(super) fn after_bucket(&self, index: usize, segment: &Segment, home: usize) -> Option<u64> {
        let range = self.directory.range(index, segment.depth());
        if home + 1 == segment.buckets() {
            let more = range.end < self.directory.len();
            return more.then(|| self.directory.start(range.end) >> SHARD_BITS);
        }
        // The first fraction of the next home, then the first position with at least that fraction.
        let fraction = ((home as u128 + 1) << 64).div_ceil(segment.buckets() as u128) as u64;
        let unit = 1u64 << (segment.depth() + SHARD_BITS);
        let offset = fraction.div_ceil(unit);
        Some((self.directory.start(range.start) >> SHARD_BITS) + offset)
    }

    /// All entries, in no particular order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter { table: self, index: 0, line: 0, slots: SlotSet(0), remaining: self.len }
    }
}

/// All entries of a table; made by [`KeyTable::iter`].
#[derive(Debug)]
pub struct Iter<'t> {
    table: &'t KeyTable,
    /// Directory index of the present segment.
    index: usize,
    /// The line after the one of `slots`.
    line: usize,
    /// What is left of the present line.
    slots: SlotSet,
    remaining: usize,
}

impl<'t> Iterator for Iter<'t> {
    type Item = EntryRef<'t>;

    fn next(&mut self) -> Option<EntryRef<'t>> {
        while self.remaining > 0 {
            let segment = self.table.directory.get(self.index);
            if let (Some(segment), Some(slot)) = (segment, self.slots.next()) {
                self.remaining -= 1;
                return Some(segment.entry(Place::new(self.line - 1, slot)));
            }
            match segment {
                Some(segment) if self.line < segment.lines() => {
                    self.slots = segment.used(self.line);
                    segment.prefetch_entries(self.line + 1);
                    self.line += 1;
                }
                _ => {
                    self.index = self.table.directory.end(self.index);
                    self.line = 0;
                }
            }
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining, Some(self.remaining))
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl FusedIterator for Iter<'_> {}
