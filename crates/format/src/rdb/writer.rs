//! Writes the primitives of the format.
//!
//! ```text
//!   length    00nnnnnn                       below 64
//!             01nnnnnn n8                    below 16,384
//!             0x80 n32, 0x81 n64             beyond; big-endian, as the two above
//!   string    length, bytes
//!             0xC0 i8, 0xC1 i16, 0xC2 i32    the text of an integer; little-endian
//!             0xC3 length length bytes       LZF: compressed and full size
//!   double    f64                            little-endian
//! ```

use stdx::num::parse_i64;

use crate::Sink;

/// Marks a length of 32 bits.
pub(super) const LEN_32: u8 = 0x80;
/// Marks a length of 64 bits.
pub(super) const LEN_64: u8 = 0x81;
/// Marks a string that is no sequence of bytes; the low bits say which.
pub(super) const SPECIAL: u8 = 0xc0;
/// Low bits of an integer of 8, 16 and 32 bits, and of an LZF stream.
pub(super) const INT_8: u8 = 0;
/// See [`INT_8`].
pub(super) const INT_16: u8 = 1;
/// See [`INT_8`].
pub(super) const INT_32: u8 = 2;
/// See [`INT_8`].
pub(super) const LZF: u8 = 3;

/// Longer texts are not integers of 32 bits.
const INT_TEXT_MAX: usize = 11;
/// Shorter strings are not worth a compression.
const COMPRESSED_FROM_BYTES: usize = 21;
/// A compressed form that saves less is not written.
const SAVED_BYTES_MIN: usize = 4;

/// Writes primitives into a sink.
#[derive(Debug)]
pub struct Writer<'s, S> {
    sink: &'s mut S,
    /// Whether long strings are compressed (`rdbcompression`).
    compress: bool,
}

impl<'s, S: Sink> Writer<'s, S> {
    /// A writer into `sink` that compresses strings or does not.
    pub const fn new(sink: &'s mut S, compress: bool) -> Self {
        Self { sink, compress }
    }

    /// Bytes as they are.
    ///
    /// # Errors
    /// Those of the sink; so for all that write.
    pub fn raw(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        self.sink.put(bytes)
    }

    /// A length, or another unsigned number.
    ///
    /// # Errors
    /// As [`Writer::raw`].
    pub fn length(&mut self, length: u64) -> Result<(), S::Error> {
        let bytes = length.to_be_bytes();
        match length {
            0..0x40 => self.raw(&bytes[7..]),
            0x40..0x4000 => self.raw(&[0x40 | bytes[6], bytes[7]]),
            _ if u32::try_from(length).is_ok() => {
                self.raw(&[LEN_32])?;
                self.raw(&bytes[4..])
            }
            _ => {
                self.raw(&[LEN_64])?;
                self.raw(&bytes)
            }
        }
    }

    /// A string in its shortest form.
    ///
    /// # Errors
    /// As [`Writer::raw`].
    pub fn string(&mut self, text: &[u8]) -> Result<(), S::Error> {
        if text.len() <= INT_TEXT_MAX
            && let Some(value) = parse_i64(text)
        {
            return self.integer(value);
        }
        if self.compress
            && text.len() >= COMPRESSED_FROM_BYTES
            && let Some(stream) = stdx::lzf::compress(text, text.len() - SAVED_BYTES_MIN)
        {
            return self.compressed(&stream, text.len());
        }
        self.length(text.len() as u64)?;
        self.raw(text)
    }

    /// The text of an integer.
    ///
    /// # Errors
    /// As [`Writer::raw`].
    pub fn integer(&mut self, value: i64) -> Result<(), S::Error> {
        let bytes = value.to_le_bytes();
        match value {
            -0x80..=0x7f => self.raw(&[SPECIAL | INT_8, bytes[0]]),
            -0x8000..=0x7fff => self.raw(&[SPECIAL | INT_16, bytes[0], bytes[1]]),
            -0x8000_0000..=0x7fff_ffff => {
                self.raw(&[SPECIAL | INT_32, bytes[0], bytes[1], bytes[2], bytes[3]])
            }
            _ => {
                let mut digits = itoa::Buffer::new();
                let text = digits.format(value).as_bytes();
                self.length(text.len() as u64)?;
                self.raw(text)
            }
        }
    }

    /// A string of `len` bytes of which there is an LZF stream already.
    ///
    /// # Errors
    /// As [`Writer::raw`].
    pub fn compressed(&mut self, stream: &[u8], len: usize) -> Result<(), S::Error> {
        self.raw(&[SPECIAL | LZF])?;
        self.length(stream.len() as u64)?;
        self.length(len as u64)?;
        self.raw(stream)
    }

    /// A double.
    ///
    /// # Errors
    /// As [`Writer::raw`].
    pub fn double(&mut self, value: f64) -> Result<(), S::Error> {
        self.raw(&value.to_le_bytes())
    }
}
