//! A leaf: the elements of one part of a hash table, in a header and a few blocks of one size.
//!
//! ```text
//!    header                                       blocks
//!   ┌───────────┬─────────────────┬───────────┐  ┌──────────────────────────┐
//!   │ refs, len │ tags of all     │ block 0   │─>│ 16 words                 │
//!   │           │ 8 bit hash each │ block 1.. │  │ 16 bit of hash | 48 ptr  │
//!   └───────────┴─────────────────┴───────────┘  └──────────────────────────┘
//!                                                 128 bytes
//! ```
//!
//! A look-up compares the tags, which are in one or two cache lines, and follows only the words
//! whose tag agrees. Elements stand in no order, so there are no gaps between them: all blocks but
//! the last are full. The low 16 bits of the hash, kept beside the pointer, let a leaf be split
//! without a look at its elements.
//!
//! Why blocks. A table that grows splits its leaves one after the other, so the lengths of the
//! leaves wander up and down between one and two times the least. One allocation for each leaf
//! would wander with them through the allocator's size classes, and each class would keep the
//! memory of its best days: a third of what the leaves take, when it was measured. Blocks all have
//! one size, so what one leaf gives back the next one takes. The rest of the last block, eight
//! elements of forty, is what it costs. The only block of a small leaf follows the size classes, so
//! that a hash of one long value pays for one element.
//!
//! A leaf is reference counted and one word. Invariants: the first `len` words own elements, the
//! first `len` tags belong to them; the number of blocks and the sizes of all allocations follow
//! from `len`; while `refs > 1` nobody writes: [`Leaf::make_unique`] copies the leaf and its
//! elements, at most some hundred.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering, fence};

use super::element::{Element, ElementRef};
use crate::byte_match;
use crate::prefetch;
use crate::size_class::allocation_bytes;

const WORD_BYTES: usize = size_of::<u64>();
const BLOCK_BYTES: usize = 128;
/// Elements of a full block.
const BLOCK: usize = BLOCK_BYTES / WORD_BYTES;
const ADDRESS: u64 = (1 << 48) - 1;

/// What stands before the addresses of the blocks, which the tags follow.
#[repr(C, align(8))]
struct Header {
    refs: AtomicU32,
    len: u32,
}

/// The sizes that follow from a length.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    /// Bytes of the header with the addresses of the blocks and the tags.
    header: usize,
    blocks: usize,
    /// Elements for which the last block, or the only one, has room.
    last: usize,
}

impl Shape {
    #[inline]
    const fn of(len: usize) -> Self {
        let blocks = len.div_ceil(BLOCK);
        let last = match len {
            0 => 0,
            1..BLOCK => allocation_bytes(len * WORD_BYTES) / WORD_BYTES,
            _ => BLOCK,
        };
        let tags = blocks.saturating_sub(1) * BLOCK + last;
        let header = allocation_bytes(size_of::<Header>() + blocks * WORD_BYTES + tags);
        Self { header, blocks, last }
    }

    #[inline]
    const fn capacity(self, block: usize) -> usize {
        if block + 1 == self.blocks { self.last } else { BLOCK }
    }
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
    /// An empty leaf.
    pub(super) fn new() -> Self {
        let layout = header_layout(Shape::of(0).header);
        // SAFETY: the layout has a non-zero size, since it includes the header.
        let memory = unsafe { alloc(layout) }.cast::<Header>();
        let Some(header) = NonNull::new(memory) else { handle_alloc_error(layout) };
        // SAFETY: freshly allocated, aligned and large enough for a header.
        unsafe { header.write(Header { refs: AtomicU32::new(1), len: 0 }) };
        Self { header }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.header().len as usize
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        let shape = Shape::of(self.len());
        let blocks = (0..shape.blocks).map(|block| block_layout(shape.capacity(block)).size());
        shape.header + blocks.sum::<usize>()
    }

    /// The first element with this tag that `is` the wanted one.
    #[inline]
    pub(super) fn find(&self, tag: u8, is: impl Fn(ElementRef<'_>) -> bool) -> Option<usize> {
        byte_match::find(self.tags(), tag, |index| is(self.get(index)))
    }

    /// Asks the processor for the header with the tags.
    #[inline]
    pub(super) fn prefetch(&self) {
        const LINE: usize = 64;
        let header = self.header.as_ptr().cast::<u8>();
        // Addresses and tags of a leaf of usual length end in the second line.
        prefetch::line(header);
        prefetch::line(header.wrapping_add(LINE));
    }

    /// Asks the processor for the word of the first element with this tag: its index.
    #[inline]
    pub(super) fn prefetch_word(&self, tag: u8) -> Option<usize> {
        let len = self.len();
        let index = byte_match::find(self.tags(), tag, |_| true)?;
        prefetch::line(self.slot(index, len.div_ceil(BLOCK)).0.cast());
        Some(index)
    }

    /// Asks the processor for the element at `index`, which is below the length.
    #[inline]
    pub(super) fn prefetch_element(&self, index: usize) {
        prefetch::small(std::ptr::with_exposed_provenance((self.word(index) & ADDRESS) as usize));
    }

    /// The element at `index`, which is below the length.
    #[inline]
    pub(super) fn get(&self, index: usize) -> ElementRef<'_> {
        // SAFETY: words below the length own live elements, and nobody writes while `&self` lives.
        unsafe { ElementRef::from_address(self.word(index) & ADDRESS) }
    }

