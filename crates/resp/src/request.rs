//! The server's end of the wire: requests, incrementally and without copying.
//!
//! A request is either a *multibulk*, an array of bulk strings (`*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`),
//! or an *inline* line of words (`GET k\r\n`) as a person types it. The first byte decides.
//!
//! The caller owns the input buffer and appends to it what the socket delivers. It calls
//! [`RequestParser::parse`] with all bytes from the start of the current command; the parser
//! remembers how far it got, looks at no byte twice, and reports how many bytes are worth waiting
//! for. When a command is complete its arguments are views into the caller's buffer (an inline
//! request's words, which may be quoted, are kept by the parser); afterwards the caller drops the
//! bytes consumed and calls again.
//!
//! Limits and error words are those of Redis, and so are the habits that clients may rely on: the
//! byte after a carriage return is skipped unseen, as are the two bytes after a bulk string; an
//! empty line or an array of no elements is no command and gets no reply; an inline line ends with
//! a line feed, with or without carriage return. What must not depend on how the network cuts
//! the bytes does not: a line beyond its limit is refused even if it arrived whole.

use std::fmt;

use memchr::memchr2;
use stdx::num::parse_i64;
use stdx::text;

use crate::args::{Args, Span};

/// The longest inline request, and the longest line that announces a length, in bytes.
const LINE_LEN_MAX: usize = 64 * 1024;
/// The most arguments of a command.
const MULTIBULK_LEN_MAX: i64 = i32::MAX as i64;
/// The most arguments of a command before the client has authenticated.
const UNAUTHENTICATED_MULTIBULK_LEN_MAX: i64 = 10;
/// The longest argument before the client has authenticated, in bytes.
const UNAUTHENTICATED_BULK_LEN_MAX: u64 = 16_384;
/// Room for the arguments' spans is reserved for at most this many at once: the announced number
/// is only a claim until the bytes arrive.
const RESERVED_ARGUMENTS_MAX: usize = 1_024;
/// The largest number of three digits.
const SHORT_MAX: usize = 999;
/// More room than this is given back after the command.
const KEPT_ARGUMENTS_MAX: usize = 1_024;
/// As [`KEPT_ARGUMENTS_MAX`] for the words of inline requests, in bytes.
const KEPT_INLINE_MAX: usize = 1_024;

/// What a request may not exceed; depends on the configuration and the session.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest argument in bytes: `proto-max-bulk-len`.
    pub bulk_len_max: u64,
    /// Whether the client may send more than is needed to authenticate: 10 arguments of 16 KiB.
    pub authenticated: bool,
}

impl Default for Limits {
    /// Authenticated, arguments of up to 512 MiB.
    fn default() -> Self {
        Self { bulk_len_max: 512 << 20, authenticated: true }
    }
}

/// How far [`RequestParser::parse`] got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The command is not complete. At least `needed` more bytes must follow those given: the
    /// exact rest of an argument once its length is known, else a lower bound.
    Incomplete {
        /// Bytes worth reserving and waiting for; never zero.
        needed: usize,
    },
    /// An empty line or empty array: nothing to execute, nothing to reply.
    Skipped {
        /// Bytes for the caller to drop before the next call.
        consumed: usize,
    },
    /// A command: [`RequestParser::args`] has it.
    Complete {
        /// Bytes for the caller to drop before the next call, and after it is done with the
        /// arguments, which lie in them.
        consumed: usize,
    },
}

/// A malformed request. The connection cannot be used any further: reply `-ERR ` and the text,
/// then close.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProtocolError {
    /// An inline request of more than 64 KiB.
    InlineTooBig,
    /// An inline request with an open quote, or with text directly behind a closing one.
    UnbalancedQuotes,
    /// The line with the number of arguments is longer than 64 KiB.
    MultibulkCountTooBig,
    /// The number of arguments is no number, or beyond the limit.
    InvalidMultibulkLength,
    /// Too many arguments for a client that has not authenticated.
    UnauthenticatedMultibulkLength,
    /// An argument does not start with `$` but with this byte.
    ExpectedBulk(u8),
    /// The line with the length of an argument is longer than 64 KiB.
    BulkCountTooBig,
    /// The length of an argument is no number, negative, or beyond the limit.
    InvalidBulkLength,
    /// Too long an argument for a client that has not authenticated.
    UnauthenticatedBulkLength,
}

