//! The hash type: fields with a value each, and some of them with a deadline.
//!
//! | form | while |
//! |---|---|
//! | `listpack` | up to `listpack_entries` fields, no name or value above `listpack_value` bytes |
//! | `listpackex` | the same, from the first deadline on |
//! | `hashtable` | beyond |
//!
//! In a listpack a field is two elements, its name and its value; in a [timed one](timed) its
//! deadline is the third. A hash never goes back to a smaller form.
//!
//! A field is *due* when its deadline is not later than the present. A hash does not know the
//! present: reads are told it and do not see what is due, [`Hash::expire`] removes it, and all else
//! works on what is there.

mod iter;
mod load;
mod sample;
#[cfg(test)]
mod tests;
pub(crate) mod timed;

use std::fmt;
use std::sync::Arc;

use crate::Pieces;
use crate::bytes::SharedBytes;
pub use crate::compact::Place;
use crate::compact::{Compact, Form, STALE, View};
use crate::entry::Collection;
use crate::hash_table::HashTable;
use crate::listpack::{Item, Listpack, Needle};
use crate::unique::make_mut;
pub use iter::{Field, Fields};
use timed::TimedListpack;

/// When a hash changes its form.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most fields of a listpack: `hash-max-listpack-entries`.
    pub listpack_entries: usize,
    /// The longest name or value in a listpack, in bytes: `hash-max-listpack-value`.
    pub listpack_value: usize,
    /// Keys the hash of a table that is made: a secret random number.
    pub seed: u64,
}

const PAIRED: &str = "in the listpack of a hash every name is followed by a value";
const NO_INTSET: &str = "a hash is never an intset";

/// A hash of one word; see the module page.
#[derive(Clone, Default)]
#[repr(transparent)]
pub struct Hash {
    compact: Compact,
}

