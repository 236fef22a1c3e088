//! `ARGET`, `ARMGET` and `ARGETRANGE`.

use collections::array::{Array, Digits};
use command::{Arg, CommandError, Cx, DataCommand, Flags};

use super::{POSITIONS_MAX, READ, Span, held, parse_index, reply_element, reply_position, spec};

const FAST: Flags = Flags::READONLY.union(Flags::FAST);

/// `ARGET key index`.
pub(super) static ARGET: DataCommand = DataCommand::new(
    spec("arget", 3, "O(1)", "Returns the element of an array at an index.", FAST)
        .keys(READ)
        .args(&[Arg::key("key", 0), Arg::integer("index")]),
    |cx| {
        let (key, word) = (cx.arg(1)?, cx.arg(2)?);
        // The type of the value is looked at before the index.
        let array = cx.db.get::<Array>(key)?;
        let index = parse_index(word)?;
        let element = array.and_then(|array| array.get(index));
        reply_position(cx.reply, element, &mut Digits::default());
        Ok(())
    },
);

/// `ARMGET key index [index ...]`.
pub(super) static ARMGET: DataCommand = DataCommand::new(
    spec("armget", -3, "O(N) for N indices.", "Returns elements of an array at indices.", FAST)
        .keys(READ)
        .args(&[Arg::key("key", 0), Arg::integer("index").multiple()]),
    |cx| {
        let key = cx.arg(1)?;
        let array = cx.db.get::<Array>(key)?;
        let mut digits = Digits::default();
        cx.reply.array(cx.args.len() - 2);
        for word in cx.args.iter().skip(2) {
            let index = parse_index(word)?;
            let element = array.and_then(|array| array.get(index));
            reply_position(cx.reply, element, &mut digits);
        }
        Ok(())
    },
);

/// `ARGETRANGE key start end`.
pub(super) static ARGETRANGE: DataCommand = DataCommand::new(
    spec(
        "argetrange",
        4,
        "O(N) for a range of N positions.",
        "Returns what is at every position of a range of an array.",
        Flags::READONLY,
    )
    .keys(READ)
    .args(&[Arg::key("key", 0), Arg::integer("start"), Arg::integer("end")]),
    range,
);

fn range(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (key, span) = (reader.bytes(), Span::read(&mut reader));
    reader.finish()?;
    let array = held(cx, key)?.unwrap_or_default();
    if span.high - span.low >= POSITIONS_MAX {
        let text = format!("ERR range exceeds maximum of {POSITIONS_MAX} items");
        return Err(CommandError::request(text));
    }
    let positions = span.high - span.low + 1;
    cx.reply.array(positions as usize);
    let (mut digits, mut replied) = (Digits::default(), 0);
    array.visit(span.range(), span.backwards, |index, element| -> Option<()> {
        let at = if span.backwards { span.high - index } else { index - span.low };
        (replied..at).for_each(|_| cx.reply.null());
        reply_element(cx.reply, element, &mut digits);
        replied = at + 1;
        None
    });
    (replied..positions).for_each(|_| cx.reply.null());
    Ok(())
}