impl ProtocolError {
    /// The words that clients know, starting with `Protocol error: `. They may quote a byte of the
    /// request as it is.
    pub fn message(&self) -> Vec<u8> {
        let words: &[u8] = match self {
            Self::InlineTooBig => b"too big inline request",
            Self::UnbalancedQuotes => b"unbalanced quotes in request",
            Self::MultibulkCountTooBig => b"too big mbulk count string",
            Self::InvalidMultibulkLength => b"invalid multibulk length",
            Self::UnauthenticatedMultibulkLength => b"unauthenticated multibulk length",
            Self::ExpectedBulk(byte) => &[&b"expected '$', got '"[..], &[*byte], b"'"].concat(),
            Self::BulkCountTooBig => b"too big bulk count string",
            Self::InvalidBulkLength => b"invalid bulk length",
            Self::UnauthenticatedBulkLength => b"unauthenticated bulk length",
        };
        [b"Protocol error: ", words].concat()
    }
}

impl fmt::Display for ProtocolError {
    /// The [`message`](Self::message), as far as it is text: for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.message()))
    }
}

impl std::error::Error for ProtocolError {}

/// What the parser waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// The first byte of a command.
    Start,
    /// The end of an inline line.
    Inline,
    /// The end of the line with the number of arguments.
    MultibulkHeader,
    /// The end of the line with the length of an argument.
    BulkHeader,
    /// The last byte of an argument of this length, and of the line end after it.
    Bulk { len: usize },
}

/// The incremental parser of one connection's requests.
///
/// Between commands it holds no memory worth counting, so an idle connection may keep it.
#[derive(Debug)]
pub struct RequestParser {
    state: State,
    /// Where the element that `state` names starts; an offset from the command's first byte.
    at: usize,
    /// No line end lies before this offset: where the search goes on.
    searched: usize,
    /// Arguments of a multibulk that are still missing.
    missing: usize,
    /// Where the arguments lie: in the input, or in `inline` for an inline request.
    spans: Vec<Span>,
    /// The unquoted words of an inline request.
    inline: Vec<u8>,
    /// Whether the arguments lie in `inline`.
    is_inline: bool,
}

impl Default for RequestParser {
    fn default() -> Self {
        Self::new()
    }
}

impl RequestParser {
    /// A parser at the start of a connection.
    pub fn new() -> Self {
        Self {
            state: State::Start,
            at: 0,
            searched: 0,
            missing: 0,
            spans: Vec::new(),
            inline: Vec::new(),
            is_inline: false,
        }
    }

    /// Goes on parsing `input`: all bytes from the first of the current command. On later calls
    /// for the same command the same bytes must be there, with more behind them.
    ///
    /// # Errors
    /// When the request is malformed or beyond `limits`; the parser is of no use afterwards.
    pub fn parse(&mut self, input: &[u8], limits: &Limits) -> Result<Step, ProtocolError> {
        if self.state == State::Start {
            if let Some(consumed) = self.parse_whole(input, limits) {
                return Ok(Step::Complete { consumed });
            }
            let Some(&first) = input.first() else { return Ok(Step::Incomplete { needed: 1 }) };
            self.begin(first);
        }
        if self.state == State::Inline {
            return self.parse_inline(input);
        }
        if self.state == State::MultibulkHeader {
            let too_big = ProtocolError::MultibulkCountTooBig;
            let Some((count, next)) = self.length_line(input, too_big)? else {
                return Ok(Step::Incomplete { needed: 1 });
            };
            self.begin_arguments(count, next, limits)?;
            if self.missing == 0 {
                self.state = State::Start;
                return Ok(Step::Skipped { consumed: next });
            }
        }
        self.parse_bulks(input, limits)
    }

    /// A command as almost all are: a multibulk of short arguments that has arrived whole. Its
    /// length; `None` for anything else, an error included, which is then parsed step by step.
    #[inline]
    fn parse_whole(&mut self, input: &[u8], limits: &Limits) -> Option<usize> {
        let usual = limits.authenticated && limits.bulk_len_max > SHORT_MAX as u64;
        if !usual || self.spans.capacity() > KEPT_ARGUMENTS_MAX {
            return None;
        }
        let (count, mut at) = short_line(input, 0, b'*')?;
        if count == 0 {
            return None;
        }
        self.spans.clear();
        self.spans.reserve(count);
        for _ in 0..count {
            let (len, start) = short_line(input, at, b'$')?;
            let end = start + len;
            if input.len() < end + 2 {
                return None;
            }
            self.spans.push(Span { start, end });
            at = end + 2;
        }
        self.is_inline = false;
        Some(at)
    }

