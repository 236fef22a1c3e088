//! The set type: different strings in no particular order.
//!
//! | form | while |
//! |---|---|
//! | `intset` | all members are integers, up to `intset_entries` |
//! | `listpack` | up to `listpack_entries` members of at most `listpack_value` bytes |
//! | `hashtable` | beyond |
//!
//! A set never goes back to a smaller form: one that has outgrown it would soon do so again. Where
//! the limits are and what is compared with them is what `OBJECT ENCODING` shows, so it is kept
//! to the member ([`Set::add`]).

mod load;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use stdx::num;
use stdx::rng::Rng;

use crate::Pieces;
pub use crate::compact::Place;
use crate::compact::{Compact, Form, Lent, STALE, View};
use crate::entry::Collection;
use crate::hash_table::{self, HashTable};
use crate::intset::Intset;
use crate::listpack::{self, Item, Listpack, Needle};
use crate::prefetch::LOOK_AHEAD_MAX;
use crate::unique::make_mut;
pub use load::Kept;

/// More integers than this are never kept sorted, whatever the parameter says.
const INTSET_ENTRIES_MAX: usize = 1 << 30;

const UNTIMED: &str = "members of a set have no deadlines";

/// When a set changes its form.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most members of an intset: `set-max-intset-entries`.
    pub intset_entries: usize,
    /// The most members of a listpack: `set-max-listpack-entries`.
    pub listpack_entries: usize,
    /// The longest member of a listpack, in bytes: `set-max-listpack-value`.
    pub listpack_value: usize,
    /// Keys the hash of a table that is made: a secret random number.
    pub seed: u64,
}

/// A set of one word; see the module page.
#[derive(Clone, Default)]
#[repr(transparent)]
pub struct Set {
    compact: Compact,
}

