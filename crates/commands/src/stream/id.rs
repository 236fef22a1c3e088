//! The ids of stream entries as clients write them, and as replies and the log show them.

use collections::stream::Id;
use command::{ArgReader, CommandError};
use stdx::num::parse_u64_lenient;

use crate::string::value::Digits;

const INVALID: CommandError = CommandError::Request(std::borrow::Cow::Borrowed(
    b"ERR Invalid stream ID specified as stream command argument",
));
const INVALID_START: &str = "ERR invalid start ID for the interval";
const INVALID_END: &str = "ERR invalid end ID for the interval";
/// Longer arguments are no ids.
const ID_BYTES_MAX: usize = 127;
/// Most bytes of an id as text: two numbers of 20 digits and a hyphen.
const TEXT_BYTES_MAX: usize = 41;

/// The id that `XADD` is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// `*`: the present time, or what is right above the last id.
    Auto,
    /// `ms-*`: the next number in this millisecond.
    InMillisecond(u64),
    /// This one.
    Exactly(Id),
}

/// An id, `ms-seq` or `ms` alone, which means its number `missing`.
fn numbers(text: &[u8], missing: u64) -> Option<Id> {
    let (ms, seq) = split(text)?;
    let seq = seq.map_or(Some(missing), parse_u64_lenient)?;
    Some(Id::new(parse_u64_lenient(ms)?, seq))
}

fn split(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    if text.len() > ID_BYTES_MAX {
        return None;
    }
    let hyphen = text.iter().position(|&byte| byte == b'-');
    Some(hyphen.map_or((text, None), |at| (&text[..at], Some(&text[at + 1..]))))
}

/// An id that must have numbers; of `ms` alone the number is 0.
///
/// # Errors
/// If it is none.
pub(super) fn strict(text: &[u8]) -> Result<Id, CommandError> {
    numbers(text, 0).ok_or(INVALID)
}

/// An id, or one of the ends `-` and `+`; of `ms` alone the number is `missing`.
///
/// # Errors
/// If it is none of these.
pub(super) fn or_end(text: &[u8], missing: u64) -> Result<Id, CommandError> {
    match text {
        b"-" => Ok(Id::MIN),
        b"+" => Ok(Id::MAX),
        _ => numbers(text, missing).ok_or(INVALID),
    }
}

/// The id for a new entry.
///
/// # Errors
/// If it is none.
pub(super) fn wanted(text: &[u8]) -> Result<Wanted, CommandError> {
    if text == b"*" {
        return Ok(Wanted::Auto);
    }
    match split(text) {
        Some((ms, Some(b"*"))) => parse_u64_lenient(ms).map(Wanted::InMillisecond).ok_or(INVALID),
        _ => strict(text).map(Wanted::Exactly),
    }
}

/// The first id of an interval that is written `id`, `-`, `+` or, to leave out the id itself,
/// `(id`.
///
/// # Errors
/// If it is none of these, or there is no id behind the greatest.
pub(super) fn interval_start(text: &[u8]) -> Result<Id, CommandError> {
    match text {
        [b'(', id @ ..] if !id.is_empty() => {
            strict(id)?.next().ok_or_else(|| CommandError::request(INVALID_START))
        }
        _ => or_end(text, 0),
    }
}

/// The last id of an interval, as [`interval_start`]; `ms` alone means all of that millisecond.
///
/// # Errors
/// If it is none of these, or there is no id before the smallest.
pub(super) fn interval_end(text: &[u8]) -> Result<Id, CommandError> {
    match text {
        [b'(', id @ ..] if !id.is_empty() => {
            let id = numbers(id, u64::MAX).ok_or(INVALID)?;
            id.previous().ok_or_else(|| CommandError::request(INVALID_END))
        }
        _ => or_end(text, u64::MAX),
    }
}

/// All remaining arguments as ids.
///
/// # Errors
/// If one is none.
pub(super) fn all(mut reader: ArgReader<'_>) -> Result<Vec<Id>, CommandError> {
    let mut ids = Vec::with_capacity(reader.remaining());
    while reader.more() {
        ids.push(strict(reader.bytes())?);
    }
    Ok(ids)
}

/// An id as text, `ms-seq`.
#[derive(Clone, Copy)]
pub(super) struct Text {
    bytes: [u8; TEXT_BYTES_MAX],
    len: u8,
}

impl Text {
    /// The text of `id`.
    pub(super) fn of(id: Id) -> Self {
        let mut text = Self { bytes: [b'-'; TEXT_BYTES_MAX], len: 0 };
        text.append(id.ms);
        text.len += 1;
        text.append(id.seq);
        text
    }

    /// The bytes.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    fn append(&mut self, number: u64) {
        let mut digits = Digits::new();
        let digits = digits.format(number).as_bytes();
        let at = usize::from(self.len);
        self.bytes[at..at + digits.len()].copy_from_slice(digits);
        self.len += digits.len() as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_in_all_their_forms() {
        assert_eq!(strict(b"5-7"), Ok(Id::new(5, 7)));
        assert_eq!(strict(b"5"), Ok(Id::new(5, 0)));
        assert_eq!(strict(b"18446744073709551615-18446744073709551615"), Ok(Id::MAX));
        for text in
            [&b""[..], b"-", b"+", b"5-", b"-5", b"a-1", b"1-2-3", b"*", b"1-*", &[b'1'; 128]]
        {
            assert_eq!(strict(text), Err(INVALID), "{}", text.escape_ascii());
        }
        assert_eq!((or_end(b"-", 0), or_end(b"+", 0)), (Ok(Id::MIN), Ok(Id::MAX)));
        assert_eq!(wanted(b"*"), Ok(Wanted::Auto));
        assert_eq!(wanted(b"7-*"), Ok(Wanted::InMillisecond(7)));
        assert_eq!(wanted(b"7"), Ok(Wanted::Exactly(Id::new(7, 0))));
        assert!(wanted(b"-*").is_err() && wanted(b"7-**").is_err());
    }

    #[test]
    fn intervals_leave_out_their_ends() {
        assert_eq!(interval_start(b"(5-7"), Ok(Id::new(5, 8)));
        assert_eq!(interval_end(b"(5-0"), Ok(Id::new(4, u64::MAX)));
        assert_eq!(interval_end(b"5"), Ok(Id::new(5, u64::MAX)));
        assert_eq!(interval_end(b"(5"), Ok(Id::new(5, u64::MAX - 1)));
        for text in [&b"("[..], b"(-", b"(+"] {
            assert_eq!((interval_start(text), interval_end(text)), (Err(INVALID), Err(INVALID)));
        }
        let start = interval_start(b"(18446744073709551615-18446744073709551615").unwrap_err();
        assert_eq!(start.text(), INVALID_START.as_bytes());
        assert_eq!(interval_end(b"(0-0").unwrap_err().text(), INVALID_END.as_bytes());
    }

    #[test]
    fn the_text_of_an_id_leads_back_to_it() {
        for id in [Id::MIN, Id::MAX, Id::new(1_700_000_000_000, 10), Id::new(9, 99)] {
            assert_eq!(Text::of(id).as_bytes(), id.to_string().as_bytes());
        }
    }
}
