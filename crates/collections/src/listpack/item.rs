//! An element of a listpack as its callers see it, and a string to compare elements with.

use stdx::num;

use super::codec::Encoded;

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// An integer, or a string that is the canonical decimal form of one.
    Int(i64),
    /// Any other string. When written, the text of an integer is recognized and becomes one.
    Bytes(&'a [u8]),
}

impl<'a> Item<'a> {
    /// The element as text; `digits` lends the room for an integer's.
    #[inline]
    pub fn text<'b>(self, digits: &'b mut itoa::Buffer) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Self::Int(value) => digits.format(value).as_bytes(),
            Self::Bytes(text) => text,
        }
    }

    /// The length of the text in bytes.
    #[must_use]
    pub fn text_len(self) -> usize {
        match self {
            Self::Int(value) => num::decimal_len(value),
            Self::Bytes(text) => text.len(),
        }
    }

    /// Appends the text to `out`.
    pub fn write_text(self, out: &mut Vec<u8>) {
        match self {
            Self::Int(value) => num::write_i64(out, value),
            Self::Bytes(text) => out.extend_from_slice(text),
        }
    }

    /// The element as an integer, if it is one.
    #[must_use]
    pub fn as_int(self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(value),
            Self::Bytes(text) => num::parse_i64(text),
        }
    }

    /// How many bytes the element takes in a listpack.
    #[must_use]
    pub fn packed_bytes(self) -> usize {
        Encoded::new(self).len()
    }
}

impl<'a> From<&'a [u8]> for Item<'a> {
    fn from(text: &'a [u8]) -> Self {
        Self::Bytes(text)
    }
}

impl From<i64> for Item<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

/// A string to look for: parsed once, compared with many elements.
#[derive(Clone, Copy, Debug)]
pub struct Needle<'a> {
    text: &'a [u8],
    int: Option<i64>,
}

impl<'a> Needle<'a> {
    /// The string `text`.
    #[must_use]
    pub fn new(text: &'a [u8]) -> Self {
        Self { text, int: num::parse_i64(text) }
    }

    /// Whether `item` has this text. Strings that could have been integers, as foreign listpacks
    /// may hold them, are compared as strings.
    #[inline]
    #[must_use]
    pub fn is(&self, item: Item<'_>) -> bool {
        match item {
            Item::Int(value) => self.int == Some(value),
            Item::Bytes(text) => self.text == text,
        }
    }
}