impl Hash {
    /// How many fields there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        match self.compact.view() {
            View::Listpack(listpack) => listpack.len() / 2,
            View::Table(table) => table.len(),
            View::Timed(timed) => timed.len(),
            View::Intset(_) => unreachable!("{NO_INTSET}"),
        }
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A time that no deadline of a field is before; none if no field has one.
    #[inline]
    #[must_use]
    pub fn earliest(&self) -> Option<u64> {
        match self.compact.view() {
            View::Table(table) => table.earliest(),
            View::Timed(timed) => timed.earliest(),
            View::Listpack(_) | View::Intset(_) => None,
        }
    }

    /// Whether fields may be due at `now`.
    #[inline]
    #[must_use]
    pub fn may_be_due(&self, now: u64) -> bool {
        self.earliest().is_some_and(|earliest| earliest <= now)
    }

    /// The field of this name, due or not.
    #[inline]
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<Field<'_>> {
        match self.compact.view() {
            View::Listpack(listpack) => {
                let name = listpack.find(listpack.first(), Needle::new(name), 1)?;
                let value = listpack.get(listpack.next(name).expect(PAIRED));
                Some(Field { name: listpack.get(name), value, deadline: None })
            }
            View::Table(table) => table.find(name).map(Field::from),
            View::Timed(timed) => timed.find(name).map(|at| Field::from(timed.field(at))),
            View::Intset(_) => unreachable!("{NO_INTSET}"),
        }
    }

    /// The value of a field that is not due at `now`.
    #[inline]
    #[must_use]
    pub fn get(&self, name: &[u8], now: u64) -> Option<Item<'_>> {
        self.find(name).filter(|field| !field.is_due(now)).map(|field| field.value)
    }

    /// The value of a field as a buffer to share, if it is a long one, whatever its deadline.
    #[must_use]
    pub fn get_shared(&self, name: &[u8]) -> Option<SharedBytes> {
        match self.compact.view() {
            View::Table(table) => table.find(name)?.shared_value(),
            _ => None,
        }
    }

    /// Prepares for `count` fields to be set: many at once make a table from the outset, even if
    /// they turn out to be the same.
    pub fn expect(&mut self, limits: &Limits, count: usize) {
        if count > limits.listpack_entries {
            make_table(&mut self.compact.edit(), limits.seed);
        }
    }

    /// Gives a field a value; it has no deadline then. Returns whether the field is new.
    pub fn set<'v>(&mut self, limits: &Limits, name: &[u8], value: impl Into<Item<'v>>) -> bool {
        self.put(limits, name, value.into(), false)
    }

    /// As [`Hash::set`], but a field that is there keeps its deadline.
    pub fn set_value<'v>(
        &mut self,
        limits: &Limits,
        name: &[u8],
        value: impl Into<Item<'v>>,
    ) -> bool {
        self.put(limits, name, value.into(), true)
    }

    fn put(&mut self, limits: &Limits, name: &[u8], value: Item<'_>, keep: bool) -> bool {
        let mut form = self.compact.edit();
        let is_short = name.len().max(value.text_len()) <= limits.listpack_value;
        let (entries, is_new) = match &mut *form {
            Form::Listpack(listpack) if is_short => {
                let bytes = Item::Bytes(name).packed_bytes() + value.packed_bytes();
                let room = listpack.has_room_for(bytes);
                let found = listpack.find(listpack.first(), Needle::new(name), 1);
                match found {
                    _ if !room => return put_in_table(&mut form, limits, name, value, keep),
                    Some(at) => listpack.replace(listpack.next(at).expect(PAIRED), value),
                    None => {
                        listpack.push_back(name);
                        listpack.push_back(value);
                    }
                }
                (listpack.len() / 2, found.is_none())
            }
            Form::Timed(timed) if is_short && timed.has_room_for(name, value) => {
                let timed = make_mut(timed);
                let found = timed.find(name);
                match found {
                    Some(at) => {
                        timed.set_value(at, value);
                        if !keep {
                            timed.set_deadline(at, None);
                        }
                    }
                    None => timed.insert(name, value, None),
                }
                (timed.len(), found.is_none())
            }
            _ => return put_in_table(&mut form, limits, name, value, keep),
        };
        // The limit may have been lowered since the fields came.
        if entries > limits.listpack_entries {
            make_table(&mut form, limits.seed);
        }
        is_new
    }

    /// Makes the form one in which fields may have deadlines, before any has.
    pub fn expect_deadlines(&mut self) {
        let mut form = self.compact.edit();
        if let Form::Listpack(listpack) = &*form {
            let timed = TimedListpack::new(listpack);
            *form = Form::Timed(Arc::new(timed));
        }
    }

    /// Sets or removes the deadline of a field: unix time in milliseconds, not 0. False if there is
    /// no such field.
    pub fn set_deadline(&mut self, name: &[u8], deadline: Option<u64>) -> bool {
        if let View::Listpack(listpack) = self.compact.view() {
            let found = listpack.find(listpack.first(), Needle::new(name), 1).is_some();
            if !found || deadline.is_none() {
                return found;
            }
            self.expect_deadlines();
        }
        match &mut *self.compact.edit() {
            Form::Timed(timed) => {
                let Some(at) = timed.find(name) else { return false };
                make_mut(timed).set_deadline(at, deadline);
            }
            Form::Table(table) => {
                let Some(at) = table.place_of(name) else { return false };
                make_mut(table).set_deadline(at, deadline);
            }
            Form::Listpack(_) | Form::Intset(_) => unreachable!("{NO_INTSET}; it has deadlines"),
        }
        true
    }

    /// Removes a field, due or not; false if it is not there.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        match &mut *self.compact.edit() {
            Form::Table(table) => {
                // A table that others share is not copied for nothing.
                let Some(place) = table.place_of(name) else { return false };
                make_mut(table).remove_at(place);
                true
            }
            Form::Listpack(listpack) => {
                let found = listpack.find(listpack.first(), Needle::new(name), 1);
                found.is_some_and(|name| listpack.remove_many(name, 2) == 2)
            }
            Form::Timed(timed) => {
                let Some(at) = timed.find(name) else { return false };
                make_mut(timed).remove(at);
                true
            }
            Form::Intset(_) => unreachable!("{NO_INTSET}"),
        }
    }

    /// Removes a field if it is due at `now`.
    pub fn remove_due(&mut self, name: &[u8], now: u64) -> bool {
        self.find(name).is_some_and(|field| field.is_due(now)) && self.remove(name)
    }

    /// Removes fields that are due at `now` and shows their names to `removed`, visiting about
    /// `budget` fields at most: while more may be due, [`Hash::may_be_due`] says so. Returns how
    /// many it visited.
    pub fn expire(&mut self, now: u64, budget: usize, removed: &mut dyn FnMut(&[u8])) -> usize {
        if !self.may_be_due(now) {
            return 0;
        }
        match &mut *self.compact.edit() {
            Form::Table(table) => make_mut(table).expire(now, budget, removed),
            Form::Timed(timed) => make_mut(timed).expire(now, removed),
            Form::Listpack(_) | Form::Intset(_) => unreachable!("it has deadlines"),
        }
    }

    /// Gives some fields, due or not, to `each` and returns the next cursor, as
    /// [`HashTable::scan`]; all of them at once while the hash is small.
    pub fn scan<'a>(&'a self, cursor: u64, mut each: impl FnMut(Field<'a>)) -> u64 {
        match self.compact.view() {
            View::Table(table) => table.scan(cursor, |element| each(Field::from(element))),
            _ => {
                self.fields().for_each(each);
                0
            }
        }
    }
}

