//! The format language of `struct`.
//!
//! | letter | member |
//! |---|---|
//! | `b` `B` | signed, unsigned integer of 1 byte |
//! | `h` `H` | of 2 bytes |
//! | `l` `L`, `T` | of 8 bytes; `T` is unsigned |
//! | `i` `I` | of 4 bytes, or as many as a number behind it says, 32 at most |
//! | `f` `d` | floats of 4 and 8 bytes |
//! | `x` | a byte of padding |
//! | `cN` | N bytes, one without a number; with 0 as many as there are, or the value before says |
//! | `s` | a string that ends with a zero byte |
//!
//! `>` and `<` choose the byte order of what follows, `!N` aligns it at multiples of N (8 without a
//! number) or of its size where that is smaller, and a space means nothing.

use super::Failure;

/// What an item of a format stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Integer {
        signed: bool,
    },
    Float,
    Double,
    Padding,
    Bytes,
    Terminated,
    /// A setting, or a letter that means nothing.
    Other(u8),
}

/// One item of a format.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) member: Member,
    /// Bytes that it takes; none if that depends on the value, and for what is no member.
    pub(super) size: u64,
}

/// A format that is being read, with the settings that hold where it is.
#[derive(Debug)]
pub(super) struct Format<'a> {
    rest: &'a [u8],
    pub(super) big_endian: bool,
    /// A power of two.
    align: u64,
}

impl<'a> Format<'a> {
    const INTEGER_SIZE_MAX: u64 = 32;
    const DEFAULT_ALIGNMENT: u64 = 8;

    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { rest: text, big_endian: cfg!(target_endian = "big"), align: 1 }
    }

    /// The next item, none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Item>, Failure> {
        let [letter, rest @ ..] = self.rest else {
            return Ok(None);
        };
        self.rest = rest;
        let integer = Member::Integer { signed: letter.is_ascii_lowercase() };
        let (member, size) = match letter {
            b'b' | b'B' => (integer, 1),
            b'h' | b'H' => (integer, 2),
            b'l' | b'L' | b'T' => (integer, 8),
            b'i' | b'I' => (integer, self.integer_size()?),
            b'f' => (Member::Float, 4),
            b'd' => (Member::Double, 8),
            b'x' => (Member::Padding, 1),
            b'c' => (Member::Bytes, self.number(1)?),
            b's' => (Member::Terminated, 0),
            _ => (Member::Other(*letter), 0),
        };
        Ok(Some(Item { member, size }))
    }

    /// Obeys a setting.
    pub(super) fn control(&mut self, letter: u8) -> Result<(), Failure> {
        match letter {
            b' ' => {}
            b'>' => self.big_endian = true,
            b'<' => self.big_endian = false,
            b'!' => {
                let align = self.number(Self::DEFAULT_ALIGNMENT)?;
                if !align.is_power_of_two() {
                    return Err(Failure::error(format!("alignment {align} is not a power of 2")));
                }
                self.align = align;
            }
            _ => {
                let mut text = b"invalid format option '".to_vec();
                text.extend([letter, b'\'']);
                return Err(Failure::argument(1, text));
            }
        }
        Ok(())
    }

    /// Bytes of padding that an item needs at this distance from the start. For sizes that are no
    /// power of two the result makes little sense, and is what it always was.
    pub(super) fn padding(&self, at: u64, item: &Item) -> u64 {
        let size = item.size.min(self.align);
        if size <= 1 || item.member == Member::Bytes {
            return 0;
        }
        (size - (at & (size - 1))) & (size - 1)
    }

    fn integer_size(&mut self) -> Result<u64, Failure> {
        let size = self.number(4)?;
        if size > Self::INTEGER_SIZE_MAX {
            let max = Self::INTEGER_SIZE_MAX;
            let text = format!("integral size {size} is larger than limit of {max}");
            return Err(Failure::error(text));
        }
        Ok(size)
    }

    /// The decimal number here, or `absent` if there is none.
    fn number(&mut self, absent: u64) -> Result<u64, Failure> {
        let len = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if len == 0 {
            return Ok(absent);
        }
        let (digits, rest) = self.rest.split_at(len);
        self.rest = rest;
        digits
            .iter()
            .try_fold(0_i32, |sum, digit| sum.checked_mul(10)?.checked_add(i32::from(digit - b'0')))
            .and_then(|number| u64::try_from(number).ok())
            .ok_or_else(|| Failure::error("integral size overflow"))
    }
}
