//! `HSET`, `HMSET` and `HSETNX`.

use collections::hash::Hash;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change};

use super::{SET, limits};
use crate::look_ahead::LookAhead;

const FIELD_AND_VALUE: &[Arg] = &[Arg::string("field"), Arg::string("value")];

/// `HSET key field value [field value ...]`.
pub(super) static HSET: DataCommand = DataCommand::new(
    Spec::new(
        "hset",
        Group::Hash,
        "2.0.0",
        -4,
        "O(N) for N fields.",
        "Gives fields of a hash their values. Creates what does not exist.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
    .acl(Categories::HASH)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))])
    .element(2)
    .args(&[Arg::key("key", 0), Arg::block("data", FIELD_AND_VALUE).multiple()])
    .history(&[("4.0.0", "Takes several fields.")]),
    |cx| {
        let created = set(cx)?;
        cx.reply.integer(created);
        Ok(())
    },
);

/// `HMSET key field value [field value ...]`.
pub(super) static HMSET: DataCommand = DataCommand::new(
    Spec::new(
        "hmset",
        Group::Hash,
        "2.0.0",
        -4,
        "O(N) for N fields.",
        "Gives fields of a hash their values. `HSET` does the same and says how many are new.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
    .acl(Categories::HASH)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))])
    .element(2)
    .args(&[Arg::key("key", 0), Arg::block("data", FIELD_AND_VALUE).multiple()])
    .deprecated("4.0.0", "`HSET` with multiple field-value pairs"),
    |cx| {
        set(cx)?;
        cx.reply.ok();
        Ok(())
    },
);

/// `HSETNX key field value`.
pub(super) static HSETNX: DataCommand = DataCommand::new(
    Spec::new(
        "hsetnx",
        Group::Hash,
        "2.0.0",
        4,
        "O(1)",
        "Gives a field of a hash a value unless it has one. Creates the key if it does not exist.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
    .acl(Categories::HASH)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::INSERT))])
    .element(2)
    .args(&[Arg::key("key", 0), Arg::string("field"), Arg::string("value")]),
    set_absent,
);

/// Sets all fields; how many of them are new.
fn set(cx: &mut Cx<'_>) -> Result<i64, CommandError> {
    let (key, args) = (cx.arg(1)?, cx.args);
    if args.len() % 2 != 0 {
        return Err(CommandError::arity(cx.name));
    }
    let (limits, count) = (limits(cx), args.len() / 2 - 1);
    let created = cx.db.edit(key).update_elements(Absent::Create, |hash: &mut Hash, about| {
        hash.expect(&limits, count);
        let mut created = 0;
        let mut words = args.iter().skip(2);
        let mut ahead = LookAhead::new(words.clone().step_by(2), count);
        while let (Some(field), Some(value)) = (words.next(), words.next()) {
            ahead.step(hash);
            created += i64::from(hash.set(&limits, field, value));
            about.note(field);
        }
        Change::made(count as u64, SET, created)
    })?;
    Ok(created.unwrap_or(0))
}

fn set_absent(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, field, value) = (cx.arg(1)?, cx.arg(2)?, cx.arg(3)?);
    let limits = limits(cx);
    let mut edit = cx.db.edit(key);
    edit.expire_fields([field]);
    let created = edit.update_elements(Absent::Create, |hash: &mut Hash, about| {
        if hash.find(field).is_some() {
            return Change::none(0);
        }
        hash.set(&limits, field, value);
        about.note(field);
        Change::made(1, SET, 1)
    })?;
    cx.reply.integer(created.unwrap_or(0));
    Ok(())
}
