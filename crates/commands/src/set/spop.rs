//! `SPOP`.

use collections::set::{Limits, Set};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use config::rows::LAZYFREE_LAZY_SERVER_DEL;
use stdx::rng::Rng;
use store::{Absent, Change, Event};

use super::{event, held, limits, reply_member};

/// `SPOP key [count]`.
pub(super) static SPOP: DataCommand = DataCommand::new(
    Spec::new(
        "spop",
        Group::Set,
        "1.0.0",
        -2,
        "O(N) for N members.",
        "Removes random members from a set and returns them. Removes the key with its last member.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::SET)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE))])
    .args(&[Arg::key("key", 0), Arg::integer("count").optional().since("3.2.0")])
    .history(&[("3.2.0", "Takes a count.")])
    .tips(&["nondeterministic_output"]),
    run,
);

const POPPED: Event = event("spop");
/// Where this many times as many members go as stay, those that stay are moved to a set of their
/// own, and the old one is freed in the background. The new one has the encoding of its size.
const POPPED_PER_KEPT: usize = 5;
/// How many members one logged `SREM` names.
const LOGGED_AT_ONCE: usize = 1024;

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    match cx.args.len() {
        2 => pop_one(cx, key),
        3 => pop_many(cx, key),
        _ => Err(CommandError::SYNTAX),
    }
}

/// Takes random members out, each equally likely, and appends them to `popped`; there is no set to
/// be freed.
fn pop(
    set: &mut Set,
    rng: &mut Rng,
    count: usize,
    popped: &mut Vec<Vec<u8>>,
) -> Change<Option<Set>> {
    for _ in 0..count {
        let Some(place) = set.sample(rng) else { break };
        let mut text = Vec::new();
        set.get(place).write_text(&mut text);
        set.remove(&text);
        popped.push(text);
    }
    Change::made(popped.len() as u64, POPPED, None)
}

/// Leaves random members, each choice equally likely, and appends all others to `popped`; the
/// result is the set as it was, to be freed.
fn keep(
    set: &mut Set,
    rng: &mut Rng,
    limits: &Limits,
    count: usize,
    popped: &mut Vec<Vec<u8>>,
) -> Change<Option<Set>> {
    let (mut kept, mut text) = (Set::default(), Vec::new());
    for place in set.sample_distinct(rng, count) {
        text.clear();
        set.get(place).write_text(&mut text);
        kept.add(limits, &text);
    }
    for member in set.iter().filter(|member| !kept.contains_item(*member)) {
        let mut text = Vec::new();
        member.write_text(&mut text);
        popped.push(text);
    }
    Change::made(popped.len() as u64, POPPED, Some(std::mem::replace(set, kept)))
}

fn pop_one(cx: &mut Cx<'_>, key: &[u8]) -> Result<(), CommandError> {
    let mut popped = Vec::with_capacity(1);
    // The edit borrows the keys, and with them the thread's generator: one made from it serves.
    let mut rng = Rng::seed(cx.db.rng().next_u64());
    let change = |set: &mut Set| pop(set, &mut rng, 1, &mut popped);
    cx.db.edit(key).update(Absent::Ignore, change)?;
    match popped.first() {
        None => cx.reply.null(),
        Some(member) => {
            cx.log(&[b"SREM", key, member]);
            cx.reply.bulk(member);
        }
    }
    Ok(())
}

fn pop_many(cx: &mut Cx<'_>, key: &[u8]) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    reader.bytes();
    let count = reader.integer_in(0..=i64::MAX, CommandError::NOT_POSITIVE);
    reader.finish()?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let len = cx.db.edit(key).get::<Set>()?.map_or(0, Set::len);
    if count == 0 || len == 0 {
        cx.reply.set(0);
    } else if count >= len {
        pop_all(cx, key)?;
    } else {
        let mut popped = Vec::with_capacity(count);
        let mut rng = Rng::seed(cx.db.rng().next_u64());
        let limits = limits(cx);
        let kept = len - count;
        let change = |set: &mut Set| match kept.checked_mul(POPPED_PER_KEPT) {
            Some(least) if least <= count => keep(set, &mut rng, &limits, kept, &mut popped),
            _ => pop(set, &mut rng, count, &mut popped),
        };
        let emptied = cx.db.edit(key).update(Absent::Ignore, change)?.flatten();
        cx.db.effects.discard_part(emptied);
        for members in popped.chunks(LOGGED_AT_ONCE) {
            let head = [&b"SREM"[..], key];
            let line: Vec<&[u8]> =
                head.into_iter().chain(members.iter().map(Vec::as_slice)).collect();
            cx.log(&line);
        }
        cx.reply.set(popped.len());
        popped.iter().for_each(|member| cx.reply.bulk(member));
    }
    Ok(())
}

/// Removes the key, and replies with what it held.
fn pop_all(cx: &mut Cx<'_>, key: &[u8]) -> Result<(), CommandError> {
    let set = held(cx, key)?.unwrap_or_default();
    cx.db.edit(key).update(Absent::Ignore, |emptied: &mut Set| {
        *emptied = Set::default();
        Change::made(set.len() as u64, POPPED, ())
    })?;
    let lazy = cx.config.get(LAZYFREE_LAZY_SERVER_DEL);
    cx.log(&[if lazy { b"UNLINK" } else { b"DEL" }, key]);
    cx.reply.set(set.len());
    set.iter().for_each(|member| reply_member(cx.reply, member));
    cx.db.effects.discard_part(set);
    Ok(())
}
