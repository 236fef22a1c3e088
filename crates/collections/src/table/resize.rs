//! How segments grow, split, shrink and merge.
//!
//! All four are one thing: collect the entries of one segment or two neighbours with their
//! positions, build what replaces them, and only when everything found its place put it into the
//! directory and free the old memory. `rehash` runs before anything changes, so even a panic in it
//! loses nothing.
//!
//! ```text
//!   full:  next larger shape ... 64 lines, then two segments of one depth more
//!   thin:  with its buddy (same parent range) into one of one depth less, else next smaller shape
//! ```
//!
//! A segment grows when a key finds no room (about nine tenths full) and shrinks below two fifths,
//! to shapes that are then at most seventeen twentieths full; the gap between keeps a workload that
//! adds and removes at the border from resizing every time.

use std::ptr::NonNull;

use super::segment::{LINES_MAX, Place, Segment, Shape};
use super::{KeyTable, local, tag};

/// An entry on the move. The slot it came from owns it until the new segment is in place.
struct Item {
    position: u64,
    entry: NonNull<u8>,
    deadline: u64,
}

/// How many lines ahead entries are fetched while a segment is collected.
const PREFETCH_LINES: usize = 4;
/// Two buddies merge when they hold at most this many keys together: three fourths of 48 lines.
const MERGE_KEYS_MAX: usize = 280;
/// A directory may always have this many entries; beyond, two keys per entry. Evenly spread
/// positions need far less, others would make it explode.
const DIRECTORY_FREE_LEN: usize = 1024;

impl KeyTable {
    /// Makes room in the segment of a local position, in which a key found none.
    #[cold]
    pub(super) fn grow(&mut self, at: u64, rehash: &impl Fn(&[u8]) -> u64) {
        let index = self.directory.index(at);
        self.deliver_segment(index);
        let segment = self.directory.get(index).expect("a full segment exists");
        let (shape, depth) = (segment.shape(), segment.depth());
        let items = collect(segment, rehash);
        // A segment that overflows while half empty has its keys in few buckets: splitting parts
        // them.
        let sparse = items.len() * 2 < shape.capacity();
        let split = shape.lines >= LINES_MAX || sparse && shape.lines > 8;
        if split && self.may_deepen(depth) {
            let bit = 1 << (63 - depth);
            let (high, low): (Vec<_>, Vec<_>) =
                items.into_iter().partition(|item| local(item.position) & bit != 0);
            let start = self.directory.start(self.directory.range(index, depth).start);
            let halves =
                [low, high].map(|half| (!half.is_empty()).then(|| self.fit(&half, depth + 1)));
            self.discard(at);
            for (half, start) in halves.into_iter().zip([start, start | bit]) {
                if let Some(half) = half {
                    self.directory.attach(start, half);
                }
            }
        } else {
            let mut shape = shape.larger();
            let segment = loop {
                match build(&items, depth, shape, self.epoch()) {
                    Some(segment) => break segment,
                    None => shape = shape.larger(),
                }
            };
            self.discard(at);
            self.directory.attach(at, segment);
        }
    }

    /// Whether the directory may be as deep as splitting a segment of this depth needs.
    fn may_deepen(&self, depth: u32) -> bool {
        let len = 1usize.checked_shl(depth + 1).unwrap_or(usize::MAX);
        depth < 48 && len <= DIRECTORY_FREE_LEN.max(self.len / 2)
    }

    /// The smallest sensible segment for these keys.
    fn fit(&self, items: &[Item], depth: u32) -> Segment {
        let mut shape = Shape::for_keys(items.len());
        loop {
            if let Some(segment) = build(items, depth, shape, self.epoch()) {
                return segment;
            }
            shape = shape.larger();
        }
    }

    /// Makes the segment of a local position smaller, or merges it, as far as its keys allow.
    #[cold]
    pub(super) fn shrink(&mut self, at: u64, rehash: &impl Fn(&[u8]) -> u64) {
        while self.shrink_once(at, rehash) {}
        self.directory.settle();
    }

    /// One step; false when the segment needs no further one.
    fn shrink_once(&mut self, at: u64, rehash: &impl Fn(&[u8]) -> u64) -> bool {
        let index = self.directory.index(at);
        let Some(segment) = self.directory.get(index) else { return false };
        let (live, depth) = (segment.header().live, segment.depth());
        if live >= segment.header().shrink_below {
            return false;
        }
        if live == 0 {
            self.deliver_segment(index);
            self.discard(at);
            // Its buddy may take the empty range over, which lets the directory become flatter.
            if depth > 0 {
                self.merge(at ^ 1 << (64 - depth), MERGE_KEYS_MAX / 2, rehash);
            }
            return false;
        }
        if self.merge(at, MERGE_KEYS_MAX, rehash) || self.tighten(at, rehash) {
            return true;
        }
        let segment = self.directory.get_mut(index).expect("looked up above");
        segment.header_mut().shrink_below = (live / 4 * 3).max(1);
        false
    }

