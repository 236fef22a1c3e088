//! How a command fails: by the fault of the request, or by the state it meets.
//!
//! Both carry the whole error line, code first, in Redis's exact words, because clients match on
//! them. The distinction is for readers and statistics: a request fault would fail on any dataset.

use std::borrow::Cow;

use store::WrongType;

/// Why a command was refused. The text is `CODE message`, without the leading `-` or line end; it
/// is bytes, because it may quote a client's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// The request itself is wrong: syntax, arity, a number that does not parse.
    Request(Cow<'static, [u8]>),
    /// The request is sound but the data or the server's state refuses it.
    State(Cow<'static, [u8]>),
}

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $fault:ident $text:literal;)*) => {
        impl CommandError {
            $($(#[$doc])* pub const $name: Self = Self::$fault(Cow::Borrowed($text.as_bytes()));)*
        }
    };
}

errors! {
    /// Options that contradict each other, are unknown, or miss their argument.
    SYNTAX = Request "ERR syntax error";
    /// An argument, or a stored string, is not a 64-bit signed integer.
    NOT_INTEGER = Request "ERR value is not an integer or out of range";
    /// An argument, or a stored string, is not a floating point number.
    NOT_FLOAT = Request "ERR value is not a valid float";
    /// An unsigned argument is negative or too large.
    OUT_OF_RANGE = Request "ERR value is out of range";
    /// An unsigned argument is negative.
    NOT_POSITIVE = Request "ERR value is out of range, must be positive";
    /// The key holds another type than the command works on.
    WRONG_TYPE = State "WRONGTYPE Operation against a key holding the wrong kind of value";
    /// A string would outgrow `proto-max-bulk-len`.
    STRING_TOO_LONG = State "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    /// The key that must exist does not.
    NO_SUCH_KEY = State "ERR no such key";
    /// A counter would leave the signed 64-bit range.
    OVERFLOW = State "ERR increment or decrement would overflow";
    /// A database number is not configured.
    DB_INDEX = State "ERR DB index is out of range";
    /// Memory is above `maxmemory` and the command could grow it.
    OUT_OF_MEMORY = State "OOM command not allowed when used memory > 'maxmemory'.";
    /// The dataset is not there yet.
    LOADING = State "LOADING Redis is loading the dataset in memory";
    /// The connection must authenticate first.
    NO_AUTH = State "NOAUTH Authentication required.";
}

impl From<WrongType> for CommandError {
    fn from(_: WrongType) -> Self {
        Self::WRONG_TYPE
    }
}

impl CommandError {
    /// A request fault with a text made at run time: `CODE message`.
    #[must_use]
    pub fn request(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Request(bytes(text.into()))
    }

    /// A subcommand that does not exist in this form; `container` in upper case.
    #[must_use]
    pub fn subcommand(container: &str, name: &[u8]) -> Self {
        let before = "ERR unknown subcommand or wrong number of arguments for '";
        Self::quoting(before, name, &format!("'. Try {container} HELP."))
    }

    /// A request fault whose text quotes `word`, an argument, between `before` and `after`. As in
    /// Redis the quotation ends at the first NUL.
    #[must_use]
    pub fn quoting(before: &str, word: &[u8], after: &str) -> Self {
        let end = word.iter().position(|&byte| byte == 0).unwrap_or(word.len());
        Self::Request([before.as_bytes(), &word[..end], after.as_bytes()].concat().into())
    }

    /// A state refusal with a text made at run time: `CODE message`.
    #[must_use]
    pub fn state(text: impl Into<Cow<'static, str>>) -> Self {
        Self::State(bytes(text.into()))
    }

    /// The wrong number of arguments for `name` (`set`, or `client|kill` for a subcommand).
    #[must_use]
    pub fn arity(name: &str) -> Self {
        Self::request(format!("ERR wrong number of arguments for '{name}' command"))
    }

    /// An expire time that is negative where it must not be, or beyond the clock's range.
    #[must_use]
    pub fn invalid_expire(name: &str) -> Self {
        Self::request(format!("ERR invalid expire time in '{name}' command"))
    }

    /// The whole error line: `CODE message`.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        match self {
            Self::Request(text) | Self::State(text) => text,
        }
    }

    /// The first word, which `INFO errorstats` counts by.
    #[must_use]
    pub fn code(&self) -> &str {
        let word = self.text().split(|&byte| byte == b' ').next().unwrap_or_default();
        std::str::from_utf8(word).unwrap_or("ERR")
    }
}

fn bytes(text: Cow<'static, str>) -> Cow<'static, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

impl std::fmt::Display for CommandError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.text()))
    }
}

impl std::error::Error for CommandError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_the_first_word() {
        assert_eq!(CommandError::WRONG_TYPE.code(), "WRONGTYPE");
        assert_eq!(CommandError::arity("get").code(), "ERR");
        assert_eq!(CommandError::quoting("ERR no '", b"\xff\x00b", "'").text(), b"ERR no '\xff'");
        assert_eq!(
            CommandError::arity("get").text(),
            b"ERR wrong number of arguments for 'get' command"
        );
    }
}
