//! Loops over the bits of a string, and what bit commands parse alike.
//!
//! The loops work on fixed-size chunks of bytes, which the compiler turns into vector code.

use std::ops::Range;

use command::spec::Arg;
use command::{ArgReader, CommandError};
use config::Config;
use config::rows::PROTO_MAX_BULK_LEN;
use stdx::num::parse_i64;

/// Not a position of a bit in any string.
pub(super) const BAD_OFFSET: CommandError = CommandError::Request(std::borrow::Cow::Borrowed(
    b"ERR bit offset is not an integer or out of range",
));

/// The bit's position that `offset` is, if a string could have it.
///
/// # Errors
/// If it is negative or beyond `proto-max-bulk-len`.
pub(super) fn checked_offset(config: &Config, offset: Option<i64>) -> Result<u64, CommandError> {
    let offset = offset.and_then(|offset| u64::try_from(offset).ok()).ok_or(BAD_OFFSET)?;
    if offset / 8 >= config.get(PROTO_MAX_BULK_LEN) { Err(BAD_OFFSET) } else { Ok(offset) }
}

/// Number of 1 bits.
pub(super) fn count_ones(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let whole: u64 = words.iter().map(|w| u64::from(u64::from_ne_bytes(*w).count_ones())).sum();
    whole + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
}

/// Number of 1 bits among those of `range`, which lies inside.
pub(super) fn count_ones_in(bytes: &[u8], range: Range<u64>) -> u64 {
    let Some((first, whole, last)) = split(bytes, &range) else { return 0 };
    let edges = first.map_or(0, |(byte, mask)| (byte & mask).count_ones())
        + last.map_or(0, |(byte, mask)| (byte & mask).count_ones());
    u64::from(edges) + count_ones(whole)
}

/// Position of the first bit of `range` that is `bit`; the range lies inside.
pub(super) fn find_bit(bytes: &[u8], bit: bool, range: Range<u64>) -> Option<u64> {
    let (first, whole, last) = split(bytes, &range)?;
    // Looking for a 0 is looking for a 1 in the inverse.
    let flip = if bit { 0 } else { u8::MAX };
    if let Some((byte, mask)) = first {
        let found = (byte ^ flip) & mask;
        if found != 0 {
            return Some(range.start / 8 * 8 + u64::from(found.leading_zeros()));
        }
    }
    let whole_at = range.start.div_ceil(8);
    let word_flip = u64::from_ne_bytes([flip; 8]);
    let (words, rest) = whole.as_chunks::<8>();
    let skipped = words.iter().take_while(|w| u64::from_ne_bytes(**w) ^ word_flip == 0).count();
    let mut tail = words.get(skipped).map_or(rest, |word| &word[..]).iter();
    if let Some(at) = tail.position(|byte| byte ^ flip != 0) {
        let at = skipped * 8 + at;
        return Some((whole_at + at as u64) * 8 + u64::from((whole[at] ^ flip).leading_zeros()));
    }
    let (byte, mask) = last?;
    let found = (byte ^ flip) & mask;
    (found != 0).then(|| (range.end / 8) * 8 + u64::from(found.leading_zeros()))
}

/// A byte of which only the bits of the mask count.
type Edge = (u8, u8);

/// Cuts a range of bits into a partial first byte, whole bytes, and a partial last byte. None if
/// the range is empty. A range inside one byte is a first byte.
fn split<'b>(
    bytes: &'b [u8],
    range: &Range<u64>,
) -> Option<(Option<Edge>, &'b [u8], Option<Edge>)> {
    if range.is_empty() {
        return None;
    }
    let (first_byte, last_byte) = ((range.start / 8) as usize, (range.end / 8) as usize);
    let (skipped, kept) = (range.start % 8, range.end % 8);
    let from_start = u8::MAX >> skipped;
    let to_end = !(u8::MAX >> kept);
    if first_byte == last_byte {
        return Some((Some((bytes[first_byte], from_start & to_end)), &[], None));
    }
    let first = (skipped != 0).then(|| (bytes[first_byte], from_start));
    let last = (kept != 0).then(|| (bytes[last_byte], to_end));
    Some((first, &bytes[first_byte + usize::from(skipped != 0)..last_byte], last))
}

/// A part of a string as the client says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    start: i64,
    /// Up to the end of the string if unsaid.
    end: Option<i64>,
    /// Whether positions are those of bits, and not of bytes.
    in_bits: bool,
}

