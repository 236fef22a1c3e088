//! Values of parameters: from text, and back to the text that `CONFIG GET` shows.

use std::fmt::Write;
use std::sync::Arc;

use stdx::size::parse_size;

use crate::choice::WordTable;
use crate::lists::{self, EventFlags, Reason};
use crate::row::{Kind, Row};

/// What a parameter holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Switches, numbers, words and sets of words. Bytes are the same 64 bits without sign;
    /// percentages are negative.
    Word(i64),
    /// Text, and the canonical text of lists.
    Text(Arc<[u8]>),
}

impl Value {
    pub(crate) fn from_text(text: &[u8]) -> Self {
        Self::Text(Arc::from(text))
    }

    pub(crate) fn word(&self) -> i64 {
        match self {
            Self::Word(word) => *word,
            Self::Text(_) => unreachable!("the value of a text row is never read as a number"),
        }
    }

    pub(crate) fn text(&self) -> &[u8] {
        match self {
            Self::Text(text) => text,
            Self::Word(_) => unreachable!("the value of a number row is never read as text"),
        }
    }
}

/// A whole number as the protocol writes it: no plus sign, space or leading zero.
pub(crate) fn parse_i64(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        b"0" => text.len() == 1,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if canonical { std::str::from_utf8(text).ok()?.parse().ok() } else { None }
}

impl Row {
    /// The value without configuration.
    #[must_use]
    pub fn default_value(&self) -> Value {
        match self.kind {
            Kind::Bool { default } => Value::Word(i64::from(default)),
            Kind::Int { default, .. }
            | Kind::Octal { default, .. }
            | Kind::Choice { default, .. }
            | Kind::Flags { default, .. } => Value::Word(default),
            Kind::Bytes { default, .. } | Kind::BytesOrPercent { default } => {
                Value::Word(default.cast_signed())
            }
            Kind::Events => Value::Word(0),
            Kind::Text { default } | Kind::List { default, .. } => {
                Value::from_text(default.as_bytes())
            }
        }
    }

    /// The value that `args` stand for, or the reason why they stand for none. `current` is what
    /// the parameter holds now: some directives change a part of it.
    pub(crate) fn parse(&self, args: &[&[u8]], current: &Value) -> Result<Value, Reason> {
        if let Kind::List { list, .. } = self.kind {
            let text = lists::parse(list, args, current.text())?;
            return Ok(Value::from_text(&text));
        }
        if let Kind::Flags { words, .. } = self.kind {
            return self.checked_number(parse_flags(words, args)?);
        }
        let &[text] = args else { return Err("wrong number of arguments".into()) };
        if let Kind::Text { .. } = self.kind {
            if let Some(check) = self.text_check {
                check(text)?;
            }
            return Ok(Value::from_text(text));
        }
        self.checked_number(self.parse_number(text)?)
    }

    fn checked_number(&self, number: i64) -> Result<Value, Reason> {
        if let Some(check) = self.number_check {
            check(number)?;
        }
        Ok(Value::Word(self.clamped.map_or(number, |(min, max)| number.clamp(min, max))))
    }

    fn parse_number(&self, text: &[u8]) -> Result<i64, Reason> {
        match self.kind {
            Kind::Bool { .. } => match text.to_ascii_lowercase().as_slice() {
                b"yes" => Ok(1),
                b"no" => Ok(0),
                _ => Err("argument must be 'yes' or 'no'".into()),
            },
            Kind::Int { min, max, .. } => {
                let number =
                    parse_i64(text).ok_or("argument couldn't be parsed into an integer")?;
                if (min..=max).contains(&number) { Ok(number) } else { Err(out_of_range(min, max)) }
            }
            Kind::Octal { max, .. } => {
                let number =
                    parse_octal(text).ok_or("argument couldn't be parsed as an octal number")?;
                if number <= max {
                    Ok(number)
                } else {
                    Err(format!("argument must be between 0 and {max:o} inclusive").into())
                }
            }
            Kind::Bytes { min, max, .. } => {
                let number = parse_memory(text).ok_or("argument must be a memory value")?;
                if (min..=max).contains(&number) {
                    Ok(number.cast_signed())
                } else {
                    Err(out_of_range(min, max))
                }
            }
            Kind::BytesOrPercent { .. } => parse_bytes_or_percent(text),
            Kind::Choice { words, .. } => find_word(words, text).ok_or_else(|| one_of(words)),
            Kind::Events => EventFlags::parse(text).map(EventFlags::bits).ok_or_else(|| {
                "Invalid event class character. Use 'Ag$lshzxeKEtmdnocaSTIV'.".into()
            }),
            Kind::Flags { .. } | Kind::Text { .. } | Kind::List { .. } => {
                unreachable!("values that are no single number are parsed by the caller")
            }
        }
    }

