//! Random samples: single keys, handfuls of keys, keys with deadlines.
//!
//! A sample is a throw at all places that there might be, tried again until it hits one that is in
//! use: so every key has the same chance, whatever the sizes of the segments.
//!
//! Who looks for keys to evict takes all keys of the line that was hit. Positions are hashes, so
//! keys of one line have nothing in common, and one line costs no more than one key of it. Few keys
//! among many may have deadlines: those are found by the segments' bounds of their earliest
//! deadline, which say where there are none.

use super::bucket::SLOTS;
use super::segment::{LINES_MAX, Place, Segment};
use super::slot::At;
use super::{KeyTable, SHARD_BITS, Slot, local, tag};
use crate::entry::EntryRef;

/// Random probes before a sample settles for the next key in order. A regular table needs five.
const SAMPLE_PROBES: usize = 128;
/// How far ahead the entries of a segment that is visited are fetched.
const PREFETCH_LINES: usize = 6;
/// Segments whose bounds one search for deadlines looks at: some tens of microseconds.
const BOUNDS_MAX: usize = 256;
/// Segments that it visits, of some hundred keys each.
const VISITS_MAX: usize = 2;

/// What a search for keys with deadlines came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// Some were shown.
    Found,
    /// None so far: the position, without its shard bits, where to go on.
    GoOn(u64),
    /// The end of the table.
    End,
}

impl KeyTable {
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

    /// Shows a random handful of neighbouring entries by a random number: one at least unless the
    /// table is empty, and each key with the same chance, as [`KeyTable::sample`].
    pub fn sample_line(&self, random: u64, mut visit: impl FnMut(EntryRef<'_>)) {
        if self.len == 0 {
            return;
        }
        let mut state = random;
        for _ in 0..SAMPLE_PROBES {
            let Some((segment, line)) = self.throw(next_random(&mut state)) else { continue };
            let used = segment.used(line);
            if used.0 > 0 {
                segment.prefetch_entries(line);
                return used.for_each(|slot| visit(segment.entry(Place::new(line, slot))));
            }
        }
        let start = next_random(&mut state) >> SHARD_BITS;
        if let Some(entry) = self.first_from(start).or_else(|| self.first_from(0)) {
            visit(entry);
        }
    }

    /// Shows the entries with a deadline of their own of one segment, the first that has any from a
    /// position on (without its shard bits). Looks at a bounded number of entries.
    pub fn search_expiring(&mut self, from: u64, mut visit: impl FnMut(EntryRef<'_>)) -> Search {
        if self.timed.keys == 0 {
            return Search::End;
        }
        let mut index = self.directory.index(from << SHARD_BITS);
        let (mut bounds, mut visits) = (0, 0);
        while index < self.directory.len() {
            let bound = self.directory.get(index).map(|segment| segment.header().earliest);
            if bound.is_some_and(|earliest| earliest < u64::MAX) {
                if self.show_expiring(index, &mut visit) {
                    return Search::Found;
                }
                visits += 1;
            }
            bounds += 1;
            index = self.directory.end(index);
            if (bounds == BOUNDS_MAX || visits == VISITS_MAX) && index < self.directory.len() {
                return Search::GoOn(self.directory.start(index) >> SHARD_BITS);
            }
        }
        Search::End
    }

    /// Shows the entries of a segment that have a deadline of their own, and makes its bound exact.
    /// Whether there are any.
    fn show_expiring(&mut self, index: usize, visit: &mut impl FnMut(EntryRef<'_>)) -> bool {
        let Some(segment) = self.directory.get_mut(index) else { return false };
        let (mut earliest, mut found) = (u64::MAX, false);
        (0..PREFETCH_LINES).for_each(|line| segment.prefetch_entries(line));
        for line in 0..segment.lines() {
            segment.prefetch_entries(line + PREFETCH_LINES);
            for slot in segment.used(line) {
                let entry = segment.entry(Place::new(line, slot));
                earliest = earliest.min(entry.earliest().unwrap_or(u64::MAX));
                if entry.deadline().is_some() {
                    found = true;
                    visit(entry);
                }
            }
        }
        segment.header_mut().earliest = earliest;
        found
    }

    /// The slot of the key at `position`, which is known by nothing else.
    #[must_use]
    pub fn slot_at(&mut self, position: u64, rehash: &impl Fn(&[u8]) -> u64) -> Option<Slot<'_>> {
        let index = self.directory.index(local(position));
        let segment = self.directory.get(index)?;
        let home = segment.home(local(position));
        let is = |entry: EntryRef<'_>| rehash(entry.key()) == position;
        let place = find_place(segment, home, tag(position), is)?;
        let entry = segment.pointer(place);
        Some(Slot::new(self, At { index, home, place, entry }))
    }

    /// One throw at all slots that there might be.
    fn probe(&self, random: u64) -> Option<EntryRef<'_>> {
        let (segment, line) = self.throw(random)?;
        let slot = (random & (SLOTS as u64 - 1)) as usize;
        let used = segment.used(line).0 >> slot & 1 == 1;
        used.then(|| segment.entry(Place::new(line, slot)))
    }

    /// One throw at all lines that there might be. Each has the same chance: a segment counts once,
    /// at the first of its entries, and lines that it lacks are misses.
    fn throw(&self, random: u64) -> Option<(&Segment, usize)> {
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
        (line < segment.lines()).then_some((segment, line))
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

/// Where the entry with this home and tag is that `is` the wanted one.
fn find_place(
    segment: &Segment,
    home: usize,
    tag: u8,
    is: impl Fn(EntryRef<'_>) -> bool,
) -> Option<Place> {
    let (next, buckets) = (segment.after(home), segment.buckets());
    let own = segment.bucket(home).own_tagged(tag).map(|slot| Place::new(home, slot));
    let foreign = segment.bucket(next).foreign_tagged(tag).map(|slot| Place::new(next, slot));
    let stash = segment.stash().iter().enumerate();
    let stashed = stash.flat_map(|(line, slots)| {
        slots.tagged(home, tag).map(move |slot| Place::new(buckets + line, slot))
    });
    own.chain(foreign).chain(stashed).find(|place| is(segment.entry(*place)))
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
