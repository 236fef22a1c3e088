//! JSON's tokens, with what lua-cjson takes beyond the standard: numbers in C's spelling
//! (hexadecimal, `inf`, `nan`, leading zeros), unless the settings refuse them.
//!
//! The text is taken to end at a zero byte, where it does not have to.

use std::borrow::Cow;

use stdx::num::parse_f64_prefix;

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'a> {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    String(Cow<'a, [u8]>),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    /// No token, and why not.
    Error(&'static str),
}

impl Token<'_> {
    /// The name in error texts.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::ObjectBegin => "T_OBJ_BEGIN",
            Self::ObjectEnd => "T_OBJ_END",
            Self::ArrayBegin => "T_ARR_BEGIN",
            Self::ArrayEnd => "T_ARR_END",
            Self::String(_) => "T_STRING",
            Self::Number(_) => "T_NUMBER",
            Self::Boolean(_) => "T_BOOLEAN",
            Self::Null => "T_NULL",
            Self::Colon => "T_COLON",
            Self::Comma => "T_COMMA",
            Self::End => "T_END",
            Self::Error(why) => why,
        }
    }
}

/// A text that is read token by token.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    text: &'a [u8],
    at: usize,
    /// Where the last token began, or what was wrong with it; the first byte is 1.
    pub(super) character: usize,
    lenient_numbers: bool,
}

const INVALID_TOKEN: &str = "invalid token";
const INVALID_NUMBER: &str = "invalid number";
const INVALID_ESCAPE: &str = "invalid escape code";
const INVALID_UNICODE: &str = "invalid unicode escape code";
const UNFINISHED_STRING: &str = "unexpected end of string";

impl<'a> Tokens<'a> {
    pub(super) const fn new(text: &'a [u8], lenient_numbers: bool) -> Self {
        Self { text, at: 0, character: 1, lenient_numbers }
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Token<'a> {
        let (token, len) = match self.skip_space() {
            None | Some(0) => (Token::End, 0),
            Some(b'{') => (Token::ObjectBegin, 1),
            Some(b'}') => (Token::ObjectEnd, 1),
            Some(b'[') => (Token::ArrayBegin, 1),
            Some(b']') => (Token::ArrayEnd, 1),
            Some(b',') => (Token::Comma, 1),
            Some(b':') => (Token::Colon, 1),
            Some(b'"') => return self.string(),
            Some(b'-' | b'0'..=b'9') => {
                let lenient = self.lenient_numbers || !is_beyond_json(self.rest());
                return if lenient { self.number() } else { Token::Error(INVALID_NUMBER) };
            }
            _ => return self.word(),
        };
        self.at += len;
        token
    }

    /// Takes the end of an array if it comes next. What else comes is not looked at.
    pub(super) fn next_if_array_end(&mut self) -> bool {
        let found = self.skip_space() == Some(b']');
        self.at += usize::from(found);
        found
    }

    /// Goes to where the next token begins; returns its first byte.
    fn skip_space(&mut self) -> Option<u8> {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.character = self.at + 1;
        self.peek()
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        &self.text[self.at..]
    }

