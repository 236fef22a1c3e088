//! `TOUCH`: marks keys as used, so that eviction spares them.

use command::{Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};

use super::{ADDED_UP, ALL_ASKED};

pub(super) static TOUCH: DataCommand = DataCommand::new(
    Spec::new(
        "touch",
        Group::Generic,
        "3.2.1",
        -2,
        "O(N) with the number N of keys.",
        "Marks keys as used now and counts which of them exist.",
    )
    .flags(Flags::READONLY.union(Flags::FAST))
    .acl(Categories::KEYSPACE)
    .keys(ALL_ASKED)
    .args(&[Arg::key("key", 0).multiple()])
    .tips(ADDED_UP),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut found = 0;
    for key in cx.args.tail(1) {
        found += i64::from(cx.db.touch(key));
    }
    cx.reply.integer(found);
    Ok(())
}
