//! A block: the packed entries of a stretch of a stream, in one shareable buffer.
//!
//! ```text
//!  ┌ names ─────────────────────────────────┐┌ entry ──────────────────────────┐┌ entry ...
//!  │ length │ count │ length name │ ...     ││ head │ ms │ seq │ piece │ piece ││
//!  └────────────────────────────────────────┘└─────────────────────────────────┘└──────────
//!  head = bytes after the head << 2 | same names << 1 | deleted
//! ```
//!
//! All numbers are little-endian base 128 varints. The ids of the entries are relative to the
//! block's first id, which the owner of the block keeps as its key: `ms` is the distance in
//! milliseconds; `seq` is the distance within the same millisecond, else the number itself.
//! An entry with the same field names in the same order as the block's first entry has only its
//! values as pieces; another one has `count`, then names and values by turns. A piece is its length
//! and its bytes; the last piece of an entry needs no length, since the entry ends with it. A
//! short value thus costs three bytes beyond its own.
//!
//! A deleted entry is a tombstone: one bit of its head, which is written in place. Its bytes go
//! with the block, when no entry of it is left.

use crate::bytes::SharedBytes;

use super::Id;

const DELETED: u8 = 1;
const SAME_NAMES: u8 = 2;
const FLAG_BITS: u32 = 2;

/// Entries in a buffer; see the module page. The first id is kept by the owner.
#[derive(Clone, Debug)]
pub(super) struct Block {
    bytes: SharedBytes,
    /// Entries, without and with tombstones: at most `log::BLOCK_ENTRIES_MAX`.
    live: u16,
    total: u16,
    /// Memory of the buffer, so that adding it up touches no buffer. An entry has at most 1 GiB.
    allocated: u32,
}

const _: () = assert!(size_of::<Block>() == 16);

/// Where an entry is in its block: the offset of its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offset(u32);

impl Block {
    /// A block with one entry, the fields of which name the block's fields. `capacity` is the
    /// expected size in bytes, 0 if nothing is known.
    pub fn new<'a, F>(fields: F, capacity: usize) -> Self
    where
        F: Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    {
        let names = fields.clone().map(|(name, _)| name);
        let first = EntrySize::of(Id::MIN, Id::MIN, true, fields.clone()).total();
        let mut block = Self::named(names, first, capacity);
        block.push(Id::MIN, Id::MIN, fields, usize::MAX);
        block
    }

