//! `AUTH`, and the check of a user's password that `HELLO` shares.

use std::borrow::Cow;

use command::spec::Arg;
use command::{Command, CommandError, Flags, Group, Spec};

use super::{CONNECTION, HANDSHAKE};
use crate::admin::{AdminCommand, AdminCx, AdminHandler};

/// `AUTH [username] password`
pub static AUTH: AdminCommand = Command::new(
    Spec::new(
        "auth",
        Group::Connection,
        "1.0.0",
        -2,
        "O(N) where N is the number of passwords defined for the user",
        "Authenticates the connection.",
    )
    .flags(HANDSHAKE.union(Flags::SENSITIVE))
    .acl(CONNECTION)
    .history(&[("6.0.0", "Added ACL style (username and password).")])
    .args(&[Arg::string("username").optional().since("6.0.0"), Arg::string("password")]),
    auth as AdminHandler,
);

const WRONG_PASSWORD: CommandError = CommandError::State(Cow::Borrowed(
    b"WRONGPASS invalid username-password pair or user is disabled.",
));

fn auth(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let args = admin.cx.args;
    let (user, password) = match args.len() {
        2 if !admin.engine.password_required() => {
            return Err(CommandError::state(
                "ERR AUTH <password> called without any password configured for the default \
                 user. Are you sure your configuration is correct?",
            ));
        }
        2 => (&b"default"[..], admin.cx.arg(1)?),
        3 => (admin.cx.arg(1)?, admin.cx.arg(2)?),
        _ => return Err(CommandError::SYNTAX),
    };
    authenticate(admin, user, password)?;
    admin.cx.reply.ok();
    Ok(())
}

/// Authenticates the session as `user`. The only user so far is `default`, whose password is
/// `requirepass`; without one any password is right.
pub(super) fn authenticate(
    admin: &mut AdminCx<'_>,
    user: &[u8],
    password: &[u8],
) -> Result<(), CommandError> {
    let expected = admin.engine.config.get(config::rows::REQUIREPASS);
    let right = expected.is_empty() || same_secret(&expected, password);
    if user != b"default" || !right {
        return Err(WRONG_PASSWORD);
    }
    admin.session.authenticated = true;
    Ok(())
}

/// Compares in a time that does not depend on where the difference is.
fn same_secret(expected: &[u8], given: &[u8]) -> bool {
    let differs = |at: usize| expected[at] ^ given.get(at).copied().unwrap_or(0);
    let difference = (0..expected.len()).fold(0, |all, at| all | differs(at));
    difference == 0 && expected.len() == given.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_compared_whole() {
        assert!(same_secret(b"abc", b"abc"));
        for wrong in [&b"ab"[..], b"abcd", b"abx", b"", b"ab\0"] {
            assert!(!same_secret(b"abc", wrong));
        }
    }
}
