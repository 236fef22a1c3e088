//! The block of shared bytes that the packed formats, [listpack](crate::listpack) and
//! [intset](crate::intset), lie in.
//!
//! There are many small ones, so what a small one says of itself is one byte: the five short fields
//! and values of a listpack of 79 bytes are an allocation of 80. It has no reference count: its
//! clone is a copy, of so few bytes that this too takes constant time. In a large one there is room
//! for twelve bytes, and they buy the count, and slack in front: what is added to the front or
//! taken from it moves no more than the header of the format.
//!
//! ```text
//!   small, up to 256 bytes                      ┌──────────┬─────────┬──────────┬───────┐
//!                                               │ class u8 │ len u32 │ body     │ slack │
//!                                               └──────────┴─────────┴──────────┴───────┘
//!          ┌──────────┬────┬──────────┬───────────┬───────┬─────────┬───────────┬───────┐
//!   large  │ class u8 │ -- │ refs u32 │ front u32 │ slack │ len u32 │ body      │ slack │
//!          └──────────┴────┴──────────┴───────────┴───────┴─────────┴───────────┴───────┘
//! ```
//!
//! `class` is the [number](crate::size_class::class_of) of the allocation's size class; `len`
//! counts itself and the body, and is what a listpack begins with; `front` is the slack in front.
//!
//! Invariants: the allocation is that size class whole, and aligned to eight bytes; `len` bytes
//! behind the slack in front are inside it and initialized; while `refs` is above one nobody
//! writes.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering, fence};

use crate::size_class::{allocation_bytes, bytes_of_class, class_of};

/// Bytes of the length in front of the body.
pub(crate) const LEN_BYTES: usize = size_of::<u32>();
/// What a small block has in front of the length.
const SMALL_HEADER_BYTES: usize = 1;
/// The largest allocation of a small block.
const SMALL_BYTES_MAX: usize = 256;
const SMALL_CLASS_MAX: u8 = class_of(SMALL_BYTES_MAX);
/// Where a large block counts its holders.
const REFS_AT: usize = 4;
/// Where a large block keeps how much slack is in front of the length.
const FRONT_AT: usize = 8;
/// What a large block has in front of the length beside the slack.
pub(crate) const LARGE_HEADER_BYTES: usize = 12;
const ALIGNMENT: usize = 8;

const FITS: &str = "a packed block is below 4 GiB";

/// Bytes or elements from outside do not make a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not well-formed")
    }
}

impl std::error::Error for Malformed {}

/// Shared bytes that begin with their length, in one word; see the module page.
#[repr(transparent)]
pub(crate) struct Block {
    start: NonNull<u8>,
}

// SAFETY: the bytes are only written through the one `Block` that holds them, and the count is
// atomic; sharing across threads is what `Arc<[u8]>` does.
unsafe impl Send for Block {}
// SAFETY: as above; `&Block` only reads.
unsafe impl Sync for Block {}

