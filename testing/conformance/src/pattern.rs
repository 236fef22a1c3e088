//! Expected replies: the notation, its parser, and the comparison with a reply that came.
//!
//! Patterns are written in RESP3's terms. Under RESP2 each of its types matches what a server sends
//! in its place (a map as a flat array, a double as a bulk string, `true` as 1), so that one script
//! checks both protocols. The table of the notation is in this crate's README.

use client::Value;

use crate::words;

/// The protocol version of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// RESP2, what a connection speaks before `HELLO`.
    Resp2,
    /// RESP3.
    Resp3,
}

/// What a reply is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// `<any>`: one reply of any type.
    Any,
    /// `<int>`, `<bulk>`...: any reply of that type.
    Kind(Kind),
    /// `<int 1..9>`: an integer in the inclusive range.
    Range(i64, i64),
    /// `like"a*b"`: a bulk, simple or verbatim string; `*` stands for any bytes.
    Like(Vec<u8>),
    /// `-like"ERR*"`: an error; `*` stands for any bytes.
    ErrorLike(Vec<u8>),
    /// `nil`: the null of the protocol (`$-1` or `_`).
    Nil,
    /// `nil-array`: the null array of the protocol (`*-1` or `_`).
    NilArray,
    /// A scalar that must be equal.
    Exact(Value),
    /// `[...]`, `~[...]`, `push[...]`, `unordered[...]`.
    Sequence(Sequence),
    /// `{key => value ...}`.
    Map {
        /// The expected pairs, in order unless `open`.
        pairs: Vec<(Pattern, Pattern)>,
        /// Whether it ends in `...`: pairs may come in any order among others.
        open: bool,
    },
    /// `none`: nothing comes.
    Nothing,
    /// `closed`: the server closes the connection.
    Closed,
}

/// An expected aggregate other than a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    /// Its RESP type.
    pub kind: Aggregate,
    /// The expected elements.
    pub items: Vec<Pattern>,
    /// Whether it ends in `...`, so that more elements may follow.
    pub open: bool,
}

/// Types of aggregates other than maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// An array, elements in order.
    Array,
    /// An array or a set, elements in any order.
    Unordered,
    /// A set (elements in any order); under RESP2 an array.
    Set,
    /// A push message; under RESP2 an array.
    Push,
}

/// Types that `<word>` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the types")]
pub enum Kind {
    Int,
    Bulk,
    Simple,
    Error,
    Double,
    Array,
    Map,
    Set,
    Verbatim,
}

const KINDS: [(&str, Kind); 9] = [
    ("int", Kind::Int),
    ("bulk", Kind::Bulk),
    ("simple", Kind::Simple),
    ("error", Kind::Error),
    ("double", Kind::Double),
    ("array", Kind::Array),
    ("map", Kind::Map),
    ("set", Kind::Set),
    ("verbatim", Kind::Verbatim),
];

impl Pattern {
    /// Whether `value` is what this pattern describes, on a connection that speaks `protocol`.
    pub fn matches(&self, value: &Value, protocol: Protocol) -> bool {
        let resp2 = protocol == Protocol::Resp2;
        match (self, value) {
            (Pattern::Any, _) => true,
            (Pattern::Kind(kind), value) => kind.matches(value, resp2),
            (Pattern::Range(low, high), Value::Integer(number)) => (low..=high).contains(&number),
            (Pattern::Like(glob), value) => text_of(value).is_some_and(|text| like(glob, text)),
            (Pattern::ErrorLike(glob), Value::Error(text)) => like(glob, text),
            (Pattern::Nil, Value::NullBulk) | (Pattern::NilArray, Value::NullArray) => resp2,
            (Pattern::Nil | Pattern::NilArray, Value::Null) => !resp2,
            (Pattern::Exact(wanted), value) => scalar_matches(wanted, value, resp2),
            (Pattern::Sequence(sequence), value) => sequence.matches(value, protocol),
            (Pattern::Map { pairs, open }, value) => map_matches(pairs, *open, value, protocol),
            _ => false,
        }
    }
}

impl Kind {
    fn matches(self, value: &Value, resp2: bool) -> bool {
        match (self, value) {
            (Kind::Int, Value::Integer(_))
            | (Kind::Bulk, Value::Bulk(_))
            | (Kind::Simple, Value::Simple(_))
            | (Kind::Error, Value::Error(_))
            | (Kind::Double, Value::Double(_))
            | (Kind::Array, Value::Array(_))
            | (Kind::Map, Value::Map(_))
            | (Kind::Set, Value::Set(_))
            | (Kind::Verbatim, Value::Verbatim(..)) => true,
            (Kind::Map | Kind::Set, Value::Array(_))
            | (Kind::Double | Kind::Verbatim, Value::Bulk(_)) => resp2,
            _ => false,
        }
    }
}

