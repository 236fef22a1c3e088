//! A Rust file, with code told apart from comments, literals and tests.
//!
//! Tidy needs to know whether `unwrap` stands in code or in a sentence, and where a function
//! ends; it need not know types. So instead of a parser this is a lexer that *blanks* what is not
//! code: [`Source::code`] has the same length and the same lines as the text, with every comment
//! and the inside of every literal replaced by spaces. The rules then search plain text.

use std::ops::Range;

/// A Rust file prepared for the rules.
pub struct Source {
    /// Path relative to the repository root.
    pub path: String,
    /// The file as it is.
    pub text: String,
    /// The text with comments and the contents of literals blanked, byte for byte as long.
    pub code: String,
    /// Byte offset at which each line starts.
    line_starts: Vec<usize>,
    /// Byte ranges of the items under `#[cfg(test)]`.
    test_ranges: Vec<Range<usize>>,
}

impl Source {
    /// Prepares the file `path` that holds `text`.
    #[must_use]
    pub fn new(path: &str, text: &str) -> Self {
        let code = blank(text);
        let line_starts = std::iter::once(0)
            .chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1))
            .collect();
        let test_ranges = test_ranges(&code);
        Source { path: path.to_owned(), text: text.to_owned(), code, line_starts, test_ranges }
    }

    /// The line, counted from 1, that holds byte `at`.
    #[must_use]
    pub fn line_of(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at)
    }

    /// Whether the whole file is test code: it lies under `tests/` or `benches/`, or is a
    /// `tests.rs` beside the module it tests.
    #[must_use]
    pub fn is_test_file(&self) -> bool {
        is_test_path(&self.path)
    }

    /// Whether byte `at` belongs to a test.
    #[must_use]
    pub fn in_test(&self, at: usize) -> bool {
        self.is_test_file() || self.test_ranges.iter().any(|range| range.contains(&at))
    }

    /// Lines outside tests.
    #[must_use]
    pub fn lines_outside_tests(&self) -> usize {
        if self.is_test_file() {
            return 0;
        }
        let lines = self.text.lines().count();
        let in_tests: usize = self
            .test_ranges
            .iter()
            .map(|range| self.line_of(range.end.saturating_sub(1)) + 1 - self.line_of(range.start))
            .sum();
        lines.saturating_sub(in_tests)
    }

    /// Byte offsets in the code at which `word` stands as a whole word.
    pub fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        find_words(&self.code, word)
    }
}

/// Whether a path relative to the repository root names a file of tests only.
#[must_use]
pub fn is_test_path(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == "tests.rs"
        || name.ends_with("_tests.rs")
        || path.split('/').any(|part| part == "tests" || part == "benches")
}

/// Byte offsets in `code` at which `word` stands as a whole word.
pub fn find_words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = at.checked_sub(1).map(|i| bytes[i]);
        let after = bytes.get(at + word.len()).copied();
        !before.is_some_and(is_word_byte) && !after.is_some_and(is_word_byte)
    })
}

/// Whether a byte may stand inside an identifier.
#[must_use]
pub fn is_word_byte(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// The offset just behind the bracket that closes the one at `open`, or the end of the code.
#[must_use]
pub fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// Where the item that starts at `from` ends: behind its body, or behind its semicolon.
fn item_end(code: &str, from: usize) -> usize {
    let bytes = code.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'{' => return closing(code, at),
            b'(' | b'[' => at = closing(code, at),
            b';' => return at + 1,
            _ => at += 1,
        }
    }
    code.len()
}

fn test_ranges(code: &str) -> Vec<Range<usize>> {
    const MARKS: [&str; 2] = ["#[cfg(test)]", "#[cfg(all(test"];
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (at, _) in code.match_indices("#[cfg(") {
        let marked = MARKS.iter().any(|mark| code[at..].starts_with(mark));
        if marked && !ranges.iter().any(|range| range.contains(&at)) {
            ranges.push(at..item_end(code, closing(code, at + 1)));
        }
    }
    ranges
}

/// Replaces comments and the contents of literals by spaces. Line ends stay, so that offsets and
/// line numbers hold; so do the quotes, so that a rule can see that a literal stands there.
#[must_use]
pub fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_or_comment_end(bytes, at);
        if end == at {
            out.push(bytes[at]);
            at += 1;
            continue;
        }
        for (offset, byte) in bytes[at..end].iter().enumerate() {
            let edge = (offset == 0 || at + offset + 1 == end) && *byte == b'"';
            out.push(if *byte == b'\n' || edge { *byte } else { b' ' });
        }
        at = end;
    }
    String::from_utf8(out).expect("blanking replaces whole characters by ASCII spaces")
}

/// Where the comment or literal that starts at `at` ends; `at` itself when none does.
fn literal_or_comment_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    match bytes[at] {
        b'/' if rest.starts_with(b"//") => {
            at + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len())
        }
        b'/' if rest.starts_with(b"/*") => block_comment_end(bytes, at),
        b'"' => quoted_end(bytes, at + 1, b'"'),
        b'\'' => char_end(bytes, at),
        b'r' | b'b' | b'c' if at == 0 || !is_word_byte(bytes[at - 1]) => prefixed_end(bytes, at),
        _ => at,
    }
}

