//! `MONITOR`.

use ::command::{Command, CommandError, Group, Spec};

use super::ADMIN;
use crate::admin::{AdminCommand, AdminCx, AdminHandler};

/// `MONITOR`
pub static MONITOR: AdminCommand = Command::new(
    Spec::new(
        "monitor",
        Group::Server,
        "1.0.0",
        1,
        "O(1)",
        "Shows every command as it is executed.",
    )
    .flags(ADMIN),
    monitor as AdminHandler,
);

fn monitor(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    if admin.in_transaction {
        let text = "ERR MONITOR isn't allowed for DENY BLOCKING client";
        return Err(CommandError::state(text));
    }
    admin.engine.monitor(admin.session);
    admin.cx.reply.ok();
    Ok(())
}