impl Set {
    /// How many members there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        match self.compact.view() {
            View::Listpack(listpack) => listpack.len(),
            View::Intset(intset) => intset.len(),
            View::Table(table) => table.len(),
            View::Timed(_) => unreachable!("{UNTIMED}"),
        }
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `member` is in the set.
    #[must_use]
    pub fn contains(&self, member: &[u8]) -> bool {
        match self.compact.view() {
            View::Listpack(listpack) => {
                listpack.find(listpack.first(), Needle::new(member), 0).is_some()
            }
            View::Intset(intset) => {
                num::parse_i64(member).is_some_and(|value| intset.contains(value))
            }
            View::Table(table) => table.place_of(member).is_some(),
            View::Timed(_) => unreachable!("{UNTIMED}"),
        }
    }

    /// As [`Set::contains`], for a member of another set.
    #[must_use]
    pub fn contains_item(&self, member: Item<'_>) -> bool {
        match (self.compact.view(), member) {
            (View::Intset(intset), Item::Int(value)) => intset.contains(value),
            _ => self.contains(member.text(&mut itoa::Buffer::new())),
        }
    }

    /// Keeps those `members` of another set that are in this one, or that are not, as `wanted`
    /// says: at most [`LOOK_AHEAD_MAX`] at a time.
    ///
    /// # Panics
    /// If there are more.
    pub fn sift(&self, members: &mut Vec<Item<'_>>, wanted: bool) {
        let View::Table(table) = self.compact.view() else {
            return members.retain(|&member| self.contains_item(member) == wanted);
        };
        let mut digits = [itoa::Buffer::new(); LOOK_AHEAD_MAX];
        let mut names = [&b""[..]; LOOK_AHEAD_MAX];
        let places = names.iter_mut().zip(&mut digits);
        for ((name, digits), member) in places.zip(&*members) {
            *name = member.text(digits);
        }
        let mut found = [false; LOOK_AHEAD_MAX];
        table.contains_each(&names[..members.len()], |index, is_there| found[index] = is_there);
        let mut found = found.iter();
        members.retain(|_| found.next() == Some(&wanted));
    }

    /// An empty set for members of which `len` or more are known to come, whatever they are: a
    /// table of that size if they can be nothing else.
    #[must_use]
    pub fn with_room(limits: &Limits, len: usize) -> Self {
        let mut set = Self::default();
        if len > limits.intset_entries.max(limits.listpack_entries) {
            *set.compact.edit() = Form::Table(Arc::new(HashTable::with_room(limits.seed, len)));
        }
        set
    }

    /// Prepares for `count` members, of which `first` is the first, to be added: many at once make
    /// a table from the outset, even if they turn out to be the same.
    pub fn expect(&mut self, limits: &Limits, first: &[u8], count: usize) {
        let is_new = self.is_empty();
        let mut form = self.compact.edit();
        if is_new {
            let is_int = num::parse_i64(first).is_some();
            if is_int && count <= limits.intset_entries {
                *form = Form::Intset(Intset::default());
            } else if count > limits.listpack_entries {
                *form = Form::Table(Arc::new(HashTable::new(limits.seed)));
            }
            return;
        }
        let most = match &*form {
            Form::Listpack(_) => limits.listpack_entries,
            Form::Intset(_) => limits.intset_entries,
            Form::Table(_) => usize::MAX,
            Form::Timed(_) => unreachable!("{UNTIMED}"),
        };
        if count > most {
            make_table(&mut form, limits.seed);
        }
    }

    /// Adds `member`; false if it is there already.
    pub fn add(&mut self, limits: &Limits, member: &[u8]) -> bool {
        if matches!(self.compact.view(), View::Listpack(listpack) if listpack.is_empty()) {
            self.expect(limits, member, 1);
        }
        let mut form = self.compact.edit();
        match &mut *form {
            Form::Table(table) => return make_mut(table).insert(member, None),
            Form::Listpack(listpack) => {
                if listpack.find(listpack.first(), Needle::new(member), 0).is_some() {
                    return false;
                }
                let fits = listpack.len() < limits.listpack_entries
                    && member.len() <= limits.listpack_value
                    && listpack.has_room_for(Item::Bytes(member).packed_bytes());
                if fits {
                    listpack.push_back(member);
                    return true;
                }
            }
            Form::Intset(intset) => match num::parse_i64(member) {
                Some(value) => {
                    let is_new = intset.insert(value);
                    if intset.len() > limits.intset_entries.min(INTSET_ENTRIES_MAX) {
                        make_table(&mut form, limits.seed);
                    }
                    return is_new;
                }
                None => {
                    let ends = [intset.get(0), intset.iter().next_back()];
                    let longest = ends.into_iter().flatten().map(num::decimal_len).max();
                    let fits = intset.len() < limits.listpack_entries
                        && member.len().max(longest.unwrap_or(0)) <= limits.listpack_value;
                    if fits {
                        let mut listpack: Listpack = intset.iter().collect();
                        listpack.push_back(member);
                        *form = Form::Listpack(listpack);
                        return true;
                    }
                }
            },
            Form::Timed(_) => unreachable!("{UNTIMED}"),
        }
        make_table(&mut form, limits.seed).insert(member, None)
    }

    /// Removes `member`; false if it is not there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match &mut *self.compact.edit() {
            Form::Table(table) => {
                // A table that others share is not copied for nothing.
                let Some(place) = table.place_of(member) else { return false };
                make_mut(table).remove_at(place);
                true
            }
            Form::Intset(intset) => {
                num::parse_i64(member).is_some_and(|value| intset.remove(value))
            }
            Form::Listpack(listpack) => {
                let found = listpack.find(listpack.first(), Needle::new(member), 0);
                found.is_some_and(|at| {
                    listpack.remove(at);
                    true
                })
            }
            Form::Timed(_) => unreachable!("{UNTIMED}"),
        }
    }

    /// All members. Those of an intset ascend.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter(match self.compact.view() {
            View::Listpack(listpack) => Members::Listpack(listpack.iter()),
            View::Intset(set) => Members::Intset { set, next: 0 },
            View::Table(table) => Members::Table(table.iter()),
            View::Timed(_) => unreachable!("{UNTIMED}"),
        })
    }

    /// The members in ascending order, if all are kept as integers.
    #[must_use]
    pub fn integers(&self) -> Option<Integers<'_>> {
        match self.compact.view() {
            View::Intset(set) => Some(Integers { set, next: 0 }),
            _ => None,
        }
    }

    /// Gives some members to `each` and returns the next cursor, as [`HashTable::scan`]; all of
    /// them at once while the set is small.
    pub fn scan<'a>(&'a self, cursor: u64, mut each: impl FnMut(Item<'a>)) -> u64 {
        match self.compact.view() {
            View::Table(table) => table.scan(cursor, |element| each(Item::Bytes(element.name()))),
            _ => {
                self.iter().for_each(each);
                0
            }
        }
    }

    /// One of the members, each equally likely; none if there is none.
    pub fn sample(&self, rng: &mut Rng) -> Option<Place> {
        self.compact.sample(rng, 1)
    }

    /// `count` different members, or all if there are not so many; every choice equally likely.
    pub fn sample_distinct(&self, rng: &mut Rng, count: usize) -> Vec<Place> {
        self.compact.sample_distinct(rng, count, 1)
    }

    /// The member at a place.
    ///
    /// # Panics
    /// If the set has changed since the place was given out.
    #[must_use]
    pub fn get(&self, place: Place) -> Item<'_> {
        match (self.compact.view(), place) {
            (View::Listpack(listpack), Place::Listpack(at)) => listpack.get(at),
            (View::Intset(intset), Place::Intset(at)) => Item::Int(intset.get(at).expect(STALE)),
            (View::Table(table), Place::Table(at)) => Item::Bytes(table.get(at).name()),
            _ => panic!("{STALE}"),
        }
    }
}

