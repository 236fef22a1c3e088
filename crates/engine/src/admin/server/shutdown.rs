//! `SHUTDOWN`.

use ::command::spec::Arg;
use ::command::{Command, CommandError, Flags, Group, Spec};

use super::ADMIN;
use crate::admin::{AdminCommand, AdminCx, AdminHandler};
use crate::call::Flow;
use crate::platform::ShutdownRequest;

/// `SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]`
pub static SHUTDOWN: AdminCommand = Command::new(
    Spec::new(
        "shutdown",
        Group::Server,
        "1.0.0",
        -1,
        "O(N) when saving, where N is the total number of keys in all databases, otherwise O(1)",
        "Saves the dataset if so configured, and ends the server.",
    )
    .flags(ADMIN.union(Flags::NO_MULTI).union(Flags::ALLOW_BUSY))
    .history(&[("7.0.0", "Added the `NOW`, `FORCE` and `ABORT` modifiers.")])
    .args(&[
        Arg::one_of("save-selector", &[Arg::word("nosave", "NOSAVE"), Arg::word("save", "SAVE")])
            .optional(),
        Arg::word("now", "NOW").optional().since("7.0.0"),
        Arg::word("force", "FORCE").optional().since("7.0.0"),
        Arg::word("abort", "ABORT").optional().since("7.0.0"),
    ]),
    shutdown as AdminHandler,
);

fn shutdown(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let (mut request, mut abort) = (ShutdownRequest::default(), false);
    let mut args = admin.cx.reader();
    while args.more() {
        if args.token("SAVE") {
            request.save = true;
        } else if args.token("NOSAVE") {
            request.no_save = true;
        } else if args.token("NOW") {
            request.now = true;
        } else if args.token("FORCE") {
            request.force = true;
        } else if args.token("ABORT") {
            abort = true;
        } else {
            args.unknown();
        }
    }
    args.finish()?;
    let other = request != ShutdownRequest::default();
    if (abort && other) || (request.save && request.no_save) {
        return Err(CommandError::SYNTAX);
    }
    if abort {
        if !admin.engine.abort_shutdown() {
            return Err(CommandError::state("ERR No shutdown in progress."));
        }
        admin.cx.reply.ok();
        return Ok(());
    }
    // A snapshot needs the locks of the script that takes long.
    if admin.engine.is_busy() && !request.no_save {
        return Err(admin.engine.scripting.busy.error());
    }
    let text = "ERR Errors trying to SHUTDOWN. Check logs.";
    admin.engine.shut_down(request).map_err(|_| CommandError::state(text))?;
    // The server answers by closing the connection.
    admin.flow = Flow::Close;
    Ok(())
}
