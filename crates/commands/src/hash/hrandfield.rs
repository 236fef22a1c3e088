//! `HRANDFIELD`.

use collections::hash::{Field, Hash};
use command::{Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};
use resp::Version;

use super::{READ, reply_item};

/// `HRANDFIELD key [count [WITHVALUES]]`.
pub(super) static HRANDFIELD: DataCommand = DataCommand::new(
    Spec::new(
        "hrandfield",
        Group::Hash,
        "6.2.0",
        -2,
        "O(N) for N fields.",
        "Returns random fields of a hash.",
    )
    .flags(Flags::READONLY)
    .acl(Categories::HASH)
    .keys(READ)
    .args(&[Arg::key("key", 0), Arg::block("options", OPTIONS).optional()])
    .tips(&["nondeterministic_output"]),
    run,
);

const OPTIONS: &[Arg] = &[Arg::integer("count"), Arg::word("withvalues", "WITHVALUES").optional()];

/// So many fields are looked at for what is due before the choice; the rest is passed over.
const EXPIRE_MAX: usize = 1024;

/// How many fields, and whether with their values; none without a count.
fn parse(cx: &Cx<'_>) -> Result<Option<(i64, bool)>, CommandError> {
    let mut reader = cx.reader();
    reader.bytes();
    if !reader.more() {
        return Ok(None);
    }
    let count = crate::random::count(reader.bytes(), i64::MAX)?;
    let with_values = reader.token("WITHVALUES");
    reader.finish()?;
    // Each field is two elements of the reply.
    if with_values && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(CommandError::OUT_OF_RANGE);
    }
    Ok(Some((count, with_values)))
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let request = parse(cx)?;
    let (key, now) = (cx.arg(1)?, cx.db.now());
    let may_be_due = cx.db.get::<Hash>(key)?.is_some_and(|hash| hash.may_be_due(now));
    if may_be_due && let Some(mut edit) = cx.db.expiring(key) {
        edit.expire_some_fields(EXPIRE_MAX);
    }
    let hash = cx.db.peek(key).and_then(|entry| entry.object::<Hash>()).cloned();
    let hash = hash.unwrap_or_default();
    cx.db.release();
    let Some((count, with_values)) = request else {
        match hash.sample(cx.db.rng(), now) {
            Some(place) => reply_item(cx.reply, hash.at(place).name),
            None => cx.reply.null(),
        }
        return Ok(());
    };
    let many = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let there = hash.count(now);
    if count < 0 && there > 0 {
        begin(cx, many, with_values);
        crate::random::repeat(cx, many, |cx| {
            let place = hash.sample(cx.db.rng(), now).expect("the hash has fields");
            reply_field(cx, hash.at(place), with_values);
        });
    } else if many >= there {
        begin(cx, there, with_values);
        hash.iter(now).for_each(|field| reply_field(cx, field, with_values));
    } else {
        let places = hash.sample_distinct(cx.db.rng(), many, now);
        begin(cx, places.len(), with_values);
        places.into_iter().for_each(|place| reply_field(cx, hash.at(place), with_values));
    }
    Ok(())
}

/// Begins a reply of `count` fields. With values RESP3 has pairs, RESP2 one flat array.
fn begin(cx: &mut Cx<'_>, count: usize, with_values: bool) {
    let is_flat = with_values && cx.reply.version() == Version::Resp2;
    cx.reply.array(if is_flat { count * 2 } else { count });
}

fn reply_field(cx: &mut Cx<'_>, field: Field<'_>, with_values: bool) {
    if with_values && cx.reply.version() == Version::Resp3 {
        cx.reply.array(2);
    }
    reply_item(cx.reply, field.name);
    if with_values {
        reply_item(cx.reply, field.value);
    }
}
