//! `ARLASTITEMS`: what stands at the positions before the cursor.

use collections::array::{Array, Digits};
use command::{Arg, CommandError, Cx, DataCommand, Flags};

use super::{POSITIONS_MAX, READ, held, reply_position, spec};

/// `ARLASTITEMS key count [REV]`.
pub(super) static ARLASTITEMS: DataCommand = DataCommand::new(
    spec(
        "arlastitems",
        -3,
        "O(N) for a count of N.",
        "Returns the elements of an array that were inserted last.",
        Flags::READONLY,
    )
    .keys(READ)
    .args(&[Arg::key("key", 0), Arg::integer("count"), Arg::word("rev", "REV").optional()]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    let count = reader.integer_or(CommandError::request("ERR invalid COUNT"));
    reader.check()?;
    // As in Redis a count of nothing is answered before the rest is looked at.
    let Some(count) = u64::try_from(count).ok().filter(|&count| count > 0) else {
        cx.reply.array(0);
        return Ok(());
    };
    if reader.remaining() > 1 {
        return Err(CommandError::arity(cx.name));
    }
    let latest_first = reader.token("REV");
    reader.finish()?;
    let array = held(cx, key)?.unwrap_or_default();
    let count = count.min(array.len());
    if count > POSITIONS_MAX {
        let text = format!("ERR count exceeds maximum of {POSITIONS_MAX} items");
        return Err(CommandError::request(text));
    }
    cx.reply.array(count as usize);
    answer(cx, &array, count, latest_first);
    Ok(())
}

fn answer(cx: &mut Cx<'_>, array: &Array, count: u64, latest_first: bool) {
    let mut digits = Digits::default();
    let mut latest = Vec::with_capacity(count as usize);
    array.latest(count, |element| latest.push(element));
    if !latest_first {
        latest.reverse();
    }
    for element in latest {
        reply_position(cx.reply, element, &mut digits);
    }
}
