//! `HDEL`.

use collections::hash::Hash;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change};

use super::REMOVED;
use crate::look_ahead::LookAhead;

/// `HDEL key field [field ...]`.
pub(super) static HDEL: DataCommand = DataCommand::new(
    Spec::new(
        "hdel",
        Group::Hash,
        "2.0.0",
        -3,
        "O(N) for N fields.",
        "Removes fields from a hash. Removes the key with its last field.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::HASH)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::DELETE))])
    .element(2)
    .args(&[Arg::key("key", 0), Arg::string("field").multiple()])
    .history(&[("2.4.0", "Takes several fields.")]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    let fields = cx.args.iter().skip(2);
    let mut ahead = LookAhead::new(fields.clone(), cx.args.len() - 2);
    let removed = cx.db.edit(key).update_elements(Absent::Ignore, |hash: &mut Hash, about| {
        let was_there = |field: &&[u8]| {
            ahead.step(hash);
            hash.remove(field)
        };
        let removed = fields.filter(was_there).inspect(|field| about.note(field));
        match removed.count() {
            0 => Change::none(0),
            removed => Change::made(removed as u64, REMOVED, removed as i64),
        }
    })?;
    cx.reply.integer(removed.unwrap_or(0));
    Ok(())
}
