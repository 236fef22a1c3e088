//! `SLOWLOG`, and `COMMANDLOG`, which knows large requests and replies too.

use ::command::spec::Arg;
use ::command::{Command, CommandError, Flags, Group, Spec};

use super::OPEN;
use crate::admin::{AdminCommand, AdminCx, AdminHandler, container, write_help};
use crate::command_log::{Kind, Record};

const LOGGED: Flags = OPEN.union(Flags::ADMIN);
const NUMBER: &[&str] =
    &["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"];
const RESET: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];
const RECORDS: &[&str] = &["request_policy:all_nodes", "nondeterministic_output"];
const TYPES: &[Arg] = &[
    Arg::word("slow", "SLOW"),
    Arg::word("large-request", "LARGE-REQUEST"),
    Arg::word("large-reply", "LARGE-REPLY"),
];

/// `SLOWLOG subcommand ...`
pub static SLOWLOG: AdminCommand = Command::container(
    Spec::new(
        "slowlog",
        Group::Server,
        "2.2.12",
        -2,
        "Depends on subcommand.",
        "A container for commands on the slow log.",
    ),
    container as AdminHandler,
    &[&SLOWLOG_GET, &SLOWLOG_HELP, &SLOWLOG_LEN, &SLOWLOG_RESET],
);

static SLOWLOG_GET: AdminCommand = Command::new(
    Spec::new(
        "get",
        Group::Server,
        "2.2.12",
        -2,
        "O(N) where N is the number of entries returned",
        "Returns the newest entries of the slow log.",
    )
    .flags(LOGGED)
    .history(&[("4.0.0", "Added client IP address, port and name to the reply.")])
    .args(&[Arg::integer("count").optional()])
    .tips(RECORDS),
    slowlog_get as AdminHandler,
);

static SLOWLOG_LEN: AdminCommand = Command::new(
    Spec::new("len", Group::Server, "2.2.12", 2, "O(1)", "Counts the entries of the slow log.")
        .flags(LOGGED)
        .tips(NUMBER),
    |admin| write_len(admin, Kind::Slow),
);

static SLOWLOG_RESET: AdminCommand = Command::new(
    Spec::new(
        "reset",
        Group::Server,
        "2.2.12",
        2,
        "O(N) where N is the number of entries in the slow log",
        "Forgets the entries of the slow log.",
    )
    .flags(LOGGED)
    .tips(RESET),
    |admin| reset(admin, Kind::Slow),
);

static SLOWLOG_HELP: AdminCommand = Command::new(
    Spec::new("help", Group::Server, "6.2.0", 2, "O(1)", "Lists the subcommands.").flags(OPEN),
    slowlog_help as AdminHandler,
);

/// `COMMANDLOG subcommand ...`
pub static COMMANDLOG: AdminCommand = Command::container(
    Spec::new(
        "commandlog",
        Group::Server,
        "8.1.0",
        -2,
        "Depends on subcommand.",
        "A container for commands on the logs of remarkable commands.",
    ),
    container as AdminHandler,
    &[&COMMANDLOG_GET, &COMMANDLOG_HELP, &COMMANDLOG_LEN, &COMMANDLOG_RESET],
);

static COMMANDLOG_GET: AdminCommand = Command::new(
    Spec::new(
        "get",
        Group::Server,
        "8.1.0",
        4,
        "O(N) where N is the number of entries returned",
        "Returns the newest entries of a log.",
    )
    .flags(LOGGED)
    .args(&[Arg::integer("count"), Arg::one_of("type", TYPES)])
    .tips(RECORDS),
    commandlog_get as AdminHandler,
);

static COMMANDLOG_LEN: AdminCommand = Command::new(
    Spec::new("len", Group::Server, "8.1.0", 3, "O(1)", "Counts the entries of a log.")
        .flags(LOGGED)
        .args(&[Arg::one_of("type", TYPES)])
        .tips(NUMBER),
    |admin| write_len(admin, parse_kind(admin.cx.arg(2)?)?),
);

