//! Integers of 1 to 64 bits at any bit of a string, most significant bit first.

use stdx::num::parse_i64;

/// The width and sign of a field: `u1` to `u63`, `i1` to `i64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FieldType {
    signed: bool,
    bits: u32,
}

/// What happens to a result that the field cannot hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Overflow {
    /// The upper bits are lost.
    #[default]
    Wrap,
    /// The nearest number that fits is taken.
    Saturate,
    /// Nothing is written.
    Fail,
}

impl FieldType {
    /// The type that a word names.
    pub(super) fn parse(word: &[u8]) -> Option<Self> {
        let (&sign, width) = word.split_first()?;
        let (signed, bits_max) = match sign {
            b'i' => (true, 64),
            b'u' => (false, 63),
            _ => return None,
        };
        let bits = u32::try_from(parse_i64(width)?).ok()?;
        (1..=bits_max).contains(&bits).then_some(Self { signed, bits })
    }

    /// Its width.
    pub(super) const fn bits(self) -> u64 {
        self.bits as u64
    }

    const fn range(self) -> (i128, i128) {
        if self.signed {
            let half = 1i128 << (self.bits - 1);
            (-half, half - 1)
        } else {
            (0, (1i128 << self.bits) - 1)
        }
    }

    /// The number that a client's argument means: for an unsigned field a negative one stands for
    /// its 64-bit pattern. So it does for a signed field if it lies 2^63 or more below the maximum:
    /// Redis takes that distance for a negative one, and saturates to the maximum.
    pub(super) fn wanted(self, argument: i64) -> i128 {
        let signed = i128::from(argument);
        let wraps = self.bits < 64 && self.range().1 - signed > i128::from(i64::MAX);
        if self.signed && !wraps { signed } else { i128::from(argument.cast_unsigned()) }
    }

    /// `wanted` as the field can hold it; none if it cannot and must not.
    pub(super) fn fit(self, wanted: i128, overflow: Overflow) -> Option<i64> {
        let (min, max) = self.range();
        let fitting = if (min..=max).contains(&wanted) {
            wanted
        } else {
            match overflow {
                Overflow::Wrap => self.decode(wanted as u64),
                Overflow::Saturate => wanted.clamp(min, max),
                Overflow::Fail => return None,
            }
        };
        Some(fitting as i64)
    }

    /// The number in the lowest bits of `raw`.
    const fn decode(self, raw: u64) -> i128 {
        let unused = 64 - self.bits;
        if self.signed {
            (((raw << unused) as i64) >> unused) as i128
        } else {
            ((raw << unused) >> unused) as i128
        }
    }

    /// Reads the field at bit `offset`; bits beyond the end of `bytes` are 0.
    pub(super) fn read(self, bytes: &[u8], offset: u64) -> i64 {
        let window = Window::load(bytes, offset);
        self.decode((window.bits >> window.below(self.bits)) as u64) as i64
    }

    /// Writes the field at bit `offset`, which lies inside.
    pub(super) fn write(self, bytes: &mut [u8], offset: u64, value: i64) {
        let mut window = Window::load(bytes, offset);
        let below = window.below(self.bits);
        let ones = (1u128 << self.bits) - 1;
        let value = u128::from(value.cast_unsigned()) & ones;
        window.bits = window.bits & !(ones << below) | value << below;
        window.store(bytes);
    }
}

/// Sixteen bytes as one number, so that a field of any width at any bit lies inside.
struct Window {
    at: usize,
    /// Offset of the field from the window's first bit, below 8.
    shift: u32,
    bits: u128,
}

impl Window {
    fn load(bytes: &[u8], offset: u64) -> Self {
        let at = (offset / 8) as usize;
        let mut buffer = [0; 16];
        let inside = bytes.get(at..).unwrap_or_default();
        let len = inside.len().min(16);
        buffer[..len].copy_from_slice(&inside[..len]);
        Self { at, shift: (offset % 8) as u32, bits: u128::from_be_bytes(buffer) }
    }

    fn store(&self, bytes: &mut [u8]) {
        let len = (bytes.len() - self.at).min(16);
        bytes[self.at..self.at + len].copy_from_slice(&self.bits.to_be_bytes()[..len]);
    }

    /// Number of bits behind a field of `width` bits.
    const fn below(&self, width: u32) -> u32 {
        128 - self.shift - width
    }
}

#[cfg(test)]
mod tests {
    use stdx::rng::Rng;

    use super::*;

    #[test]
    fn names_of_types() {
        for word in ["u0", "u64", "i65", "i0", "u", "", "x8", "U8", "u08", "u+8", "u8x", "i-8"] {
            assert_eq!(FieldType::parse(word.as_bytes()), None, "{word}");
        }
        assert_eq!(FieldType::parse(b"i64"), Some(FieldType { signed: true, bits: 64 }));
        assert_eq!(FieldType::parse(b"u63"), Some(FieldType { signed: false, bits: 63 }));
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else_changes() {
        let seed = 9;
        let mut rng = Rng::seed(seed);
        for round in 0..5000 {
            let signed = rng.chance(1, 2);
            let bits = 1 + rng.below(if signed { 64 } else { 63 }) as u32;
            let field = FieldType { signed, bits };
            let mut bytes = [0u8; 24];
            rng.fill(&mut bytes);
            let before = bytes;
            let offset = rng.below(24 * 8 - u64::from(bits) + 1);
            let value = field.fit(i128::from(rng.next_u64()), Overflow::Wrap).unwrap();
            field.write(&mut bytes, offset, value);
            let replay = format!("seed {seed} round {round}: {field:?} at {offset}");
            assert_eq!(field.read(&bytes, offset), value, "{replay}");
            for at in 0..24 * 8 {
                let inside = (offset..offset + u64::from(bits)).contains(&at);
                let (old, new) = (before[at as usize / 8], bytes[at as usize / 8]);
                assert!(inside || (old ^ new) & (0x80 >> (at % 8)) == 0, "{replay}: bit {at}");
            }
        }
    }

    #[test]
    fn overflow_by_each_policy() {
        let (u8_type, i8_type) =
            (FieldType { signed: false, bits: 8 }, FieldType { signed: true, bits: 8 });
        assert_eq!(u8_type.fit(300, Overflow::Wrap), Some(44));
        assert_eq!(u8_type.fit(-1, Overflow::Saturate), Some(0));
        assert_eq!(u8_type.fit(u8_type.wanted(-1), Overflow::Saturate), Some(255));
        assert_eq!(i8_type.fit(-129, Overflow::Wrap), Some(127));
        assert_eq!(i8_type.fit(-129, Overflow::Saturate), Some(-128));
        assert_eq!(i8_type.fit(128, Overflow::Fail), None);
        assert_eq!(i8_type.fit(i8_type.wanted(i64::MIN + 128), Overflow::Saturate), Some(-128));
        assert_eq!(i8_type.fit(i8_type.wanted(i64::MIN + 127), Overflow::Saturate), Some(127));
        assert_eq!(i8_type.fit(i8_type.wanted(i64::MIN + 127), Overflow::Wrap), Some(127));
        let i64_type = FieldType { signed: true, bits: 64 };
        assert_eq!(i64_type.fit(i64_type.wanted(i64::MIN), Overflow::Saturate), Some(i64::MIN));
        let beyond = i128::from(i64::MAX) + 1;
        assert_eq!(i64_type.fit(beyond, Overflow::Wrap), Some(i64::MIN));
        assert_eq!(i64_type.fit(beyond, Overflow::Saturate), Some(i64::MAX));
    }
}
