//! The directory: which segment is responsible for a position.
//!
//! ```text
//!   depth 2          local position 01...
//!   ┌────┬────┬────┬────┐
//!   │ 00 │ 01 │ 10 │ 11 │      a segment of depth d is named by 2^(depth - d) adjacent entries;
//!   └─┬──┴─┬──┴─┬──┴────┘      an entry without a segment covers positions that hold no key
//!     └──┬─┘    └─> segment of depth 2
//!        └─> segment of depth 1
//! ```
//!
//! Indexed by the *leading* bits of the local position, so segments are ranges of positions and lie
//! in the directory in the order of the positions. Splitting a segment rewrites its entries; only
//! when a segment as deep as the directory splits does the directory double, and it halves again
//! once no segment needs its depth.
//!
//! Invariants: the length is `2^depth`, or zero before the first key; each segment is named by
//! exactly its range; `segments`, `deepest` and `bytes` agree with the entries.

use std::ops::Range;

use super::segment::Segment;

/// Which segment covers which positions.
#[derive(Debug, Default)]
pub(super) struct Directory {
    entries: Vec<Segment>,
    depth: u32,
    /// Number of segments.
    segments: usize,
    /// Number of segments as deep as the directory.
    deepest: usize,
    /// Bytes of all segments.
    bytes: usize,
}

impl Directory {
    /// No entries.
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new(), depth: 0, segments: 0, deepest: 0, bytes: 0 }
    }

    /// The entry responsible for a local position; may be beyond the end while there are none.
    #[inline]
    pub(super) const fn index(&self, local: u64) -> usize {
        // In two steps, since a shift by 64 is none.
        (local >> 1 >> (63 - self.depth)) as usize
    }

    /// The first local position of an entry. An index past the end gives 0.
    pub(super) const fn start(&self, index: usize) -> u64 {
        (index as u64) << (63 - self.depth) << 1
    }

    /// Number of entries.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Number of segments.
    pub(super) const fn segments(&self) -> usize {
        self.segments
    }

    /// Bytes of the directory and all segments.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes + self.entries.capacity() * size_of::<Segment>()
    }

    /// The segment of an entry.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&Segment> {
        self.entries.get(index).filter(|segment| !segment.is_none())
    }

    /// The segment of an entry, for changing what is in it.
    #[inline]
    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Segment> {
        self.entries.get_mut(index).filter(|segment| !segment.is_none())
    }

    /// The entries that a segment of depth `depth` around `index` would take.
    pub(super) const fn range(&self, index: usize, depth: u32) -> Range<usize> {
        let count = 1usize << (self.depth - depth);
        let first = index & !(count - 1);
        first..first + count
    }

    /// Where the entries of the segment (or the empty entry) at `index` end.
    pub(super) fn end(&self, index: usize) -> usize {
        self.get(index).map_or(index + 1, |segment| self.range(index, segment.depth()).end)
    }

    /// Whether no segment is in the range.
    pub(super) fn is_vacant(&self, range: Range<usize>) -> bool {
        self.entries[range].iter().all(Segment::is_none)
    }

    /// The smallest depth at which a new segment may cover the vacant entry of a local position.
    pub(super) fn vacant_depth(&mut self, local: u64) -> u32 {
        if self.entries.is_empty() {
            self.entries.push(Segment::NONE);
        }
        let (index, mut depth) = (self.index(local), self.depth);
        while depth > 0 && self.is_vacant(self.range(index, depth - 1)) {
            depth -= 1;
        }
        depth
    }

    /// Puts a segment where none is; the directory doubles as often as its depth demands.
    pub(super) fn attach(&mut self, local: u64, segment: Segment) {
        while self.depth < segment.depth() {
            self.deepen();
        }
        self.segments += 1;
        self.deepest += usize::from(segment.depth() == self.depth);
        self.bytes += segment.bytes();
        let range = self.range(self.index(local), segment.depth());
        debug_assert!(self.is_vacant(range.clone()));
        for entry in &mut self.entries[range] {
            // SAFETY: the directory lends its words one at a time (`&mut self`) and frees a segment
            // only after `detach` has removed all of them.
            *entry = unsafe { segment.alias() };
        }
    }

    /// Takes the segment at a local position out; the caller owns it now.
    pub(super) fn detach(&mut self, local: u64) -> Option<Segment> {
        let index = self.index(local);
        let depth = self.get(index)?.depth();
        let range = self.range(index, depth);
        let segment = std::mem::replace(&mut self.entries[index], Segment::NONE);
        self.entries[range].fill_with(|| Segment::NONE);
        self.segments -= 1;
        self.deepest -= usize::from(depth == self.depth);
        self.bytes -= segment.bytes();
        Some(segment)
    }

    fn deepen(&mut self) {
        let mut entries = Vec::with_capacity(self.entries.len() * 2);
        for entry in &self.entries {
            // SAFETY: the old entries are forgotten below; as in `attach`.
            entries.extend(unsafe { [entry.alias(), entry.alias()] });
        }
        self.entries = entries;
        self.depth += 1;
        // Every segment is named at least twice now.
        self.deepest = 0;
    }

    /// Halves the directory as often as no segment needs its depth. To be called after detaching.
    pub(super) fn settle(&mut self) {
        if self.segments == 0 {
            *self = Self::new();
        }
        if self.deepest > 0 || self.depth == 0 {
            return;
        }
        let depth = self.entries.iter().filter(|s| !s.is_none()).map(Segment::depth).max();
        let depth = depth.expect("the directory names a segment");
        let stride = 1usize << (self.depth - depth);
        let kept = self.entries.iter().step_by(stride);
        // SAFETY: the old entries are forgotten by the assignment; as in `attach`.
        let entries: Vec<_> = kept.map(|entry| unsafe { entry.alias() }).collect();
        self.entries = entries;
        self.depth = depth;
        self.deepest = self.entries.iter().filter(|s| !s.is_none() && s.depth() == depth).count();
    }
}
