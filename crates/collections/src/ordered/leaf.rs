//! A leaf of the tree: elements in order, six bytes of address each.
//!
//! ```text
//!   ┌──────────┬─────────┬──────────────┐ ┌────────┬────────┬─────┬────────┬───────┐
//!   │ refs u32 │ len u16 │ capacity u16 │ │ addr 48│ addr 48│ ... │ addr 48│ slack │
//!   └──────────┴─────────┴──────────────┘ └────────┴────────┴─────┴────────┴───────┘
//! ```
//!
//! The allocation grows by the allocator's size classes, at most by a quarter, so a leaf that is
//! half full after a split takes half the memory: leaves are nine tenths full however the elements
//! came.
//!
//! Invariants: `len <= capacity`; the first `len` addresses are shares in elements that the leaf
//! owns; while `refs > 1` nobody writes. A change of a shared leaf copies it first, and takes a
//! share in each of its elements.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error, realloc};
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering, fence};

use super::element::{Element, Item, Link};
use crate::prefetch;
use crate::size_class::allocation_bytes;

const HEADER_BYTES: usize = size_of::<Header>();
const ADDRESS_BYTES: usize = 6;
/// The largest leaf, a size class.
const LEAF_BYTES_MAX: usize = 512;
/// Elements of the largest leaf.
pub(super) const LEAF_LEN_MAX: usize = (LEAF_BYTES_MAX - HEADER_BYTES) / ADDRESS_BYTES;

#[repr(C)]
struct Header {
    refs: AtomicU32,
    len: u16,
    capacity: u16,
}

/// A reference-counted leaf of one pointer.
#[repr(transparent)]
pub(super) struct Leaf(NonNull<Header>);

// SAFETY: written only through `&mut Leaf` whose count is one; the count is atomic, and elements
// are frozen while shared.
unsafe impl Send for Leaf {}
// SAFETY: as above; `&Leaf` only reads.
unsafe impl Sync for Leaf {}

impl Leaf {
    /// An empty leaf with room for `capacity` elements, at most [`LEAF_LEN_MAX`].
    pub(super) fn with_capacity(capacity: usize) -> Self {
        debug_assert!(capacity <= LEAF_LEN_MAX);
        let bytes = allocation_bytes(HEADER_BYTES + capacity * ADDRESS_BYTES);
        let layout = layout_of(bytes);
        // SAFETY: the layout includes the header, so it is not empty.
        let memory = unsafe { alloc_zeroed(layout) }.cast::<Header>();
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        let header = Header { refs: AtomicU32::new(1), len: 0, capacity: capacity_of(bytes) };
        // SAFETY: freshly allocated, aligned and large enough for a header.
        unsafe { memory.write(header) };
        Self(memory)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        usize::from(self.header().len)
    }

