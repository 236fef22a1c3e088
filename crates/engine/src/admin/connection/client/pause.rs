//! `CLIENT PAUSE`, `CLIENT UNPAUSE`.

use command::spec::Arg;
use command::{Command, CommandError, Flags, Group, Spec};

use crate::admin::connection::{ALWAYS, CONNECTION};
use crate::admin::{AdminCommand, AdminCx, AdminHandler};
use crate::pause::PauseKind;

/// `CLIENT PAUSE timeout [WRITE | ALL]`
pub static PAUSE: AdminCommand = Command::new(
    Spec::new(
        "pause",
        Group::Connection,
        "3.0.0",
        -3,
        "O(1)",
        "Puts off the commands of all clients for a time.",
    )
    .flags(ALWAYS.union(Flags::ADMIN))
    .acl(CONNECTION)
    .history(&[("6.2.0", "`CLIENT PAUSE WRITE` mode added along with the `mode` option.")])
    .args(&[
        Arg::integer("timeout"),
        Arg::one_of("mode", &[Arg::word("write", "WRITE"), Arg::word("all", "ALL")])
            .optional()
            .since("6.2.0"),
    ]),
    pause as AdminHandler,
);

/// `CLIENT UNPAUSE`
pub static UNPAUSE: AdminCommand = Command::new(
    Spec::new(
        "unpause",
        Group::Connection,
        "6.2.0",
        2,
        "O(N) Where N is the number of paused clients",
        "Ends a pause.",
    )
    .flags(ALWAYS.union(Flags::ADMIN))
    .acl(CONNECTION),
    unpause as AdminHandler,
);

fn pause(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let mut args = admin.cx.reader();
    let name = args.bytes();
    if admin.cx.args.len() > 4 {
        return Err(CommandError::subcommand("CLIENT", name));
    }
    let kind = match admin.cx.args.get(3) {
        None => PauseKind::All,
        Some(word) if word.eq_ignore_ascii_case(b"all") => PauseKind::All,
        Some(word) if word.eq_ignore_ascii_case(b"write") => PauseKind::Write,
        // The mode is judged before the time.
        Some(_) => {
            return Err(CommandError::request("ERR CLIENT PAUSE mode must be WRITE or ALL"));
        }
    };
    let error = CommandError::request("ERR timeout is not an integer or out of range");
    let timeout = args.integer_or(error.clone());
    args.check()?;
    let Ok(timeout) = u64::try_from(timeout) else {
        return Err(CommandError::request("ERR timeout is negative"));
    };
    let now = admin.cx.db.now();
    let until = now.checked_add(timeout).filter(|&at| i64::try_from(at).is_ok()).ok_or(error)?;
    admin.engine.pause.begin(kind, until, now);
    admin.cx.reply.ok();
    Ok(())
}

fn unpause(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let waiting = admin.engine.pause.end();
    admin.engine.resume(waiting);
    admin.cx.reply.ok();
    Ok(())
}
