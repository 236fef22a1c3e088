//! The hash table of large hashes and sets: linear hashing over small leaves.
//!
//! ```text
//!   HashTable                pages of 256 leaves           leaves                     elements
//!   ┌────────────────┐      ┌────────────────────┐      ┌─────────────────────┐
//!   │ seed, len      │      │ leaf, leaf, ...    │ ──>  │ word, word ... tags │ ──> name, value
//!   │ pages ─────────│ ──>  ├────────────────────┤      ├─────────────────────┤
//!   │                │      │ leaf, leaf         │      │ word ... tags       │
//!   └────────────────┘      └────────────────────┘      └─────────────────────┘
//! ```
//!
//! Idea. A hash names a leaf by its low bits: with `2^b + s` leaves, by `b + 1` bits if that leaf
//! exists, else by `b`. The table grows by one leaf at a time: leaf `s` is split, and its elements
//! with bit `b` set move to the new leaf at the end. It shrinks the same way backwards. So no
//! operation ever does more than some microseconds of work, however large the table is; there is no
//! second table, no rehash, and no directory to double.
//!
//! Memory. A leaf holds [`FILL`] elements on the average, without gaps ([`leaf`]), at 9 bytes each,
//! in blocks of one size. An element is one allocation ([`element`]).
//!
//! Sharing (law 3). Pages and leaves are reference counted. A clone of the table shares all of
//! them; a write to either copies the page's pointers and the leaf it touches, and nothing else.
//!
//! Scanning. The bits of a hash in reverse order are its *place*: then each leaf has an interval of
//! the places, and a split cuts an interval in two. A cursor is a place; a step gives the
//! elements of the leaf that has the place, and the end of its interval as the next cursor. An
//! element never changes its place, so whatever is there from the first step to the last is given,
//! however the table grows or shrinks between the steps. A merged leaf may give elements again.
//!
//! Sampling. A random leaf and a random index below the longest leaf's length, again until there is
//! an element there: every element is equally likely, whatever the lengths are.
//!
//! Deadlines. A field may have one ([`deadlines`]). Each leaf with such fields has a lower bound of
//! their deadlines beside it on its page, each page one of its leaves' and the table one of all,
//! so that removing what is due visits few leaves that have nothing to remove.
//!
//! The hash is keyed (SipHash-1-3): names come from clients, and a guessable hash invites flooding.
//!
//! Invariants: an element is in the leaf that its hash names; `len` is the sum of the lengths, and
//! no leaf is longer than `longest`; all pages but the last are full; there is at least one leaf.

mod ahead;
mod deadlines;
mod element;
mod leaf;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use stdx::rng::Rng;

use crate::keyed_hash::keyed_hash;
use crate::prefetch::LOOK_AHEAD_ELEMENTS_MIN;
use crate::unique::make_mut;
use deadlines::{Bounds, Deadlines};
use element::Element;
pub use element::ElementRef;
use leaf::{Leaf, Mark};

/// How many elements a leaf has on the average when the table has grown.
const FILL: usize = 40;
/// With fewer than this, the table shrinks by a leaf.
const FILL_MIN: usize = 16;
/// How many leaves a page has.
const PAGE: usize = 256;
/// How many leaves an estimate of memory looks at.
const LEAVES_ASKED: usize = 64;
/// A cursor has the upper bits of a place: small enough for clients that read signed integers.
const CURSOR_SHIFT: u32 = 16;

/// Where an element is, until the table changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    leaf: usize,
    index: usize,
}

#[derive(Clone)]
struct Page {
    leaves: Vec<Leaf>,
    /// The bounds of the deadlines in the leaves; none while there was none.
    bounds: Option<Box<Bounds>>,
}

impl Page {
    const fn new(leaves: Vec<Leaf>) -> Self {
        Self { leaves, bounds: None }
    }
}

/// A hash table of names, each with a value or without; see the module page.
#[derive(Clone)]
pub struct HashTable {
    pages: Vec<Arc<Page>>,
    seed: u64,
    len: usize,
    /// How many leaves there are.
    leaves: u32,
    /// No leaf is longer.
    longest: u32,
    /// The memory of all elements.
    element_bytes: usize,
    /// What is known of the deadlines, if an element has one.
    deadlines: Option<Box<Deadlines>>,
}

