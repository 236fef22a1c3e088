//! A segment: a header line, its buckets and its stash, in one allocation.
//!
//! ```text
//!    Segment (64-bit word)                 memory, 64-byte lines
//!   ┌───────┬─────────┬────────────┐      ┌────────┬──────────┬─────┬──────────┬───────┬─────┐
//!   │ depth │ buckets │ pointer 48 │ ───> │ header │ bucket 0 │ ... │ bucket B │ stash │ ... │
//!   └───────┴─────────┴────────────┘      └────────┴──────────┴─────┴──────────┴───────┴─────┘
//! ```
//!
//! The word carries all that a look-up needs, so that it touches the directory, one bucket and the
//! entry; the header is for changes.
//!
//! Where a key with home `h` may live, in the order of preference: bucket `h`; bucket `h + 1` (the
//! last bucket's neighbour is the first), marked displaced; any stash line, with `h` written beside
//! it.
//!
//! Invariants: a used slot owns a live entry; `header.live` counts used slots; the overflow counts
//! of bucket `h` say how many of its keys are next door and in the stash, so a miss usually ends
//! after one line; `header.earliest` is at most the earliest deadline of the segment's entries
//! and of the fields in them.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

use super::bucket::{Bucket, Marks, NO_HOME, SLOTS, SlotSet, Stash};
use crate::entry::EntryRef;
use crate::prefetch::Hint;

const LINE_BYTES: usize = 64;
const POINTER_BITS: u32 = 48;
const DEPTH_SHIFT: u32 = 56;

/// The sizes a segment takes, in lines. All are size classes of the allocator, so no byte is lost
/// to rounding; each step is at most half of what is there.
const CLASSES: [u32; 11] = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
/// The largest regular segment; a fuller one is split.
pub(super) const LINES_MAX: u32 = 64;

/// How a segment of a given size is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shape {
    /// Lines in all, header included.
    pub(super) lines: u32,
}

impl Shape {
    /// The smallest shape that holds `keys` and leaves room for some more.
    pub(super) fn for_keys(keys: usize) -> Self {
        let roomy = |lines: &&u32| {
            let capacity = (**lines as usize - 1) * SLOTS;
            keys * 20 <= capacity * 17
        };
        Self { lines: CLASSES.iter().find(roomy).copied().unwrap_or(LINES_MAX) }
    }

    /// The next larger shape. Beyond the largest regular one, the stash doubles without end: that
    /// is for positions so unevenly spread that splitting does not part them.
    pub(super) fn larger(self) -> Self {
        let next = CLASSES.iter().copied().find(|&lines| lines > self.lines);
        Self { lines: next.unwrap_or(self.lines * 2) }
    }

    /// Lines that are buckets.
    const fn buckets(self) -> usize {
        let regular = if self.lines > LINES_MAX { LINES_MAX } else { self.lines };
        let stash = match regular {
            0..=4 => 0,
            5..=16 => 1,
            17..=32 => 2,
            _ => 3,
        };
        (regular - 1 - stash) as usize
    }

    /// Keys that fit if every slot is used.
    pub(super) const fn capacity(self) -> usize {
        (self.lines as usize - 1) * SLOTS
    }

    fn layout(self) -> Layout {
        let bytes = self.lines as usize * LINE_BYTES;
        Layout::from_size_align(bytes, LINE_BYTES).expect("segment sizes are far below 2^63")
    }
}

/// The first line of a segment: what is needed to change it.
#[repr(C, align(64))]
#[derive(Debug)]
pub(super) struct Header {
    /// At most the earliest deadline inside, those of fields included; `u64::MAX` if there is none.
    pub(super) earliest: u64,
    /// Number of keys.
    pub(super) live: u32,
    /// Lines in all, this one included.
    lines: u32,
    /// With fewer keys than this, the segment should be made smaller or merged.
    pub(super) shrink_below: u32,
}

/// Where a key lives inside its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Index over buckets and then stash lines.
    pub(super) line: u32,
    /// Slot in the line.
    pub(super) slot: u8,
}

impl Place {
    #[inline]
    pub(super) const fn new(line: usize, slot: usize) -> Self {
        Self { line: line as u32, slot: slot as u8 }
    }
}

/// A segment, or none: what a directory entry holds. Several entries of one directory may name the
/// same segment, so the word is no owner by itself: the directory frees it once.
#[repr(transparent)]
#[derive(Debug)]
pub(super) struct Segment(u64);

const _: () = assert!(size_of::<Header>() == LINE_BYTES);

impl Segment {
    /// No segment: the range holds no key.
    pub(super) const NONE: Self = Self(0);

