//! `ARLEN`, `ARCOUNT` and `ARINFO`: the array as a whole.

use collections::array::{Array, Layout};
use command::{Arg, CommandError, Cx, DataCommand, Flags};

use super::{READ, reply_unsigned, spec};

const FAST: Flags = Flags::READONLY.union(Flags::FAST);

/// `ARLEN key`.
pub(super) static ARLEN: DataCommand = DataCommand::new(
    spec("arlen", 2, "O(1)", "Returns one more than the greatest index of an array.", FAST)
        .keys(READ)
        .args(&[Arg::key("key", 0)]),
    |cx| {
        let key = cx.arg(1)?;
        let len = cx.db.get::<Array>(key)?.map_or(0, Array::len);
        reply_unsigned(cx.reply, len);
        Ok(())
    },
);

/// `ARCOUNT key`.
pub(super) static ARCOUNT: DataCommand = DataCommand::new(
    spec("arcount", 2, "O(1)", "Returns how many elements an array has.", FAST)
        .keys(READ)
        .args(&[Arg::key("key", 0)]),
    |cx| {
        let key = cx.arg(1)?;
        let count = cx.db.get::<Array>(key)?.map_or(0, Array::count);
        reply_unsigned(cx.reply, count);
        Ok(())
    },
);

/// `ARINFO key [FULL]`.
pub(super) static ARINFO: DataCommand = DataCommand::new(
    spec(
        "arinfo",
        -2,
        "O(1); with FULL, O(N) for N slices.",
        "Returns how an array is laid out.",
        Flags::READONLY,
    )
    .keys(READ)
    .args(&[Arg::key("key", 0), Arg::word("full", "FULL").optional()]),
    info,
);

fn info(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    let is_full = reader.token("FULL");
    reader.finish()?;
    let array = cx.db.get::<Array>(key)?.ok_or(CommandError::NO_SUCH_KEY)?;
    let layout = if is_full { array.full_layout() } else { array.layout() };
    let reply = &mut *cx.reply;
    reply.map(if is_full { 12 } else { 7 });
    let slices = layout.slices as u64;
    for (name, number) in [
        ("count", array.count()),
        ("len", array.len()),
        ("next-insert-index", array.next_index().unwrap_or(0)),
        ("slices", slices),
        // The directory is a tree, which has an entry for each slice and nothing above.
        ("directory-size", slices),
        ("super-dir-entries", 0),
        ("slice-size", layout.slice_size),
    ] {
        reply.bulk(name.as_bytes());
        reply_unsigned(reply, number);
    }
    if is_full {
        let Layout { dense, dense_positions, dense_elements, sparse_capacity, .. } = layout;
        let sparse = layout.slices - dense;
        for (name, number) in [("dense-slices", dense), ("sparse-slices", sparse)] {
            reply.bulk(name.as_bytes());
            reply.integer(number as i64);
        }
        for (name, sum, number) in [
            ("avg-dense-size", dense_positions, dense),
            ("avg-dense-fill", dense_elements, dense_positions),
            ("avg-sparse-size", sparse_capacity, sparse),
        ] {
            reply.bulk(name.as_bytes());
            reply.double(if number == 0 { 0.0 } else { sum as f64 / number as f64 });
        }
    }
    Ok(())
}
