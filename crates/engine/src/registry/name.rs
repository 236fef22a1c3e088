//! Names of commands, which are the same in any case, compared in a few instructions.

/// Two ends cover a name of this length.
const WHOLE_LEN_MAX: usize = 16;

/// A name with what is compared of it: its length and its ends in lower case. The ends are up to
/// eight bytes each and overlap where they must.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    text: &'a [u8],
    ends: [u64; 2],
}

impl<'a> Name<'a> {
    /// This name, in whatever case.
    #[inline]
    #[must_use]
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, ends: ends(text).map(lower) }
    }

    /// As it was written.
    #[must_use]
    pub const fn text(&self) -> &'a [u8] {
        self.text
    }

    /// A hash of it, the same in any case.
    #[inline]
    pub(super) const fn hash(&self) -> u64 {
        const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
        let [first, last] = self.ends;
        let mixed = (first ^ last.rotate_left(29)).wrapping_mul(MULTIPLIER);
        (mixed ^ (mixed >> 32)).wrapping_mul(MULTIPLIER)
    }
}

impl PartialEq<Name<'_>> for Name<'_> {
    #[inline]
    fn eq(&self, other: &Name<'_>) -> bool {
        self.ends == other.ends
            && self.text.len() == other.text.len()
            && (self.text.len() <= WHOLE_LEN_MAX || self.text.eq_ignore_ascii_case(other.text))
    }
}

/// The first and the last bytes of a text. Not all that are the same belong to the same text, if
/// the lengths differ or are above [`WHOLE_LEN_MAX`].
#[inline]
fn ends(text: &[u8]) -> [u64; 2] {
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return [u64::from_le_bytes(*first), u64::from_le_bytes(*last)];
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        return [u32::from_le_bytes(*first), u32::from_le_bytes(*last)].map(u64::from);
    }
    match *text {
        [a, b, c] => [u64::from(a) | u64::from(b) << 8, u64::from(c)],
        [a, b] => [u64::from(a), u64::from(b)],
        [a] => [u64::from(a), 0],
        _ => [0, 0],
    }
}

/// Eight bytes at once in lower case: those from `A` to `Z` get the bit that small letters have.
#[inline]
const fn lower(bytes: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const TOP: u64 = 0x80 * EACH;
    let low_bits = bytes & !TOP;
    // The top bit of a byte is set where the sum reaches it; none reaches the next byte.
    let from_a = low_bits + (0x80 - b'A' as u64) * EACH;
    let beyond_z = low_bits + (0x7f - b'Z' as u64) * EACH;
    let capitals = from_a & !beyond_z & !bytes & TOP;
    bytes | capitals >> 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bytes_are_lowered_as_one_is() {
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                let mut bytes = *b"aZ\xff@[09_";
                bytes[place] = byte;
                let expected = bytes.map(|byte| byte.to_ascii_lowercase());
                assert_eq!(lower(u64::from_le_bytes(bytes)).to_le_bytes(), expected);
            }
        }
    }

    #[test]
    fn names_are_the_same_in_any_case_and_differ_by_any_byte() {
        for len in 0..40 {
            let text: Vec<u8> = (b'a'..=b'z').cycle().take(len).collect();
            let (capital, name) = (text.to_ascii_uppercase(), Name::new(&text));
            assert!(name == Name::new(&capital));
            assert_eq!(name.hash(), Name::new(&capital).hash());
            for place in 0..len {
                let mut other = text.clone();
                other[place] = b'-';
                assert!(name != Name::new(&other), "{len} {place}");
            }
            assert!(name != Name::new(&[&text[..], b"\0"].concat()), "{len}");
        }
    }
}
