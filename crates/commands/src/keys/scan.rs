//! `SCAN`: the keys of the database, a few with every call.
//!
//! A cursor is a place in the order of all keys, which tables that grow or shrink keep, so the
//! server remembers nothing between the calls and every key that stays is shown.

use collections::listpack::Item;
use command::{Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};
use store::ValueType;

use crate::element_scan::{self, COUNT, CURSOR, Found, MATCH, Options};

pub(super) static SCAN: DataCommand = DataCommand::new(
    Spec::new(
        "scan",
        Group::Generic,
        "2.8.0",
        -2,
        "O(1) for a call, O(N) for all calls until the cursor is 0 again, with the number N of \
         keys in the database.",
        "Walks over the keys of the database, some with every call.",
    )
    .flags(Flags::READONLY.union(Flags::KEYSPACE_WALK))
    .acl(Categories::KEYSPACE)
    .args(&[CURSOR, MATCH, COUNT, Arg::string("type").token("TYPE").optional().since("6.0.0")])
    .history(&[("6.0.0", "Takes the option `TYPE`.")])
    .tips(&["nondeterministic_output", "request_policy:special", "response_policy:special"]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let cursor = element_scan::cursor(&mut reader)?;
    // Nothing is of a type that does not exist.
    let mut value_type: Option<Option<ValueType>> = None;
    let options = Options::parse(reader, |reader| {
        let taken = reader.option("TYPE");
        if taken {
            value_type = Some(ValueType::from_name(reader.bytes()));
        }
        Ok(taken)
    })?;
    let mut keys = Found::default();
    let wanted = |key: &[u8]| options.matches(key);
    let next = cx.db.scan(cursor, options.count, wanted, |entry| {
        let value_type_is = |wanted| wanted == Some(ValueType::of(entry.value()));
        if value_type.is_none_or(value_type_is) {
            keys.push(Item::Bytes(entry.key()));
        }
    });
    keys.reply(cx.reply, next);
    Ok(())
}
