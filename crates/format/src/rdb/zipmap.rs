//! The zipmap, a small hash of Redis up to 2.4.
//!
//! ```text
//!   count │ (length name, length, unused, value and unused bytes) ... │ 0xFF
//!   length: below 254, or 254 and u32 of at least that, little-endian; count: 254 means unknown
//! ```
//!
//! Behind the end there may be more if the last byte is an end mark again: Redis looks there first.

use super::decode::DecodeError;
use super::reader::Reader;

const END: u8 = 0xff;
const COUNT_UNKNOWN: u8 = 254;
/// Four bytes of length follow.
const LONG: u8 = 254;
const DAMAGED: DecodeError = DecodeError::Corrupt("a zipmap is damaged");

/// Shows all names with their values, until `show` refuses one.
///
/// # Errors
/// If the zipmap is not well-formed, or what `show` says.
pub(super) fn for_each(
    bytes: &[u8],
    mut show: impl FnMut(&[u8], &[u8]) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let mut reader = Reader::new(bytes);
    let (stated, mut count) = (reader.byte()?, 0);
    while let Some(len) = length(&mut reader)? {
        let name = reader.take(len)?;
        let len = length(&mut reader)?.ok_or(DAMAGED)?;
        let unused = reader.byte()?;
        let value = reader.take(len)?;
        reader.take(unused.into())?;
        show(name, value)?;
        count += 1;
    }
    let agrees = stated == COUNT_UNKNOWN || usize::from(stated) == count;
    let ends = reader.rest().last().is_none_or(|&last| last == END);
    if agrees && ends { Ok(()) } else { Err(DAMAGED) }
}

/// A length, or none at the end mark.
fn length(reader: &mut Reader<'_>) -> Result<Option<u64>, DecodeError> {
    match reader.byte()? {
        END => Ok(None),
        LONG => match u32::from_le_bytes(reader.array()?) {
            len if len < u32::from(LONG) => Err(DAMAGED),
            len => Ok(Some(len.into())),
        },
        len => Ok(Some(len.into())),
    }
}
