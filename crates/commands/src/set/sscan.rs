//! `SSCAN`.

use command::{Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};

use super::{READ, held};
use crate::element_scan::{self, Found};

/// `SSCAN key cursor [MATCH pattern] [COUNT count]`.
pub(super) static SSCAN: DataCommand = DataCommand::new(
    Spec::new(
        "sscan",
        Group::Set,
        "2.8.0",
        -3,
        "O(1) for a call, O(N) for all calls until the cursor is 0 again, with the number N of \
         members.",
        "Walks over the members of a set, some with every call.",
    )
    .flags(Flags::READONLY)
    .acl(Categories::SET)
    .keys(READ)
    .args(&[
        Arg::key("key", 0),
        Arg::integer("cursor"),
        Arg::pattern("pattern").token("MATCH").optional(),
        Arg::integer("count").token("COUNT").optional(),
    ])
    .tips(&["nondeterministic_output"]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    let mut cursor = element_scan::cursor(&mut reader)?;
    // As in Redis the options of a walk over nothing are not looked at.
    let Some(set) = held(cx, key)? else {
        Found::default().reply(cx.reply, 0);
        return Ok(());
    };
    let options = element_scan::Options::parse(reader, false)?;
    cx.db.release();
    let (mut found, mut seen) = (Found::default(), 0);
    loop {
        cursor = set.scan(cursor, |member| {
            seen += 1;
            found.push_matching(&options, member, None);
        });
        if cursor == 0 || seen >= options.count {
            break;
        }
    }
    found.reply(cx.reply, cursor);
    Ok(())
}
