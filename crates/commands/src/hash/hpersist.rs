//! `HPERSIST`: removes the deadlines of fields.

use collections::hash::Hash;
use command::{Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec};
use store::{Absent, Change};

use super::PERSIST;
use super::fields::{self, KEY_AND_FIELDS, NO_DEADLINE, NO_FIELD};

/// `HPERSIST key FIELDS numfields field [field ...]`.
pub(super) static HPERSIST: DataCommand = DataCommand::new(
    Spec::new(
        "hpersist",
        Group::Hash,
        "7.4.0",
        -5,
        "O(N) for N fields.",
        "Removes the deadlines of fields of a hash.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::HASH)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))])
    .args(KEY_AND_FIELDS),
    run,
);

/// The field has no deadline any more.
const PERSISTED: i64 = 1;

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    fields::check_type(cx)?;
    let mut reader = cx.reader();
    let key = reader.bytes();
    let fields = fields::named(reader)?;
    let mut edit = cx.db.edit(key);
    edit.expire_fields(fields.iter().copied());
    let answers = edit.update_elements(Absent::Ignore, |hash: &mut Hash, about| {
        let one = |field: &&[u8]| {
            let answer = persist(hash, field);
            if answer == PERSISTED {
                about.note(field);
            }
            answer
        };
        let answers: Vec<i64> = fields.iter().map(one).collect();
        match answers.contains(&PERSISTED) {
            false => Change::none(answers),
            true => Change::made(1, PERSIST, answers),
        }
    })?;
    let answers = answers.unwrap_or_else(|| vec![NO_FIELD; fields.len()]);
    cx.reply.array(answers.len());
    answers.iter().for_each(|&answer| cx.reply.integer(answer));
    Ok(())
}

/// Removes the deadline of a field; the answer for it.
fn persist(hash: &mut Hash, field: &[u8]) -> i64 {
    match hash.find(field).map(|field| field.deadline) {
        None => NO_FIELD,
        Some(None) => NO_DEADLINE,
        Some(Some(_)) => {
            hash.set_deadline(field, None);
            PERSISTED
        }
    }
}
