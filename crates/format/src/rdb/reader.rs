//! Reads the primitives of the format from bytes that nobody has checked. [`writer`](super::writer)
//! says how they look.

use std::borrow::Cow;

use super::decode::DecodeError;
use super::writer::{INT_8, INT_16, INT_32, LEN_32, LEN_64, LZF, SPECIAL};

const NO_LENGTH: DecodeError = DecodeError::Corrupt("a length is not in its form");

const NO_STRING: DecodeError = DecodeError::Corrupt("a string is of no known form");

/// A cursor over bytes.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

/// What stands where a length may.
enum Length {
    Plain(u64),
    Special(u8),
}

type Read<T> = Result<T, DecodeError>;

impl<'a> Reader<'a> {
    /// Begins at the first of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// If there are not so many; nor are there for the methods below, which all read more.
    pub fn take(&mut self, len: u64) -> Read<&'a [u8]> {
        let len = usize::try_from(len).map_err(|_| DecodeError::Truncated)?;
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    /// As [`Reader::take`].
    pub fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// The next byte.
    ///
    /// # Errors
    /// As [`Reader::take`].
    pub fn byte(&mut self) -> Read<u8> {
        self.array().map(|[byte]| byte)
    }

    /// A length, or another unsigned number.
    ///
    /// # Errors
    /// If none stands here.
    pub fn length(&mut self) -> Read<u64> {
        match self.length_or_special()? {
            Length::Plain(length) => Ok(length),
            Length::Special(_) => Err(NO_LENGTH),
        }
    }

    fn length_or_special(&mut self) -> Read<Length> {
        let first = self.byte()?;
        Ok(Length::Plain(match first {
            0..0x40 => u64::from(first),
            0x40..0x80 => u64::from(first & 0x3f) << 8 | u64::from(self.byte()?),
            LEN_32 => u64::from(u32::from_be_bytes(self.array()?)),
            LEN_64 => u64::from_be_bytes(self.array()?),
            SPECIAL.. => return Ok(Length::Special(first & !SPECIAL)),
            _ => return Err(NO_LENGTH),
        }))
    }

    /// A string in any form.
    ///
    /// # Errors
    /// If none stands here, or its compressed form is damaged.
    pub fn string(&mut self) -> Read<Cow<'a, [u8]>> {
        let integer = match self.length_or_special()? {
            Length::Plain(len) => return self.take(len).map(Cow::Borrowed),
            Length::Special(INT_8) => i64::from(i8::from_le_bytes(self.array()?)),
            Length::Special(INT_16) => i64::from(i16::from_le_bytes(self.array()?)),
            Length::Special(INT_32) => i64::from(i32::from_le_bytes(self.array()?)),
            Length::Special(LZF) => return self.compressed().map(Cow::Owned),
            Length::Special(_) => return Err(NO_STRING),
        };
        Ok(Cow::Owned(itoa::Buffer::new().format(integer).as_bytes().to_vec()))
    }

    /// Steps over a string in any form, and does not look into it.
    ///
    /// # Errors
    /// If none stands here.
    pub fn skip_string(&mut self) -> Read<()> {
        let len = match self.length_or_special()? {
            Length::Plain(len) => len,
            Length::Special(INT_8) => 1,
            Length::Special(INT_16) => 2,
            Length::Special(INT_32) => 4,
            Length::Special(LZF) => {
                let stream_len = self.length()?;
                self.length()?;
                stream_len
            }
            Length::Special(_) => return Err(NO_STRING),
        };
        self.take(len).map(drop)
    }

    fn compressed(&mut self) -> Read<Vec<u8>> {
        let (stream_len, len) = (self.length()?, self.length()?);
        let stream = self.take(stream_len)?;
        let damaged = DecodeError::Corrupt("an LZF stream is damaged");
        let len = usize::try_from(len).map_err(|_| damaged)?;
        // It reserves no more than so long a stream can stand for.
        stdx::lzf::decompress(stream, len).map_err(|_| damaged)
    }

    /// A binary double that is a number.
    ///
    /// # Errors
    /// If it is not.
    pub fn double(&mut self) -> Read<f64> {
        number(f64::from_le_bytes(self.array()?))
    }

    /// A double as text, or one of the words for those that have none. It must be a number.
    ///
    /// # Errors
    /// If it is not.
    pub fn double_text(&mut self) -> Read<f64> {
        match self.byte()? {
            253 => number(f64::NAN),
            254 => Ok(f64::INFINITY),
            255 => Ok(f64::NEG_INFINITY),
            len => number(stdx::num::parse_f64(self.take(len.into())?).unwrap_or(f64::NAN)),
        }
    }

    /// Steps over a double as text.
    ///
    /// # Errors
    /// If none stands here.
    pub fn skip_double_text(&mut self) -> Read<()> {
        match self.byte()? {
            253.. => Ok(()),
            len => self.take(len.into()).map(drop),
        }
    }
}

fn number(value: f64) -> Read<f64> {
    if value.is_nan() { Err(DecodeError::Corrupt("a score is not a number")) } else { Ok(value) }
}
