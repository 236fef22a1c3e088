//! Glob patterns as `KEYS`, `SCAN MATCH`, `PSUBSCRIBE` and `CONFIG GET` take them.
//!
//! `*` matches any bytes, `?` one byte, `[a-z]` one of a class, `[^a-z]` one outside it, and `\`
//! takes the next byte literally, inside a class too. Malformed patterns are never an error: a
//! class that is not closed ends with the pattern, a final backslash stands for itself.
//!
//! Every element but `*` matches exactly one byte, so it is enough to remember the *last* star:
//! if the rest fails, that star takes one byte more; earlier stars never need another try. The
//! work is bounded by the product of the two lengths, where trying every star recursively would
//! be exponential in their number.

/// No pattern goes beyond this many stars: at the next one it fails, whatever follows, unless that
/// star is the pattern's end. The servers that users come from limit their recursion so.
const STARS_MAX: usize = 1000;

/// Whether the whole of `text` matches `pattern`. With `case_insensitive`, ASCII letters match
/// in either case.
///
/// The empty text matches only the empty pattern, not `*`: so do the servers that users come from
/// (their commands treat a lone `*` before they compare).
pub fn matches(pattern: &[u8], text: &[u8], case_insensitive: bool) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut p, mut t) = (0, 0);
    // Where to go on when the current attempt fails: the element after the last star, and the
    // first byte of the text that this star has not swallowed yet.
    let mut retry: Option<(usize, usize)> = None;
    // Stars are passed in order and never returned to, so each is counted once.
    let mut stars = 0;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            p += pattern[p..].iter().take_while(|&&b| b == b'*').count();
            if p == pattern.len() {
                return true;
            }
            stars += 1;
            if stars > STARS_MAX {
                return false;
            }
            retry = Some((p, t));
            continue;
        }
        if let Some(next) = match_one(&pattern[p..], text[t], case_insensitive) {
            p += next;
            t += 1;
            continue;
        }
        let Some((after_star, from)) = retry else { return false };
        p = after_star;
        t = from + 1;
        retry = Some((p, t));
    }
    pattern[p..].iter().all(|&b| b == b'*')
}

/// Matches the first element of `pattern`, which is not a star, against `byte`: the element's
/// length in the pattern, or `None` when it does not match or the pattern is at its end.
#[inline]
fn match_one(pattern: &[u8], byte: u8, case_insensitive: bool) -> Option<usize> {
    let (literal, len) = match *pattern {
        [] => return None,
        [b'?', ..] => return Some(1),
        [b'[', ref class @ ..] => {
            let (matched, len) = match_class(class, byte, case_insensitive);
            return matched.then_some(1 + len);
        }
        [b'\\', escaped, ..] => (escaped, 2),
        [literal, ..] => (literal, 1),
    };
    same(literal, byte, case_insensitive).then_some(len)
}

fn same(a: u8, b: u8, case_insensitive: bool) -> bool {
    a == b || (case_insensitive && a.eq_ignore_ascii_case(&b))
}

/// Matches `byte` against the class whose text, after the opening bracket, starts `class`.
/// Returns whether it matches and the length of that text including the closing bracket.
fn match_class(class: &[u8], byte: u8, case_insensitive: bool) -> (bool, usize) {
    let negated = class.first() == Some(&b'^');
    let fold = |b: u8| if case_insensitive { b.to_ascii_lowercase() } else { b };
    let byte = fold(byte);
    let mut matched = false;
    let mut at = usize::from(negated);
    loop {
        match class[at..] {
            // A class that is not closed ends with the pattern.
            [] => break,
            [b']', ..] => {
                at += 1;
                break;
            }
            [b'\\', escaped, ..] => {
                matched |= fold(escaped) == byte;
                at += 2;
            }
            // The end of a range may be any byte, even the bracket.
            [a, b'-', b, ..] => {
                let (low, high) = if a <= b { (a, b) } else { (b, a) };
                matched |= (fold(low)..=fold(high)).contains(&byte);
                at += 3;
            }
            [literal, ..] => {
                matched |= fold(literal) == byte;
                at += 1;
            }
        }
    }
    (matched != negated, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        for text in matching {
            assert!(matches(pattern.as_bytes(), text.as_bytes(), false), "{pattern} {text}");
        }
        for text in others {
            assert!(!matches(pattern.as_bytes(), text.as_bytes(), false), "{pattern} {text}");
        }
    }

    #[test]
    fn a_thousand_stars_are_enough() {
        let text = [b'a'; 4000];
        let pattern = |stars: usize| b"*?".repeat(stars);
        assert!(matches(&pattern(STARS_MAX), &text, false));
        assert!(!matches(&pattern(STARS_MAX + 1), &text, false));
        assert!(matches(&[pattern(STARS_MAX), b"*".to_vec()].concat(), &text, false));
        assert!(matches(&[b"*".repeat(3000), b"a".to_vec()].concat(), &text, false));
    }

    /// Every line was asked of Redis 7 with `KEYS`.
    #[test]
    fn answers_of_a_reference_server() {
        check("h?llo", &["hello", "h?llo", "hallo"], &["hllo", "heello"]);
        check("h*llo", &["hllo", "heeeello", "hllohllo"], &["hell", "ahllo"]);
        check("*foo*", &["foo", "afoob", "fofoo"], &["fo", "fofo", ""]);
        check("a*b*c", &["abc", "aabbcc", "abcbc"], &["ab", "acb", "abcb"]);
        check("**a**", &["a", "ba", "ab"], &["b", ""]);
        check("", &[""], &["a"]);
        check("?", &["a", "*"], &["", "ab"]);
    }

    #[test]
    fn classes() {
        check("h[ae]llo", &["hello", "hallo"], &["hillo", "hllo"]);
        check("h[^e]llo", &["hallo", "h^llo"], &["hello"]);
        check("[a-c]", &["a", "b", "c"], &["d", "-", "A"]);
        check("[c-a]", &["a", "b", "c"], &["d"]);
        check("[-a]", &["-", "a"], &["b"]);
        check(r"[\]]", &["]"], &["\\", "["]);
        check(r"[a\-c]", &["a", "-", "c"], &["b"]);
        check("[^]", &["a", "]"], &[]);
        check("[]", &[], &["a", "]", "["]);
    }

    #[test]
    fn malformed_patterns() {
        check("[abc", &["a", "b", "c"], &["d", "[abc"]);
        check("[", &[], &["[", "a"]);
        check("[^", &["a"], &["ab"]);
        // The bracket is the end of the range, which runs down to it from `a`.
        check("[a-]", &["a", "^", "]"], &["-", "b"]);
        check("a\\", &["a\\"], &["a", "ab"]);
        check("[\\", &["\\"], &["["]);
        check(r"\*", &["*"], &["a", "\\*"]);
    }

    #[test]
    fn letters_match_in_either_case() {
        for (pattern, text) in [("HeLLo", "hEllO"), ("[A-C]", "b"), ("[^x]", "a"), (r"\H", "h")] {
            assert!(matches(pattern.as_bytes(), text.as_bytes(), true), "{pattern} {text}");
        }
        assert!(!matches(b"[^x]", b"X", true));
        assert!(!matches(b"@", b"`", true));
    }

    #[test]
    fn the_empty_text_matches_only_the_empty_pattern() {
        check("*", &["a"], &[""]);
        check("**", &["a"], &[""]);
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let pattern = "a*".repeat(60) + "b";
        let text = "a".repeat(20_000);
        assert!(!matches(pattern.as_bytes(), text.as_bytes(), false));
    }
}