    /// The text that `CONFIG GET` shows.
    #[must_use]
    pub fn show(&self, value: &Value) -> Vec<u8> {
        match self.kind {
            Kind::Bool { .. } => if value.word() != 0 { "yes" } else { "no" }.into(),
            Kind::Int { .. } => value.word().to_string().into_bytes(),
            Kind::Octal { .. } => format!("{:o}", value.word()).into_bytes(),
            Kind::Bytes { .. } => value.word().cast_unsigned().to_string().into_bytes(),
            Kind::BytesOrPercent { .. } => match value.word() {
                percent @ -100..=-1 => format!("{}%", -percent).into_bytes(),
                bytes => bytes.cast_unsigned().to_string().into_bytes(),
            },
            Kind::Choice { words, .. } => word_of(words, value.word()).into(),
            Kind::Flags { words, .. } => show_flags(words, value.word()).into_bytes(),
            Kind::Events => EventFlags::from_bits(value.word()).to_text(),
            Kind::Text { .. } | Kind::List { .. } => value.text().to_vec(),
        }
    }
}

fn out_of_range<T: std::fmt::Display>(min: T, max: T) -> Reason {
    format!("argument must be between {min} and {max} inclusive").into()
}

fn one_of(words: WordTable) -> Reason {
    let mut reason = String::from("argument(s) must be one of the following: ");
    for (at, (word, _)) in words.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        write!(reason, "{comma}{word}").expect("writing to a string does not fail");
    }
    reason.into()
}

fn find_word(words: WordTable, text: &[u8]) -> Option<i64> {
    words.iter().find(|(word, _)| word.as_bytes().eq_ignore_ascii_case(text)).map(|word| word.1)
}

fn word_of(words: WordTable, number: i64) -> &'static str {
    words.iter().find(|word| word.1 == number).map_or("unknown", |word| word.0)
}

fn parse_flags(words: WordTable, args: &[&[u8]]) -> Result<i64, Reason> {
    if args.is_empty() {
        return Err(one_of(words));
    }
    let mut bits = 0;
    for word in args {
        bits |= find_word(words, word).ok_or_else(|| one_of(words))?;
    }
    Ok(bits)
}

/// The word that stands for all of the bits, or a word for each.
fn show_flags(words: WordTable, bits: i64) -> String {
    if let Some(whole) = words.iter().find(|word| word.1 == bits) {
        return whole.0.to_owned();
    }
    let set: Vec<&str> = words
        .iter()
        .filter(|word| word.1 != 0 && bits & word.1 == word.1)
        .map(|word| word.0)
        .collect();
    set.join(" ")
}

fn parse_octal(text: &[u8]) -> Option<i64> {
    if text.is_empty() || !text.iter().all(|digit| (b'0'..=b'7').contains(digit)) {
        return None;
    }
    i64::from_str_radix(std::str::from_utf8(text).ok()?, 8).ok()
}

/// A size with an optional unit; nothing at all is zero, as in Redis.
fn parse_memory(text: &[u8]) -> Option<u64> {
    if text.is_empty() { Some(0) } else { parse_size(text) }
}

fn parse_bytes_or_percent(text: &[u8]) -> Result<i64, Reason> {
    let refusal = "argument must be a memory or percent value";
    if let Some(digits) = text.strip_suffix(b"%") {
        return match parse_i64(digits) {
            Some(percent @ 0..=100) => Ok(-percent),
            Some(101..) => Err("percentage argument must be less or equal to 100".into()),
            _ => Err(refusal.into()),
        };
    }
    let bytes = parse_memory(text).ok_or(refusal)?;
    i64::try_from(bytes).map_err(|_| refusal.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_strict() {
        for (text, number) in [("0", 0), ("-1", -1), ("9223372036854775807", i64::MAX)] {
            assert_eq!(parse_i64(text.as_bytes()), Some(number));
        }
        for text in ["", "-", "+1", "01", "-0", " 1", "1 ", "1.5", "0x10", "9223372036854775808"] {
            assert_eq!(parse_i64(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn octal() {
        assert_eq!(parse_octal(b"777"), Some(0o777));
        for text in ["", "8", "999", "-7", "7777777777777777777777777777"] {
            assert_eq!(parse_octal(text.as_bytes()), None, "{text}");
        }
    }
}
