//! The client's end of the wire: replies, parsed incrementally into values.
//!
//! The parser takes complete elements out of the input as they arrive and keeps the aggregates
//! they belong to on a stack of its own: the caller drops what was consumed even in the middle of
//! a reply, and no byte is looked at twice. What the other side announces is never believed before
//! it arrives: no memory is reserved for it, and nesting is bounded, for values are dropped and
//! compared recursively.

use std::fmt;

use memchr::memchr;
use stdx::num::{parse_f64, parse_i64};

use crate::{Length, Reply};

/// The deepest nesting of aggregates that is accepted.
const DEPTH_MAX: usize = 64;
/// The longest line, in bytes: simple strings, errors and big numbers are lines.
const LINE_LEN_MAX: usize = 1024 * 1024;
/// The longest bulk string, in bytes: the most that a server can be configured to hold.
const BULK_LEN_MAX: i64 = i64::MAX / 4;

/// A reply.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// `+`: a line of text.
    Simple(Vec<u8>),
    /// `-` and `!`: an error, from its code on.
    Error(Vec<u8>),
    /// `:`
    Integer(i64),
    /// `$`: any bytes.
    Bulk(Vec<u8>),
    /// `_`: the null of RESP3.
    Null,
    /// `$-1`: the null bulk string of RESP2.
    NullBulk,
    /// `*-1`: the null array of RESP2.
    NullArray,
    /// `*`
    Array(Vec<Value>),
    /// `%`: pairs in the order of arrival.
    Map(Vec<(Value, Value)>),
    /// `~`: elements in the order of arrival.
    Set(Vec<Value>),
    /// `>`: an out-of-band message, not the reply to a command.
    Push(Vec<Value>),
    /// `,`
    Double(f64),
    /// `#`
    Boolean(bool),
    /// `(`: the decimal digits, with an optional sign.
    BigNumber(Vec<u8>),
    /// `=`: text for people, and its format.
    Verbatim([u8; 3], Vec<u8>),
    /// `|`: a value with attributes before it.
    Attributed(Vec<(Value, Value)>, Box<Value>),
}

impl Value {
    /// Whether this is one of the three nulls.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null | Self::NullBulk | Self::NullArray)
    }

    /// The bytes of a string of any kind, or the text of an error.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(bytes)
            | Self::Error(bytes)
            | Self::Bulk(bytes)
            | Self::BigNumber(bytes)
            | Self::Verbatim(_, bytes) => Some(bytes),
            Self::Attributed(_, value) => value.as_bytes(),
            _ => None,
        }
    }

    /// The integer, if this is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            Self::Attributed(_, value) => value.as_i64(),
            _ => None,
        }
    }

    /// The elements of an array, set or push.
    pub fn as_slice(&self) -> Option<&[Value]> {
        match self {
            Self::Array(items) | Self::Set(items) | Self::Push(items) => Some(items),
            Self::Attributed(_, value) => value.as_slice(),
            _ => None,
        }
    }

    /// Writes this value as a server would, in the version that `reply` has.
    pub fn write(&self, reply: &mut Reply) {
        match self {
            Self::Simple(text) => reply.simple_bytes(text),
            Self::Error(text) => reply.error(text),
            Self::Integer(value) => reply.integer(*value),
            Self::Bulk(bytes) => reply.bulk(bytes),
            Self::Null | Self::NullBulk => reply.null(),
            Self::NullArray => reply.null_array(),
            Self::Array(items) => write_items(reply, Length::Array, items),
            Self::Set(items) => write_items(reply, Length::Set, items),
            Self::Push(items) => write_items(reply, Length::Push, items),
            Self::Map(pairs) => {
                reply.map(pairs.len());
                write_pairs(reply, pairs);
            }
            Self::Double(value) => reply.double(*value),
            Self::Boolean(value) => reply.boolean(*value),
            Self::BigNumber(digits) => reply.big_number(digits),
            Self::Verbatim(format, text) => reply.verbatim(format, text),
            Self::Attributed(pairs, value) => {
                if reply.attribute(pairs.len()) {
                    write_pairs(reply, pairs);
                }
                value.write(reply);
            }
        }
    }
}