    /// Rebuilds the segment in a smaller shape, if there is one.
    fn tighten(&mut self, at: u64, rehash: &impl Fn(&[u8]) -> u64) -> bool {
        let index = self.directory.index(at);
        let segment = self.directory.get(index).expect("a thin segment exists");
        let (shape, depth) = (segment.shape(), segment.depth());
        let mut smaller = Shape::for_keys(segment.header().live as usize);
        if smaller >= shape {
            return false;
        }
        self.deliver_segment(index);
        let items = collect(self.directory.get(index).expect("looked up above"), rehash);
        while smaller < shape {
            if let Some(segment) = build(&items, depth, smaller, self.epoch()) {
                self.discard(at);
                self.directory.attach(at, segment);
                return true;
            }
            smaller = smaller.larger();
        }
        false
    }

    /// Merges the segment of a local position with its buddy, if both together have at most
    /// `keys_max` keys.
    fn merge(&mut self, at: u64, keys_max: usize, rehash: &impl Fn(&[u8]) -> u64) -> bool {
        let index = self.directory.index(at);
        let Some(segment) = self.directory.get(index) else { return false };
        let depth = segment.depth();
        if depth == 0 {
            return false;
        }
        let buddy_at = at ^ 1 << (64 - depth);
        let buddy_index = self.directory.index(buddy_at);
        let buddy = self.directory.get(buddy_index);
        let mergeable = match buddy {
            Some(buddy) => buddy.depth() == depth,
            None => self.directory.is_vacant(self.directory.range(buddy_index, depth)),
        };
        let buddy_live = buddy.map_or(0, |buddy| buddy.header().live);
        let keys = (segment.header().live + buddy_live) as usize;
        if !mergeable || keys > keys_max {
            return false;
        }
        self.deliver_segment(index);
        let mut items = collect(self.directory.get(index).expect("looked up above"), rehash);
        if self.directory.get(buddy_index).is_some() {
            self.deliver_segment(buddy_index);
        }
        if let Some(buddy) = self.directory.get(buddy_index) {
            items.append(&mut collect(buddy, rehash));
        }
        let shape = Shape::for_keys(keys);
        let shapes = [shape, shape.larger()];
        let fitting = shapes.into_iter().filter(|shape| shape.lines <= LINES_MAX);
        let epoch = self.epoch();
        let merged = fitting.filter_map(|shape| build(&items, depth - 1, shape, epoch)).next();
        let Some(merged) = merged else { return false };
        self.discard(at);
        self.discard(buddy_at);
        self.directory.attach(at, merged);
        true
    }

    /// Takes a segment whose entries are (or will be) owned by another out and frees its memory.
    fn discard(&mut self, at: u64) {
        if let Some(segment) = self.directory.detach(at) {
            // SAFETY: detached, so this is the only word; the caller has put the entries elsewhere.
            unsafe { segment.free() };
        }
    }
}

/// The entries of a segment with their positions; the entries ahead are prefetched.
fn collect(segment: &Segment, rehash: &impl Fn(&[u8]) -> u64) -> Vec<Item> {
    let mut items = Vec::with_capacity(segment.header().live as usize);
    (0..PREFETCH_LINES).for_each(|line| segment.prefetch_entries(line));
    for line in 0..segment.lines() {
        segment.prefetch_entries(line + PREFETCH_LINES);
        for slot in segment.used(line) {
            let place = Place::new(line, slot);
            let entry = segment.entry(place);
            items.push(Item {
                position: rehash(entry.key()),
                entry: segment.pointer(place),
                deadline: entry.earliest().unwrap_or(u64::MAX),
            });
        }
    }
    items
}

/// A segment with these entries; `None` if some found no place.
fn build(items: &[Item], depth: u32, shape: Shape, epoch: u32) -> Option<Segment> {
    let mut segment = Segment::allocate(shape, depth as u8, epoch);
    let mut earliest = u64::MAX;
    for item in items {
        let home = segment.home(local(item.position));
        if segment.place(home, tag(item.position), item.entry).is_none() {
            // SAFETY: never attached, so this is the only word; the entries stay where they were.
            unsafe { segment.free() };
            return None;
        }
        earliest = earliest.min(item.deadline);
    }
    segment.header_mut().earliest = earliest;
    Some(segment)
}