    /// A block of these field names without an entry, with room for `room` bytes of entries, or for
    /// `capacity` in all if that is more.
    pub fn named<'a>(
        names: impl Iterator<Item = &'a [u8]> + Clone,
        room: usize,
        capacity: usize,
    ) -> Self {
        let count = names.clone().count() as u64;
        let names_len = varint_len(count) + names.clone().map(piece_len).sum::<usize>();
        let head = varint_len(names_len as u64) + names_len;
        let mut bytes = SharedBytes::with_capacity(capacity.max(head + room));
        bytes.extend_zeroed(head);
        let mut out = Writer { bytes: bytes.make_mut(), at: 0 };
        out.varint(names_len as u64);
        out.varint(count);
        names.for_each(|name| out.piece(name));
        let mut block = Self { bytes, live: 0, total: 0, allocated: 0 };
        block.measure();
        block
    }

    /// The size in bytes of a block with one entry of these fields; none beyond `usize`.
    pub fn bytes_of_first<'a, F>(fields: F) -> Option<usize>
    where
        F: Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    {
        // Each string has a length of at most 10 bytes; the heads are few. An upper bound is
        // enough.
        fields.clone().try_fold(64usize, |sum, (name, value)| {
            sum.checked_add(name.len())?.checked_add(value.len())?.checked_add(20)
        })
    }

    /// Adds an entry behind the others, if the block then has at most `bytes_max` bytes.
    pub fn push<'a, F>(&mut self, base: Id, id: Id, fields: F, bytes_max: usize) -> bool
    where
        F: Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    {
        let same = Names::of(self.bytes.as_slice()).0.matches(fields.clone());
        let size = EntrySize::of(base, id, same, fields.clone());
        let len = self.bytes.len();
        if len + size.total() > bytes_max {
            return false;
        }
        self.bytes.extend_zeroed(len + size.total());
        size.write(&mut Writer { bytes: self.bytes.make_mut(), at: len }, fields);
        self.live += 1;
        self.total += 1;
        self.measure();
        true
    }

    /// Notes the memory of the buffer, which may be another one now.
    fn measure(&mut self) {
        self.allocated = self.bytes.allocated_bytes() as u32;
    }

    /// Gives back the room for further entries.
    pub fn seal(&mut self) {
        if crate::size_class::allocation_bytes(self.bytes.len() + 16) < self.allocated_bytes() {
            self.bytes = SharedBytes::from(self.bytes.as_slice());
            self.measure();
        }
    }

    /// Entries that are not deleted.
    pub fn live(&self) -> u64 {
        self.live.into()
    }

    /// Entries, tombstones included.
    pub fn total(&self) -> usize {
        self.total.into()
    }

    /// The length of the buffer's content.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The memory of the buffer.
    pub fn allocated_bytes(&self) -> usize {
        self.allocated as usize
    }

    /// The entries that are not deleted, in order, each with its place.
    pub fn entries(&self, base: Id) -> Entries<'_> {
        let bytes = self.bytes.as_slice();
        let (names, at) = Names::of(bytes);
        Entries { bytes, at, base, names }
    }

    /// The field names of the block.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let (Names { count, mut pieces }, _) = Names::of(self.bytes.as_slice());
        (0..count).map(move |_| piece(&mut pieces))
    }

    /// The place of the entry `id`, if it is here and not deleted.
    pub fn find(&self, base: Id, id: Id) -> Option<Offset> {
        let found = self.entries(base).find(|(_, entry)| entry.id >= id);
        found.filter(|(_, entry)| entry.id == id).map(|(offset, _)| offset)
    }

    /// Makes the entry at `offset`, which is not deleted, a tombstone. Copies a shared buffer.
    pub fn delete(&mut self, offset: Offset) {
        self.bytes.make_mut()[offset.0 as usize] |= DELETED;
        self.live -= 1;
        self.measure();
    }
}

/// The entries of a block in order, without the tombstones.
#[derive(Clone, Debug)]
pub(super) struct Entries<'a> {
    bytes: &'a [u8],
    at: usize,
    base: Id,
    names: Names<'a>,
}

impl<'a> Entries<'a> {
    /// The entries from here on, with the tombstones.
    pub fn stored(mut self) -> impl Iterator<Item = Stored<'a>> {
        std::iter::from_fn(move || self.next_stored().map(|(_, stored)| stored))
    }

    #[inline]
    fn next_stored(&mut self) -> Option<(Offset, Stored<'a>)> {
        let flags = *self.bytes.get(self.at)?;
        let offset = Offset(self.at as u32);
        let mut rest = &self.bytes[self.at..];
        let body_len = (varint(&mut rest) >> FLAG_BITS) as usize;
        let mut body = &rest[..body_len];
        self.at = self.bytes.len() - rest.len() + body_len;
        let (ms, seq) = (varint(&mut body), varint(&mut body));
        let id = match ms {
            0 => Id::new(self.base.ms, self.base.seq + seq),
            _ => Id::new(self.base.ms + ms, seq),
        };
        let same_names = flags & SAME_NAMES != 0;
        let count = if same_names { self.names.count } else { varint(&mut body) as usize };
        let names = if same_names { Some(self.names.pieces) } else { None };
        let entry = Entry { id, fields: Fields { count, names, body } };
        Some((offset, Stored { entry, deleted: flags & DELETED != 0, same_names }))
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = (Offset, Entry<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (offset, stored) = self.next_stored()?;
            if !stored.deleted {
                return Some((offset, stored.entry));
            }
        }
    }
}