/// With its reference counts a table is one allocation of 80 bytes: a small hash with a long value
/// pays for it alone.
const _: () = assert!(size_of::<HashTable>() + 2 * size_of::<usize>() <= 80);

impl HashTable {
    /// An empty table whose hash is keyed by `seed`, a secret random number.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let pages = vec![Arc::new(Page::new(vec![Leaf::new()]))];
        Self { pages, seed, len: 0, leaves: 1, longest: 0, element_bytes: 0, deadlines: None }
    }

    /// An empty table with the leaves of one with `len` elements. At least as many must come: the
    /// first removal from a table that is too large for what it has makes it as small as it should.
    #[must_use]
    pub fn with_room(seed: u64, len: usize) -> Self {
        let mut table = Self::new(seed);
        let leaves = (len / FILL).max(1);
        let page = |first| {
            let of_page = PAGE.min(leaves - first);
            Arc::new(Page::new(std::iter::repeat_with(Leaf::new).take(of_page).collect()))
        };
        table.pages = (0..leaves).step_by(PAGE).map(page).collect();
        table.leaves = u32::try_from(leaves).expect("a table has fewer than 2^32 leaves");
        table
    }

    /// How many elements there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no element.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The element with this name.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<ElementRef<'_>> {
        self.place_of(name).map(|place| self.get(place))
    }

    /// Where the element with this name is.
    #[must_use]
    pub fn place_of(&self, name: &[u8]) -> Option<Place> {
        let hash = self.hash(name);
        let leaf = self.leaf_of(hash);
        let index = self.leaf(leaf).find(Mark::of(hash).tag, |element| element.name() == name)?;
        Some(Place { leaf, index })
    }

    /// The element at a place.
    ///
    /// # Panics
    /// If there is none: the table has changed since.
    #[must_use]
    pub fn get(&self, place: Place) -> ElementRef<'_> {
        self.leaf(place.leaf).get(place.index)
    }

    /// Adds a name, with a value in hashes; if it is there already, gives it the value. It has no
    /// deadline then. Returns whether it is new.
    pub fn insert(&mut self, name: &[u8], value: Option<&[u8]>) -> bool {
        let hash = self.hash(name);
        let mark = Mark::of(hash);
        let at = self.leaf_of(hash);
        if let Some(index) = self.leaf(at).find(mark.tag, |element| element.name() == name) {
            if let Some(value) = value {
                self.set_value(Place { leaf: at, index }, value, None);
            }
            return false;
        }
        let element = Element::new(name, value);
        self.element_bytes += element.view().allocated_bytes();
        let leaf = self.leaf_mut(at);
        leaf.push(mark, element);
        let len = leaf.len();
        self.longest = self.longest.max(len as u32);
        self.len += 1;
        if self.len > self.leaves() * FILL {
            self.split_one();
        }
        true
    }

    /// Gives the field at a place another value, and a deadline or none.
    pub fn set_value(&mut self, place: Place, value: &[u8], deadline: Option<u64>) {
        self.modify(place, deadline, |element| element.set_value(value, deadline));
    }

    /// Lets `change` work on the element at a place, which has the deadline `after` then.
    fn modify(&mut self, place: Place, after: Option<u64>, change: impl FnOnce(&mut Element)) {
        let leaf = self.leaf_mut(place.leaf);
        let (bytes, before) = {
            let element = leaf.get(place.index);
            (element.allocated_bytes(), element.deadline())
        };
        leaf.modify(place.index, change);
        let bytes_now = leaf.get(place.index).allocated_bytes();
        self.element_bytes = self.element_bytes - bytes + bytes_now;
        if before.is_some() || after.is_some() {
            self.note_deadline(place.leaf, before, after);
        }
    }

    /// Removes the element with this name; false if there is none.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        let found = self.place_of(name);
        found.is_some_and(|place| {
            self.remove_at(place);
            true
        })
    }

    /// Removes the element at a place. All places are worthless afterwards.
    pub fn remove_at(&mut self, place: Place) {
        let element = self.leaf_mut(place.leaf).swap_remove(place.index);
        if let before @ Some(_) = element.view().deadline() {
            self.note_deadline(place.leaf, before, None);
        }
        self.element_bytes -= element.view().allocated_bytes();
        self.len -= 1;
        self.shrink();
    }

    /// Gives leaves back that the elements no longer need.
    fn shrink(&mut self) {
        while self.leaves > 1 && self.len < self.leaves() * FILL_MIN {
            self.merge_one();
        }
    }

    /// All elements, in no particular order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        let looks_ahead = self.len >= LOOK_AHEAD_ELEMENTS_MIN;
        let (pages, left) = (self.pages.iter(), self.len);
        Iter { pages, leaves: [].iter(), leaf: None, index: 0, left, looks_ahead }
    }

    /// The places of all elements.
    pub fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let lens = (0..self.leaves()).map(|leaf| (leaf, self.leaf(leaf).len()));
        lens.flat_map(|(leaf, len)| (0..len).map(move |index| Place { leaf, index }))
    }

    /// Gives some elements to `each`, those of one leaf, and returns the next cursor. The walk
    /// begins with cursor 0, and is over when 0 comes back.
    pub fn scan<'a>(&'a self, cursor: u64, each: impl FnMut(ElementRef<'a>)) -> u64 {
        let place = cursor << CURSOR_SHIFT;
        let at = self.leaf_of(place.reverse_bits());
        let leaf = self.leaf(at);
        (0..leaf.len()).map(|index| leaf.get(index)).for_each(each);
        // The interval of a leaf that b bits name is 2^(64 - b) places long.
        let bits = self.bits_of(at);
        let last = place | u64::MAX.checked_shr(bits).unwrap_or(0);
        last.wrapping_add(1) >> CURSOR_SHIFT
    }

    /// One of the elements, each equally likely; none if there is none.
    pub fn sample(&self, rng: &mut Rng) -> Option<Place> {
        if self.is_empty() {
            return None;
        }
        loop {
            let (leaf, index) = (rng.index(self.leaves()), rng.index(self.longest as usize));
            if index < self.leaf(leaf).len() {
                return Some(Place { leaf, index });
            }
        }
    }

    /// About the memory of the table and its elements.
    #[must_use]
    pub fn allocated_bytes(&self) -> usize {
        // Some leaves, all along the table, are asked for all: those that have been split in this
        // round are half as large as the others.
        let sample = (0..self.leaves()).step_by(self.leaves().div_ceil(LEAVES_ASKED));
        let asked = sample.len();
        let sum: usize = sample.map(|at| self.leaf(at).allocated_bytes()).sum();
        let leaf_bytes = sum / asked + size_of::<Leaf>();
        size_of::<Self>() + self.element_bytes + self.leaves() * leaf_bytes
    }

    /// How many allocations there are to free.
    #[must_use]
    pub const fn pieces(&self) -> usize {
        self.len + self.leaves()
    }

    fn hash(&self, name: &[u8]) -> u64 {
        keyed_hash(self.seed, name)
    }

    #[inline]
    const fn leaves(&self) -> usize {
        self.leaves as usize
    }

    /// How many bits name the leaves below the highest power of two that have not been split.
    #[inline]
    const fn level(&self) -> u32 {
        self.leaves.ilog2()
    }

    /// The leaf that a hash names.
    #[inline]
    const fn leaf_of(&self, hash: u64) -> usize {
        let half = 1 << self.level();
        let long = hash as usize & (half * 2 - 1);
        if long < self.leaves() { long } else { long & (half - 1) }
    }

    /// How many bits name the leaf `at`.
    const fn bits_of(&self, at: usize) -> u32 {
        let half = 1 << self.level();
        let split = at >= half || at < self.leaves() - half;
        self.level() + if split { 1 } else { 0 }
    }

    #[inline]
    fn leaf(&self, at: usize) -> &Leaf {
        let (page, leaf) = Self::split(at);
        &self.pages[page].leaves[leaf]
    }

    /// The page of a leaf, and its number there.
    #[inline]
    const fn split(at: usize) -> (usize, usize) {
        (at / PAGE, at % PAGE)
    }

    /// A leaf that is nobody else's, on a page that is nobody else's.
    #[inline]
    fn leaf_mut(&mut self, at: usize) -> &mut Leaf {
        let (page, leaf) = Self::split(at);
        let leaf = &mut make_mut(&mut self.pages[page]).leaves[leaf];
        leaf.make_unique();
        leaf
    }

    /// Adds a leaf, and moves to it what it is to hold.
    fn split_one(&mut self) {
        let bit = self.level();
        let (from, to) = (self.leaves() - (1 << bit), self.leaves());
        let mut old = std::mem::replace(self.leaf_mut(from), Leaf::new());
        let moves: Vec<bool> =
            (0..old.len()).map(|index| self.bit_is_set(&old, index, bit)).collect();
        let (mut low, mut high) = (Leaf::new(), Leaf::new());
        let mut moves = moves.into_iter().rev();
        old.drain(|mark, element| {
            let goes = moves.next().expect("there is one for each element");
            if goes { high.push(mark, element) } else { low.push(mark, element) }
        });
        *self.leaf_mut(from) = low;
        if to.is_multiple_of(PAGE) {
            self.pages.push(Arc::new(Page::new(Vec::new())));
        }
        let bound = self.bound_of(from);
        let page = make_mut(self.pages.last_mut().expect("there is a page"));
        page.leaves.push(high);
        page.added(bound);
        self.leaves = u32::try_from(to + 1).expect("a table has fewer than 2^32 leaves");
    }

    /// Removes the last leaf; what it held goes back to where it was split from.
    fn merge_one(&mut self) {
        let last = self.leaves() - 1;
        let bound = self.bound_of(last);
        self.leaf_mut(last);
        let page = make_mut(self.pages.last_mut().expect("there is a page"));
        let mut gone = page.leaves.pop().expect("the last page is not empty");
        page.removed();
        if page.leaves.is_empty() {
            self.pages.pop();
        }
        self.leaves -= 1;
        let at = last - (1 << last.ilog2());
        let into = self.leaf_mut(at);
        gone.drain(|mark, element| into.push(mark, element));
        let len = into.len();
        self.longest = self.longest.max(len as u32);
        self.lower_bound(at, bound);
    }

    /// A bit of the hash of an element; its name is hashed again only for the bits that the leaf
    /// does not keep.
    fn bit_is_set(&self, leaf: &Leaf, index: usize, bit: u32) -> bool {
        if bit < Mark::LOW_BITS {
            leaf.mark(index).low >> bit & 1 == 1
        } else {
            self.hash(leaf.get(index).name()) >> bit & 1 == 1
        }
    }
}