    /// The bytes of memory of the leaf, its elements not included.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        bytes_of(self.header().capacity)
    }

    /// The element at an index.
    #[inline]
    pub(super) fn item(&self, at: usize) -> Item<'_> {
        // SAFETY: the leaf owns a share in the element, and `&self` keeps writers away.
        unsafe { self.link(at).item() }
    }

    /// Where an element stands that is in the leaf. It is found by its address: no other element
    /// is looked at, each of which may be a wait for memory.
    #[inline]
    pub(super) fn index_of(&self, link: Link) -> usize {
        let found = (0..self.len()).find(|&at| self.link(at) == link);
        found.expect("the element is where its order says")
    }

    /// How many elements fulfil `before`, which is true for a prefix of the leaf.
    #[inline]
    pub(super) fn partition_point(&self, before: impl FnMut(Item<'_>) -> bool) -> usize {
        self.partition_point_in(0..self.len(), before)
    }

    /// The same if the prefix ends in this range of indexes, or at its end.
    #[inline]
    fn partition_point_in(
        &self,
        range: Range<usize>,
        mut before: impl FnMut(Item<'_>) -> bool,
    ) -> usize {
        let Range { start: mut low, end: mut high } = range;
        while low < high {
            let middle = usize::midpoint(low, high);
            // Both elements that may come next are under way while this one is compared.
            if high - low > 2 {
                self.link(usize::midpoint(low, middle)).prefetch();
                self.link(usize::midpoint(middle + 1, high).min(high - 1)).prefetch();
            }
            if before(self.item(middle)) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The same if the prefix ends near `near`, at most the length: in steps that double.
    fn partition_point_near(&self, near: usize, mut before: impl FnMut(Item<'_>) -> bool) -> usize {
        let (mut low, mut high, mut step) = (near, near, 1);
        while high < self.len() && before(self.item(high)) {
            low = high + 1;
            high = (high + step).min(self.len());
            step *= 2;
        }
        if low > near {
            return self.partition_point_in(low..high, before);
        }
        low = 0;
        while high > 0 {
            let at = high.saturating_sub(step);
            if before(self.item(at)) {
                low = at + 1;
                break;
            }
            high = at;
            step *= 2;
        }
        self.partition_point_in(low..high, before)
    }

    /// Asks for the element at an index, if there is one.
    #[inline]
    pub(super) fn prefetch(&self, at: usize) {
        if at < self.len() {
            self.link(at).prefetch();
        }
    }

    /// Asks for the leaf's own memory.
    #[inline]
    pub(super) fn prefetch_self(&self) {
        prefetch::line(self.0.as_ptr().cast::<u8>());
    }

    /// Puts an element at an index; there must be room in the largest leaf.
    pub(super) fn insert(&mut self, at: usize, element: Element) {
        let len = self.len();
        assert!(at <= len && len < LEAF_LEN_MAX, "the caller has split a full leaf");
        self.unshare(len + 1);
        if len == usize::from(self.header().capacity) {
            self.resize(len + 1);
        }
        // SAFETY: `at <= len < capacity`, and the leaf is unshared.
        unsafe {
            let from = self.addresses().add(at * ADDRESS_BYTES);
            from.copy_to(from.add(ADDRESS_BYTES), (len - at) * ADDRESS_BYTES);
        }
        self.set_link(at, element.into_link());
        self.set_len(len + 1);
    }

    /// Takes the element at an index out.
    pub(super) fn remove(&mut self, at: usize) -> Element {
        let len = self.len();
        assert!(at < len, "the index of an element");
        self.unshare(len);
        let link = self.link(at);
        // SAFETY: `at < len`, and the leaf is unshared.
        unsafe {
            let to = self.addresses().add(at * ADDRESS_BYTES);
            to.copy_from(to.add(ADDRESS_BYTES), (len - 1 - at) * ADDRESS_BYTES);
        }
        self.set_len(len - 1);
        if bytes_of(self.header().capacity) > 2 * (HEADER_BYTES + (len + 1) * ADDRESS_BYTES) {
            self.resize(len - 1);
        }
        // SAFETY: the leaf's share, which the address above no longer stands for.
        unsafe { Element::from_link(link) }
    }

    /// Gives the element at an index another score, with which it belongs in this leaf too.
    pub(super) fn rescore(&mut self, at: usize, score: f64) -> Link {
        // Both neighbours, which it may pass, while it is taken out.
        self.prefetch(at + 1);
        self.prefetch(at.saturating_sub(1));
        let element = self.remove(at).with_score(score);
        let item = element.item();
        let to = self.partition_point_near(at, |other| other.order(item).is_lt());
        let link = item.link();
        self.insert(to, element);
        link
    }

    /// Cuts the leaf in two; returns the elements from index `at` on.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        let len = self.len();
        self.unshare(len);
        let mut right = Self::with_capacity(len - at);
        // SAFETY: `len - at` addresses are there, and the new leaf has room for them; the shares
        // move with them, since both lengths are set below.
        unsafe {
            let from = self.addresses().add(at * ADDRESS_BYTES);
            right.addresses().copy_from_nonoverlapping(from, (len - at) * ADDRESS_BYTES);
        }
        right.set_len(len - at);
        self.set_len(at);
        self.resize(at);
        right
    }

    /// Appends all elements of the next leaf; both together must fit.
    pub(super) fn append(&mut self, mut next: Self) {
        let (mine, more) = (self.len(), next.len());
        assert!(mine + more <= LEAF_LEN_MAX, "the caller merges what fits");
        self.unshare(mine + more);
        next.unshare(more);
        if mine + more > usize::from(self.header().capacity) {
            self.resize(mine + more);
        }
        // SAFETY: room for `more` addresses behind `mine`; the shares move, since `next` forgets
        // them below.
        unsafe {
            let to = self.addresses().add(mine * ADDRESS_BYTES);
            to.copy_from_nonoverlapping(next.addresses(), more * ADDRESS_BYTES);
        }
        next.set_len(0);
        self.set_len(mine + more);
    }

    /// Replaces a shared leaf by a private copy with room for `capacity` elements.
    fn unshare(&mut self, capacity: usize) {
        // Acquire: what other holders read, they have read before this one writes.
        if self.header().refs.load(Ordering::Acquire) == 1 {
            return;
        }
        let len = self.len();
        let mut copy = Self::with_capacity(capacity.max(len));
        for at in 0..len {
            self.prefetch(at + 8);
            // SAFETY: this leaf owns a share, so the element lives; the copy owns the new share.
            unsafe { Element::share(self.link(at)) };
        }
        // SAFETY: different allocations with room for `len` addresses.
        unsafe {
            let to = copy.addresses();
            to.copy_from_nonoverlapping(self.addresses(), len * ADDRESS_BYTES);
        }
        copy.set_len(len);
        *self = copy;
    }

    /// Moves an unshared leaf to an allocation with room for `capacity` elements.
    fn resize(&mut self, capacity: usize) {
        debug_assert!(self.len() <= capacity);
        let bytes = allocation_bytes(HEADER_BYTES + capacity * ADDRESS_BYTES);
        let old = bytes_of(self.header().capacity);
        if bytes == old {
            return;
        }
        // SAFETY: allocated with exactly this layout, unshared, and the new size is not zero.
        let memory = unsafe { realloc(self.0.as_ptr().cast(), layout_of(old), bytes) };
        let Some(memory) = NonNull::new(memory.cast::<Header>()) else {
            handle_alloc_error(layout_of(bytes))
        };
        self.0 = memory;
        // SAFETY: unshared, so no other reference to the header exists.
        unsafe { self.0.as_mut() }.capacity = capacity_of(bytes);
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: valid and initialized as long as a reference is held.
        unsafe { self.0.as_ref() }
    }

    #[inline]
    fn addresses(&self) -> *mut u8 {
        // SAFETY: the addresses begin right behind the header, inside the same allocation.
        unsafe { self.0.as_ptr().cast::<u8>().add(HEADER_BYTES) }
    }

    #[inline]
    fn link(&self, at: usize) -> Link {
        debug_assert!(at < self.len());
        // SAFETY: `at < len`, so six initialized bytes are there; they need no alignment.
        let (low, high) = unsafe {
            let address = self.addresses().add(at * ADDRESS_BYTES);
            (address.cast::<u32>().read_unaligned(), address.add(4).cast::<u16>().read_unaligned())
        };
        Link::from_bits(u64::from(high) << 32 | u64::from(low))
    }

    #[inline]
    fn set_link(&mut self, at: usize, link: Link) {
        let bits = link.to_bits();
        debug_assert!(at < usize::from(self.header().capacity));
        // SAFETY: inside the capacity (all callers), and the leaf is unshared.
        unsafe {
            let address = self.addresses().add(at * ADDRESS_BYTES);
            address.cast::<u32>().write_unaligned(bits as u32);
            address.add(4).cast::<u16>().write_unaligned((bits >> 32) as u16);
        }
    }

    fn set_len(&mut self, len: usize) {
        // SAFETY: unshared (all callers), so no other reference to the header exists.
        unsafe { self.0.as_mut() }.len = len as u16;
    }
}

impl Clone for Leaf {
    fn clone(&self) -> Self {
        let before = self.header().refs.fetch_add(1, Ordering::Relaxed);
        // As for elements: only a leak gets there.
        if before > u32::MAX / 2 {
            std::process::abort();
        }
        Self(self.0)
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        if self.header().refs.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // All reads by other holders happen before the free.
        fence(Ordering::Acquire);
        for at in 0..self.len() {
            self.prefetch(at + 8);
            // SAFETY: the last holder of the leaf gives up the leaf's share.
            drop(unsafe { Element::from_link(self.link(at)) });
        }
        let layout = layout_of(bytes_of(self.header().capacity));
        // SAFETY: the last holder; allocated with exactly this layout.
        unsafe { dealloc(self.0.as_ptr().cast(), layout) };
    }
}

/// Addresses that fit an allocation.
const fn capacity_of(bytes: usize) -> u16 {
    ((bytes - HEADER_BYTES) / ADDRESS_BYTES) as u16
}

/// The allocation of a leaf of this capacity.
const fn bytes_of(capacity: u16) -> usize {
    allocation_bytes(HEADER_BYTES + capacity as usize * ADDRESS_BYTES)
}

fn layout_of(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, align_of::<Header>()).expect("leaves are small")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(leaf: &Leaf) -> Vec<Vec<u8>> {
        (0..leaf.len()).map(|at| leaf.item(at).member().to_vec()).collect()
    }

    #[test]
    fn capacities_and_bytes_agree() {
        for wanted in 0..=LEAF_LEN_MAX {
            let bytes = allocation_bytes(HEADER_BYTES + wanted * ADDRESS_BYTES);
            assert_eq!(bytes_of(capacity_of(bytes)), bytes, "{wanted}");
            assert!(usize::from(capacity_of(bytes)) >= wanted && bytes <= LEAF_BYTES_MAX);
        }
    }

    #[test]
    fn a_copy_keeps_what_the_writer_changes() {
        let mut leaf = Leaf::with_capacity(0);
        for number in 0..LEAF_LEN_MAX {
            leaf.insert(number, Element::new(0.0, &[number as u8]));
        }
        assert_eq!(leaf.bytes(), LEAF_BYTES_MAX);
        let (frozen, expected) = (leaf.clone(), members(&leaf));
        let right = leaf.split_off(40);
        assert_eq!((leaf.len(), right.len()), (40, LEAF_LEN_MAX - 40));
        assert!(leaf.bytes() <= 256);
        leaf.remove(3);
        leaf.insert(0, Element::new(0.0, b""));
        leaf.append(right.clone());
        assert_eq!(members(&frozen), expected);
        assert_eq!(members(&right), expected[40..]);
        assert_eq!(leaf.len(), LEAF_LEN_MAX);
        assert_eq!(members(&leaf)[40..], expected[40..]);
        assert_eq!(leaf.partition_point(|item| item.member() < &[50][..]), 50);
        while leaf.len() > 0 {
            leaf.remove(leaf.len() / 2);
        }
        assert!(leaf.bytes() <= 64, "{} bytes", leaf.bytes());
        assert_eq!(members(&frozen), expected);
    }
}
