//! The reply writer: handlers say what they mean, the protocol version decides the shape.
//!
//! RESP3 has types that RESP2 lacks; each has its RESP2 stand-in here (a map becomes a flat array,
//! a double a bulk string, ...), so that no handler asks for the version to choose between them.
//!
//! The number of elements of an aggregate may be unknown when its first element is written:
//! [`Reply::begin_deferred`] notes the place and [`Reply::end_deferred`] puts the length there.
//! Only the block that holds the place makes room, so the price does not grow with the reply.

use std::sync::Arc;

use stdx::num;

use crate::Version;
use crate::output::{Chunks, Mark, Output, SharedBytes};

/// Values of at least this size are worth a block of their own, in bytes.
const LARGE_LEN_MIN: usize = 16 * 1024;

/// The kind of an aggregate whose length is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    /// Elements.
    Array,
    /// Pairs: a flat array of twice as many elements in RESP2.
    Map,
    /// Elements in no order: an array in RESP2.
    Set,
    /// Out-of-band elements: an array in RESP2.
    Push,
}

/// Collects replies and hands them out in pieces to be sent.
#[derive(Default)]
pub struct Reply {
    version: Version,
    output: Output,
    /// Where a reply was broken off.
    broken_off: Option<Mark>,
}

impl std::fmt::Debug for Reply {
    /// The version and the number of bytes; the bytes themselves may be many, and not text.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let len = self.output.len();
        f.debug_struct("Reply").field("version", &self.version).field("len", &len).finish()
    }
}

/// Values of every type.
impl Reply {
    /// An empty buffer, without memory of its own, that writes `version`.
    pub fn new(version: Version) -> Self {
        Self { version, output: Output::default(), broken_off: None }
    }

    /// The protocol version of what is written.
    #[inline]
    pub fn version(&self) -> Version {
        self.version
    }

