//! The array: texts at indices from 0 to 2^64-2, few or many of which are used.
//!
//! ```text
//!   Array (one word)
//!     │   count, cursor, size of a slice
//!     └─ tree by slice number          a slice is 4096 positions by default
//!          ├─ slice 0      sparse: (3, "a") (90, "b")          up to ten elements, sorted
//!          ├─ slice 7      dense:  [chunk 12] [    ] [chunk 14]
//!          │                           └─ 64 bits: which positions are used; their values
//!          └─ slice 2^50   sparse: (0, "z")
//! ```
//!
//! A value is one word: integers, decimal fractions and texts of up to seven bytes stand in it,
//! others are behind it ([`value`]). A full chunk spends less than one byte on each of its
//! positions, so a million small numbers in a row take nine bytes each. What is not used takes next
//! to nothing: an element alone in its slice some hundred bytes, however far away it is; and as a
//! dense slice is made of chunks, elements spread over it cost at most a chunk each and not all its
//! positions.
//!
//! Costs: reading and writing a position O(log s) for s slices and a few steps inside one; walking
//! over a range the same and O(1) for each element and slice in it, whatever the distance of its
//! ends. A clone is O(1): slices, chunks and the pages of the tree are reference counted, and
//! whoever changes a shared array copies a page for each level, a slice's list of chunks, and one
//! chunk (law 3).
//!
//! # When a slice changes its form
//! It becomes dense when it gets more than [`Limits::sparse_max`] elements and sparse again when
//! fewer than [`Limits::sparse_min`] are left. `ARINFO ... FULL` shows how many there are of each.
//! The size of slices is that of the moment when the first element was set.
//!
//! # The cursor
//! An array remembers at which index it was last inserted into; [`cursor`] has what follows from
//! that: appending, rings, the latest elements. Setting an element by its index leaves the cursor
//! alone.
//!
//! Invariants: no slice of the tree is empty; `count` and `text_bytes` are the sums over the
//! slices; the index 2^64-1 is never used, so that the length fits a word.

mod chunk;
mod cursor;
mod slice;
#[cfg(test)]
mod tests;
mod value;

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::Pieces;
use crate::entry::Collection;
use crate::tree::Tree;
use crate::unique::make_mut;
use slice::{Slice, Visit};
use value::Value;

pub use cursor::Full;
pub use value::{Digits, Element};

/// The greatest index. The length of an array is one more and must fit a word.
pub const INDEX_MAX: u64 = u64::MAX - 1;

/// Slices are not larger than this, so that a change of a shared one copies little.
const SLICE_BITS_MAX: u32 = 16;

/// How large slices are, and which of them are sparse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `array-slice-size`: positions of a slice, a power of two; more than 65,536 are cut to that.
    pub slice_size: u64,
    /// `array-sparse-kmax`: a slice with more elements is dense.
    pub sparse_max: u32,
    /// `array-sparse-kmin`: a dense slice with fewer elements becomes sparse.
    pub sparse_min: u32,
}

impl Default for Limits {
    /// The defaults of the parameters.
    fn default() -> Self {
        Self { slice_size: 4096, sparse_max: 10, sparse_min: 5 }
    }
}

impl Limits {
    const fn slice_bits(&self) -> u32 {
        let bits = self.slice_size.trailing_zeros();
        if bits < SLICE_BITS_MAX { bits } else { SLICE_BITS_MAX }
    }
}

#[derive(Clone, Debug)]
struct Inner {
    count: u64,
    /// The memory of long texts.
    text_bytes: usize,
    /// Where something was last inserted.
    cursor: Option<u64>,
    /// A slice has two to the power of this positions.
    slice_bits: u32,
    slices: Tree<u64, Arc<Slice>>,
}

/// An array of one word; see the module page.
#[derive(Clone, Debug)]
#[repr(transparent)]
pub struct Array(Arc<Inner>);

impl Default for Array {
    fn default() -> Self {
        let slice_bits = Limits::default().slice_bits();
        let slices = Tree::default();
        Self(Arc::new(Inner { count: 0, text_bytes: 0, cursor: None, slice_bits, slices }))
    }
}

/// Parts of an array that are on their way to be freed.
#[derive(Debug, Default)]
pub struct Removed {
    slices: Vec<Arc<Slice>>,
    whole: Option<Array>,
}

impl Pieces for Removed {
    fn pieces(&self) -> usize {
        let slices: usize = self.slices.iter().map(|slice| slice.count() as usize).sum();
        slices + self.whole.pieces()
    }
}