    /// An empty segment.
    pub(super) fn allocate(shape: Shape, depth: u8, epoch: u32) -> Self {
        let layout = shape.layout();
        // SAFETY: shapes have at least two lines.
        let memory = unsafe { alloc_zeroed(layout) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        let header = Header {
            earliest: u64::MAX,
            live: 0,
            lines: shape.lines,
            shrink_below: (shape.capacity() * 2 / 5) as u32,
        };
        // SAFETY: the first line is a header, which nothing refers to yet.
        unsafe { memory.cast::<Header>().write(header) };
        let address = memory.as_ptr().expose_provenance() as u64;
        assert!(address >> POINTER_BITS == 0, "user-space addresses have 48 bits");
        let buckets = (shape.buckets() as u64) << POINTER_BITS;
        let mut new = Self(address | buckets | u64::from(depth) << DEPTH_SHIFT);
        // Zeroed buckets are empty ones; stash lines mark free slots.
        (0..new.buckets()).for_each(|b| new.bucket_mut(b).marks = Marks::all(epoch));
        new.stash_mut().iter_mut().for_each(|line| line.homes = [NO_HOME; SLOTS]);
        new
    }

    /// Frees the memory, not the entries.
    ///
    /// # Safety
    /// No other copy of the word is used any more, and what the slots own has been moved elsewhere.
    pub(super) unsafe fn free(self) {
        let layout = self.shape().layout();
        // SAFETY: allocated with this layout, and by the caller's promise not used any more.
        unsafe { dealloc(self.memory(), layout) };
    }

    /// Another word for the same segment, for a further directory entry.
    ///
    /// # Safety
    /// At most one of the words is used for changes at any time, and one of them for freeing.
    pub(super) const unsafe fn alias(&self) -> Self {
        Self(self.0)
    }

    /// Whether there is no segment.
    #[inline]
    pub(super) const fn is_none(&self) -> bool {
        self.0 == 0
    }

    /// How many leading bits all local positions inside have in common.
    #[inline]
    pub(super) const fn depth(&self) -> u32 {
        (self.0 >> DEPTH_SHIFT) as u32
    }

    /// Number of buckets.
    #[inline]
    pub(super) const fn buckets(&self) -> usize {
        (self.0 >> POINTER_BITS & 0xff) as usize
    }

    /// The home bucket of a local position: monotone, so a bucket is a range of positions.
    #[inline]
    pub(super) fn home(&self, local: u64) -> usize {
        let fraction = local << self.depth();
        ((u128::from(fraction) * self.buckets() as u128) >> 64) as usize
    }

    /// The shape.
    pub(super) fn shape(&self) -> Shape {
        Shape { lines: self.header().lines }
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        self.header().lines as usize * LINE_BYTES
    }

    #[inline]
    fn memory(&self) -> *mut u8 {
        std::ptr::with_exposed_provenance_mut((self.0 & ((1 << POINTER_BITS) - 1)) as usize)
    }

    #[inline]
    fn line(&self, line: usize) -> *mut u8 {
        // SAFETY: all callers name lines of this segment; the header is in front of them.
        unsafe { self.memory().add((line + 1) * LINE_BYTES) }
    }

    /// The header.
    #[inline]
    pub(super) fn header(&self) -> &Header {
        // SAFETY: a directory's words name live segments, whose first line is an initialized
        // header; changes need `&mut` of a word, which the directory lends one at a time.
        unsafe { &*self.memory().cast::<Header>() }
    }

    /// The header, for changing it.
    #[inline]
    pub(super) fn header_mut(&mut self) -> &mut Header {
        // SAFETY: as in `header`, exclusively.
        unsafe { &mut *self.memory().cast::<Header>() }
    }

    /// Bucket `index`.
    #[inline]
    pub(super) fn bucket(&self, index: usize) -> &Bucket {
        debug_assert!(index < self.buckets());
        // SAFETY: the first lines after the header are initialized buckets; see `header`.
        unsafe { &*self.line(index).cast::<Bucket>() }
    }

    /// Bucket `index`, for changing it.
    #[inline]
    pub(super) fn bucket_mut(&mut self, index: usize) -> &mut Bucket {
        debug_assert!(index < self.buckets());
        // SAFETY: as in `bucket`, exclusively.
        unsafe { &mut *self.line(index).cast::<Bucket>() }
    }

    pub(super) fn stash(&self) -> &[Stash] {
        let count = self.header().lines as usize - 1 - self.buckets();
        // SAFETY: all lines behind the buckets are initialized stash lines; see `header`.
        unsafe { std::slice::from_raw_parts(self.line(self.buckets()).cast::<Stash>(), count) }
    }

    pub(super) fn stash_mut(&mut self) -> &mut [Stash] {
        let count = self.header().lines as usize - 1 - self.buckets();
        // SAFETY: as in `stash`, exclusively. Free homes are written before anything reads them.
        unsafe { std::slice::from_raw_parts_mut(self.line(self.buckets()).cast::<Stash>(), count) }
    }

    /// Number of lines with slots.
    #[inline]
    pub(super) fn lines(&self) -> usize {
        self.header().lines as usize - 1
    }

    /// The used slots of a line (buckets, then stash).
    #[inline]
    pub(super) fn used(&self, line: usize) -> SlotSet {
        match line.checked_sub(self.buckets()) {
            None => self.bucket(line).used(),
            Some(stash) => self.stash()[stash].used(),
        }
    }

    /// Whether a key is at this place.
    #[inline]
    pub(super) fn is_used(&self, place: Place) -> bool {
        (self.used(place.line as usize).0 >> place.slot) & 1 == 1
    }

    /// The entry at a used place.
    #[inline]
    pub(super) fn entry(&self, place: Place) -> EntryRef<'_> {
        // SAFETY: a used slot owns a live entry, which is not changed while `&self` is borrowed.
        unsafe { EntryRef::new(self.pointer(place)) }
    }

