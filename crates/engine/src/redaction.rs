//! Which arguments of a command line are secrets, for whatever shows command lines: `MONITOR` and
//! the command logs.

use command::Flags;
use resp::Args;

use crate::registry::Entry;

/// What is shown in the place of a secret.
const REDACTED: &[u8] = b"(redacted)";

/// The arguments of a command line as they may be shown.
pub(crate) fn shown<'a>(entry: &Entry, args: Args<'a>) -> impl Iterator<Item = &'a [u8]> {
    let is_secret = secrets(entry);
    args.iter().enumerate().map(move |(index, arg)| {
        if is_secret.is_some_and(|is_secret| is_secret(args, index)) { REDACTED } else { arg }
    })
}

/// Whether the argument at an index of a command line is a secret.
type IsSecret = fn(Args<'_>, usize) -> bool;

fn secrets(entry: &Entry) -> Option<IsSecret> {
    match entry.full_name {
        "config|set" => Some(is_secret_parameter),
        "acl|setuser" | "acl|getuser" | "acl|deluser" => Some(|_, index| index >= 2),
        "hello" | "migrate" => Some(follows_auth),
        // The spec says so.
        _ if entry.has(Flags::SENSITIVE) => Some(|_, index| index >= 1),
        _ => None,
    }
}

fn is_secret_parameter(args: Args<'_>, index: usize) -> bool {
    let is_value = index >= 3 && index % 2 == 1;
    let name = args.get(index - usize::from(is_value)).unwrap_or_default();
    is_value && config::find(name).is_some_and(|id| id.row().sensitive)
}

/// `AUTH password`, `AUTH user password` (`HELLO`), `AUTH2 user password` (`MIGRATE`).
fn follows_auth(args: Args<'_>, index: usize) -> bool {
    let is = |back: usize, word: &[u8]| {
        let at = index.checked_sub(back).filter(|&at| at > 0);
        at.and_then(|at| args.get(at)).is_some_and(|arg| arg.eq_ignore_ascii_case(word))
    };
    let has_user = args.name().eq_ignore_ascii_case(b"hello");
    is(1, b"AUTH") || is(1, b"AUTH2") || is(2, b"AUTH2") || (has_user && is(2, b"AUTH"))
}

#[cfg(test)]
mod tests {
    use resp::OwnedArgs;

    use super::*;
    use crate::registry::Registry;

    fn line(words: &str) -> String {
        let words: Vec<&str> = words.split(' ').collect();
        let args = OwnedArgs::from_slices(&words);
        let entry = Registry::get().resolve(args.as_args()).unwrap();
        let shown: Vec<_> = shown(entry, args.as_args()).collect();
        String::from_utf8(shown.join(&b' ')).unwrap()
    }

    #[test]
    fn secrets_are_hidden_and_nothing_else() {
        for (given, expected) in [
            ("SET auth secret", "SET auth secret"),
            ("AUTH me secret", "AUTH (redacted) (redacted)"),
            ("HELLO 3 AUTH u p SETNAME n", "HELLO 3 AUTH (redacted) (redacted) SETNAME n"),
            (
                "config set maxmemory 1 requirepass x",
                "config set maxmemory 1 requirepass (redacted)",
            ),
            ("config set primaryauth x", "config set primaryauth (redacted)"),
            ("config set nosuch x", "config set nosuch x"),
        ] {
            assert_eq!(line(given), expected);
        }
    }
}
