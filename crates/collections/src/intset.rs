//! The intset: a set of integers as a sorted array in one block of bytes.
//!
//! ```text
//!   ┌───────────┬───────────┬─────────────────────────────────┐
//!   │ width u32 │ count u32 │ count integers of `width` bytes │   all little-endian
//!   └───────────┴───────────┴─────────────────────────────────┘
//! ```
//!
//! All integers have the width that the widest one needs: 2, 4 or 8 bytes. A wider one that comes
//! makes all of them wide, and they stay so when it goes. The format is the one of dump files.
//!
//! A member is found by binary search; a change moves what is behind it. Sets are kept like this up
//! to `set-max-intset-entries` members. Invariants: the integers ascend strictly, and the size in
//! bytes is what width and count say. Clones share the bytes until one is changed (law 3).

use std::fmt;

pub use crate::block::Malformed;
use crate::block::{Block, LEN_BYTES};

const HEADER_BYTES: usize = 8;

/// How many bytes each integer of a set takes that holds `value`.
fn width_of(value: i64) -> usize {
    match value {
        -0x8000..=0x7fff => 2,
        -0x8000_0000..=0x7fff_ffff => 4,
        _ => 8,
    }
}

/// A sorted set of integers of one word; see the module page.
#[derive(Clone)]
#[repr(transparent)]
pub struct Intset {
    bytes: Block,
}

const _: () = assert!(size_of::<Intset>() == 8);

impl Default for Intset {
    fn default() -> Self {
        Self { bytes: Block::from(&[2, 0, 0, 0, 0, 0, 0, 0][..]) }
    }
}

impl Intset {
    /// A copy of untrusted bytes, if they are an intset: a known width, the size that width and
    /// count say, integers that ascend strictly.
    ///
    /// # Errors
    /// If anything of this does not hold.
    pub fn from_untrusted(bytes: &[u8]) -> Result<Self, Malformed> {
        let (header, body) = bytes.split_at_checked(HEADER_BYTES).ok_or(Malformed)?;
        let width = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
        let count = u32::from_le_bytes([header[4], header[5], header[6], header[7]]);
        if !matches!(width, 2 | 4 | 8) || body.len() as u64 != u64::from(width) * u64::from(count) {
            return Err(Malformed);
        }
        let set = Self { bytes: Block::from(bytes) };
        let ascends = set.iter().zip(set.iter().skip(1)).all(|(a, b)| a < b);
        if ascends { Ok(set) } else { Err(Malformed) }
    }

    /// The bytes as dump files have them.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.body()
    }

    /// The bytes of memory behind the word.
    #[must_use]
    pub fn allocated_bytes(&self) -> usize {
        self.bytes.allocated_bytes()
    }

    /// How many members there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        let bytes = self.as_bytes();
        u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_bytes().len() == HEADER_BYTES
    }

    /// The member with the number `index` in ascending order.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<i64> {
        (index < self.len()).then(|| self.at(index))
    }

    /// Whether `value` is a member.
    #[must_use]
    pub fn contains(&self, value: i64) -> bool {
        self.search(value).is_ok()
    }

    /// Adds `value`; false if it is a member already.
    ///
    /// # Panics
    /// If there are 2^32 members. Callers convert long before.
    pub fn insert(&mut self, value: i64) -> bool {
        let Err(index) = self.search(value) else { return false };
        let width = self.width().max(width_of(value));
        if width > self.width() {
            self.widen(width);
        }
        self.bytes.splice(place(index, width), 0, &[&value.to_le_bytes()[..width]]);
        self.set_header(width);
        true
    }

    /// Removes `value`; false if it is no member.
    pub fn remove(&mut self, value: i64) -> bool {
        let Ok(index) = self.search(value) else { return false };
        let width = self.width();
        self.bytes.splice(place(index, width), width, &[]);
        self.set_header(width);
        true
    }

    /// The members in ascending order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = i64> + ExactSizeIterator + Clone + '_ {
        (0..self.len()).map(|index| self.at(index))
    }

    /// Where `value` is, or where it belongs.
    fn search(&self, value: i64) -> Result<usize, usize> {
        // Most integers are added in ascending order: look at the end first.
        let len = self.len();
        if len == 0 || self.at(len - 1) < value {
            return Err(len);
        }
        let (mut low, mut high) = (0, len);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.at(middle).cmp(&value) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    fn width(&self) -> usize {
        usize::from(self.as_bytes()[0])
    }

    #[inline]
    fn at(&self, index: usize) -> i64 {
        let width = self.width();
        let digits = &self.as_bytes()[HEADER_BYTES + index * width..][..width];
        let mut word = [0; 8];
        word[8 - width..].copy_from_slice(digits);
        i64::from_le_bytes(word) >> (64 - 8 * width)
    }

    /// Gives every member `width` bytes.
    fn widen(&mut self, width: usize) {
        let mut wide = Block::with_capacity(HEADER_BYTES + (self.len() + 1) * width);
        wide.splice(LEN_BYTES, 0, &[&self.as_bytes()[..HEADER_BYTES]]);
        for (index, value) in self.iter().enumerate() {
            wide.splice(place(index, width), 0, &[&value.to_le_bytes()[..width]]);
        }
        self.bytes = wide;
        self.set_header(width);
    }

    fn set_header(&mut self, width: usize) {
        let count = (self.as_bytes().len() - HEADER_BYTES) / width;
        let count = u32::try_from(count).expect("an intset is converted before 2^32 members");
        let bytes = self.bytes.body_mut();
        bytes[..4].copy_from_slice(&(width as u32).to_le_bytes());
        bytes[4..HEADER_BYTES].copy_from_slice(&count.to_le_bytes());
    }
}

