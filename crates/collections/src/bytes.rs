//! Shared bytes: the buffer of a string value that does not fit its entry.
//!
//! One pointer to `{refs, len, capacity}` followed by the bytes, so it fits the value word of an
//! entry. A clone shares the buffer: a snapshot, a reply in flight and `COPY` hold the same bytes,
//! and *shared means frozen*: the writer who finds the count above one copies and moves on.
//!
//! ```text
//!           16-byte header                              bytes
//!   ┌──────────┬────────────┬────────────────┐ ┌──────────────────┬───────────┐
//!   │ refs u32 │ len 48 bit │ capacity 48 bit│ │ len bytes        │ slack     │
//!   └──────────┴────────────┴────────────────┘ └──────────────────┴───────────┘
//! ```
//!
//! Invariants: `len <= capacity`; the `len` first bytes are initialized; header and bytes are one
//! allocation of `16 + capacity` bytes, which is a whole size class of the allocator; while
//! `refs > 1` nobody writes.
//!
//! Growth doubles up to 1 MiB and then adds 1 MiB, the policy users of `APPEND` know: amortized
//! constant time for small strings, bounded waste for large ones.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering, fence};

use crate::size_class::allocation_bytes;

/// Bytes in front of the data. A multiple of the alignment, so that the data is aligned too.
const HEADER_BYTES: usize = size_of::<Header>();
/// From this length on, growth is by this much instead of doubling.
const GROWTH_STEP_MAX: usize = 1 << 20;
/// Lengths are stored in 48 bits, more than an address space holds.
const LEN_MAX: usize = (1 << 48) - 1;

/// The words in front of the data. Two 48-bit numbers split into halves keep it at 16 bytes.
#[repr(C)]
struct Header {
    refs: AtomicU32,
    len_high: u16,
    capacity_high: u16,
    len_low: u32,
    capacity_low: u32,
}

/// A reference-counted byte buffer of one pointer; see the module page.
#[repr(transparent)]
pub struct SharedBytes {
    header: NonNull<Header>,
}

// SAFETY: the buffer is only written through `&mut SharedBytes` whose count is one, and the count
// is atomic; sharing across threads is what `Arc<[u8]>` does.
unsafe impl Send for SharedBytes {}
// SAFETY: as above; `&SharedBytes` only reads.
unsafe impl Sync for SharedBytes {}

impl SharedBytes {
    /// A buffer of `len` zero bytes, without slack beyond the allocator's size class.
    ///
    /// # Panics
    /// If `len` is beyond what an address space holds. Aborts when memory is exhausted.
    #[must_use]
    pub fn zeroed(len: usize) -> Self {
        let mut new = Self::with_capacity(len);
        new.extend_zeroed(len);
        new
    }

