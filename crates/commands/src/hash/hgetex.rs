//! `HGETEX`: the values of fields, whose deadlines are set or removed.

use collections::hash::Hash;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change, UnixMs};

use super::fields::{self, FIELDS};
use super::get::reply_value;
use super::options::{self, Kind};
use super::{EXPIRE, PERSIST, REMOVED};
use crate::string::expiry::documented;

/// `HGETEX key [EX seconds | PX ms | EXAT unix-seconds | PXAT unix-ms | PERSIST] FIELDS numfields
/// field [field ...]`.
pub(super) static HGETEX: DataCommand = DataCommand::new(
    Spec::new(
        "hgetex",
        Group::Hash,
        "8.0.0",
        -5,
        "O(N) for N fields.",
        "Returns the values of fields of a hash and sets or removes the deadlines of the fields.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::HASH)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))
        .notes("RW and UPDATE because it changes the TTL")])
    .args(&[Arg::key("key", 0), Arg::one_of("expiration", EXPIRATIONS).optional(), FIELDS]),
    run,
);

const EXPIRATIONS: &[Arg] = &documented(Arg::word("persist", "PERSIST"));

/// What becomes of the deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stay,
    Persist,
    Expire(UnixMs),
    /// The deadline has passed already.
    Go,
}

fn parse<'a>(cx: &Cx<'a>) -> Result<(Fate, Vec<&'a [u8]>), CommandError> {
    let options = options::parse(cx, Kind::Get)?;
    let fate = match options.deadline {
        Some(deadline) if cx.db.is_due(deadline) => Fate::Go,
        Some(deadline) => Fate::Expire(deadline),
        None if options.persist => Fate::Persist,
        None => Fate::Stay,
    };
    Ok((fate, options.words))
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    fields::check_type(cx)?;
    let (fate, fields) = parse(cx)?;
    cx.reply.array(fields.len());
    let reply = &mut *cx.reply;
    let mut edit = cx.db.edit(cx.args.get(1).unwrap_or_default());
    edit.expire_fields(fields.iter().copied());
    let changed = edit.update_elements(Absent::Ignore, |hash: &mut Hash, about| {
        let mut changed = Vec::new();
        if fate != Fate::Stay {
            // The encoding shows that somebody tried, as with `HEXPIRE`.
            hash.expect_deadlines();
        }
        for &field in &fields {
            reply_value(reply, Some(hash), field, 0);
            if meet(hash, field, fate) {
                about.note(field);
                changed.push(field);
            }
        }
        let event = match fate {
            Fate::Stay | Fate::Expire(_) => EXPIRE,
            Fate::Persist => PERSIST,
            Fate::Go => REMOVED,
        };
        match changed.len() as u64 {
            0 => Change::none(changed),
            count => Change::made(if fate == Fate::Go { count } else { 1 }, event, changed),
        }
    })?;
    let Some(changed) = changed else {
        fields.iter().for_each(|_| cx.reply.null());
        return Ok(());
    };
    match fate {
        _ if changed.is_empty() => {}
        Fate::Stay => {}
        Fate::Persist => fields::log(cx, b"HPERSIST", &[], &changed),
        Fate::Expire(deadline) => fields::log_deadline(cx, deadline, None, &changed),
        Fate::Go => fields::log_removals(cx, &changed),
    }
    Ok(())
}

/// Lets a field meet its fate; whether that changed anything.
fn meet(hash: &mut Hash, field: &[u8], fate: Fate) -> bool {
    match fate {
        Fate::Stay => false,
        Fate::Persist => {
            let has_one = hash.find(field).is_some_and(|field| field.deadline.is_some());
            has_one && hash.set_deadline(field, None)
        }
        Fate::Expire(deadline) => hash.set_deadline(field, Some(deadline)),
        Fate::Go => hash.remove(field),
    }
}
