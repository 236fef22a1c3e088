//! `SWAPDB`.

use ::command::spec::Arg;
use ::command::{Categories, Command, CommandError, Flags, Group, Spec};

use crate::admin::{AdminCommand, AdminCx, AdminHandler};

/// `SWAPDB index1 index2`
pub static SWAPDB: AdminCommand = Command::new(
    Spec::new(
        "swapdb",
        Group::Server,
        "4.0.0",
        3,
        "O(N) where N is the count of clients watching or blocking on keys from both databases.",
        "Exchanges two databases.",
    )
    .flags(Flags::WRITE.union(Flags::FAST).union(Flags::WHOLE_KEYSPACE))
    .acl(Categories::KEYSPACE.union(Categories::DANGEROUS))
    .args(&[Arg::integer("index1"), Arg::integer("index2")]),
    swapdb as AdminHandler,
);

fn swapdb(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let int = i64::from(i32::MIN)..=i64::from(i32::MAX);
    let mut args = admin.cx.reader();
    let first = args.integer_in(int.clone(), CommandError::request("ERR invalid first DB index"));
    args.check()?;
    let second = args.integer_in(int, CommandError::request("ERR invalid second DB index"));
    args.finish()?;
    let databases = admin.engine.store.databases();
    let index = |id: i64| {
        usize::try_from(id).ok().filter(|&id| id < databases).ok_or(CommandError::DB_INDEX)
    };
    let (first, second) = (index(first)?, index(second)?);
    if first != second {
        admin.cx.db.swap_databases(first, second);
    } else {
        admin.cx.db.effects.dirty += 1;
    }
    admin.cx.reply.ok();
    Ok(())
}
