//! `ARINSERT`, `ARRING`, `ARNEXT` and `ARSEEK`: what works at the cursor.

use collections::array::Array;
use command::{Arg, CommandError, Cx, DataCommand, Flags};
use stdx::num::{parse_i64, parse_u64};
use store::{Absent, Change};

use super::{BAD_INDEX, INSERT_OVERFLOW, READ, UPDATE, event, limits, reply_unsigned, spec};

/// `ARINSERT key value [value ...]`.
pub(super) static ARINSERT: DataCommand = DataCommand::new(
    spec(
        "arinsert",
        -3,
        "O(N) for N values.",
        "Sets elements of an array behind the one that was inserted last. Creates the key if it \
         does not exist.",
        Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST),
    )
    .keys(UPDATE)
    .args(&[Arg::key("key", 0), Arg::string("value").multiple()]),
    |cx| {
        let (key, limits) = (cx.arg(1)?, limits(cx.config));
        let texts: Vec<&[u8]> = cx.args.iter().skip(2).collect();
        let mut edit = cx.db.edit(key);
        let last = edit.update(Absent::Create, |array: &mut Array| {
            match array.append(texts.iter().copied(), &limits) {
                Ok(last) => Change::made(texts.len() as u64, event("arinsert"), Some(last)),
                Err(_) => Change::none(None),
            }
        })?;
        reply_unsigned(cx.reply, last.flatten().ok_or(INSERT_OVERFLOW)?);
        Ok(())
    },
);

/// `ARRING key size value [value ...]`.
pub(super) static ARRING: DataCommand = DataCommand::new(
    spec(
        "arring",
        -4,
        "O(M) for M values; O(N+M) when the ring changes its size, N being the greater one.",
        "Sets elements of an array in turn, as a ring of a given size. Creates the key if it does \
         not exist.",
        Flags::WRITE.union(Flags::DENYOOM),
    )
    .keys(UPDATE)
    .args(&[Arg::key("key", 0), Arg::integer("size"), Arg::string("value").multiple()]),
    ring,
);

fn ring(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, size) = (cx.arg(1)?, parse_i64(cx.arg(2)?));
    let size = size.ok_or_else(|| CommandError::request("ERR invalid size"))?;
    let size = u64::try_from(size).ok().filter(|&size| size > 0);
    let size = size.ok_or_else(|| CommandError::request("ERR size must be positive"))?;
    let (limits, count) = (limits(cx.config), cx.args.len() as u64 - 3);
    let texts = cx.args.iter().skip(3);
    let mut edit = cx.db.edit(key);
    let done = edit.update(Absent::Create, |array: &mut Array| {
        Change::made(count, event("arring"), array.ring(size, texts, &limits))
    })?;
    let (last, removed) = done.unwrap_or_default();
    cx.db.effects.discard_part(removed);
    reply_unsigned(cx.reply, last);
    Ok(())
}

/// `ARNEXT key`.
pub(super) static ARNEXT: DataCommand = DataCommand::new(
    spec(
        "arnext",
        2,
        "O(1)",
        "Returns the index that ARINSERT would set next.",
        Flags::READONLY.union(Flags::FAST),
    )
    .keys(READ)
    .args(&[Arg::key("key", 0)]),
    |cx| {
        let key = cx.arg(1)?;
        match cx.db.get::<Array>(key)?.map_or(Some(0), Array::next_index) {
            Some(index) => reply_unsigned(cx.reply, index),
            None => cx.reply.null(),
        }
        Ok(())
    },
);

/// `ARSEEK key index`.
pub(super) static ARSEEK: DataCommand = DataCommand::new(
    spec(
        "arseek",
        3,
        "O(1)",
        "Tells an array which index ARINSERT and ARRING set next.",
        Flags::WRITE.union(Flags::FAST),
    )
    .keys(UPDATE)
    .args(&[Arg::key("key", 0), Arg::integer("index")]),
    |cx| {
        // One more than the greatest index: then nothing can be inserted any more.
        let (key, index) = (cx.arg(1)?, parse_u64(cx.arg(2)?).ok_or(BAD_INDEX)?);
        let mut edit = cx.db.edit(key);
        let sought = edit.update(Absent::Ignore, |array: &mut Array| {
            array.seek(index);
            Change::made(1, event("arseek"), ())
        })?;
        cx.reply.integer(i64::from(sought.is_some()));
        Ok(())
    },
);
