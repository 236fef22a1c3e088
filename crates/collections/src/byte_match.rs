//! Finding a byte among few: the tags of a small group of elements, sixteen at a time.
//!
//! The groups have some tens of bytes, for which a call of a general search costs more than the
//! search.

/// The high bit of each byte that equals `wanted`.
#[inline]
pub(crate) const fn equal_bytes(bytes: u64, wanted: u8) -> u64 {
    const LOW_SEVEN: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    const ONES: u64 = 0x0101_0101_0101_0101;
    let difference = bytes ^ (ONES * wanted as u64);
    // Set exactly where the difference is zero; no carry crosses bytes.
    !(((difference & LOW_SEVEN) + LOW_SEVEN) | difference | LOW_SEVEN)
}

/// The first index of a byte that equals `wanted` and for which `is` holds.
#[inline]
pub(crate) fn find(bytes: &[u8], wanted: u8, mut is: impl FnMut(usize) -> bool) -> Option<usize> {
    let mut start = 0;
    while let Some(group) = bytes[start..].first_chunk() {
        let found = first(equal_in_group(group, wanted), &mut is, start);
        if found.is_some() {
            return found;
        }
        start += GROUP;
    }
    let rest = &bytes[start..];
    let matches = match bytes.last_chunk() {
        // It is the end of a group that has been looked at in part.
        Some(group) => equal_in_group(group, wanted) >> (GROUP - rest.len()),
        None => {
            let mut group = [0; GROUP];
            group[..rest.len()].copy_from_slice(rest);
            equal_in_group(&group, wanted) & ((1 << rest.len()) - 1)
        }
    };
    first(matches, &mut is, start)
}

/// How many bytes are compared at once.
const GROUP: usize = 16;

/// Which bytes equal `wanted`: a bit for each.
#[cfg(target_arch = "x86_64")]
#[inline]
fn equal_in_group(group: &[u8; GROUP], wanted: u8) -> u32 {
    use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8};
    // SAFETY: every x86-64 processor has SSE2, and sixteen bytes may be read.
    unsafe {
        let group = _mm_loadu_si128(group.as_ptr().cast());
        _mm_movemask_epi8(_mm_cmpeq_epi8(group, _mm_set1_epi8(wanted.cast_signed()))) as u32
    }
}

/// Which bytes equal `wanted`: a bit for each.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
fn equal_in_group(group: &[u8; GROUP], wanted: u8) -> u32 {
    gathered(group, wanted)
}

/// The same by arithmetic.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[inline]
fn gathered(group: &[u8; GROUP], wanted: u8) -> u32 {
    /// Multiplied by it, the high bits of the bytes come to lie side by side in the top byte.
    const GATHER: u64 = 0x0002_0408_1020_4081;
    let (words, _) = group.as_chunks::<8>();
    words.iter().rev().fold(0, |bits, word| {
        let equal = equal_bytes(u64::from_le_bytes(*word), wanted);
        bits << 8 | (equal.wrapping_mul(GATHER) >> 56) as u32
    })
}

/// The first of some matches, counted from `start`, for which `is` holds.
#[inline]
fn first(mut matches: u32, is: &mut impl FnMut(usize) -> bool, start: usize) -> Option<usize> {
    while matches != 0 {
        let index = start + matches.trailing_zeros() as usize;
        if is(index) {
            return Some(index);
        }
        matches &= matches - 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_compared_exactly() {
        for wanted in [0, 1, 0x7f, 0x80, 0xff] {
            let bytes = [wanted, wanted ^ 1, wanted ^ 0x80, wanted, 0x55, !wanted, 0xaa, wanted];
            let equal = equal_bytes(u64::from_le_bytes(bytes), wanted);
            assert_eq!(equal, 0x8000_0000_8000_0080, "{wanted}");
        }
    }

    #[test]
    fn a_group_is_compared_by_either_way() {
        for seed in 0..200_u8 {
            let group: [u8; GROUP] =
                std::array::from_fn(|at| (seed.wrapping_mul(at as u8 + 1) % 3) | seed & 0x80);
            for wanted in [0, 1, 2, 0x80, 0x81, 0x82] {
                let expected = (0..GROUP).filter(|&at| group[at] == wanted);
                let expected = expected.fold(0, |bits, at| bits | 1 << at);
                assert_eq!(gathered(&group, wanted), expected, "{wanted} in {group:?}");
                assert_eq!(equal_in_group(&group, wanted), expected, "{wanted} in {group:?}");
            }
        }
    }

    #[test]
    fn every_match_is_found_in_order_and_no_other() {
        for len in 0..40_usize {
            let bytes: Vec<u8> = (0..len).map(|at| (at * at % 7) as u8 ^ 0x80).collect();
            for wanted in [0x80, 0x81, 0x82, 0x84, 0, 1, 0x7f, 0xff] {
                let mut seen = Vec::new();
                assert_eq!(
                    find(&bytes, wanted, |at| {
                        seen.push(at);
                        false
                    }),
                    None
                );
                let expected = (0..len).filter(|&at| bytes[at] == wanted);
                assert!(seen.iter().copied().eq(expected), "{wanted} in {bytes:?}");
                assert_eq!(find(&bytes, wanted, |_| true), seen.first().copied());
            }
        }
    }
}
