//! Commands as they are sent: an array of bulk strings. Clients, the log and replication write them
//! so; [`RequestParser`](crate::RequestParser) reads them.

use stdx::num;

use crate::Args;
use crate::args::LINE_END;

/// Bytes around an argument: a mark, twenty digits, two line ends.
const FRAME_LEN_MAX: usize = 1 + 20 + 2 + 2;
/// Commands of up to so many bytes are written in one go.
const SHORT_LEN_MAX: usize = 1024;

/// Appends a command to `out`; the first argument is its name.
///
/// Every command that is logged comes through here. Room for a short one is made once: to ask for
/// it piece by piece costs more than the pieces.
#[inline]
pub fn encode_command<'a>(
    arguments: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
    out: &mut Vec<u8>,
) {
    let lengths = arguments.clone().map(|argument| argument.len().saturating_add(FRAME_LEN_MAX));
    let room = lengths.fold(FRAME_LEN_MAX, usize::saturating_add);
    if room > SHORT_LEN_MAX {
        encode_command_header(arguments.len(), out);
        return arguments.for_each(|argument| encode_argument(argument, out));
    }
    let mut at = out.len();
    out.resize(at + room, 0);
    at = put_header(out, at, b'*', arguments.len());
    for argument in arguments {
        at = put_header(out, at, b'$', argument.len());
        at = put(out, at, argument);
        at = put(out, at, LINE_END);
    }
    out.truncate(at);
}

/// As [`encode_command`], for a request: one that came in the same form is copied as it stands,
/// and nearly all do.
#[inline]
pub fn encode_request(request: Args<'_>, out: &mut Vec<u8>) {
    match request.as_encoded() {
        Some(bytes) => out.extend_from_slice(bytes),
        None => encode_command(request.iter(), out),
    }
}

/// Appends the beginning of a command of so many arguments, which [`encode_argument`] appends one
/// by one.
pub fn encode_command_header(arguments: usize, out: &mut Vec<u8>) {
    header(out, b'*', arguments);
}

/// Appends one argument.
pub fn encode_argument(argument: &[u8], out: &mut Vec<u8>) {
    header(out, b'$', argument.len());
    out.extend_from_slice(argument);
    out.extend_from_slice(b"\r\n");
}

fn header(out: &mut Vec<u8>, mark: u8, number: usize) {
    out.push(mark);
    num::write_u64(out, number as u64);
    out.extend_from_slice(b"\r\n");
}

/// Writes a header at `at`, where there is room. Where it ends.
#[inline]
fn put_header(out: &mut [u8], at: usize, mark: u8, number: usize) -> usize {
    let digit = |number: usize| b'0' + (number % 10) as u8;
    match number {
        0..10 => put(out, at, &[mark, digit(number), b'\r', b'\n']),
        10..100 => put(out, at, &[mark, digit(number / 10), digit(number), b'\r', b'\n']),
        // A short command has no argument of four digits, and not so many of them.
        _ => {
            let hundreds = digit(number / 100);
            put(out, at, &[mark, hundreds, digit(number / 10), digit(number), b'\r', b'\n'])
        }
    }
}

/// Where a header begins that ends at `end`, if it stands there as [`put_header`] writes it.
#[inline]
pub(crate) fn find_header(bytes: &[u8], end: usize, mark: u8, number: usize) -> Option<usize> {
    let digit = |number: usize| b'0' + (number % 10) as u8;
    let stands = |header: &[u8]| {
        let start = end.checked_sub(header.len())?;
        (bytes.get(start..end)? == header).then_some(start)
    };
    match number {
        0..10 => stands(&[mark, digit(number), b'\r', b'\n']),
        10..100 => stands(&[mark, digit(number / 10), digit(number), b'\r', b'\n']),
        100..1000 => {
            let hundreds = digit(number / 100);
            stands(&[mark, hundreds, digit(number / 10), digit(number), b'\r', b'\n'])
        }
        // What is longer costs more to copy than to frame.
        _ => None,
    }
}

