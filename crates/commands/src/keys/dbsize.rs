//! `DBSIZE`: how many keys the selected database has.
//!
//! Each shard is counted at its own moment; within a transaction all are locked and the sum is
//! exact. Keys whose time has come but which nobody has reclaimed yet are counted, as in Redis.

use command::{Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};

pub(super) static DBSIZE: DataCommand = DataCommand::new(
    Spec::new(
        "dbsize",
        Group::Server,
        "1.0.0",
        1,
        "O(1)",
        "Counts the keys of the selected database.",
    )
    .flags(Flags::READONLY.union(Flags::FAST).union(Flags::KEYSPACE_WALK))
    .acl(Categories::KEYSPACE)
    .tips(&["request_policy:all_shards", "response_policy:agg_sum"]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let keys = cx.db.len();
    cx.reply.integer(keys as i64);
    Ok(())
}
