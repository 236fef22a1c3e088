//! One node of a long list: a packed block of elements, such a block compressed, or one element
//! too large to be packed.
//!
//! A node is two words and cheap to clone: all three forms share their bytes and copy them when a
//! shared one is changed. The count is kept in the node, so that an index is found without a look
//! at the bytes.

use std::borrow::Cow;
use std::ops::ControlFlow;

use stdx::lzf;

use super::chain::pop_listpack;
use super::load::NodeRef;
use super::{End, Limits};
use crate::block::LARGE_HEADER_BYTES;
use crate::bytes::SharedBytes;
use crate::listpack::{Item, Listpack, Needle, Offset};

/// Smaller nodes are not worth a compression.
const COMPRESSED_FROM_BYTES: usize = 48;
/// A compressed form that saves less is not kept.
const SAVED_BYTES_MIN: usize = 8;
/// The length of the packed form, before the compressed bytes.
const LENGTH_BYTES: usize = 4;
/// What an element is taken to cost beside its text when the room in a node is judged.
const ELEMENT_OVERHEAD_BYTES: usize = 8;
/// What the allocation of a node has beside the packed bytes. It counts against the limit, so that
/// a full node of 8 KiB fills a size class and does not begin the next one, a quarter larger.
const ALLOCATION_HEADER_BYTES: usize = LARGE_HEADER_BYTES;
/// The size of a listpack without elements.
const EMPTY_LISTPACK_BYTES: usize = 7;

const SOUND: &str = "what was compressed here is a listpack";

/// See the module page.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// A listpack of at least one element.
    Packed { count: u32, listpack: Listpack },
    /// The bytes of a listpack, compressed behind their length.
    Compressed { count: u32, stream: SharedBytes },
    /// The bytes of one element.
    Plain(SharedBytes),
}

const _: () = assert!(size_of::<Node>() == 16);

impl Node {
    /// A node of one element, in the form that its size asks for.
    pub(super) fn new(element: &[u8], limits: Limits) -> Self {
        if limits.is_large(element.len()) {
            Self::Plain(SharedBytes::from(element))
        } else {
            Self::packed_of(element)
        }
    }

    /// A packed node of one element.
    pub(super) fn packed_of(element: &[u8]) -> Self {
        let mut listpack = Listpack::with_capacity(Item::Bytes(element).packed_bytes());
        listpack.push_back(element);
        Self::Packed { count: 1, listpack }
    }

    /// A node of all elements of `listpack`, which has some.
    pub(super) fn packed(listpack: Listpack) -> Self {
        Self::Packed { count: count_of(&listpack), listpack }
    }

