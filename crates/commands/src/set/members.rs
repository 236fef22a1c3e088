//! `SCARD`, `SISMEMBER`, `SMISMEMBER` and `SMEMBERS`: what is in one set.

use collections::set::Set;
use command::{Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};

use super::{ASKED, READ, held, reply_member};
use crate::look_ahead::LookAhead;

/// `SCARD key`.
pub(super) static SCARD: DataCommand = DataCommand::new(
    Spec::new("scard", Group::Set, "1.0.0", 2, "O(1)", "Returns how many members a set has.")
        .flags(Flags::READONLY.union(Flags::FAST))
        .acl(Categories::SET)
        .keys(ASKED)
        .args(&[Arg::key("key", 0)]),
    card,
);

/// `SISMEMBER key member`.
pub(super) static SISMEMBER: DataCommand = DataCommand::new(
    Spec::new(
        "sismember",
        Group::Set,
        "1.0.0",
        3,
        "O(1)",
        "Returns whether a string is a member of a set.",
    )
    .flags(Flags::READONLY.union(Flags::FAST))
    .acl(Categories::SET)
    .keys(ASKED)
    .element(2)
    .args(&[Arg::key("key", 0), Arg::string("member")]),
    is_member,
);

/// `SMISMEMBER key member [member ...]`.
pub(super) static SMISMEMBER: DataCommand = DataCommand::new(
    Spec::new(
        "smismember",
        Group::Set,
        "6.2.0",
        -3,
        "O(N) for N strings.",
        "Returns for each of several strings whether it is a member of a set.",
    )
    .flags(Flags::READONLY.union(Flags::FAST))
    .acl(Categories::SET)
    .keys(READ)
    .element(2)
    .args(&[Arg::key("key", 0), Arg::string("member").multiple()]),
    are_members,
);

/// `SMEMBERS key`.
pub(super) static SMEMBERS: DataCommand = DataCommand::new(
    Spec::new(
        "smembers",
        Group::Set,
        "1.0.0",
        2,
        "O(N) for a set of N members.",
        "Returns all members of a set.",
    )
    .flags(Flags::READONLY)
    .acl(Categories::SET)
    .keys(READ)
    .args(&[Arg::key("key", 0)])
    .tips(&["nondeterministic_output_order"]),
    members,
);

fn card(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    let len = cx.db.get::<Set>(key)?.map_or(0, Set::len);
    cx.reply.integer(len as i64);
    Ok(())
}

fn is_member(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, member) = (cx.arg(1)?, cx.arg(2)?);
    let found = cx.db.get::<Set>(key)?.is_some_and(|set| set.contains(member));
    cx.reply.integer(i64::from(found));
    Ok(())
}

fn are_members(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    let set = cx.db.get::<Set>(key)?;
    let (members, count) = (cx.args.iter().skip(2), cx.args.len() - 2);
    let mut ahead = LookAhead::new(members.clone(), count);
    cx.reply.array(count);
    for member in members {
        let found = set.is_some_and(|set| {
            ahead.step(set);
            set.contains(member)
        });
        cx.reply.integer(i64::from(found));
    }
    Ok(())
}

fn members(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    let set = held(cx, key)?.unwrap_or_default();
    cx.db.release();
    cx.reply.set(set.len());
    set.iter().for_each(|member| reply_member(cx.reply, member));
    Ok(())
}
