//! `ARDEL` and `ARDELRANGE`.

use collections::array::{Array, Removed};
use command::{Arg, CommandError, Cx, DataCommand, Flags};
use store::{Absent, Change, Event};

use super::{DELETE, Span, event, limits, parse_index, spec};

/// `ARDEL key index [index ...]`.
pub(super) static ARDEL: DataCommand = DataCommand::new(
    spec(
        "ardel",
        -3,
        "O(N) for N indices.",
        "Removes elements of an array at indices. Removes the key with its last element.",
        Flags::WRITE.union(Flags::FAST),
    )
    .keys(DELETE)
    .args(&[Arg::key("key", 0), Arg::integer("index").multiple()]),
    |cx| {
        let indices = cx.args.iter().skip(2).map(parse_index);
        let indices = indices.collect::<Result<Vec<_>, _>>()?;
        let limits = limits(cx.config);
        remove(cx, event("ardel"), |array| {
            indices.into_iter().filter(|&index| array.remove(index, &limits)).count() as u64
        })
    },
);

/// `ARDELRANGE key start end [start end ...]`.
pub(super) static ARDELRANGE: DataCommand = DataCommand::new(
    spec(
        "ardelrange",
        -4,
        "O(N) for N elements and slices in the ranges, however far apart their ends are.",
        "Removes the elements of ranges of an array. Removes the key with its last element.",
        Flags::WRITE,
    )
    .keys(DELETE)
    .args(&[
        Arg::key("key", 0),
        Arg::block("range", &[Arg::integer("start"), Arg::integer("end")]).multiple(),
    ]),
    |cx| {
        if cx.args.len() % 2 == 1 {
            return Err(CommandError::arity(cx.name));
        }
        let mut reader = cx.reader();
        reader.bytes();
        let mut spans = Vec::with_capacity(reader.remaining() / 2);
        while reader.more() {
            spans.push(Span::read(&mut reader));
        }
        reader.finish()?;
        let limits = limits(cx.config);
        let mut removed = Removed::default();
        remove(cx, event("ardelrange"), |array| {
            let ranges = spans.into_iter().map(Span::range);
            ranges.map(|range| array.remove_range(range, &limits, &mut removed)).sum()
        })?;
        cx.db.effects.discard_part(removed);
        Ok(())
    },
);

/// Lets `remove` remove elements of the key's array, and replies with how many they were.
fn remove(
    cx: &mut Cx<'_>,
    event: Event,
    remove: impl FnOnce(&mut Array) -> u64,
) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    let mut edit = cx.db.edit(key);
    let count = edit.update(Absent::Ignore, |array: &mut Array| match remove(array) {
        0 => Change::none(0),
        count => Change::made(count, event, count),
    })?;
    cx.reply.integer(count.unwrap_or(0) as i64);
    Ok(())
}
