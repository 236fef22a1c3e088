//! Conditions on the value that a key has: `IFEQ`, `IFNE`, and with its digest `IFDEQ`, `IFDNE`.

use command::{ArgReader, CommandError};
use store::StringRef;

use super::digest::matches_digest;
use super::value;

/// A condition that a string must meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition<'a> {
    /// It equals this.
    Equal(&'a [u8]),
    /// It does not equal this.
    NotEqual(&'a [u8]),
    /// Its digest is this.
    DigestEqual(&'a [u8]),
    /// Its digest is not this.
    DigestNotEqual(&'a [u8]),
}

/// Makes a condition of its argument.
type Maker<'a> = fn(&'a [u8]) -> Condition<'a>;

impl<'a> Condition<'a> {
    /// Takes the next option if it is a condition with its argument.
    pub(crate) fn take(reader: &mut ArgReader<'a>) -> Option<Self> {
        let makers: [(&str, Maker<'a>); 4] = [
            ("IFEQ", Self::Equal),
            ("IFNE", Self::NotEqual),
            ("IFDEQ", Self::DigestEqual),
            ("IFDNE", Self::DigestNotEqual),
        ];
        let (_, make) = makers.into_iter().find(|(token, _)| reader.option(token))?;
        Some(make(reader.bytes()))
    }

    /// Whether a key that does not exist meets it: nothing differs from everything.
    pub(crate) const fn holds_for_nothing(self) -> bool {
        matches!(self, Self::NotEqual(_) | Self::DigestNotEqual(_))
    }

    /// Whether a string meets it.
    ///
    /// # Errors
    /// If the digest to compare with is none.
    pub(crate) fn holds(self, string: StringRef<'_>) -> Result<bool, CommandError> {
        let mut digits = value::Digits::new();
        let bytes = value::bytes(string, &mut digits);
        Ok(match self {
            Self::Equal(other) => bytes == other,
            Self::NotEqual(other) => bytes != other,
            Self::DigestEqual(digest) => matches_digest(bytes, digest)?,
            Self::DigestNotEqual(digest) => !matches_digest(bytes, digest)?,
        })
    }
}
