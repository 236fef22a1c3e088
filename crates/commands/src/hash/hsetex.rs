//! `HSETEX`: gives fields their values and a deadline, under conditions.

use collections::hash::Hash;
use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use store::{Absent, Change, Subkeys, UnixMs};

use super::fields::{self, TIMES};
use super::{EXPIRE, REMOVED, SET, limits};
use crate::string::expiry::documented;

/// `HSETEX key [FNX | FXX] [EX seconds | PX ms | EXAT unix-seconds | PXAT unix-ms | KEEPTTL] FIELDS
/// numfields field value [field value ...]`.
pub(super) static HSETEX: DataCommand = DataCommand::new(
    Spec::new(
        "hsetex",
        Group::Hash,
        "8.0.0",
        -6,
        "O(N) for N fields.",
        "Gives fields of a hash their values, and sets or keeps the deadlines of the fields.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
    .acl(Categories::HASH)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))])
    .args(&[
        Arg::key("key", 0),
        Arg::one_of("condition", &[Arg::word("fnx", "FNX"), Arg::word("fxx", "FXX")]).optional(),
        Arg::one_of("expiration", EXPIRATIONS).optional(),
        Arg::block("fields", &[Arg::integer("numfields"), PAIRS]).token("FIELDS"),
    ]),
    run,
);

const EXPIRATIONS: &[Arg] = &documented(Arg::word("keepttl", "KEEPTTL"));
const PAIRS: Arg = Arg::block("data", &[Arg::string("field"), Arg::string("value")]).multiple();

/// A field and its value.
type Pair<'a> = (&'a [u8], &'a [u8]);

#[derive(Debug, Default)]
struct Request<'a> {
    /// `FXX` (true): all fields are there. `FNX` (false): none is.
    present: Option<bool>,
    keep: bool,
    deadline: Option<UnixMs>,
    /// Where the option that gives the time stands among the arguments.
    time_at: usize,
    pairs: Vec<Pair<'a>>,
}

fn parse<'a>(cx: &Cx<'a>) -> Result<Request<'a>, CommandError> {
    let mut reader = cx.reader();
    reader.bytes();
    let mut request = Request::default();
    while reader.more() {
        let place = cx.args.len() - reader.remaining();
        let wanted = [("FXX", true), ("FNX", false)];
        if let Some((_, present)) = wanted.into_iter().find(|(token, _)| reader.token(token)) {
            if request.present.replace(present).is_some() {
                let text = "ERR Only one of FXX or FNX arguments can be specified";
                return Err(CommandError::request(text));
            }
        } else if reader.token("KEEPTTL") {
            check_single(&request)?;
            request.keep = true;
        } else if let Some((_, unit)) = TIMES.into_iter().find(|(token, _)| reader.token(token)) {
            check_single(&request)?;
            request.deadline = Some(fields::deadline(cx, unit, reader.bytes())?);
            request.time_at = place;
        } else if reader.token("FIELDS") {
            request.pairs = pairs(cx, &mut reader)?;
        } else {
            return Err(CommandError::quoting("ERR unknown argument: ", reader.bytes(), ""));
        }
    }
    reader.finish()?;
    Ok(request)
}

/// Refuses a second option for the deadlines.
fn check_single(request: &Request<'_>) -> Result<(), CommandError> {
    if request.keep || request.deadline.is_some() {
        let text = "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified";
        return Err(CommandError::request(text));
    }
    Ok(())
}

/// A number and so many fields with their values, which end the command.
fn pairs<'a>(cx: &Cx<'_>, reader: &mut ArgReader<'a>) -> Result<Vec<Pair<'a>>, CommandError> {
    // A number, a field and a value.
    if reader.remaining() < 3 {
        return Err(CommandError::arity(cx.name));
    }
    let invalid = CommandError::request("ERR invalid number of fields");
    let count = reader.integer_in(1..=i64::from(i32::MAX), invalid);
    reader.check()?;
    let words = usize::try_from(count).ok().and_then(|count| count.checked_mul(2));
    if words != Some(reader.remaining()) {
        return Err(CommandError::arity(cx.name));
    }
    let pair = || reader.more().then(|| (reader.bytes(), reader.bytes()));
    Ok(std::iter::from_fn(pair).collect())
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let request = parse(cx)?;
    let passed = request.deadline.is_some_and(|deadline| cx.db.is_due(deadline));
    let limits = limits(cx);
    let mut edit = cx.db.edit(cx.args.get(1).unwrap_or_default());
    let names = || request.pairs.iter().map(|(field, _)| *field);
    edit.expire_fields(names());
    let met = request.present.is_none_or(|wanted| {
        let hash = edit.get::<Hash>().ok().flatten();
        let is_there = |field| hash.is_some_and(|hash| hash.find(field).is_some());
        request.pairs.iter().all(|(field, _)| is_there(field) == wanted)
    });
    let count = request.pairs.len() as u64;
    edit.update_elements(Absent::Create, |hash: &mut Hash, about| {
        if !met {
            return Change::none(());
        }
        hash.expect(&limits, request.pairs.len());
        if request.deadline.is_some() {
            hash.expect_deadlines();
        }
        for &(field, value) in &request.pairs {
            match request.keep {
                true => hash.set_value(&limits, field, value),
                false => hash.set(&limits, field, value),
            };
            if !passed && request.deadline.is_some() {
                hash.set_deadline(field, request.deadline);
            }
        }
        about.note_all(names());
        Change::made(count, SET, ())
    })?;
    cx.reply.integer(i64::from(met));
    if !met {
        return Ok(());
    }
    if passed {
        edit.update_elements(Absent::Ignore, |hash: &mut Hash, about| {
            let removed = names().filter(|field| hash.remove(field));
            let removed = removed.inspect(|field| about.note(field)).count();
            Change::made(removed as u64, REMOVED, ())
        })?;
        let fields: Vec<&[u8]> = names().collect();
        fields::log_removals(cx, &fields);
    } else if let Some(deadline) = request.deadline {
        let mut about = Subkeys::new(edit.effects().interest);
        about.note_all(names());
        edit.also_about(EXPIRE, about);
        log_absolute(cx, &request, deadline);
    }
    Ok(())
}

/// Logs the command with its deadline in absolute time.
fn log_absolute(cx: &mut Cx<'_>, request: &Request<'_>, deadline: UnixMs) {
    let mut time = Vec::new();
    stdx::num::write_u64(&mut time, deadline);
    let mut args: Vec<&[u8]> = cx.args.iter().collect();
    args[request.time_at] = b"PXAT";
    args[request.time_at + 1] = &time;
    cx.log(&args);
}
