//! One member with its score: a single allocation that the tree owns and the member table points
//! to.
//!
//! ```text
//!   ┌───────────┬──────────┬─────────┐ ┌──────────────┐
//!   │ score f64 │ refs u32 │ len u32 │ │ member bytes │
//!   └───────────┴──────────┴─────────┘ └──────────────┘
//! ```
//!
//! Sixteen bytes of header and a member of up to 16 bytes are one 32-byte class of the allocator.
//!
//! [`Element`] is the counted owner, [`Link`] the bare address, [`Item`] a borrowed element with
//! its score at hand. Invariant: while the count is above one nobody writes, the score included.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cmp::Ordering;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering::*, fence};

use crate::prefetch;
use crate::size_class::allocation_bytes;

const HEADER_BYTES: usize = size_of::<Header>();
/// Bits of an address that tell anything in user space.
const ADDRESS_BITS: u32 = 48;

#[repr(C)]
struct Header {
    score: f64,
    refs: AtomicU32,
    len: u32,
}

/// The address of an element, without a share in its ownership.
///
/// Whoever keeps one must know an owner that lives at least as long: the module page of the ordered
/// index says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link(NonNull<u8>);

// SAFETY: an address; what it points to is `Send` and `Sync`, being frozen while shared.
unsafe impl Send for Link {}
// SAFETY: as above.
unsafe impl Sync for Link {}

impl Link {
    /// The address as a number of 48 bits.
    #[inline]
    pub(super) fn to_bits(self) -> u64 {
        let address = self.0.as_ptr().expose_provenance() as u64;
        assert!(address >> ADDRESS_BITS == 0, "user-space addresses have 48 bits");
        address
    }

    /// The link that [`Link::to_bits`] was called on.
    #[inline]
    pub(super) fn from_bits(bits: u64) -> Self {
        let pointer = std::ptr::with_exposed_provenance_mut(bits as usize);
        Self(NonNull::new(pointer).expect("the address of an element"))
    }

    /// Asks for the element's first cache lines.
    #[inline]
    pub(super) fn prefetch(self) {
        prefetch::small(self.0.as_ptr());
    }

    /// The element.
    ///
    /// # Safety
    /// Some owner keeps the element alive and unchanged for `'a`.
    #[inline]
    pub(super) unsafe fn item<'a>(self) -> Item<'a> {
        // SAFETY: alive by the caller's promise.
        let score = unsafe { self.0.cast::<Header>().as_ref() }.score;
        Item { score, link: self, owner: PhantomData }
    }
}

/// A member with its score, borrowed from the index.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    score: f64,
    link: Link,
    owner: PhantomData<&'a [u8]>,
}

impl<'a> Item<'a> {
    /// An element of which the score is known already, so that it need not be read.
    ///
    /// # Safety
    /// As [`Link::item`], and `score` is the element's.
    #[inline]
    pub(super) unsafe fn new(score: f64, link: Link) -> Self {
        Self { score, link, owner: PhantomData }
    }

    /// The score; never a NaN.
    #[inline]
    #[must_use]
    pub const fn score(self) -> f64 {
        self.score
    }

    /// The member.
    #[inline]
    #[must_use]
    pub fn member(self) -> &'a [u8] {
        // SAFETY: whoever made the item promised that the element lives, unchanged, for `'a`.
        let header = unsafe { self.link.0.cast::<Header>().as_ref() };
        // SAFETY: `len` initialized bytes follow the header in the same allocation.
        unsafe {
            let bytes = self.link.0.as_ptr().add(HEADER_BYTES);
            std::slice::from_raw_parts(bytes, header.len as usize)
        }
    }

    /// The length of the member.
    #[inline]
    pub(super) fn len(self) -> usize {
        // SAFETY: whoever made the item promised that the element lives.
        unsafe { self.link.0.cast::<Header>().as_ref() }.len as usize
    }

    /// The order of the index: by score (zeros of either sign are equal), then by member.
    #[inline]
    #[must_use]
    pub fn order(self, other: Item<'_>) -> Ordering {
        self.order_to(other.score, || other.member())
    }

    /// [`Item::order`] against a score and, if that decides nothing, a member.
    #[inline]
    pub(super) fn order_to<'m>(self, score: f64, member: impl FnOnce() -> &'m [u8]) -> Ordering {
        if self.score < score {
            Ordering::Less
        } else if self.score > score {
            Ordering::Greater
        } else {
            self.member().cmp(member())
        }
    }

    #[inline]
    pub(super) const fn link(self) -> Link {
        self.link
    }
}

/// A counted share in an element.
pub(super) struct Element(Link);