    /// The node as dump files have it.
    pub(super) fn as_ref(&self) -> NodeRef<'_> {
        match self {
            Self::Packed { listpack, .. } => NodeRef::Packed(listpack.as_bytes()),
            Self::Compressed { stream, .. } => NodeRef::Compressed {
                stream: &stream.as_slice()[LENGTH_BYTES..],
                len: packed_len(stream),
            },
            Self::Plain(element) => NodeRef::Plain(element.as_slice()),
        }
    }

    /// How many elements the node has.
    #[inline]
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Packed { count, .. } | Self::Compressed { count, .. } => *count as usize,
            Self::Plain(_) => 1,
        }
    }

    /// The size of the packed form, or of the plain element.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Packed { listpack, .. } => listpack.as_bytes().len(),
            Self::Compressed { stream, .. } => packed_len(stream),
            Self::Plain(element) => element.len(),
        }
    }

    /// The bytes of memory that the node refers to.
    pub(super) fn allocated_bytes(&self) -> usize {
        match self {
            Self::Packed { listpack, .. } => listpack.allocated_bytes(),
            Self::Compressed { stream: bytes, .. } | Self::Plain(bytes) => bytes.allocated_bytes(),
        }
    }

    pub(super) const fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Whether an element of `len` bytes more may be packed into the node.
    #[inline]
    pub(super) fn accepts(&self, len: usize, limits: Limits) -> bool {
        if self.is_plain() || limits.is_large(len) {
            return false;
        }
        let bytes = self.bytes() + len + ELEMENT_OVERHEAD_BYTES + ALLOCATION_HEADER_BYTES;
        !limits.exceeded_by(bytes, self.count() + 1)
    }

    /// Whether one of several elements may be replaced by one of `len` bytes.
    pub(super) fn fits_replaced(&self, len: usize, limits: Limits) -> bool {
        let bytes = self.bytes() + len + ELEMENT_OVERHEAD_BYTES + ALLOCATION_HEADER_BYTES;
        !self.is_plain() && !limits.is_large(len) && !limits.exceeded_by(bytes, self.count())
    }

    /// Whether the elements of both nodes may be packed into one.
    pub(super) fn may_join(&self, other: &Self, limits: Limits) -> bool {
        let bytes = self.bytes() + other.bytes() - EMPTY_LISTPACK_BYTES + ALLOCATION_HEADER_BYTES;
        let count = self.count() + other.count();
        !self.is_plain() && !other.is_plain() && !limits.exceeded_by(bytes, count)
    }

    /// The listpack for reading; decompressed for the occasion if it must be. None if plain.
    pub(super) fn listpack(&self) -> Option<Cow<'_, Listpack>> {
        match self {
            Self::Packed { listpack, .. } => Some(Cow::Borrowed(listpack)),
            Self::Compressed { stream, .. } => Some(Cow::Owned(unpacked(stream))),
            Self::Plain(_) => None,
        }
    }

    /// Changes the elements; a compressed node stays decompressed.
    ///
    /// # Panics
    /// If the node is plain.
    #[inline]
    pub(super) fn change<R>(&mut self, change: impl FnOnce(&mut Listpack) -> R) -> R {
        let (count, listpack) = self.packed_mut();
        let result = change(listpack);
        *count = count_of(listpack);
        result
    }

    /// What is to be changed, decompressed; not of a plain node.
    #[inline]
    fn packed_mut(&mut self) -> (&mut u32, &mut Listpack) {
        self.decompress();
        match self {
            Self::Packed { count, listpack } => (count, listpack),
            _ => unreachable!("plain nodes are replaced, not changed"),
        }
    }

    /// Puts the element at an end.
    #[inline]
    pub(super) fn push(&mut self, end: End, element: &[u8]) {
        let (count, listpack) = self.packed_mut();
        match end {
            End::Front => listpack.push_front(element),
            End::Back => listpack.push_back(element),
        }
        *count += 1;
    }

    /// Removes one of several elements, the one at an end, and shows it.
    #[inline]
    pub(super) fn pop<R>(&mut self, end: End, show: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        let (count, listpack) = self.packed_mut();
        let shown = pop_listpack(listpack, end, show);
        *count -= 1;
        shown
    }

    /// Shows the elements from the one with the number `from` on towards the end opposite to
    /// `start`, until `visit` has enough.
    pub(super) fn visit<B>(
        &self,
        from: usize,
        start: End,
        mut visit: impl FnMut(Item<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        match self.listpack() {
            Some(listpack) => visit_listpack(&listpack, from, start, visit),
            None => {
                let Self::Plain(element) = self else { unreachable!("only plain nodes lack one") };
                visit(Item::Bytes(element.as_slice()))
            }
        }
    }

    /// Cuts the elements from the number `at` on off; `at` is neither 0 nor the count.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        let keep = self.count() - at;
        self.change(|listpack| {
            let mut right = listpack.clone();
            right.remove_range(0, at);
            listpack.remove_range(at as i64, keep);
            *listpack = listpack.compacted();
            Self::packed(right.compacted())
        })
    }

    /// Adds the elements of `right` behind; both nodes are not plain.
    pub(super) fn join(&mut self, right: &Self) {
        let right = right.listpack().expect("only packed nodes are joined");
        self.change(|listpack| listpack.append_all(&right));
    }

    /// Whether an element is equal to `needle`.
    pub(super) fn contains(&self, needle: Needle<'_>) -> bool {
        let found = self.visit(0, End::Front, |item| match needle.is(item) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
        found.is_break()
    }

    /// Removes up to `limit` elements equal to `needle`, from `start` on; returns how many. The
    /// caller removes a node that has nothing left.
    ///
    /// # Panics
    /// If the node is plain.
    pub(super) fn remove_equal(&mut self, needle: Needle<'_>, start: End, limit: usize) -> usize {
        self.change(|listpack| remove_equal(listpack, needle, start, limit))
    }

    /// Gives back the memory that a node which has been filled keeps for its growth.
    pub(super) fn trim_slack(&mut self) {
        if let Self::Packed { listpack, .. } = self {
            let used = listpack.as_bytes().len() + ALLOCATION_HEADER_BYTES;
            // A size class is up to a quarter above the size.
            if listpack.allocated_bytes() > used + used / 8 {
                *listpack = listpack.compacted();
            }
        }
    }

    /// Compresses a packed node if that is worth it.
    pub(super) fn compress(&mut self) {
        let Self::Packed { count, listpack } = self else { return };
        let bytes = listpack.as_bytes();
        if bytes.len() < COMPRESSED_FROM_BYTES {
            return;
        }
        if let Some(body) = lzf::compress(bytes, bytes.len() - SAVED_BYTES_MIN) {
            let length = u32::try_from(bytes.len()).expect("a listpack is below 4 GiB");
            let mut stream = SharedBytes::with_capacity(LENGTH_BYTES + body.len());
            stream.append(&length.to_le_bytes());
            stream.append(&body);
            *self = Self::Compressed { count: *count, stream };
        }
    }

    /// Makes a compressed node packed again.
    #[inline]
    pub(super) fn decompress(&mut self) {
        if let Self::Compressed { count, stream } = self {
            *self = Self::Packed { count: *count, listpack: unpacked(stream) };
        }
    }
}

