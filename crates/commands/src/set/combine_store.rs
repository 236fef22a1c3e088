//! `SINTERSTORE`, `SUNIONSTORE` and `SDIFFSTORE`: the result becomes the value of a key.

use collections::set::Set;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Deadline, Event, NewValue};

use super::algebra::{self, Go, Operation};
use super::combine::all_held;
use super::{event, limits};

const KEYS: &[KeySpec] = &[
    KeySpec::first(KeyFlags::OW.union(KeyFlags::UPDATE)),
    KeySpec::range(KeyFlags::RO.union(KeyFlags::ACCESS), 2, -1, 1),
];
const ARGS: &[Arg] = &[Arg::key("destination", 0), Arg::key("key", 1).multiple()];

const fn spec(name: &'static str, complexity: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Set, "1.0.0", -3, complexity, summary)
        .flags(Flags::WRITE.union(Flags::DENYOOM))
        .acl(Categories::SET)
        .keys(KEYS)
        .args(ARGS)
}

/// `SINTERSTORE destination key [key ...]`.
pub(super) static SINTERSTORE: DataCommand = DataCommand::new(
    spec(
        "sinterstore",
        "O(N*M) at worst, with N members in the smallest of M sets.",
        "Stores the members that all of several sets have in a key.",
    ),
    |cx| run(cx, Operation::Intersection, event("sinterstore")),
);

/// `SUNIONSTORE destination key [key ...]`.
pub(super) static SUNIONSTORE: DataCommand = DataCommand::new(
    spec(
        "sunionstore",
        "O(N) for N members in all sets.",
        "Stores the members that any of several sets has in a key.",
    ),
    |cx| run(cx, Operation::Union, event("sunionstore")),
);

/// `SDIFFSTORE destination key [key ...]`.
pub(super) static SDIFFSTORE: DataCommand = DataCommand::new(
    spec(
        "sdiffstore",
        "O(N) for N members in all sets.",
        "Stores the members of the first set that none of the others has in a key.",
    ),
    |cx| run(cx, Operation::Difference, event("sdiffstore")),
);

/// How many members the result has at least.
fn at_least(operation: Operation, sets: &[Option<Set>]) -> usize {
    match operation {
        Operation::Union => sets.iter().flatten().map(Set::len).max().unwrap_or(0),
        Operation::Intersection | Operation::Difference => 0,
    }
}

fn run(cx: &mut Cx<'_>, operation: Operation, event: Event) -> Result<(), CommandError> {
    let destination = cx.arg(1)?;
    let sets = all_held(cx, 2, cx.args.len() - 2)?;
    let limits = limits(cx);
    let mut result = Set::with_room(&limits, at_least(operation, &sets));
    let mut digits = itoa::Buffer::new();
    algebra::combine(operation, &sets, limits.seed, &mut |member| {
        result.add(&limits, member.text(&mut digits));
        Go::Continue(())
    });
    // The destination may be one of the sources: what is not shared any more is freed with it.
    drop(sets);
    let len = result.len();
    let mut edit = cx.db.edit(destination);
    if result.is_empty() {
        edit.remove(Event::generic("del"));
    } else {
        edit.set(NewValue::Object(result.into()), Deadline::Clear, event);
    }
    cx.reply.integer(len as i64);
    Ok(())
}