fn write_items(reply: &mut Reply, kind: Length, items: &[Value]) {
    reply.length(kind, items.len());
    items.iter().for_each(|item| item.write(reply));
}

fn write_pairs(reply: &mut Reply, pairs: &[(Value, Value)]) {
    for (key, value) in pairs {
        key.write(reply);
        value.write(reply);
    }
}

/// Why bytes are no reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplyError {
    /// No type starts with this byte.
    UnknownType(u8),
    /// A length is no number, negative, or too large.
    InvalidLength,
    /// An integer, double, boolean, null or big number is malformed.
    InvalidScalar,
    /// A verbatim string without a format of three letters.
    InvalidVerbatim,
    /// A line does not end with a carriage return and a line feed, or a bulk string not there.
    MissingLineEnd,
    /// A line of more than 1 MiB.
    LineTooLong,
    /// Aggregates are nested more than 64 deep.
    TooDeep,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownType(byte) => {
                write!(f, "no reply type starts with '{}'", byte.escape_ascii())
            }
            Self::InvalidLength => f.write_str("invalid length in a reply"),
            Self::InvalidScalar => f.write_str("malformed number, boolean or null in a reply"),
            Self::InvalidVerbatim => f.write_str("verbatim string without a format"),
            Self::MissingLineEnd => f.write_str("missing line end in a reply"),
            Self::LineTooLong => f.write_str("too long a line in a reply"),
            Self::TooDeep => f.write_str("too deeply nested a reply"),
        }
    }
}

impl std::error::Error for ReplyError {}

/// How far [`ReplyParser::parse`] got. In both cases the caller drops `consumed` bytes and gives
/// those behind them to the next call.
#[derive(Clone, PartialEq, Debug)]
pub enum ReplyStep {
    /// The reply is not complete.
    Incomplete {
        /// Bytes to drop.
        consumed: usize,
        /// At least this many bytes are missing behind those given; never zero.
        needed: usize,
    },
    /// A complete reply or push message.
    Complete {
        /// Bytes to drop.
        consumed: usize,
        /// What they say.
        value: Value,
    },
}

/// An aggregate some of whose elements are missing.
#[derive(Debug)]
struct Frame {
    kind: FrameKind,
    /// Elements to come; two for each pair.
    missing: u64,
    items: Vec<Value>,
}

#[derive(Clone, Copy, Debug)]
enum FrameKind {
    Array,
    Set,
    Push,
    Map,
    /// The pairs of an attribute.
    Attribute,
    /// The pairs are complete, in `items`; the value they belong to comes next.
    Attributed,
}

/// What a line says.
enum Element {
    Value(Value),
    /// A bulk string of this length follows.
    Bulk(BulkKind, usize),
    /// This many elements follow.
    Aggregate(FrameKind, u64),
}

#[derive(Clone, Copy, Debug)]
enum BulkKind {
    String,
    Error,
    Verbatim,
}

/// The incremental parser of one connection's replies.
#[derive(Debug, Default)]
pub struct ReplyParser {
    stack: Vec<Frame>,
    /// A bulk string whose length is known and whose bytes have not all arrived.
    bulk: Option<(BulkKind, usize)>,
    /// No line end lies before this offset of the input.
    searched: usize,
}

