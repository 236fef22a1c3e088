//! `SINTER`, `SUNION` and `SDIFF`: what several sets make together.

use collections::set::Set;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use resp::Length;

use super::algebra::{self, Go, Operation};
use super::{held, reply_member};

const KEYS: &[KeySpec] = &[KeySpec::range(KeyFlags::RO.union(KeyFlags::ACCESS), 1, -1, 1)];
const ARGS: &[Arg] = &[Arg::key("key", 0).multiple()];

const fn spec(name: &'static str, complexity: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Set, "1.0.0", -2, complexity, summary)
        .flags(Flags::READONLY)
        .acl(Categories::SET)
        .keys(KEYS)
        .args(ARGS)
        .tips(&["nondeterministic_output_order"])
}

/// `SINTER key [key ...]`.
pub(super) static SINTER: DataCommand = DataCommand::new(
    spec(
        "sinter",
        "O(N*M) at worst, with N members in the smallest of M sets.",
        "Returns the members that all of several sets have.",
    ),
    |cx| run(cx, Operation::Intersection),
);

/// `SUNION key [key ...]`.
pub(super) static SUNION: DataCommand = DataCommand::new(
    spec(
        "sunion",
        "O(N) for N members in all sets.",
        "Returns the members that any of several sets has.",
    ),
    |cx| run(cx, Operation::Union),
);

/// `SDIFF key [key ...]`.
pub(super) static SDIFF: DataCommand = DataCommand::new(
    spec(
        "sdiff",
        "O(N) for N members in all sets.",
        "Returns the members of the first set that none of the others has.",
    ),
    |cx| run(cx, Operation::Difference),
);

fn run(cx: &mut Cx<'_>, operation: Operation) -> Result<(), CommandError> {
    let sets = all_held(cx, 1, cx.args.len() - 1)?;
    cx.db.release();
    let seed = cx.db.rng().next_u64();
    let mark = cx.reply.begin_deferred();
    let mut count = 0;
    algebra::combine(operation, &sets, seed, &mut |member| {
        reply_member(cx.reply, member);
        count += 1;
        Go::Continue(())
    });
    cx.reply.end_deferred(mark, Length::Set, count);
    Ok(())
}

/// The sets of the `count` keys from argument `first` on, all of whose types are looked at.
///
/// # Errors
/// If one of them holds another type.
pub(super) fn all_held(
    cx: &mut Cx<'_>,
    first: usize,
    count: usize,
) -> Result<Vec<Option<Set>>, CommandError> {
    let keys = cx.args.iter().skip(first).take(count);
    keys.map(|key| held(cx, key)).collect()
}