    fn word(&mut self) -> Token<'a> {
        let words = [
            ("true", Token::Boolean(true)),
            ("false", Token::Boolean(false)),
            ("null", Token::Null),
        ];
        for (word, token) in words {
            if self.rest().starts_with(word.as_bytes()) {
                self.at += word.len();
                return token;
            }
        }
        if self.lenient_numbers && is_beyond_json(self.rest()) {
            return self.number();
        }
        Token::Error(INVALID_TOKEN)
    }

    fn number(&mut self) -> Token<'a> {
        match parse_f64_prefix(self.rest()) {
            Some((number, len)) => {
                self.at += len;
                Token::Number(number)
            }
            None => Token::Error(INVALID_NUMBER),
        }
    }

    /// A string. One without escapes is a piece of the text.
    fn string(&mut self) -> Token<'a> {
        self.at += 1;
        let mut unescaped: Cow<'a, [u8]> = Cow::Borrowed(&[]);
        loop {
            let rest = self.rest();
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0));
            let plain = plain.unwrap_or(rest.len());
            match &mut unescaped {
                Cow::Borrowed([]) => unescaped = Cow::Borrowed(&rest[..plain]),
                piece => piece.to_mut().extend_from_slice(&rest[..plain]),
            }
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Token::String(unescaped);
                }
                Some(b'\\') => {
                    if let Err(why) = self.escape(unescaped.to_mut()) {
                        self.character = self.at + 1;
                        return Token::Error(why);
                    }
                }
                _ => {
                    self.character = self.at + 1;
                    return Token::Error(UNFINISHED_STRING);
                }
            }
        }
    }

    /// Takes the escape sequence here.
    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let byte = match self.text.get(self.at + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => *byte,
            Some(b'b') => 8,
            Some(b't') => b'\t',
            Some(b'n') => b'\n',
            Some(b'f') => 12,
            Some(b'r') => b'\r',
            Some(b'u') => return self.unicode(out),
            _ => return Err(INVALID_ESCAPE),
        };
        out.push(byte);
        self.at += 2;
        Ok(())
    }

    /// Takes a `\uXXXX`, or two that make up one character beyond the first plane.
    fn unicode(&mut self, out: &mut Vec<u8>) -> Result<(), &'static str> {
        const LEN: usize = 6;
        let unit = |at: usize| -> Option<u32> {
            let digits = self.text.get(at..at + LEN)?.strip_prefix(b"\\u")?;
            digits
                .iter()
                .try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
        };
        let first = unit(self.at).ok_or(INVALID_UNICODE)?;
        let (code, len) = match first {
            0xD800..0xDC00 => match unit(self.at + LEN) {
                Some(second @ 0xDC00..0xE000) => {
                    (0x10000 + ((first & 0x3FF) << 10 | second & 0x3FF), 2 * LEN)
                }
                _ => return Err(INVALID_UNICODE),
            },
            _ => (first, LEN),
        };
        let character = char::from_u32(code).ok_or(INVALID_UNICODE)?;
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        self.at += len;
        Ok(())
    }
}

/// Whether what begins here is a number that C knows and JSON does not: a plus sign, leading
/// zeros, hexadecimal digits, infinity, not-a-number.
fn is_beyond_json(text: &[u8]) -> bool {
    let text = match text {
        [b'+', ..] => return true,
        [b'-', rest @ ..] => rest,
        _ => text,
    };
    match text {
        [b'0', next, ..] => next.is_ascii_digit() || matches!(next, b'x' | b'X'),
        [first, second, third, ..] => {
            let word = [*first, *second, *third].map(|byte| byte.to_ascii_lowercase());
            matches!(&word, b"inf" | b"nan")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Vec<Token<'_>> {
        let mut tokens = Tokens::new(text, true);
        let mut found = Vec::new();
        loop {
            let token = tokens.next();
            let last = matches!(token, Token::End | Token::Error(_));
            found.push(token);
            if last {
                return found;
            }
        }
    }

    #[test]
    fn a_string_without_escapes_is_not_copied() {
        let [Token::String(Cow::Borrowed(b"abc")), Token::End] = &all(b"\"abc\"")[..] else {
            panic!("{:?}", all(b"\"abc\""));
        };
        let tokens = all(br#""a\nb""#);
        assert_eq!(tokens[0], Token::String(Cow::Borrowed(b"a\nb")));
    }

    #[test]
    fn pairs_of_surrogates() {
        let tokens = all(br#""\ud83d\ude00""#);
        assert_eq!(tokens[0], Token::String("\u{1f600}".as_bytes().into()));
        for broken in [&br#""\ud83d""#[..], br#""\ude00""#, br#""\ud83d\u0041""#] {
            assert_eq!(all(broken), [Token::Error(INVALID_UNICODE)]);
        }
    }
}