    /// The address of the entry at a used place.
    #[inline]
    pub(super) fn pointer(&self, place: Place) -> NonNull<u8> {
        let (line, slot) = (place.line as usize, place.slot as usize);
        if line < self.buckets() {
            return self.bucket(line).slots.get(slot);
        }
        self.stashed_pointer(line - self.buckets(), slot)
    }

    /// Out of the way: few keys are in the stash.
    #[cold]
    fn stashed_pointer(&self, stash: usize, slot: usize) -> NonNull<u8> {
        self.stash()[stash].slots.get(slot)
    }

    /// Tells a used slot where its entry is now.
    #[inline]
    pub(super) fn set_pointer(&mut self, place: Place, entry: NonNull<u8>) {
        let (line, slot, buckets) = (place.line as usize, place.slot as usize, self.buckets());
        if line < buckets {
            self.bucket_mut(line).slots.set_pointer(slot, entry);
        } else {
            self.stash_mut()[line - buckets].slots.set_pointer(slot, entry);
        }
    }

    /// The home bucket of the key at a used place.
    pub(super) fn home_of(&self, place: Place) -> usize {
        let (line, slot) = (place.line as usize, place.slot as usize);
        match line.checked_sub(self.buckets()) {
            Some(stash) => self.stash()[stash].homes[slot] as usize,
            None if self.bucket(line).foreign().0 >> slot & 1 == 1 => self.before(line),
            None => line,
        }
    }

    /// The neighbour where keys of bucket `index` overflow to.
    #[inline]
    pub(super) fn after(&self, index: usize) -> usize {
        if index + 1 == self.buckets() { 0 } else { index + 1 }
    }

    #[inline]
    pub(super) fn before(&self, index: usize) -> usize {
        if index == 0 { self.buckets() - 1 } else { index - 1 }
    }

    /// Visits all keys of one logical bucket: those whose home it is, wherever they live.
    #[inline]
    pub(super) fn visit_home<'s>(&'s self, home: usize, visit: &mut impl FnMut(EntryRef<'s>)) {
        self.visit_home_but(home, SlotSet(0), visit);
    }

    /// As [`Segment::visit_home`], but for the keys in some slots of the bucket itself.
    #[inline]
    pub(super) fn visit_home_but<'s>(
        &'s self,
        home: usize,
        but: SlotSet,
        visit: &mut impl FnMut(EntryRef<'s>),
    ) {
        let bucket = self.bucket(home);
        let own = SlotSet(bucket.own().0 & !but.0);
        own.for_each(|slot| visit(self.entry(Place::new(home, slot))));
        if bucket.is_complete() {
            return;
        }
        let next = self.after(home);
        let foreign = self.bucket(next).foreign();
        foreign.for_each(|slot| visit(self.entry(Place::new(next, slot))));
        if bucket.has_stashed() {
            let buckets = self.buckets();
            self.stashed(home)
                .for_each(|(line, slot)| visit(self.entry(Place::new(buckets + line, slot))));
        }
    }

    /// All places in use.
    #[cfg(test)]
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        (0..self.lines()).flat_map(|line| self.used(line).map(move |slot| Place::new(line, slot)))
    }

    /// Bucket `home`, and the next one, where the key is if the home line was full.
    #[inline]
    pub(super) fn bucket_hint(&self, home: usize) -> Hint {
        Hint::lines(self.line(home), self.line(self.after(home)))
    }

    /// The entry with this tag.
    #[inline]
    pub(super) fn entry_hint(&self, home: usize, tag: u8) -> Option<Hint> {
        let bucket = self.bucket(home);
        if let Some(slot) = bucket.own_tagged(tag).next() {
            return Some(Hint::small(bucket.slots.get(slot).as_ptr()));
        }
        if bucket.is_complete() {
            return None;
        }
        let next = self.bucket(self.after(home));
        let slot = next.foreign_tagged(tag).next()?;
        Some(Hint::small(next.slots.get(slot).as_ptr()))
    }

    /// Asks the processor for all entries of a line.
    #[inline]
    pub(super) fn prefetch_entries(&self, line: usize) {
        if line < self.lines() {
            for slot in self.used(line) {
                crate::prefetch::line(self.pointer(Place::new(line, slot)).as_ptr());
            }
        }
    }
}
