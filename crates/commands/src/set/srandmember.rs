//! `SRANDMEMBER`.

use collections::set::Set;
use command::{Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};

use super::{READ, held, reply_member};

/// `SRANDMEMBER key [count]`.
pub(super) static SRANDMEMBER: DataCommand = DataCommand::new(
    Spec::new(
        "srandmember",
        Group::Set,
        "1.0.0",
        -2,
        "O(N) for N members.",
        "Returns random members of a set.",
    )
    .flags(Flags::READONLY)
    .acl(Categories::SET)
    .keys(READ)
    .args(&[Arg::key("key", 0), Arg::integer("count").optional().since("2.6.0")])
    .history(&[("2.6.0", "Takes a count.")])
    .tips(&["nondeterministic_output"]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    let count = match cx.args.len() {
        2 => None,
        3 => Some(crate::random::count(cx.arg(2)?, i64::MAX)?),
        _ => return Err(CommandError::SYNTAX),
    };
    let set = held(cx, key)?;
    let Some(count) = count else {
        let set = set.unwrap_or_default();
        match set.sample(cx.db.rng()) {
            Some(place) => reply_member(cx.reply, set.get(place)),
            None => cx.reply.null(),
        }
        return Ok(());
    };
    cx.db.release();
    let set = set.unwrap_or_default();
    let many = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count < 0 && !set.is_empty() {
        repeated(cx, &set, many);
    } else {
        distinct(cx, &set, many);
    }
    Ok(())
}

/// `count` members, the same one perhaps more than once.
fn repeated(cx: &mut Cx<'_>, set: &Set, count: usize) {
    cx.reply.array(count);
    crate::random::repeat(cx, count, |cx| {
        let place = set.sample(cx.db.rng()).expect("the set has members");
        reply_member(cx.reply, set.get(place));
    });
}

/// `count` different members, or all if there are not so many.
fn distinct(cx: &mut Cx<'_>, set: &Set, count: usize) {
    if count >= set.len() {
        cx.reply.array(set.len());
        return set.iter().for_each(|member| reply_member(cx.reply, member));
    }
    let places = set.sample_distinct(cx.db.rng(), count);
    cx.reply.array(places.len());
    places.into_iter().for_each(|place| reply_member(cx.reply, set.get(place)));
}
