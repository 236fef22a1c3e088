//! Reads a command's arguments in order, latching the first error, so that a handler parses without
//! a question mark on every line and checks once.
//!
//! After an error every method returns a harmless value; [`ArgReader::finish`] reports the error.

use resp::Args;

use crate::error::CommandError;

/// Timeouts are below this: the present plus a timeout is a signed 64-bit number of milliseconds.
const TIMEOUT_END_MS: f64 = 9.22e18;

/// A cursor over the arguments.
#[derive(Clone, Debug)]
pub struct ArgReader<'a> {
    args: Args<'a>,
    next: usize,
    error: Option<CommandError>,
}

impl<'a> ArgReader<'a> {
    /// Starts at argument `first` (0 is the command's name).
    #[must_use]
    pub const fn new(args: Args<'a>, first: usize) -> Self {
        Self { args, next: first, error: None }
    }

    /// Number of arguments left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.args.len().saturating_sub(self.next)
    }

    /// Whether arguments are left and no error has occurred: the condition of an option loop.
    #[must_use]
    pub fn more(&self) -> bool {
        self.error.is_none() && self.remaining() > 0
    }

    /// The next argument as bytes; a syntax error if there is none.
    #[inline]
    pub fn bytes(&mut self) -> &'a [u8] {
        match self.args.get(self.next) {
            Some(arg) => {
                self.next += 1;
                arg
            }
            None => {
                self.fail(CommandError::SYNTAX);
                b""
            }
        }
    }

    /// The next argument without taking it.
    #[inline]
    #[must_use]
    pub fn peek(&self) -> Option<&'a [u8]> {
        self.args.get(self.next)
    }

    /// Takes the next argument if it is the word `token` (upper case), in any case.
    #[inline]
    pub fn token(&mut self, token: &str) -> bool {
        let found = self.error.is_none()
            && self.peek().is_some_and(|arg| arg.eq_ignore_ascii_case(token.as_bytes()));
        self.next += usize::from(found);
        found
    }

    /// Takes the next argument if it is the word `token` and an argument follows it, which then
    /// is next. A last word without its argument is left for the loop to refuse.
    pub fn option(&mut self, token: &str) -> bool {
        self.remaining() >= 2 && self.token(token)
    }

    /// The next argument, which must be one of two words (upper case): whether it is the first.
    pub fn either(&mut self, first: &str, second: &str) -> bool {
        let is_first = self.token(first);
        if !is_first && !self.token(second) {
            self.unknown();
        }
        is_first
    }

    /// The next argument as a signed 64-bit integer.
    pub fn integer(&mut self) -> i64 {
        self.integer_or(CommandError::NOT_INTEGER)
    }

    /// The next argument as a signed 64-bit integer; `error` if it is none.
    pub fn integer_or(&mut self, error: CommandError) -> i64 {
        let arg = self.bytes();
        stdx::num::parse_i64(arg).unwrap_or_else(|| {
            self.fail(error);
            0
        })
    }

    /// The next argument as an integer in `range`; `error` if it is none or outside.
    pub fn integer_in(&mut self, range: std::ops::RangeInclusive<i64>, error: CommandError) -> i64 {
        let value = self.integer_or(error.clone());
        if !range.contains(&value) {
            self.fail(error);
        }
        value
    }

    /// The next argument as a finite or infinite, but not NaN, floating point number.
    pub fn double(&mut self) -> f64 {
        let arg = self.bytes();
        stdx::num::parse_f64(arg).unwrap_or_else(|| {
            self.fail(CommandError::NOT_FLOAT);
            0.0
        })
    }

    /// The next argument as the timeout of a command that waits, in seconds: as milliseconds,
    /// rounded up; none if it is 0, which means for ever.
    pub fn timeout(&mut self) -> Option<u64> {
        let word = self.bytes();
        // Redis reads a wider type than a double, which what is out of range here still fits.
        let saturated = || stdx::num::parse_f64_saturating(word);
        let Some(seconds) = stdx::num::parse_f64(word).or_else(saturated) else {
            self.fail(CommandError::request("ERR timeout is not a float or out of range"));
            return None;
        };
        let milliseconds = (seconds * 1000.0).ceil();
        if milliseconds >= TIMEOUT_END_MS {
            self.fail(CommandError::request("ERR timeout is out of range"));
        } else if milliseconds < 0.0 {
            self.fail(CommandError::request("ERR timeout is negative"));
        }
        Some(milliseconds as u64).filter(|&milliseconds| milliseconds > 0)
    }

    /// Latches `error` unless an earlier one is.
    pub fn fail(&mut self, error: CommandError) {
        self.error.get_or_insert(error);
    }

    /// Latches a syntax error: what an option loop does with a word it does not know.
    pub fn unknown(&mut self) {
        self.next = self.args.len();
        self.fail(CommandError::SYNTAX);
    }

    /// The end of the arguments.
    ///
    /// # Errors
    /// The first latched error, or a syntax error if arguments are left.
    pub fn finish(self) -> Result<(), CommandError> {
        let left = self.remaining() > 0;
        self.check()?;
        if left { Err(CommandError::SYNTAX) } else { Ok(()) }
    }

    /// The errors so far, when arguments may be left.
    ///
    /// # Errors
    /// The first latched error.
    pub fn check(&self) -> Result<(), CommandError> {
        self.error.clone().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use resp::OwnedArgs;

    use super::*;

    #[test]
    fn the_first_error_is_latched() {
        let args = OwnedArgs::from_slices(&[&b"INCRBY"[..], b"k", b"x", b"y"]);
        let mut reader = ArgReader::new(args.as_args(), 1);
        assert_eq!(reader.bytes(), b"k");
        assert_eq!(reader.integer(), 0);
        assert_eq!(reader.double(), 0.0);
        assert_eq!(reader.finish(), Err(CommandError::NOT_INTEGER));
    }

    #[test]
    fn left_over_arguments_are_a_syntax_error() {
        let args = OwnedArgs::from_slices(&[&b"GET"[..], b"k", b"x"]);
        let mut reader = ArgReader::new(args.as_args(), 1);
        reader.bytes();
        assert_eq!(reader.finish(), Err(CommandError::SYNTAX));
    }

    #[test]
    fn timeouts_are_seconds_rounded_up_to_milliseconds() {
        let timeout = |word: &str| {
            let args = OwnedArgs::from_slices(&["BLPOP", word]);
            let mut reader = ArgReader::new(args.as_args(), 1);
            let timeout = reader.timeout();
            reader.finish().map(|()| timeout).map_err(|error| error.text().to_vec())
        };
        assert_eq!(timeout("0"), Ok(None));
        assert_eq!(timeout("-0"), Ok(None));
        assert_eq!(timeout("1.5"), Ok(Some(1500)));
        assert_eq!(timeout("0.0001"), Ok(Some(1)));
        assert_eq!(timeout("x"), Err(b"ERR timeout is not a float or out of range".to_vec()));
        assert_eq!(timeout("1e400"), Err(b"ERR timeout is out of range".to_vec()));
        assert_eq!(timeout("-1e400"), Err(b"ERR timeout is negative".to_vec()));
        assert_eq!(timeout("1e-400"), Ok(None));
        assert_eq!(timeout("-1"), Err(b"ERR timeout is negative".to_vec()));
        assert_eq!(timeout("inf"), Err(b"ERR timeout is out of range".to_vec()));
        assert_eq!(timeout("9223372036854775"), Err(b"ERR timeout is out of range".to_vec()));
    }

    #[test]
    fn tokens_ignore_case_and_options_need_a_value() {
        let args = OwnedArgs::from_slices(&[&b"SET"[..], b"nx", b"EX"]);
        let mut reader = ArgReader::new(args.as_args(), 1);
        assert!(!reader.token("XX") && reader.token("NX"));
        assert!(!reader.option("EX") && reader.token("EX"));
        assert!(!reader.more());
    }
}
