//! A reply in the notation of [`crate::pattern`]: what `--record` writes and failures show.

use client::Value;

use crate::words::quote;

/// Widest line an aggregate is kept on.
const WIDTH_MAX: usize = 96;

/// Writes `value` in the notation that [`crate::pattern::parse_all`] reads.
pub fn render(value: &Value) -> String {
    match value {
        Value::Simple(text) if bare_line(text) => format!("+{}", String::from_utf8_lossy(text)),
        Value::Error(text) if bare_line(text) => format!("-{}", String::from_utf8_lossy(text)),
        _ => nested(value, 0),
    }
}

/// Whether a simple text may stand unquoted to the end of its line.
fn bare_line(text: &[u8]) -> bool {
    text.iter().all(|byte| (0x20..0x7f).contains(byte))
        && !text.starts_with(b"\"")
        && !text.starts_with(b"like\"")
        && text.trim_ascii() == text
}

fn bare_word(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_alphanumeric)
}

fn marked(mark: char, text: &[u8]) -> String {
    if bare_word(text) {
        return format!("{mark}{}", String::from_utf8_lossy(text));
    }
    format!("{mark}{}", quote(text))
}

fn nested(value: &Value, depth: usize) -> String {
    let digits = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    match value {
        Value::Simple(text) => marked('+', text),
        Value::Error(text) => marked('-', text),
        Value::Integer(number) => format!(":{number}"),
        Value::Bulk(text) => quote(text),
        Value::NullBulk | Value::Null => "nil".to_owned(),
        Value::NullArray => "nil-array".to_owned(),
        Value::Double(number) => format!(",{number}"),
        Value::BigNumber(text) => format!("({}", digits(text)),
        Value::Boolean(truth) => truth.to_string(),
        Value::Verbatim(format, text) => format!("={}:{}", digits(format), quote(text)),
        Value::Array(items) => bracketed("[", "]", items_of(items, depth), depth),
        Value::Set(items) => bracketed("~[", "]", items_of(items, depth), depth),
        Value::Push(items) => bracketed("push[", "]", items_of(items, depth), depth),
        Value::Map(pairs) => bracketed("{", "}", pairs_of(pairs, depth), depth),
        Value::Attributed(_, value) => nested(value, depth),
    }
}

fn items_of(items: &[Value], depth: usize) -> Vec<String> {
    items.iter().map(|item| nested(item, depth + 1)).collect()
}

fn pairs_of(pairs: &[(Value, Value)], depth: usize) -> Vec<String> {
    let entry = |(key, value): &(Value, Value)| {
        format!("{} => {}", nested(key, depth + 1), nested(value, depth + 1))
    };
    pairs.iter().map(entry).collect()
}

/// One line where it fits, else one part a line.
fn bracketed(open: &str, close: &str, parts: Vec<String>, depth: usize) -> String {
    let line = format!("{open}{}{close}", parts.join(" "));
    if line.len() + 2 * depth <= WIDTH_MAX && !line.contains('\n') {
        return line;
    }
    let indent = "  ".repeat(depth + 1);
    let lines: Vec<String> = parts.iter().map(|part| format!("{indent}{part}\n")).collect();
    format!("{open}\n{}{}{close}", lines.concat(), "  ".repeat(depth))
}
