//! From an element to the register that it concerns: `MurmurHash64A`, cut in two.
//!
//! The seed and the cut belong to the format. Servers exchange sketches as plain strings, and two
//! sketches can only be merged if both hash alike.

use super::REGISTERS;

/// The seed that all sketches of this format share.
const SEED: u64 = 0xadc8_3b19;
/// Bits of the hash that choose the register.
const INDEX_BITS: u32 = REGISTERS.trailing_zeros();
/// The remaining bits, among which trailing zeros are counted.
pub(super) const RANK_BITS: u32 = u64::BITS - INDEX_BITS;

/// What an element means to a sketch: that this register holds at least this rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// The register, below [`REGISTERS`].
    pub(super) index: u16,
    /// One more than the trailing zeros of the other bits of the hash: 1 to 51.
    pub(super) rank: u8,
}

impl Element {
    /// Hashes an element.
    #[inline]
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let hash = murmur_64a(bytes, SEED);
        let index = hash & (REGISTERS as u64 - 1);
        // The bit above the last one ends the run of zeros of a hash that has no other.
        let rest = hash >> INDEX_BITS | 1 << RANK_BITS;
        Self { index: index as u16, rank: rest.trailing_zeros() as u8 + 1 }
    }
}

/// `MurmurHash64A` by Austin Appleby, reading words in little-endian order on every machine.
#[inline]
fn murmur_64a(bytes: &[u8], seed: u64) -> u64 {
    const MULTIPLIER: u64 = 0xc6a4_a793_5bd1_e995;
    const SHIFT: u32 = 47;
    let (words, tail) = bytes.as_chunks::<8>();
    let mut hash = seed ^ (bytes.len() as u64).wrapping_mul(MULTIPLIER);
    for word in words {
        let mut mixed = u64::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        mixed ^= mixed >> SHIFT;
        hash = (hash ^ mixed.wrapping_mul(MULTIPLIER)).wrapping_mul(MULTIPLIER);
    }
    if !tail.is_empty() {
        let mut last = [0; 8];
        last[..tail.len()].copy_from_slice(tail);
        hash = (hash ^ u64::from_le_bytes(last)).wrapping_mul(MULTIPLIER);
    }
    hash = (hash ^ hash >> SHIFT).wrapping_mul(MULTIPLIER);
    hash ^ hash >> SHIFT
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The algorithm as its author states it for one byte at a time.
    fn byte_by_byte(bytes: &[u8], seed: u64) -> u64 {
        let m: u64 = 0xc6a4_a793_5bd1_e995;
        let mut h = seed ^ m.wrapping_mul(bytes.len() as u64);
        let whole = bytes.len() / 8 * 8;
        for at in (0..whole).step_by(8) {
            let mut k = (0..8).fold(0, |k, i| k | u64::from(bytes[at + i]) << (8 * i));
            k = k.wrapping_mul(m);
            k ^= k >> 47;
            k = k.wrapping_mul(m);
            h ^= k;
            h = h.wrapping_mul(m);
        }
        for at in (whole..bytes.len()).rev() {
            h ^= u64::from(bytes[at]) << (8 * (at - whole));
        }
        if whole < bytes.len() {
            h = h.wrapping_mul(m);
        }
        h ^= h >> 47;
        h = h.wrapping_mul(m);
        h ^ h >> 47
    }

    #[test]
    fn words_and_bytes_agree_at_every_length() {
        let text: Vec<u8> = (0..100u8).map(|i| i.wrapping_mul(37)).collect();
        for len in 0..=text.len() {
            assert_eq!(murmur_64a(&text[..len], SEED), byte_by_byte(&text[..len], SEED), "{len}");
        }
    }

    #[test]
    fn registers_and_ranks_are_those_of_redis() {
        // From `PFADD k element` and `PFDEBUG DECODE k` of redis-server 7.0.15.
        for (element, index, rank) in KNOWN {
            let found = Element::of(element.as_bytes());
            assert_eq!((found.index, found.rank), (*index, *rank), "{element:?}");
        }
    }

    const KNOWN: &[(&str, u16, u8)] = &[
        ("", 5938, 2),
        ("a", 12711, 2),
        ("foo", 7348, 5),
        ("bar", 10007, 1),
        ("hello", 9216, 1),
        ("12345678", 10579, 3),
        ("element:1234567890", 494, 4),
        ("The quick brown fox", 13284, 1),
    ];
}
