//! `ARSET` and `ARMSET`.

use collections::array::{Array, INDEX_MAX};
use command::{Arg, CommandError, Cx, DataCommand, Flags};
use store::{Absent, Change, Event};

use super::{UPDATE, event, limits, parse_index, spec};

const FLAGS: Flags = Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST);

/// `ARSET key index value [value ...]`.
pub(super) static ARSET: DataCommand = DataCommand::new(
    spec(
        "arset",
        -4,
        "O(N) for N values.",
        "Sets elements of an array from an index on. Creates the key if it does not exist.",
        FLAGS,
    )
    .keys(UPDATE)
    .args(&[Arg::key("key", 0), Arg::integer("index"), Arg::string("value").multiple()]),
    |cx| {
        let start = parse_index(cx.arg(2)?)?;
        let more = cx.args.len() as u64 - 4;
        let end = start.checked_add(more).filter(|&end| end <= INDEX_MAX);
        let end = end.ok_or_else(|| CommandError::request("ERR array index overflow"))?;
        let values = cx.args.iter().skip(3);
        set(cx, event("arset"), &mut (start..=end).zip(values))
    },
);

/// `ARMSET key index value [index value ...]`.
pub(super) static ARMSET: DataCommand = DataCommand::new(
    spec(
        "armset",
        -4,
        "O(N) for N pairs.",
        "Sets elements of an array at any indices. Creates the key if it does not exist.",
        FLAGS,
    )
    .keys(UPDATE)
    .args(&[
        Arg::key("key", 0),
        Arg::block("data", &[Arg::integer("index"), Arg::string("value")]).multiple(),
    ]),
    |cx| {
        if cx.args.len() % 2 == 1 {
            return Err(CommandError::arity(cx.name));
        }
        let pairs = cx.args.tail(2).pairs();
        let elements = pairs.map(|(index, value)| Ok((parse_index(index)?, value)));
        let elements = elements.collect::<Result<Vec<_>, CommandError>>()?;
        set(cx, event("armset"), &mut elements.into_iter())
    },
);

fn set(
    cx: &mut Cx<'_>,
    event: Event,
    elements: &mut dyn Iterator<Item = (u64, &[u8])>,
) -> Result<(), CommandError> {
    let (key, limits) = (cx.arg(1)?, limits(cx.config));
    let mut edit = cx.db.edit(key);
    let added = edit.update(Absent::Create, |array: &mut Array| {
        let (mut count, mut added) = (0, 0);
        for (index, text) in elements {
            added += i64::from(array.set(index, text, &limits));
            count += 1;
        }
        Change::made(count, event, added)
    })?;
    cx.reply.integer(added.unwrap_or_default());
    Ok(())
}
