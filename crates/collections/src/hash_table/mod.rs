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
//! Memory. A leaf holds [`FILL`] elements on the average, without gaps ([`leaf`]), at 9 bytes each
//! and an allocation that follows the size classes. An element is one allocation ([`element`]).
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
//! The hash is keyed (SipHash-1-3): names come from clients, and a guessable hash invites flooding.
//!
//! Invariants: an element is in the leaf that its hash names; `len` is the sum of the lengths, and
//! no leaf is longer than `longest`; all pages but the last are full; there is at least one leaf.

mod element;
mod leaf;
#[cfg(test)]
mod tests;

use std::hash::Hasher;
use std::sync::Arc;

use siphasher::sip::SipHasher13;
use stdx::rng::Rng;

use element::Element;
pub use element::ElementRef;
use leaf::{Leaf, Mark};

/// How many elements a leaf has on the average when the table has grown.
const FILL: usize = 40;
/// With fewer than this, the table shrinks by a leaf.
const FILL_MIN: usize = 16;
/// How many leaves a page has.
const PAGE: usize = 256;
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
}

/// A hash table of names, each with a value or without; see the module page.
#[derive(Clone)]
pub struct HashTable {
    pages: Vec<Arc<Page>>,
    seed: u64,
    len: usize,
    /// How many leaves there are.
    leaves: usize,
    /// No leaf is longer.
    longest: usize,
    /// The memory of all elements.
    element_bytes: usize,
}

impl HashTable {
    /// An empty table whose hash is keyed by `seed`, a secret random number.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let page = Page { leaves: vec![Leaf::with_capacity(0)] };
        let pages = vec![Arc::new(page)];
        Self { pages, seed, len: 0, leaves: 1, longest: 0, element_bytes: 0 }
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

    /// Adds a name, with a value in hashes; if it is there already, gives it the value. Returns
    /// whether it is new.
    pub fn insert(&mut self, name: &[u8], value: Option<&[u8]>) -> bool {
        let hash = self.hash(name);
        let mark = Mark::of(hash);
        let at = self.leaf_of(hash);
        if let Some(index) = self.leaf(at).find(mark.tag, |element| element.name() == name) {
            if let Some(value) = value {
                self.set_value(Place { leaf: at, index }, value);
            }
            return false;
        }
        let element = Element::new(name, value);
        self.element_bytes += element.view().allocated_bytes();
        let leaf = self.leaf_mut(at);
        leaf.push(mark, element);
        let len = leaf.len();
        self.longest = self.longest.max(len);
        self.len += 1;
        if self.len > self.leaves * FILL {
            self.split_one();
        }
        true
    }

    /// Gives the element at a place another value.
    pub fn set_value(&mut self, place: Place, value: &[u8]) {
        let leaf = self.leaf_mut(place.leaf);
        let before = leaf.get(place.index).allocated_bytes();
        leaf.set_value(place.index, value);
        let after = leaf.get(place.index).allocated_bytes();
        self.element_bytes = self.element_bytes - before + after;
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
        self.element_bytes -= element.view().allocated_bytes();
        self.len -= 1;
        if self.leaves > 1 && self.len < self.leaves * FILL_MIN {
            self.merge_one();
        }
    }

    /// All elements, in no particular order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter { pages: self.pages.iter(), leaves: [].iter(), leaf: None, index: 0, left: self.len }
    }

    /// The places of all elements.
    pub fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let lens = (0..self.leaves).map(|leaf| (leaf, self.leaf(leaf).len()));
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
            let (leaf, index) = (rng.index(self.leaves), rng.index(self.longest));
            if index < self.leaf(leaf).len() {
                return Some(Place { leaf, index });
            }
        }
    }

    /// The memory of the table and its elements.
    #[must_use]
    pub fn allocated_bytes(&self) -> usize {
        // Leaves are of about the same size: a few are asked for all.
        let sampled = &self.pages[0].leaves;
        let sum: usize = sampled.iter().map(Leaf::allocated_bytes).sum();
        let leaf_bytes = sum / sampled.len() + size_of::<Leaf>();
        size_of::<Self>() + self.element_bytes + self.leaves * leaf_bytes
    }

    /// How many allocations there are to free.
    #[must_use]
    pub const fn pieces(&self) -> usize {
        self.len + self.leaves
    }

    fn hash(&self, name: &[u8]) -> u64 {
        // The second key need not be secret: the first one has all the entropy there is.
        let mut hasher = SipHasher13::new_with_keys(self.seed, !self.seed.rotate_left(32));
        hasher.write(name);
        hasher.finish()
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
        if long < self.leaves { long } else { long & (half - 1) }
    }

    /// How many bits name the leaf `at`.
    const fn bits_of(&self, at: usize) -> u32 {
        let half = 1 << self.level();
        let split = at >= half || at < self.leaves - half;
        self.level() + if split { 1 } else { 0 }
    }

    #[inline]
    fn leaf(&self, at: usize) -> &Leaf {
        &self.pages[at / PAGE].leaves[at % PAGE]
    }

    /// A leaf that is nobody else's, on a page that is nobody else's.
    #[inline]
    fn leaf_mut(&mut self, at: usize) -> &mut Leaf {
        let leaf = &mut Arc::make_mut(&mut self.pages[at / PAGE]).leaves[at % PAGE];
        leaf.make_unique();
        leaf
    }

    /// Adds a leaf, and moves to it what it is to hold.
    fn split_one(&mut self) {
        let bit = self.level();
        let (from, to) = (self.leaves - (1 << bit), self.leaves);
        let mut old = std::mem::replace(self.leaf_mut(from), Leaf::with_capacity(0));
        let moves: Vec<bool> =
            (0..old.len()).map(|index| self.bit_is_set(&old, index, bit)).collect();
        let moving = moves.iter().filter(|&&moves| moves).count();
        let mut low = Leaf::with_capacity(old.len() - moving);
        let mut high = Leaf::with_capacity(moving);
        let mut moves = moves.into_iter().rev();
        old.drain(|mark, element| {
            let goes = moves.next().expect("there is one for each element");
            if goes { high.push(mark, element) } else { low.push(mark, element) }
        });
        *self.leaf_mut(from) = low;
        if to.is_multiple_of(PAGE) {
            self.pages.push(Arc::new(Page { leaves: Vec::new() }));
        }
        let page = self.pages.last_mut().expect("there is a page");
        Arc::make_mut(page).leaves.push(high);
        self.leaves += 1;
    }

    /// Removes the last leaf; what it held goes back to where it was split from.
    fn merge_one(&mut self) {
        let last = self.leaves - 1;
        self.leaf_mut(last);
        let page = Arc::make_mut(self.pages.last_mut().expect("there is a page"));
        let mut gone = page.leaves.pop().expect("the last page is not empty");
        if page.leaves.is_empty() {
            self.pages.pop();
        }
        self.leaves = last;
        let into = self.leaf_mut(last - (1 << last.ilog2()));
        gone.drain(|mark, element| into.push(mark, element));
        let len = into.len();
        self.longest = self.longest.max(len);
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
}

impl<'a> Iterator for Iter<'a> {
    type Item = ElementRef<'a>;

    fn next(&mut self) -> Option<ElementRef<'a>> {
        loop {
            if let Some(leaf) = self.leaf.filter(|leaf| self.index < leaf.len()) {
                self.index += 1;
                self.left -= 1;
                return Some(leaf.get(self.index - 1));
            }
            self.index = 0;
            self.leaf = self.leaves.next();
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
