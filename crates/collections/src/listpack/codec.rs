//! One element of a listpack: how it is written and read.
//!
//! ```text
//!   ┌─────────────────┬───────────────┬─────────┐
//!   │ kind, size, int │ string bytes  │ backlen │
//!   └─────────────────┴───────────────┴─────────┘
//!     first byte        then
//!     0nnnnnnn                                    integer 0..=127
//!     10llllll          l string bytes            string of up to 63 bytes
//!     110nnnnn          1 byte                    integer of 13 bits, big-endian
//!     1110llll          1 byte, l string bytes    string of up to 4095 bytes, big-endian length
//!     0xF0              4 bytes, l string bytes   string, little-endian length
//!     0xF1 .. 0xF4      2, 3, 4, 8 bytes          integer, little-endian
//!     0xFF                                        the end of the listpack
//! ```
//!
//! The backlen is the size of what stands before it, in groups of seven bits with the most
//! significant first; every group but the first has its top bit set. Read from behind it says where
//! the element begins.

use std::ops::Range;

use super::Item;

/// Marks the end of a listpack.
pub(super) const END: u8 = 0xff;

/// The sizes up to which a backlen has 1, 2, 3 and 4 bytes. The odd ones out are the format's own:
/// other programs compute the same.
const BACKLEN_STEPS: [usize; 4] = [127, 16_382, 2_097_150, 268_435_454];

/// How many bytes the backlen of `size` takes.
pub(super) fn backlen_bytes(size: usize) -> usize {
    1 + BACKLEN_STEPS.iter().filter(|&&step| size > step).count()
}

/// An element ready to be written: what stands before the string, the string, the backlen.
pub(super) struct Encoded<'a> {
    head: [u8; 9],
    head_len: usize,
    body: &'a [u8],
    backlen: [u8; 5],
    backlen_len: usize,
}

impl<'a> Encoded<'a> {
    /// The shortest form: a string that is the canonical text of an integer becomes one.
    pub(super) fn new(item: Item<'a>) -> Self {
        let (mut head, mut body) = ([0; 9], &[][..]);
        let head_len = match item {
            Item::Int(value) => int_head(&mut head, value),
            Item::Bytes(text) => match stdx::num::parse_i64(text) {
                Some(value) => int_head(&mut head, value),
                None => {
                    body = text;
                    string_head(&mut head, text.len())
                }
            },
        };
        let size = head_len + body.len();
        let backlen_len = backlen_bytes(size);
        Self { head, head_len, body, backlen: backlen(size), backlen_len }
    }

    /// The three parts, in order.
    pub(super) fn parts(&self) -> [&[u8]; 3] {
        [&self.head[..self.head_len], self.body, &self.backlen[..self.backlen_len]]
    }

    /// The bytes of all parts.
    pub(super) fn len(&self) -> usize {
        self.head_len + self.body.len() + self.backlen_len
    }
}

fn int_head(head: &mut [u8; 9], value: i64) -> usize {
    let bytes = value.to_le_bytes();
    let (kind, width) = match value {
        0..=127 => {
            head[0] = bytes[0];
            return 1;
        }
        -4096..=4095 => {
            head[0] = 0xc0 | bytes[1] & 0x1f;
            head[1] = bytes[0];
            return 2;
        }
        -0x8000..=0x7fff => (0xf1, 2),
        -0x80_0000..=0x7f_ffff => (0xf2, 3),
        -0x8000_0000..=0x7fff_ffff => (0xf3, 4),
        _ => (0xf4, 8),
    };
    head[0] = kind;
    head[1..=width].copy_from_slice(&bytes[..width]);
    1 + width
}

fn string_head(head: &mut [u8; 9], len: usize) -> usize {
    let bytes = len.to_le_bytes();
    match len {
        0..=63 => {
            head[0] = 0x80 | bytes[0];
            1
        }
        64..=4095 => {
            head[0] = 0xe0 | bytes[1];
            head[1] = bytes[0];
            2
        }
        _ => {
            head[0] = 0xf0;
            head[1..5].copy_from_slice(&bytes[..4]);
            5
        }
    }
}

fn backlen(size: usize) -> [u8; 5] {
    let mut bytes = [0; 5];
    let len = backlen_bytes(size);
    for (index, byte) in bytes[..len].iter_mut().enumerate() {
        let group = (size >> (7 * (len - 1 - index)) & 0x7f) as u8;
        *byte = if index == 0 { group } else { group | 0x80 };
    }
    bytes
}

