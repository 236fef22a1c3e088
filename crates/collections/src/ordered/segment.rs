//! A segment of the member table: up to 71 members in no order, a byte of hash and six bytes of
//! address each.
//!
//! ```text
//!   ┌──────────┬─────────┬──────────────┐ ┌───────────────┐ ┌───────────────────────┐
//!   │ refs u32 │ len u32 │ capacity u32 │ │ tag tag tag...│ │ addr 48 │ addr 48 │...│
//!   └──────────┴─────────┴──────────────┘ └───────────────┘ └───────────────────────┘
//!                                           capacity bytes     6 x capacity bytes
//! ```
//!
//! A look-up compares the tags, eight at a time, and reads the elements whose tag agrees: a wrong
//! one in five look-ups. Having no slots to probe, a segment needs no free ones: it is as full as
//! the size class of its allocation lets it be, and it grows without looking at an element.
//!
//! The segment owns no share in the elements: the tree beside it does, and each index (each clone)
//! has exactly the same elements in its tree and in its table. So copying a shared segment before a
//! change is a plain copy.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering, fence};

use super::element::Link;
use crate::byte_match;
use crate::prefetch;
use crate::size_class::allocation_bytes;

const HEADER_BYTES: usize = size_of::<Header>();
const ADDRESS_BYTES: usize = 6;
const SLOT_BYTES: usize = 1 + ADDRESS_BYTES;
/// The largest regular segment, a size class.
const SEGMENT_BYTES_MAX: usize = 512;
/// Members of the largest regular segment.
pub(super) const SEGMENT_LEN_MAX: usize = (SEGMENT_BYTES_MAX - HEADER_BYTES) / SLOT_BYTES;

#[repr(C)]
struct Header {
    refs: AtomicU32,
    len: u32,
    capacity: u32,
}

/// A reference-counted segment of one pointer.
#[repr(transparent)]
pub(super) struct Segment(NonNull<Header>);

// SAFETY: written only through `&mut Segment` whose count is one; the count is atomic.
unsafe impl Send for Segment {}
// SAFETY: as above; `&Segment` only reads.
unsafe impl Sync for Segment {}

impl Segment {
    /// How many elements are on their way from memory while one is looked at.
    const AHEAD: usize = 8;

