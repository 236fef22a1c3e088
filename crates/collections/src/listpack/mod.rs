//! The listpack: a sequence of short strings and integers in one block of bytes.
//!
//! ```text
//!   ┌───────────┬───────────┬───────────┬─────┬───────────┬──────┐
//!   │ bytes u32 │ count u16 │ element 0 │ ... │ element n │ 0xFF │
//!   └───────────┴───────────┴───────────┴─────┴───────────┴──────┘
//! ```
//!
//! Small collections are kept like this, because a few hundred bytes in a row are searched faster
//! than pointers are followed, and cost no pointer, header or slack for each element. The format is
//! the one of dump files and `DUMP` payloads, byte for byte, so that loading and saving copy.
//!
//! An element says its size in front and again behind ([`codec`] has the forms), so it is walked
//! from both ends. A string that is the canonical decimal form of an `i64` is always stored as an
//! integer; reading it back prints the same text, so nobody sees the difference but in size.
//!
//! Costs: everything but the ends is linear, and a change moves the bytes behind it. The callers
//! keep listpacks below some hundred elements or some kilobytes and convert beyond. The count
//! stands in 16 bits; from 65,535 elements on it means *unknown*, and [`Listpack::len`] counts.
//!
//! Invariants: the bytes are a well-formed listpack ([`validate`] agrees with every one made here);
//! an [`Offset`] is the beginning of an element, and is good until the listpack changes at or
//! before it. The bytes are shared by clones and copied by the first change (law 3).

pub(crate) mod check;
mod codec;
mod item;
#[cfg(test)]
mod tests;

use std::fmt;

pub use crate::block::Malformed;
use crate::block::{Block, LEN_BYTES};
use crate::word::Small;
use codec::{Decoded, END, Encoded, Value};
pub use item::{Item, Needle};

/// Bytes before the first element: the size in bytes and the count.
const HEADER_BYTES: usize = 6;
/// This count means that there are as many or more.
const COUNT_UNKNOWN: u16 = u16::MAX;
/// The largest listpack that may still be grown: far from where its 32-bit size would overflow.
const BYTES_MAX: usize = 1 << 30;

const SOUND: &str = "a listpack is well-formed and an offset is the beginning of an element";

/// Where an element begins, in bytes from the beginning of its listpack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(usize);

/// Checks untrusted bytes and counts their elements: sizes and count agree with the header, every
/// element ends inside, every backlen says the size of its element, and the end mark is at the end.
///
/// # Errors
/// If anything of this does not hold.
pub fn validate(bytes: &[u8]) -> Result<usize, Malformed> {
    let header = bytes.get(..HEADER_BYTES).ok_or(Malformed)?;
    let total = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
    let (last, elements) = bytes.split_last().ok_or(Malformed)?;
    if total as usize != bytes.len() || *last != END || elements.len() < HEADER_BYTES {
        return Err(Malformed);
    }
    let (mut at, mut count) = (HEADER_BYTES, 0);
    while at < elements.len() {
        let element = codec::decode(elements, at).ok_or(Malformed)?;
        if !element.backlen_agrees(elements, at) {
            return Err(Malformed);
        }
        at = element.end;
        count += 1;
    }
    let stated = u16::from_le_bytes([header[4], header[5]]);
    let agrees = stated == COUNT_UNKNOWN || usize::from(stated) == count;
    if agrees { Ok(count) } else { Err(Malformed) }
}

/// A listpack of one word; see the module page.
#[derive(Clone)]
#[repr(transparent)]
pub struct Listpack {
    bytes: Block,
}

const _: () = assert!(size_of::<Listpack>() == 8);

// SAFETY: one pointer to a block, which is aligned to eight bytes and never null.
unsafe impl Small for Listpack {}

impl Default for Listpack {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl Listpack {
    /// An empty listpack with room for elements of `bytes` bytes in all, as
    /// [`Item::packed_bytes`] counts them.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        let mut new = Block::with_capacity(HEADER_BYTES - LEN_BYTES + 1 + bytes);
        new.splice(LEN_BYTES, 0, &[&[0, 0, END]]);
        Self { bytes: new }
    }

    /// A copy of untrusted bytes, if they are a listpack.
    ///
    /// # Errors
    /// As [`validate`].
    pub fn from_untrusted(bytes: &[u8]) -> Result<Self, Malformed> {
        validate(bytes)?;
        Ok(Self { bytes: Block::from(&bytes[LEN_BYTES..]) })
    }

    /// The bytes as dump files have them.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// The bytes of memory behind the word.
    #[must_use]
    pub fn allocated_bytes(&self) -> usize {
        self.bytes.allocated_bytes()
    }

    /// A copy without room to grow.
    #[must_use]
    pub fn compacted(&self) -> Self {
        Self { bytes: self.bytes.copy() }
    }

