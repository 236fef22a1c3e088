//! `SMOVE`.

use collections::set::Set;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change};

use super::{ADDED, REMOVED, limits};

/// `SMOVE source destination member`.
pub(super) static SMOVE: DataCommand = DataCommand::new(
    Spec::new(
        "smove",
        Group::Set,
        "1.0.0",
        4,
        "O(1)",
        "Moves a member from one set to another. Creates the destination if it does not exist.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::SET)
    .keys(&[
        KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE)),
        KeySpec::range(KeyFlags::RW.union(KeyFlags::INSERT), 2, 0, 1),
    ])
    .args(&[Arg::key("source", 0), Arg::key("destination", 1), Arg::string("member")]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (source, destination, member) = (cx.arg(1)?, cx.arg(2)?, cx.arg(3)?);
    let limits = limits(cx);
    let moved = match cx.db.edit(source).get::<Set>()?.map(|set| set.contains(member)) {
        None => false,
        Some(found) => {
            // The types of both are looked at before anything is decided.
            cx.db.edit(destination).get::<Set>()?;
            found
        }
    };
    if moved && source != destination {
        cx.db.edit(source).update(Absent::Ignore, |set: &mut Set| {
            set.remove(member);
            Change::made(1, REMOVED, ())
        })?;
        cx.db.edit(destination).update(Absent::Create, |set: &mut Set| {
            if set.add(&limits, member) { Change::made(1, ADDED, ()) } else { Change::none(()) }
        })?;
    }
    cx.reply.integer(i64::from(moved));
    Ok(())
}