impl Element {
    /// A new element.
    ///
    /// # Panics
    /// If the member has 4 GiB or more, which no request can carry.
    pub(super) fn new(score: f64, member: &[u8]) -> Self {
        let len = u32::try_from(member.len()).expect("members are shorter than 4 GiB");
        let layout = layout_of(member.len());
        // SAFETY: the layout includes the header, so it is not empty.
        let memory = unsafe { alloc(layout) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        // SAFETY: freshly allocated for a header and `len` bytes, aligned for the header.
        unsafe {
            memory.cast::<Header>().write(Header { score, refs: AtomicU32::new(1), len });
            let bytes = memory.as_ptr().add(HEADER_BYTES);
            bytes.copy_from_nonoverlapping(member.as_ptr(), member.len());
        }
        Self(Link(memory))
    }

    /// Takes over the share that [`Element::into_link`] gave out.
    ///
    /// # Safety
    /// The link came from `into_link`, and is taken over once.
    #[inline]
    pub(super) unsafe fn from_link(link: Link) -> Self {
        Self(link)
    }

    /// The address, with the duty to take the share over again.
    #[inline]
    pub(super) fn into_link(self) -> Link {
        let link = self.0;
        std::mem::forget(self);
        link
    }

    /// Takes one more share in the element behind a link.
    ///
    /// # Safety
    /// Some owner keeps the element alive during the call.
    #[inline]
    pub(super) unsafe fn share(link: Link) {
        // SAFETY: alive by the caller's promise.
        let before = unsafe { link.0.cast::<Header>().as_ref() }.refs.fetch_add(1, Relaxed);
        // Two billion holders can only be a leak; a wrapped count would be a use after free.
        if before > u32::MAX / 2 {
            std::process::abort();
        }
    }

    #[inline]
    pub(super) fn item(&self) -> Item<'_> {
        // SAFETY: this share keeps the element alive, and `&self` keeps `set_score` away.
        unsafe { self.0.item() }
    }

    /// The same member with another score: this very element if nobody else holds it, else a copy.
    pub(super) fn with_score(self, score: f64) -> Self {
        // SAFETY: this share keeps the element alive.
        let header = unsafe { self.0.0.cast::<Header>().as_mut() };
        // Acquire: what other holders read, they have read before the write below.
        if header.refs.load(Acquire) != 1 {
            return Self::new(score, self.item().member());
        }
        header.score = score;
        self
    }
}

impl Drop for Element {
    fn drop(&mut self) {
        // SAFETY: this share keeps the element alive until the subtraction.
        let header = unsafe { self.0.0.cast::<Header>().as_ref() };
        let len = header.len as usize;
        if header.refs.fetch_sub(1, Release) != 1 {
            return;
        }
        // All reads by other holders happen before the free.
        fence(Acquire);
        // SAFETY: the last share; allocated with exactly this layout.
        unsafe { dealloc(self.0.0.as_ptr(), layout_of(len)) };
    }
}

/// The bytes that the element of a member of `len` bytes occupies.
pub(super) const fn element_bytes(len: usize) -> usize {
    allocation_bytes(HEADER_BYTES + len)
}

fn layout_of(len: usize) -> Layout {
    Layout::from_size_align(HEADER_BYTES + len, align_of::<Header>())
        .expect("a member is shorter than the address space")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_element_is_copied_for_another_score() {
        let element = Element::new(1.5, b"member");
        let link = element.item().link();
        let element = element.with_score(2.5);
        assert_eq!((element.item().link(), element.item().score()), (link, 2.5));
        // SAFETY: `element` lives, and the share is taken over at once.
        let other = unsafe {
            Element::share(link);
            Element::from_link(link)
        };
        let changed = other.with_score(9.0);
        assert_eq!((changed.item().score(), changed.item().member()), (9.0, &b"member"[..]));
        assert_eq!(element.item().score(), 2.5);
        assert_eq!(element_bytes(14), 32);
    }

    #[test]
    fn the_order_is_by_score_and_then_by_member() {
        let order = |a: (f64, &[u8]), b: (f64, &[u8])| {
            Element::new(a.0, a.1).item().order(Element::new(b.0, b.1).item())
        };
        assert_eq!(order((1.0, b"z"), (2.0, b"a")), Ordering::Less);
        assert_eq!(order((f64::INFINITY, b""), (f64::MAX, b"a")), Ordering::Greater);
        assert_eq!(order((0.0, b"a"), (-0.0, b"a")), Ordering::Equal);
        assert_eq!(order((0.0, b"ab"), (-0.0, b"a")), Ordering::Greater);
    }
}
