//! The dense form: 16384 registers of 6 bits, one behind the other, least significant bits first.
//!
//! ```text
//!   byte 0     byte 1     byte 2     byte 3
//!   11000000 | 22221111 | 33333322 | 55444444     register that each bit belongs to
//! ```
//!
//! Four registers are three bytes. Loops over all of them take eight at a time: six bytes fit a
//! word, from which the registers are shifted.

use super::estimate::Histogram;
use super::hash::Element;
use super::registers::Registers;

/// Bits of a register.
const REGISTER_BITS: usize = 6;
/// The largest value of a register.
pub(super) const REGISTER_MAX: u8 = (1 << REGISTER_BITS) - 1;
/// Bytes of all registers.
pub(super) const DENSE_BYTES: usize = super::REGISTERS * REGISTER_BITS / 8;
/// Registers handled together, and the bytes that hold them.
pub(super) const GROUP: usize = 8;
const GROUP_BYTES: usize = GROUP * REGISTER_BITS / 8;

/// The value of a register.
#[inline]
pub(super) fn get(dense: &[u8], index: u16) -> u8 {
    let (at, shift) = place(index);
    // The last register ends with the last byte: there is none behind it, and none is needed.
    let high = dense.get(at + 1).copied().unwrap_or(0);
    (u16::from_le_bytes([dense[at], high]) >> shift) as u8 & REGISTER_MAX
}

/// Raises a register to at least the element's rank. Returns whether it was below.
#[inline]
pub(super) fn raise(dense: &mut [u8], element: Element) -> bool {
    let old = get(dense, element.index);
    if old >= element.rank {
        return false;
    }
    let (at, shift) = place(element.index);
    let flipped = u16::from(old ^ element.rank) << shift;
    let [low, high] = flipped.to_le_bytes();
    dense[at] ^= low;
    // As in `get`: where there is no byte, no bit goes there.
    if high != 0 {
        dense[at + 1] ^= high;
    }
    true
}

/// The byte in which a register begins, and the bit.
#[inline]
const fn place(index: u16) -> (usize, usize) {
    let bit = index as usize * REGISTER_BITS;
    (bit / 8, bit % 8)
}

/// Counts the registers by their value.
pub(super) fn histogram(dense: &[u8]) -> Histogram {
    Histogram::of(dense.as_chunks::<GROUP_BYTES>().0.iter().map(|group| split(*group)))
}

/// Raises `registers` to at least those of `dense`.
pub(super) fn merge_into(registers: &mut Registers, dense: &[u8]) {
    let groups = registers.0.as_chunks_mut::<GROUP>().0;
    for (to, from) in groups.iter_mut().zip(dense.as_chunks::<GROUP_BYTES>().0) {
        *to = maxima(*to, split(*from));
    }
}

/// Raises the registers of `dense` to at least `registers`.
pub(super) fn merge_from(dense: &mut [u8], registers: &Registers) {
    let groups = registers.0.as_chunks::<GROUP>().0;
    for (to, from) in dense.as_chunks_mut::<GROUP_BYTES>().0.iter_mut().zip(groups) {
        *to = join(maxima(*from, split(*to)));
    }
}

/// The larger of each two registers, of eight at once.
#[inline]
fn maxima(a: [u8; GROUP], b: [u8; GROUP]) -> [u8; GROUP] {
    const TOP: u64 = 0x8080_8080_8080_8080;
    let (a, b) = (u64::from_le_bytes(a), u64::from_le_bytes(b));
    // A register has six bits: the top one of its byte is left where the first is not smaller, and
    // nothing is borrowed from the next byte.
    let first = ((a | TOP) - b) & TOP;
    let first = (first << 1).wrapping_sub(first >> 7);
    (a & first | b & !first).to_le_bytes()
}

/// The registers in a group of bytes.
#[inline]
fn split(bytes: [u8; GROUP_BYTES]) -> [u8; GROUP] {
    let [a, b, c, d, e, f] = bytes;
    let word = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
    // The upper half moves apart, then that of each half, then that of each quarter.
    let halves = word & 0x00ff_ffff | (word & 0xffff_ff00_0000) << 8;
    let quarters = halves & 0x0000_0fff_0000_0fff | (halves & 0x00ff_f000_00ff_f000) << 4;
    let eighths = quarters & 0x003f_003f_003f_003f | (quarters & 0x0fc0_0fc0_0fc0_0fc0) << 2;
    eighths.to_le_bytes()
}

/// The bytes of a group of registers.
#[inline]
fn join(registers: [u8; GROUP]) -> [u8; GROUP_BYTES] {
    let eighths = u64::from_le_bytes(registers);
    let quarters = eighths & 0x003f_003f_003f_003f | (eighths & 0x3f00_3f00_3f00_3f00) >> 2;
    let halves = quarters & 0x0000_0fff_0000_0fff | (quarters & 0x0fff_0000_0fff_0000) >> 4;
    let word = halves & 0x00ff_ffff | halves >> 8 & 0xffff_ff00_0000;
    let [a, b, c, d, e, f, ..] = word.to_le_bytes();
    [a, b, c, d, e, f]
}

#[cfg(test)]
mod tests {
    use super::super::REGISTERS;
    use super::*;

    #[test]
    fn registers_do_not_touch_each_other() {
        let mut rng = stdx::rng::Rng::seed(3);
        let mut dense = vec![0; DENSE_BYTES];
        let mut model = vec![0; REGISTERS];
        for round in 0..100_000 {
            let index = rng.index(REGISTERS) as u16;
            let rank = rng.index(usize::from(REGISTER_MAX) + 1) as u8;
            let slot = &mut model[usize::from(index)];
            assert_eq!(raise(&mut dense, Element { index, rank }), rank > *slot, "round {round}");
            *slot = rank.max(*slot);
        }
        for (index, value) in model.iter().enumerate() {
            assert_eq!(get(&dense, index as u16), *value, "register {index}");
        }
        let histogram = histogram(&dense);
        for (value, count) in histogram.0.iter().enumerate() {
            let expected = model.iter().filter(|v| usize::from(**v) == value).count();
            assert_eq!(*count as usize, expected, "registers of {value}");
        }
        let mut registers = Registers::default();
        merge_into(&mut registers, &dense);
        assert_eq!(&registers.0[..], model);
        let mut copy = vec![0; DENSE_BYTES];
        merge_from(&mut copy, &registers);
        assert_eq!(copy, dense);
    }

    #[test]
    fn groups_come_apart_and_together_and_the_larger_wins() {
        for a in 0..=REGISTER_MAX {
            for b in 0..=REGISTER_MAX {
                let groups = [[a, b, 0, REGISTER_MAX, b, a, a, b], [b, a, a, b, b, 0, b, a]];
                let expected = std::array::from_fn(|i| groups[0][i].max(groups[1][i]));
                assert_eq!(maxima(groups[0], groups[1]), expected);
                assert_eq!(split(join(groups[0])), groups[0]);
            }
        }
    }

    #[test]
    fn the_first_and_the_last_register_fit() {
        let mut dense = vec![0; DENSE_BYTES];
        for index in [0, 1, 2, 3, REGISTERS as u16 - 2, REGISTERS as u16 - 1] {
            assert!(raise(&mut dense, Element { index, rank: REGISTER_MAX }));
            assert_eq!(get(&dense, index), REGISTER_MAX);
        }
        assert_eq!(dense[..4], [0xff, 0xff, 0xff, 0]);
        assert_eq!(dense[DENSE_BYTES - 3..], [0, 0xf0, 0xff]);
    }
}
