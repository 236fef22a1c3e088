//! How many keys of each type a table has of each size: the histograms of `INFO keysizes`.
//!
//! The table keeps them where it keeps its number of keys, on each way in, out and through
//! [`Slot::modify`](super::Slot::modify), so that no command can forget to. Whoever exchanges,
//! flushes or loads tables does the same with their histograms.
//!
//! A *bin* is a power of two: bin 0 counts what is empty, bin `n` sizes from `2^(n-1)` to less than
//! `2^n`. Counts lie bin by bin and only up to the highest bin there was, since most values are
//! small and there may be a thousand tables with few keys each.

use super::{KeyTable, Timed};
use crate::entry::{EntryRef, ObjectKind, Stored, StringRef, ValueRef};

/// Rows of a histogram: strings, and the kinds of collections ([`row`]).
pub const TYPES: usize = 7;
const STRINGS: usize = 0;

/// All that a table counts of one entry, in one word, so that a change that leaves it the same is
/// seen by one comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally(u32);

impl Tally {
    /// The entry has a deadline.
    const KEY_TIMED: u32 = 1 << 31;
    /// It is a hash, and a field has one.
    const FIELDS_TIMED: u32 = 1 << 30;
    /// The other bits: where the histograms count the value.
    const PLACE: u32 = Self::FIELDS_TIMED - 1;

    /// Of one entry.
    #[inline]
    pub(super) fn of(entry: EntryRef<'_>) -> Self {
        if let Some(len) = entry.compact_len() {
            return Self::new(entry, STRINGS, bin(len));
        }
        match entry.integer() {
            Some(number) => Self::new(entry, STRINGS, decimal_bin(number)),
            None => Self::of_general(entry),
        }
    }

    #[inline(never)]
    fn of_general(entry: EntryRef<'_>) -> Self {
        match entry.value() {
            ValueRef::String(StringRef::Int(number)) => {
                Self::new(entry, STRINGS, decimal_bin(number))
            }
            ValueRef::String(StringRef::Inline { bytes, .. }) => {
                Self::new(entry, STRINGS, bin(bytes.len()))
            }
            ValueRef::String(StringRef::Shared { bytes, .. }) => {
                Self::new(entry, STRINGS, bin(bytes.len()))
            }
            ValueRef::Object(object) => {
                let Self(tally) =
                    Self::new(entry, row(Some(object.kind())), bin(object.elements()));
                let is_timed = entry.field_deadline().is_some();
                Self(if is_timed { tally | Self::FIELDS_TIMED } else { tally })
            }
        }
    }

    /// Of an entry that holds this collection, as [`Tally::of`] where the type is known.
    #[inline]
    pub(super) fn of_object<T: Stored>(entry: EntryRef<'_>, object: &T) -> Self {
        let Self(tally) = Self::new(entry, row(Some(T::KIND)), bin(object.elements()));
        let is_timed = object.earliest().is_some();
        Self(if is_timed { tally | Self::FIELDS_TIMED } else { tally })
    }

    #[inline]
    fn new(entry: EntryRef<'_>, row: usize, bin: usize) -> Self {
        let is_timed = if entry.has_deadline() { Self::KEY_TIMED } else { 0 };
        Self((bin * TYPES + row) as u32 | is_timed)
    }

    /// Whether anything in the entry has a deadline.
    #[inline]
    pub(super) const fn is_timed(self) -> bool {
        self.0 & !Self::PLACE != 0
    }

    /// What has deadlines.
    #[inline]
    pub(super) const fn timed(self) -> Timed {
        let keys = (self.0 & Self::KEY_TIMED != 0) as usize;
        Timed { keys, hashes: (self.0 & Self::FIELDS_TIMED != 0) as usize }
    }

    const fn place(self) -> usize {
        (self.0 & Self::PLACE) as usize
    }
}

/// The bin of a number of bytes or elements.
#[inline]
const fn bin(size: usize) -> usize {
    debug_assert!(size < 1 << 63, "no value has so many elements");
    (size << 1 | 1).ilog2() as usize
}

/// The row of a kind of collection, or of strings.
#[inline]
#[must_use]
pub const fn row(kind: Option<ObjectKind>) -> usize {
    match kind {
        None => STRINGS,
        Some(kind) => kind as usize - ObjectKind::List as usize + STRINGS + 1,
    }
}

/// The bin of the length of an integer's decimal form.
#[inline]
const fn decimal_bin(number: i64) -> usize {
    // Bins end with the largest numbers of 1, 3, 7 and 15 characters.
    match number {
        0..=9 => 1,
        10..=999 => 2,
        1000..=9_999_999 => 3,
        _ => decimal_bin_of_others(number),
    }
}

const fn decimal_bin_of_others(number: i64) -> usize {
    match number {
        0..=999_999_999_999_999 => 4,
        1_000_000_000_000_000.. => 5,
        -99..=-1 => 2,
        -999_999..=-100 => 3,
        -99_999_999_999_999..=-1_000_000 => 4,
        _ => 5,
    }
}

/// The histograms of one table.
#[derive(Debug, Default)]
pub struct Sizes(Box<[u32]>);

impl Sizes {
    /// Counts a value that has arrived.
    #[inline]
    pub(super) fn add(&mut self, tally: Tally) {
        match self.0.get_mut(tally.place()) {
            Some(count) => *count += 1,
            None => self.add_beyond(tally.place()),
        }
    }

    #[cold]
    fn add_beyond(&mut self, place: usize) {
        let mut counts = std::mem::take(&mut self.0).into_vec();
        let len = (place + 1).next_multiple_of(TYPES);
        counts.reserve_exact(len - counts.len());
        counts.resize(len, 0);
        counts[place] = 1;
        self.0 = counts.into_boxed_slice();
    }

    /// Counts a value no longer.
    #[inline]
    pub(super) fn remove(&mut self, tally: Tally) {
        self.0[tally.place()] -= 1;
    }

    /// The counts of the bins that there may be values in, from bin 0 on: of each, the rows.
    pub fn bins(&self) -> impl Iterator<Item = &[u32; TYPES]> {
        self.0.as_chunks().0.iter()
    }

    /// Whether both count the same. One may have had larger values.
    fn agrees(&self, other: &Self) -> bool {
        let (shorter, longer) = match self.0.len() <= other.0.len() {
            true => (&self.0, &other.0),
            false => (&other.0, &self.0),
        };
        let (same, beyond) = longer.split_at(shorter.len());
        *same == **shorter && beyond.iter().all(|&count| count == 0)
    }
}

impl KeyTable {
    /// Whether the histograms are what counting the entries gives: for tests, since it visits all.
    #[must_use]
    pub fn sizes_are_right(&self) -> bool {
        let mut counted = Sizes::default();
        self.iter().for_each(|entry| counted.add(Tally::of(entry)));
        self.sizes.agrees(&counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_powers_of_two() {
        let bins = [0, 1, 2, 3, 4, 7, 8, 1023, 1024].map(bin);
        assert_eq!(bins, [0, 1, 2, 2, 3, 3, 4, 10, 11]);
        assert_eq!(bin(usize::MAX >> 1), 63);
    }

    #[test]
    fn an_integer_is_as_long_as_its_decimal_form() {
        let powers = (0..19).map(|exponent| 10i64.pow(exponent));
        let edges = powers.flat_map(|power| [power - 1, power, power + 1]);
        for number in edges.chain([i64::MAX, i64::MIN]) {
            for number in [number, number.wrapping_neg()] {
                let text = number.to_string();
                assert_eq!(decimal_bin(number), bin(text.len()), "{number}");
            }
        }
    }
}