static COMMANDLOG_RESET: AdminCommand = Command::new(
    Spec::new(
        "reset",
        Group::Server,
        "8.1.0",
        3,
        "O(N) where N is the number of entries in the log",
        "Forgets the entries of a log.",
    )
    .flags(LOGGED)
    .args(&[Arg::one_of("type", TYPES)])
    .tips(RESET),
    |admin| reset(admin, parse_kind(admin.cx.arg(2)?)?),
);

static COMMANDLOG_HELP: AdminCommand = Command::new(
    Spec::new("help", Group::Server, "8.1.0", 2, "O(1)", "Lists the subcommands.").flags(OPEN),
    commandlog_help as AdminHandler,
);

fn parse_kind(word: &[u8]) -> Result<Kind, CommandError> {
    match word.to_ascii_lowercase().as_slice() {
        b"slow" => Ok(Kind::Slow),
        b"large-request" => Ok(Kind::LargeRequest),
        b"large-reply" => Ok(Kind::LargeReply),
        _ => Err(CommandError::request(
            "ERR type should be one of the following: slow, large-request, large-reply",
        )),
    }
}

fn slowlog_get(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    if admin.cx.args.len() > 3 {
        return Err(CommandError::subcommand("SLOWLOG", admin.cx.arg(1)?));
    }
    get(admin, Kind::Slow)
}

fn commandlog_get(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let kind = parse_kind(admin.cx.arg(3)?)?;
    get(admin, kind)
}

/// Writes the newest records; how many is the argument after the name, 10 without one, all for -1.
fn get(admin: &mut AdminCx<'_>, kind: Kind) -> Result<(), CommandError> {
    let mut args = admin.cx.reader();
    args.bytes();
    let wrong = CommandError::request("ERR count should be greater than or equal to -1");
    let count = if args.more() { args.integer_in(-1..=i64::MAX, wrong) } else { 10 };
    args.check()?;
    let records =
        admin.engine.command_logs.newest(kind, usize::try_from(count).unwrap_or(usize::MAX));
    admin.cx.reply.array(records.len());
    for record in records {
        write_record(admin, &record);
    }
    Ok(())
}

fn write_record(admin: &mut AdminCx<'_>, record: &Record) {
    let reply = &mut *admin.cx.reply;
    reply.array(6);
    for number in [record.id, record.at_s, record.value] {
        reply.integer(number as i64);
    }
    reply.array(record.args.len());
    record.args.iter().for_each(|arg| reply.bulk(arg));
    reply.bulk(record.address.as_bytes());
    reply.bulk(&record.name);
}

fn write_len(admin: &mut AdminCx<'_>, kind: Kind) -> Result<(), CommandError> {
    let len = admin.engine.command_logs.len(kind);
    admin.cx.reply.integer(len as i64);
    Ok(())
}

fn reset(admin: &mut AdminCx<'_>, kind: Kind) -> Result<(), CommandError> {
    admin.engine.command_logs.reset(kind);
    admin.cx.reply.ok();
    Ok(())
}

fn slowlog_help(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let lines = [
        "GET [<count>]",
        "    List the newest entries (10 by default, -1 for all): id, unix time,",
        "    microseconds, arguments, the client's address, the client's name.",
        "LEN",
        "    Tell the number of entries.",
        "RESET",
        "    Forget all entries.",
    ];
    write_help(admin.cx.reply, "SLOWLOG", &lines);
    Ok(())
}

fn commandlog_help(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let lines = [
        "GET <count> <type>",
        "    List the newest entries of a log (-1 for all): id, unix time, microseconds or",
        "    bytes, arguments, the client's address, the client's name. Types are:",
        "    * slow: commands that took long.",
        "    * large-request: commands with large requests.",
        "    * large-reply: commands with large replies.",
        "LEN <type>",
        "    Tell the number of entries.",
        "RESET <type>",
        "    Forget all entries.",
    ];
    write_help(admin.cx.reply, "COMMANDLOG", &lines);
    Ok(())
}
