//! `HSCAN`.

use collections::hash::Hash;
use command::{Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};

use super::READ;
use crate::element_scan::{self, Found};

/// `HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]`.
pub(super) static HSCAN: DataCommand = DataCommand::new(
    Spec::new(
        "hscan",
        Group::Hash,
        "2.8.0",
        -3,
        "O(1) for a call, O(N) for all calls until the cursor is 0 again, with the number N of \
         fields.",
        "Walks over the fields of a hash, some with every call.",
    )
    .flags(Flags::READONLY)
    .acl(Categories::HASH)
    .keys(READ)
    .args(&[
        Arg::key("key", 0),
        Arg::integer("cursor"),
        Arg::pattern("pattern").token("MATCH").optional(),
        Arg::integer("count").token("COUNT").optional(),
        Arg::word("novalues", "NOVALUES").optional().since("7.4.0"),
    ])
    .history(&[("7.4.0", "Takes the option `NOVALUES`.")])
    .tips(&["nondeterministic_output"]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    let mut cursor = element_scan::cursor(&mut reader)?;
    // As in Redis the options of a walk over nothing are not looked at.
    let Some(hash) = cx.db.get::<Hash>(key)?.cloned() else {
        Found::default().reply(cx.reply, 0);
        return Ok(());
    };
    let options = element_scan::Options::parse(reader, true)?;
    cx.db.release();
    let (mut found, mut seen) = (Found::default(), 0);
    loop {
        cursor = hash.scan(cursor, |field, value| {
            seen += 1;
            found.push_matching(&options, field, (!options.no_values).then_some(value));
        });
        if cursor == 0 || seen >= options.count {
            break;
        }
    }
    found.reply(cx.reply, cursor);
    Ok(())
}
