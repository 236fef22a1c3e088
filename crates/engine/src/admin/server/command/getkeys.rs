//! `COMMAND GETKEYS`, `GETKEYSANDFLAGS`.

use ::command::spec::Arg;
use ::command::{Command, CommandError, Group, Spec};

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
    let mut found = Vec::new();
    inner_keys(admin, |key| found.push(key.index))?;
    let inner = admin.cx.args.tail(2);
    admin.cx.reply.array(found.len());
    for index in found {
        admin.cx.reply.bulk(inner.get(index).unwrap_or_default());
    }
    Ok(())
}

fn getkeysandflags(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let mut found = Vec::new();
    inner_keys(admin, |key| found.push(key))?;
    let inner = admin.cx.args.tail(2);
    admin.cx.reply.array(found.len());
    for key in found {
        admin.cx.reply.array(2);
        admin.cx.reply.bulk(inner.get(key.index).unwrap_or_default());
        names(admin.cx.reply, key.flags.names().collect(), "");
    }
    Ok(())
}
