//! `RANDOMKEY`: some key of the selected database.

use command::{Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};

pub(super) static RANDOMKEY: DataCommand = DataCommand::new(
    Spec::new(
        "randomkey",
        Group::Generic,
        "1.0.0",
        1,
        "O(1)",
        "Picks the name of a random key of the selected database.",
    )
    .flags(Flags::READONLY.union(Flags::KEYSPACE_WALK))
    .acl(Categories::KEYSPACE)
    .tips(&["request_policy:all_shards", "response_policy:special", "nondeterministic_output"]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    match cx.db.random_key() {
        Some(key) => cx.reply.bulk(&key),
        None => cx.reply.null(),
    }
    Ok(())
}