fn block_comment_end(bytes: &[u8], at: usize) -> usize {
    let mut depth = 0_usize;
    let mut i = at;
    while i < bytes.len() {
        if bytes[i..].starts_with(b"/*") {
            depth += 1;
            i += 2;
        } else if bytes[i..].starts_with(b"*/") {
            depth -= 1;
            i += 2;
            if depth == 0 {
                return i;
            }
        } else {
            i += 1;
        }
    }
    bytes.len()
}

fn quoted_end(bytes: &[u8], from: usize, quote: u8) -> usize {
    let mut i = from;
    while i < bytes.len() {
        match bytes[i] {
            b'\\' => i += 2,
            byte if byte == quote => return i + 1,
            _ => i += 1,
        }
    }
    bytes.len()
}

/// A character literal, told from a lifetime: the former closes after one character or an escape.
fn char_end(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at + 1) {
        Some(b'\\') => quoted_end(bytes, at + 1, b'\''),
        Some(_) => {
            let mut end = at + 2;
            while bytes.get(end).is_some_and(|byte| byte & 0xC0 == 0x80) {
                end += 1;
            }
            if bytes.get(end) == Some(&b'\'') { end + 1 } else { at }
        }
        None => at,
    }
}

/// Literals with a prefix: `r"`, `r#"`, `b"`, `b'`, `br#"`, `c"`, `cr"`.
fn prefixed_end(bytes: &[u8], at: usize) -> usize {
    let mut i = at;
    if matches!(bytes[i], b'b' | b'c') {
        i += 1;
    }
    let raw = bytes.get(i) == Some(&b'r');
    if raw {
        i += 1;
    }
    let hashes = bytes[i.min(bytes.len())..].iter().take_while(|b| **b == b'#').count();
    match bytes.get(i + hashes) {
        Some(b'"') if raw => {
            let mut close = vec![b'"'];
            close.extend(std::iter::repeat_n(b'#', hashes));
            let from = i + hashes + 1;
            let found = bytes[from..].windows(close.len()).position(|window| window == close);
            found.map_or(bytes.len(), |found| from + found + close.len())
        }
        Some(b'"') if hashes == 0 => quoted_end(bytes, i + 1, b'"'),
        Some(b'\'') if hashes == 0 && bytes[at] == b'b' && !raw => quoted_end(bytes, i + 1, b'\''),
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_lines_stay() {
        let text = "let a = \"x.unwrap()\"; // b.unwrap()\n/* c\n /* d */ */ e\n";
        let code = blank(text);
        assert_eq!(code.len(), text.len());
        assert_eq!(code.lines().count(), 3);
        assert!(!code.contains("unwrap") && !code.contains('c') && !code.contains('d'));
        assert!(code.contains("let a") && code.ends_with("e\n"));
    }

    #[test]
    fn every_kind_of_literal_is_known() {
        for text in [
            "r\"unsafe\"",
            "r#\"un\"safe unsafe\"#",
            "b\"unsafe\\\"unsafe\"",
            "br##\"unsafe\"# \"##",
            "c\"unsafe\"",
            "cr#\"unsafe\"#",
        ] {
            let code = blank(&format!("let x = {text}; end"));
            assert!(!code.contains("unsafe"), "{text} became {code}");
            assert!(code.ends_with("; end"), "{text} became {code}");
        }
        let code = blank("'\\'' 'é' '\"' b'\\\\' x");
        assert_eq!(code.trim_start(), "x");
        assert_eq!(blank("fn f<'a>(x: &'a str) {}"), "fn f<'a>(x: &'a str) {}");
        assert_eq!(blank("r#type br c b"), "r#type br c b");
    }

    #[test]
    fn unfinished_literals_do_not_run_past_the_end() {
        for text in ["\"a", "\"a\\", "/* a", "r#\"a", "'", "b", "br", "b'", "'\\"] {
            assert_eq!(blank(text).len(), text.len());
        }
    }

    #[test]
    fn test_modules_are_ranges() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { \"}\"; }\n}\nfn c() {}\n";
        let source = Source::new("crates/x/src/lib.rs", text);
        let at = |what: &str| text.find(what).unwrap();
        assert!(!source.in_test(at("fn a")));
        assert!(source.in_test(at("fn b")));
        assert!(!source.in_test(at("fn c")));
        assert_eq!(source.lines_outside_tests(), 2);
        assert_eq!(source.line_of(at("fn c")), 6);
    }

    #[test]
    fn test_files_are_known_by_their_path() {
        assert!(is_test_path("crates/x/tests/a.rs"));
        assert!(is_test_path("crates/x/src/y/tests.rs"));
        assert!(!is_test_path("crates/x/src/latests.rs"));
    }
}
