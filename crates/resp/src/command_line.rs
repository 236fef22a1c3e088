//! Commands as they are sent: an array of bulk strings. Clients, the log and replication write them
//! so; [`RequestParser`](crate::RequestParser) reads them.

use stdx::num;

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
        at = put(out, at, b"\r\n");
    }
    out.truncate(at);
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
