//! A small hash of which fields have deadlines: a listpack with three elements for each field, its
//! name, its value and its deadline, 0 if it has none.
//!
//! Fields stand in the order of their deadlines, those without at the end. So the earliest one is
//! the first, and removing what is due removes a run from the front. A field that gets a deadline
//! stands in front of those that have the same, one that loses it becomes the last. It is the block
//! of Redis's dump files, and its order is the order in which clients see the fields.

use crate::listpack::{self, Item, Listpack, Needle, Offset};

/// Elements for each field.
pub(crate) const STEP: usize = 3;
/// In place of a deadline.
const NONE: i64 = 0;

const TRIPLES: &str = "the listpack has a name, a value and a deadline for every field";

/// See the module page.
#[derive(Clone, Debug, Default)]
pub(crate) struct TimedListpack {
    listpack: Listpack,
}

impl From<Listpack> for TimedListpack {
    /// Of names, values and deadlines by turns, in the order of the deadlines.
    fn from(listpack: Listpack) -> Self {
        Self { listpack }
    }
}

impl TimedListpack {
    /// The fields of a listpack that has no deadlines.
    pub(super) fn new(plain: &Listpack) -> Self {
        let mut listpack = Listpack::with_capacity(plain.as_bytes().len() + plain.len());
        let mut items = plain.iter();
        while let (Some(name), Some(value)) = (items.next(), items.next()) {
            listpack.push_back(name);
            listpack.push_back(value);
            listpack.push_back(NONE);
        }
        Self { listpack }
    }

    /// The listpack, as dump files have it.
    pub(crate) const fn listpack(&self) -> &Listpack {
        &self.listpack
    }

    /// How many fields there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.listpack.len() / STEP
    }

    /// The earliest deadline, if a field has one.
    pub(super) fn earliest(&self) -> Option<u64> {
        self.listpack.first().and_then(|name| self.field(name).2)
    }

    /// Where the field of this name is.
    pub(super) fn find(&self, name: &[u8]) -> Option<Offset> {
        self.listpack.find(self.listpack.first(), Needle::new(name), STEP - 1)
    }

    /// The field at a place: its name, its value, and its deadline if it has one.
    pub(super) fn field(&self, name: Offset) -> (Item<'_>, Item<'_>, Option<u64>) {
        let mut items = self.listpack.iter_from(name);
        (|| Some((items.next()?, items.next()?, deadline(items.next()?))))().expect(TRIPLES)
    }

    /// Whether a field with this name and value may be added.
    pub(super) fn has_room_for(&self, name: &[u8], value: Item<'_>) -> bool {
        let deadline = Item::Int(i64::MAX).packed_bytes();
        let bytes = Item::Bytes(name).packed_bytes() + value.packed_bytes();
        self.listpack.has_room_for(bytes + deadline)
    }

    /// Gives the field at a place another value; it keeps its deadline.
    pub(super) fn set_value(&mut self, name: Offset, value: Item<'_>) {
        let at = self.listpack.next(name).expect(TRIPLES);
        self.listpack.replace(at, value);
    }

    /// Gives the field at a place another deadline, or none. All places are worthless afterwards.
    pub(super) fn set_deadline(&mut self, name: Offset, deadline: Option<u64>) {
        let (mut field, mut text) = (Vec::new(), Vec::new());
        let (old_name, value, before) = self.field(name);
        if before.is_none() && deadline.is_none() {
            return;
        }
        old_name.write_text(&mut field);
        value.write_text(&mut text);
        self.remove(name);
        self.insert(&field, Item::Bytes(&text), deadline);
    }

    /// Adds a field that is not there.
    pub(super) fn insert(&mut self, name: &[u8], value: Item<'_>, deadline: Option<u64>) {
        let number = deadline.map_or(NONE, |at| i64::try_from(at).unwrap_or(i64::MAX));
        let later = deadline.and_then(|deadline| self.first_not_before(deadline));
        match later {
            Some(at) => {
                self.listpack.insert_before(at, number);
                self.listpack.insert_before(at, value);
                self.listpack.insert_before(at, name);
            }
            None => {
                self.listpack.push_back(name);
                self.listpack.push_back(value);
                self.listpack.push_back(number);
            }
        }
    }

    /// The first field whose deadline is not before this one, or that has none.
    fn first_not_before(&self, deadline: u64) -> Option<Offset> {
        let mut at = self.listpack.first();
        while let Some(name) = at {
            if self.field(name).2.is_none_or(|at| at >= deadline) {
                break;
            }
            at = (0..STEP).try_fold(name, |place, _| self.listpack.next(place));
        }
        at
    }

    /// Removes the field at a place.
    pub(super) fn remove(&mut self, name: Offset) {
        let removed = self.listpack.remove_many(name, STEP);
        assert_eq!(removed, STEP, "{TRIPLES}");
    }

    /// Removes the fields that are due and shows their names to `removed`; returns their number.
    pub(super) fn expire(&mut self, now: u64, removed: &mut dyn FnMut(&[u8])) -> usize {
        let (mut count, mut digits) = (0, itoa::Buffer::new());
        for (name, _, _) in self.iter().take_while(|(_, _, at)| at.is_some_and(|at| at <= now)) {
            removed(name.text(&mut digits));
            count += 1;
        }
        self.listpack.remove_range(0, count * STEP);
        count
    }

    /// All fields.
    pub(super) fn iter(&self) -> Iter<'_> {
        Iter(self.listpack.iter())
    }
}

fn deadline(item: Item<'_>) -> Option<u64> {
    let number = item.as_int().expect(TRIPLES);
    u64::try_from(number).ok().filter(|_| number != NONE)
}

/// Walks over the fields with their values and deadlines.
#[derive(Clone)]
pub(super) struct Iter<'a>(listpack::Iter<'a>);

impl<'a> Iterator for Iter<'a> {
    type Item = (Item<'a>, Item<'a>, Option<u64>);

    fn next(&mut self) -> Option<Self::Item> {
        let name = self.0.next()?;
        Some((name, self.0.next().expect(TRIPLES), deadline(self.0.next().expect(TRIPLES))))
    }
}