    pub(super) fn mark(&self, index: usize) -> Mark {
        let (word, tag) = self.slot_below_len(index);
        // SAFETY: both are initialized below the length.
        unsafe { Mark { tag: tag.read(), low: (word.read() >> 48) as u16 } }
    }

    /// Adds an element. The leaf must be unique.
    pub(super) fn push(&mut self, mark: Mark, element: Element) {
        let len = self.len();
        self.reshape(len + 1);
        let word = u64::from(mark.low) << 48 | element.into_address();
        let (to_word, to_tag) = self.slot(len, Shape::of(len + 1).blocks);
        // SAFETY: the leaf has the shape for one element more, and is unique.
        unsafe {
            to_word.write(word);
            to_tag.write(mark.tag);
        }
        self.set_len(len + 1);
    }

    /// Removes the element at `index`; the last one takes its place. The leaf must be unique.
    pub(super) fn swap_remove(&mut self, index: usize) -> Element {
        let last = self.len() - 1;
        let address = self.word(index) & ADDRESS;
        let (from, to) = (self.slot_below_len(last), self.slot_below_len(index));
        assert!(self.is_unique(), "only a unique leaf is changed");
        // SAFETY: both are below the length, and the leaf is unique.
        unsafe {
            to.0.write(from.0.read());
            to.1.write(from.1.read());
        }
        self.reshape(last);
        self.set_len(last);
        // SAFETY: the word that owned it has been overwritten or cut off.
        unsafe { Element::from_address(address) }
    }

    /// Lets `change` work on the element at `index`, which may move. The leaf must be unique.
    pub(super) fn modify(&mut self, index: usize, change: impl FnOnce(&mut Element)) {
        let (at, _) = self.slot_below_len(index);
        let word = self.word(index);
        debug_assert!(self.is_unique());
        // SAFETY: the word owns the element, which is lent out of it and has one owner at any time;
        // the address that it has afterwards is written to the same word.
        unsafe {
            let mut element = ManuallyDrop::new(Element::from_address(word & ADDRESS));
            change(&mut element);
            let address = ManuallyDrop::into_inner(element).into_address();
            at.write(word & !ADDRESS | address);
        }
    }

    /// Makes this the only reference, by copying leaf and elements if there are others.
    #[inline]
    pub(super) fn make_unique(&mut self) {
        if !self.is_unique() {
            *self = self.copy();
        }
    }

    /// Takes all elements out, from the last to the first. The leaf must be unique.
    pub(super) fn drain(&mut self, mut each: impl FnMut(Mark, Element)) {
        while let Some(last) = self.len().checked_sub(1) {
            each(self.mark(last), self.swap_remove(last));
        }
    }

    #[cold]
    fn copy(&self) -> Self {
        let mut copy = Self::new();
        for index in 0..self.len() {
            // SAFETY: the word owns a live element; what is made of it here is only cloned from.
            let element =
                unsafe { ManuallyDrop::new(Element::from_address(self.word(index) & ADDRESS)) };
            copy.push(self.mark(index), Element::clone(&element));
        }
        copy
    }

    /// Gives the leaf the allocations for `len` elements, one more or one less than it has, or as
    /// many. Its length stays, and is set by the caller; what does not fit must be worthless.
    fn reshape(&mut self, len: usize) {
        let (before, after) = (Shape::of(self.len()), Shape::of(len));
        if before == after {
            return;
        }
        assert!(self.is_unique(), "only a unique leaf is changed");
        let kept = len.min(self.len());
        if after.blocks < before.blocks {
            let capacity = before.capacity(after.blocks);
            // SAFETY: the last block was allocated so, and its only element is worthless.
            unsafe { dealloc(self.block(after.blocks), block_layout(capacity)) };
            self.move_tags(kept, before.blocks, after.blocks);
        }
        if after.header != before.header {
            // SAFETY: allocated with this layout; what is kept fits both sizes.
            let moved = unsafe {
                let from = self.header.as_ptr().cast();
                realloc(from, header_layout(before.header), after.header)
            };
            let moved = NonNull::new(moved.cast());
            self.header = moved.unwrap_or_else(|| handle_alloc_error(header_layout(after.header)));
        }
        if after.blocks > before.blocks {
            self.move_tags(kept, before.blocks, after.blocks);
            self.set_block(before.blocks, allocate_block(after.last));
        } else if after.blocks == before.blocks && after.last != before.last {
            self.resize_only_block(kept, before.last, after.last);
        }
    }