    /// The arguments of the command that [`parse`](Self::parse) just completed, in the same
    /// `input`.
    #[inline]
    pub fn args<'a>(&'a self, input: &'a [u8]) -> Args<'a> {
        let bytes = if self.is_inline { &self.inline } else { input };
        Args::new(bytes, &self.spans)
    }

    /// Whether a part of a command has been seen that is not complete.
    pub fn is_midway(&self) -> bool {
        self.state != State::Start
    }

    /// Bytes of the command that is not complete which need not be looked at again: its arguments
    /// so far, and the line that announces the next one.
    #[must_use]
    pub fn parsed_len(&self) -> usize {
        if self.is_midway() { self.at } else { 0 }
    }

    /// Gives back the memory of past commands, for a connection that goes idle.
    pub fn shrink(&mut self) {
        if !self.is_midway() {
            self.spans = Vec::new();
            self.inline = Vec::new();
        }
    }

    /// Prepares for a command that starts with `first`.
    #[inline]
    fn begin(&mut self, first: u8) {
        self.spans.clear();
        if self.spans.capacity() > KEPT_ARGUMENTS_MAX {
            self.spans.shrink_to(KEPT_ARGUMENTS_MAX);
        }
        self.at = 0;
        self.searched = 0;
        self.is_inline = first != b'*';
        self.state = if self.is_inline { State::Inline } else { State::MultibulkHeader };
    }

    /// Takes the announced number of arguments; the first of them starts at `next`.
    fn begin_arguments(
        &mut self,
        count: Option<i64>,
        next: usize,
        limits: &Limits,
    ) -> Result<(), ProtocolError> {
        let count = count
            .filter(|&count| count <= MULTIBULK_LEN_MAX)
            .ok_or(ProtocolError::InvalidMultibulkLength)?;
        if !limits.authenticated && count > UNAUTHENTICATED_MULTIBULK_LEN_MAX {
            return Err(ProtocolError::UnauthenticatedMultibulkLength);
        }
        // A negative number counts as none.
        self.missing = usize::try_from(count).unwrap_or(0);
        self.spans.reserve(self.missing.min(RESERVED_ARGUMENTS_MAX));
        self.at = next;
        self.state = State::BulkHeader;
        Ok(())
    }

    /// Reads arguments until none is missing or the input ends.
    fn parse_bulks(&mut self, input: &[u8], limits: &Limits) -> Result<Step, ProtocolError> {
        while self.missing > 0 {
            let len = match self.state {
                State::Bulk { len } => len,
                _ => {
                    let too_big = ProtocolError::BulkCountTooBig;
                    let Some((len, next)) = self.length_line(input, too_big)? else {
                        return Ok(Step::Incomplete { needed: 1 });
                    };
                    let len = self.check_bulk(input[self.at], len, limits)?;
                    self.at = next;
                    len
                }
            };
            let end = self.at.checked_add(len).ok_or(ProtocolError::InvalidBulkLength)?;
            // The line end behind the argument must be there; its bytes are not looked at.
            let next = end.checked_add(2).ok_or(ProtocolError::InvalidBulkLength)?;
            if input.len() < next {
                self.state = State::Bulk { len };
                return Ok(Step::Incomplete { needed: next - input.len() });
            }
            self.spans.push(Span { start: self.at, end });
            self.at = next;
            self.state = State::BulkHeader;
            self.missing -= 1;
        }
        self.state = State::Start;
        Ok(Step::Complete { consumed: self.at })
    }

    /// Checks the line that announces an argument: its first byte and the number behind it.
    #[inline]
    fn check_bulk(
        &self,
        first: u8,
        len: Option<i64>,
        limits: &Limits,
    ) -> Result<usize, ProtocolError> {
        if first != b'$' {
            return Err(ProtocolError::ExpectedBulk(first));
        }
        let len = len
            .and_then(|len| u64::try_from(len).ok())
            .filter(|&len| len <= limits.bulk_len_max)
            .ok_or(ProtocolError::InvalidBulkLength)?;
        if !limits.authenticated && len > UNAUTHENTICATED_BULK_LEN_MAX {
            return Err(ProtocolError::UnauthenticatedBulkLength);
        }
        usize::try_from(len).map_err(|_| ProtocolError::InvalidBulkLength)
    }

