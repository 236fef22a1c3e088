//! What is put into an entry.

use super::{COMPACT_KEY_MAX, COMPACT_VALUE_MAX, Object};
use crate::bytes::SharedBytes;

/// A value on its way into an entry. Borrowed bytes go from where they are (a request buffer) into
/// the entry with one allocation.
#[derive(Clone, Debug)]
pub enum NewValue<'a> {
    /// A string that is the decimal form of an integer.
    Int(i64),
    /// A string.
    Bytes(&'a [u8]),
    /// A string built by editing in place.
    RawBytes(&'a [u8]),
    /// A string in a buffer that is handed over; copied into the entry when it is short.
    Shared {
        /// The string.
        bytes: SharedBytes,
        /// Whether it was built by editing in place.
        raw: bool,
    },
    /// A collection.
    Object(Object),
}

impl NewValue<'_> {
    /// The bytes and the raw flag, if the value fits a compact entry with a key of `key_len` bytes.
    #[inline]
    pub(super) fn inline(&self, key_len: usize) -> Option<(&[u8], bool)> {
        let (bytes, raw) = match self {
            Self::Int(_) | Self::Object(_) => return None,
            Self::Bytes(bytes) => (*bytes, false),
            Self::RawBytes(bytes) => (*bytes, true),
            Self::Shared { bytes, raw } => (bytes.as_slice(), *raw),
        };
        let fits = key_len <= COMPACT_KEY_MAX && bytes.len() <= COMPACT_VALUE_MAX;
        fits.then_some((bytes, raw))
    }
}
