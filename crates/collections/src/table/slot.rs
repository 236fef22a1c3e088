//! A found key: the way to change its entry.
//!
//! An entry that changes may move, gain or lose a deadline, and must be shown to a snapshot first.
//! All changes go through [`Slot::modify`], which sees to that.

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use super::segment::Place;
use super::{KeyTable, Tally};
use crate::entry::{Entry, EntryRef, NewValue, Stored};

/// A key of a table, found for changing it.
#[derive(Debug)]
pub struct Slot<'t> {
    table: &'t mut KeyTable,
    at: At,
}

/// Where a key is: right as long as nobody changes the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    /// Directory index of its segment.
    pub(super) index: usize,
    pub(super) home: usize,
    pub(super) place: Place,
    /// What the place holds.
    pub(super) entry: NonNull<u8>,
}

const HERE: &str = "the slot's segment stays while the slot borrows the table";

impl<'t> Slot<'t> {
    /// Of a key that is there.
    #[inline]
    pub(super) const fn new(table: &'t mut KeyTable, at: At) -> Self {
        Self { table, at }
    }

    /// The entry.
    #[inline]
    #[must_use]
    pub fn entry(&self) -> EntryRef<'_> {
        // SAFETY: the place owns the entry, and only the slot can change it: it borrows the table.
        unsafe { EntryRef::new(self.at.entry) }
    }

    /// The entry, for as long as the table was borrowed.
    #[inline]
    #[must_use]
    pub fn into_entry(self) -> EntryRef<'t> {
        // SAFETY: as in `entry`; the borrow of the table goes on, and nobody can change it.
        unsafe { EntryRef::new(self.at.entry) }
    }

    /// Sets the access clock. For snapshots this is no change.
    #[inline]
    pub fn set_clock(&mut self, clock: u32) {
        // SAFETY: the slot owns the entry and keeps it: the clock is written where the entry is.
        let entry = unsafe { Entry::from_raw(self.at.entry) };
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

    /// Puts `entry`, which has the same key, in the place of the present one and returns that.
    pub fn replace(&mut self, entry: Entry) -> Entry {
        self.modify(|old| std::mem::replace(old, entry))
    }

    /// Lets `change` work on the owned entry. Its key must stay the same.
    #[inline]
    pub fn modify<R>(&mut self, change: impl FnOnce(&mut Entry) -> R) -> R {
        self.table.before_change(&self.at);
        // SAFETY: the slot owns the entry. The loan gives it back in the end, and nothing reads the
        // slot meanwhile: the table is borrowed.
        let entry = ManuallyDrop::new(unsafe { Entry::from_raw(self.at.entry) });
        let before = Tally::of(entry.view());
        let mut loan = Loan { table: self.table, at: &mut self.at, entry, before };
        change(&mut loan.entry)
    }

    /// Lets `change` work on the collection of this type; none if the value is another. As
    /// [`Slot::modify`], for less, since the entry stays where it is.
    #[inline]
    pub fn modify_object<T: Stored, R>(&mut self, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        let before = Tally::of_object(self.entry(), self.entry().object::<T>()?);
        self.table.before_change(&self.at);
        // SAFETY: the slot owns the entry and keeps it: the value is changed where it is, and
        // nothing reads the slot meanwhile, since the table is borrowed.
        let mut entry = ManuallyDrop::new(unsafe { Entry::from_raw(self.at.entry) });
        let _loan = ObjectLoan::<T> { table: self.table, at: self.at, before, of: PhantomData };
        entry.object_mut::<T>().map(change)
    }

    /// Takes the entry out of the table, which may shrink a little: hence `rehash`.
    pub fn remove(self, rehash: &impl Fn(&[u8]) -> u64) -> Entry {
        self.take_out(rehash).0
    }

    /// As [`Slot::remove`]; the table comes back too.
    fn take_out(self, rehash: &impl Fn(&[u8]) -> u64) -> (Entry, &'t mut KeyTable) {
        let Self { table, at } = self;
        table.before_change(&at);
        let At { index, place, .. } = at;
        let segment = table.directory.get_mut(index).expect(HERE);
        let entry = segment.take(place);
        let thin = segment.header().live < segment.header().shrink_below;
        table.len -= 1;
        table.discount(Tally::of(entry.view()));
        if thin {
            table.shrink(table.directory.start(index), rehash);
        }
        (entry, table)
    }
}

/// A key of a table, be it there or not: what is needed to change it again and again, to remove and
/// to add it, with a single search.
#[derive(Debug)]
pub struct Cursor<'t>(State<'t>);