/// An entry as its block holds it.
#[derive(Clone, Debug)]
pub struct Stored<'a> {
    /// The entry.
    pub entry: Entry<'a>,
    /// Whether it is a tombstone.
    pub deleted: bool,
    /// Whether it has the field names of the block.
    pub same_names: bool,
}

/// An entry of a stream: its id, its fields and their values, as they lie in the block.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The entry's id.
    pub id: Id,
    /// The pairs of field and value, in the order in which they were added.
    pub fields: Fields<'a>,
}

/// The pairs of field and value of an entry.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    count: usize,
    /// The names of the block, for an entry that has the same; else they are in the body.
    names: Option<&'a [u8]>,
    body: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.count = self.count.checked_sub(1)?;
        let name = piece(self.names.as_mut().unwrap_or(&mut self.body));
        let value = match self.count {
            0 => std::mem::take(&mut self.body),
            _ => piece(&mut self.body),
        };
        Some((name, value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }
}

impl ExactSizeIterator for Fields<'_> {}

/// The field names at the head of a block.
#[derive(Clone, Copy, Debug)]
struct Names<'a> {
    count: usize,
    pieces: &'a [u8],
}

impl<'a> Names<'a> {
    /// The names of a block and the offset of its first entry.
    fn of(bytes: &'a [u8]) -> (Self, usize) {
        let mut rest = bytes;
        let len = varint(&mut rest) as usize;
        let end = bytes.len() - rest.len() + len;
        let mut pieces = &rest[..len];
        let count = varint(&mut pieces) as usize;
        (Self { count, pieces }, end)
    }

    /// Whether `fields` have these names in this order.
    fn matches<'f>(mut self, fields: impl Iterator<Item = (&'f [u8], &'f [u8])>) -> bool {
        for (name, _) in fields {
            if self.count == 0 || piece(&mut self.pieces) != name {
                return false;
            }
            self.count -= 1;
        }
        self.count == 0
    }
}

/// The numbers at the front of an entry, and how long it will be.
struct EntrySize {
    same: bool,
    ms: u64,
    seq: u64,
    /// Number of fields.
    count: u64,
    /// Bytes behind the head.
    body: usize,
}

impl EntrySize {
    fn of<'a>(
        base: Id,
        id: Id,
        same: bool,
        fields: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Self {
        let ms = id.ms - base.ms;
        let seq = if ms == 0 { id.seq - base.seq } else { id.seq };
        let (mut count, mut body, mut last) = (0, varint_len(ms) + varint_len(seq), 0);
        for (name, value) in fields {
            body += piece_len(value) + if same { 0 } else { piece_len(name) };
            last = varint_len(value.len() as u64);
            count += 1;
        }
        body -= last;
        body += if same { 0 } else { varint_len(count) };
        Self { same, ms, seq, count, body }
    }

    fn head(&self) -> u64 {
        (self.body as u64) << FLAG_BITS | u64::from(if self.same { SAME_NAMES } else { 0 })
    }

    fn total(&self) -> usize {
        varint_len(self.head()) + self.body
    }

    fn write<'a>(&self, out: &mut Writer<'_>, fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) {
        out.varint(self.head());
        out.varint(self.ms);
        out.varint(self.seq);
        if !self.same {
            out.varint(self.count);
        }
        for ((name, value), index) in fields.zip(1..) {
            if !self.same {
                out.piece(name);
            }
            if index == self.count { out.raw(value) } else { out.piece(value) }
        }
    }
}

/// Fills a buffer that was made long enough.
struct Writer<'a> {
    bytes: &'a mut [u8],
    at: usize,
}

impl Writer<'_> {
    fn raw(&mut self, bytes: &[u8]) {
        self.bytes[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    fn piece(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.raw(bytes);
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes[self.at] = number as u8 | 0x80;
            self.at += 1;
            number >>= 7;
        }
        self.bytes[self.at] = number as u8;
        self.at += 1;
    }
}

