//! Glob patterns against the obvious definition: a recursive matcher that tries every length for
//! every star, too slow for long input and hard to get wrong.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stdx::glob::matches;

/// One element of a pattern, as the documentation describes it.
enum Element {
    Star,
    Any,
    Literal(u8),
    /// Whether the class is negated, and its inclusive ranges.
    Class(bool, Vec<(u8, u8)>),
}

fn parse(pattern: &[u8]) -> Vec<Element> {
    let mut elements = Vec::new();
    let mut bytes = pattern.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        elements.push(match byte {
            b'*' => Element::Star,
            b'?' => Element::Any,
            b'\\' => Element::Literal(bytes.next().unwrap_or(b'\\')),
            b'[' => {
                let negated = bytes.next_if_eq(&b'^').is_some();
                let mut ranges = Vec::new();
                while let Some(byte) = bytes.next() {
                    let after: Vec<u8> = bytes.clone().take(2).collect();
                    match (byte, &after[..]) {
                        (b']', _) => break,
                        (b'\\', [escaped, ..]) => {
                            ranges.push((*escaped, *escaped));
                            bytes.next();
                        }
                        (low, [b'-', high]) => {
                            ranges.push((low.min(*high), low.max(*high)));
                            bytes.nth(1);
                        }
                        (single, _) => ranges.push((single, single)),
                    }
                }
                Element::Class(negated, ranges)
            }
            literal => Element::Literal(literal),
        });
    }
    elements
}

fn model(elements: &[Element], text: &[u8]) -> bool {
    let Some((first, rest)) = elements.split_first() else { return text.is_empty() };
    if matches!(first, Element::Star) {
        return (0..=text.len()).any(|taken| model(rest, &text[taken..]));
    }
    let Some((&byte, text)) = text.split_first() else { return false };
    let matched = match first {
        Element::Star => unreachable!("stars are handled above"),
        Element::Any => true,
        Element::Literal(literal) => *literal == byte,
        Element::Class(negated, ranges) => {
            ranges.iter().any(|&(low, high)| (low..=high).contains(&byte)) != *negated
        }
    };
    matched && model(rest, text)
}

fuzz_target!(|input: (&[u8], &[u8])| {
    let (pattern, text) = input;
    let matched = matches(pattern, text, false);
    // Without letters there is no case.
    if !pattern.iter().chain(text).any(u8::is_ascii_alphabetic) {
        assert_eq!(matches(pattern, text, true), matched);
    }
    // The model takes exponential time, and lets stars match the empty text.
    let stars = pattern.iter().filter(|&&byte| byte == b'*').count();
    if stars <= 4 && text.len() <= 32 && !text.is_empty() {
        assert_eq!(matched, model(&parse(pattern), text));
    }
});
