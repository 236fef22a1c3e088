//! Strings as commands see them: how one is stored, read, and replied.
//!
//! A string lives in one of three forms (an integer, short bytes inside the entry, a shared
//! buffer). Commands that only want its bytes ask for [`bytes`]; the reply of a large one shares
//! the buffer instead of copying it while the key's shard is locked.

use collections::bytes::SharedBytes;
use command::{CommandError, Cx};
use config::Config;
use config::rows::PROTO_MAX_BULK_LEN;
use resp::Reply;
use stdx::num::parse_i64;
use store::{EntryRef, NewValue, StringRef, ValueRef};

/// Room for the digits of an integer whose bytes are asked for.
pub(crate) type Digits = itoa::Buffer;

/// The form in which a client's string is stored: as an integer if it is the decimal form of one.
#[inline]
pub(crate) fn encode(text: &[u8]) -> NewValue<'_> {
    match parse_i64(text) {
        Some(number) => NewValue::Int(number),
        None => NewValue::Bytes(text),
    }
}

/// The string of an entry.
///
/// # Errors
/// If the key holds another type.
#[inline]
pub(crate) fn string(entry: EntryRef<'_>) -> Result<StringRef<'_>, CommandError> {
    match entry.value() {
        ValueRef::String(string) => Ok(string),
        ValueRef::Object(_) => Err(CommandError::WRONG_TYPE),
    }
}

/// The bytes of a string; `digits` holds those of an integer.
#[inline]
pub(crate) fn bytes<'b>(value: StringRef<'b>, digits: &'b mut Digits) -> &'b [u8] {
    match value {
        StringRef::Int(number) => digits.format(number).as_bytes(),
        StringRef::Inline { bytes, .. } => bytes,
        StringRef::Shared { bytes, .. } => bytes.as_slice(),
    }
}

/// The bytes of a string as a value that outlives the borrow of the key: a large one is shared,
/// a short one copied.
pub(crate) fn hold(value: StringRef<'_>) -> SharedBytes {
    match value {
        StringRef::Int(number) => SharedBytes::from(Digits::new().format(number).as_bytes()),
        StringRef::Inline { bytes, .. } => SharedBytes::from(bytes),
        StringRef::Shared { bytes, .. } => bytes.clone(),
    }
}

/// What `work` makes of the bytes of a key's string; none if there is no such key. While it works
/// on many of them it holds a reference and no lock.
///
/// # Errors
/// If the key holds another type.
pub(crate) fn examine<R>(
    cx: &mut Cx<'_>,
    key: &[u8],
    work: impl FnOnce(&[u8]) -> R,
) -> Result<Option<R>, CommandError> {
    let Some(entry) = cx.db.read(key) else { return Ok(None) };
    match string(entry)? {
        StringRef::Shared { bytes, .. } if bytes.len() >= LONG_READ_MIN => {
            let bytes = bytes.clone();
            cx.db.release();
            Ok(Some(work(bytes.as_slice())))
        }
        value => Ok(Some(work(self::bytes(value, &mut Digits::new())))),
    }
}

/// Strings of at least this many bytes are not examined under a lock: at some bytes a nanosecond
/// that would take tens of microseconds.
const LONG_READ_MIN: usize = 256 * 1024;

/// Length of a string in bytes.
#[inline]
pub(crate) fn len(value: StringRef<'_>) -> usize {
    match value {
        StringRef::Int(number) => stdx::num::decimal_len(number),
        StringRef::Inline { bytes, .. } => bytes.len(),
        StringRef::Shared { bytes, .. } => bytes.len(),
    }
}

/// Replies with a string.
#[inline]
pub(crate) fn reply(reply: &mut Reply, value: StringRef<'_>) {
    match value {
        StringRef::Int(number) => reply.bulk_int(number),
        StringRef::Inline { bytes, .. } => reply.bulk(bytes),
        StringRef::Shared { bytes, .. } => reply_part(reply, bytes, 0, bytes.len()),
    }
}

/// Values of at least this size are worth a shared reply.
pub(crate) const SHARED_REPLY_MIN: usize = 16 * 1024;

/// Replies with `len` bytes of a shared buffer from `start` on, without copying many.
pub(crate) fn reply_part(reply: &mut Reply, bytes: &SharedBytes, start: usize, len: usize) {
    if len < SHARED_REPLY_MIN {
        return reply.bulk(&bytes.as_slice()[start..start + len]);
    }
    reply.bulk_shared(Box::new(Part { bytes: bytes.clone(), start, len }));
}

/// A part of a shared buffer, kept until it is sent.
struct Part {
    bytes: SharedBytes,
    start: usize,
    len: usize,
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.bytes.as_slice()[self.start..self.start + self.len]
    }
}

/// That `len` more bytes at `offset` keep a string within `proto-max-bulk-len`; the new end.
///
/// # Errors
/// If they do not.
pub(crate) fn checked_end(
    config: &Config,
    offset: usize,
    len: usize,
) -> Result<usize, CommandError> {
    let end = offset.checked_add(len).ok_or(CommandError::STRING_TOO_LONG)?;
    let fits = u64::try_from(end).is_ok_and(|end| end <= config.get(PROTO_MAX_BULK_LEN));
    if fits { Ok(end) } else { Err(CommandError::STRING_TOO_LONG) }
}

/// Positions `start..=end` of a sequence of `len`, where negative ones count from its end, as the
/// first position and the number of positions. Positions outside are cut off.
pub(crate) fn clamp_range(start: i64, end: i64, len: usize) -> (usize, usize) {
    let signed_len = i64::try_from(len).unwrap_or(i64::MAX);
    // Both before the beginning is empty only if they are in the wrong order; each alone is cut
    // to the first position.
    if start < 0 && end < 0 && start > end {
        return (0, 0);
    }
    let absolute = |at: i64| if at < 0 { at.saturating_add(signed_len).max(0) } else { at };
    let (start, end) = (absolute(start), absolute(end).min(signed_len - 1));
    if start > end {
        return (0, 0);
    }
    (start as usize, (end - start + 1) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_string() {
        for (start, end, expected) in [
            (0, 3, (0, 4)),
            (0, -1, (0, 11)),
            (-4, -1, (7, 4)),
            (5, 3, (0, 0)),
            (5, 5000, (5, 6)),
            (-5000, 10000, (0, 11)),
            (0, -100, (0, 1)),
            (0, -11, (0, 1)),
            (1, -100, (0, 0)),
            (-100, -100, (0, 1)),
            (-100, -101, (0, 0)),
            (i64::MAX, i64::MAX, (0, 0)),
            (i64::MIN, i64::MIN, (0, 1)),
        ] {
            assert_eq!(clamp_range(start, end, 11), expected, "{start} {end}");
        }
        assert_eq!(clamp_range(0, -1, 0), (0, 0));
    }

    #[test]
    fn only_canonical_integers_are_stored_as_numbers() {
        assert!(matches!(encode(b"-12"), NewValue::Int(-12)));
        for text in ["012", "+1", "-0", " 1", "1.0", "", "9223372036854775808"] {
            assert!(matches!(encode(text.as_bytes()), NewValue::Bytes(_)), "{text}");
        }
    }
}
