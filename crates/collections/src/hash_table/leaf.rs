//! A leaf: the elements of one part of a hash table, in one allocation.
//!
//! ```text
//!   ┌──────────────────────┬──────────────────────┬───────────────────┬──────────────┐
//!   │ refs, len, capacity  │ capacity words       │ capacity tags     │ (class slack │
//!   │ (16 bytes)           │ 16 bit hash | 48 ptr │ 8 bit of the hash │  below one)  │
//!   └──────────────────────┴──────────────────────┴───────────────────┴──────────────┘
//! ```
//!
//! A look-up compares the tags, which are in one or two cache lines, and follows only the words
//! whose tag agrees. Elements stand in no order, so there are no empty slots between them, and the
//! capacity follows the allocator's size classes: a leaf wastes at most the room to the next class.
//! The low 16 bits of the hash, kept beside the pointer, let a leaf be split without a look at its
//! elements.
//!
//! A leaf is reference counted and one word. Invariants: the first `len` words own elements, the
//! first `len` tags belong to them; while `refs > 1` nobody writes: [`Leaf::make_unique`] copies
//! the leaf and its elements, at most some hundred.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering, fence};

use super::element::{Element, ElementRef};
use crate::size_class::allocation_bytes;

const HEADER_BYTES: usize = size_of::<Header>();
const WORD_BYTES: usize = size_of::<u64>();
const ADDRESS: u64 = (1 << 48) - 1;

#[repr(C, align(8))]
struct Header {
    refs: AtomicU32,
    len: u32,
    capacity: u32,
}

/// What a leaf keeps of an element's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// The top 8 bits.
    pub(super) tag: u8,
    /// The low 16 bits.
    pub(super) low: u16,
}

impl Mark {
    pub(super) const LOW_BITS: u32 = 16;

    #[inline]
    pub(super) const fn of(hash: u64) -> Self {
        Self { tag: (hash >> 56) as u8, low: hash as u16 }
    }
}

/// A reference to a leaf; see the module page.
#[repr(transparent)]
pub(super) struct Leaf {
    header: NonNull<Header>,
}

// SAFETY: a leaf is written only through `&mut Leaf` whose count is one, the count is atomic, and
// elements are `Send` and `Sync`.
unsafe impl Send for Leaf {}
// SAFETY: as above.
unsafe impl Sync for Leaf {}

impl Leaf {
    /// An empty leaf with room for `elements`.
    pub(super) fn with_capacity(elements: usize) -> Self {
        let total = allocation_bytes(HEADER_BYTES + elements * (WORD_BYTES + 1));
        let capacity = (total - HEADER_BYTES) / (WORD_BYTES + 1);
        let layout = layout_of(capacity);
        // SAFETY: the layout has a non-zero size, since it includes the header.
        let memory = unsafe { alloc(layout) }.cast::<Header>();
        let Some(header) = NonNull::new(memory) else { handle_alloc_error(layout) };
        let capacity = u32::try_from(capacity).expect("a leaf holds fewer than 2^32 elements");
        // SAFETY: freshly allocated, aligned and large enough for a header.
        unsafe { header.write(Header { refs: AtomicU32::new(1), len: 0, capacity }) };
        Self { header }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.header().len as usize
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        layout_of(self.capacity()).size()
    }

    /// The first element with this tag that `is` the wanted one.
    #[inline]
    pub(super) fn find(&self, tag: u8, is: impl Fn(ElementRef<'_>) -> bool) -> Option<usize> {
        memchr::memchr_iter(tag, self.tags()).find(|&index| is(self.get(index)))
    }

    /// The element at `index`, which is below the length.
    #[inline]
    pub(super) fn get(&self, index: usize) -> ElementRef<'_> {
        // SAFETY: words below the length own live elements, and nobody writes while `&self` lives.
        unsafe { ElementRef::from_address(self.words()[index] & ADDRESS) }
    }

    pub(super) fn mark(&self, index: usize) -> Mark {
        Mark { tag: self.tags()[index], low: (self.words()[index] >> 48) as u16 }
    }

    /// Adds an element. The leaf must be unique.
    pub(super) fn push(&mut self, mark: Mark, element: Element) {
        let (len, capacity) = (self.len(), self.capacity());
        if len == capacity {
            self.reallocate(len + 1);
        }
        let word = u64::from(mark.low) << 48 | element.into_address();
        // SAFETY: there is room for one more, and the leaf is unique (asserted by `set_len`).
        unsafe {
            self.words_at().add(len).write(word);
            self.tags_at().add(len).write(mark.tag);
        }
        self.set_len(len + 1);
    }

    /// Removes the element at `index`; the last one takes its place. The leaf must be unique.
    pub(super) fn swap_remove(&mut self, index: usize) -> Element {
        let last = self.len() - 1;
        let address = self.words()[index] & ADDRESS;
        // SAFETY: both are below the length, and the leaf is unique (asserted by `set_len`).
        unsafe {
            self.words_at().add(index).write(self.words_at().add(last).read());
            self.tags_at().add(index).write(self.tags_at().add(last).read());
        }
        self.set_len(last);
        if allocation_bytes(HEADER_BYTES + last * (WORD_BYTES + 1)) * 2 < self.allocated_bytes() {
            self.reallocate(last);
        }
        // SAFETY: the word that owned it has been overwritten or cut off.
        unsafe { Element::from_address(address) }
    }

