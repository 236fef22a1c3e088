//! A found key: the way to change its entry.
//!
//! An entry that changes may move, gain or lose a deadline, and must be shown to a snapshot first.
//! All changes go through [`Slot::modify`], which sees to that.

use std::mem::ManuallyDrop;

use super::segment::{Place, Segment};
use super::{KeyTable, Timed};
use crate::entry::{Entry, EntryRef, NewValue};

/// A key of a table, found for changing it.
#[derive(Debug)]
pub struct Slot<'t> {
    table: &'t mut KeyTable,
    /// Directory index of its segment; valid as long as the table is borrowed.
    index: usize,
    home: usize,
    place: Place,
}

/// Where a key was found: the way back to it without a search.
///
/// It may be used until another key is added or removed. After that it may lead to another key,
/// never out of the table.
#[derive(Clone, Copy, Debug)]
pub struct Location {
    index: usize,
    home: usize,
    place: Place,
    /// Address of the entry, which tells an outdated location.
    address: usize,
}

const HERE: &str = "the slot's segment stays while the slot borrows the table";

impl<'t> Slot<'t> {
    #[inline]
    pub(super) const fn new(
        table: &'t mut KeyTable,
        index: usize,
        home: usize,
        place: Place,
    ) -> Self {
        Self { table, index, home, place }
    }

    /// For coming back, by [`KeyTable::find_again`].
    #[inline]
    #[must_use]
    pub fn location(&self) -> Location {
        let Self { index, home, place, .. } = *self;
        let segment = self.table.directory.get(index).expect(HERE);
        Location { index, home, place, address: segment.pointer(place).addr().get() }
    }

    /// The entry.
    #[inline]
    #[must_use]
    pub fn entry(&self) -> EntryRef<'_> {
        self.table.directory.get(self.index).expect(HERE).entry(self.place)
    }

    /// The entry, for as long as the table was borrowed.
    #[inline]
    #[must_use]
    pub fn into_entry(self) -> EntryRef<'t> {
        let Self { table, index, place, .. } = self;
        let table: &'t KeyTable = table;
        table.directory.get(index).expect(HERE).entry(place)
    }

    /// Sets the access clock. For snapshots this is no change.
    #[inline]
    pub fn set_clock(&mut self, clock: u32) {
        let segment = self.table.directory.get_mut(self.index).expect(HERE);
        // SAFETY: the slot owns the entry and keeps it: the clock is written where the entry is.
        let entry = unsafe { Entry::from_raw(segment.pointer(self.place)) };
        ManuallyDrop::new(entry).set_clock(clock);
    }

    /// Replaces value and deadline, as [`Entry::set_value`]: returns the old entry if it moved.
    #[inline]
    pub fn set_value(&mut self, value: NewValue<'_>, deadline: Option<u64>) -> Option<Entry> {
        self.modify(|entry| entry.set_value(value, deadline))
    }

    /// Sets or removes the deadline: unix time in milliseconds.
    pub fn set_deadline(&mut self, deadline: Option<u64>) {
        self.modify(|entry| entry.set_deadline(deadline));
    }

    /// The string's bytes for editing in place, as [`Entry::bytes_mut`].
    pub fn bytes_mut(&mut self, len: usize) -> &mut [u8] {
        self.modify(|entry| {
            let bytes = entry.bytes_mut(len);
            let (start, len) = (bytes.as_mut_ptr(), bytes.len());
            // SAFETY: the bytes belong to the entry, which now neither moves nor changes until the
            // returned borrow of the slot ends: the table is only reachable through the slot.
            unsafe { std::slice::from_raw_parts_mut(start, len) }
        })
    }

    /// Puts `entry`, which has the same key, in the place of the present one and returns that.
    pub fn replace(&mut self, entry: Entry) -> Entry {
        self.modify(|old| std::mem::replace(old, entry))
    }

    /// Lets `change` work on the owned entry. Its key must stay the same.
    #[inline]
    pub fn modify<R>(&mut self, change: impl FnOnce(&mut Entry) -> R) -> R {
        self.table.before_change(self.index, self.home);
        let segment = self.table.directory.get(self.index).expect(HERE);
        // SAFETY: the slot owns the entry. The loan gives it back in the end, and nothing reads the
        // slot meanwhile: the table is borrowed.
        let entry = ManuallyDrop::new(unsafe { Entry::from_raw(segment.pointer(self.place)) });
        let before = Timed::of(entry.view());
        let mut loan =
            Loan { table: self.table, index: self.index, place: self.place, entry, before };
        change(&mut loan.entry)
    }

    /// Takes the entry out of the table, which may shrink a little: hence `rehash`.
    pub fn remove(self, rehash: &impl Fn(&[u8]) -> u64) -> Entry {
        let Self { table, index, home, place } = self;
        table.before_change(index, home);
        let segment = table.directory.get_mut(index).expect(HERE);
        let entry = segment.take(place);
        let thin = segment.header().live < segment.header().shrink_below;
        table.len -= 1;
        table.timed.changed(Timed::of(entry.view()), Timed::default());
        if thin {
            table.shrink(table.directory.start(index), rehash);
        }
        entry
    }
}

