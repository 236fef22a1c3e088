//! The `user` lines of a configuration file.
//!
//! There is one user, who may do everything and whose password is `requirepass`. `CONFIG REWRITE`
//! of Redis and Valkey ends every file with a line that says so, password and all; such a line is
//! welcome. Any other asks for users that do not exist, or for fewer rights.

use config::{Config, Directive, rows};
use sha2::{Digest, Sha256};

/// What must be said of a user for it to be the one that there is.
const RIGHTS: [[&[u8]; 2]; 3] =
    [[b"~*", b"allkeys"], [b"&*", b"allchannels"], [b"+@all", b"allcommands"]];
/// Whether payloads of this user are verified: all are.
const SANITIZING: [&[u8]; 2] = [b"sanitize-payload", b"skip-sanitize-payload"];

/// How a line says that the user logs in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Login<'a> {
    Free,
    Password(&'a [u8]),
    Hash(&'a [u8]),
}

/// Takes the password of `line` for `requirepass`, if the line is about the user that there is
/// and says nothing else than `requirepass` does.
pub(super) fn adopt_default_user(line: &Directive, config: &Config) -> bool {
    let Some((name, rules)) = line.args.split_first() else { return false };
    let rules: Vec<&[u8]> = rules.iter().map(Vec::as_slice).collect();
    let Some(login) = login(&rules) else { return false };
    if name != b"default" {
        return false;
    }
    let password = config.get(rows::REQUIREPASS);
    match login {
        Login::Free => password.is_empty(),
        Login::Hash(hash) => !password.is_empty() && hash == hex_digest(&password).as_bytes(),
        Login::Password(said) if password.is_empty() => {
            config.assign(rows::REQUIREPASS, said).is_ok()
        }
        Login::Password(said) => *said == *password,
    }
}

/// How the user of these rules logs in; none if the rules are not those of a user that is on and
/// has all rights.
fn login<'a>(rules: &[&'a [u8]]) -> Option<Login<'a>> {
    let is =
        |word: &[u8], either: &[&[u8]]| either.iter().any(|known| word.eq_ignore_ascii_case(known));
    let mut login = None;
    for &rule in rules {
        let said = match rule {
            [b'>', password @ ..] => Login::Password(password),
            [b'#', hash @ ..] => Login::Hash(hash),
            rule if is(rule, &[b"nopass"]) => Login::Free,
            rule if is(rule, &[b"on"]) || is(rule, &SANITIZING) => continue,
            rule if is(rule, RIGHTS.as_flattened()) => continue,
            _ => return None,
        };
        if login.is_some_and(|before| before != said) {
            return None;
        }
        login = Some(said);
    }
    let has = |either: &[&[u8]]| rules.iter().any(|rule| is(rule, either));
    let is_whole = has(&[b"on"]) && RIGHTS.iter().all(|right| has(right));
    login.filter(|_| is_whole)
}

fn hex_digest(text: &[u8]) -> String {
    use std::fmt::Write;
    let mut hex = String::new();
    for byte in Sha256::digest(text) {
        write!(hex, "{byte:02x}").expect("a string takes everything");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `requirepass` after a file with the line, if the line is taken.
    fn password_after(requirepass: &str, line: &str) -> Option<String> {
        let config = Config::new(&config::Environment { cores: 1, directory: b"/".to_vec() });
        let text = format!("requirepass \"{requirepass}\"\nuser {line}");
        let loaded = config.load(text.as_bytes(), &mut |_, _| Ok(Vec::new())).expect("it loads");
        let taken = adopt_default_user(&loaded.users[0], &config);
        taken.then(|| String::from_utf8_lossy(&config.get(rows::REQUIREPASS)).into_owned())
    }

    const HASH: &str = "#41242b9fae56fad4e6e77dfe33cb18d1c3fc583f988cf25ef9f2d9be0d440bbb";

    #[test]
    fn what_rewriting_leaves_is_taken() {
        let free = Some(String::new());
        assert_eq!(password_after("", "default on nopass ~* &* +@all"), free);
        assert_eq!(password_after("", "default on nopass sanitize-payload ~* &* +@all"), free);
        assert_eq!(password_after("", "default nopass allkeys ALLCHANNELS allcommands ON"), free);
        let s3 = Some("s3".to_owned());
        assert_eq!(password_after("s3", &format!("default on {HASH} ~* &* +@all")), s3);
        assert_eq!(password_after("s3", "default on >s3 ~* &* +@all"), s3);
        assert_eq!(password_after("", "default on >s3 ~* &* +@all"), s3);
    }

    #[test]
    fn anything_else_is_not() {
        let hash = format!("default on {HASH} ~* &* +@all");
        for (requirepass, line) in [
            ("", "worker on nopass ~* &* +@all"),
            ("", "default"),
            ("", "default off nopass ~* &* +@all"),
            ("", "default nopass ~* &* +@all"),
            ("", "default on ~* &* +@all"),
            ("", "default on nopass ~app:* &* +@all"),
            ("", "default on nopass ~* +@all"),
            ("", "default on nopass ~* &* +@all -debug"),
            ("", "default on >a >b ~* &* +@all"),
            ("", hash.as_str()),
            ("s4", hash.as_str()),
            ("s3", "default on nopass ~* &* +@all"),
            ("s3", "default on >s4 ~* &* +@all"),
        ] {
            assert_eq!(password_after(requirepass, line), None, "{requirepass} {line}");
        }
    }
}