    /// An empty buffer with room for at least `capacity` bytes.
    ///
    /// # Panics
    /// As [`SharedBytes::zeroed`].
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let total = total_bytes(capacity);
        let layout = layout_of(total);
        // SAFETY: the layout has a non-zero size, since it includes the header.
        let memory = unsafe { alloc(layout) }.cast::<Header>();
        let Some(header) = NonNull::new(memory) else { handle_alloc_error(layout) };
        let blank = Header {
            refs: AtomicU32::new(1),
            len_high: 0,
            capacity_high: 0,
            len_low: 0,
            capacity_low: 0,
        };
        // SAFETY: freshly allocated, aligned and large enough for a header.
        unsafe { header.write(blank) };
        let mut new = Self { header };
        new.set_capacity(total - HEADER_BYTES);
        new
    }

    /// How many bytes the value has.
    #[must_use]
    pub fn len(&self) -> usize {
        let header = self.header();
        (header.len_high as usize) << 32 | header.len_low as usize
    }

    /// Whether the value is the empty string.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes fit before the buffer must grow.
    #[must_use]
    pub fn capacity(&self) -> usize {
        let header = self.header();
        (header.capacity_high as usize) << 32 | header.capacity_low as usize
    }

    /// The bytes of memory behind the pointer, header and slack included.
    #[must_use]
    pub fn allocated_bytes(&self) -> usize {
        HEADER_BYTES + self.capacity()
    }

    /// Whether somebody else holds the same buffer, so that a write would copy it.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.header().refs.load(Ordering::Acquire) != 1
    }

    /// The value.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: the first `len` bytes are initialized, and nobody writes while `&self` lives.
        unsafe { std::slice::from_raw_parts(self.data(), self.len()) }
    }

    /// The value for writing in place; copies first when the buffer is shared.
    pub fn make_mut(&mut self) -> &mut [u8] {
        self.unshare(self.len());
        // SAFETY: initialized, and unshared: this `&mut` is the only way to the bytes.
        unsafe { std::slice::from_raw_parts_mut(self.data(), self.len()) }
    }

    /// Appends `tail`: amortized constant time per byte.
    ///
    /// # Panics
    /// As [`SharedBytes::zeroed`].
    pub fn append(&mut self, tail: &[u8]) {
        let len = self.len();
        self.reserve(tail.len());
        // SAFETY: `reserve` made room behind `len` and unshared the buffer; `tail` cannot overlap
        // it, being borrowed while this buffer is borrowed mutably.
        unsafe { self.data().add(len).copy_from_nonoverlapping(tail.as_ptr(), tail.len()) };
        self.set_len(len + tail.len());
    }

    /// Appends zero bytes up to the length `len`; does nothing when it is longer already.
    ///
    /// # Panics
    /// As [`SharedBytes::zeroed`].
    pub fn extend_zeroed(&mut self, len: usize) {
        let old = self.len();
        let Some(more) = len.checked_sub(old) else { return };
        self.reserve(more);
        // SAFETY: `reserve` made room for `more` bytes behind `old` and unshared the buffer.
        unsafe { self.data().add(old).write_bytes(0, more) };
        self.set_len(len);
    }

    /// Cuts the value down to `len` bytes; does nothing when it is shorter already.
    pub fn truncate(&mut self, len: usize) {
        if len < self.len() {
            self.unshare(len);
            self.set_len(len);
        }
    }

    /// Makes the buffer unshared, with room for `more` bytes behind the value.
    fn reserve(&mut self, more: usize) {
        let need = self.len().checked_add(more).filter(|&need| need <= LEN_MAX);
        let need = need.expect("a value is shorter than the address space");
        if need <= self.capacity() {
            return self.unshare(self.capacity());
        }
        // The first fill of an empty buffer is exact: most values never grow.
        let target = if self.is_empty() { need } else { need + need.min(GROWTH_STEP_MAX) };
        if self.is_shared() {
            return self.unshare(target);
        }
        let total = total_bytes(target);
        let old = layout_of(self.allocated_bytes());
        // SAFETY: allocated with exactly this layout, unshared, and the new size is not zero.
        let memory = unsafe { realloc(self.header.as_ptr().cast(), old, total) };
        let Some(header) = NonNull::new(memory.cast::<Header>()) else {
            handle_alloc_error(layout_of(total))
        };
        self.header = header;
        self.set_capacity(total - HEADER_BYTES);
    }

    /// Replaces a shared buffer by a private copy with at least `capacity` bytes of room (the value
    /// is cut when it is longer than that).
    fn unshare(&mut self, capacity: usize) {
        if !self.is_shared() {
            return;
        }
        let kept = self.len().min(capacity);
        let mut copy = Self::with_capacity(capacity);
        // SAFETY: the copy has room for `kept` bytes and is a different allocation.
        unsafe { copy.data().copy_from_nonoverlapping(self.data(), kept) };
        copy.set_len(kept);
        *self = copy;
    }

    fn header(&self) -> &Header {
        // SAFETY: the pointer is valid and the header initialized as long as a reference is held.
        unsafe { self.header.as_ref() }
    }

    fn data(&self) -> *mut u8 {
        // SAFETY: the data begins right behind the header, inside the same allocation.
        unsafe { self.header.as_ptr().cast::<u8>().add(HEADER_BYTES) }
    }

    fn set_len(&mut self, len: usize) {
        debug_assert!(len <= self.capacity() && !self.is_shared());
        // SAFETY: unshared (all callers), so no other reference to the header exists.
        let header = unsafe { self.header.as_mut() };
        header.len_high = (len >> 32) as u16;
        header.len_low = len as u32;
    }

    fn set_capacity(&mut self, capacity: usize) {
        debug_assert!(capacity <= LEN_MAX);
        // SAFETY: as in `set_len`.
        let header = unsafe { self.header.as_mut() };
        header.capacity_high = (capacity >> 32) as u16;
        header.capacity_low = capacity as u32;
    }
}

/// The whole allocation for `capacity` bytes of data, rounded up to a size class.
fn total_bytes(capacity: usize) -> usize {
    let wanted = capacity.checked_add(HEADER_BYTES).filter(|&total| total <= LEN_MAX);
    let total = allocation_bytes(wanted.expect("a value is shorter than the address space"));
    total.min(LEN_MAX & !7)
}