impl Sequence {
    fn matches(&self, value: &Value, protocol: Protocol) -> bool {
        let resp2 = protocol == Protocol::Resp2;
        let values = match (self.kind, value) {
            (Aggregate::Array | Aggregate::Unordered, Value::Array(values))
            | (Aggregate::Set | Aggregate::Unordered, Value::Set(values))
            | (Aggregate::Push, Value::Push(values)) => values,
            (Aggregate::Set | Aggregate::Push, Value::Array(values)) if resp2 => values,
            _ => return false,
        };
        if values.len() < self.items.len() || (!self.open && values.len() != self.items.len()) {
            return false;
        }
        if matches!(self.kind, Aggregate::Array | Aggregate::Push) {
            return self
                .items
                .iter()
                .zip(values)
                .all(|(item, value)| item.matches(value, protocol));
        }
        let mut free: Vec<&Value> = values.iter().collect();
        self.items.iter().all(|item| {
            let found = free.iter().position(|value| item.matches(value, protocol));
            found.map(|at| free.swap_remove(at)).is_some()
        })
    }
}

fn map_matches(
    pairs: &[(Pattern, Pattern)],
    open: bool,
    value: &Value,
    protocol: Protocol,
) -> bool {
    let found: Vec<(&Value, &Value)> = match value {
        Value::Map(found) => found.iter().map(|(key, value)| (key, value)).collect(),
        Value::Array(flat) if protocol == Protocol::Resp2 && flat.len() % 2 == 0 => {
            flat.chunks_exact(2).map(|pair| (&pair[0], &pair[1])).collect()
        }
        _ => return false,
    };
    let agree = |(key, wanted): &(Pattern, Pattern), (name, value): &(&Value, &Value)| {
        key.matches(name, protocol) && wanted.matches(value, protocol)
    };
    if open {
        return pairs.iter().all(|pair| found.iter().any(|entry| agree(pair, entry)));
    }
    found.len() == pairs.len() && pairs.iter().zip(&found).all(|(pair, entry)| agree(pair, entry))
}

fn scalar_matches(wanted: &Value, value: &Value, resp2: bool) -> bool {
    match (wanted, value) {
        (Value::Double(wanted), Value::Double(number)) => wanted.total_cmp(number).is_eq(),
        (Value::Double(wanted), Value::Bulk(text)) => {
            let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
            resp2 && number.is_some_and(|number| wanted.total_cmp(&number).is_eq())
        }
        (Value::BigNumber(wanted), Value::Bulk(text)) => resp2 && wanted == text,
        (Value::Verbatim(_, wanted), Value::Bulk(text)) => resp2 && wanted == text,
        (Value::Boolean(wanted), Value::Integer(number)) => resp2 && i64::from(*wanted) == *number,
        _ => wanted == value,
    }
}

/// The text of a string reply.
pub fn text_of(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Bulk(text) | Value::Simple(text) | Value::Verbatim(_, text) => Some(text),
        _ => None,
    }
}