impl KeyTable {
    /// As [`KeyTable::find`], for a key that was found at `location` before.
    #[inline]
    #[must_use]
    pub fn read_again(
        &self,
        location: Location,
        position: u64,
        key: &[u8],
    ) -> Option<EntryRef<'_>> {
        match self.segment_of(location) {
            Some(segment) => Some(segment.entry(location.place)),
            None => self.find(position, key),
        }
    }

    /// As [`KeyTable::find_mut`], for a key that was found at `location` before.
    #[inline]
    #[must_use]
    pub fn find_again(
        &mut self,
        location: Location,
        position: u64,
        key: &[u8],
    ) -> Option<Slot<'_>> {
        if self.segment_of(location).is_some() {
            let Location { index, home, place, .. } = location;
            return Some(Slot::new(self, index, home, place));
        }
        self.find_mut(position, key)
    }

    /// The segment that holds the very entry that was found at `location`; none if the entry may be
    /// elsewhere by now.
    #[inline]
    fn segment_of(&self, location: Location) -> Option<&Segment> {
        let Location { index, home, place, address } = location;
        let segment = self.directory.get(index)?;
        let buckets = segment.buckets();
        // A place in the stash is not worth reading the header for, to know that it is there.
        let is_here = home < buckets
            && (place.line as usize) < buckets
            && segment.is_used(place)
            && segment.pointer(place).addr().get() == address;
        is_here.then_some(segment)
    }
}

/// An entry borrowed from its slot as an owned one. It goes back, with what it became accounted
/// for, when this is dropped, a panic included.
struct Loan<'s> {
    table: &'s mut KeyTable,
    index: usize,
    place: Place,
    entry: ManuallyDrop<Entry>,
    before: Timed,
}

impl Drop for Loan<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the entry is not used after it was taken here.
        let entry = unsafe { ManuallyDrop::take(&mut self.entry) };
        let after = Timed::of(entry.view());
        // Most have none, and are not asked twice.
        let earliest = if after.is_none() { None } else { entry.view().earliest() };
        let segment = self.table.directory.get_mut(self.index).expect(HERE);
        segment.set_pointer(self.place, entry.into_raw());
        self.table.timed.changed(self.before, after);
        if let Some(deadline) = earliest {
            self.table.lower_bounds(self.index, deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_panics_loses_nothing() {
        let position = |key: &[u8]| u64::from(key[0]) << 48;
        let mut table = KeyTable::new();
        table.insert(position(b"k"), Entry::new(b"k", NewValue::Int(1), None), &position);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            table.find_mut(position(b"k"), b"k").unwrap().modify(|entry| {
                entry.set_value(NewValue::Bytes(&[0; 300]), None);
                panic!("half way");
            });
        }));
        assert!(result.is_err());
        assert_eq!(table.find(position(b"k"), b"k").unwrap().deadline(), None);
    }

    #[test]
    fn the_way_back_survives_what_happens_to_the_entry() {
        let position = |key: &[u8]| u64::from_be_bytes(key.try_into().unwrap()) << 40;
        let mut table = KeyTable::new();
        let keys: Vec<[u8; 8]> = (0..3_000u64).map(u64::to_be_bytes).collect();
        for (number, key) in (0..).zip(&keys) {
            let entry = Entry::new(key, NewValue::Int(0), None);
            let location = table.insert(position(key), entry, &position).location();
            let mut slot = table.find_again(location, position(key), key).unwrap();
            assert_eq!(slot.entry().key(), key);
            // Every other one moves, having a deadline now.
            slot.set_value(NewValue::Int(1), (number % 2 == 0).then_some(number));
            let again = table.read_again(location, position(key), key).unwrap();
            assert_eq!((again.key(), again.deadline().is_some()), (&key[..], number % 2 == 0));
        }
        for key in &keys {
            let location = table.find_mut(position(key), key).unwrap().location();
            let slot = table.find_again(location, position(key), key).unwrap();
            assert_eq!(slot.remove(&position).key(), key);
            assert!(table.find_again(location, position(key), key).is_none());
            assert!(table.read_again(location, position(key), key).is_none());
        }
    }
}
