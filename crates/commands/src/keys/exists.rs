//! `EXISTS`: how many of the named keys exist. A key named twice counts twice.

use command::{Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};

use super::{ADDED_UP, ALL_ASKED};

pub(super) static EXISTS: DataCommand = DataCommand::new(
    Spec::new(
        "exists",
        Group::Generic,
        "1.0.0",
        -2,
        "O(N) with the number N of keys.",
        "Counts which of the given keys exist.",
    )
    .flags(Flags::READONLY.union(Flags::FAST))
    .acl(Categories::KEYSPACE)
    .keys(ALL_ASKED)
    .args(&[Arg::key("key", 0).multiple()])
    .history(&[("3.0.3", "Takes several keys.")])
    .tips(ADDED_UP),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut found = 0;
    for key in cx.args.tail(1) {
        found += i64::from(cx.db.inspect(key).is_some());
    }
    cx.reply.integer(found);
    Ok(())
}
