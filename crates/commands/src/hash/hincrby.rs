//! `HINCRBY`.

use collections::hash::Hash;
use collections::listpack::Item;
use command::{Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};
use store::{Absent, Change, Event};

use super::{COUNTED, event, limits};

/// `HINCRBY key field increment`.
pub(super) static HINCRBY: DataCommand = DataCommand::new(
    Spec::new(
        "hincrby",
        Group::Hash,
        "2.0.0",
        4,
        "O(1)",
        "Adds a number to the integer in a field of a hash. What is missing counts as 0.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
    .acl(Categories::HASH)
    .keys(COUNTED)
    .element(2)
    .args(&[Arg::key("key", 0), Arg::string("field"), Arg::integer("increment")]),
    run,
);

const COUNT: Event = event("hincrby");

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (key, field, increment) = (reader.bytes(), reader.bytes(), reader.integer());
    reader.finish()?;
    let limits = limits(cx);
    let mut edit = cx.db.edit(key);
    edit.expire_fields([field]);
    let sum = edit.update_elements(Absent::Create, |hash: &mut Hash, about| {
        let sum = sum(hash.find(field).map(|field| field.value), increment);
        match sum {
            Err(_) => Change::none(sum),
            Ok(number) => {
                hash.set_value(&limits, field, Item::Int(number));
                about.note(field);
                Change::made(1, COUNT, sum)
            }
        }
    })?;
    let sum = sum.expect("an absent hash is created")?;
    cx.reply.integer(sum);
    Ok(())
}

fn sum(value: Option<Item<'_>>, increment: i64) -> Result<i64, CommandError> {
    let no_integer = || CommandError::state("ERR hash value is not an integer");
    let value = value.map_or(Some(0), Item::as_int).ok_or_else(no_integer)?;
    value.checked_add(increment).ok_or(CommandError::OVERFLOW)
}