    /// An empty segment with room for `capacity` members.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        let bytes = allocation_bytes(HEADER_BYTES + capacity.max(2) * SLOT_BYTES);
        let layout = layout_of(bytes);
        // SAFETY: the layout includes the header, so it is not empty.
        let memory = unsafe { alloc_zeroed(layout) }.cast::<Header>();
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        let capacity = u32::try_from(capacity_of(bytes)).expect("fewer members than 2^32");
        // SAFETY: freshly allocated, aligned and large enough for a header.
        unsafe { memory.write(Header { refs: AtomicU32::new(1), len: 0, capacity }) };
        Self(memory)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.header().len as usize
    }

    #[inline]
    fn capacity(&self) -> usize {
        self.header().capacity as usize
    }

    /// The bytes of memory of the segment.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        bytes_of(self.capacity())
    }

    /// The slot of the member with this tag for which `is` holds.
    #[inline]
    pub(super) fn find(&self, tag: u8, mut is: impl FnMut(Link) -> bool) -> Option<usize> {
        // SAFETY: the tags up to the length are initialized, inside the allocation, and written
        // by nobody while `&self` lives.
        let tags = unsafe { std::slice::from_raw_parts(self.tags(), self.len()) };
        byte_match::find(tags, tag, |slot| is(self.link(slot)))
    }

    /// All members' addresses.
    pub(super) fn links(&self) -> impl Iterator<Item = Link> + '_ {
        (0..self.len()).map(|slot| {
            if slot + 8 < self.len() {
                self.link(slot + 8).prefetch();
            }
            self.link(slot)
        })
    }

    /// Asks for the tags.
    #[inline]
    pub(super) fn prefetch_tags(&self) {
        let start = self.0.as_ptr().cast::<u8>();
        prefetch::Hint::lines(start, start.wrapping_add(HEADER_BYTES + SEGMENT_LEN_MAX)).fetch();
    }

    /// Asks for the address of the first member with this tag: its slot. If there is none, for the
    /// place where the next member goes.
    #[inline]
    pub(super) fn prefetch_address(&self, tag: u8) -> Option<usize> {
        let slot = self.find(tag, |_| true);
        prefetch::line(self.address(slot.unwrap_or(self.len().min(self.capacity() - 1))));
        slot
    }

    /// Adds a member that is not there.
    pub(super) fn push(&mut self, tag: u8, link: Link) {
        let len = self.len();
        self.prepare(len + 1);
        self.set(len, tag, link);
        self.set_len(len + 1);
    }

    /// Takes the member in a slot out; the last one moves there.
    pub(super) fn swap_remove(&mut self, slot: usize) -> Link {
        let last = self.len() - 1;
        self.prepare(last + 1);
        let link = self.link(slot);
        self.set(slot, self.tag(last), self.link(last));
        self.set_len(last);
        self.give_back();
        link
    }

    /// Keeps the members for which `keeps` holds.
    pub(super) fn retain(&mut self, mut keeps: impl FnMut(Link) -> bool) {
        let len = self.len();
        self.prepare(len);
        let mut kept = 0;
        for slot in 0..len {
            if slot + Self::AHEAD < len {
                self.link(slot + Self::AHEAD).prefetch();
            }
            // Written in either case: who stays is as random as a hash, and a processor that
            // guesses wrong half of the time waits longer than it writes.
            let link = self.link(slot);
            self.set(kept, self.tag(slot), link);
            kept += usize::from(keeps(link));
        }
        self.set_len(kept);
        self.give_back();
    }

    /// Asks for the first elements that [`Segment::retain`] will look at.
    pub(super) fn prefetch_elements(&self) {
        (0..self.len().min(Self::AHEAD)).for_each(|slot| self.link(slot).prefetch());
    }

    /// Asks for the whole segment.
    pub(super) fn prefetch_all(&self) {
        let start = self.0.as_ptr().cast::<u8>();
        (0..SEGMENT_BYTES_MAX).step_by(64).for_each(|at| prefetch::line(start.wrapping_add(at)));
    }

    /// Moves to a smaller allocation if less than half of this one is used.
    fn give_back(&mut self) {
        let len = self.len();
        if bytes_of(self.capacity()) > 2 * (HEADER_BYTES + (len + 2) * SLOT_BYTES) {
            self.move_to(len);
        }
    }

    /// Changes the address in a slot, when its element was replaced.
    pub(super) fn replace(&mut self, slot: usize, link: Link) {
        self.prepare(self.len());
        self.set(slot, self.tag(slot), link);
    }

    /// Cuts the segment in two; returns the members whose hash fulfils `moves`.
    pub(super) fn split(&mut self, moves: impl Fn(Link) -> bool) -> Self {
        let (mut kept, mut moved) = (Vec::with_capacity(self.len()), Vec::new());
        for (slot, link) in self.links().enumerate() {
            let half = if moves(link) { &mut moved } else { &mut kept };
            half.push((self.tag(slot), link));
        }
        *self = Self::from_slots(&kept);
        Self::from_slots(&moved)
    }

    /// Takes over all members of another segment.
    pub(super) fn append(&mut self, other: &Self) {
        self.prepare(self.len() + other.len());
        for slot in 0..other.len() {
            self.push(other.tag(slot), other.link(slot));
        }
    }

    fn from_slots(slots: &[(u8, Link)]) -> Self {
        let mut new = Self::with_capacity(slots.len());
        slots.iter().for_each(|&(tag, link)| new.push(tag, link));
        new
    }

    /// Makes the segment unshared, with room for `need` members.
    fn prepare(&mut self, need: usize) {
        let shared = self.header().refs.load(Ordering::Acquire) != 1;
        if need > self.capacity() {
            // An oversized segment (of equal hashes) doubles, to stay linear in all.
            let slack = if need > SEGMENT_LEN_MAX { need } else { 0 };
            self.move_to(need + slack);
        } else if shared {
            self.move_to(need);
        }
    }

    /// Moves the members to a segment of their own with room for `capacity`.
    fn move_to(&mut self, capacity: usize) {
        let len = self.len();
        let mut copy = Self::with_capacity(capacity.max(len));
        // SAFETY: different allocations; `len` fits both capacities, and the tags and addresses up
        // to `len` are initialized.
        unsafe {
            copy.tags().copy_from_nonoverlapping(self.tags(), len);
            copy.address(0).copy_from_nonoverlapping(self.address(0), len * ADDRESS_BYTES);
        }
        copy.set_len(len);
        *self = copy;
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: valid and initialized as long as a reference is held.
        unsafe { self.0.as_ref() }
    }

    #[inline]
    fn tags(&self) -> *mut u8 {
        // SAFETY: the tags begin right behind the header, inside the same allocation.
        unsafe { self.0.as_ptr().cast::<u8>().add(HEADER_BYTES) }
    }

    #[inline]
    fn tag(&self, slot: usize) -> u8 {
        debug_assert!(slot < self.capacity());
        // SAFETY: the slot is below the capacity (all callers), and all bytes are initialized.
        unsafe { *self.tags().add(slot) }
    }

    #[inline]
    fn address(&self, slot: usize) -> *mut u8 {
        debug_assert!(slot < self.capacity());
        // SAFETY: the addresses begin behind `capacity` tags, inside the same allocation.
        unsafe { self.tags().add(self.capacity() + slot * ADDRESS_BYTES) }
    }

    #[inline]
    pub(super) fn link(&self, slot: usize) -> Link {
        debug_assert!(slot < self.len());
        let address = self.address(slot);
        // SAFETY: six initialized bytes that need no alignment.
        let (low, high) = unsafe {
            (address.cast::<u32>().read_unaligned(), address.add(4).cast::<u16>().read_unaligned())
        };
        Link::from_bits(u64::from(high) << 32 | u64::from(low))
    }

    #[inline]
    fn set(&mut self, slot: usize, tag: u8, link: Link) {
        let (bits, address) = (link.to_bits(), self.address(slot));
        // SAFETY: the slot is inside the capacity, and the segment unshared (all callers).
        unsafe {
            *self.tags().add(slot) = tag;
            address.cast::<u32>().write_unaligned(bits as u32);
            address.add(4).cast::<u16>().write_unaligned((bits >> 32) as u16);
        }
    }

    fn set_len(&mut self, len: usize) {
        // SAFETY: unshared (all callers), so no other reference to the header exists.
        unsafe { self.0.as_mut() }.len = len as u32;
    }
}

