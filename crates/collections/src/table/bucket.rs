//! One cache line of the table: eight slots with fingerprints.
//!
//! Two kinds of line share the slots and differ in the last eight bytes:
//!
//! ```text
//!            8 tags        8 pointers of 48 bit              last 8 bytes
//!   bucket  ┌─────────┐┌──────────────────────────┐┌────────┬──────┬───────────┬──────────┐
//!           │ t t t t ││ p p p p p p p p          ││ marks32│ used8│ displaced8│ overflow │
//!           └─────────┘└──────────────────────────┘└────────┴──────┴───────────┴──────────┘
//!   stash   ┌─────────┐┌──────────────────────────┐┌──────────────────────────────────────┐
//!           │ t t t t ││ p p p p p p p p          ││ the home bucket of each slot         │
//!           └─────────┘└──────────────────────────┘└──────────────────────────────────────┘
//! ```
//!
//! A pointer of user space has 48 significant bits on every platform we run on; two bytes saved
//! eight times are the room for the tags and for half of the bookkeeping.

use std::ptr::NonNull;

use crate::byte_match;

/// Slots of one line.
pub(super) const SLOTS: usize = 8;
/// What `Stash::homes` holds for a free slot. Segments have fewer than 64 buckets.
pub(super) const NO_HOME: u8 = u8::MAX;

/// A set of slots of one line, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlotSet(pub(super) u8);

impl Iterator for SlotSet {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let slot = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(slot)
    }
}

/// The slots whose byte equals `wanted`: eight comparisons in one word.
#[inline]
pub(super) fn equal_bytes(bytes: [u8; SLOTS], wanted: u8) -> u8 {
    // Puts bit 8i of the factor at bit 56 + i of the product.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let zero = byte_match::equal_bytes(u64::from_le_bytes(bytes), wanted);
    ((zero >> 7).wrapping_mul(GATHER) >> 56) as u8
}

/// What the last snapshot that came to a bucket has seen of the keys with this home: all, or those
/// in some of its slots.
///
/// ```text
///    31                    9   8   7             0
///   ┌───────────────────────┬─────┬───────────────┐
///   │ epoch of the snapshot │ all │ slots it knows│
///   └───────────────────────┴─────┴───────────────┘
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks(u32);

impl Marks {
    const ALL: u32 = 1 << SLOTS;
    const EPOCH_SHIFT: u32 = SLOTS as u32 + 1;
    /// The largest epoch there is room for.
    pub(super) const EPOCH_MAX: u32 = u32::MAX >> Self::EPOCH_SHIFT;

    /// All was seen.
    #[inline]
    pub(super) const fn all(epoch: u32) -> Self {
        Self(epoch << Self::EPOCH_SHIFT | Self::ALL)
    }

    /// Whether that snapshot has seen all keys with this home.
    #[inline]
    pub(super) fn has_all(self, epoch: u32) -> bool {
        self.0 | 0xff == Self::all(epoch).0 | 0xff
    }

    /// The slots of the bucket whose keys that snapshot has seen, unless it has seen all.
    #[inline]
    pub(super) const fn slots(self, epoch: u32) -> u8 {
        if self.0 >> Self::EPOCH_SHIFT == epoch { self.0 as u8 } else { 0 }
    }

    /// That snapshot has seen the key in this slot, or it is none of its business.
    #[inline]
    pub(super) const fn add(&mut self, epoch: u32, slot: usize) {
        if self.0 >> Self::EPOCH_SHIFT != epoch {
            self.0 = epoch << Self::EPOCH_SHIFT;
        }
        self.0 |= 1 << slot;
    }

    /// The slot has another key, which was not seen unless all were.
    #[inline]
    pub(super) const fn forget(&mut self, slot: usize) {
        self.0 &= !(1 << slot);
    }
}