    /// Whether elements of `bytes` bytes more may be added.
    #[must_use]
    pub fn has_room_for(&self, bytes: usize) -> bool {
        self.bytes.len().saturating_add(bytes) <= BYTES_MAX
    }

    /// How many elements there are: O(1) below 65,535, O(n) from there on.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        match self.stated_count() {
            COUNT_UNKNOWN => self.iter().count(),
            count => usize::from(count),
        }
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == HEADER_BYTES + 1
    }

    /// The first element.
    #[must_use]
    pub fn first(&self) -> Option<Offset> {
        (!self.is_empty()).then_some(Offset(HEADER_BYTES))
    }

    /// The last element.
    #[must_use]
    pub fn last(&self) -> Option<Offset> {
        self.before(self.end())
    }

    /// The element behind the one at `offset`.
    #[inline]
    #[must_use]
    pub fn next(&self, offset: Offset) -> Option<Offset> {
        let next = self.end_of(offset.0);
        (next < self.end()).then_some(Offset(next))
    }

    /// The element before the one at `offset`.
    #[must_use]
    pub fn previous(&self, offset: Offset) -> Option<Offset> {
        self.before(offset.0)
    }

    /// The element at `offset`.
    ///
    /// # Panics
    /// If no element of this listpack begins there.
    #[inline]
    #[must_use]
    pub fn get(&self, offset: Offset) -> Item<'_> {
        self.item(self.decode(offset.0))
    }

    /// The element with the number `index`, walked to from the nearer end: 0 is the first, -1 the
    /// last.
    #[must_use]
    pub fn seek(&self, index: i64) -> Option<Offset> {
        let mut index = index;
        if self.stated_count() != COUNT_UNKNOWN {
            let len = i64::from(self.stated_count());
            let from_front = if index < 0 { index + len } else { index };
            if from_front < 0 || from_front >= len {
                return None;
            }
            index = if from_front < len / 2 { from_front } else { from_front - len };
        }
        if index < 0 {
            (index..-1).try_fold(self.last()?, |at, _| self.previous(at))
        } else {
            let bytes = self.as_bytes();
            let at = (0..index).try_fold(HEADER_BYTES, |at, _| codec::end_of(bytes, at))?;
            (at < self.end()).then_some(Offset(at))
        }
    }

    /// The elements from the first to the last, or from both ends.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter { listpack: self, front: HEADER_BYTES, back: self.end() }
    }

    /// The elements from the one at `offset` to the last.
    #[must_use]
    pub fn iter_from(&self, offset: Offset) -> Iter<'_> {
        Iter { listpack: self, front: offset.0, back: self.end() }
    }

    /// The first element from `from` on that has this text, comparing one and passing over `skip`:
    /// with `skip` 1, only every second element is looked at.
    #[must_use]
    pub fn find(&self, from: Option<Offset>, needle: Needle<'_>, skip: usize) -> Option<Offset> {
        let mut at = from?.0;
        let end = self.end();
        while at < end {
            let element = self.decode(at);
            let next = element.end;
            if needle.is(self.item(element)) {
                return Some(Offset(at));
            }
            at = next;
            for _ in 0..skip {
                if at < end {
                    at = self.end_of(at);
                }
            }
        }
        None
    }

    /// Adds an element behind the last one.
    ///
    /// # Panics
    /// If the listpack would exceed 4 GiB; see [`Listpack::has_room_for`]. So for all that add.
    pub fn push_back<'i>(&mut self, item: impl Into<Item<'i>>) {
        self.splice(self.end(), 0, 0, Some(item.into()));
    }

    /// Adds an element before the first one.
    pub fn push_front<'i>(&mut self, item: impl Into<Item<'i>>) {
        self.splice(HEADER_BYTES, 0, 0, Some(item.into()));
    }

    /// Adds an element before the one at `offset`; the new one begins there then.
    pub fn insert_before<'i>(&mut self, offset: Offset, item: impl Into<Item<'i>>) {
        self.splice(offset.0, 0, 0, Some(item.into()));
    }

    /// Adds an element behind the one at `offset` and says where.
    pub fn insert_after<'i>(&mut self, offset: Offset, item: impl Into<Item<'i>>) -> Offset {
        let at = self.end_of(offset.0);
        self.splice(at, 0, 0, Some(item.into()));
        Offset(at)
    }

    /// Replaces the element at `offset`.
    pub fn replace<'i>(&mut self, offset: Offset, item: impl Into<Item<'i>>) {
        let old = self.end_of(offset.0) - offset.0;
        self.splice(offset.0, old, 1, Some(item.into()));
    }

    /// Removes the first element and shows it.
    pub fn pop_front<R>(&mut self, show: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        self.first().map(|first| self.take(first, show))
    }

    /// Removes the last element and shows it.
    pub fn pop_back<R>(&mut self, show: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        self.last().map(|last| self.take(last, show))
    }

    #[inline]
    fn take<R>(&mut self, at: Offset, show: impl FnOnce(Item<'_>) -> R) -> R {
        let element = self.decode(at.0);
        let end = element.end;
        let shown = show(self.item(element));
        self.splice(at.0, end - at.0, 1, None);
        shown
    }

    /// Removes the element at `offset`; returns the one that was behind it, if any.
    pub fn remove(&mut self, offset: Offset) -> Option<Offset> {
        self.remove_many(offset, 1);
        (offset.0 < self.end()).then_some(offset)
    }

    /// Removes up to `count` elements from the one at `offset` on; returns how many were removed.
    pub fn remove_many(&mut self, offset: Offset, count: usize) -> usize {
        let (mut at, mut removed) = (offset.0, 0);
        while removed < count && at < self.end() {
            at = self.end_of(at);
            removed += 1;
        }
        self.splice(offset.0, at - offset.0, removed, None);
        removed
    }

    /// Removes up to `count` elements from the one with the number `index` on, counted as
    /// [`Listpack::seek`] does; returns how many were removed.
    pub fn remove_range(&mut self, index: i64, count: usize) -> usize {
        self.seek(index).map_or(0, |offset| self.remove_many(offset, count))
    }

    /// Adds the elements of `other` behind the last one.
    pub fn append_all(&mut self, other: &Self) {
        let count = self.len() + other.len();
        let elements = &other.as_bytes()[HEADER_BYTES..other.end()];
        let end = self.end();
        set_count(self.bytes.splice(end, 0, &[elements]), count);
    }

    /// Where the end mark is.
    #[inline]
    fn end(&self) -> usize {
        self.bytes.len() - 1
    }

    fn stated_count(&self) -> u16 {
        let bytes = self.as_bytes();
        u16::from_le_bytes([bytes[4], bytes[5]])
    }

    #[inline]
    fn decode(&self, at: usize) -> Decoded {
        codec::decode(self.as_bytes(), at).expect(SOUND)
    }

    #[inline]
    fn end_of(&self, at: usize) -> usize {
        codec::end_of(self.as_bytes(), at).expect(SOUND)
    }

    #[inline]
    fn item(&self, element: Decoded) -> Item<'_> {
        match element.value {
            Value::Int(value) => Item::Int(value),
            Value::String(range) => Item::Bytes(&self.as_bytes()[range]),
        }
    }

    /// The element that ends at `end`.
    fn before(&self, end: usize) -> Option<Offset> {
        (end > HEADER_BYTES).then(|| Offset(codec::start_of(self.as_bytes(), end).expect(SOUND)))
    }

    /// Replaces `removed` elements, `bytes` long, at `at` by `item`, and corrects the header.
    #[inline]
    fn splice(&mut self, at: usize, bytes: usize, removed: usize, item: Option<Item<'_>>) {
        let stated = self.stated_count();
        let added = usize::from(item.is_some());
        let body = match item.map(Encoded::new) {
            Some(element) => self.bytes.splice(at, bytes, &element.parts()),
            None => self.bytes.splice(at, bytes, &[]),
        };
        // A count that is unknown stays so: counting would make each change linear.
        let count = match stated {
            COUNT_UNKNOWN => usize::from(COUNT_UNKNOWN),
            count => usize::from(count) - removed + added,
        };
        set_count(body, count);
    }
}