/// Where the parts of an element are; every offset counts from the beginning of the listpack.
pub(super) struct Decoded {
    /// The integer, or the place of the string.
    pub(super) value: Value,
    /// Where the backlen begins.
    backlen_at: usize,
    /// Where the next element begins.
    pub(super) end: usize,
}

/// What an element holds.
pub(super) enum Value {
    Int(i64),
    String(Range<usize>),
}

/// Reads the element at `at`; none if `at` is the end mark, no element begins there, or it would
/// end outside `bytes`. The backlen is not looked at.
#[inline]
pub(super) fn decode(bytes: &[u8], at: usize) -> Option<Decoded> {
    let first = *bytes.get(at)?;
    match short_string_len(first) {
        Some(len) => {
            let (value, backlen_at) = string(at + 1, len);
            let end = backlen_at + 1;
            (end <= bytes.len()).then_some(Decoded { value, backlen_at, end })
        }
        None => decode_other(bytes, at, first),
    }
}

/// Where the element at `at` ends, and another or the end mark begins; none as for [`decode`].
#[inline]
pub(super) fn end_of(bytes: &[u8], at: usize) -> Option<usize> {
    let first = *bytes.get(at)?;
    match short_string_len(first) {
        Some(len) => Some(at + 1 + len + 1).filter(|&end| end <= bytes.len()),
        None => decode_other(bytes, at, first).map(|element| element.end),
    }
}

/// The length of a string of the kind that is short, as most elements are: one byte stands before
/// it and one behind it.
#[inline]
fn short_string_len(first: u8) -> Option<usize> {
    (first & 0xc0 == 0x80).then_some(usize::from(first & 0x3f))
}

/// As [`decode`], of an element that begins with `first`.
fn decode_other(bytes: &[u8], at: usize, first: u8) -> Option<Decoded> {
    let (value, backlen_at) = match first {
        0..=0x7f => (Value::Int(i64::from(first)), at + 1),
        0x80..=0xbf => string(at + 1, usize::from(first & 0x3f)),
        0xc0..=0xdf => {
            let raw = u16::from(first & 0x1f) << 8 | u16::from(*bytes.get(at + 1)?);
            // Thirteen bits moved to the top and back spread the sign.
            (Value::Int(i64::from((raw << 3) as i16 >> 3)), at + 2)
        }
        0xe0..=0xef => {
            let len = usize::from(first & 0x0f) << 8 | usize::from(*bytes.get(at + 1)?);
            string(at + 2, len)
        }
        0xf0 => {
            let len = bytes.get(at + 1..at + 5)?.try_into().ok()?;
            string(at + 5, u32::from_le_bytes(len) as usize)
        }
        0xf1..=0xf4 => {
            let width = [2, 3, 4, 8][usize::from(first - 0xf1)];
            let digits = bytes.get(at + 1..at + 1 + width)?;
            (Value::Int(sign_extended(digits)), at + 1 + width)
        }
        _ => return None,
    };
    let end = backlen_at + backlen_bytes(backlen_at - at);
    (end <= bytes.len()).then_some(Decoded { value, backlen_at, end })
}

fn string(start: usize, len: usize) -> (Value, usize) {
    (Value::String(start..start + len), start + len)
}

/// A little-endian integer of at most eight bytes.
fn sign_extended(digits: &[u8]) -> i64 {
    let mut word = [0; 8];
    word[8 - digits.len()..].copy_from_slice(digits);
    i64::from_le_bytes(word) >> (64 - 8 * digits.len())
}

impl Decoded {
    /// Whether the backlen of the element that began at `at` says its size.
    pub(super) fn backlen_agrees(&self, bytes: &[u8], at: usize) -> bool {
        let size = self.backlen_at - at;
        bytes[self.backlen_at..self.end] == backlen(size)[..backlen_bytes(size)]
    }
}

/// Where the element begins that ends at `end`; none if no backlen stands there.
#[inline]
pub(super) fn start_of(bytes: &[u8], end: usize) -> Option<usize> {
    let mut size = 0;
    for group in 0..5 {
        let byte = *bytes.get(end.checked_sub(group + 1)?)?;
        size |= usize::from(byte & 0x7f) << (7 * group);
        if byte & 0x80 == 0 {
            return end.checked_sub(group + 1 + size);
        }
    }
    None
}