const fn varint_len(number: u64) -> usize {
    (64 - (number | 1).leading_zeros() as usize).div_ceil(7)
}

const fn piece_len(bytes: &[u8]) -> usize {
    varint_len(bytes.len() as u64) + bytes.len()
}

/// Takes a number off the front.
fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut number, mut shift, mut at) = (0, 0, 0);
    loop {
        let byte = bytes[at];
        at += 1;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            *bytes = &bytes[at..];
            return number;
        }
        shift += 7;
    }
}

/// Takes a length and as many bytes off the front.
fn piece<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let len = varint(bytes) as usize;
    let (piece, rest) = bytes.split_at(len);
    *bytes = rest;
    piece
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs<'a> = &'a [(&'a [u8], &'a [u8])];
    type Shown = Vec<(Id, Vec<(Vec<u8>, Vec<u8>)>)>;

    fn shown(block: &Block, base: Id) -> Shown {
        let pairs = |(name, value): (&[u8], &[u8])| (name.to_vec(), value.to_vec());
        block
            .entries(base)
            .map(|(_, entry)| (entry.id, entry.fields.map(pairs).collect()))
            .collect()
    }

    #[test]
    fn entries_come_back_as_they_went_in() {
        let long = vec![b'x'; 300];
        let entries: [(Id, Pairs<'_>); 6] = [
            (Id::new(5, 7), &[(b"f", b"1"), (b"g", b"")]),
            (Id::new(5, 9), &[(b"f", b"2"), (b"g", &long)]),
            (Id::new(5, 10), &[(b"g", b"2"), (b"f", b"3")]),
            (Id::new(6, 3), &[(b"f", b"")]),
            (Id::new(6, u64::MAX), &[(b"", b"")]),
            (Id::new(u64::MAX, 0), &[(b"f", b"9"), (b"g", b"9"), (b"h", b"9")]),
        ];
        let (base, first) = entries[0];
        let mut block = Block::new(first.iter().copied(), 0);
        for (id, fields) in &entries[1..] {
            assert!(block.push(base, *id, fields.iter().copied(), usize::MAX));
        }
        let expected: Vec<_> = entries
            .iter()
            .map(|(id, f)| (*id, f.iter().map(|(n, v)| (n.to_vec(), v.to_vec())).collect()))
            .collect();
        assert_eq!(shown(&block, base), expected);
        assert!(!block.push(base, Id::MAX, first.iter().copied(), block.len()));

        let frozen = block.clone();
        let offset = block.find(base, Id::new(5, 10)).expect("it was added");
        block.delete(offset);
        assert_eq!((block.live(), block.total()), (5, 6));
        assert_eq!(block.find(base, Id::new(5, 10)), None);
        assert_eq!(shown(&block, base).len(), 5);
        assert_eq!(shown(&frozen, base), expected, "a clone is frozen");
    }

    #[test]
    fn a_short_value_costs_three_bytes() {
        let mut block = Block::new([(&b"name"[..], &b"0123456789"[..])].into_iter(), 0);
        let before = block.len();
        let fields = [(&b"name"[..], &b"0123456789"[..])];
        assert!(block.push(Id::new(9, 0), Id::new(10, 0), fields.into_iter(), usize::MAX));
        assert_eq!(block.len() - before, 10 + 3, "head, milliseconds, number");
    }

    #[test]
    fn varints_have_the_length_that_is_reserved() {
        for shift in 0..64 {
            for number in [1u64 << shift, (1 << shift) - 1, u64::MAX >> shift] {
                let mut buffer = [0; 10];
                let mut out = Writer { bytes: &mut buffer, at: 0 };
                out.varint(number);
                assert_eq!(out.at, varint_len(number));
                assert_eq!(varint(&mut &buffer[..]), number);
            }
        }
    }
}
