//! One element of an array in one word.
//!
//! ```text
//!   63                                              8 7      2 1 0
//!  ┌──────────────────────────────────────────────────────────┬───┐
//!  │ pointer to shared bytes                                  │ 0 │   any other text
//!  ├──────────────────────────────────────────────────────────┼───┤
//!  │ integer, 62 bits                                         │ 1 │   -17
//!  ├─────────────────────────────────────────────────┬────────┼───┤
//!  │ up to seven bytes                               │ length │ 2 │   warn
//!  ├─────────────────────────────────────────────────┼────────┼───┤
//!  │ integer, 56 bits                                │ digits │ 3 │   3.14159
//!  └─────────────────────────────────────────────────┴────────┴───┘
//! ```
//!
//! A decimal fraction is the integer without its point, and how many digits stand behind it. Texts
//! are kept to the letter: one is a number here only if writing that number gives it again, so
//! `007`, `-0.0` and `1e5` are texts. Each text has one word: equal texts outside of shared bytes
//! have equal words.

use std::fmt;
use std::ptr::NonNull;

use stdx::num::{parse_i64, write_i64};

use crate::bytes::SharedBytes;

const TAG: usize = 0b11;
const TAG_BITS: u32 = 2;
const TEXT: usize = 0;
const INTEGER: usize = 1;
const SHORT: usize = 2;
const DECIMAL: usize = 3;

/// Above the tag of short texts and decimals: a length or a number of digits.
const SMALL_MASK: usize = 0b11_1111;
/// Where the seven bytes, or the 56 bits, begin.
const BODY_BITS: u32 = 8;
const SHORT_MAX: usize = 7;
/// The bytes of a short text are those of the word in memory that are not the lowest one.
const SHORT_AT: usize = if cfg!(target_endian = "little") { 1 } else { 0 };
/// The longest text that is looked at as a decimal: 17 digits do not fit 56 bits.
const DECIMAL_LEN_MAX: usize = 18;

const _: () = assert!(size_of::<usize>() == 8 && size_of::<SharedBytes>() == 8);

/// An element; see the module page.
///
/// Invariant: with the tag `TEXT` the word is a valid `SharedBytes`, of which it owns one
/// reference; else it is no pointer, and laid out as the page shows.
#[repr(transparent)]
pub(super) struct Value {
    word: NonNull<u8>,
}

// SAFETY: the word is a `SharedBytes`, which is `Send`, or plain data.
unsafe impl Send for Value {}
// SAFETY: as above; `SharedBytes` is `Sync`.
unsafe impl Sync for Value {}

/// Room for the text of a number.
#[derive(Debug, Default)]
pub struct Digits(Vec<u8>);

/// A borrowed element.
#[derive(Clone, Copy, Debug)]
pub enum Element<'a> {
    /// The decimal form of an integer.
    Integer(i64),
    /// The decimal form of `.0` divided by ten to the power of `.1`, with so many digits behind the
    /// point.
    Decimal(i64, u32),
    /// A short text.
    Short(&'a [u8]),
    /// Any other text; clone it to keep it beyond the borrow.
    Text(&'a SharedBytes),
}

impl Value {
    /// The element with this text.
    pub(super) fn new(text: &[u8]) -> Self {
        let word = match parse_i64(text) {
            Some(number) if fits(number, 64 - TAG_BITS) => (number as usize) << TAG_BITS | INTEGER,
            _ if text.len() <= SHORT_MAX => {
                let mut bytes = [0; 8];
                bytes[SHORT_AT..SHORT_AT + text.len()].copy_from_slice(text);
                usize::from_ne_bytes(bytes) | text.len() << TAG_BITS | SHORT
            }
            _ => match parse_decimal(text) {
                Some((number, digits)) => {
                    (number as usize) << BODY_BITS | (digits as usize) << TAG_BITS | DECIMAL
                }
                None => return Self::shared(SharedBytes::from(text)),
            },
        };
        let word = NonNull::new(std::ptr::without_provenance_mut(word));
        Self { word: word.expect("the tag is not zero") }
    }

    fn shared(bytes: SharedBytes) -> Self {
        // SAFETY: both are one word; the reference that `bytes` owns is the value's from now on,
        // and its address is aligned, which leaves the tag `TEXT`.
        let value: Self = unsafe { std::mem::transmute(bytes) };
        debug_assert_eq!(value.tag(), TEXT);
        value
    }

    #[inline]
    fn bits(&self) -> usize {
        self.word.addr().get()
    }

    #[inline]
    fn tag(&self) -> usize {
        self.bits() & TAG
    }

    /// What it is.
    #[inline]
    pub(super) fn element(&self) -> Element<'_> {
        let bits = self.bits();
        let small = bits >> TAG_BITS & SMALL_MASK;
        match bits & TAG {
            INTEGER => Element::Integer(bits as i64 >> TAG_BITS),
            SHORT => {
                // SAFETY: a short text's word is plain data, and `small`, at most seven, of its
                // bytes from `SHORT_AT` on are the text, which lives as long as `self`.
                Element::Short(unsafe {
                    let start = std::ptr::from_ref(self).cast::<u8>().add(SHORT_AT);
                    std::slice::from_raw_parts(start, small)
                })
            }
            DECIMAL => Element::Decimal(bits as i64 >> BODY_BITS, small as u32),
            // SAFETY: by the invariant the word is a valid `SharedBytes`.
            _ => Element::Text(unsafe { &*std::ptr::from_ref(self).cast::<SharedBytes>() }),
        }
    }

    /// The bytes that it occupies beside its word.
    pub(super) fn heap_bytes(&self) -> usize {
        match self.element() {
            Element::Text(text) => text.allocated_bytes(),
            _ => 0,
        }
    }
}