/// How an array is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Layout {
    /// Positions of a slice.
    pub slice_size: u64,
    /// Slices with elements.
    pub slices: usize,
    /// Those of them that are dense; only counted by [`Array::full_layout`], as all that follow.
    pub dense: usize,
    /// Positions that the dense slices span.
    pub dense_positions: usize,
    /// Elements of the dense slices.
    pub dense_elements: usize,
    /// Elements that there is room for in the sparse slices.
    pub sparse_capacity: usize,
}

impl Array {
    /// How many elements there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.count
    }

    /// One more than the greatest index in use, or 0.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.last_index().map_or(0, |index| index + 1)
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.count == 0
    }

    /// The greatest index in use.
    #[must_use]
    pub fn last_index(&self) -> Option<u64> {
        let mut last = None;
        self.visit(0..=INDEX_MAX, true, |index, _| -> Option<()> {
            last = Some(index);
            Some(())
        });
        last
    }

    /// The element at an index.
    #[inline]
    #[must_use]
    pub fn get(&self, index: u64) -> Option<Element<'_>> {
        Some(self.value(index)?.element())
    }

    fn value(&self, index: u64) -> Option<&Value> {
        let (number, at) = self.0.place(index);
        self.0.slices.get(&number)?.get(at)
    }

    /// Puts a text at an index; returns whether there was none.
    ///
    /// # Panics
    /// If the index is greater than [`INDEX_MAX`].
    pub fn set(&mut self, index: u64, text: &[u8], limits: &Limits) -> bool {
        self.set_value(index, Value::new(text), limits)
    }

    fn set_value(&mut self, index: u64, value: Value, limits: &Limits) -> bool {
        assert!(index <= INDEX_MAX, "the greatest index is 2^64-2");
        let inner = make_mut(&mut self.0);
        if inner.count == 0 {
            inner.slice_bits = limits.slice_bits();
        }
        let (number, at) = inner.place(index);
        let Some(slice) = inner.slices.get_mut(&number) else {
            let mut slice = Slice::default();
            slice.set(at, value, limits);
            inner.text_bytes += slice.text_bytes();
            inner.count += 1;
            inner.slices.insert(number, Arc::new(slice));
            return true;
        };
        let slice = make_mut(slice);
        let before = slice.text_bytes();
        let is_new = slice.set(at, value, limits);
        let after = slice.text_bytes();
        inner.text_bytes = inner.text_bytes - before + after;
        inner.count += u64::from(is_new);
        is_new
    }

    /// Empties an index; false if it was empty.
    pub fn remove(&mut self, index: u64, limits: &Limits) -> bool {
        // What others share is not copied for nothing.
        let is_used = self.value(index).is_some();
        if is_used {
            let (number, at) = self.0.place(index);
            make_mut(&mut self.0).change_slice(number, |slice| {
                slice.remove(at, limits);
            });
        }
        is_used
    }

    /// Empties all indices of a range; returns how many were used. Whole slices are handed over,
    /// because freeing many of them takes its time.
    pub fn remove_range(
        &mut self,
        range: RangeInclusive<u64>,
        limits: &Limits,
        removed: &mut Removed,
    ) -> u64 {
        let (start, end) = range.into_inner();
        let before = self.count();
        let mut first = None;
        self.visit(start..=end, false, |index, _| -> Option<()> {
            first = Some(index);
            Some(())
        });
        let Some(first) = first else { return 0 };
        if self.last_index().is_some_and(|last| last <= end) && self.first_index() == Some(first) {
            removed.whole = Some(self.take());
            return before;
        }
        let inner = make_mut(&mut self.0);
        let (first_slice, first_at) = inner.place(first);
        let (last_slice, last_at) = inner.place(end);
        let whole = (1_u64 << inner.slice_bits) - 1;
        let numbers = inner.slices.iter_from(|number| *number < first_slice);
        let numbers: Vec<u64> =
            numbers.map(|(number, _)| *number).take_while(|number| *number <= last_slice).collect();
        for number in numbers {
            let from = if number == first_slice { first_at } else { 0 };
            let to = if number == last_slice { last_at } else { whole as u32 };
            if from == 0 && u64::from(to) == whole {
                let slice = inner.slices.remove(&number).expect("it is one of the tree's");
                inner.count -= u64::from(slice.count());
                inner.text_bytes -= slice.text_bytes();
                removed.slices.push(slice);
            } else {
                inner.change_slice(number, |slice| {
                    slice.remove_range(from, to, limits);
                });
            }
        }
        before - self.count()
    }

    fn first_index(&self) -> Option<u64> {
        self.visit(0..=INDEX_MAX, false, |index, _| Some(index))
    }

    /// All of it, leaving an array without elements and with the same cursor.
    fn take(&mut self) -> Self {
        let empty = Self::default();
        let taken = std::mem::replace(self, empty);
        let inner = make_mut(&mut self.0);
        (inner.cursor, inner.slice_bits) = (taken.0.cursor, taken.0.slice_bits);
        taken
    }

    /// Shows the elements whose index is in `range`, ascending or, if `backwards`, descending,
    /// until `visit` returns something.
    pub fn visit<B>(
        &self,
        range: RangeInclusive<u64>,
        backwards: bool,
        mut visit: impl FnMut(u64, Element<'_>) -> Option<B>,
    ) -> Option<B> {
        let (start, end) = range.into_inner();
        if start > end {
            return None;
        }
        let inner = &*self.0;
        let ((first_slice, first_at), (last_slice, last_at)) =
            (inner.place(start), inner.place(end));
        let last_of_slice = ((1_u64 << inner.slice_bits) - 1) as u32;
        let mut show = |number: u64, slice: &Slice| {
            let from = if number == first_slice { first_at } else { 0 };
            let to = if number == last_slice { last_at } else { last_of_slice };
            let base = number << inner.slice_bits;
            slice.visit(from, to, Visit { backwards, base, visit: &mut visit })
        };
        if !backwards {
            let slices = inner.slices.iter_from(|number| *number < first_slice);
            let mut slices = slices.take_while(|(number, _)| **number <= last_slice);
            return slices.find_map(|(number, slice)| show(*number, slice));
        }
        let mut next = inner.slices.last_below(|number| *number <= last_slice);
        while let Some((&number, slice)) = next.filter(|(number, _)| **number >= first_slice) {
            if let Some(stop) = show(number, slice) {
                return Some(stop);
            }
            next = inner.slices.last_below(|probe| *probe < number);
        }
        None
    }

    /// How it is laid out, in constant time.
    #[must_use]
    pub fn layout(&self) -> Layout {
        let (slice_size, slices) = (1 << self.0.slice_bits, self.0.slices.len());
        Layout { slice_size, slices, ..Layout::default() }
    }

    /// How it is laid out, after a look at every slice.
    #[must_use]
    pub fn full_layout(&self) -> Layout {
        let mut layout = self.layout();
        for (_, slice) in self.0.slices.iter() {
            let (is_dense, size) = slice.shape();
            if is_dense {
                layout.dense += 1;
                layout.dense_positions += size;
                layout.dense_elements += slice.count() as usize;
            } else {
                layout.sparse_capacity += size;
            }
        }
        layout
    }

    #[cfg(test)]
    fn check(&self) {
        let inner = &*self.0;
        inner.slices.iter().for_each(|(_, slice)| slice.check(inner.slice_bits));
        let slices = || inner.slices.iter().map(|(_, slice)| slice);
        assert_eq!(inner.count, slices().map(|slice| u64::from(slice.count())).sum::<u64>());
        assert_eq!(inner.text_bytes, slices().map(|slice| slice.text_bytes()).sum::<usize>());
    }
}

