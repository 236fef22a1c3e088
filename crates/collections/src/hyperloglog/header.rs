//! The sixteen bytes in front of the registers.
//!
//! ```text
//!    0..4      4          5..8      8..16
//!   "HYLL"  encoding     unused    cardinality, little-endian; the highest bit says that it is
//!           0 or 1                 stale
//! ```

use super::estimate::CARDINALITY_MAX;
use super::{Encoding, HEADER_BYTES};

/// The first bytes of every sketch.
pub(super) const MAGIC: [u8; 4] = *b"HYLL";
const ENCODING_AT: usize = 4;
const CARDINALITY_AT: usize = 8;
/// The bit of the last byte that says that the cardinality is stale.
const STALE: u8 = 0x80;

/// The header of the empty sketch.
pub(super) const fn of_empty() -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    let (magic, _) = header.split_at_mut(MAGIC.len());
    magic.copy_from_slice(&MAGIC);
    header[ENCODING_AT] = Encoding::Sparse as u8;
    header
}

/// The encoding, if its number is known.
#[inline]
pub(super) fn encoding(bytes: &[u8]) -> Option<Encoding> {
    match *bytes.get(ENCODING_AT)? {
        0 => Some(Encoding::Dense),
        1 => Some(Encoding::Sparse),
        _ => None,
    }
}

/// Changes the encoding's number.
pub(super) fn set_encoding(bytes: &mut [u8], encoding: Encoding) {
    bytes[ENCODING_AT] = encoding as u8;
}

/// The cached cardinality, unless it is stale.
pub(super) fn cached(bytes: &[u8]) -> Option<u64> {
    let number = bytes[CARDINALITY_AT..].first_chunk().copied().map(u64::from_le_bytes)?;
    (number <= CARDINALITY_MAX).then_some(number)
}

/// Stores the cardinality of the registers as they are.
pub(super) fn set_cached(bytes: &mut [u8], cardinality: u64) {
    let number = cardinality.min(CARDINALITY_MAX).to_le_bytes();
    bytes[CARDINALITY_AT..HEADER_BYTES].copy_from_slice(&number);
}

/// Says that the cardinality is stale. The old number stays beside the bit.
#[inline]
pub(super) fn invalidate(bytes: &mut [u8]) {
    bytes[HEADER_BYTES - 1] |= STALE;
}
