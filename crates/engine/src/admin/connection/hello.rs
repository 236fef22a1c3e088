//! `HELLO`: chooses the protocol version, authenticates and names the connection in one step.

use command::spec::Arg;
use command::{Command, CommandError, Group, Spec};
use resp::Version;

use super::auth::authenticate;
use super::client::names::{is_valid, name_error};
use super::{CONNECTION, HANDSHAKE};
use crate::admin::{AdminCommand, AdminCx, AdminHandler};
use crate::engine::REDIS_VERSION;

/// `HELLO [protover [AUTH username password] [SETNAME clientname]]`
pub static HELLO: AdminCommand = Command::new(
    Spec::new(
        "hello",
        Group::Connection,
        "6.0.0",
        -1,
        "O(1)",
        "Agrees on the protocol version and tells about the server.",
    )
    .flags(HANDSHAKE.union(command::Flags::SENSITIVE))
    .acl(CONNECTION)
    .history(&[("6.2.0", "`protover` is optional: without it the current context is reported.")])
    .args(&[Arg::block(
        "arguments",
        &[
            Arg::integer("protover"),
            Arg::block("auth", &[Arg::string("username"), Arg::string("password")])
                .token("AUTH")
                .optional(),
            Arg::string("clientname").token("SETNAME").optional(),
        ],
    )
    .optional()]),
    hello as AdminHandler,
);

#[derive(Default)]
struct Options<'a> {
    version: Option<Version>,
    credentials: Option<(&'a [u8], &'a [u8])>,
    name: Option<&'a [u8]>,
}

fn parse<'a>(admin: &AdminCx<'a>) -> Result<Options<'a>, CommandError> {
    let mut options = Options::default();
    let mut args = admin.cx.reader();
    if args.more() {
        let error = "ERR Protocol version is not an integer or out of range";
        let version = args.integer_or(CommandError::request(error));
        args.check()?;
        options.version = Some(match version {
            2 => Version::Resp2,
            3 => Version::Resp3,
            _ => return Err(CommandError::request("NOPROTO unsupported protocol version")),
        });
    }
    while args.more() {
        if args.remaining() >= 3 && args.token("AUTH") {
            options.credentials = Some((args.bytes(), args.bytes()));
        } else if args.option("SETNAME") {
            options.name = Some(args.bytes());
        } else {
            let before = "ERR Syntax error in HELLO option '";
            return Err(CommandError::quoting(before, args.bytes(), "'"));
        }
    }
    if options.name.is_some_and(|name| !is_valid(name)) {
        return Err(name_error("Client names"));
    }
    Ok(options)
}

fn hello(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let options = parse(admin)?;
    if let Some((user, password)) = options.credentials {
        authenticate(admin, user, password)?;
    }
    if !admin.session.authenticated {
        return Err(CommandError::state(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the \
             HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and \
             select the RESP protocol version at the same time",
        ));
    }
    if let Some(name) = options.name {
        admin.session.handle.edit_names(|names| names.name = name.into());
    }
    if let Some(version) = options.version {
        admin.session.set_version(version);
        admin.cx.reply.set_version(version);
    }
    let (version, id) = (admin.session.version(), admin.session.id());
    let reply = &mut *admin.cx.reply;
    reply.map(7);
    for (field, value) in [("server", "redis"), ("version", REDIS_VERSION)] {
        reply.bulk(field.as_bytes());
        reply.bulk(value.as_bytes());
    }
    reply.bulk(b"proto");
    reply.integer(version.number());
    reply.bulk(b"id");
    reply.integer(id as i64);
    for (field, value) in [("mode", "standalone"), ("role", "master")] {
        reply.bulk(field.as_bytes());
        reply.bulk(value.as_bytes());
    }
    reply.bulk(b"modules");
    reply.array(0);
    Ok(())
}
