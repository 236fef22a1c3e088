//! `HSETEX`: gives fields their values and a deadline, under conditions.

use collections::hash::{Field, Hash};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change, Subkeys, UnixMs};

use super::fields;
use super::options::{self, Kind, Options};
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

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let request = options::parse(cx, Kind::Set)?;
    let (pairs, _) = request.words.as_chunks::<2>();
    let passed = request.deadline.is_some_and(|deadline| cx.db.is_due(deadline));
    let limits = limits(cx);
    let mut edit = cx.db.edit(cx.args.get(1).unwrap_or_default());
    let names = || pairs.iter().map(|[field, _]| *field);
    let failing = request.present.and_then(|wanted| {
        let hash = edit.get::<Hash>().ok().flatten();
        let found = |name| hash.and_then(|hash| hash.find(name));
        let is_live = |field: Field<'_>| field.deadline.is_none_or(|at| !edit.is_due(at));
        names().position(|name| found(name).is_some_and(is_live) != wanted)
    });
    let met = failing.is_none();
    // Values that come unconditionally cover what is due, so that nothing has to go before them.
    // The fields behind the one that fails the condition are not looked at.
    if request.present.is_some() || request.keep {
        edit.expire_before_update(names().take(failing.map_or(pairs.len(), |at| at + 1)));
    }
    let count = pairs.len() as u64;
    edit.update_elements(Absent::Create, |hash: &mut Hash, about| {
        if !met {
            return Change::none(());
        }
        hash.expect(&limits, pairs.len());
        if request.deadline.is_some() {
            hash.expect_deadlines();
        }
        for &[field, value] in pairs {
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
fn log_absolute(cx: &mut Cx<'_>, request: &Options<'_>, deadline: UnixMs) {
    let mut time = Vec::new();
    stdx::num::write_u64(&mut time, deadline);
    let mut args: Vec<&[u8]> = cx.args.iter().collect();
    args[request.time_at] = b"PXAT";
    args[request.time_at + 1] = &time;
    cx.log(&args);
}