/// Shows the elements of a listpack as [`Node::visit`] does.
pub(super) fn visit_listpack<B>(
    listpack: &Listpack,
    from: usize,
    start: End,
    mut visit: impl FnMut(Item<'_>) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let Some(at) = listpack.seek(from as i64) else { return ControlFlow::Continue(()) };
    match start {
        End::Front => listpack.iter_from(at).try_for_each(visit),
        End::Back => {
            let mut next = Some(at);
            while let Some(at) = next {
                visit(listpack.get(at))?;
                next = listpack.previous(at);
            }
            ControlFlow::Continue(())
        }
    }
}

/// Removes up to `limit` elements equal to `needle`, from `start` on; returns how many.
pub(super) fn remove_equal(
    listpack: &mut Listpack,
    needle: Needle<'_>,
    start: End,
    limit: usize,
) -> usize {
    let mut removed = 0;
    match start {
        End::Front => {
            let mut at = listpack.first();
            while removed < limit
                && let Some(found) = listpack.find(at, needle, 0)
            {
                at = listpack.remove(found);
                removed += 1;
            }
        }
        End::Back => {
            let mut at = listpack.last();
            while removed < limit
                && let Some(offset) = at
            {
                at = listpack.previous(offset);
                removed += usize::from(remove_if_equal(listpack, offset, needle));
            }
        }
    }
    removed
}

fn remove_if_equal(listpack: &mut Listpack, offset: Offset, needle: Needle<'_>) -> bool {
    let equal = needle.is(listpack.get(offset));
    if equal {
        listpack.remove(offset);
    }
    equal
}

fn count_of(listpack: &Listpack) -> u32 {
    u32::try_from(listpack.len()).expect("a listpack has less elements than bytes")
}

/// The length of the packed form of a compressed node.
fn packed_len(stream: &SharedBytes) -> usize {
    let length = stream.as_slice()[..LENGTH_BYTES].try_into().expect("four bytes are four bytes");
    u32::from_le_bytes(length) as usize
}

fn unpacked(stream: &SharedBytes) -> Listpack {
    let bytes = lzf::decompress(&stream.as_slice()[LENGTH_BYTES..], packed_len(stream));
    Listpack::from_untrusted(&bytes.expect(SOUND)).expect(SOUND)
}
