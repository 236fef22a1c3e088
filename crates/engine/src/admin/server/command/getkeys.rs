//! `COMMAND GETKEYS`, `GETKEYSANDFLAGS`.

use ::command::spec::Arg;
use ::command::{Command, CommandError, Group, KeyFlags, Spec};
use resp::Args;

use super::{CATEGORIES, inner_keys, names};
use crate::admin::server::OPEN;
use crate::admin::{AdminCommand, AdminCx, AdminHandler};

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
        let answers = args.iter().skip(3).any(|arg| is(arg, "GET"));
        if answers { change } else { KeyFlags::OW.union(KeyFlags::UPDATE) }
    } else if is(name, "BITFIELD") {
        if only_reads(args) { KeyFlags::RO.union(KeyFlags::ACCESS) } else { change }
    } else {
        // `DELEX`: a condition makes it look at the value first.
        let kind = if args.len() > 2 { KeyFlags::RW } else { KeyFlags::RM };
        kind.union(KeyFlags::DELETE)
    }
}