/// Turns any form into a table.
fn make_table(form: &mut Form, seed: u64) -> &mut HashTable {
    let mut table = HashTable::new(seed);
    let mut digits = itoa::Buffer::new();
    match form {
        Form::Listpack(listpack) => listpack.iter().for_each(|member| {
            table.insert(member.text(&mut digits), None);
        }),
        Form::Intset(intset) => intset.iter().for_each(|member| {
            table.insert(digits.format(member).as_bytes(), None);
        }),
        Form::Table(_) => {}
        Form::Timed(_) => unreachable!("{UNTIMED}"),
    }
    if !matches!(form, Form::Table(_)) {
        *form = Form::Table(Arc::new(table));
    }
    match form {
        Form::Table(table) => make_mut(table),
        _ => unreachable!("it was made one above"),
    }
}

impl Collection for Set {
    const TYPE_NAME: &'static str = "set";

    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }

    #[inline]
    fn elements(&self) -> usize {
        self.len()
    }

    fn prefetch(&self, names: &[&[u8]]) {
        self.compact.prefetch(names);
    }

    fn for_each(&self, visit: &mut dyn FnMut(&[&[u8]])) {
        let mut digits = itoa::Buffer::new();
        self.iter().for_each(|member| visit(&[member.text(&mut digits)]));
    }

    fn encoding(&self) -> &'static str {
        match self.compact.view() {
            View::Listpack(_) => "listpack",
            View::Intset(_) => "intset",
            View::Table(_) => "hashtable",
            View::Timed(_) => unreachable!("{UNTIMED}"),
        }
    }

    fn allocated_bytes(&self) -> usize {
        self.compact.allocated_bytes()
    }
}

impl Pieces for Set {
    fn pieces(&self) -> usize {
        self.compact.pieces()
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.compact.fmt(f)
    }
}

/// Walks over the members of a set.
#[derive(Clone)]
pub struct Iter<'a>(Members<'a>);

#[derive(Clone)]
enum Members<'a> {
    Listpack(listpack::Iter<'a>),
    Intset { set: Lent<'a>, next: usize },
    Table(hash_table::Iter<'a>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        match &mut self.0 {
            Members::Listpack(members) => members.next(),
            Members::Intset { set, next } => {
                *next += 1;
                set.get(*next - 1).map(Item::Int)
            }
            Members::Table(members) => members.next().map(|member| Item::Bytes(member.name())),
        }
    }
}

/// Walks over integers in ascending order.
#[derive(Clone)]
pub struct Integers<'a> {
    set: Lent<'a>,
    next: usize,
}

impl Iterator for Integers<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        self.next += 1;
        self.set.get(self.next - 1)
    }
}
