//! The zipmap, a small hash of Redis up to 2.4.
//!
//! ```text
//!   count │ (length name, length, unused, value and unused bytes) ... │ 0xFF
//!   length: below 254, or 254 and u32, little-endian; count: 254 and 255 mean unknown
//! ```

use super::decode::DecodeError;
use super::reader::Reader;

const END: u8 = 0xff;
const COUNT_UNKNOWN: u8 = 254;
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
    let agrees = stated >= COUNT_UNKNOWN || usize::from(stated) == count;
    if agrees && reader.rest().is_empty() { Ok(()) } else { Err(DAMAGED) }
}

/// A length, or none at the end mark.
fn length(reader: &mut Reader<'_>) -> Result<Option<u64>, DecodeError> {
    match reader.byte()? {
        END => Ok(None),
        254 => Ok(Some(u32::from_le_bytes(reader.array()?).into())),
        len => Ok(Some(len.into())),
    }
}
