//! The first line of a script: `#!lua flags=no-writes,allow-oom`.

use stdx::text::split_args;

use crate::script::Flags;

/// What a first line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shebang {
    /// Where the part that Lua reads begins. That is the line's end, so that lines keep their
    /// numbers.
    pub(crate) body: usize,
    /// The flags.
    pub(crate) flags: Flags,
}

/// Why a first line is none: the whole error line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShebangError(pub Vec<u8>);

fn error(text: &str, word: &[u8]) -> ShebangError {
    ShebangError([b"ERR ", text.as_bytes(), word].concat())
}

/// Reads the first line of `text`, if it begins like a shebang.
pub(crate) fn parse(text: &[u8]) -> Result<Shebang, ShebangError> {
    if !text.starts_with(b"#!") {
        return Ok(Shebang { body: 0, flags: Flags::COMPATIBLE });
    }
    let end = text.iter().position(|&byte| byte == b'\n');
    let end = end.ok_or_else(|| error("Invalid script shebang", b""))?;
    let words = split_args(&text[..end]).unwrap_or_default();
    let engine = words.first().map_or(&b""[..], |word| word);
    if engine != b"#!lua" {
        return Err(error("Unexpected engine in script shebang: ", engine));
    }
    let mut flags = Flags::NONE;
    for word in &words[1..] {
        let Some(list) = word.strip_prefix(b"flags=") else {
            return Err(error("Unknown lua shebang option: ", word));
        };
        for name in list.split(|&byte| byte == b',').filter(|name| !name.is_empty()) {
            let flag = Flags::from_word(name);
            let flag = flag.ok_or_else(|| error("Unexpected flag in script shebang: ", name))?;
            flags = flags.with(flag);
        }
    }
    Ok(Shebang { body: end, flags })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_and_lines_keep_their_numbers() {
        assert_eq!(parse(b"return 1"), Ok(Shebang { body: 0, flags: Flags::COMPATIBLE }));
        assert_eq!(parse(b"#!lua\nx"), Ok(Shebang { body: 5, flags: Flags::NONE }));
        let both = Flags::NO_WRITES.with(Flags::ALLOW_OOM);
        let line = b"#!lua  flags=no-writes,allow-oom  \nx";
        assert_eq!(parse(line).map(|shebang| shebang.flags), Ok(both));
        assert_eq!(parse(b"#!lua flags=\n").map(|shebang| shebang.flags), Ok(Flags::NONE));
    }

    #[test]
    fn what_is_not_known_is_named() {
        let text = |line: &[u8]| String::from_utf8(parse(line).unwrap_err().0).unwrap();
        assert_eq!(text(b"#!lua"), "ERR Invalid script shebang");
        assert_eq!(text(b"#!\n"), "ERR Unexpected engine in script shebang: #!");
        assert_eq!(text(b"#!js x\n"), "ERR Unexpected engine in script shebang: #!js");
        assert_eq!(text(b"#!lua name=x\n"), "ERR Unknown lua shebang option: name=x");
        assert_eq!(text(b"#!lua flags=a\n"), "ERR Unexpected flag in script shebang: a");
    }
}
