//! What `ARGREP` asks of a text: to be equal, to contain, to match a glob or a regular expression.

use command::CommandError;
use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};

/// Regular expressions are not longer than this.
const EXPRESSION_LEN_MAX: usize = 2048;
/// Nor does their compiled form take more memory, nor what is cached while matching.
const COMPILED_BYTES_MAX: usize = 1 << 20;
/// Brackets and the like are not nested deeper.
const NESTING_MAX: u32 = 200;

/// The languages of predicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Exact,
    Match,
    Glob,
    Expression,
}

/// A predicate, ready to be asked.
#[derive(Debug)]
pub(super) enum Predicate<'a> {
    Exact(&'a [u8]),
    ExactAnyCase(&'a [u8]),
    Match(Finder<'static>),
    /// The needle is in lower case, as the text must be.
    MatchAnyCase(Finder<'static>),
    Glob {
        pattern: &'a [u8],
        any_case: bool,
    },
    Expression(Regex),
}

impl<'a> Predicate<'a> {
    /// Makes a predicate of a pattern.
    ///
    /// # Errors
    /// If it is no regular expression where it must be one.
    pub(super) fn new(
        language: Language,
        pattern: &'a [u8],
        any_case: bool,
    ) -> Result<Self, CommandError> {
        Ok(match language {
            Language::Exact if any_case => Self::ExactAnyCase(pattern),
            Language::Exact => Self::Exact(pattern),
            Language::Match if any_case => {
                Self::MatchAnyCase(Finder::new(&pattern.to_ascii_lowercase()).into_owned())
            }
            Language::Match => Self::Match(Finder::new(pattern).into_owned()),
            Language::Glob => Self::Glob { pattern, any_case },
            Language::Expression => Self::Expression(expression(pattern, any_case)?),
        })
    }

    /// Whether it holds for `text`; `scratch` lends room for a copy.
    pub(super) fn holds(&self, text: &[u8], scratch: &mut Vec<u8>) -> bool {
        match self {
            Self::Exact(pattern) => text == *pattern,
            Self::ExactAnyCase(pattern) => text.eq_ignore_ascii_case(pattern),
            Self::Match(finder) => finder.find(text).is_some(),
            Self::MatchAnyCase(finder) => {
                scratch.clear();
                scratch.extend_from_slice(text);
                scratch.make_ascii_lowercase();
                finder.find(scratch).is_some()
            }
            Self::Glob { pattern, any_case } => stdx::glob::matches(pattern, text, *any_case),
            Self::Expression(expression) => expression.is_match(text),
        }
    }
}

/// That a regular expression is one that can be compiled, as far as a look at it tells.
///
/// # Errors
/// If it is empty, too long, or refers back to a group, which no automaton can follow.
pub(super) fn check_expression(pattern: &[u8]) -> Result<(), CommandError> {
    if pattern.is_empty() {
        return Err(CommandError::request("ERR regular expression is empty"));
    }
    if pattern.len() > EXPRESSION_LEN_MAX {
        let text =
            format!("ERR regular expression is too long, maximum is {EXPRESSION_LEN_MAX} bytes");
        return Err(CommandError::request(text));
    }
    let mut bytes = pattern.iter();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' && matches!(bytes.next(), Some(b'1'..=b'9')) {
            let text = "ERR regular expression backreferences are not supported";
            return Err(CommandError::request(text));
        }
    }
    Ok(())
}

/// Compiles a regular expression over bytes. It is matched in linear time; what would take much
/// memory is refused.
fn expression(pattern: &[u8], any_case: bool) -> Result<Regex, CommandError> {
    let invalid = || CommandError::request("ERR invalid regular expression");
    // Bytes that are no characters stand for themselves.
    let mut text = String::with_capacity(pattern.len());
    for chunk in pattern.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    RegexBuilder::new(&text)
        .unicode(false)
        .case_insensitive(any_case)
        .dot_matches_new_line(true)
        .nest_limit(NESTING_MAX)
        .size_limit(COMPILED_BYTES_MAX)
        .dfa_size_limit(COMPILED_BYTES_MAX)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                CommandError::request("ERR invalid regular expression: it is too large")
            }
            _ => invalid(),
        })
}
