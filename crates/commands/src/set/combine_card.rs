//! `SINTERCARD`, `SUNIONCARD` and `SDIFFCARD`: how many members the result has, without it.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};

use super::algebra::{self, Go, Operation};
use super::combine::all_held;

const KEYS: &[KeySpec] = &[KeySpec::counted(KeyFlags::RO.union(KeyFlags::ACCESS), 1)];
const ARGS: &[Arg] = &[
    Arg::integer("numkeys"),
    Arg::key("key", 0).multiple(),
    Arg::integer("limit").token("LIMIT").optional(),
];

const fn spec(
    name: &'static str,
    since: &'static str,
    complexity: &'static str,
    summary: &'static str,
) -> Spec {
    Spec::new(name, Group::Set, since, -3, complexity, summary)
        .flags(Flags::READONLY.union(Flags::MOVABLE_KEYS))
        .acl(Categories::SET)
        .keys(KEYS)
        .args(ARGS)
}

/// `SINTERCARD numkeys key [key ...] [LIMIT limit]`.
pub(super) static SINTERCARD: DataCommand = DataCommand::new(
    spec(
        "sintercard",
        "7.0.0",
        "O(N*M) at worst, with N members in the smallest of M sets.",
        "Returns how many members all of several sets have.",
    ),
    |cx| run(cx, Operation::Intersection),
);

/// `SUNIONCARD numkeys key [key ...] [LIMIT limit]`.
pub(super) static SUNIONCARD: DataCommand = DataCommand::new(
    spec(
        "sunioncard",
        "8.8.0",
        "O(N) for N members in all sets.",
        "Returns how many members any of several sets has.",
    ),
    |cx| run(cx, Operation::Union),
);

/// `SDIFFCARD numkeys key [key ...] [LIMIT limit]`.
pub(super) static SDIFFCARD: DataCommand = DataCommand::new(
    spec(
        "sdiffcard",
        "8.8.0",
        "O(N) for N members in all sets.",
        "Returns how many members of the first set none of the others has.",
    ),
    |cx| run(cx, Operation::Difference),
);

/// Number of keys, and the count at which to stop.
fn parse(cx: &Cx<'_>) -> Result<(usize, usize), CommandError> {
    let mut reader = cx.reader();
    let error = CommandError::request("ERR numkeys should be greater than 0");
    let keys = reader.integer_in(1..=i64::MAX, error);
    reader.check()?;
    let keys = usize::try_from(keys).unwrap_or(usize::MAX);
    if keys > reader.remaining() {
        let text = "ERR Number of keys can't be greater than number of args";
        return Err(CommandError::request(text));
    }
    (0..keys).for_each(|_| {
        reader.bytes();
    });
    let mut limit = 0;
    while reader.more() {
        if reader.option("LIMIT") {
            let error = CommandError::request("ERR LIMIT can't be negative");
            limit = reader.integer_in(0..=i64::MAX, error);
        } else {
            reader.unknown();
        }
    }
    reader.finish()?;
    Ok((keys, usize::try_from(limit).unwrap_or(usize::MAX)))
}

fn run(cx: &mut Cx<'_>, operation: Operation) -> Result<(), CommandError> {
    let (keys, limit) = parse(cx)?;
    let sets = all_held(cx, 2, keys)?;
    cx.db.release();
    let seed = cx.db.rng().next_u64();
    let mut count = 0_usize;
    algebra::combine(operation, &sets, seed, &mut |_| {
        count += 1;
        if count == limit { Go::Break(()) } else { Go::Continue(()) }
    });
    cx.reply.integer(count as i64);
    Ok(())
}