impl ReplyParser {
    /// A parser at the start of a connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on parsing with `input`, the bytes that no earlier call consumed.
    ///
    /// # Errors
    /// When the bytes are no reply; the parser is of no use afterwards.
    pub fn parse(&mut self, input: &[u8]) -> Result<ReplyStep, ReplyError> {
        let mut consumed = 0;
        loop {
            let rest = &input[consumed..];
            let element = match self.bulk {
                Some((kind, len)) => {
                    if rest.len() < len + 2 {
                        let needed = len + 2 - rest.len();
                        return Ok(ReplyStep::Incomplete { consumed, needed });
                    }
                    self.bulk = None;
                    consumed += len + 2;
                    Element::Value(bulk_value(kind, len, rest)?)
                }
                None => {
                    let Some(line) = self.line(rest)? else {
                        return Ok(ReplyStep::Incomplete { consumed, needed: 1 });
                    };
                    consumed += line.len() + 2;
                    parse_line(line)?
                }
            };
            let value = match element {
                Element::Value(value) => Some(value),
                Element::Bulk(kind, len) => {
                    self.bulk = Some((kind, len));
                    None
                }
                Element::Aggregate(kind, missing) => self.open(kind, missing)?,
            };
            if let Some(value) = value.and_then(|value| self.close(value)) {
                return Ok(ReplyStep::Complete { consumed, value });
            }
        }
    }

    /// The line at the start of `rest`, without its end, if all of it has arrived.
    fn line<'a>(&mut self, rest: &'a [u8]) -> Result<Option<&'a [u8]>, ReplyError> {
        let from = self.searched.min(rest.len());
        let Some(found) = memchr(b'\n', &rest[from..]) else {
            self.searched = rest.len();
            return if rest.len() > LINE_LEN_MAX { Err(ReplyError::LineTooLong) } else { Ok(None) };
        };
        self.searched = 0;
        match &rest[..from + found] {
            line if line.len() > LINE_LEN_MAX => Err(ReplyError::LineTooLong),
            [line @ .., b'\r'] => Ok(Some(line)),
            _ => Err(ReplyError::MissingLineEnd),
        }
    }

    /// Starts an aggregate; returns it if it is complete already.
    fn open(&mut self, kind: FrameKind, missing: u64) -> Result<Option<Value>, ReplyError> {
        if self.stack.len() == DEPTH_MAX {
            return Err(ReplyError::TooDeep);
        }
        if missing > 0 {
            self.stack.push(Frame { kind, missing, items: Vec::new() });
            return Ok(None);
        }
        if matches!(kind, FrameKind::Attribute) {
            let kind = FrameKind::Attributed;
            self.stack.push(Frame { kind, missing: 1, items: Vec::new() });
            return Ok(None);
        }
        Ok(Some(aggregate(kind, Vec::new())))
    }

    /// Puts a complete value into the aggregates that wait for it; returns the outermost one if
    /// that completes it.
    fn close(&mut self, mut value: Value) -> Option<Value> {
        while let Some(frame) = self.stack.last_mut() {
            frame.missing -= 1;
            if frame.missing > 0 || matches!(frame.kind, FrameKind::Attribute) {
                frame.items.push(value);
                if frame.missing == 0 {
                    frame.kind = FrameKind::Attributed;
                    frame.missing = 1;
                }
                return None;
            }
            let frame = self.stack.pop()?;
            let mut items = frame.items;
            value = if matches!(frame.kind, FrameKind::Attributed) {
                Value::Attributed(pairs(items), Box::new(value))
            } else {
                items.push(value);
                aggregate(frame.kind, items)
            };
        }
        Some(value)
    }
}

fn aggregate(kind: FrameKind, items: Vec<Value>) -> Value {
    match kind {
        FrameKind::Array => Value::Array(items),
        FrameKind::Set => Value::Set(items),
        FrameKind::Push => Value::Push(items),
        FrameKind::Map | FrameKind::Attribute | FrameKind::Attributed => Value::Map(pairs(items)),
    }
}

fn pairs(items: Vec<Value>) -> Vec<(Value, Value)> {
    let mut items = items.into_iter();
    let mut pairs = Vec::with_capacity(items.len() / 2);
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        pairs.push((key, value));
    }
    pairs
}

