//! `CLIENT SETNAME`, `GETNAME`, `SETINFO`, `CAPA`: what a client tells about itself.

use std::sync::atomic::Ordering;

use command::spec::Arg;
use command::{Command, CommandError, Group, Spec};

use crate::admin::connection::{ALWAYS, CONNECTION};
use crate::admin::{AdminCommand, AdminCx, AdminHandler};

/// `CLIENT SETNAME name`
pub static SETNAME: AdminCommand = Command::new(
    Spec::new("setname", Group::Connection, "2.6.9", 3, "O(1)", "Names the connection.")
        .flags(ALWAYS)
        .acl(CONNECTION)
        .args(&[Arg::string("connection-name")])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    set_name as AdminHandler,
);

/// `CLIENT GETNAME`
pub static GETNAME: AdminCommand = Command::new(
    Spec::new("getname", Group::Connection, "2.6.9", 2, "O(1)", "Tells the connection's name.")
        .flags(ALWAYS)
        .acl(CONNECTION),
    get_name as AdminHandler,
);

/// `CLIENT SETINFO LIB-NAME name | LIB-VER version`
pub static SETINFO: AdminCommand = Command::new(
    Spec::new(
        "setinfo",
        Group::Connection,
        "7.2.0",
        4,
        "O(1)",
        "Tells the server which client library is in use.",
    )
    .flags(ALWAYS)
    .acl(CONNECTION)
    .args(&[Arg::one_of(
        "attr",
        &[Arg::string("libname").token("LIB-NAME"), Arg::string("libver").token("LIB-VER")],
    )])
    .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    set_info as AdminHandler,
);

/// `CLIENT CAPA capability [capability ...]`
pub static CAPA: AdminCommand = Command::new(
    Spec::new(
        "capa",
        Group::Connection,
        "8.0.0",
        -3,
        "O(1)",
        "Tells the server what the client is capable of.",
    )
    .flags(ALWAYS)
    .acl(CONNECTION)
    .args(&[Arg::string("capability").multiple()]),
    set_capabilities as AdminHandler,
);

/// Whether a name has only printable characters and no spaces.
pub(in crate::admin::connection) fn is_valid(name: &[u8]) -> bool {
    name.iter().all(|byte| (b'!'..=b'~').contains(byte))
}

/// The refusal of a name that is not valid; `what` begins the sentence.
pub(in crate::admin::connection) fn name_error(what: &str) -> CommandError {
    let rest = "cannot contain spaces, newlines or special characters.";
    CommandError::request(format!("ERR {what} {rest}"))
}

fn ok(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    admin.cx.reply.ok();
    Ok(())
}

/// Capabilities that are not known are ignored. That a client follows redirections is of use where
/// there is somewhere to redirect it to.
fn set_capabilities(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    if admin.cx.args.iter().skip(2).any(|word| word.eq_ignore_ascii_case(b"redirect")) {
        admin.session.handle.can_redirect.store(true, Ordering::Relaxed);
    }
    ok(admin)
}

fn set_name(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let name = admin.cx.arg(2)?;
    if !is_valid(name) {
        return Err(name_error("Client names"));
    }
    admin.session.handle.edit_names(|names| names.name = name.into());
    ok(admin)
}

fn get_name(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let name = admin.session.handle.names().name;
    if name.is_empty() {
        admin.cx.reply.null();
    } else {
        admin.cx.reply.bulk(&name);
    }
    Ok(())
}

fn set_info(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let (attribute, value) = (admin.cx.arg(2)?, admin.cx.arg(3)?);
    let is_name = attribute.eq_ignore_ascii_case(b"lib-name");
    if !is_name && !attribute.eq_ignore_ascii_case(b"lib-ver") {
        return Err(CommandError::quoting("ERR Unrecognized option '", attribute, "'"));
    }
    if !is_valid(value) {
        return Err(name_error(&String::from_utf8_lossy(attribute)));
    }
    admin.session.handle.edit_names(|names| {
        let field = if is_name { &mut names.lib_name } else { &mut names.lib_version };
        *field = value.into();
    });
    ok(admin)
}
