//! `COMMAND GETKEYS`, `GETKEYSANDFLAGS`.

use ::command::keys::{FoundKey, InvalidKeys, find_keys};
use ::command::spec::{Arg, Begin, Find};
use ::command::{Command, CommandError, Flags, Group, KeyFlags, KeySpec, Spec};
use resp::Args;

use super::{CATEGORIES, names};
use crate::admin::server::OPEN;
use crate::admin::{AdminCommand, AdminCx, AdminHandler};
use crate::registry::Entry;

const ARGS: &[Arg] = &[Arg::string("command"), Arg::string("arg").optional().multiple()];
const COMPLEXITY: &str = "O(N) where N is the number of arguments to the command";

pub(super) static GETKEYS: AdminCommand = Command::new(
    Spec::new(
        "getkeys",
        Group::Server,
        "2.8.13",
        -3,
        COMPLEXITY,
        "Tells the keys of a command line.",
    )
    .flags(OPEN)
    .acl(CATEGORIES)
    .args(ARGS),
    getkeys as AdminHandler,
);

pub(super) static GETKEYSANDFLAGS: AdminCommand = Command::new(
    Spec::new(
        "getkeysandflags",
        Group::Server,
        "7.0.0",
        -3,
        COMPLEXITY,
        "Tells the keys of a command line and what is done with them.",
    )
    .flags(OPEN)
    .acl(CATEGORIES)
    .args(ARGS),
    getkeysandflags as AdminHandler,
);

fn getkeys(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let (found, inner) = (inner_keys(admin)?, admin.cx.args.tail(2));
    admin.cx.reply.array(found.len());
    for key in found {
        admin.cx.reply.bulk(inner.get(key.index).unwrap_or_default());
    }
    Ok(())
}

fn getkeysandflags(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let (found, inner) = (inner_keys(admin)?, admin.cx.args.tail(2));
    admin.cx.reply.array(found.len());
    for key in found {
        admin.cx.reply.array(2);
        admin.cx.reply.bulk(inner.get(key.index).unwrap_or_default());
        let flags = actual_flags(inner, key.flags);
        names(admin.cx.reply, flags.names().collect(), "");
    }
    Ok(())
}

/// The entry that a command line inside another names.
fn inner_entry(admin: &AdminCx<'_>) -> Result<&'static Entry, CommandError> {
    let inner = admin.cx.args.tail(2);
    admin
        .engine
        .registry
        .resolve(inner)
        .map_err(|_| CommandError::request("ERR Invalid command specified"))
}

/// The keys of the command line inside the arguments.
fn inner_keys(admin: &AdminCx<'_>) -> Result<Vec<FoundKey>, CommandError> {
    let (entry, inner) = (inner_entry(admin)?, admin.cx.args.tail(2));
    // What only routes like a key is none.
    if entry.spec.keys.iter().all(|spec| spec.flags.contains(KeyFlags::NOT_KEY)) {
        return Err(CommandError::request("ERR The command has no key arguments"));
    }
    if !entry.spec.accepts(inner.len()) {
        let text = "ERR Invalid number of arguments specified for command";
        return Err(CommandError::request(text));
    }
    match keys(entry.spec, inner) {
        Ok(found) => Ok(found),
        Err(InvalidKeys) if entry.has(Flags::NO_MANDATORY_KEYS) => Ok(Vec::new()),
        Err(InvalidKeys) => {
            Err(CommandError::request("ERR Invalid arguments specified for command"))
        }
    }
}

/// The keys of a command line as Redis tells them. By the key specs a count must be a whole number
/// of 32 bits. Where it is none, older code is asked, which names counted keys first, knows not
/// what is done with a key, and does not know commands that have words between their keys.
fn keys(spec: &Spec, args: Args<'_>) -> Result<Vec<FoundKey>, InvalidKeys> {
    let mut found = Vec::new();
    find_keys(spec, args, |key| found.push(key))?;
    let Some((counted, step)) = spec.keys.iter().find_map(|key| loose_count(key, args)) else {
        return Ok(found);
    };
    if step > 1 {
        return Err(InvalidKeys);
    }
    found.sort_by_key(|key| key.index < counted);
    found.iter_mut().for_each(|key| key.flags = KeyFlags::NONE);
    Ok(found)
}

/// The place of a count of keys that is no whole number, and the distance between the keys.
fn loose_count(spec: &KeySpec, args: Args<'_>) -> Option<(usize, u16)> {
    let (Begin::Index(begin), Find::KeyNum { count, step, .. }) = (spec.begin, spec.find) else {
        return None;
    };
    let at = usize::from(begin) + usize::from(count);
    let whole = stdx::num::parse_i64(args.get(at)?).and_then(|count| i32::try_from(count).ok());
    whole.is_none().then_some((at, step))
}

/// Whether `BITFIELD` has no other operations than `GET`. What is no operation at all may be
/// anything.
fn only_reads(args: Args<'_>) -> bool {
    let mut rest = args.iter().skip(2);
    while let Some(word) = rest.next() {
        let last = if word.eq_ignore_ascii_case(b"GET") {
            rest.nth(1)
        } else if word.eq_ignore_ascii_case(b"OVERFLOW") {
            rest.next()
        } else {
            None
        };
        if last.is_none() {
            return false;
        }
    }
    true
}

/// What this very command line does with its key, where the command's options decide that.
fn actual_flags(args: Args<'_>, declared: KeyFlags) -> KeyFlags {
    if !declared.contains(KeyFlags::VARIABLE_FLAGS) {
        return declared;
    }
    let is = |arg: &[u8], word: &str| arg.eq_ignore_ascii_case(word.as_bytes());
    let change = KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE);
    let name = args.name();
    if is(name, "SET") {
        // What is behind the value is looked at word by word, whether or not it is an option there.
        let has = |words: &[&str]| args.iter().skip(3).any(|arg| words.iter().any(|w| is(arg, w)));
        if has(&["GET"]) {
            change
        } else if has(&["IFEQ", "IFNE", "IFDEQ", "IFDNE"]) {
            KeyFlags::RW.union(KeyFlags::UPDATE)
        } else {
            KeyFlags::OW.union(KeyFlags::UPDATE)
        }
    } else if is(name, "BITFIELD") {
        if only_reads(args) { KeyFlags::RO.union(KeyFlags::ACCESS) } else { change }
    } else {
        // `DELEX`: a condition makes it look at the value first.
        let kind = if args.len() > 2 { KeyFlags::RW } else { KeyFlags::RM };
        kind.union(KeyFlags::DELETE)
    }
}
