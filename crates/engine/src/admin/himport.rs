//! `HIMPORT`: many hashes with the same fields, whose names are sent once for each connection.
//!
//! A data command could not do this: the names belong to the session. What happens to the key is
//! in [`commands::hash::import`].

use command::spec::Arg;
use command::{Categories, Command, CommandError, Flags, Group, KeyFlags, KeySpec, Spec};

use super::{AdminCommand, AdminCx, AdminHandler, container};
use crate::fieldsets::{Fieldset, Fieldsets, Repeated};

/// The family's table.
pub const COMMANDS: &[&AdminCommand] = &[&HIMPORT];

const SINCE: &str = "8.10.0";
const TIPS: &[&str] = &["request_policy:all_shards"];
const NAME: Arg = Arg::string("fieldset-name");

/// `HIMPORT subcommand ...`
pub static HIMPORT: AdminCommand = Command::container(
    Spec::new(
        "himport",
        Group::Hash,
        SINCE,
        -2,
        "Depends on the subcommand.",
        "Holds the commands that import hashes by lists of field names.",
    )
    .acl(Categories::HASH),
    container as AdminHandler,
    &[&DISCARD, &DISCARDALL, &PREPARE, &SET],
);

static DISCARD: AdminCommand = Command::new(
    Spec::new(
        "discard",
        Group::Hash,
        SINCE,
        3,
        "O(log(N)) where N is the number of the connection's fieldsets.",
        "Forgets a list of field names.",
    )
    .acl(Categories::HASH)
    .args(&[NAME])
    .tips(TIPS),
    discard as AdminHandler,
);

static DISCARDALL: AdminCommand = Command::new(
    Spec::new(
        "discardall",
        Group::Hash,
        SINCE,
        2,
        "O(N) where N is the number of the connection's fieldsets.",
        "Forgets all lists of field names of the connection.",
    )
    .acl(Categories::HASH)
    .tips(TIPS),
    discard_all as AdminHandler,
);

static PREPARE: AdminCommand = Command::new(
    Spec::new(
        "prepare",
        Group::Hash,
        SINCE,
        -4,
        "O(N*log(N)) where N is the number of fields.",
        "Gives a list of field names a name, for the connection.",
    )
    .flags(Flags::DENYOOM)
    .acl(Categories::HASH)
    .args(&[NAME, Arg::string("field").multiple()])
    .tips(TIPS),
    prepare as AdminHandler,
);

static SET: AdminCommand = Command::new(
    Spec::new(
        "set",
        Group::Hash,
        SINCE,
        -5,
        "O(N) where N is the number of fields.",
        "Stores a hash: the fields of a prepared list with these values.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM))
    .acl(Categories::HASH)
    .keys(&[KeySpec::range(KeyFlags::OW.union(KeyFlags::UPDATE), 2, 0, 1)])
    .args(&[Arg::key("key", 0), NAME, Arg::string("value").multiple()]),
    set as AdminHandler,
);

fn discard(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let name = admin.cx.arg(2)?;
    let is_removed = admin.session.edit_fieldsets(|fieldsets| fieldsets.remove(name));
    admin.cx.reply.integer(i64::from(is_removed));
    Ok(())
}

fn discard_all(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let count = admin.session.edit_fieldsets(Fieldsets::clear);
    admin.cx.reply.integer(count as i64);
    Ok(())
}

fn prepare(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let name = admin.cx.arg(2)?;
    let repeated = |Repeated| CommandError::request("ERR duplicate field name in fieldset");
    let fieldset = Fieldset::new(admin.cx.args.tail(3)).map_err(repeated)?;
    admin.session.edit_fieldsets(|fieldsets| fieldsets.insert(name, fieldset));
    admin.cx.reply.ok();
    Ok(())
}

fn set(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let (key, name, values) = (admin.cx.arg(2)?, admin.cx.arg(3)?, admin.cx.args.tail(4));
    let fieldsets = admin.session.fieldsets.as_deref();
    let fieldset = fieldsets.and_then(|fieldsets| fieldsets.get(name));
    let fieldset = fieldset.ok_or_else(|| CommandError::state("ERR no such fieldset"))?;
    if fieldset.len() != values.len() {
        let text = "ERR value count does not match fieldset field count";
        return Err(CommandError::request(text));
    }
    let fields = fieldset.with(values);
    commands::hash::import::replace(&mut admin.cx, key, fieldset.len(), fields)?;
    admin.cx.reply.ok();
    Ok(())
}