    /// Reads the line at `self.at`: the number behind its first byte, which is for the caller to
    /// look at, and where the next line starts. `None` when the line has not arrived completely;
    /// `too_big` when it is too long.
    #[inline]
    fn length_line(
        &mut self,
        input: &[u8],
        too_big: ProtocolError,
    ) -> Result<Option<(Option<i64>, usize)>, ProtocolError> {
        let digit = |byte: u8| i64::from(byte - b'0');
        // Almost every number on the wire is below one hundred.
        Ok(match input[self.at..] {
            [_, a @ b'0'..=b'9', b'\r', _, ..] => Some((Some(digit(a)), self.at + 4)),
            [_, a @ b'1'..=b'9', b @ b'0'..=b'9', b'\r', _, ..] => {
                Some((Some(digit(a) * 10 + digit(b)), self.at + 5))
            }
            _ => self.line_end(input, b'\r', too_big)?.and_then(|end| {
                // The byte behind the carriage return must be there, whatever it is.
                let next = end + 2;
                let number = input.get(self.at + 1..end).unwrap_or_default();
                (next <= input.len()).then(|| (parse_i64(number), next))
            }),
        })
    }

    /// The offset of `terminator` in the line at `self.at`; `None` when it has not arrived,
    /// `too_big` when it lies too far.
    ///
    /// A zero byte hides everything behind it, as it does in the original, where lines are C
    /// strings: such a line never ends and is refused when it is too long. So a client that sends
    /// binary data by mistake gets an error, not replies to the lines within.
    fn line_end(
        &mut self,
        input: &[u8],
        terminator: u8,
        too_big: ProtocolError,
    ) -> Result<Option<usize>, ProtocolError> {
        let arrived = input.len() - self.at;
        let limit = self.at + arrived.min(LINE_LEN_MAX + 1);
        let from = self.searched.clamp(self.at, limit);
        let found = memchr2(terminator, 0, &input[from..limit]);
        self.searched = found.map_or(limit, |offset| from + offset);
        if found.is_some() && input[self.searched] == terminator {
            return Ok(Some(self.searched));
        }
        if arrived > LINE_LEN_MAX { Err(too_big) } else { Ok(None) }
    }

    /// Reads an inline request, whose words go to `self.inline` unquoted.
    fn parse_inline(&mut self, input: &[u8]) -> Result<Step, ProtocolError> {
        let Some(end) = self.line_end(input, b'\n', ProtocolError::InlineTooBig)? else {
            return Ok(Step::Incomplete { needed: 1 });
        };
        self.state = State::Start;
        self.inline.clear();
        self.inline.shrink_to(KEPT_INLINE_MAX);
        let mut rest = &input[..end];
        loop {
            let start = self.inline.len();
            let after = text::next_word(rest, &mut self.inline)
                .map_err(|_| ProtocolError::UnbalancedQuotes)?;
            let Some(after) = after else { break };
            self.spans.push(Span { start, end: self.inline.len() });
            rest = after;
        }
        let consumed = end + 1;
        if self.spans.is_empty() {
            return Ok(Step::Skipped { consumed });
        }
        Ok(Step::Complete { consumed })
    }
}

/// The number of at most three digits on the line that starts with `marker` at `at`, with where the
/// next line starts. A command that has arrived whole has more behind any such line than the
/// longest of them takes.
#[inline]
fn short_line(input: &[u8], at: usize, marker: u8) -> Option<(usize, usize)> {
    let line: &[u8; 6] = input.get(at..)?.first_chunk()?;
    let digit = |index: usize| usize::from(line[index].wrapping_sub(b'0'));
    let first = digit(1);
    if line[0] != marker || first > 9 {
        return None;
    }
    if line[2] == b'\r' {
        return Some((first, at + 4));
    }
    // A number that begins with a zero is none.
    let two = first * 10 + digit(2);
    if first == 0 || digit(2) > 9 {
        return None;
    }
    if line[3] == b'\r' {
        return Some((two, at + 5));
    }
    (digit(3) <= 9 && line[4] == b'\r').then(|| (two * 10 + digit(3), at + 6))
}
