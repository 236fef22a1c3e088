//! `MOVE`: takes a key to another database, unless it exists there. The shard of a key does not
//! depend on its database, so the lock on the key covers both ends.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::Event;
use store::transfer::{MoveEvents, Place};

use super::database;

pub(super) static MOVE: DataCommand = DataCommand::new(
    Spec::new("move", Group::Generic, "1.0.0", 3, "O(1)", "Moves a key to another database.")
        .flags(Flags::WRITE.union(Flags::FAST))
        .acl(Categories::KEYSPACE)
        .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))])
        .args(&[Arg::key("key", 0), Arg::integer("db")]),
    run,
);

const EVENTS: MoveEvents =
    MoveEvents { left: Event::generic("move_from"), arrived: Event::generic("move_to") };

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    let target = database::read(&mut reader, cx.db.store().databases());
    reader.finish()?;
    let source = cx.db.scope.db;
    if source == target {
        return Err(database::same_object());
    }
    // The moved key comes first: what expires here is logged in the order in which Redis looks.
    let movable = cx.db.edit(key).exists() && !cx.db.edit_in(target, key).exists();
    let moved =
        movable && cx.db.move_value(Place { db: source, key }, Place { db: target, key }, EVENTS);
    cx.reply.integer(i64::from(moved));
    Ok(())
}