impl Block {
    /// A block without a body, with room for `capacity` bytes of it.
    ///
    /// # Panics
    /// If the block would have 4 GiB or more. So for all that make one longer. Aborts when memory
    /// is exhausted.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let new = Self::allocate(capacity.checked_add(LEN_BYTES).expect(FITS), false);
        new.set_len(LEN_BYTES);
        new
    }

    /// A block with room for `len` bytes. What its size class has beyond is slack `in_front`, if
    /// the block is large, or behind. The length is not yet written.
    fn allocate(len: usize, in_front: bool) -> Self {
        let bytes = total_bytes(len);
        let layout = layout_of(bytes);
        // SAFETY: the layout has a non-zero size, since it includes the header.
        let Some(start) = NonNull::new(unsafe { alloc(layout) }) else {
            handle_alloc_error(layout)
        };
        // SAFETY: freshly allocated, and never empty.
        unsafe { start.write(class_of(bytes)) };
        let new = Self { start };
        if new.is_large() {
            // SAFETY: freshly allocated, aligned, and large enough for the header.
            unsafe { start.add(REFS_AT).cast::<AtomicU32>().write(AtomicU32::new(1)) };
            new.set_front(if in_front { bytes - LARGE_HEADER_BYTES - len } else { 0 });
        }
        new
    }

    /// How many bytes there are, those of the length included.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        // SAFETY: the length stands there by the invariants, at any alignment.
        u32::from_le_bytes(unsafe { self.data().cast::<[u8; LEN_BYTES]>().read() }) as usize
    }

    /// The length and the body.
    #[inline]
    pub(crate) fn as_slice(&self) -> &[u8] {
        // SAFETY: `len` bytes are initialized, and nobody writes while `&self` lives.
        unsafe { std::slice::from_raw_parts(self.data(), self.len()) }
    }

    /// The body.
    #[inline]
    pub(crate) fn body(&self) -> &[u8] {
        &self.as_slice()[LEN_BYTES..]
    }

    /// The body for writing in place; copies first when the block is shared.
    #[inline]
    pub(crate) fn body_mut(&mut self) -> &mut [u8] {
        if self.is_shared() {
            *self = self.copy();
        }
        let body_len = self.len() - LEN_BYTES;
        // SAFETY: initialized, behind the length, and unshared: this `&mut` is the only way there.
        unsafe { std::slice::from_raw_parts_mut(self.data().add(LEN_BYTES), body_len) }
    }

    /// The bytes of memory behind the word.
    pub(crate) fn allocated_bytes(&self) -> usize {
        bytes_of_class(self.class())
    }

    /// Replaces the `removed` bytes at `at`, counted from the beginning of the length, by `parts`,
    /// one behind the other. Returns the body, which nobody shares now.
    ///
    /// Of the bytes before and behind the fewer move, as far as there is slack at their end. A
    /// block that is full grows to the next size class, a fifth or more, so that growth is
    /// amortized; one that a removal leaves less than half full is given back in part.
    ///
    /// # Panics
    /// If the removed bytes are not inside the body, and as [`Block::with_capacity`].
    #[inline]
    pub(crate) fn splice(&mut self, at: usize, removed: usize, parts: &[&[u8]]) -> &mut [u8] {
        let added = parts.iter().map(|part| part.len()).sum::<usize>();
        let mut to = self.open(at, removed, added);
        for part in parts {
            // SAFETY: the parts fill the gap of `added` bytes; they cannot overlap the block, being
            // borrowed while it is borrowed mutably.
            unsafe {
                match *part {
                    // Most are a byte: the head and the foot of a short element.
                    [byte] => to.write(*byte),
                    _ => to.copy_from_nonoverlapping(part.as_ptr(), part.len()),
                }
                to = to.add(part.len());
            }
        }
        let body_len = self.len() - LEN_BYTES;
        // SAFETY: the gap is filled, so all is initialized, and `open` made the block unshared.
        unsafe { std::slice::from_raw_parts_mut(self.data().add(LEN_BYTES), body_len) }
    }

    /// Makes `removed` bytes at `at` a gap of `added` bytes, sets the length, and returns where the
    /// gap is. The block is not shared then. Who calls must fill the gap.
    #[inline]
    fn open(&mut self, at: usize, removed: usize, added: usize) -> *mut u8 {
        let old = self.len();
        let kept = at.checked_add(removed).and_then(|end| old.checked_sub(end));
        let behind = kept.filter(|_| at >= LEN_BYTES).expect("what is removed is in the body");
        let len = at + behind + added;
        let allocated = self.allocated_bytes();
        let is_full = self.header_bytes() + len > allocated;
        let is_thin = len < old && len * 2 < allocated && total_bytes(len) * 2 < allocated;
        if is_full || is_thin || self.is_shared() {
            return self.open_elsewhere(at, removed, added, behind);
        }
        let from = self.data();
        let to = if self.is_large() { self.open_large(at, removed, added, behind) } else { from };
        // SAFETY: the pieces lie inside the allocation before and after: `open_large` has made room
        // in front, and all of it fits. Whichever moves first gets out of the other's way, because
        // their order stays.
        unsafe {
            if to > from {
                from.add(at + removed).copy_to(to.add(at + added), behind);
            }
            if to != from {
                from.copy_to(to, at);
            }
            if to <= from && from.add(removed) != to.add(added) {
                from.add(at + removed).copy_to(to.add(at + added), behind);
            }
            self.set_len(len);
            to.add(at)
        }
    }

    /// Decides how much slack is to be in front of a large block when the gap is open, and returns
    /// where the length is to stand. The slack takes what the bytes before the gap give way if they
    /// are the fewer, and otherwise stays, if that can be.
    #[inline]
    fn open_large(&mut self, at: usize, removed: usize, added: usize, behind: usize) -> *mut u8 {
        let front = self.front();
        let room = self.allocated_bytes() - LARGE_HEADER_BYTES - (at + added + behind);
        let moved = match (front + removed).checked_sub(added) {
            Some(moved) if at < behind => moved,
            _ if at >= behind && front <= room => front,
            // There is no slack where it is wanted: all of it goes there.
            _ if at < behind => room,
            _ => 0,
        };
        self.set_front(moved);
        self.data()
    }

    /// [`Block::open`] in another allocation, with the slack where the change is.
    #[cold]
    fn open_elsewhere(
        &mut self,
        at: usize,
        removed: usize,
        added: usize,
        behind: usize,
    ) -> *mut u8 {
        let len = at + added + behind;
        let new = Self::allocate(len, at < behind);
        // SAFETY: the new block has room for `len` bytes, which are the two pieces and the gap; the
        // pieces are initialized, and in a different allocation.
        unsafe {
            let (from, to) = (self.data(), new.data());
            to.copy_from_nonoverlapping(from, at);
            to.add(at + added).copy_from_nonoverlapping(from.add(at + removed), behind);
            new.set_len(len);
            *self = new;
            to.add(at)
        }
    }

    /// A block of the same bytes that nobody else holds, without more slack than its class has.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::allocate(self.len(), false);
        // SAFETY: the copy has room for all bytes and is a different allocation.
        unsafe { copy.data().copy_from_nonoverlapping(self.data(), self.len()) };
        copy
    }

    #[inline]
    fn is_shared(&self) -> bool {
        self.is_large() && self.refs().load(Ordering::Acquire) != 1
    }

    /// How many hold the block; only if it is large.
    #[inline]
    fn refs(&self) -> &AtomicU32 {
        // SAFETY: a large block has its count here, aligned, as long as a reference is held.
        unsafe { self.start.add(REFS_AT).cast::<AtomicU32>().as_ref() }
    }

    #[inline]
    fn class(&self) -> u8 {
        // SAFETY: the first byte is the class; it is written once, before anyone reads it.
        unsafe { self.start.read() }
    }

    #[inline]
    fn is_large(&self) -> bool {
        self.class() > SMALL_CLASS_MAX
    }

    #[inline]
    fn header_bytes(&self) -> usize {
        if self.is_large() { LARGE_HEADER_BYTES } else { SMALL_HEADER_BYTES }
    }

    /// The slack in front; only if the block is large.
    #[inline]
    fn front(&self) -> usize {
        // SAFETY: a large block has this number here, aligned.
        unsafe { self.start.add(FRONT_AT).cast::<u32>().read() as usize }
    }

    /// As [`Block::front`], and only of a block that nobody shares.
    #[inline]
    fn set_front(&self, front: usize) {
        let front = u32::try_from(front).expect(FITS);
        // SAFETY: a large block has this number here, aligned, and nobody else reads it.
        unsafe { self.start.add(FRONT_AT).cast::<u32>().write(front) };
    }

    /// Where the length stands.
    #[inline]
    fn data(&self) -> *mut u8 {
        let at = match self.is_large() {
            true => LARGE_HEADER_BYTES + self.front(),
            false => SMALL_HEADER_BYTES,
        };
        // SAFETY: by the invariants the length and the body begin there, inside the allocation.
        unsafe { self.start.as_ptr().add(at) }
    }

    /// Writes the length of a block that nobody shares; as many bytes must be initialized.
    #[inline]
    fn set_len(&self, len: usize) {
        debug_assert!(self.header_bytes() + len <= self.allocated_bytes());
        let bytes = u32::try_from(len).expect(FITS).to_le_bytes();
        // SAFETY: the length's place is inside the allocation, and nobody else reads it.
        unsafe { self.data().cast::<[u8; LEN_BYTES]>().write(bytes) };
    }
}

