//! `HINCRBYFLOAT`.

use collections::hash::Hash;
use collections::listpack::Item;
use command::{Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};
use stdx::num::LongDouble;
use store::{Absent, Change, Event};

use super::{COUNTED, event, limits};

/// `HINCRBYFLOAT key field increment`.
pub(super) static HINCRBYFLOAT: DataCommand = DataCommand::new(
    Spec::new(
        "hincrbyfloat",
        Group::Hash,
        "2.6.0",
        4,
        "O(1)",
        "Adds a number to the floating point number in a field of a hash. What is missing counts \
         as 0.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
    .acl(Categories::HASH)
    .keys(COUNTED)
    .element(2)
    .args(&[Arg::key("key", 0), Arg::string("field"), Arg::double("increment")]),
    run,
);

const COUNT: Event = event("hincrbyfloat");

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, field, increment) = (cx.arg(1)?, cx.arg(2)?, cx.arg(3)?);
    let increment = LongDouble::parse(increment).ok_or(CommandError::NOT_FLOAT)?;
    if increment.is_nan() || increment.is_infinite() {
        return Err(CommandError::request("ERR value is NaN or Infinity"));
    }
    let limits = limits(cx);
    let mut edit = cx.db.edit(key);
    edit.expire_fields([field]);
    let mut is_timed = false;
    let sum = edit.update_elements(Absent::Create, |hash: &mut Hash, about| {
        let present = hash.find(field);
        is_timed = present.is_some_and(|field| field.deadline.is_some());
        let sum = sum(present.map(|field| field.value), increment);
        match sum {
            Err(_) => Change::none(sum),
            Ok(text) => {
                hash.set_value(&limits, field, &text[..]);
                about.note(field);
                Change::made(1, COUNT, Ok(text))
            }
        }
    })?;
    let text = sum.expect("an absent hash is created")?;
    cx.reply.bulk(&text);
    // Another machine may add differently: replicas take the result.
    match is_timed {
        false => cx.log(&[b"HSET", key, field, &text]),
        true => cx.log(&[b"HSETEX", key, b"KEEPTTL", b"FIELDS", b"1", field, &text]),
    }
    Ok(())
}

/// The sum as text.
fn sum(value: Option<Item<'_>>, increment: LongDouble) -> Result<Vec<u8>, CommandError> {
    let old = match value {
        None => LongDouble::from_i64(0),
        Some(Item::Int(number)) => LongDouble::from_i64(number),
        Some(Item::Bytes(text)) => LongDouble::parse(text)
            .ok_or_else(|| CommandError::state("ERR hash value is not a float"))?,
    };
    let sum = old + increment;
    if sum.is_nan() || sum.is_infinite() {
        return Err(CommandError::state("ERR increment would produce NaN or Infinity"));
    }
    let mut text = Vec::new();
    sum.write(&mut text);
    Ok(text)
}