/// Interprets a line without its end.
fn parse_line(line: &[u8]) -> Result<Element, ReplyError> {
    let Some((&marker, text)) = line.split_first() else {
        return Err(ReplyError::UnknownType(b'\r'));
    };
    let value = match marker {
        b'+' => Value::Simple(text.to_vec()),
        b'-' => Value::Error(text.to_vec()),
        b':' => Value::Integer(parse_integer(text)?),
        b'_' if text.is_empty() => Value::Null,
        b'#' if text == b"t" => Value::Boolean(true),
        b'#' if text == b"f" => Value::Boolean(false),
        b'_' | b'#' => return Err(ReplyError::InvalidScalar),
        b',' => Value::Double(parse_double(text)?),
        b'(' => Value::BigNumber(check_big_number(text)?.to_vec()),
        b'$' if text == b"-1" => Value::NullBulk,
        b'*' if text == b"-1" => Value::NullArray,
        b'$' => return bulk(BulkKind::String, text),
        b'!' => return bulk(BulkKind::Error, text),
        b'=' => return bulk(BulkKind::Verbatim, text),
        b'*' => return Ok(Element::Aggregate(FrameKind::Array, parse_count(text)?)),
        b'~' => return Ok(Element::Aggregate(FrameKind::Set, parse_count(text)?)),
        b'>' => return Ok(Element::Aggregate(FrameKind::Push, parse_count(text)?)),
        b'%' => return Ok(Element::Aggregate(FrameKind::Map, parse_count(text)? * 2)),
        b'|' => return Ok(Element::Aggregate(FrameKind::Attribute, parse_count(text)? * 2)),
        other => return Err(ReplyError::UnknownType(other)),
    };
    Ok(Element::Value(value))
}

/// A length that is neither negative nor so large that doubling it would overflow.
fn parse_count(text: &[u8]) -> Result<u64, ReplyError> {
    parse_i64(text)
        .filter(|&count| count <= BULK_LEN_MAX)
        .and_then(|count| u64::try_from(count).ok())
        .ok_or(ReplyError::InvalidLength)
}

fn bulk(kind: BulkKind, text: &[u8]) -> Result<Element, ReplyError> {
    let len = usize::try_from(parse_count(text)?).map_err(|_| ReplyError::InvalidLength)?;
    Ok(Element::Bulk(kind, len))
}

/// The value of a bulk string whose `len` bytes and line end start `rest`.
fn bulk_value(kind: BulkKind, len: usize, rest: &[u8]) -> Result<Value, ReplyError> {
    let (bytes, end) = rest.split_at(len);
    if !end.starts_with(b"\r\n") {
        return Err(ReplyError::MissingLineEnd);
    }
    match (kind, bytes) {
        (BulkKind::String, _) => Ok(Value::Bulk(bytes.to_vec())),
        (BulkKind::Error, _) => Ok(Value::Error(bytes.to_vec())),
        (BulkKind::Verbatim, &[a, b, c, b':', ref text @ ..]) => {
            Ok(Value::Verbatim([a, b, c], text.to_vec()))
        }
        (BulkKind::Verbatim, _) => Err(ReplyError::InvalidVerbatim),
    }
}

/// An integer; unlike in requests a plus sign may precede it.
fn parse_integer(text: &[u8]) -> Result<i64, ReplyError> {
    parse_i64(text.strip_prefix(b"+").unwrap_or(text)).ok_or(ReplyError::InvalidScalar)
}

/// A double; unlike in requests it may be not a number.
fn parse_double(text: &[u8]) -> Result<f64, ReplyError> {
    match text {
        b"nan" | b"-nan" => Ok(f64::NAN),
        _ => parse_f64(text).ok_or(ReplyError::InvalidScalar),
    }
}

fn check_big_number(text: &[u8]) -> Result<&[u8], ReplyError> {
    let digits = match text {
        [b'+' | b'-', digits @ ..] => digits,
        _ => text,
    };
    let valid = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if valid { Ok(text) } else { Err(ReplyError::InvalidScalar) }
}