impl Clone for Segment {
    fn clone(&self) -> Self {
        let before = self.header().refs.fetch_add(1, Ordering::Relaxed);
        // Two billion holders can only be a leak; a wrapped count would be a use after free.
        if before > u32::MAX / 2 {
            std::process::abort();
        }
        Self(self.0)
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        if self.header().refs.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // All reads by other holders happen before the free.
        fence(Ordering::Acquire);
        let layout = layout_of(bytes_of(self.capacity()));
        // SAFETY: the last holder; allocated with exactly this layout.
        unsafe { dealloc(self.0.as_ptr().cast(), layout) };
    }
}

/// Members that fit an allocation.
const fn capacity_of(bytes: usize) -> usize {
    (bytes - HEADER_BYTES) / SLOT_BYTES
}

/// The allocation of a segment of this capacity.
const fn bytes_of(capacity: usize) -> usize {
    allocation_bytes(HEADER_BYTES + capacity * SLOT_BYTES)
}

fn layout_of(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, align_of::<Header>()).expect("far below the address space")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacities_and_bytes_agree() {
        for wanted in 2..1000 {
            let bytes = allocation_bytes(HEADER_BYTES + wanted * SLOT_BYTES);
            assert_eq!(bytes_of(capacity_of(bytes)), bytes, "{wanted}");
            assert!(capacity_of(bytes) >= wanted);
        }
        assert_eq!(SEGMENT_LEN_MAX, 71);
    }
}
