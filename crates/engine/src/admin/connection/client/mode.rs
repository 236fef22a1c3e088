//! `CLIENT REPLY`, `NO-EVICT`, `NO-TOUCH`, `IMPORT-SOURCE`: switches of one connection.

use command::spec::Arg;
use command::{ArgReader, Command, CommandError, Flags, Group, Spec};

use crate::admin::connection::{ALWAYS, CONNECTION};
use crate::admin::{AdminCommand, AdminCx, AdminHandler};
use crate::clients::ClientFlags;
use crate::session::ReplyMode;

const ON_OFF: &[Arg] = &[Arg::one_of("enabled", &[Arg::word("on", "ON"), Arg::word("off", "OFF")])];

/// `CLIENT REPLY ON | OFF | SKIP`
pub static REPLY: AdminCommand = Command::new(
    Spec::new("reply", Group::Connection, "3.2.0", 3, "O(1)", "Says which replies are sent.")
        .flags(ALWAYS)
        .acl(CONNECTION)
        .args(&[Arg::one_of(
            "action",
            &[Arg::word("on", "ON"), Arg::word("off", "OFF"), Arg::word("skip", "SKIP")],
        )]),
    reply as AdminHandler,
);

/// `CLIENT NO-EVICT ON | OFF`
pub static NO_EVICT: AdminCommand = Command::new(
    Spec::new(
        "no-evict",
        Group::Connection,
        "7.0.0",
        3,
        "O(1)",
        "Protects the connection from client eviction.",
    )
    .flags(ALWAYS.union(Flags::ADMIN))
    .acl(CONNECTION)
    .args(ON_OFF),
    no_evict as AdminHandler,
);

/// `CLIENT NO-TOUCH ON | OFF`
pub static NO_TOUCH: AdminCommand = Command::new(
    Spec::new(
        "no-touch",
        Group::Connection,
        "7.2.0",
        3,
        "O(1)",
        "Makes the connection's commands leave the keys' access clocks alone.",
    )
    .flags(ALWAYS)
    .acl(CONNECTION)
    .args(ON_OFF),
    no_touch as AdminHandler,
);

/// `CLIENT IMPORT-SOURCE ON | OFF`
pub static IMPORT_SOURCE: AdminCommand = Command::new(
    Spec::new(
        "import-source",
        Group::Connection,
        "8.1.0",
        3,
        "O(1)",
        "Marks the connection as the source of an import.",
    )
    .flags(ALWAYS)
    .acl(CONNECTION)
    .args(ON_OFF),
    import_source as AdminHandler,
);

fn switch(admin: &AdminCx<'_>) -> Result<bool, CommandError> {
    let mut args = ArgReader::new(admin.cx.args, 2);
    let on = args.either("ON", "OFF");
    args.finish().map(|()| on)
}

fn reply(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let word = admin.cx.arg(2)?;
    if word.eq_ignore_ascii_case(b"on") {
        admin.session.reply_mode = ReplyMode::On;
        admin.cx.reply.ok();
    } else if word.eq_ignore_ascii_case(b"off") {
        admin.session.reply_mode = ReplyMode::Off;
    } else if word.eq_ignore_ascii_case(b"skip") {
        // Skipping makes no sense while no reply is sent at all.
        if admin.session.reply_mode != ReplyMode::Off {
            admin.session.reply_mode = ReplyMode::SkipNext;
        }
    } else {
        return Err(CommandError::SYNTAX);
    }
    Ok(())
}

fn no_evict(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let on = switch(admin)?;
    admin.session.handle.set_flag(ClientFlags::NO_EVICT, on);
    admin.cx.reply.ok();
    Ok(())
}

fn no_touch(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let on = switch(admin)?;
    admin.session.set_no_touch(on);
    admin.cx.reply.ok();
    Ok(())
}

fn import_source(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    switch(admin)?;
    Err(CommandError::state("ERR Server is not in import mode"))
}
