//! Active expiry: reclaiming entries whose deadline has passed, without a second dictionary.
//!
//! Each segment has a lower bound of its earliest deadline. A sweep passes over the headers, visits
//! the segments whose bound is due, removes what is due there and makes the bound exact. Waiting
//! until a bound is due by some slack lets due entries gather, so that one visit finds many: with
//! deadlines spread over ten seconds and a slack of half a second, a visit of a segment of 400 keys
//! removes 20 of them or more. The table's own bound makes a sweep with nothing to do one
//! comparison.
//!
//! Fields of hashes with deadlines are found in the same way: the bounds cover them too, and a hash
//! finds those that are due among its fields by bounds of its own.

use super::bucket::SlotSet;
use super::segment::Place;
use super::slot::At;
use super::{KeyTable, Slot, Tally};
use crate::entry::Entry;
use crate::hash::Hash;

/// How far ahead entries are fetched: 48 of them are on their way while one is looked at, since
/// memory takes as long as looking at about so many.
const PREFETCH_LINES: usize = 6;

/// What a sweep has removed.
#[derive(Debug)]
pub enum Expired<'a> {
    /// A key whose time had come.
    Key(Entry),
    /// Fields of the hash under this key.
    Fields {
        /// The key, which stays.
        key: &'a [u8],
        /// The names of the fields.
        names: &'a [Box<[u8]>],
    },
    /// A hash whose last fields have just been removed.
    Emptied(Entry),
}

const VISITED: &str = "the visited segment exists";

impl KeyTable {
    /// Whether a sweep would visit anything: the earliest deadline may be due by `slack`.
    #[inline]
    #[must_use]
    pub const fn has_due(&self, now: u64, slack: u64) -> bool {
        !self.timed.is_none() && self.earliest.saturating_add(slack) <= now
    }

    /// Removes entries, and fields of hashes, whose deadline is at most `now` from segments where
    /// one is due by `slack`, and hands them to `expired`. Times are unix milliseconds.
    ///
    /// Visits at least `budget` entries and fields if there are as many (whole segments, at most
    /// some 500 more), and goes on from there when called again. Returns whether due segments
    /// remain.
    pub fn expire_due(
        &mut self,
        now: u64,
        slack: u64,
        budget: usize,
        rehash: &impl Fn(&[u8]) -> u64,
        mut expired: impl FnMut(Expired<'_>),
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
                visited += self.visit_due(index, now, budget, &mut expired);
                self.shrink(self.directory.start(index), rehash);
            }
            index = if last { usize::MAX } else { self.directory.index(next) };
        }
        self.sweep_at = 0;
        self.earliest = self.bound();
        self.has_due(now, slack)
    }

    /// Removes what is due from one segment and makes its bound exact. Visits about `fields` fields
    /// at most, and returns how many; a hash with more to remove keeps the bound due.
    fn visit_due(
        &mut self,
        index: usize,
        now: u64,
        fields: usize,
        expired: &mut impl FnMut(Expired<'_>),
    ) -> usize {
        let segment = self.directory.get(index).expect(VISITED);
        let lines = segment.lines();
        (0..PREFETCH_LINES).for_each(|line| segment.prefetch_entries(line));
        let (mut earliest, mut left) = (u64::MAX, fields);
        for line in 0..lines {
            let segment = self.directory.get(index).expect(VISITED);
            segment.prefetch_entries(line + PREFETCH_LINES);
            let mut due = 0u8;
            for slot in segment.used(line) {
                match segment.entry(Place::new(line, slot)).earliest() {
                    Some(deadline) if deadline <= now => due |= 1 << slot,
                    Some(deadline) => earliest = earliest.min(deadline),
                    None => {}
                }
            }
            for slot in SlotSet(due) {
                let place = Place::new(line, slot);
                let kept = self.visit_entry(index, place, now, &mut left, expired);
                earliest = earliest.min(kept);
            }
        }
        self.directory.get_mut(index).expect(VISITED).header_mut().earliest = earliest;
        fields - left
    }

    /// Removes the due entry at a place, or what is due in it. The freed slot may be filled from
    /// the stash at once (and no other slot, so no key is missed): goes on until it is free or
    /// holds a key that stays, and returns the bound of that one's deadlines.
    fn visit_entry(
        &mut self,
        index: usize,
        place: Place,
        now: u64,
        left: &mut usize,
        expired: &mut impl FnMut(Expired<'_>),
    ) -> u64 {
        loop {
            let entry = self.directory.get(index).expect(VISITED).entry(place);
            let is_due = entry.deadline().is_some_and(|deadline| deadline <= now);
            let fields_due = entry.field_deadline().is_some_and(|deadline| deadline <= now);
            if !is_due {
                let kept = entry.earliest().unwrap_or(u64::MAX);
                if !fields_due || *left == 0 {
                    return kept;
                }
                if let Some(kept) = self.expire_fields(index, place, now, left, expired) {
                    return kept;
                }
            }
            let entry = self.remove_at(index, place);
            expired(if is_due { Expired::Key(entry) } else { Expired::Emptied(entry) });
            if !self.directory.get(index).expect(VISITED).is_used(place) {
                return u64::MAX;
            }
        }
    }

    /// Removes fields that are due from the hash at a place. Returns the bound of the deadlines
    /// that are left there; none if the hash is empty now.
    fn expire_fields(
        &mut self,
        index: usize,
        place: Place,
        now: u64,
        left: &mut usize,
        expired: &mut impl FnMut(Expired<'_>),
    ) -> Option<u64> {
        let segment = self.directory.get(index).expect(VISITED);
        let (home, entry) = (segment.home_of(place), segment.pointer(place));
        let mut names = Vec::new();
        let mut slot = Slot::new(self, At { index, home, place, entry });
        slot.modify_object(|hash: &mut Hash| {
            let visited = hash.expire(now, *left, &mut |name| names.push(name.into()));
            *left = left.saturating_sub(visited);
        });
        let entry = self.directory.get(index).expect(VISITED).entry(place);
        if !names.is_empty() {
            expired(Expired::Fields { key: entry.key(), names: &names });
        }
        let is_empty = entry.object::<Hash>().is_some_and(Hash::is_empty);
        (!is_empty).then(|| entry.earliest().unwrap_or(u64::MAX))
    }

    /// Takes the entry out of a used place.
    fn remove_at(&mut self, index: usize, place: Place) -> Entry {
        let segment = self.directory.get(index).expect(VISITED);
        let (home, entry) = (segment.home_of(place), segment.pointer(place));
        self.before_change(&At { index, home, place, entry });
        let entry = self.directory.get_mut(index).expect(VISITED).take(place);
        self.len -= 1;
        self.discount(Tally::of(entry.view()));
        entry
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
