//! Walking over a table: `SCAN`, iteration, random samples.
//!
//! A cursor is a local position (a position without its shard bits), not a place. Logical buckets
//! are ranges of positions in ascending order, so a walk that always visits the whole logical
//! bucket at its cursor and goes on where that bucket ends meets every key that is present
//! throughout, whatever splits and merges happen in between. After a merge it may meet some twice.

use std::iter::FusedIterator;

use super::bucket::{SLOTS, SlotSet};
use super::segment::{LINES_MAX, Place, Segment};
use super::{KeyTable, SHARD_BITS};
use crate::entry::EntryRef;

/// Random probes before a sample settles for the next key in order. A regular table needs five.
const SAMPLE_PROBES: usize = 128;

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

    /// A random entry by a random number: each with the same chance as long as positions are evenly
    /// spread. Expected constant time.
    #[must_use]
    pub fn sample(&self, random: u64) -> Option<EntryRef<'_>> {
        if self.len == 0 {
            return None;
        }
        let mut state = random;
        for _ in 0..SAMPLE_PROBES {
            let random = next_random(&mut state);
            if let Some(entry) = self.probe(random) {
                return Some(entry);
            }
        }
        // Nearly empty: the next key from a random position on, wrapping around.
        let start = next_random(&mut state) >> SHARD_BITS;
        self.first_from(start).or_else(|| self.first_from(0))
    }

    /// One throw at all slots that there might be. Every used one has the same chance: a segment
    /// counts once, at the first of its entries, and lines that it lacks are misses.
    fn probe(&self, random: u64) -> Option<EntryRef<'_>> {
        let index = scale(random, self.directory.len());
        let segment = self.directory.get(index)?;
        if self.directory.range(index, segment.depth()).start != index {
            return None;
        }
        // The low bits are independent of the high ones that chose the segment.
        let lines = match self.directory.segments() {
            1 => segment.lines(),
            _ => segment.lines().max(LINES_MAX as usize - 1),
        };
        let line = scale(random << 24, lines);
        let slot = (random & (SLOTS as u64 - 1)) as usize;
        let used = line < segment.lines() && segment.used(line).0 >> slot & 1 == 1;
        used.then(|| segment.entry(Place::new(line, slot)))
    }

    fn first_from(&self, cursor: u64) -> Option<EntryRef<'_>> {
        let mut cursor = Some(cursor);
        while let Some(at) = cursor {
            let (index, home, next) = self.bucket_at(at)?;
            let mut found = None;
            self.directory.get(index)?.visit_home(home, &mut |entry| found = Some(entry));
            if found.is_some() {
                return found;
            }
            cursor = next;
        }
        None
    }
}

/// Maps a random number to `0..len` by its high bits.
#[inline]
fn scale(random: u64, len: usize) -> usize {
    ((u128::from(random) * len as u128) >> 64) as usize
}

/// A step of the SplitMix64 sequence: turns one random number into as many as needed.
#[inline]
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
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
