//! Payloads of `DUMP` and `RESTORE`: one value and a footer; and those of `FUNCTION DUMP`: the
//! sources of function libraries, as an RDB file has them, and the same footer.
//!
//! ```text
//!   type │ body │ version u16 │ CRC-64 of all before u64       both little-endian
//!   245 │ source │ 245 │ source │ ... │ version │ CRC-64
//! ```

use std::borrow::Cow;
use std::convert::Infallible;

use collections::entry::ValueRef;
use stdx::crc::crc64;

use crate::rdb::Version;
use crate::rdb::decode::{self, DecodeError, Decoded, Limits};
use crate::rdb::encode::{self, Options};
use crate::rdb::file;
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

/// Why a payload of functions is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionsError {
    /// The footer is missing, from a newer version, or its checksum is wrong.
    Footer,
    /// It holds functions as only candidates of Redis 7.0 wrote them.
    Candidate,
    /// It holds something that is no function.
    NotAFunction,
    /// A source is cut short.
    Source,
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
    finish(payload, version)
}

/// The payload of function libraries, by their sources.
#[must_use]
pub fn write_functions<'a>(
    sources: impl IntoIterator<Item = &'a [u8]>,
    options: Options,
) -> Vec<u8> {
    let mut payload = Vec::new();
    for source in sources {
        let written: Result<(), Infallible> = file::write::function(source, options, &mut payload);
        let Ok(()) = written;
    }
    finish(payload, Version::V10)
}

fn finish(mut payload: Vec<u8>, version: Version) -> Vec<u8> {
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
    let (value, version) = content(payload, checksum)?;
    let mut reader = Reader::new(value);
    let kind = decode::object_type(&mut reader, version)?;
    let decoded = decode::body(kind, &mut reader, limits)?;
    if reader.rest().is_empty() {
        Ok(decoded)
    } else {
        Err(DumpError::Value(DecodeError::Corrupt("bytes follow the value")))
    }
}

/// The sources of function libraries in a payload.
///
/// # Errors
/// If the footer is not right, or something else is in it.
pub fn read_functions(
    payload: &[u8],
    checksum: Checksum,
) -> Result<Vec<Cow<'_, [u8]>>, FunctionsError> {
    let (content, _) = content(payload, checksum).map_err(|_| FunctionsError::Footer)?;
    let mut reader = Reader::new(content);
    let mut sources = Vec::new();
    while !reader.rest().is_empty() {
        match reader.byte().map_err(|_| FunctionsError::Source)? {
            file::opcode::FUNCTION => {}
            file::opcode::FUNCTION_CANDIDATE => return Err(FunctionsError::Candidate),
            _ => return Err(FunctionsError::NotAFunction),
        }
        sources.push(reader.string().map_err(|_| FunctionsError::Source)?);
    }
    Ok(sources)
}

/// What is in front of the footer and its version, if the footer is right.
fn content(payload: &[u8], checksum: Checksum) -> Result<(&[u8], Version), DumpError> {
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
    Ok((value, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: Options = Options { compress: true, version: Version::REDIS_MAX };

    /// What Redis 7.0.15 dumps with no library.
    #[test]
    fn functions_of_a_real_server() {
        let empty = b"\x0a\x00\x5d\x9b\x5c\x40\x0f\x7f\xa2\xda";
        assert_eq!(read_functions(empty, Checksum::Verified), Ok(Vec::new()));
        assert_eq!(write_functions([], OPTIONS), empty);
        assert_eq!(read_functions(&empty[..9], Checksum::Verified), Err(FunctionsError::Footer));
    }

    #[test]
    fn functions_there_and_back() {
        let sources = [&b"#!lua name=a\nreturn 1"[..], &[b'x'; 5000]];
        let payload = write_functions(sources, OPTIONS);
        assert!(payload.len() < 200, "long sources are compressed");
        assert_eq!(read_functions(&payload, Checksum::Verified).unwrap(), sources);
        for len in 0..payload.len() {
            let cut = read_functions(&payload[..len], Checksum::Verified);
            assert_eq!(cut, Err(FunctionsError::Footer));
        }
        let value = finish(vec![0, 1, b'x'], Version::V10);
        let refused = read_functions(&value, Checksum::Verified);
        assert_eq!(refused, Err(FunctionsError::NotAFunction));
        let short = finish(vec![245, 9, b'x'], Version::V10);
        assert_eq!(read_functions(&short, Checksum::Verified), Err(FunctionsError::Source));
    }
}