/// The tags and pointers of a line. Unused slots keep stale bytes: the line says which are used.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Slots {
    pub(super) tags: [u8; SLOTS],
    low: [u32; SLOTS],
    high: [u16; SLOTS],
}

impl Slots {
    /// The address in a used slot.
    #[inline]
    pub(super) fn get(&self, slot: usize) -> NonNull<u8> {
        let address = usize::from(self.high[slot]) << 32 | self.low[slot] as usize;
        let pointer = std::ptr::with_exposed_provenance_mut(address);
        NonNull::new(pointer).expect("a used slot holds an entry")
    }

    /// Fills a slot.
    #[inline]
    pub(super) fn set(&mut self, slot: usize, tag: u8, entry: NonNull<u8>) {
        self.tags[slot] = tag;
        self.set_pointer(slot, entry);
    }

    /// Changes the address in a slot, when its entry has moved.
    #[inline]
    pub(super) fn set_pointer(&mut self, slot: usize, entry: NonNull<u8>) {
        let address = entry.as_ptr().expose_provenance();
        assert!(address >> 48 == 0, "user-space addresses have 48 bits");
        self.low[slot] = address as u32;
        self.high[slot] = (address >> 32) as u16;
    }
}

/// A bucket: the home of the keys that hash here, and room for displaced keys of its predecessor.
#[repr(C, align(64))]
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) slots: Slots,
    /// What snapshots have seen of the keys with this home.
    pub(super) marks: Marks,
    used: u8,
    /// Which used slots hold keys whose home is the bucket before.
    displaced: u8,
    /// Keys with this home that live elsewhere: how many in the next bucket (low four bits), how
    /// many in the stash (upper twelve bits, which stay at their maximum once they reach it).
    overflow: u16,
}

const OUTSIDE_MASK: u16 = 0xf;
const STASHED_ONE: u16 = 1 << 4;
const STASHED_MASK: u16 = !OUTSIDE_MASK;

impl Bucket {
    /// The used slots.
    #[inline]
    pub(super) const fn used(&self) -> SlotSet {
        SlotSet(self.used)
    }

    /// The slots with keys whose home is this bucket.
    #[inline]
    pub(super) const fn own(&self) -> SlotSet {
        SlotSet(self.used & !self.displaced)
    }

    /// The slots with keys whose home is the bucket before.
    #[inline]
    pub(super) const fn foreign(&self) -> SlotSet {
        SlotSet(self.displaced)
    }

    /// Slots that may hold a key with this home and this tag.
    #[inline]
    pub(super) fn own_tagged(&self, tag: u8) -> SlotSet {
        SlotSet(equal_bytes(self.slots.tags, tag) & self.used & !self.displaced)
    }

    /// Slots that may hold a key with this tag whose home is the bucket before.
    #[inline]
    pub(super) fn foreign_tagged(&self, tag: u8) -> SlotSet {
        SlotSet(equal_bytes(self.slots.tags, tag) & self.displaced)
    }

    /// A free slot.
    #[inline]
    pub(super) fn free(&self) -> Option<usize> {
        (self.used != u8::MAX).then(|| self.used.trailing_ones() as usize)
    }

    /// Marks a slot used.
    #[inline]
    pub(super) fn occupy(&mut self, slot: usize, displaced: bool) {
        debug_assert!(self.used >> slot & 1 == 0);
        self.used |= 1 << slot;
        self.displaced |= u8::from(displaced) << slot;
    }

    /// Marks a slot free; returns whether its key was displaced.
    #[inline]
    pub(super) fn vacate(&mut self, slot: usize) -> bool {
        debug_assert!(self.used >> slot & 1 == 1);
        let displaced = self.displaced >> slot & 1 == 1;
        self.used &= !(1 << slot);
        self.displaced &= !(1 << slot);
        displaced
    }

    /// Whether all keys with this home are in this bucket.
    #[inline]
    pub(super) const fn is_complete(&self) -> bool {
        self.overflow == 0
    }

