//! A library: its text, its name, and the functions that it registered.

use std::sync::atomic::{AtomicBool, Ordering};

use stdx::text::split_args;

use crate::script::Flags;

/// A function of a library.
#[derive(Debug)]
pub struct Function {
    /// Its name. Letter case does not tell functions apart.
    pub name: Box<str>,
    /// What it says it is for.
    pub description: Option<Box<[u8]>>,
    /// What it promises.
    pub flags: Flags,
    /// It has touched keys that it did not declare while others held them: from now on it runs
    /// under all locks from the start.
    pub reaches: AtomicBool,
}

/// A library that the server knows.
#[derive(Debug)]
pub struct Library {
    /// Its name.
    pub name: Box<str>,
    /// Its text, first line included.
    pub text: Box<[u8]>,
    /// Its functions, as they were registered.
    pub functions: Vec<Function>,
    /// The server has forgotten it.
    pub(crate) forgotten: AtomicBool,
}

/// What the first line of a library says: `#!lua name=mylib`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The library's name.
    pub name: Box<str>,
    /// Where the part that Lua reads begins: the line's end, so that lines keep their numbers.
    pub body: usize,
}

/// Why a first line is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderError {
    /// There is none.
    Missing,
    /// It does not end, or its quotes do not.
    Invalid,
    /// It names another engine, this one.
    Engine(Vec<u8>),
    /// It has a word that means nothing, this one.
    Value(Vec<u8>),
    /// It gives a name twice.
    NameTwice,
    /// It gives no name.
    NoName,
    /// The name is not one.
    BadName,
}

impl Library {
    /// What the library's entries cost beside the text: about their size in the maps.
    const OVERHEAD: usize = 200;
    const FUNCTION_OVERHEAD: usize = 150;

    /// Puts a library together.
    #[must_use]
    pub fn new(header: Header, text: &[u8], functions: Vec<Function>) -> Self {
        let forgotten = AtomicBool::new(false);
        Self { name: header.name, text: text.into(), functions, forgotten }
    }

    /// Bytes that it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let of_functions = self.functions.iter().map(|function| {
            let description = function.description.as_ref().map_or(0, |text| text.len());
            function.name.len() + description + Self::FUNCTION_OVERHEAD
        });
        self.text.len() + self.name.len() + Self::OVERHEAD + of_functions.sum::<usize>()
    }

    /// Whether the server has forgotten it.
    #[must_use]
    pub fn is_forgotten(&self) -> bool {
        self.forgotten.load(Ordering::Relaxed)
    }
}

impl Header {
    /// Reads the first line of a text.
    ///
    /// # Errors
    /// If it is not a library's.
    pub fn parse(text: &[u8]) -> Result<Self, HeaderError> {
        if !text.starts_with(b"#!") {
            return Err(HeaderError::Missing);
        }
        let body = text.iter().position(|&byte| byte == b'\n').ok_or(HeaderError::Invalid)?;
        let words = split_args(&text[..body]).ok_or(HeaderError::Invalid)?;
        let mut name = None;
        for word in &words[1.min(words.len())..] {
            match word.get(..5) {
                Some(key) if key.eq_ignore_ascii_case(b"name=") => {
                    if name.replace(&word[5..]).is_some() {
                        return Err(HeaderError::NameTwice);
                    }
                }
                _ => return Err(HeaderError::Value(word.to_vec())),
            }
        }
        let name = name.ok_or(HeaderError::NoName)?;
        let name = valid_name(name).ok_or(HeaderError::BadName)?.into();
        let engine = words.first().map_or(&b""[..], |word| &word[2..]);
        if !engine.eq_ignore_ascii_case(b"lua") {
            return Err(HeaderError::Engine(engine.to_vec()));
        }
        Ok(Self { name, body })
    }
}

/// The name if it is one of a library or a function: letters, digits and underscores.
pub(crate) fn valid_name(name: &[u8]) -> Option<&str> {
    let valid = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    if name.is_empty() || !name.iter().all(valid) {
        return None;
    }
    std::str::from_utf8(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let header = Header::parse(b"#!LUA  Name=a_1 \nreturn").unwrap();
        assert_eq!((&*header.name, header.body), ("a_1", 16));
        for (text, error) in [
            (&b""[..], HeaderError::Missing),
            (b"return 1", HeaderError::Missing),
            (b"#!lua name=a", HeaderError::Invalid),
            (b"#!lua name=\"a\n", HeaderError::Invalid),
            (b"#!lua\n", HeaderError::NoName),
            (b"#!\n", HeaderError::NoName),
            (b"#!lua name=\n", HeaderError::BadName),
            (b"#!lua name=a-b\n", HeaderError::BadName),
            (b"#!lua name=a name=b\n", HeaderError::NameTwice),
            (b"#!lua name=a b\n", HeaderError::Value(b"b".to_vec())),
            (b"#!js name=a\n", HeaderError::Engine(b"js".to_vec())),
            (b"#! name=a\n", HeaderError::Engine(Vec::new())),
        ] {
            assert_eq!(Header::parse(text), Err(error), "{}", text.escape_ascii());
        }
    }
}
