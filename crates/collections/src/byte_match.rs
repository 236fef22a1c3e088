//! Finding a byte among few: the tags of a small group of elements, eight at a time.
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
    let (words, rest) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let mut matches = equal_bytes(u64::from_le_bytes(*word), wanted);
        while matches != 0 {
            let index = number * 8 + (matches.trailing_zeros() / 8) as usize;
            if is(index) {
                return Some(index);
            }
            matches &= matches - 1;
        }
    }
    let start = bytes.len() - rest.len();
    (start..bytes.len()).find(|&index| bytes[index] == wanted && is(index))
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
