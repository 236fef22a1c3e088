//! Finding, placing and removing keys inside a segment.
//!
//! A key goes home if there is room, else next door, else somebody else is moved one on or back to
//! make room in one of the two, else it goes to the stash. A removal brings a key back from the
//! stash, so that the stash holds only what the last overflow left there.

use std::ptr::NonNull;

use super::bucket::NO_HOME;
use super::segment::{Place, Segment};
use crate::entry::{Entry, EntryRef};

impl Segment {
    /// Finds a key: where it is, and its entry.
    #[inline]
    pub(super) fn find(&self, home: usize, tag: u8, key: &[u8]) -> Option<(Place, EntryRef<'_>)> {
        let bucket = self.bucket(home);
        for slot in bucket.own_tagged(tag) {
            if let Some(found) = self.compare(Place::new(home, slot), key) {
                return Some(found);
            }
        }
        if bucket.is_complete() { None } else { self.find_outside(home, tag, key) }
    }

    fn find_outside(&self, home: usize, tag: u8, key: &[u8]) -> Option<(Place, EntryRef<'_>)> {
        let next = self.after(home);
        for slot in self.bucket(next).foreign_tagged(tag) {
            if let Some(found) = self.compare(Place::new(next, slot), key) {
                return Some(found);
            }
        }
        if !self.bucket(home).has_stashed() {
            return None;
        }
        for (index, line) in self.stash().iter().enumerate() {
            for slot in line.tagged(home, tag) {
                if let Some(found) = self.compare(Place::new(self.buckets() + index, slot), key) {
                    return Some(found);
                }
            }
        }
        None
    }

    /// The entry at a used place, if its key is this.
    #[inline]
    fn compare(&self, place: Place, key: &[u8]) -> Option<(Place, EntryRef<'_>)> {
        let entry = self.entry(place);
        (entry.key() == key).then_some((place, entry))
    }

    /// Finds room for one more key and puts `entry` there; `None` if the segment must grow first.
    /// The caller hands over the ownership if it succeeds.
    #[inline]
    pub(super) fn place(&mut self, home: usize, tag: u8, entry: NonNull<u8>) -> Option<Place> {
        let place = match self.bucket(home).free() {
            Some(slot) => self.fill(home, slot, tag, entry, false),
            None => self.place_outside(home, tag, entry)?,
        };
        self.header_mut().live += 1;
        Some(place)
    }

    fn place_outside(&mut self, home: usize, tag: u8, entry: NonNull<u8>) -> Option<Place> {
        let next = self.after(home);
        if next != home {
            if let Some(slot) = self.bucket(next).free() {
                return Some(self.fill(next, slot, tag, entry, true));
            }
            if let Some(slot) = self.push_on(next) {
                return Some(self.fill(next, slot, tag, entry, true));
            }
            if let Some(slot) = self.push_back(home) {
                return Some(self.fill(home, slot, tag, entry, false));
            }
        }
        let buckets = self.buckets();
        for (index, line) in self.stash_mut().iter_mut().enumerate() {
            if let Some(slot) = line.free() {
                line.slots.set(slot, tag, entry);
                line.homes[slot] = home as u8;
                self.bucket_mut(home).count_stashed(true);
                return Some(Place::new(buckets + index, slot));
            }
        }
        None
    }

    /// Frees a slot of a full bucket by moving one of its own keys to the bucket after it.
    fn push_on(&mut self, from: usize) -> Option<usize> {
        let to = self.after(from);
        let free = self.bucket(to).free()?;
        let slot = self.bucket(from).own().next()?;
        self.shift(from, slot, to, free);
        Some(slot)
    }

    /// Frees a slot of a full bucket by moving a displaced key home.
    fn push_back(&mut self, from: usize) -> Option<usize> {
        let to = self.before(from);
        let free = self.bucket(to).free()?;
        let slot = self.bucket(from).foreign().next()?;
        self.shift(from, slot, to, free);
        Some(slot)
    }

    /// Moves a key between the two buckets it may live in.
    fn shift(&mut self, from: usize, slot: usize, to: usize, free: usize) {
        let source = self.bucket_mut(from);
        let (tag, entry) = (source.slots.tags[slot], source.slots.get(slot));
        let going_home = source.vacate(slot);
        if going_home {
            self.bucket_mut(to).count_outside(false);
        }
        self.fill(to, free, tag, entry, !going_home);
    }

    /// Puts a key into a free slot of a bucket.
    #[inline]
    fn fill(
        &mut self,
        index: usize,
        slot: usize,
        tag: u8,
        entry: NonNull<u8>,
        displaced: bool,
    ) -> Place {
        let bucket = self.bucket_mut(index);
        bucket.slots.set(slot, tag, entry);
        bucket.occupy(slot, displaced);
        bucket.marks.forget(slot);
        if displaced {
            let home = self.before(index);
            self.bucket_mut(home).count_outside(true);
        }
        Place::new(index, slot)
    }

    /// Takes the entry at a used place out.
    pub(super) fn take(&mut self, place: Place) -> Entry {
        let pointer = self.pointer(place);
        let (line, slot) = (place.line as usize, place.slot as usize);
        self.header_mut().live -= 1;
        match line.checked_sub(self.buckets()) {
            Some(stash) => {
                let homes = &mut self.stash_mut()[stash].homes;
                let home = std::mem::replace(&mut homes[slot], NO_HOME);
                self.bucket_mut(home as usize).count_stashed(false);
            }
            None => {
                if self.bucket_mut(line).vacate(slot) {
                    let home = self.before(line);
                    self.bucket_mut(home).count_outside(false);
                }
                self.unstash(line, slot);
            }
        }
        // SAFETY: the slot owned the entry and has just been marked free.
        unsafe { Entry::from_raw(pointer) }
    }

    /// Brings a key from the stash into a slot that became free, if one may live there.
    fn unstash(&mut self, index: usize, free: usize) {
        for (home, displaced) in [(index, false), (self.before(index), true)] {
            if !self.bucket(home).has_stashed() || displaced && home == index {
                continue;
            }
            let Some((stash, slot)) = self.stashed(home).next() else { continue };
            let line = &mut self.stash_mut()[stash];
            let (tag, entry) = (line.slots.tags[slot], line.slots.get(slot));
            line.homes[slot] = NO_HOME;
            self.bucket_mut(home).count_stashed(false);
            self.fill(index, free, tag, entry, displaced);
            return;
        }
    }

    /// The stash slots of a home.
    pub(super) fn stashed(&self, home: usize) -> impl Iterator<Item = (usize, usize)> {
        let lines = self.stash().iter().enumerate();
        lines.flat_map(move |(index, line)| line.of_home(home).map(move |slot| (index, slot)))
    }
}
