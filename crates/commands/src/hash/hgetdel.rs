//! `HGETDEL`: the values of fields, which are removed.

use collections::hash::Hash;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change};

use super::REMOVED;
use super::get::reply_value;

/// `HGETDEL key FIELDS numfields field [field ...]`.
pub(super) static HGETDEL: DataCommand = DataCommand::new(
    Spec::new(
        "hgetdel",
        Group::Hash,
        "8.0.0",
        -5,
        "O(N) for N fields.",
        "Returns the values of fields of a hash and removes the fields.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::HASH)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE))])
    .args(&[
        Arg::key("key", 0),
        Arg::block("fields", &[Arg::integer("numfields"), Arg::string("field").multiple()])
            .token("FIELDS"),
    ]),
    run,
);

/// The place of the first field.
const FIELDS: usize = 4;

fn parse(cx: &Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    reader.bytes();
    if !reader.token("FIELDS") {
        let text = "ERR Mandatory argument FIELDS is missing or not at the right position";
        return Err(CommandError::request(text));
    }
    let error = CommandError::request("ERR Number of fields must be a positive integer");
    let count = reader.integer_in(1..=i64::MAX, error);
    reader.check()?;
    if usize::try_from(count) != Ok(reader.remaining()) {
        let text = "ERR The `numfields` parameter must match the number of arguments";
        return Err(CommandError::request(text));
    }
    Ok(())
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    // Redis looks at the type of the key before it reads the other arguments.
    cx.db.edit(key).get::<Hash>()?;
    parse(cx)?;
    let fields: Vec<&[u8]> = cx.args.iter().skip(FIELDS).collect();
    cx.reply.array(fields.len());
    let reply = &mut *cx.reply;
    let removed = cx.db.edit(key).update(Absent::Ignore, |hash: &mut Hash| {
        let mut removed = Vec::new();
        for &field in &fields {
            reply_value(reply, Some(hash), field);
            if hash.remove(field) {
                removed.push(field);
            }
        }
        if removed.is_empty() {
            return Change::none(removed);
        }
        Change::made(removed.len() as u64, REMOVED, removed)
    })?;
    match removed {
        None => fields.iter().for_each(|_| cx.reply.null()),
        Some(removed) if removed.is_empty() => {}
        Some(removed) => {
            let line: Vec<&[u8]> = [&b"HDEL"[..], key].into_iter().chain(removed).collect();
            cx.log(&line);
        }
    }
    Ok(())
}