impl Clone for Value {
    fn clone(&self) -> Self {
        match self.element() {
            Element::Text(text) => Self::shared(text.clone()),
            _ => Self { word: self.word },
        }
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        if self.tag() == TEXT {
            // SAFETY: by the invariant the word is a valid `SharedBytes`; it is not used again.
            unsafe { std::ptr::from_mut(self).cast::<SharedBytes>().drop_in_place() };
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.element().fmt(f)
    }
}

impl Element<'_> {
    /// The text; `digits` lends the room for that of a number.
    pub fn text<'b>(self, digits: &'b mut Digits) -> &'b [u8]
    where
        Self: 'b,
    {
        match self {
            Self::Integer(number) => {
                digits.0.clear();
                write_i64(&mut digits.0, number);
                &digits.0
            }
            Self::Decimal(number, behind) => {
                write_decimal(&mut digits.0, number, behind);
                &digits.0
            }
            Self::Short(text) => text,
            Self::Text(text) => text.as_slice(),
        }
    }
}

/// Whether a number is the same when it is cut to so many bits.
const fn fits(number: i64, bits: u32) -> bool {
    number << (64 - bits) >> (64 - bits) == number
}

/// The integer and the digits behind the point of a decimal fraction, if that is all there is to
/// its text.
fn parse_decimal(text: &[u8]) -> Option<(i64, u32)> {
    if text.len() > DECIMAL_LEN_MAX {
        return None;
    }
    let point = text.iter().position(|&byte| byte == b'.')?;
    let mut number = 0_i64;
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    for &byte in unsigned.iter().filter(|&&byte| byte != b'.') {
        let digit = byte.wrapping_sub(b'0');
        number = (digit <= 9).then(|| number * 10 + i64::from(digit))?;
    }
    let number = if unsigned.len() < text.len() { -number } else { number };
    let behind = (text.len() - point - 1) as u32;
    let mut written = Vec::with_capacity(DECIMAL_LEN_MAX);
    write_decimal(&mut written, number, behind);
    (fits(number, 64 - BODY_BITS) && written == text).then_some((number, behind))
}

/// Writes a decimal fraction with `behind` digits behind its point.
fn write_decimal(out: &mut Vec<u8>, number: i64, behind: u32) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(number.unsigned_abs()).as_bytes();
    let behind = behind as usize;
    out.clear();
    if number < 0 {
        out.push(b'-');
    }
    match digits.len().checked_sub(behind).filter(|&whole| whole > 0) {
        Some(whole) => {
            out.extend_from_slice(&digits[..whole]);
            out.push(b'.');
            out.extend_from_slice(&digits[whole..]);
        }
        None => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + behind - digits.len(), b'0');
            out.extend_from_slice(digits);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_to_the_letter() {
        let texts: &[(&str, &str)] = &[
            ("0", "i"),
            ("-1", "i"),
            ("2305843009213693951", "i"),
            ("-2305843009213693952", "i"),
            ("2305843009213693952", "t"),
            ("9223372036854775807", "t"),
            ("", "s"),
            ("a", "s"),
            ("007", "s"),
            ("seven77", "s"),
            ("1.5", "s"),
            ("eight888", "t"),
            ("3.14159265", "d"),
            ("-2.7182818", "d"),
            ("-0.000001", "d"),
            ("1000000.0", "d"),
            ("-9999999.0", "d"),
            ("36028797018963.967", "d"),
            ("36028797018963.968", "t"),
            ("-0.000000", "t"),
            ("00000.25", "t"),
            ("12345678.", "d"),
            (".12345678", "t"),
            ("1.2345.678", "t"),
            ("1.0e-10000", "t"),
            ("-.12345678", "t"),
        ];
        let mut digits = Digits::default();
        for &(text, form) in texts {
            let value = Value::new(text.as_bytes());
            let found = match value.element() {
                Element::Integer(_) => "i",
                Element::Decimal(..) => "d",
                Element::Short(_) => "s",
                Element::Text(_) => "t",
            };
            assert_eq!(found, form, "{text}");
            assert_eq!(value.clone().element().text(&mut digits), text.as_bytes());
            drop(value);
        }
    }

    #[test]
    fn long_texts_are_shared() {
        let value = Value::new(&[b'x'; 100]);
        let Element::Text(text) = value.element() else { panic!("a long text") };
        assert!(!text.is_shared());
        let copy = value.clone();
        assert!(text.is_shared() && value.heap_bytes() >= 100);
        drop(copy);
        let Element::Text(text) = value.element() else { panic!("a long text") };
        assert!(!text.is_shared());
    }
}