fn layout_of(total: usize) -> Layout {
    Layout::from_size_align(total, align_of::<Header>()).expect("48-bit sizes are valid layouts")
}

impl From<&[u8]> for SharedBytes {
    fn from(bytes: &[u8]) -> Self {
        let mut new = Self::with_capacity(bytes.len());
        new.append(bytes);
        new
    }
}

impl AsRef<[u8]> for SharedBytes {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl Clone for SharedBytes {
    /// Shares the buffer; the bytes are not copied.
    fn clone(&self) -> Self {
        let before = self.header().refs.fetch_add(1, Ordering::Relaxed);
        // Two billion holders can only be a leak; wrapping the count would be a use after free.
        if before > u32::MAX / 2 {
            std::process::abort();
        }
        Self { header: self.header }
    }
}

impl Drop for SharedBytes {
    fn drop(&mut self) {
        if self.header().refs.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // All reads by other holders happen before the free.
        fence(Ordering::Acquire);
        let layout = layout_of(self.allocated_bytes());
        // SAFETY: the count reached zero, so this is the last holder; same layout as allocated.
        unsafe { dealloc(self.header.as_ptr().cast(), layout) };
    }
}

impl fmt::Debug for SharedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_slice(), f)
    }
}

impl PartialEq for SharedBytes {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for SharedBytes {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_shares_and_a_write_copies() {
        let mut mine = SharedBytes::from(&b"hello"[..]);
        let theirs = mine.clone();
        assert_eq!(mine.as_slice().as_ptr(), theirs.as_slice().as_ptr());
        mine.make_mut()[0] = b'j';
        assert_eq!(theirs.as_slice(), b"hello");
        assert_eq!(mine.as_slice(), b"jello");
        assert!(!mine.is_shared() && !theirs.is_shared());
        let at = mine.as_slice().as_ptr();
        mine.make_mut()[0] = b'c';
        assert_eq!(mine.as_slice().as_ptr(), at, "unshared writes are in place");
    }

    #[test]
    fn growth_is_amortized_and_zero_filled() {
        let mut bytes = SharedBytes::zeroed(0);
        let (mut model, mut moves, mut capacity) = (Vec::new(), 0, 0);
        for round in 0..100_000u32 {
            let tail = round.to_le_bytes();
            bytes.append(&tail);
            model.extend_from_slice(&tail);
            if bytes.capacity() != capacity {
                moves += 1;
                capacity = bytes.capacity();
            }
        }
        assert_eq!(bytes.as_slice(), model);
        assert!(moves < 40, "{moves} reallocations");
        bytes.extend_zeroed(model.len() + 9);
        model.extend_from_slice(&[0; 9]);
        assert_eq!(bytes.as_slice(), model);
        bytes.truncate(3);
        bytes.extend_zeroed(6);
        assert_eq!(bytes.as_slice(), [0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_shared_buffer_keeps_its_bytes_through_truncate_and_append() {
        let mut mine = SharedBytes::from(&b"0123456789"[..]);
        let frozen = mine.clone();
        mine.truncate(4);
        mine.append(b"xyz");
        assert_eq!(mine.as_slice(), b"0123xyz");
        let frozen_too = frozen.clone();
        let mut third = frozen.clone();
        third.append(b"!");
        assert_eq!(third.as_slice(), b"0123456789!");
        assert_eq!(frozen, frozen_too);
        assert_eq!(frozen.as_slice(), b"0123456789");
    }

    #[test]
    fn the_header_is_sixteen_bytes_and_allocations_are_whole_classes() {
        assert_eq!(HEADER_BYTES, 16);
        for len in [0, 1, 128, 1000, 5000] {
            let bytes = SharedBytes::zeroed(len);
            assert_eq!(bytes.allocated_bytes(), allocation_bytes(len + 16));
        }
    }

    #[test]
    fn holders_on_many_threads_free_it_once() {
        let bytes = SharedBytes::from(&[7u8; 1000][..]);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let mut mine = bytes.clone();
                scope.spawn(move || {
                    for _ in 0..1000 {
                        let copy = mine.clone();
                        assert_eq!(copy.as_slice()[999], 7);
                    }
                    mine.make_mut()[0] = 1;
                });
            }
        });
        assert_eq!(bytes.as_slice(), [7; 1000]);
    }
}
