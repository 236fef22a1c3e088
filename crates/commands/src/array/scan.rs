//! `ARSCAN`: the elements of a range with their indices.

use collections::array::Digits;
use command::{Arg, ArgReader, CommandError, Cx, DataCommand, Flags};
use resp::Length;

use super::{READ, Span, held, reply_element, reply_unsigned, spec};

/// `ARSCAN key start end [LIMIT limit]`.
pub(super) static ARSCAN: DataCommand = DataCommand::new(
    spec(
        "arscan",
        -4,
        "O(N) for N elements and slices in the range, however far apart its ends are.",
        "Returns the elements of a range of an array with their indices.",
        Flags::READONLY,
    )
    .keys(READ)
    .args(&[
        Arg::key("key", 0),
        Arg::integer("start"),
        Arg::integer("end"),
        Arg::integer("limit").token("LIMIT").optional(),
    ]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (key, span) = (reader.bytes(), Span::read(&mut reader));
    reader.check()?;
    if !matches!(reader.remaining(), 0 | 2) {
        return Err(CommandError::arity(cx.name));
    }
    let max = if reader.option("LIMIT") { limit(&mut reader) } else { usize::MAX };
    reader.finish()?;
    let array = held(cx, key)?.unwrap_or_default();
    let mark = cx.reply.begin_deferred();
    let (mut digits, mut count) = (Digits::default(), 0);
    array.visit(span.range(), span.backwards, |index, element| {
        cx.reply.array(2);
        reply_unsigned(cx.reply, index);
        reply_element(cx.reply, element, &mut digits);
        count += 1;
        (count == max).then_some(())
    });
    cx.reply.end_deferred(mark, Length::Array, count);
    Ok(())
}

/// Takes the argument of `LIMIT`.
pub(super) fn limit(reader: &mut ArgReader<'_>) -> usize {
    let limit = reader.integer();
    if limit <= 0 {
        reader.fail(CommandError::request("ERR LIMIT must be positive"));
    }
    usize::try_from(limit).unwrap_or(usize::MAX)
}
