//! `SELECT`.

use command::spec::Arg;
use command::{Command, CommandError, Flags, Group, Spec};

use super::CONNECTION;
use crate::admin::{AdminCommand, AdminCx, AdminHandler};

/// `SELECT index`
pub static SELECT: AdminCommand = Command::new(
    Spec::new("select", Group::Connection, "1.0.0", 2, "O(1)", "Changes the selected database.")
        .flags(Flags::LOADING.union(Flags::STALE).union(Flags::FAST))
        .acl(CONNECTION)
        .args(&[Arg::integer("index")]),
    select as AdminHandler,
);

fn select(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let mut args = admin.cx.reader();
    let index = args.integer();
    args.finish()?;
    if i32::try_from(index).is_err() {
        let (min, max) = (i32::MIN, i32::MAX);
        let text = format!("ERR value is out of range, value must between {min} and {max}");
        return Err(CommandError::request(text));
    }
    let index = usize::try_from(index).map_err(|_| CommandError::DB_INDEX)?;
    if index >= admin.engine.store.databases() {
        return Err(CommandError::DB_INDEX);
    }
    admin.session.select(index);
    admin.cx.reply.ok();
    Ok(())
}