/// Where the integer with the number `index` is in the block.
fn place(index: usize, width: usize) -> usize {
    LEN_BYTES + HEADER_BYTES + index * width
}

impl fmt::Debug for Intset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use stdx::rng::Rng;

    use super::*;

    #[test]
    fn has_the_bytes_of_the_format() {
        let mut set = Intset::default();
        assert_eq!(set.as_bytes(), [2, 0, 0, 0, 0, 0, 0, 0]);
        assert!(set.insert(5) && set.insert(-2) && !set.insert(5));
        assert_eq!(set.as_bytes(), [2, 0, 0, 0, 2, 0, 0, 0, 0xfe, 0xff, 5, 0]);
        assert!(set.insert(65_536));
        let wide = [4, 0, 0, 0, 3, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 5, 0, 0, 0, 0, 0, 1, 0];
        assert_eq!(set.as_bytes(), wide);
        assert!(set.remove(65_536) && !set.remove(65_536));
        assert_eq!(set.as_bytes()[0], 4, "members stay wide");
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let sound = [2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 5, 0];
        assert_eq!(Intset::from_untrusted(&sound).unwrap().len(), 2);
        for len in 0..sound.len() {
            assert!(Intset::from_untrusted(&sound[..len]).is_err());
        }
        for (at, bad) in [(0, 3), (0, 4), (1, 1), (4, 1), (7, 0x80), (8, 5), (8, 6)] {
            let mut damaged = sound;
            damaged[at] = bad;
            assert!(Intset::from_untrusted(&damaged).is_err(), "byte {at} = {bad}");
        }
    }

    #[test]
    fn behaves_like_an_ordered_set() {
        let seed = std::env::var("SEED").map_or(20_260_102, |seed| seed.parse().unwrap());
        println!("replay with: SEED={seed} cargo test -p collections like_an_ordered_set");
        let mut rng = Rng::seed(seed);
        for round in 0..60 {
            let (mut set, mut model) = (Intset::default(), BTreeSet::new());
            // Small ranges make members come and go; wide ones make them wider.
            let shift = round % 64;
            for _ in 0..300 {
                let value = rng.next_u64() as i64 >> shift;
                let frozen = set.clone();
                let before: Vec<i64> = model.iter().copied().collect();
                if rng.chance(1, 3) {
                    let value = set.get(rng.index(set.len() + 1)).unwrap_or(value);
                    assert_eq!(set.remove(value), model.remove(&value));
                } else {
                    assert_eq!(set.insert(value), model.insert(value));
                }
                assert!(set.iter().eq(model.iter().copied()));
                assert!(frozen.iter().eq(before));
                assert_eq!(set.contains(value), model.contains(&value));
                let copy = Intset::from_untrusted(set.as_bytes()).unwrap();
                assert_eq!(copy.len(), model.len());
            }
        }
    }
}