/// Gives a field a value in the table that the hash becomes.
fn put_in_table(
    form: &mut Form,
    limits: &Limits,
    name: &[u8],
    value: Item<'_>,
    keep: bool,
) -> bool {
    let mut digits = itoa::Buffer::new();
    let text = value.text(&mut digits);
    let table = make_table(form, limits.seed);
    let kept = if keep { table.place_of(name) } else { None };
    match kept {
        Some(place) => {
            table.set_value(place, text, table.get(place).deadline());
            false
        }
        None => table.insert(name, Some(text)),
    }
}

/// Turns any form into a table.
fn make_table(form: &mut Form, seed: u64) -> &mut HashTable {
    if !matches!(form, Form::Table(_)) {
        let mut table = HashTable::new(seed);
        let (mut name, mut text) = (itoa::Buffer::new(), itoa::Buffer::new());
        let compact = Compact::from(std::mem::replace(form, Form::Listpack(Listpack::default())));
        for field in (Hash { compact }).fields() {
            let (name, value) = (field.name.text(&mut name), field.value.text(&mut text));
            table.insert(name, Some(value));
            if field.deadline.is_some() {
                let place = table.place_of(name).expect("it was put there just now");
                table.set_deadline(place, field.deadline);
            }
        }
        *form = Form::Table(Arc::new(table));
    }
    match form {
        Form::Table(table) => make_mut(table),
        _ => unreachable!("it was made one above"),
    }
}

impl Collection for Hash {
    const TYPE_NAME: &'static str = "hash";

    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }

    #[inline]
    fn elements(&self) -> usize {
        self.len()
    }

    #[inline]
    fn earliest(&self) -> Option<u64> {
        Self::earliest(self)
    }

    fn prefetch(&self, names: &[&[u8]]) {
        self.compact.prefetch(names);
    }

    fn for_each(&self, visit: &mut dyn FnMut(&[&[u8]])) {
        let [mut name, mut text, mut time] = [(); 3].map(|()| itoa::Buffer::new());
        for field in self.fields() {
            let (name, value) = (field.name.text(&mut name), field.value.text(&mut text));
            match field.deadline {
                None => visit(&[name, value]),
                Some(deadline) => visit(&[name, value, time.format(deadline).as_bytes()]),
            }
        }
    }

    fn encoding(&self) -> &'static str {
        match self.compact.view() {
            View::Table(_) => "hashtable",
            View::Timed(_) => "listpackex",
            View::Listpack(_) | View::Intset(_) => "listpack",
        }
    }

    fn allocated_bytes(&self) -> usize {
        self.compact.allocated_bytes()
    }
}

impl Pieces for Hash {
    fn pieces(&self) -> usize {
        self.compact.pieces()
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.compact.fmt(f)
    }
}
