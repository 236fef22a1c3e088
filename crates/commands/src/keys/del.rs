//! `DEL` and `UNLINK`: remove keys.
//!
//! In Redis the two differ in who frees the memory. Here a removed value that is large always
//! leaves the locks before it is freed, so they are one command under two names: clients see
//! either name in the log and in the statistics, and nothing else.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::Event;

use super::ADDED_UP;

pub(super) static DEL: DataCommand = DataCommand::new(
    Spec::new(
        "del",
        Group::Generic,
        "1.0.0",
        -2,
        "O(N) with the number N of keys, whatever their size.",
        "Removes keys.",
    )
    .flags(Flags::WRITE)
    .acl(Categories::KEYSPACE)
    .keys(KEYS)
    .args(ARGS)
    .tips(ADDED_UP),
    run,
);

pub(super) static UNLINK: DataCommand = DataCommand::new(
    Spec::new(
        "unlink",
        Group::Generic,
        "4.0.0",
        -2,
        "O(N) with the number N of keys, whatever their size.",
        "Removes keys and leaves the freeing of their memory to the background.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::KEYSPACE)
    .keys(KEYS)
    .args(ARGS)
    .tips(ADDED_UP),
    run,
);

const KEYS: &[KeySpec] = &[KeySpec::range(KeyFlags::RM.union(KeyFlags::DELETE), 1, -1, 1)];
const ARGS: &[Arg] = &[Arg::key("key", 0).multiple()];

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut removed = 0;
    for key in cx.args.tail(1) {
        removed += i64::from(cx.db.edit(key).remove(Event::generic("del")));
    }
    cx.reply.integer(removed);
    Ok(())
}