#[derive(Debug)]
enum State<'t> {
    Present(Slot<'t>),
    Absent(&'t mut KeyTable),
    /// Between the two, while a method of the cursor runs.
    Changing,
}

impl<'t> Cursor<'t> {
    /// Of a key that is there, or of one that is not.
    #[inline]
    pub(super) const fn new(table: &'t mut KeyTable, at: Option<At>) -> Self {
        match at {
            Some(at) => Self(State::Present(Slot::new(table, at))),
            None => Self(State::Absent(table)),
        }
    }

    /// The entry, if the key is there.
    #[inline]
    #[must_use]
    pub fn entry(&self) -> Option<EntryRef<'_>> {
        match &self.0 {
            State::Present(slot) => Some(slot.entry()),
            State::Absent(_) | State::Changing => None,
        }
    }

    /// The slot, if the key is there.
    #[inline]
    pub const fn slot(&mut self) -> Option<&mut Slot<'t>> {
        match &mut self.0 {
            State::Present(slot) => Some(slot),
            State::Absent(_) | State::Changing => None,
        }
    }

    /// Takes the entry out of the table, as [`Slot::remove`]; none if the key is not there.
    pub fn remove(&mut self, rehash: &impl Fn(&[u8]) -> u64) -> Option<Entry> {
        match std::mem::replace(&mut self.0, State::Changing) {
            State::Present(slot) => {
                let (entry, table) = slot.take_out(rehash);
                self.0 = State::Absent(table);
                Some(entry)
            }
            absent => {
                self.0 = absent;
                None
            }
        }
    }

    /// Adds the key, which is not there, as [`KeyTable::insert`].
    ///
    /// # Panics
    /// If it is there.
    pub fn insert(&mut self, position: u64, entry: Entry, rehash: &impl Fn(&[u8]) -> u64) {
        let State::Absent(table) = std::mem::replace(&mut self.0, State::Changing) else {
            panic!("only a key that is not there is added");
        };
        self.0 = State::Present(table.insert(position, entry, rehash));
    }
}

/// An entry borrowed from its slot as an owned one. It goes back, with what it became accounted
/// for, when this is dropped, a panic included.
struct Loan<'s> {
    table: &'s mut KeyTable,
    at: &'s mut At,
    entry: ManuallyDrop<Entry>,
    before: Tally,
}

impl Drop for Loan<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the entry is not used after it was taken here.
        let entry = unsafe { ManuallyDrop::take(&mut self.entry) };
        let after = Tally::of(entry.view());
        let earliest = if after.is_timed() { entry.view().earliest() } else { None };
        let before = std::mem::replace(&mut self.at.entry, entry.into_raw());
        if self.at.entry != before {
            let segment = self.table.directory.get_mut(self.at.index).expect(HERE);
            segment.set_pointer(self.at.place, self.at.entry);
        }
        if after != self.before {
            self.table.discount(self.before);
            self.table.count(after);
        }
        if let Some(deadline) = earliest {
            self.table.lower_bounds(self.at.index, deadline);
        }
    }
}

/// A collection borrowed from its slot, accounted for when this is dropped, a panic included.
struct ObjectLoan<'s, T: Stored> {
    table: &'s mut KeyTable,
    at: At,
    before: Tally,
    of: PhantomData<T>,
}

impl<T: Stored> Drop for ObjectLoan<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the place still owns the entry, and nobody changes it any more.
        let entry = unsafe { EntryRef::new(self.at.entry) };
        let object = entry.object::<T>().expect("a change leaves the type as it is");
        let after = Tally::of_object(entry, object);
        if after != self.before {
            self.table.discount(self.before);
            self.table.count(after);
        }
        if let Some(deadline) = object.earliest() {
            self.table.lower_bounds(self.at.index, deadline);
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
    fn a_cursor_follows_its_key() {
        let position = |key: &[u8]| u64::from_be_bytes(key.try_into().unwrap()) << 40;
        let mut table = KeyTable::new();
        let keys: Vec<[u8; 8]> = (0..3_000u64).map(u64::to_be_bytes).collect();
        for (number, key) in (0..).zip(&keys) {
            let mut cursor = table.cursor(position(key), key);
            assert!(cursor.entry().is_none() && cursor.slot().is_none());
            assert!(cursor.remove(&position).is_none());
            cursor.insert(position(key), Entry::new(key, NewValue::Int(0), None), &position);
            assert_eq!(cursor.entry().unwrap().key(), key);
            // Every other one moves, having a deadline now.
            let deadline = (number % 2 == 0).then_some(number);
            cursor.slot().unwrap().set_value(NewValue::Int(1), deadline);
            assert_eq!(cursor.entry().unwrap().deadline(), deadline);
            assert_eq!(table.find(position(key), key).unwrap().deadline(), deadline);
        }
        for key in &keys {
            let mut cursor = table.cursor(position(key), key);
            assert_eq!(cursor.remove(&position).unwrap().key(), key);
            assert!(cursor.entry().is_none());
            cursor.insert(position(key), Entry::new(key, NewValue::Int(2), None), &position);
            assert_eq!(cursor.remove(&position).unwrap().key(), key);
            assert!(table.find(position(key), key).is_none());
        }
        assert!(table.is_empty());
    }

    #[test]
    #[should_panic(expected = "only a key that is not there is added")]
    fn a_cursor_does_not_add_a_key_twice() {
        let position = |key: &[u8]| u64::from(key[0]) << 48;
        let mut table = KeyTable::new();
        let mut cursor = table.cursor(position(b"k"), b"k");
        for _ in 0..2 {
            cursor.insert(position(b"k"), Entry::new(b"k", NewValue::Int(1), None), &position);
        }
    }
}
