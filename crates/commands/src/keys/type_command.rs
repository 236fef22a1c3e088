//! `TYPE`: the name of the type of a key's value, `none` without a key.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::ValueType;

pub(super) static TYPE: DataCommand = DataCommand::new(
    Spec::new("type", Group::Generic, "1.0.0", 2, "O(1)", "Names the type of a key's value.")
        .flags(Flags::READONLY.union(Flags::FAST))
        .acl(Categories::KEYSPACE)
        .keys(&[KeySpec::first(KeyFlags::RO)])
        .args(&[Arg::key("key", 0)]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    let entry = cx.db.inspect(key);
    cx.reply.simple(entry.map_or("none", |entry| ValueType::of(entry.value()).name()));
    Ok(())
}