    /// Whether keys with this home are in the stash.
    #[inline]
    pub(super) const fn has_stashed(&self) -> bool {
        self.overflow & STASHED_MASK != 0
    }

    /// One more key with this home is in the next bucket, or one less.
    #[inline]
    pub(super) fn count_outside(&mut self, more: bool) {
        debug_assert!(self.overflow & OUTSIDE_MASK <= SLOTS as u16);
        self.overflow = if more { self.overflow + 1 } else { self.overflow - 1 };
    }

    /// One more key with this home is in the stash, or one less. A full counter never falls again
    /// until the segment is rebuilt: that costs probes, not correctness.
    #[inline]
    pub(super) fn count_stashed(&mut self, more: bool) {
        if self.overflow & STASHED_MASK == STASHED_MASK {
            return;
        }
        let one = STASHED_ONE;
        self.overflow = if more { self.overflow + one } else { self.overflow - one };
    }

    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, usize) {
        ((self.overflow & OUTSIDE_MASK) as usize, (self.overflow >> 4) as usize)
    }
}

/// A stash line: keys that found no room in their two buckets.
#[repr(C, align(64))]
#[derive(Debug)]
pub(super) struct Stash {
    pub(super) slots: Slots,
    /// The home bucket of each slot's key, `NO_HOME` if the slot is free.
    pub(super) homes: [u8; SLOTS],
}

impl Stash {
    /// The used slots.
    #[inline]
    pub(super) fn used(&self) -> SlotSet {
        SlotSet(!equal_bytes(self.homes, NO_HOME))
    }

    /// The slots with keys of this home.
    #[inline]
    pub(super) fn of_home(&self, home: usize) -> SlotSet {
        SlotSet(equal_bytes(self.homes, home as u8))
    }

    /// Slots that may hold a key with this home and this tag.
    #[inline]
    pub(super) fn tagged(&self, home: usize, tag: u8) -> SlotSet {
        SlotSet(self.of_home(home).0 & equal_bytes(self.slots.tags, tag))
    }

    /// A free slot.
    #[inline]
    pub(super) fn free(&self) -> Option<usize> {
        SlotSet(equal_bytes(self.homes, NO_HOME)).next()
    }
}

const _: () = assert!(size_of::<Bucket>() == 64 && size_of::<Stash>() == 64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_comparison_is_exact_for_all_pairs() {
        for a in 0..=255u8 {
            for b in 0..=255u8 {
                let bytes = [a, b, a.wrapping_add(1), 0, 255, b ^ 0x80, a ^ 1, a];
                let mut expected = 0;
                for (slot, byte) in bytes.iter().enumerate() {
                    expected |= u8::from(*byte == b) << slot;
                }
                assert_eq!(equal_bytes(bytes, b), expected);
            }
        }
    }

    #[test]
    fn marks_are_of_one_snapshot() {
        let mut marks = Marks::all(6);
        assert!(marks.has_all(6) && !marks.has_all(7) && marks.slots(7) == 0);
        marks.add(6, 3);
        marks.forget(3);
        assert!(marks.has_all(6), "whatever moves");
        marks.add(7, 0);
        marks.add(7, 7);
        assert_eq!((marks.slots(7), marks.slots(6), marks.has_all(7)), (0x81, 0, false));
        marks.forget(0);
        assert_eq!(marks.slots(7), 0x80);
        (0..SLOTS).for_each(|slot| marks.add(7, slot));
        assert!(!marks.has_all(7), "others with this home may live elsewhere");
        assert!(Marks::all(Marks::EPOCH_MAX).has_all(Marks::EPOCH_MAX));
    }

    #[test]
    fn slot_sets_iterate_in_order() {
        assert_eq!(SlotSet(0b1010_0101).collect::<Vec<_>>(), [0, 2, 5, 7]);
        assert_eq!(SlotSet(0).next(), None);
    }
}
