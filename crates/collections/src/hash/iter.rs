//! Fields as they are read, and walks over all of them.

use super::{Hash, NO_INTSET, PAIRED, timed};
use crate::compact::View;
use crate::hash_table::{self, ElementRef};
use crate::listpack::{self, Item};

/// A field of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name.
    pub name: Item<'a>,
    /// Its value.
    pub value: Item<'a>,
    /// When it is due, if ever: unix time in milliseconds.
    pub deadline: Option<u64>,
}

impl Field<'_> {
    /// Whether its time has come at `now`.
    #[inline]
    #[must_use]
    pub fn is_due(&self, now: u64) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }
}

impl<'a> From<ElementRef<'a>> for Field<'a> {
    #[inline]
    fn from(element: ElementRef<'a>) -> Self {
        Self {
            name: Item::Bytes(element.name()),
            value: Item::Bytes(element.value()),
            deadline: element.deadline(),
        }
    }
}

impl<'a> From<(Item<'a>, Item<'a>, Option<u64>)> for Field<'a> {
    fn from((name, value, deadline): (Item<'a>, Item<'a>, Option<u64>)) -> Self {
        Self { name, value, deadline }
    }
}

impl Hash {
    /// All fields that are there, due or not.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        Fields(match self.compact.view() {
            View::Listpack(listpack) => Forms::Listpack(listpack.iter()),
            View::Table(table) => Forms::Table(table.iter()),
            View::Timed(timed) => Forms::Timed(timed.iter()),
            View::Intset(_) => unreachable!("{NO_INTSET}"),
        })
    }

    /// The fields that are not due at `now`.
    pub fn iter(&self, now: u64) -> impl Iterator<Item = Field<'_>> {
        self.fields().filter(move |field| !field.is_due(now))
    }

    /// How many fields are not due at `now`. Goes through all of them if some may be due.
    #[must_use]
    pub fn count(&self, now: u64) -> usize {
        if self.may_be_due(now) { self.iter(now).count() } else { self.len() }
    }
}

/// Walks over the fields of a hash.
#[derive(Clone)]
pub struct Fields<'a>(Forms<'a>);

#[derive(Clone)]
enum Forms<'a> {
    Listpack(listpack::Iter<'a>),
    Table(hash_table::Iter<'a>),
    Timed(timed::Iter<'a>),
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        match &mut self.0 {
            Forms::Listpack(items) => {
                let name = items.next()?;
                Some(Field { name, value: items.next().expect(PAIRED), deadline: None })
            }
            Forms::Table(fields) => fields.next().map(Field::from),
            Forms::Timed(fields) => fields.next().map(Field::from),
        }
    }
}
