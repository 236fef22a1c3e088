//! `CLIENT KILL`, `CLIENT UNBLOCK`: acting on other connections.

use command::spec::Arg;
use command::{Command, CommandError, Flags, Group, Spec};
use stdx::num::parse_i64;

use super::filter::{FILTERS, Filter, Purpose};
use crate::admin::connection::{ALWAYS, CONNECTION};
use crate::admin::{AdminCommand, AdminCx, AdminHandler};
use crate::call::Flow;

/// `CLIENT KILL ip:port | filter ...`
pub static KILL: AdminCommand = Command::new(
    Spec::new(
        "kill",
        Group::Connection,
        "2.4.0",
        -3,
        "O(N) where N is the number of client connections",
        "Closes connections.",
    )
    .flags(ALWAYS.union(Flags::ADMIN))
    .acl(CONNECTION)
    .history(&[
        ("2.8.12", "Added new filter format."),
        ("2.8.12", "`ID` option."),
        ("3.2.0", "Added `master` type in for `TYPE` option."),
        ("5.0.0", "Replaced `slave` `TYPE` with `replica`, which is still accepted."),
        ("6.2.0", "`LADDR` option."),
        ("7.4.0", "`MAXAGE` option."),
    ])
    .args(&[Arg::one_of(
        "filter",
        &[
            Arg::string("old-format").display("ip:port").deprecated("2.8.12"),
            Arg::one_of("new-format", FILTERS).multiple(),
        ],
    )]),
    kill as AdminHandler,
);

/// `CLIENT UNBLOCK client-id [TIMEOUT | ERROR]`
pub static UNBLOCK: AdminCommand = Command::new(
    Spec::new(
        "unblock",
        Group::Connection,
        "5.0.0",
        -3,
        "O(log N) where N is the number of client connections",
        "Wakes a client that waits in a blocking command.",
    )
    .flags(ALWAYS.union(Flags::ADMIN))
    .acl(CONNECTION)
    .args(&[
        Arg::integer("client-id"),
        Arg::one_of(
            "unblock-type",
            &[Arg::word("timeout", "TIMEOUT"), Arg::word("error", "ERROR")],
        )
        .optional(),
    ]),
    unblock as AdminHandler,
);

fn kill(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    // The old form has one argument, the address, and spares nobody.
    let old_form = admin.cx.args.len() == 3;
    let filter = if old_form {
        Filter::of_address(admin.cx.arg(2)?)
    } else {
        let mut args = admin.cx.reader();
        args.bytes();
        Filter::parse(args, Purpose::Kill, admin.engine)?
    };
    let skip_me = filter.skip_me.unwrap_or(true);
    let (own, now) = (admin.session.id(), admin.cx.db.now());
    let mut killed = 0;
    for client in admin.engine.clients.all() {
        if (skip_me && client.id == own) || !filter.matches(&client, now) {
            continue;
        }
        killed += 1;
        if client.id == own {
            // The reply is sent first.
            admin.flow = Flow::Close;
        } else {
            admin.engine.kill(&client, false);
        }
    }
    match (old_form, killed) {
        (true, 0) => return Err(CommandError::state("ERR No such client")),
        (true, _) => admin.cx.reply.ok(),
        (false, _) => admin.cx.reply.integer(killed),
    }
    Ok(())
}

fn unblock(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let mut args = admin.cx.reader();
    let name = args.bytes();
    if args.remaining() > 2 {
        return Err(CommandError::subcommand("CLIENT", name));
    }
    let id = args.bytes();
    // The reason is judged before the id.
    let with_error = args.more() && !args.token("TIMEOUT");
    if with_error && !args.token("ERROR") {
        let text = "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR";
        return Err(CommandError::request(text));
    }
    args.finish()?;
    let id = parse_i64(id).ok_or(CommandError::NOT_INTEGER)?;
    let ended =
        u64::try_from(id).is_ok_and(|id| admin.engine.unblock(id, with_error, admin.thread));
    admin.cx.reply.integer(i64::from(ended));
    Ok(())
}
