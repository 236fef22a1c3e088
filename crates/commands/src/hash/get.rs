//! `HGET`, `HMGET`, `HEXISTS`, `HSTRLEN` and `HLEN`.

use std::ops::Range;

use collections::hash::Hash;
use collections::listpack::Item;
use command::{Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};
use resp::Reply;
use store::UnixMs;

use super::{ASKED, READ, reply_item};
use crate::look_ahead::LookAhead;
use crate::string::value::{SHARED_REPLY_MIN, reply_part};

/// `HGET key field`.
pub(super) static HGET: DataCommand = DataCommand::new(
    Spec::new("hget", Group::Hash, "2.0.0", 3, "O(1)", "Returns the value of a field of a hash.")
        .flags(Flags::READONLY.union(Flags::FAST))
        .acl(Categories::HASH)
        .keys(READ)
        .element(2)
        .args(&[Arg::key("key", 0), Arg::string("field")]),
    |cx| {
        let (key, field) = (cx.arg(1)?, cx.arg(2)?);
        let (now, hash) = (cx.db.now(), cx.db.get::<Hash>(key)?);
        reply_value(cx.reply, hash, field, now);
        let may_be_due = hash.is_some_and(|hash| hash.may_be_due(now));
        drop_due(cx, may_be_due, 2..3);
        Ok(())
    },
);

/// `HMGET key field [field ...]`.
pub(super) static HMGET: DataCommand = DataCommand::new(
    Spec::new(
        "hmget",
        Group::Hash,
        "2.0.0",
        -3,
        "O(N) for N fields.",
        "Returns the values of several fields of a hash.",
    )
    .flags(Flags::READONLY.union(Flags::FAST))
    .acl(Categories::HASH)
    .keys(READ)
    .element(2)
    .args(&[Arg::key("key", 0), Arg::string("field").multiple()]),
    |cx| {
        let key = cx.arg(1)?;
        let (now, hash) = (cx.db.now(), cx.db.get::<Hash>(key)?);
        let (fields, count) = (cx.args.iter().skip(2), cx.args.len() - 2);
        let mut ahead = LookAhead::new(fields.clone(), count);
        cx.reply.array(count);
        fields.for_each(|field| {
            hash.into_iter().for_each(|hash| ahead.step(hash));
            reply_value(cx.reply, hash, field, now);
        });
        let may_be_due = hash.is_some_and(|hash| hash.may_be_due(now));
        drop_due(cx, may_be_due, 2..cx.args.len());
        Ok(())
    },
);

/// `HEXISTS key field`.
pub(super) static HEXISTS: DataCommand = DataCommand::new(
    Spec::new("hexists", Group::Hash, "2.0.0", 3, "O(1)", "Returns whether a hash has a field.")
        .flags(Flags::READONLY.union(Flags::FAST))
        .acl(Categories::HASH)
        .keys(ASKED)
        .element(2)
        .args(&[Arg::key("key", 0), Arg::string("field")]),
    |cx| {
        let value = value_number(cx, |value| i64::from(value.is_some()))?;
        cx.reply.integer(value);
        Ok(())
    },
);

/// `HSTRLEN key field`.
pub(super) static HSTRLEN: DataCommand = DataCommand::new(
    Spec::new(
        "hstrlen",
        Group::Hash,
        "3.2.0",
        3,
        "O(1)",
        "Returns the length of the value of a field of a hash, in bytes.",
    )
    .flags(Flags::READONLY.union(Flags::FAST))
    .acl(Categories::HASH)
    .keys(ASKED)
    .element(2)
    .args(&[Arg::key("key", 0), Arg::string("field")]),
    |cx| {
        let len = value_number(cx, |value| value.map_or(0, |value| value.text_len() as i64))?;
        cx.reply.integer(len);
        Ok(())
    },
);

/// `HLEN key`.
pub(super) static HLEN: DataCommand = DataCommand::new(
    Spec::new("hlen", Group::Hash, "2.0.0", 2, "O(1)", "Returns how many fields a hash has.")
        .flags(Flags::READONLY.union(Flags::FAST))
        .acl(Categories::HASH)
        .keys(ASKED)
        .args(&[Arg::key("key", 0)]),
    |cx| {
        let key = cx.arg(1)?;
        let len = cx.db.get::<Hash>(key)?.map_or(0, Hash::len);
        cx.reply.integer(len as i64);
        Ok(())
    },
);

/// Replies with the value of a field that is not due at `now`, or null; a long one is shared, not
/// copied.
pub(crate) fn reply_value(reply: &mut Reply, hash: Option<&Hash>, field: &[u8], now: UnixMs) {
    match hash.and_then(|hash| hash.get(field, now)) {
        None => reply.null(),
        Some(Item::Bytes(text)) if text.len() >= SHARED_REPLY_MIN => {
            match hash.and_then(|hash| hash.get_shared(field)) {
                Some(shared) => reply_part(reply, &shared, 0, shared.len()),
                None => reply.bulk(text),
            }
        }
        Some(value) => reply_item(reply, value),
    }
}

/// What `number` makes of the value of the field that the arguments name.
fn value_number(
    cx: &mut Cx<'_>,
    number: impl Fn(Option<Item<'_>>) -> i64,
) -> Result<i64, CommandError> {
    let (key, field) = (cx.arg(1)?, cx.arg(2)?);
    let (now, hash) = (cx.db.now(), cx.db.get::<Hash>(key)?);
    let number = number(hash.and_then(|hash| hash.get(field, now)));
    let may_be_due = hash.is_some_and(|hash| hash.may_be_due(now));
    drop_due(cx, may_be_due, 2..3);
    Ok(number)
}

/// After a read: removes those of the fields read that are due, if some in the hash may be.
#[inline]
fn drop_due(cx: &mut Cx<'_>, may_be_due: bool, fields: Range<usize>) {
    if may_be_due {
        let (key, args) = (cx.args.get(1).unwrap_or_default(), cx.args);
        if let Some(mut edit) = cx.db.expiring(key) {
            edit.expire_fields(fields.filter_map(|at| args.get(at)));
        }
    }
}