/// Walks over all elements of a table.
#[derive(Clone)]
pub struct Iter<'a> {
    pages: std::slice::Iter<'a, Arc<Page>>,
    leaves: std::slice::Iter<'a, Leaf>,
    leaf: Option<&'a Leaf>,
    index: usize,
    left: usize,
    /// The table is large: the elements that come are asked for early.
    looks_ahead: bool,
}

/// So many elements before it is its turn, an element is asked for.
const STEPS_AHEAD: usize = 8;

impl Iter<'_> {
    /// Asks for the first elements of the leaf that begins, and for the header of the next leaf.
    fn enter(&self) {
        if let Some(leaf) = self.leaf.filter(|_| self.looks_ahead) {
            (0..leaf.len().min(STEPS_AHEAD)).for_each(|index| leaf.prefetch_element(index));
            self.leaves.as_slice().first().into_iter().for_each(Leaf::prefetch);
        }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = ElementRef<'a>;

    fn next(&mut self) -> Option<ElementRef<'a>> {
        loop {
            if let Some(leaf) = self.leaf.filter(|leaf| self.index < leaf.len()) {
                if self.looks_ahead && self.index + STEPS_AHEAD < leaf.len() {
                    leaf.prefetch_element(self.index + STEPS_AHEAD);
                }
                self.index += 1;
                self.left -= 1;
                return Some(leaf.get(self.index - 1));
            }
            self.index = 0;
            self.leaf = self.leaves.next();
            self.enter();
            if self.leaf.is_none() {
                self.leaves = self.pages.next()?.leaves.iter();
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Iter<'_> {}
