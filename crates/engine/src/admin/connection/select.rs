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
    let int = i64::from(i32::MIN)..=i64::from(i32::MAX);
    let index = args.integer_in(int, CommandError::NOT_INTEGER);
    args.finish()?;
    let index = usize::try_from(index).map_err(|_| CommandError::DB_INDEX)?;
    if index >= admin.engine.store.databases() {
        return Err(CommandError::DB_INDEX);
    }
    admin.session.select(index);
    admin.cx.reply.ok();
    Ok(())
}
