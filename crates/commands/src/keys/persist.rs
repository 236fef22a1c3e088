//! `PERSIST`: takes a key's deadline away.

use command::{Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};
use store::Event;

use super::ONE_UPDATED;

pub(super) static PERSIST: DataCommand = DataCommand::new(
    Spec::new(
        "persist",
        Group::Generic,
        "2.2.0",
        2,
        "O(1)",
        "Lets a key live for ever, whatever time to live it had.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::KEYSPACE)
    .keys(ONE_UPDATED)
    .args(&[Arg::key("key", 0)]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    let mut edit = cx.db.edit(key);
    let had_deadline = edit.entry().is_some_and(|entry| entry.deadline().is_some());
    if had_deadline {
        edit.set_deadline(None, Event::generic("persist"));
    }
    cx.reply.integer(i64::from(had_deadline));
    Ok(())
}
