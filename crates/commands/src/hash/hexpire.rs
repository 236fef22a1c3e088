//! `HEXPIRE`, `HPEXPIRE`, `HEXPIREAT` and `HPEXPIREAT`: give fields of a hash a deadline.
//!
//! One command in four units. Replicas and the AOF see the absolute time in milliseconds and the
//! fields for which it was set; a time that has passed already removes the fields at once, and is
//! logged so.

use collections::hash::Hash;
use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use store::{Absent, Change, Event, UnixMs};

use super::fields::{self, FIELDS, NO_FIELD, TIMES};
use super::{EXPIRE, REMOVED};
use crate::keys::expire::{Condition, Unit};

const KEY: Arg = Arg::key("key", 0);
const CONDITION: Arg = Condition::ARG.optional();

/// `HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`.
pub(super) static HEXPIRE: DataCommand = DataCommand::new(
    spec("hexpire", "Gives fields of a hash a time to live in seconds.").args(&[
        KEY,
        Arg::integer("seconds"),
        CONDITION,
        FIELDS,
    ]),
    |cx| run(cx, TIMES[0].1),
);

/// `HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`.
pub(super) static HPEXPIRE: DataCommand = DataCommand::new(
    spec("hpexpire", "Gives fields of a hash a time to live in milliseconds.").args(&[
        KEY,
        Arg::integer("milliseconds"),
        CONDITION,
        FIELDS,
    ]),
    |cx| run(cx, TIMES[1].1),
);

/// `HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`.
pub(super) static HEXPIREAT: DataCommand = DataCommand::new(
    spec("hexpireat", "Lets fields of a hash expire at a Unix time in seconds.").args(&[
        KEY,
        Arg::unix_time("unix-time-seconds"),
        CONDITION,
        FIELDS,
    ]),
    |cx| run(cx, TIMES[2].1),
);

/// `HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`.
pub(super) static HPEXPIREAT: DataCommand = DataCommand::new(
    spec("hpexpireat", "Lets fields of a hash expire at a Unix time in milliseconds.").args(&[
        KEY,
        Arg::unix_time("unix-time-milliseconds"),
        CONDITION,
        FIELDS,
    ]),
    |cx| run(cx, TIMES[3].1),
);

const fn spec(name: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Hash, "7.4.0", -6, "O(N) for N fields.", summary)
        .flags(Flags::WRITE.union(Flags::FAST))
        .acl(Categories::HASH)
        .keys(UPDATED)
}

const UPDATED: &[KeySpec] = &[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))];

/// The condition is not met.
const UNMET: i64 = 0;
/// The field has its deadline.
const SET: i64 = 1;
/// The time has passed, so the field is gone.
const DELETED: i64 = 2;

struct Request<'a> {
    deadline: UnixMs,
    condition: Condition,
    /// The word for it, if there was one.
    word: Option<&'a [u8]>,
    fields: Vec<&'a [u8]>,
}

fn parse<'a>(cx: &Cx<'a>, unit: Unit) -> Result<Request<'a>, CommandError> {
    let mut reader = cx.reader();
    reader.bytes();
    let deadline = fields::deadline(cx, unit, reader.bytes())?;
    let mut request =
        Request { deadline, condition: Condition::default(), word: None, fields: Vec::new() };
    let mut contradicts = false;
    while reader.more() {
        let word = reader.peek();
        if reader.token("FIELDS") {
            request.fields = named(&mut reader, !request.fields.is_empty())?;
        } else if let Some(condition) = Condition::take(&mut reader) {
            contradicts |= request.word.is_some() && condition != request.condition;
            (request.condition, request.word) = (condition, word);
        } else {
            return Err(CommandError::quoting("ERR unknown argument: ", reader.bytes(), ""));
        }
    }
    if request.fields.is_empty() {
        return Err(CommandError::request("ERR missing FIELDS argument"));
    }
    if contradicts {
        return Err(CommandError::request("ERR Multiple condition flags specified"));
    }
    Ok(request)
}

/// The fields behind the word `FIELDS`, which may stand there once.
fn named<'a>(reader: &mut ArgReader<'a>, again: bool) -> Result<Vec<&'a [u8]>, CommandError> {
    if again {
        return Err(CommandError::request("ERR FIELDS keyword specified multiple times"));
    }
    if reader.remaining() < 2 {
        let text = "ERR FIELDS requires at least numfields and one field argument";
        return Err(CommandError::request(text));
    }
    let positive = CommandError::request("ERR Parameter `numFields` should be greater than 0");
    fields::take(reader, 1, positive)
}

fn run(cx: &mut Cx<'_>, unit: Unit) -> Result<(), CommandError> {
    fields::check_type(cx)?;
    let Request { deadline, condition, word, fields } = parse(cx, unit)?;
    let passed = cx.db.is_due(deadline);
    let mut edit = cx.db.edit(cx.args.get(1).unwrap_or_default());
    edit.expire_fields(fields.iter().copied());
    let answers = edit.update_elements(Absent::Ignore, |hash: &mut Hash, about| {
        // The encoding shows that somebody tried, whether or not a field gets a deadline.
        hash.expect_deadlines();
        let one = |field: &&[u8]| -> i64 {
            let answer = expire(hash, field, deadline, passed, condition);
            if answer >= SET {
                about.note(field);
            }
            answer
        };
        let answers: Vec<i64> = fields.iter().map(one).collect();
        change(answers, passed)
    })?;
    let answers = answers.unwrap_or_else(|| vec![NO_FIELD; fields.len()]);
    cx.reply.array(answers.len());
    answers.iter().for_each(|&answer| cx.reply.integer(answer));
    let changed = fields.iter().zip(&answers).filter(|(_, answer)| **answer >= SET);
    let changed: Vec<&[u8]> = changed.map(|(field, _)| *field).collect();
    if passed {
        fields::log_removals(cx, &changed);
    } else if !changed.is_empty() {
        fields::log_deadline(cx, deadline, word, &changed);
    }
    Ok(())
}

/// Gives one field the deadline; the answer for it.
fn expire(
    hash: &mut Hash,
    field: &[u8],
    deadline: UnixMs,
    passed: bool,
    condition: Condition,
) -> i64 {
    let Some(present) = hash.find(field) else { return NO_FIELD };
    let new = i64::try_from(deadline).unwrap_or(i64::MAX);
    if !condition.allows(present.deadline, new) {
        return UNMET;
    }
    if passed {
        hash.remove(field);
        return DELETED;
    }
    hash.set_deadline(field, Some(deadline));
    SET
}

/// What became of the hash: removals count one by one, a new deadline once for all fields.
fn change(answers: Vec<i64>, passed: bool) -> Change<Vec<i64>> {
    let changed = answers.iter().filter(|&&answer| answer >= SET).count() as u64;
    let event: Event = if passed { REMOVED } else { EXPIRE };
    match changed {
        0 => Change::none(answers),
        _ => Change::made(if passed { changed } else { 1 }, event, answers),
    }
}
