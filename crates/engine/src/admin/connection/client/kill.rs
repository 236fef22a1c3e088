//! `CLIENT KILL`, `CLIENT UNBLOCK`: acting on other connections.

use command::spec::Arg;
use command::{Command, CommandError, Flags, Group, Spec};
use stdx::num::parse_i64;

use super::list::ClientType;
use crate::admin::connection::{ALWAYS, CONNECTION};
use crate::admin::{AdminCommand, AdminCx, AdminHandler};
use crate::call::Flow;
use crate::clients::ClientHandle;

const TYPES: &[Arg] = &[
    Arg::word("normal", "NORMAL"),
    Arg::word("master", "MASTER").since("3.2.0"),
    Arg::word("slave", "SLAVE"),
    Arg::word("replica", "REPLICA").since("5.0.0"),
    Arg::word("pubsub", "PUBSUB"),
];

const FILTERS: &[Arg] = &[
    Arg::integer("client-id").token("ID").optional().since("2.8.12"),
    Arg::one_of("client-type", TYPES).token("TYPE").optional().since("2.8.12"),
    Arg::string("username").token("USER").optional(),
    Arg::string("addr").display("ip:port").token("ADDR").optional(),
    Arg::string("laddr").display("ip:port").token("LADDR").optional().since("6.2.0"),
    Arg::one_of("skipme", &[Arg::word("yes", "YES"), Arg::word("no", "NO")])
        .token("SKIPME")
        .optional(),
    Arg::integer("maxage").token("MAXAGE").optional().since("7.4.0"),
];

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

struct Filter<'a> {
    id: Option<u64>,
    kind: Option<ClientType>,
    user: Option<&'a [u8]>,
    address: Option<&'a [u8]>,
    local_address: Option<&'a [u8]>,
    min_age_s: Option<u64>,
    skip_me: bool,
}

impl Filter<'_> {
    const ALL: Self = Self {
        id: None,
        kind: None,
        user: None,
        address: None,
        local_address: None,
        min_age_s: None,
        skip_me: true,
    };

    fn matches(&self, client: &ClientHandle, now_ms: u64) -> bool {
        let age_s = now_ms.saturating_sub(client.connected_ms) / 1000;
        self.id.is_none_or(|id| client.id == id)
            && self.kind.is_none_or(|kind| ClientType::of(client) == kind)
            && self.user.is_none_or(|user| client.names().user.as_bytes() == user)
            && self.address.is_none_or(|a| client.endpoint.address.as_bytes() == a)
            && self.local_address.is_none_or(|a| client.endpoint.local_address.as_bytes() == a)
            && self.min_age_s.is_none_or(|min| age_s >= min)
    }
}

fn parse<'a>(admin: &AdminCx<'a>) -> Result<Filter<'a>, CommandError> {
    let mut filter = Filter::ALL;
    let mut args = admin.cx.reader();
    args.bytes();
    while args.more() {
        if args.option("ID") {
            let error = CommandError::request("ERR client-id should be greater than 0");
            let id = args.integer_in(1..=i64::MAX, error);
            filter.id = Some(id.unsigned_abs());
        } else if args.option("TYPE") {
            let word = args.bytes();
            filter.kind = Some(ClientType::parse(word)?);
        } else if args.option("ADDR") {
            filter.address = Some(args.bytes());
        } else if args.option("LADDR") {
            filter.local_address = Some(args.bytes());
        } else if args.option("USER") {
            let user = args.bytes();
            if user != b"default" {
                return Err(CommandError::quoting("ERR No such user '", user, "'"));
            }
            filter.user = Some(user);
        } else if args.option("MAXAGE") {
            let not_number = CommandError::request("ERR maxage is not an integer or out of range");
            let age = args.integer_or(not_number);
            if age <= 0 {
                args.fail(CommandError::request("ERR maxage should be greater than 0"));
            }
            filter.min_age_s = Some(age.unsigned_abs());
        } else if args.option("SKIPME") {
            filter.skip_me = args.token("YES");
            if !filter.skip_me && !args.token("NO") {
                args.unknown();
            }
        } else {
            args.unknown();
        }
    }
    args.finish()?;
    Ok(filter)
}

fn kill(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    // The old form has one argument, the address, and spares nobody.
    let old_form = admin.cx.args.len() == 3;
    let filter = if old_form {
        Filter { address: Some(admin.cx.arg(2)?), skip_me: false, ..Filter::ALL }
    } else {
        parse(admin)?
    };
    let (own, now) = (admin.session.id(), admin.cx.db.now());
    let mut killed = 0;
    for client in admin.engine.clients.all() {
        if (filter.skip_me && client.id == own) || !filter.matches(&client, now) {
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
