//! `PING`, `ECHO`.

use command::spec::Arg;
use command::{Command, CommandError, Flags, Group, Spec};
use resp::Version;

use super::CONNECTION;
use crate::admin::{AdminCommand, AdminCx, AdminHandler};

/// `PING [message]`
pub static PING: AdminCommand = Command::new(
    Spec::new("ping", Group::Connection, "1.0.0", -1, "O(1)", "Answers PONG, or the message.")
        .flags(Flags::FAST)
        .acl(CONNECTION)
        .args(&[Arg::string("message").optional()])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    ping as AdminHandler,
);

/// `ECHO message`
pub static ECHO: AdminCommand = Command::new(
    Spec::new("echo", Group::Connection, "1.0.0", 2, "O(1)", "Answers the message.")
        .flags(Flags::LOADING.union(Flags::STALE).union(Flags::FAST))
        .acl(CONNECTION)
        .args(&[Arg::string("message")]),
    echo as AdminHandler,
);

fn ping(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let message = admin.cx.args.get(1);
    let listens = admin.session.subscriptions.is_some();
    match (admin.cx.args.len(), message) {
        // In the form of a message, so that the client can tell it from an ordinary one.
        (1 | 2, _) if listens && admin.session.version() == Version::Resp2 => {
            admin.cx.reply.array(2);
            admin.cx.reply.bulk(b"pong");
            admin.cx.reply.bulk(message.unwrap_or_default());
        }
        (1, _) => admin.cx.reply.simple("PONG"),
        (2, Some(message)) => admin.cx.reply.bulk(message),
        _ => return Err(CommandError::arity("ping")),
    }
    Ok(())
}

fn echo(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let message = admin.cx.arg(1)?;
    admin.cx.reply.bulk(message);
    Ok(())
}