    /// Moves so many tags to behind the addresses of another number of blocks.
    fn move_tags(&mut self, len: usize, before: usize, after: usize) {
        // SAFETY: the header has room for the tags in both places, and the leaf is unique.
        unsafe { self.tags_at(after).copy_from(self.tags_at(before), len) };
    }

    /// Moves the words of the only block, so many, to a block of another size.
    fn resize_only_block(&mut self, len: usize, before: usize, after: usize) {
        let (from, to) = (self.block(0), allocate_block(after));
        // SAFETY: both have room for so many words, and the old block was allocated so. The words
        // move: nobody looks at the old block again.
        unsafe {
            to.copy_from_nonoverlapping(from, len * WORD_BYTES);
            dealloc(from, block_layout(before));
        }
        self.set_block(0, to);
    }

    /// The address of a block.
    #[inline]
    fn block(&self, number: usize) -> *mut u8 {
        // SAFETY: callers name blocks that the leaf has; their addresses follow the header.
        unsafe { self.header.as_ptr().add(1).cast::<*mut u8>().add(number).read() }
    }

    fn set_block(&mut self, number: usize, block: *mut u8) {
        // SAFETY: the header has room for so many addresses, and the leaf is unique.
        unsafe { self.header.as_ptr().add(1).cast::<*mut u8>().add(number).write(block) };
    }

    /// Where the tags begin in a leaf of so many blocks.
    #[inline]
    fn tags_at(&self, blocks: usize) -> *mut u8 {
        // SAFETY: the tags follow the addresses, inside the header's allocation.
        unsafe { self.header.as_ptr().add(1).cast::<*mut u8>().add(blocks).cast() }
    }

    #[inline]
    fn tags(&self) -> &[u8] {
        let len = self.len();
        // SAFETY: the first `len` tags are initialized, and nobody writes while `&self` lives.
        unsafe { std::slice::from_raw_parts(self.tags_at(len.div_ceil(BLOCK)), len) }
    }

    /// Where the word and the tag of element `index` stand in a leaf of so many blocks.
    #[inline]
    fn slot(&self, index: usize, blocks: usize) -> (*mut u64, *mut u8) {
        let (block, at) = (index / BLOCK, index % BLOCK);
        // SAFETY: the block has room for this word, and the header for as many tags as the blocks
        // have words.
        unsafe { (self.block(block).cast::<u64>().add(at), self.tags_at(blocks).add(index)) }
    }

    #[inline]
    fn slot_below_len(&self, index: usize) -> (*mut u64, *mut u8) {
        assert!(index < self.len(), "the index is below the length");
        self.slot(index, self.len().div_ceil(BLOCK))
    }

    #[inline]
    fn word(&self, index: usize) -> u64 {
        assert!(index < self.len(), "the index is below the length");
        let (block, at) = (index / BLOCK, index % BLOCK);
        // SAFETY: the block has this word, which is initialized below the length.
        unsafe { self.block(block).cast::<u64>().add(at).read() }
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

    fn set_len(&mut self, len: usize) {
        assert!(self.is_unique(), "only a unique leaf is changed");
        // SAFETY: unique, so no other reference to the header exists.
        unsafe { self.header.as_mut() }.len = u32::try_from(len).expect("leaves are short");
    }
}

fn header_layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, align_of::<Header>()).expect("leaves are far below 2^63 bytes")
}

/// The layout of a block for so many elements.
fn block_layout(elements: usize) -> Layout {
    let bytes = allocation_bytes(elements * WORD_BYTES);
    Layout::from_size_align(bytes, WORD_BYTES).expect("a block is small")
}

fn allocate_block(elements: usize) -> *mut u8 {
    let layout = block_layout(elements);
    // SAFETY: size classes are not zero.
    let block = unsafe { alloc(layout) };
    if block.is_null() {
        handle_alloc_error(layout);
    }
    block
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
        let shape = Shape::of(self.len());
        for index in 0..self.len() {
            // SAFETY: the word owns the element, and nobody looks at the words again.
            drop(unsafe { Element::from_address(self.word(index) & ADDRESS) });
        }
        for block in 0..shape.blocks {
            // SAFETY: the last holder; same layout as allocated.
            unsafe { dealloc(self.block(block), block_layout(shape.capacity(block))) };
        }
        // SAFETY: as above.
        unsafe { dealloc(self.header.as_ptr().cast(), header_layout(shape.header)) };
    }
}