/// The whole allocation of a block of `len` bytes.
fn total_bytes(len: usize) -> usize {
    let header = match len + SMALL_HEADER_BYTES <= SMALL_BYTES_MAX {
        true => SMALL_HEADER_BYTES,
        false => LARGE_HEADER_BYTES,
    };
    allocation_bytes(header + len).max(ALIGNMENT * 2)
}

fn layout_of(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, ALIGNMENT).expect("a packed block is a valid layout")
}

impl From<&[u8]> for Block {
    /// A block with this body.
    fn from(body: &[u8]) -> Self {
        let len = body.len().checked_add(LEN_BYTES).expect(FITS);
        let new = Self::allocate(len, false);
        // SAFETY: the allocation has room for the body behind the length.
        unsafe { new.data().add(LEN_BYTES).copy_from_nonoverlapping(body.as_ptr(), body.len()) };
        new.set_len(len);
        new
    }
}

impl Clone for Block {
    /// Shares the bytes of a large block and copies those of a small one.
    fn clone(&self) -> Self {
        if !self.is_large() {
            return self.copy();
        }
        // Two billion holders can only be a leak; wrapping the count would be a use after free.
        if self.refs().fetch_add(1, Ordering::Relaxed) > u32::MAX / 2 {
            std::process::abort();
        }
        Self { start: self.start }
    }
}

