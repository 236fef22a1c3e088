//! Active expiry: reclaiming entries whose deadline has passed, without a second dictionary.
//!
//! Each segment has a lower bound of its earliest deadline. A sweep passes over the headers, visits
//! the segments whose bound is due, removes what is due there and makes the bound exact. Waiting
//! until a bound is due by some slack lets due entries gather, so that one visit finds many: with
//! deadlines spread over ten seconds and a slack of half a second, a visit of a segment of 400 keys
//! removes 20 of them or more. The table's own bound makes a sweep with nothing to do one
//! comparison.

use super::KeyTable;
use super::bucket::SlotSet;
use super::segment::Place;
use crate::entry::Entry;

/// How far ahead entries are fetched: 48 of them are on their way while one is looked at, since
/// memory takes as long as looking at about so many.
const PREFETCH_LINES: usize = 6;

impl KeyTable {
    /// Whether a sweep would visit anything: the earliest deadline may be due by `slack`.
    #[inline]
    #[must_use]
    pub const fn has_due(&self, now: u64, slack: u64) -> bool {
        self.expiring > 0 && self.earliest.saturating_add(slack) <= now
    }

    /// Removes entries whose deadline is at most `now` from segments where one is due by `slack`,
    /// and hands them to `removed`. Times are unix milliseconds.
    ///
    /// Visits at least `budget` entries if there are as many (whole segments, at most some 500
    /// more), and goes on from there when called again. Returns whether due segments remain.
    pub fn expire_due(
        &mut self,
        now: u64,
        slack: u64,
        budget: usize,
        rehash: &impl Fn(&[u8]) -> u64,
        mut removed: impl FnMut(Entry),
    ) -> bool {
        if !self.has_due(now, slack) {
            return false;
        }
        let mut visited = 0;
        let mut index = self.directory.index(self.sweep_at);
        while index < self.directory.len() {
            let end = self.directory.end(index);
            // Positions outlive the splits and merges of the visit; indexes do not.
            let next = self.directory.start(end);
            let last = end == self.directory.len();
            let due = self
                .directory
                .get(index)
                .filter(|segment| segment.header().earliest.saturating_add(slack) <= now);
            if let Some(segment) = due {
                if visited >= budget {
                    self.sweep_at = self.directory.start(index);
                    return true;
                }
                visited += segment.header().live as usize;
                self.visit_due(index, now, &mut removed);
                self.shrink(self.directory.start(index), rehash);
            }
            index = if last { usize::MAX } else { self.directory.index(next) };
        }
        self.sweep_at = 0;
        self.earliest = self.bound();
        self.has_due(now, slack)
    }

    /// Removes what is due from one segment and makes its bound exact.
    fn visit_due(&mut self, index: usize, now: u64, removed: &mut impl FnMut(Entry)) {
        const VISITED: &str = "the visited segment exists";
        let segment = self.directory.get(index).expect(VISITED);
        let lines = segment.lines();
        (0..PREFETCH_LINES).for_each(|line| segment.prefetch_entries(line));
        let mut earliest = u64::MAX;
        for line in 0..lines {
            let segment = self.directory.get(index).expect(VISITED);
            segment.prefetch_entries(line + PREFETCH_LINES);
            let mut due = 0u8;
            for slot in segment.used(line) {
                let place = Place::new(line, slot);
                match segment.entry(place).deadline() {
                    Some(deadline) if deadline <= now => due |= 1 << slot,
                    Some(deadline) => earliest = earliest.min(deadline),
                    None => {}
                }
            }
            for slot in SlotSet(due) {
                let place = Place::new(line, slot);
                let kept = self.remove_due(index, place, now, removed);
                earliest = earliest.min(kept);
            }
        }
        self.directory.get_mut(index).expect(VISITED).header_mut().earliest = earliest;
    }

    /// Removes the due entry at a place. The freed slot may be filled from the stash at once (and
    /// no other slot, so no key is missed): goes on until it is free or holds a key that stays, and
    /// returns that one's deadline.
    fn remove_due(
        &mut self,
        index: usize,
        place: Place,
        now: u64,
        removed: &mut impl FnMut(Entry),
    ) -> u64 {
        const VISITED: &str = "the visited segment exists";
        loop {
            let home = self.directory.get(index).expect(VISITED).home_of(place);
            self.before_change(index, home);
            let segment = self.directory.get_mut(index).expect(VISITED);
            let entry = segment.take(place);
            let refilled = segment.is_used(place);
            let deadline = if refilled { segment.entry(place).deadline() } else { None };
            self.len -= 1;
            self.expiring -= 1;
            removed(entry);
            match deadline {
                Some(deadline) if deadline <= now => {}
                kept => return kept.unwrap_or(u64::MAX),
            }
        }
    }

    /// The smallest bound of all segments.
    fn bound(&self) -> u64 {
        let (mut index, mut bound) = (0, u64::MAX);
        while index < self.directory.len() {
            if let Some(segment) = self.directory.get(index) {
                bound = bound.min(segment.header().earliest);
            }
            index = self.directory.end(index);
        }
        bound
    }
}
