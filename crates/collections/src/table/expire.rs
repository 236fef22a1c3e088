//! Active expiry: reclaiming entries whose deadline has passed, without a second dictionary.
//!
//! Each segment has a lower bound of its earliest deadline. A sweep passes over the headers, visits
//! the segments whose bound is due, removes what is due there and makes the bound exact. Waiting
//! until a bound is due by some slack lets due entries gather, so that one visit finds many: with
//! deadlines spread over ten seconds and a slack of half a second, a visit of a segment of 400 keys
//! removes 20 of them or more. The table's own bound makes a sweep with nothing to do one comparison.

use super::KeyTable;
use super::segment::Place;
use crate::entry::Entry;

impl KeyTable {
    /// Whether a sweep would visit anything: the earliest deadline may be due by `slack`.
    #[inline]
    #[must_use]
    pub const fn has_due(&self, now: u64, slack: u64) -> bool {
        self.expiring > 0 && self.earliest.saturating_add(slack) <= now
    }

    /// Removes entries whose deadline is at most `now` from segments where one is due by `slack`, and
    /// hands them to `removed`. Times are unix milliseconds.
    ///
    /// Visits at least `budget` entries if there are as many (whole segments, at most some 500 more),
    /// and goes on from there when called again. Returns whether due segments remain.
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
        let lines = self.directory.get(index).expect(VISITED).lines();
        let mut earliest = u64::MAX;
        for line in 0..lines {
            let segment = self.directory.get(index).expect(VISITED);
            segment.prefetch_entries(line + 1);
            segment.prefetch_entries(line + 2);
            // A freed slot may be filled from the stash at once (never another one, so no key is
            // missed): look again until it is free or holds a key that stays.
            for slot in 0..super::bucket::SLOTS {
                let place = Place { line: line as u32, slot: slot as u8 };
                loop {
                    let segment = self.directory.get(index).expect(VISITED);
                    if segment.used(line).0 >> slot & 1 == 0 {
                        break;
                    }
                    let deadline = segment.entry(place).deadline().unwrap_or(u64::MAX);
                    if deadline > now {
                        earliest = earliest.min(deadline);
                        break;
                    }
                    let home = segment.home_of(place);
                    self.before_change(index, home);
                    let entry = self.directory.get_mut(index).expect(VISITED).take(place);
                    self.len -= 1;
                    self.expiring -= 1;
                    removed(entry);
                }
            }
        }
        self.directory.get_mut(index).expect(VISITED).header_mut().earliest = earliest;
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