    /// Changes the protocol version from here on.
    pub fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.raw(b"+OK\r\n");
    }

    /// A simple string. Line breaks, which would end it, become spaces.
    pub fn simple(&mut self, text: &str) {
        self.simple_bytes(text.as_bytes());
    }

    /// A simple string that need not be UTF-8.
    pub fn simple_bytes(&mut self, text: &[u8]) {
        self.line(b'+', text);
    }

    /// An error, from its code on: `ERR no such key`. Line breaks around the text are dropped,
    /// those within become spaces.
    pub fn error(&mut self, text: &[u8]) {
        let is_break = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let start = text.iter().position(|byte| !is_break(byte)).unwrap_or(text.len());
        let end = text.iter().rposition(|byte| !is_break(byte)).map_or(start, |last| last + 1);
        self.line(b'-', &text[start..end]);
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        match u64::try_from(value) {
            Ok(value) => self.header(b':', value),
            Err(_) => {
                let tail = self.output.tail();
                tail.push(b':');
                num::write_i64(tail, value);
                tail.extend_from_slice(b"\r\n");
            }
        }
    }

    /// A bulk string: any bytes.
    #[inline]
    pub fn bulk(&mut self, value: &[u8]) {
        let Some(&line) = SHORT_LINES.get(value.len()) else { return self.bulk_long(value) };
        let tail = self.output.tail();
        push_line(tail, b'$', line);
        tail.extend_from_slice(value);
        tail.extend_from_slice(b"\r\n");
    }

    fn bulk_long(&mut self, value: &[u8]) {
        self.header(b'$', value.len() as u64);
        self.body(value);
    }

    /// A bulk string with the decimal form of `value`.
    pub fn bulk_int(&mut self, value: i64) {
        self.header(b'$', num::decimal_len(value) as u64);
        let tail = self.output.tail();
        num::write_i64(tail, value);
        tail.extend_from_slice(b"\r\n");
    }

    /// A bulk string that may be large: the reply keeps `value` until it is sent, instead of a
    /// copy. Short ones are copied and dropped.
    pub fn bulk_shared(&mut self, value: SharedBytes) {
        let bytes = (*value).as_ref();
        if bytes.len() < LARGE_LEN_MIN {
            return self.bulk(bytes);
        }
        self.header(b'$', bytes.len() as u64);
        self.output.push_shared(value);
        self.raw(b"\r\n");
    }

    /// The absence of a value: a null bulk string in RESP2.
    #[inline]
    pub fn null(&mut self) {
        match self.version {
            Version::Resp2 => self.raw(b"$-1\r\n"),
            Version::Resp3 => self.raw(b"_\r\n"),
        }
    }

    /// The absence of an array: a null array in RESP2.
    pub fn null_array(&mut self) {
        match self.version {
            Version::Resp2 => self.raw(b"*-1\r\n"),
            Version::Resp3 => self.raw(b"_\r\n"),
        }
    }

    /// An array; its `len` elements follow.
    #[inline]
    pub fn array(&mut self, len: usize) {
        self.length(Length::Array, len);
    }

    /// A map; `len` pairs of key and value follow.
    pub fn map(&mut self, len: usize) {
        self.length(Length::Map, len);
    }

    /// A set; its `len` elements follow.
    pub fn set(&mut self, len: usize) {
        self.length(Length::Set, len);
    }

    /// An out-of-band message; its `len` elements follow, the first says what it is.
    pub fn push(&mut self, len: usize) {
        self.length(Length::Push, len);
    }

    /// Attributes of the value that comes after them: `len` pairs follow. RESP2 has no such thing:
    /// then this writes nothing and returns false, and the caller must leave out the pairs.
    #[must_use]
    pub fn attribute(&mut self, len: usize) -> bool {
        let possible = self.version >= Version::Resp3;
        if possible {
            self.header(b'|', len as u64);
        }
        possible
    }

    /// An aggregate of a kind that is known only when running.
    #[inline]
    pub fn length(&mut self, kind: Length, len: usize) {
        let (marker, len) = self.aggregate(kind, len);
        self.header(marker, len);
    }

    /// A double: a bulk string in RESP2.
    pub fn double(&mut self, value: f64) {
        let tail = self.output.tail();
        let start = tail.len();
        match self.version {
            Version::Resp2 => {
                num::write_f64(tail, value);
                let end = tail.len();
                write_header(tail, b'$', (end - start) as u64);
                tail[start..].rotate_left(end - start);
            }
            Version::Resp3 => {
                tail.push(b',');
                num::write_f64(tail, value);
            }
        }
        tail.extend_from_slice(b"\r\n");
    }

    /// An integer of any size, given in decimal: a bulk string in RESP2.
    pub fn big_number(&mut self, decimal: &[u8]) {
        match self.version {
            Version::Resp2 => self.bulk(decimal),
            Version::Resp3 => self.line(b'(', decimal),
        }
    }

    /// Text for people, with a format of three letters (`txt`, `mkd`): a bulk string in RESP2.
    pub fn verbatim(&mut self, format: &[u8; 3], text: &[u8]) {
        match self.version {
            Version::Resp2 => self.bulk(text),
            Version::Resp3 => {
                self.header(b'=', text.len() as u64 + 4);
                let tail = self.output.tail();
                tail.extend_from_slice(format);
                tail.push(b':');
                self.body(text);
            }
        }
    }

    /// A truth value: the integers 1 and 0 in RESP2.
    pub fn boolean(&mut self, value: bool) {
        self.raw(match (self.version, value) {
            (Version::Resp2, true) => b":1\r\n",
            (Version::Resp2, false) => b":0\r\n",
            (Version::Resp3, true) => b"#t\r\n",
            (Version::Resp3, false) => b"#f\r\n",
        });
    }

    /// Bytes that are replies already.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.output.tail().extend_from_slice(bytes);
    }

    /// As [`raw`](Self::raw), for bytes that others hold too: large ones are not copied.
    pub fn raw_shared(&mut self, bytes: Arc<[u8]>) {
        if bytes.len() < LARGE_LEN_MIN {
            self.raw(&bytes);
        } else {
            self.output.push_shared(Box::new(bytes));
        }
    }

    /// All that `other` has, which is empty afterwards. What is large is moved and not copied.
    pub fn append(&mut self, other: &mut Self) {
        self.output.append(&mut other.output);
    }

    /// Notes the place of an aggregate whose length is not known yet; its elements follow, then
    /// [`end_deferred`](Self::end_deferred). Aggregates nest: the inner one ends first.
    pub fn begin_deferred(&mut self) -> Mark {
        self.output.mark()
    }

    /// Puts the length of the aggregate that began at `mark` in front of its elements.
    ///
    /// # Panics
    /// If the place was sent or rolled back meanwhile.
    pub fn end_deferred(&mut self, mark: Mark, kind: Length, len: usize) {
        let (marker, len) = self.aggregate(kind, len);
        let mut header = Vec::with_capacity(24);
        write_header(&mut header, marker, len);
        self.output.insert(mark, &header);
    }

    /// How an aggregate starts in this version.
    #[inline]
    fn aggregate(&self, kind: Length, len: usize) -> (u8, u64) {
        let len = len as u64;
        match (self.version, kind) {
            (_, Length::Array) => (b'*', len),
            (Version::Resp2, Length::Map) => (b'*', len.saturating_mul(2)),
            (Version::Resp2, Length::Set | Length::Push) => (b'*', len),
            (Version::Resp3, Length::Map) => (b'%', len),
            (Version::Resp3, Length::Set) => (b'~', len),
            (Version::Resp3, Length::Push) => (b'>', len),
        }
    }

    /// A type's first byte, a number, a line end.
    #[inline]
    fn header(&mut self, marker: u8, number: u64) {
        write_header(self.output.tail(), marker, number);
    }

    /// The bytes of a bulk string and the line end behind them.
    #[inline]
    fn body(&mut self, bytes: &[u8]) {
        if bytes.len() >= LARGE_LEN_MIN {
            // A block of the exact size, rather than one that grows by doubling.
            self.output.start_block(bytes.len() + 2);
        }
        let tail = self.output.tail();
        tail.reserve(bytes.len() + 2);
        tail.extend_from_slice(bytes);
        tail.extend_from_slice(b"\r\n");
    }

    /// A type's first byte, a text of one line, a line end.
    fn line(&mut self, marker: u8, text: &[u8]) {
        let tail = self.output.tail();
        tail.reserve(text.len() + 3);
        tail.push(marker);
        let start = tail.len();
        tail.extend_from_slice(text);
        if memchr::memchr2(b'\r', b'\n', text).is_some() {
            let breaks = tail[start..].iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n'));
            breaks.for_each(|byte| *byte = b' ');
        }
        tail.extend_from_slice(b"\r\n");
    }
}

