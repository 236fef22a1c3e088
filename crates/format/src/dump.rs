//! Payloads of `DUMP` and `RESTORE`: one value and a footer.
//!
//! ```text
//!   type │ body │ version u16 │ CRC-64 of all before u64       both little-endian
//! ```

use std::convert::Infallible;

use collections::entry::ValueRef;
use stdx::crc::crc64;

use crate::rdb::Version;
use crate::rdb::decode::{self, DecodeError, Decoded, Limits};
use crate::rdb::encode::{self, Options};
use crate::rdb::reader::Reader;

const VERSION_BYTES: usize = 2;
const CHECKSUM_BYTES: usize = 8;

/// Whether the checksum of a payload is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// As always.
    Verified,
    /// Tests of damaged payloads want to get behind it (`DEBUG SET-SKIP-CHECKSUM-VALIDATION`).
    Ignored,
}

/// Why a payload is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DumpError {
    /// The footer is missing, from a newer version, or its checksum is wrong.
    Footer,
    /// The footer is right and the value is not.
    Value(DecodeError),
}

impl From<DecodeError> for DumpError {
    fn from(error: DecodeError) -> Self {
        Self::Value(error)
    }
}

/// The payload of a value.
#[must_use]
pub fn write(value: ValueRef<'_>, options: Options) -> Vec<u8> {
    let (kind, version) = encode::object_type(value, options);
    let mut payload = vec![kind as u8];
    let written: Result<(), Infallible> = encode::body(value, options, &mut payload);
    let Ok(()) = written;
    payload.extend_from_slice(&version.0.to_le_bytes());
    let checksum = crc64(0, &payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}

/// The value of a payload.
///
/// # Errors
/// If the footer or the value is not right.
pub fn read<'a>(
    payload: &'a [u8],
    checksum: Checksum,
    limits: &Limits,
) -> Result<Decoded<'a>, DumpError> {
    let checked_len = payload.len().checked_sub(CHECKSUM_BYTES).ok_or(DumpError::Footer)?;
    let (checked, stated) = payload.split_at(checked_len);
    let value_len = checked_len.checked_sub(VERSION_BYTES).ok_or(DumpError::Footer)?;
    let (value, version) = checked.split_at(value_len);
    let version = Version(u16::from_le_bytes([version[0], version[1]]));
    if version > Version::READABLE_MAX {
        return Err(DumpError::Footer);
    }
    let verified = checksum == Checksum::Verified;
    if verified && crc64(0, checked).to_le_bytes() != stated {
        return Err(DumpError::Footer);
    }
    let mut reader = Reader::new(value);
    let kind = decode::object_type(&mut reader, version)?;
    let decoded = decode::body(kind, &mut reader, limits)?;
    if reader.rest().is_empty() {
        Ok(decoded)
    } else {
        Err(DumpError::Value(DecodeError::Corrupt("bytes follow the value")))
    }
}
