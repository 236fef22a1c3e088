//! `SADD` and `SREM`.

use collections::set::Set;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change};

use super::{ADDED, REMOVED, limits};
use crate::look_ahead::LookAhead;

/// `SADD key member [member ...]`.
pub(super) static SADD: DataCommand = DataCommand::new(
    Spec::new(
        "sadd",
        Group::Set,
        "1.0.0",
        -3,
        "O(N) for N members.",
        "Adds members to a set. Creates the key if it does not exist.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
    .acl(Categories::SET)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::INSERT))])
    .element(2)
    .args(&[Arg::key("key", 0), Arg::string("member").multiple()])
    .history(&[("2.4.0", "Takes several members.")]),
    add,
);

/// `SREM key member [member ...]`.
pub(super) static SREM: DataCommand = DataCommand::new(
    Spec::new(
        "srem",
        Group::Set,
        "1.0.0",
        -3,
        "O(N) for N members.",
        "Removes members from a set. Removes the key with its last member.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::SET)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::DELETE))])
    .element(2)
    .args(&[Arg::key("key", 0), Arg::string("member").multiple()])
    .history(&[("2.4.0", "Takes several members.")]),
    remove,
);

fn add(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, first) = (cx.arg(1)?, cx.arg(2)?);
    let limits = limits(cx);
    let members = cx.args.iter().skip(2);
    let count = cx.args.len() - 2;
    let mut ahead = LookAhead::new(members.clone(), count);
    let added = cx.db.edit(key).update(Absent::Create, |set: &mut Set| {
        if count > 1 {
            set.expect(&limits, first, count);
        }
        let is_new = |member: &&[u8]| {
            ahead.step(set);
            set.add(&limits, member)
        };
        changed(members.filter(is_new).count(), ADDED)
    })?;
    cx.reply.integer(added.unwrap_or(0));
    Ok(())
}

fn remove(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    let members = cx.args.iter().skip(2);
    let mut ahead = LookAhead::new(members.clone(), cx.args.len() - 2);
    let removed = cx.db.edit(key).update(Absent::Ignore, |set: &mut Set| {
        let was_there = |member: &&[u8]| {
            ahead.step(set);
            set.remove(member)
        };
        changed(members.filter(was_there).count(), REMOVED)
    })?;
    cx.reply.integer(removed.unwrap_or(0));
    Ok(())
}

/// `count` members that came or went.
fn changed(count: usize, event: store::Event) -> Change<i64> {
    match count {
        0 => Change::none(0),
        count => Change::made(count as u64, event, count as i64),
    }
}