    /// Lets `change` work on the element at `index`, which may move. The leaf must be unique.
    pub(super) fn modify(&mut self, index: usize, change: impl FnOnce(&mut Element)) {
        let word = self.words()[index];
        debug_assert!(self.is_unique());
        // SAFETY: the word owns the element, which is lent out of it and has one owner at any time;
        // the address that it has afterwards is written to the same word.
        unsafe {
            let mut element = ManuallyDrop::new(Element::from_address(word & ADDRESS));
            change(&mut element);
            let address = ManuallyDrop::into_inner(element).into_address();
            self.words_at().add(index).write(word & !ADDRESS | address);
        }
    }

    /// Makes this the only reference, by copying leaf and elements if there are others.
    #[inline]
    pub(super) fn make_unique(&mut self) {
        if !self.is_unique() {
            *self = self.copy();
        }
    }

    /// Takes all elements out. The leaf must be unique.
    pub(super) fn drain(&mut self, mut each: impl FnMut(Mark, Element)) {
        while let Some(last) = self.len().checked_sub(1) {
            let (mark, word) = (self.mark(last), self.words()[last]);
            self.set_len(last);
            // SAFETY: the word that owned it has been cut off.
            each(mark, unsafe { Element::from_address(word & ADDRESS) });
        }
    }

    #[cold]
    fn copy(&self) -> Self {
        let mut copy = Self::with_capacity(self.len());
        for (index, word) in self.words().iter().enumerate() {
            // SAFETY: the word owns a live element; what is made of it here is only cloned from.
            let element = unsafe { ManuallyDrop::new(Element::from_address(word & ADDRESS)) };
            copy.push(self.mark(index), Element::clone(&element));
        }
        copy
    }

    /// Moves the elements to a leaf with room for `elements`, which is not less than the length.
    fn reallocate(&mut self, elements: usize) {
        debug_assert!(self.is_unique() && elements >= self.len());
        let mut moved = Self::with_capacity(elements);
        let len = self.len();
        // SAFETY: there is room for all. The words move: the old leaf forgets them below, and
        // nothing in between can fail.
        unsafe {
            moved.words_at().copy_from_nonoverlapping(self.words_at(), len);
            moved.tags_at().copy_from_nonoverlapping(self.tags_at(), len);
        }
        moved.set_len(len);
        self.set_len(0);
        *self = moved;
    }

    #[inline]
    fn is_unique(&self) -> bool {
        self.header().refs.load(Ordering::Acquire) == 1
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: valid and initialized as long as a reference is held.
        unsafe { self.header.as_ref() }
    }

    fn capacity(&self) -> usize {
        self.header().capacity as usize
    }

    fn set_len(&mut self, len: usize) {
        assert!(self.is_unique() && len <= self.capacity(), "only a unique leaf is changed");
        // SAFETY: unique, so no other reference to the header exists.
        unsafe { self.header.as_mut() }.len = len as u32;
    }

    #[inline]
    fn words_at(&self) -> *mut u64 {
        // SAFETY: the words begin behind the header, inside the allocation.
        unsafe { self.header.as_ptr().add(1).cast() }
    }

    #[inline]
    fn tags_at(&self) -> *mut u8 {
        // SAFETY: the tags begin behind all words, inside the allocation.
        unsafe { self.words_at().add(self.capacity()).cast() }
    }

    #[inline]
    fn words(&self) -> &[u64] {
        // SAFETY: the first `len` words are initialized, and nobody writes while `&self` lives.
        unsafe { std::slice::from_raw_parts(self.words_at(), self.len()) }
    }

    #[inline]
    fn tags(&self) -> &[u8] {
        // SAFETY: as for the words.
        unsafe { std::slice::from_raw_parts(self.tags_at(), self.len()) }
    }
}

fn layout_of(capacity: usize) -> Layout {
    let bytes = allocation_bytes(HEADER_BYTES + capacity * (WORD_BYTES + 1));
    Layout::from_size_align(bytes, align_of::<Header>()).expect("leaves are far below 2^63 bytes")
}

impl Clone for Leaf {
    /// Shares the leaf.
    fn clone(&self) -> Self {
        let before = self.header().refs.fetch_add(1, Ordering::Relaxed);
        // Two billion holders can only be a leak; wrapping the count would be a use after free.
        if before > u32::MAX / 2 {
            std::process::abort();
        }
        Self { header: self.header }
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        if self.header().refs.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // All reads by other holders happen before the free.
        fence(Ordering::Acquire);
        let layout = layout_of(self.capacity());
        for word in self.words() {
            // SAFETY: the word owns the element, and nobody looks at the words again.
            drop(unsafe { Element::from_address(word & ADDRESS) });
        }
        // SAFETY: the last holder; same layout as allocated.
        unsafe { dealloc(self.header.as_ptr().cast(), layout) };
    }
}
