//! The words of a command line: redis-cli's quoting, plus two substitutions that scripts need.
//!
//! - A bare word ends at a blank.
//! - `"..."` knows `\n \r \t \a \b \\ \"` and `\xHH`; `'...'` knows only `\'`.
//! - Outside quotes, `$(text*N)` is `text` repeated N times, and `${name}` is the text bound by an
//!   earlier `as name`.

use std::collections::BTreeMap;

/// Texts bound by `as name`, by name.
pub type Bindings = BTreeMap<String, Vec<u8>>;

/// Most bytes one `$(text*N)` may expand to: a slip in a script must not exhaust the memory.
const EXPANSION_BYTES_MAX: usize = 64 << 20;

/// Splits `line` into words, expanding substitutions from `bindings`.
///
/// # Errors
/// A sentence saying what is wrong: an open quote, text glued to a closing quote, an unknown name.
pub fn split(line: &str, bindings: &Bindings) -> Result<Vec<Vec<u8>>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.as_bytes()[0] {
            b'"' => unquote(rest)?,
            b'\'' => unquote_single(rest)?,
            _ => bare(rest, bindings)?,
        };
        if !after.is_empty() && !after.starts_with(char::is_whitespace) {
            return Err(format!("text follows a closing quote: {after}"));
        }
        words.push(word);
        rest = after.trim_start();
    }
    Ok(words)
}

/// Reads a double-quoted text at the start of `text`; returns its bytes and what follows.
///
/// # Errors
/// When the quote is not closed or an escape is cut short.
pub fn unquote(text: &str) -> Result<(Vec<u8>, &str), String> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return Ok((out, &text[at + 1..])),
            b'\\' => {
                let escape = *bytes.get(at + 1).ok_or("a backslash ends the line")?;
                at += 1;
                match escape {
                    b'n' => out.push(b'\n'),
                    b'r' => out.push(b'\r'),
                    b't' => out.push(b'\t'),
                    b'a' => out.push(7),
                    b'b' => out.push(8),
                    b'x' => {
                        let digits = text.get(at + 1..at + 3).ok_or("\\x lacks its digits")?;
                        let value = u8::from_str_radix(digits, 16);
                        out.push(value.map_err(|_| format!("\\x{digits} is no byte"))?);
                        at += 2;
                    }
                    other => out.push(other),
                }
            }
            other => out.push(other),
        }
        at += 1;
    }
    Err(format!("no closing quote: {text}"))
}

fn unquote_single(text: &str) -> Result<(Vec<u8>, &str), String> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'\'' {
            return Ok((out, &text[at + 1..]));
        }
        if byte == b'\\' && bytes.get(at + 1) == Some(&b'\'') {
            at += 1;
        }
        out.push(bytes[at]);
        at += 1;
    }
    Err(format!("no closing quote: {text}"))
}

fn bare<'a>(text: &'a str, bindings: &Bindings) -> Result<(Vec<u8>, &'a str), String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next().filter(|c| !c.is_whitespace()) {
        if let Some(body) = rest.strip_prefix("${") {
            let (name, after) = body.split_once('}').ok_or("${ without }")?;
            let value = bindings.get(name).ok_or_else(|| format!("no value is named {name}"))?;
            out.extend_from_slice(value);
            rest = after;
        } else if let Some(body) = rest.strip_prefix("$(") {
            let (body, after) = body.split_once(')').ok_or("$( without )")?;
            out.extend(repeat(body)?);
            rest = after;
        } else {
            let length = next.len_utf8();
            out.extend_from_slice(&rest.as_bytes()[..length]);
            rest = &rest[length..];
        }
    }
    Ok((out, rest))
}

fn repeat(body: &str) -> Result<Vec<u8>, String> {
    let wrong = || format!("$({body}) is not $(text*N)");
    let (text, count) = body.rsplit_once('*').ok_or_else(wrong)?;
    let count: usize = count.parse().map_err(|_| wrong())?;
    let total = count.checked_mul(text.len()).filter(|&total| total <= EXPANSION_BYTES_MAX);
    total.map(|_| text.as_bytes().repeat(count)).ok_or_else(wrong)
}

/// Writes `bytes` as a double-quoted text that [`unquote`] reads back.
pub fn quote(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for &byte in bytes {
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x20..=0x7e => out.push(char::from(byte)),
            other => out.push_str(&format!("\\x{other:02x}")),
        }
    }
    out.push('"');
    out
}

/// Writes `bytes` as one word of a command line: bare where that is unambiguous, else quoted; a
/// long run of one byte as a substitution.
pub fn word(bytes: &[u8]) -> String {
    if let [byte, ..] = bytes
        && bytes.len() > 32
        && byte.is_ascii_alphanumeric()
        && bytes.iter().all(|other| other == byte)
    {
        return format!("$({}*{})", char::from(*byte), bytes.len());
    }
    let plain = |byte: &u8| byte.is_ascii_graphic() && !b"\"'$".contains(byte);
    match std::str::from_utf8(bytes) {
        Ok(text) if !bytes.is_empty() && bytes.iter().all(plain) => text.to_owned(),
        _ => quote(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        let split = split(line, &Bindings::from([("id".into(), b"42".to_vec())])).unwrap();
        split.into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
    }

    #[test]
    fn quotes_escapes_and_substitutions() {
        assert_eq!(words(r#"SET "a b" 'c "d' "\x41\n\"" "#), ["SET", "a b", "c \"d", "A\n\""]);
        assert_eq!(words("k$(ab*3)z ${id}0 \"\""), ["kabababz", "420", ""]);
        assert_eq!(words("  "), [""; 0]);
        for wrong in ["\"a", "'a", "\"a\"b", "${nobody}", "$(x*)", "\"\\x4", "$(abc*99999999999)"] {
            assert!(split(wrong, &Bindings::new()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_byte_survives_quoting() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unquote(&quote(&all)).unwrap(), (all.clone(), ""));
        for byte in all {
            let line = word(&[byte]);
            assert_eq!(split(&line, &Bindings::new()).unwrap(), [vec![byte]], "{line}");
        }
        assert_eq!(word(&[b'x'; 40]), "$(x*40)");
    }
}