impl Span {
    /// Parses `[start [end [BYTE | BIT]]]`, reporting the leftmost error.
    ///
    /// # Errors
    /// Of syntax and of numbers.
    pub(super) fn parse(mut reader: ArgReader<'_>) -> Result<Option<Self>, CommandError> {
        if !reader.more() {
            return Ok(None);
        }
        if reader.remaining() > 3 {
            return Err(CommandError::SYNTAX);
        }
        let start = reader.integer();
        let end = reader.more().then(|| reader.integer());
        let in_bits = Self::parse_unit(&mut reader);
        reader.finish()?;
        Ok(Some(Self { start, end, in_bits }))
    }

    /// As [`Self::parse`], but an unknown unit is reported before a bad end.
    ///
    /// # Errors
    /// Of syntax and of numbers.
    pub(super) fn parse_unit_first(
        mut reader: ArgReader<'_>,
    ) -> Result<Option<Self>, CommandError> {
        if !reader.more() {
            return Ok(None);
        }
        if reader.remaining() > 3 {
            return Err(CommandError::SYNTAX);
        }
        let start = reader.integer();
        let end = reader.more().then(|| reader.bytes());
        let in_bits = Self::parse_unit(&mut reader);
        reader.finish()?;
        let end = end.map(|word| parse_i64(word).ok_or(CommandError::NOT_INTEGER)).transpose()?;
        Ok(Some(Self { start, end, in_bits }))
    }

    /// Takes the unit, if there is one. True if it is the bit.
    fn parse_unit(reader: &mut ArgReader<'_>) -> bool {
        if !reader.more() || reader.token("BYTE") {
            return false;
        }
        if !reader.token("BIT") {
            reader.unknown();
        }
        true
    }

    /// Whether the client said where it ends.
    pub(super) const fn is_closed(self) -> bool {
        self.end.is_some()
    }

    /// The bits that it means in a string of `len` bytes. Positions outside are cut off.
    pub(super) fn bits(self, len: usize) -> Range<u64> {
        let unit = if self.in_bits { 1 } else { 8 };
        let total = len as i64 * (8 / unit as i64);
        let absolute = |at: i64| if at < 0 { at.saturating_add(total).max(0) } else { at };
        let start = absolute(self.start);
        let end = self.end.map_or(total - 1, absolute).min(total - 1);
        if start > end {
            return 0..0;
        }
        start as u64 * unit..(end as u64 + 1) * unit
    }

    /// Whether both ends lie before the beginning in the wrong order, which cutting off would hide.
    pub(super) fn is_reversed(self) -> bool {
        self.start < 0 && self.end.is_some_and(|end| end < 0 && self.start > end)
    }
}

/// The documented `start [end [BYTE | BIT]]`.
pub(super) const SPAN: &[Arg] = &[
    Arg::integer("start"),
    Arg::block(
        "end-unit-block",
        &[
            Arg::integer("end"),
            Arg::one_of("unit", &[Arg::word("byte", "BYTE"), Arg::word("bit", "BIT")])
                .since("7.0.0")
                .optional(),
        ],
    )
    .optional(),
];

#[cfg(test)]
mod tests {
    use stdx::rng::Rng;

    use super::*;

    fn bit_at(bytes: &[u8], at: u64) -> bool {
        bytes[(at / 8) as usize] & (0x80 >> (at % 8)) != 0
    }

    #[test]
    fn loops_agree_with_one_bit_at_a_time() {
        let seed = 77;
        let mut rng = Rng::seed(seed);
        for round in 0..3000 {
            let len = 1 + rng.index(60);
            let mut bytes = vec![if rng.chance(1, 2) { 0u8 } else { 255 }; len];
            for _ in 0..rng.below(4) {
                let at = rng.index(len);
                bytes[at] ^= 1 << rng.below(8);
            }
            let bits = len as u64 * 8;
            let (a, b) = (rng.below(bits + 1), rng.below(bits + 1));
            let range = a.min(b)..a.max(b);
            let replay = format!("seed {seed} round {round}: {range:?} of {bytes:?}");
            let ones = range.clone().filter(|&at| bit_at(&bytes, at)).count() as u64;
            assert_eq!(count_ones_in(&bytes, range.clone()), ones, "{replay}");
            for bit in [false, true] {
                let first = range.clone().find(|&at| bit_at(&bytes, at) == bit);
                assert_eq!(find_bit(&bytes, bit, range.clone()), first, "{bit} {replay}");
            }
        }
    }
}
