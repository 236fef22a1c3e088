//! `CLIENT TRACKINGINFO`.

use command::{Command, CommandError, Group, Spec};

use crate::admin::connection::{ALWAYS, CONNECTION};
use crate::admin::{AdminCommand, AdminCx, AdminHandler};

/// `CLIENT TRACKINGINFO`
pub static TRACKINGINFO: AdminCommand = Command::new(
    Spec::new(
        "trackinginfo",
        Group::Connection,
        "6.2.0",
        2,
        "O(1)",
        "Tells how the server assists the connection's client-side cache.",
    )
    .flags(ALWAYS)
    .acl(CONNECTION),
    tracking_info as AdminHandler,
);

fn tracking_info(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let reply = &mut *admin.cx.reply;
    reply.map(3);
    reply.bulk(b"flags");
    reply.set(1);
    reply.bulk(b"off");
    reply.bulk(b"redirect");
    reply.integer(-1);
    reply.bulk(b"prefixes");
    reply.array(0);
    Ok(())
}