#[inline]
fn put(out: &mut [u8], at: usize, bytes: &[u8]) -> usize {
    let end = at + bytes.len();
    out[at..end].copy_from_slice(bytes);
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, RequestParser, Step};

    #[test]
    fn what_is_written_is_read_again() {
        let long = vec![b'x'; 123_456];
        let arguments: [&[u8]; 12] =
            [b"SET", b"k", b"", &long, b"1", b"2", b"3", b"4", b"5", b"6", b"\r\n", b"\xff"];
        let mut bytes = Vec::new();
        encode_command(arguments.into_iter(), &mut bytes);
        assert!(bytes.starts_with(b"*12\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n$123456\r\nxx"));
        let mut parser = RequestParser::new();
        let step = parser.parse(&bytes, &Limits::default());
        assert_eq!(step, Ok(Step::Complete { consumed: bytes.len() }));
        assert!(parser.args(&bytes).iter().eq(arguments));
    }

    /// The bytes of a request, if it stands there as it would be written.
    fn as_encoded(request: &[u8]) -> Option<Vec<u8>> {
        let mut parser = RequestParser::new();
        let step = parser.parse(request, &Limits::default());
        assert!(matches!(step, Ok(Step::Complete { .. })), "{step:?}");
        let args = parser.args(request);
        let (mut expected, mut encoded) = (Vec::new(), Vec::new());
        encode_command(args.iter(), &mut expected);
        encode_request(args, &mut encoded);
        assert_eq!(encoded, expected);
        let found = args.as_encoded().map(<[u8]>::to_vec);
        assert!(found.is_none() || found == Some(expected));
        found
    }

    #[test]
    fn a_request_is_copied_where_it_stands_as_it_would_be_written() {
        for plain in [
            &b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\n$1\r\n*2\r\n....\r\n"[..],
            b"*1\r\n$4\r\nPING\r\n",
            b"*2\r\n$3\r\nGET\r\n$0\r\n\r\n",
        ] {
            assert_eq!(as_encoded(plain).as_deref(), Some(plain));
        }
        for odd in [
            &b"SET k v\r\n"[..],
            b"$4\r\nPING\r\n",
            b"*2\r\n$3\r\nGET..$1\r\nk\r\n",
            b"*2\r\n$3\r\nGET\r\n$1\r\nk..",
            b"*2\r\n$3\r\nGET\r\n$1\r.k\r\n",
            b"*2\r\n$3\r.GET\r\n$1\r\nk\r\n",
            b"*2\r.$3\r\nGET\r\n$1\r\nk\r\n",
        ] {
            assert_eq!(as_encoded(odd), None, "{}", odd.escape_ascii());
        }
    }

    #[test]
    fn arguments_that_look_like_frames_are_none() {
        let words: [&[u8]; 7] = [b"*2", b"$1", b"k", b"", b"$2\r\n*1", b"*1\r\n$1", b"\r\n"];
        let mut request = Vec::new();
        encode_command(words.into_iter(), &mut request);
        let mut parser = RequestParser::new();
        let _ = parser.parse(&request, &Limits::default());
        for from in 0..words.len() {
            let tail = parser.args(&request).tail(from);
            let (mut expected, mut encoded) = (Vec::new(), Vec::new());
            encode_command(tail.iter(), &mut expected);
            encode_request(tail, &mut encoded);
            assert_eq!(encoded, expected, "from {from}");
        }
    }

    #[test]
    fn short_or_long_a_command_looks_the_same() {
        for len in (0..1_100).step_by(7) {
            for count in 1..12 {
                let argument = vec![b'x'; len / count];
                let arguments = std::iter::repeat_n(argument.as_slice(), count);
                let mut bytes = b"before".to_vec();
                encode_command(arguments.clone(), &mut bytes);
                let mut expected = format!("before*{count}\r\n").into_bytes();
                arguments.for_each(|argument| encode_argument(argument, &mut expected));
                assert_eq!(bytes, expected, "{count} of {}", len / count);
            }
        }
    }
}
