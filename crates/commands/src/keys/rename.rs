//! `RENAME` and `RENAMENX`: give a value another name, in constant time whatever its size.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::Event;
use store::transfer::{MoveEvents, Place};

pub(super) static RENAME: DataCommand = DataCommand::new(
    Spec::new(
        "rename",
        Group::Generic,
        "1.0.0",
        3,
        "O(1)",
        "Renames a key; what the new name held before is gone.",
    )
    .flags(Flags::WRITE)
    .acl(Categories::KEYSPACE)
    .keys(&[SOURCE, KeySpec::range(KeyFlags::OW.union(KeyFlags::UPDATE), 2, 0, 1)])
    .args(ARGS),
    |cx| {
        rename(cx, false)?;
        cx.reply.ok();
        Ok(())
    },
);

pub(super) static RENAMENX: DataCommand = DataCommand::new(
    Spec::new(
        "renamenx",
        Group::Generic,
        "1.0.0",
        3,
        "O(1)",
        "Renames a key if nothing has the new name.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::KEYSPACE)
    .keys(&[SOURCE, KeySpec::range(KeyFlags::OW.union(KeyFlags::INSERT), 2, 0, 1)])
    .args(ARGS)
    .history(&[("3.2.0", "Two equal names are no error.")]),
    |cx| {
        let renamed = rename(cx, true)?;
        cx.reply.integer(i64::from(renamed));
        Ok(())
    },
);

const SOURCE: KeySpec =
    KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE));
const ARGS: &[Arg] = &[Arg::key("key", 0), Arg::key("newkey", 1)];

const EVENTS: MoveEvents =
    MoveEvents { left: Event::generic("rename_from"), arrived: Event::generic("rename_to") };

/// Renames unless the names are equal or, if it must be free, the new one is taken. Whether
/// anything changed.
fn rename(cx: &mut Cx<'_>, must_be_free: bool) -> Result<bool, CommandError> {
    let (from, to) = (cx.arg(1)?, cx.arg(2)?);
    // Looking at them for a change counts as an access, whether or not one follows.
    if !cx.db.edit(from).exists() {
        return Err(CommandError::NO_SUCH_KEY);
    }
    if from == to || (must_be_free && cx.db.edit(to).exists()) {
        return Ok(false);
    }
    let db = cx.db.scope.db;
    Ok(cx.db.move_value(Place { db, key: from }, Place { db, key: to }, EVENTS))
}