/// Whether `text` is `glob`, in which each `*` stands for any bytes.
fn like(glob: &[u8], text: &[u8]) -> bool {
    let mut parts = glob.split(|&byte| byte == b'*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&[u8]> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = find(rest, part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    text.windows(part.len()).position(|window| window == part)
}

/// Parses all patterns of `text`, one after the other.
///
/// # Errors
/// A sentence saying where the notation is broken.
pub fn parse_all(text: &str) -> Result<Vec<Pattern>, String> {
    let mut parser = Parser { rest: text.trim() };
    let mut patterns = Vec::new();
    while !parser.rest.is_empty() {
        patterns.push(parser.pattern(true)?);
        parser.rest = parser.rest.trim_start();
    }
    Ok(patterns)
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest.strip_prefix(token);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    /// A bare word: up to a blank or a closing bracket.
    fn word(&mut self) -> &'a str {
        let closes = |c: char| c.is_whitespace() || c == ']' || c == '}';
        let end = self.rest.find(closes).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// The text of a `+` or `-`: quoted, else the rest of the line (inside brackets: a word).
    fn text(&mut self, top: bool) -> Result<Vec<u8>, String> {
        if self.rest.starts_with('"') {
            return self.quoted();
        }
        if !top {
            return Ok(self.word().as_bytes().to_vec());
        }
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(line.as_bytes().to_vec())
    }

    fn quoted(&mut self) -> Result<Vec<u8>, String> {
        if !self.rest.starts_with('"') {
            return Err(format!("a quoted text should follow: {}", self.rest));
        }
        let (text, rest) = words::unquote(self.rest)?;
        self.rest = rest;
        Ok(text)
    }

    fn pattern(&mut self, top: bool) -> Result<Pattern, String> {
        self.rest = self.rest.trim_start();
        for (open, kind) in [
            ("[", Aggregate::Array),
            ("~[", Aggregate::Set),
            ("push[", Aggregate::Push),
            ("unordered[", Aggregate::Unordered),
        ] {
            if self.eat(open) {
                let (items, open) = self.items("]")?;
                return Ok(Pattern::Sequence(Sequence { kind, items, open }));
            }
        }
        if self.eat("{") {
            return self.map();
        }
        if self.eat("<") {
            return self.placeholder();
        }
        self.scalar(top)
    }

    fn scalar(&mut self, top: bool) -> Result<Pattern, String> {
        if self.rest.starts_with('"') {
            return Ok(Pattern::Exact(Value::Bulk(self.quoted()?)));
        }
        if self.eat("like") {
            return Ok(Pattern::Like(self.quoted()?));
        }
        if self.rest.starts_with("-like\"") {
            self.eat("-like");
            return Ok(Pattern::ErrorLike(self.quoted()?));
        }
        if self.eat("+") {
            return Ok(Pattern::Exact(Value::Simple(self.text(top)?)));
        }
        if self.eat("-") {
            return Ok(Pattern::Exact(Value::Error(self.text(top)?)));
        }
        if self.eat("=") {
            let (format, rest) = self.rest.split_once(':').ok_or("a verbatim lacks its colon")?;
            self.rest = rest;
            let format = format.as_bytes().try_into();
            let format = format.map_err(|_| "a verbatim's format has three letters".to_owned())?;
            return Ok(Pattern::Exact(Value::Verbatim(format, self.quoted()?)));
        }
        let word = self.word();
        let digits = || word.as_bytes()[1..].to_vec();
        Ok(match word {
            "nil" => Pattern::Nil,
            "nil-array" => Pattern::NilArray,
            "true" => Pattern::Exact(Value::Boolean(true)),
            "false" => Pattern::Exact(Value::Boolean(false)),
            "none" => Pattern::Nothing,
            "closed" => Pattern::Closed,
            _ if word.starts_with(',') => {
                let number = word[1..].parse().map_err(|_| format!("'{word}' is no double"))?;
                Pattern::Exact(Value::Double(number))
            }
            _ if word.starts_with('(') => Pattern::Exact(Value::BigNumber(digits())),
            _ => {
                let number = word.strip_prefix(':').and_then(|digits| digits.parse().ok());
                let number = number.ok_or_else(|| format!("'{word}' begins no reply"))?;
                Pattern::Exact(Value::Integer(number))
            }
        })
    }

    /// Elements up to `close`; the flag says whether `...` came last.
    fn items(&mut self, close: &str) -> Result<(Vec<Pattern>, bool), String> {
        let mut items = Vec::new();
        let mut open = false;
        loop {
            self.rest = self.rest.trim_start();
            if self.eat(close) {
                return Ok((items, open));
            }
            if self.rest.is_empty() || open {
                return Err(format!("{close} is missing"));
            }
            if self.eat("...") {
                open = true;
            } else {
                items.push(self.pattern(false)?);
            }
        }
    }

    fn map(&mut self) -> Result<Pattern, String> {
        let mut pairs = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if self.eat("}") {
                return Ok(Pattern::Map { pairs, open: false });
            }
            if self.eat("...") {
                self.rest = self.rest.trim_start();
                let closed = self.eat("}");
                let map = Pattern::Map { pairs, open: true };
                return closed.then_some(map).ok_or_else(|| "} is missing".to_owned());
            }
            if self.rest.is_empty() {
                return Err("} is missing".to_owned());
            }
            let key = self.pattern(false)?;
            self.rest = self.rest.trim_start();
            if !self.eat("=>") {
                return Err(format!("=> is missing before: {}", self.rest));
            }
            pairs.push((key, self.pattern(false)?));
        }
    }

    fn placeholder(&mut self) -> Result<Pattern, String> {
        let (body, rest) = self.rest.split_once('>').ok_or("a placeholder lacks its >")?;
        self.rest = rest;
        if body == "any" {
            return Ok(Pattern::Any);
        }
        if let Some((_, kind)) = KINDS.iter().find(|(name, _)| *name == body) {
            return Ok(Pattern::Kind(*kind));
        }
        let range = body.strip_prefix("int ").and_then(|range| range.split_once(".."));
        let bounds = range.and_then(|(low, high)| Some((low.parse().ok()?, high.parse().ok()?)));
        let (low, high) = bounds.ok_or_else(|| format!("<{body}> is no placeholder"))?;
        Ok(Pattern::Range(low, high))
    }
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