impl Inner {
    /// The slice of an index, and its position there.
    #[inline]
    const fn place(&self, index: u64) -> (u64, u32) {
        let mask = (1 << self.slice_bits) - 1;
        (index >> self.slice_bits, (index & mask) as u32)
    }

    /// Lets `change` remove elements of a slice, and drops it if none are left.
    fn change_slice(&mut self, number: u64, change: impl FnOnce(&mut Slice)) {
        let slice = self.slices.get_mut(&number).expect("it has elements");
        let slice = make_mut(slice);
        let (count, text_bytes) = (slice.count(), slice.text_bytes());
        change(slice);
        self.count -= u64::from(count - slice.count());
        self.text_bytes -= text_bytes - slice.text_bytes();
        if slice.count() == 0 {
            self.slices.remove(&number);
        }
    }
}

impl Collection for Array {
    const TYPE_NAME: &'static str = "array";

    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }

    #[inline]
    fn elements(&self) -> usize {
        self.count() as usize
    }

    fn for_each(&self, visit: &mut dyn FnMut(&[&[u8]])) {
        let (mut digits, mut number) = (Digits::default(), itoa::Buffer::new());
        self.visit(0..=INDEX_MAX, false, |index, element| -> Option<()> {
            visit(&[number.format(index).as_bytes(), element.text(&mut digits)]);
            None
        });
    }

    fn encoding(&self) -> &'static str {
        "sliced-array"
    }

    fn allocated_bytes(&self) -> usize {
        let slices = self.0.slices.iter();
        let page_share = 2 * size_of::<u64>();
        size_of::<Inner>()
            + slices.map(|(_, slice)| slice.allocated_bytes() + page_share).sum::<usize>()
    }
}

impl Pieces for Array {
    fn pieces(&self) -> usize {
        // A slice and its elements: each of them may be a text of its own.
        self.0.slices.len().saturating_add(usize::try_from(self.0.count).unwrap_or(usize::MAX))
    }
}
