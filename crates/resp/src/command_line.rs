//! Commands as they are sent: an array of bulk strings. Clients, the log and replication write them
//! so; [`RequestParser`](crate::RequestParser) reads them.

use stdx::num;

/// Appends a command to `out`; the first argument is its name.
#[inline]
pub fn encode_command<'a>(arguments: impl ExactSizeIterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
    encode_command_header(arguments.len(), out);
    arguments.for_each(|argument| encode_argument(argument, out));
}

/// Appends the beginning of a command of so many arguments, which [`encode_argument`] appends one
/// by one.
#[inline]
pub fn encode_command_header(arguments: usize, out: &mut Vec<u8>) {
    header(out, b'*', arguments);
}

/// Appends one argument.
#[inline]
pub fn encode_argument(argument: &[u8], out: &mut Vec<u8>) {
    out.reserve(argument.len() + FRAME_LEN_MAX);
    header(out, b'$', argument.len());
    out.extend_from_slice(argument);
    out.extend_from_slice(b"\r\n");
}

/// Bytes around an argument: a mark, twenty digits, two line ends.
const FRAME_LEN_MAX: usize = 1 + 20 + 2 + 2;

/// Every command that is logged comes through here: pieces of known length cost a store each.
#[inline]
fn header(out: &mut Vec<u8>, mark: u8, number: usize) {
    let digit = |number: usize| b'0' + (number % 10) as u8;
    match number {
        0..10 => out.extend_from_slice(&[mark, digit(number), b'\r', b'\n']),
        10..100 => {
            out.extend_from_slice(&[mark, digit(number / 10), digit(number), b'\r', b'\n']);
        }
        _ => {
            out.push(mark);
            num::write_u64(out, number as u64);
            out.extend_from_slice(b"\r\n");
        }
    }
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
}
