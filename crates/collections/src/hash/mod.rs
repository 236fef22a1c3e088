//! The hash type: fields with a value each.
//!
//! | form | while |
//! |---|---|
//! | `listpack` | up to `listpack_entries` fields, no name or value above `listpack_value` bytes |
//! | `hashtable` | beyond |
//!
//! In a listpack a field is two elements, its name and its value. A hash never goes back to the
//! smaller form.

mod load;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use stdx::rng::Rng;

use crate::bytes::SharedBytes;
pub use crate::compact::Place;
use crate::compact::{Compact, Form, STALE, View};
use crate::entry::Collection;
use crate::hash_table::{self, HashTable};
use crate::listpack::{self, Item, Needle};

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
    #[must_use]
    pub fn len(&self) -> usize {
        match self.compact.view() {
            View::Listpack(listpack) => listpack.len() / 2,
            View::Table(table) => table.len(),
            View::Intset(_) => unreachable!("{NO_INTSET}"),
        }
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a field.
    #[inline]
    #[must_use]
    pub fn get(&self, field: &[u8]) -> Option<Item<'_>> {
        match self.compact.view() {
            View::Listpack(listpack) => {
                let name = listpack.find(listpack.first(), Needle::new(field), 1)?;
                Some(listpack.get(listpack.next(name).expect(PAIRED)))
            }
            View::Table(table) => Some(Item::Bytes(table.find(field)?.value())),
            View::Intset(_) => unreachable!("{NO_INTSET}"),
        }
    }

    /// The value of a field as a buffer to share, if it is a long one.
    #[must_use]
    pub fn get_shared(&self, field: &[u8]) -> Option<SharedBytes> {
        match self.compact.view() {
            View::Table(table) => table.find(field)?.shared_value(),
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

    /// Gives a field a value; returns whether the field is new.
    pub fn set<'v>(&mut self, limits: &Limits, field: &[u8], value: impl Into<Item<'v>>) -> bool {
        let value = value.into();
        let mut form = self.compact.edit();
        if let Form::Listpack(listpack) = &mut *form {
            let bytes = Item::Bytes(field).packed_bytes() + value.packed_bytes();
            let fits = field.len().max(value.text_len()) <= limits.listpack_value
                && listpack.has_room_for(bytes);
            if fits {
                if let Some(name) = listpack.find(listpack.first(), Needle::new(field), 1) {
                    listpack.replace(listpack.next(name).expect(PAIRED), value);
                    return false;
                }
                listpack.push_back(field);
                listpack.push_back(value);
                if listpack.len() / 2 > limits.listpack_entries {
                    make_table(&mut form, limits.seed);
                }
                return true;
            }
        }
        let mut digits = itoa::Buffer::new();
        make_table(&mut form, limits.seed).insert(field, Some(value.text(&mut digits)))
    }

    /// Removes a field; false if it is not there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        match &mut *self.compact.edit() {
            Form::Table(table) => {
                // A table that others share is not copied for nothing.
                let Some(place) = table.place_of(field) else { return false };
                Arc::make_mut(table).remove_at(place);
                true
            }
            Form::Listpack(listpack) => {
                let found = listpack.find(listpack.first(), Needle::new(field), 1);
                found.is_some_and(|name| listpack.remove_many(name, 2) == 2)
            }
            Form::Intset(_) => unreachable!("{NO_INTSET}"),
        }
    }

    /// All fields with their values.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter(match self.compact.view() {
            View::Listpack(listpack) => Fields::Listpack(listpack.iter()),
            View::Table(table) => Fields::Table(table.iter()),
            View::Intset(_) => unreachable!("{NO_INTSET}"),
        })
    }

    /// Gives some fields to `each` and returns the next cursor, as [`HashTable::scan`]; all of them
    /// at once while the hash is small.
    pub fn scan<'a>(&'a self, cursor: u64, mut each: impl FnMut(Item<'a>, Item<'a>)) -> u64 {
        match self.compact.view() {
            View::Table(table) => table.scan(cursor, |element| {
                each(Item::Bytes(element.name()), Item::Bytes(element.value()));
            }),
            _ => {
                self.iter().for_each(|(field, value)| each(field, value));
                0
            }
        }
    }

    /// One of the fields, each equally likely; none if there is none.
    pub fn sample(&self, rng: &mut Rng) -> Option<Place> {
        self.compact.sample(rng, 2)
    }

    /// `count` different fields, or all if there are not so many; every choice equally likely.
    pub fn sample_distinct(&self, rng: &mut Rng, count: usize) -> Vec<Place> {
        self.compact.sample_distinct(rng, count, 2)
    }

    /// The field at a place, with its value.
    ///
    /// # Panics
    /// If the hash has changed since the place was given out.
    #[must_use]
    pub fn at(&self, place: Place) -> (Item<'_>, Item<'_>) {
        match (self.compact.view(), place) {
            (View::Listpack(listpack), Place::Listpack(name)) => {
                (listpack.get(name), listpack.get(listpack.next(name).expect(PAIRED)))
            }
            (View::Table(table), Place::Table(at)) => {
                let element = table.get(at);
                (Item::Bytes(element.name()), Item::Bytes(element.value()))
            }
            _ => panic!("{STALE}"),
        }
    }
}

/// Turns any form into a table.
fn make_table(form: &mut Form, seed: u64) -> &mut HashTable {
    if let Form::Listpack(listpack) = form {
        let mut table = HashTable::new(seed);
        let (mut name, mut text) = (itoa::Buffer::new(), itoa::Buffer::new());
        let mut items = listpack.iter();
        while let (Some(field), Some(value)) = (items.next(), items.next()) {
            table.insert(field.text(&mut name), Some(value.text(&mut text)));
        }
        *form = Form::Table(Arc::new(table));
    }
    match form {
        Form::Table(table) => Arc::make_mut(table),
        Form::Listpack(_) | Form::Intset(_) => unreachable!("{NO_INTSET}, and it was converted"),
    }
}

impl Collection for Hash {
    const TYPE_NAME: &'static str = "hash";

    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }

    fn for_each(&self, visit: &mut dyn FnMut(&[&[u8]])) {
        let (mut name, mut text) = (itoa::Buffer::new(), itoa::Buffer::new());
        for (field, value) in self.iter() {
            visit(&[field.text(&mut name), value.text(&mut text)]);
        }
    }

    fn encoding(&self) -> &'static str {
        match self.compact.view() {
            View::Table(_) => "hashtable",
            View::Listpack(_) | View::Intset(_) => "listpack",
        }
    }

    fn allocated_bytes(&self) -> usize {
        self.compact.allocated_bytes()
    }

    fn pieces(&self) -> usize {
        self.compact.pieces()
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.compact.fmt(f)
    }
}

/// Walks over the fields of a hash and their values.
#[derive(Clone)]
pub struct Iter<'a>(Fields<'a>);

#[derive(Clone)]
enum Fields<'a> {
    Listpack(listpack::Iter<'a>),
    Table(hash_table::Iter<'a>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = (Item<'a>, Item<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Fields::Listpack(items) => Some((items.next()?, items.next().expect(PAIRED))),
            Fields::Table(fields) => {
                let field = fields.next()?;
                Some((Item::Bytes(field.name()), Item::Bytes(field.value())))
            }
        }
    }
}
