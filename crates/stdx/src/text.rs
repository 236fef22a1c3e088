//! Quoted words: how inline requests and configuration lines are cut into arguments, and how
//! arbitrary bytes are shown to people (`MONITOR`, `SLOWLOG`-like logs, rewritten configuration).

use std::fmt;

/// Cuts `line` into words; `None` when a quote is not closed or something other than white space
/// follows a closing quote.
///
/// Words are separated by white space. Inside double quotes `\n \r \t \b \a` and `\xHH` have
/// their usual meaning and any other escaped byte stands for itself; inside single quotes only
/// `\'` is an escape. A quote may start in the middle of a word. A zero byte outside quotes ends
/// the line; inside quotes it leaves them unclosed.
pub fn split_args(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut word = Vec::new();
    let mut rest = line;
    while let Some(after) = next_word(rest, &mut word).ok()? {
        words.push(std::mem::take(&mut word));
        rest = after;
    }
    Some(words)
}

/// A line with a quote that is not closed, or with text directly behind a closing quote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnbalancedQuotes;

impl fmt::Display for UnbalancedQuotes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unbalanced quotes")
    }
}

impl std::error::Error for UnbalancedQuotes {}

/// Appends the first word of `line`, unquoted, to `out` and returns what follows it in the line,
/// or `None` when no word is left. The rules are those of [`split_args`], which is the form to
/// use unless the allocation per word matters.
///
/// # Errors
/// When the quotes are unbalanced; `out` may hold a part of the bad word then.
pub fn next_word<'a>(
    line: &'a [u8],
    out: &mut Vec<u8>,
) -> Result<Option<&'a [u8]>, UnbalancedQuotes> {
    let mut at = line.iter().take_while(|&&b| is_space(b)).count();
    if matches!(line.get(at), None | Some(0)) {
        return Ok(None);
    }
    while let Some(&byte) = line.get(at) {
        let closed = match byte {
            b' ' | b'\n' | b'\r' | b'\t' | 0 => break,
            b'"' => double_quoted(line, at + 1, out),
            b'\'' => single_quoted(line, at + 1, out),
            _ => {
                out.push(byte);
                at += 1;
                continue;
            }
        };
        // A closing quote ends the word: the line, a zero byte or white space must follow.
        at = closed.ok_or(UnbalancedQuotes)?;
        if line.get(at).is_some_and(|&b| b != 0 && !is_space(b)) {
            return Err(UnbalancedQuotes);
        }
        break;
    }
    Ok(Some(&line[at..]))
}

/// C's `isspace` in the C locale, which has the vertical tab that `u8::is_ascii_whitespace` lacks.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Reads a double-quoted string that starts at `at`, after its quote; returns where it ends,
/// after the closing quote.
fn double_quoted(line: &[u8], mut at: usize, out: &mut Vec<u8>) -> Option<usize> {
    loop {
        match line[at..] {
            [] | [0, ..] => return None,
            [b'"', ..] => return Some(at + 1),
            [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex_value(high) << 4 | hex_value(low));
                at += 4;
            }
            [b'\\', escaped, ..] if escaped != 0 => {
                out.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => other,
                });
                at += 2;
            }
            [byte, ..] => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

/// Like [`double_quoted`] for single quotes.
fn single_quoted(line: &[u8], mut at: usize, out: &mut Vec<u8>) -> Option<usize> {
    loop {
        match line[at..] {
            [] | [0, ..] => return None,
            [b'\'', ..] => return Some(at + 1),
            [b'\\', b'\'', ..] => {
                out.push(b'\'');
                at += 2;
            }
            [byte, ..] => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// `bytes` in double quotes, printable, so that [`split_args`] gives them back.
pub fn quote(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 2);
    quote_into(&mut out, bytes);
    out
}

/// Appends [`quote`]d `bytes` to `out`.
pub fn quote_into(out: &mut Vec<u8>, bytes: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend([b'\\', byte]),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0x07 => out.extend(b"\\a"),
            0x08 => out.extend(b"\\b"),
            b' '..=b'~' => out.push(byte),
            _ => {
                out.extend([b'\\', b'x', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]])
            }
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &[u8]) -> Option<Vec<String>> {
        let words = split_args(line)?;
        Some(words.iter().map(|word| word.escape_ascii().to_string()).collect())
    }

    #[test]
    fn cuts_and_unquotes() {
        for (line, expected) in [
            (&b""[..], &[][..]),
            (b" \t\r\n\x0b\x0c", &[]),
            (b"set  key\tvalue\r", &["set", "key", "value"]),
            (br#"set "a b" 'c d'"#, &["set", "a b", "c d"]),
            (br#""\x41\n\q\xg1" '\'\n'"#, &["A\\nqxg1", r"\'\\n"]),
            (br#"a"b c""#, &["ab c"]),
            (br#""" ''"#, &["", ""]),
            (b"a\x0bb", &["a\\x0bb"]),
            (b"\"abc\"\x0bd", &["abc", "d"]),
            (b"a\rb", &["a", "b"]),
            (b"one\0 two", &["one"]),
        ] {
            let expected: Vec<_> = expected.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(words(line), Some(expected), "{}", line.escape_ascii());
        }
    }

    #[test]
    fn refuses_unbalanced_quotes() {
        for line in [
            &b"\"abc"[..],
            b"'abc",
            b"\"abc\"d",
            b"'abc'd",
            b"\"\"\"a\"\"\"",
            b"\"a\0\"",
            b"'a\0'",
            b"\"a\\",
            b"'a\\",
            b"x\"",
        ] {
            assert_eq!(words(line), None, "{}", line.escape_ascii());
        }
    }

    #[test]
    fn what_is_quoted_comes_back() {
        let every_byte: Vec<u8> = (0..=255).collect();
        assert_eq!(split_args(&quote(&every_byte)), Some(vec![every_byte]));
        assert_eq!(quote(b"a\"\\\n\r\t\x07\x08\x00\xff~"), br#""a\"\\\n\r\t\a\b\x00\xff~""#);
    }
}