/// The numbers below one hundred, which almost all lengths are, each with its line end: eight bytes
/// in memory order. The first is free for the type, the last has the number of those that count.
const SHORT_LINES: [u64; 100] = {
    let mut lines = [0; 100];
    let mut number = 0;
    while number < lines.len() {
        let (tens, ones) = (b'0' + (number / 10) as u8, b'0' + (number % 10) as u8);
        lines[number] = u64::from_le_bytes(match number {
            0..10 => [0, ones, b'\r', b'\n', 0, 0, 0, 4],
            _ => [0, tens, ones, b'\r', b'\n', 0, 0, 5],
        });
        number += 1;
    }
    lines
};

/// Writes one of the [`SHORT_LINES`]: all of its bytes, which is one instruction, and then takes
/// back those that do not count.
#[inline]
fn push_line(out: &mut Vec<u8>, marker: u8, line: u64) {
    let end = out.len() + (line >> 56) as usize;
    out.extend_from_slice(&(line | u64::from(marker)).to_le_bytes());
    out.truncate(end);
}

#[inline]
fn write_header(out: &mut Vec<u8>, marker: u8, number: u64) {
    let short = usize::try_from(number).ok().and_then(|number| SHORT_LINES.get(number));
    match short {
        Some(&line) => push_line(out, marker, line),
        None => write_long_header(out, marker, number),
    }
}

fn write_long_header(out: &mut Vec<u8>, marker: u8, number: u64) {
    out.push(marker);
    num::write_u64(out, number);
    out.extend_from_slice(b"\r\n");
}

/// The buffer as a whole.
impl Reply {
    /// The place where the next reply will be, to return to with [`rollback`](Self::rollback).
    pub fn mark(&self) -> Mark {
        self.output.mark()
    }

    /// Takes back everything written since `mark`.
    ///
    /// # Panics
    /// If the place was sent meanwhile.
    pub fn rollback(&mut self, mark: Mark) {
        self.output.rollback(mark);
        self.broken_off = self.broken_off.filter(|&at| at < mark);
    }

    /// Leaves the reply that is being written unfinished, because it is too large for the client.
    /// Nothing that follows could be understood, so the connection must be closed without sending
    /// it.
    pub fn break_off(&mut self) {
        self.broken_off = self.broken_off.or(Some(self.mark()));
    }

    /// Whether a reply was broken off.
    #[inline]
    #[must_use]
    pub fn is_broken_off(&self) -> bool {
        self.broken_off.is_some()
    }

    /// The number of bytes to be sent.
    #[inline]
    pub fn len(&self) -> usize {
        self.output.len()
    }

    /// Whether nothing is to be sent.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memory of what is to be sent in bytes, shared values included: what the limits on
    /// output buffers look at.
    pub fn memory_size(&self) -> usize {
        self.output.memory()
    }

