//! `RESET`, `QUIT`.

use command::{Command, CommandError, Flags, Group, Spec};
use resp::Version;

use super::{CONNECTION, HANDSHAKE};
use crate::admin::{AdminCommand, AdminCx, AdminHandler};
use crate::call::Flow;
use crate::clients::{ClientFlags, ClientNames};
use crate::fieldsets::Fieldsets;
use crate::session::ReplyMode;

/// `RESET`
pub static RESET: AdminCommand = Command::new(
    Spec::new(
        "reset",
        Group::Connection,
        "6.2.0",
        1,
        "O(1)",
        "Returns the connection to the state it began in.",
    )
    .flags(HANDSHAKE.union(Flags::IMMEDIATE))
    .acl(CONNECTION),
    reset as AdminHandler,
);

/// `QUIT`
pub static QUIT: AdminCommand = Command::new(
    Spec::new("quit", Group::Connection, "1.0.0", -1, "O(1)", "Closes the connection.")
        .flags(HANDSHAKE.union(Flags::IMMEDIATE))
        .acl(CONNECTION)
        .deprecated("7.2.0", "just closing the connection"),
    quit as AdminHandler,
);

fn reset(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    admin.engine.discard(admin.session);
    admin.engine.end_monitor(admin.session);
    admin.engine.untrack(admin.session);
    admin.engine.forget_reads();
    let session = &mut *admin.session;
    session.unsubscribe_all(&admin.engine.pubsub);
    session.edit_fieldsets(Fieldsets::clear);
    session.select(0);
    session.set_version(Version::Resp2);
    session.set_no_touch(false);
    session.reply_mode = ReplyMode::On;
    session.authenticated = !admin.engine.password_required();
    session.handle.set_flag(ClientFlags::NO_EVICT, false);
    session.handle.edit_names(|names| {
        let library = std::mem::take(names);
        *names = ClientNames { name: Box::default(), user: "default".into(), ..library };
    });
    admin.cx.reply.set_version(Version::Resp2);
    admin.cx.reply.simple("RESET");
    Ok(())
}

fn quit(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    admin.cx.reply.ok();
    admin.flow = Flow::Close;
    Ok(())
}
