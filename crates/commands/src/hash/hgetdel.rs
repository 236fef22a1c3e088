//! `HGETDEL`: the values of fields, which are removed.

use collections::hash::Hash;
use command::{Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec};
use store::{Absent, Change};

use super::REMOVED;
use super::fields::{self, KEY_AND_FIELDS};
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
    .args(KEY_AND_FIELDS),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    fields::check_type(cx)?;
    let mut reader = cx.reader();
    let key = reader.bytes();
    let fields = fields::named(reader)?;
    cx.reply.array(fields.len());
    let reply = &mut *cx.reply;
    let mut edit = cx.db.edit(key);
    edit.expire_fields(fields.iter().copied());
    let removed = edit.update_elements(Absent::Ignore, |hash: &mut Hash, about| {
        let mut removed = Vec::new();
        for &field in &fields {
            reply_value(reply, Some(hash), field, 0);
            if hash.remove(field) {
                about.note(field);
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