impl Drop for Block {
    #[inline]
    fn drop(&mut self) {
        if self.is_large() {
            if self.refs().fetch_sub(1, Ordering::Release) != 1 {
                return;
            }
            // All reads by other holders happen before the free.
            fence(Ordering::Acquire);
        }
        let layout = layout_of(self.allocated_bytes());
        // SAFETY: this is the last holder; same layout as allocated.
        unsafe { dealloc(self.start.as_ptr(), layout) };
    }
}

#[cfg(test)]
mod tests {
    use stdx::rng::Rng;

    use super::*;

    impl Block {
        fn check(&self) {
            let slack = self.allocated_bytes() - self.header_bytes() - self.len();
            assert!(!self.is_large() || self.front() <= slack);
            assert_eq!(self.start.addr().get() % ALIGNMENT, 0);
        }
    }

    #[test]
    fn a_small_block_spends_one_byte() {
        for len in [7, 15, 79, 127, 255] {
            let block = Block::from(&vec![1; len - LEN_BYTES][..]);
            assert_eq!(block.allocated_bytes(), (len + 1).max(16));
        }
        let large = Block::from(&[1; 8192 - LARGE_HEADER_BYTES - LEN_BYTES][..]);
        assert_eq!(large.allocated_bytes(), 8192);
    }

    /// What is added at the front goes where there is room, and the bytes behind stay.
    #[test]
    fn the_front_of_a_large_block_moves_nothing() {
        let mut block = Block::from(&[1; 4096][..]);
        let mut stayed = 0;
        for round in 0..1000 {
            let end = block.as_slice().as_ptr_range().end;
            block.splice(LEN_BYTES, 0, &[&[round as u8; 5]]);
            stayed += u32::from(end == block.as_slice().as_ptr_range().end);
            block.check();
        }
        assert!(stayed > 980, "{stayed} of 1000 stayed");
        let end = block.as_slice().as_ptr_range().end;
        block.splice(LEN_BYTES, 1000, &[]);
        assert_eq!(end, block.as_slice().as_ptr_range().end);
    }

    #[test]
    fn behaves_like_a_vector() {
        let seed = std::env::var("SEED").map_or(20_261_121, |seed| seed.parse().unwrap());
        println!("replay with: SEED={seed} cargo test -p collections behaves_like_a_vector");
        let mut rng = Rng::seed(seed);
        for round in 0..200 {
            let (mut block, mut model) = (Block::with_capacity(rng.index(300)), Vec::new());
            let (mut frozen, mut held) = (block.clone(), Vec::new());
            let size = 1 << (1 + round % 10);
            for _ in 0..500 {
                // Most changes are at an end, as those of a list.
                let at = match rng.below(5) {
                    0 | 1 => 0,
                    2 | 3 => model.len(),
                    _ => rng.index(model.len() + 1),
                };
                let removed = match rng.below(3) {
                    0 => 0,
                    _ => rng.index(size).min(model.len() - at),
                };
                let parts = [(); 3].map(|()| vec![rng.next_u64() as u8; rng.index(size)]);
                let parts = if rng.chance(1, 2) { &parts[..] } else { &[] };
                let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
                block.splice(LEN_BYTES + at, removed, &parts);
                model.splice(at..at + removed, parts.concat());
                assert_eq!(block.body(), model);
                assert_eq!(block.len(), LEN_BYTES + model.len());
                block.check();
                assert_eq!(frozen.body(), held);
                if rng.chance(1, 20) {
                    (frozen, held) = (block.clone(), model.clone());
                }
                if rng.chance(1, 20) && !model.is_empty() {
                    let at = rng.index(model.len());
                    block.body_mut()[at] ^= 0x55;
                    model[at] ^= 0x55;
                }
            }
        }
    }

    #[test]
    fn holders_on_many_threads_free_it_once() {
        let block = Block::from(&[7u8; 1000][..]);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let mut mine = block.clone();
                scope.spawn(move || {
                    for _ in 0..1000 {
                        let copy = mine.clone();
                        assert_eq!(copy.body()[999], 7);
                    }
                    mine.body_mut()[0] = 1;
                });
            }
        });
        assert_eq!(block.body(), [7; 1000]);
    }
}