    /// The pieces to be sent, in order, none of them empty.
    pub fn chunks(&self) -> Chunks<'_> {
        self.output.chunks()
    }

    /// Drops the first `count` bytes: they are sent.
    ///
    /// # Panics
    /// If there are not that many.
    pub fn advance(&mut self, count: usize) {
        self.output.advance(count);
    }

    /// Drops everything that is not sent yet.
    pub fn clear(&mut self) {
        self.broken_off = None;
        self.output.clear();
    }

    /// Gives back the memory that holds nothing to be sent, for a connection that goes idle.
    pub fn shrink(&mut self) {
        self.output.shrink();
    }

    /// Takes everything out as one string of bytes: for tests and for callers without a socket.
    pub fn take_bytes(&mut self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.len());
        self.chunks().for_each(|chunk| bytes.extend_from_slice(chunk));
        self.clear();
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `write` writes in both versions.
    fn both(write: impl Fn(&mut Reply)) -> (String, String) {
        let bytes = |version| {
            let mut reply = Reply::new(version);
            write(&mut reply);
            reply.take_bytes().escape_ascii().to_string().replace(r"\r\n", "|")
        };
        (bytes(Version::Resp2), bytes(Version::Resp3))
    }

    #[track_caller]
    fn check(write: impl Fn(&mut Reply), resp2: &str, resp3: &str) {
        assert_eq!(both(write), (resp2.to_owned(), resp3.to_owned()));
    }

    #[track_caller]
    fn check_same(write: impl Fn(&mut Reply), expected: &str) {
        check(write, expected, expected);
    }

    #[test]
    fn types_that_both_versions_have() {
        check_same(Reply::ok, "+OK|");
        check_same(|r| r.simple("a\r\nb"), "+a  b|");
        check_same(|r| r.error(b"ERR a\nb\r\n"), "-ERR a b|");
        check_same(|r| r.error(b"\r\n"), "-|");
        check_same(|r| r.integer(7), ":7|");
        check_same(|r| r.integer(10), ":10|");
        check_same(|r| r.integer(i64::MIN), ":-9223372036854775808|");
        check_same(|r| r.bulk(b""), "$0||");
        check_same(|r| r.bulk(b"0123456789"), "$10|0123456789|");
        check_same(|r| r.bulk_int(-10), "$3|-10|");
        check_same(|r| r.array(12), "*12|");
        check_same(|r| r.array(99), "*99|");
        check_same(|r| r.array(100), "*100|");
    }

    #[test]
    fn types_of_resp3_and_their_stand_ins() {
        check(Reply::null, "$-1|", "_|");
        check(Reply::null_array, "*-1|", "_|");
        check(|r| r.map(6), "*12|", "%6|");
        check(|r| r.set(2), "*2|", "~2|");
        check(|r| r.push(3), "*3|", ">3|");
        check(|r| r.double(0.5), "$3|0.5|", ",0.5|");
        check(|r| r.double(f64::NEG_INFINITY), "$4|-inf|", ",-inf|");
        check(|r| r.big_number(b"123"), "$3|123|", "(123|");
        check(|r| r.verbatim(b"txt", b"hi"), "$2|hi|", "=6|txt:hi|");
        check(|r| r.boolean(true), ":1|", "#t|");
        check(|r| r.boolean(false), ":0|", "#f|");
        let attributes = |r: &mut Reply| {
            if r.attribute(1) {
                r.bulk(b"k");
                r.integer(1);
            }
            r.ok();
        };
        check(attributes, "+OK|", "|1|$1|k|:1|+OK|");
    }

    #[test]
    fn deferred_lengths_nest() {
        let write = |r: &mut Reply| {
            r.ok();
            let outer = r.begin_deferred();
            let inner = r.begin_deferred();
            r.integer(1);
            r.integer(2);
            r.end_deferred(inner, Length::Map, 1);
            r.null();
            r.end_deferred(outer, Length::Array, 12);
        };
        check(write, "+OK|*12|*2|:1|:2|$-1|", "+OK|*12|%1|:1|:2|_|");
    }

    #[test]
    fn large_values_are_shared_and_small_ones_copied() {
        for len in [0, 1, LARGE_LEN_MIN - 1, LARGE_LEN_MIN, LARGE_LEN_MIN + 1, 1 << 20] {
            let value = vec![b'v'; len];
            let mut copied = Reply::default();
            copied.bulk(&value);
            copied.integer(1);
            let mut shared = Reply::default();
            shared.bulk_shared(Box::new(value));
            shared.integer(1);
            assert_eq!(shared.chunks().count(), if len < LARGE_LEN_MIN { 1 } else { 3 });
            assert_eq!(copied.len(), shared.len());
            assert!(copied.take_bytes() == shared.take_bytes(), "length {len}");
        }
    }

    #[test]
    fn rollback_takes_back_whole_replies() {
        let mut reply = Reply::default();
        reply.ok();
        let mark = reply.mark();
        reply.bulk(&vec![b'x'; 1 << 20]);
        reply.bulk_shared(Box::new(vec![b'y'; 1 << 20]));
        reply.rollback(mark);
        reply.integer(1);
        assert_eq!(reply.take_bytes(), b"+OK\r\n:1\r\n");
        assert!(reply.is_empty());
    }
}