/// Notes how many elements there are in the body of a block.
#[inline]
fn set_count(body: &mut [u8], count: usize) {
    let count = u16::try_from(count).unwrap_or(COUNT_UNKNOWN);
    body[..2].copy_from_slice(&count.to_le_bytes());
}

impl<'a> IntoIterator for &'a Listpack {
    type Item = Item<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'i, I: Into<Item<'i>>> Extend<I> for Listpack {
    fn extend<T: IntoIterator<Item = I>>(&mut self, items: T) {
        items.into_iter().for_each(|item| self.push_back(item));
    }
}

impl<'i, I: Into<Item<'i>>> FromIterator<I> for Listpack {
    fn from_iter<T: IntoIterator<Item = I>>(items: T) -> Self {
        let mut new = Self::default();
        new.extend(items);
        new
    }
}

impl fmt::Debug for Listpack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

/// Walks over the elements of a listpack from both ends.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    listpack: &'a Listpack,
    /// Where the next element begins.
    front: usize,
    /// Where the last one not yet given ends.
    back: usize,
}

impl Iter<'_> {
    /// Where the next element from the front is; none if all have been given.
    #[must_use]
    pub fn offset(&self) -> Option<Offset> {
        (self.front < self.back).then_some(Offset(self.front))
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        let element = self.listpack.decode(self.offset()?.0);
        self.front = element.end;
        Some(self.listpack.item(element))
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.offset()?;
        let last = self.listpack.before(self.back).expect(SOUND);
        self.back = last.0;
        Some(self.listpack.get(last))
    }
}
