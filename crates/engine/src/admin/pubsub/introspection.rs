//! `PUBSUB`: who listens to what.

use command::spec::Arg;
use command::{Command, CommandError, Flags, Group, Spec};
use stdx::glob;

use super::{OPEN, PUBSUB as CATEGORY};
use crate::admin::{AdminCommand, AdminCx, AdminHandler, container, write_help};
use crate::pubsub::Kind;

/// `PUBSUB subcommand ...`
pub static PUBSUB: AdminCommand = Command::container(
    Spec::new(
        "pubsub",
        Group::PubSub,
        "2.8.0",
        -2,
        "Depends on subcommand.",
        "A container for Pub/Sub commands.",
    ),
    container as AdminHandler,
    &[&CHANNELS, &HELP, &NUMPAT, &NUMSUB, &SHARDCHANNELS, &SHARDNUMSUB],
);

const fn spec(
    name: &'static str,
    since: &'static str,
    arity: i16,
    complexity: &'static str,
    summary: &'static str,
) -> Spec {
    Spec::new(name, Group::PubSub, since, arity, complexity, summary).flags(OPEN).acl(CATEGORY)
}

static HELP: AdminCommand = Command::new(
    Spec::new("help", Group::PubSub, "6.2.0", 2, "O(1)", "Lists the subcommands.")
        .flags(Flags::LOADING.union(Flags::STALE)),
    help as AdminHandler,
);

static CHANNELS: AdminCommand = Command::new(
    spec(
        "channels",
        "2.8.0",
        -2,
        "O(N) where N is the number of active channels.",
        "Lists the channels that have subscribers.",
    )
    .args(&[Arg::pattern("pattern").optional()]),
    channels as AdminHandler,
);

static NUMSUB: AdminCommand = Command::new(
    spec(
        "numsub",
        "2.8.0",
        -2,
        "O(N) where N is the number of requested channels.",
        "Counts the subscribers of channels, those by pattern not included.",
    )
    .args(&[Arg::string("channel").optional().multiple()]),
    numsub as AdminHandler,
);

static NUMPAT: AdminCommand = Command::new(
    spec("numpat", "2.8.0", 2, "O(1)", "Counts the different patterns that are listened to."),
    numpat as AdminHandler,
);

static SHARDCHANNELS: AdminCommand = Command::new(
    spec(
        "shardchannels",
        "7.0.0",
        -2,
        "O(N) where N is the number of active shard channels.",
        "Lists the shard channels that have subscribers.",
    )
    .args(&[Arg::pattern("pattern").optional()]),
    shardchannels as AdminHandler,
);

static SHARDNUMSUB: AdminCommand = Command::new(
    spec(
        "shardnumsub",
        "7.0.0",
        -2,
        "O(N) where N is the number of requested shard channels.",
        "Counts the subscribers of shard channels.",
    )
    .args(&[Arg::string("shardchannel").optional().multiple()]),
    shardnumsub as AdminHandler,
);

fn help(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let lines = [
        "CHANNELS [<pattern>]",
        "    List the channels that have subscribers and match a pattern (default: '*').",
        "NUMPAT",
        "    Count the different patterns that are listened to.",
        "NUMSUB [<channel> ...]",
        "    Count the subscribers of the channels (default: none), but for those by pattern.",
        "SHARDCHANNELS [<pattern>]",
        "    List the shard channels that have subscribers and match a pattern (default: '*').",
        "SHARDNUMSUB [<shardchannel> ...]",
        "    Count the subscribers of the shard channels (default: none).",
    ];
    write_help(admin.cx.reply, "PUBSUB", &lines);
    Ok(())
}

fn channels(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    list(admin, Kind::Channel)
}

fn shardchannels(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    list(admin, Kind::Shard)
}

fn list(admin: &mut AdminCx<'_>, kind: Kind) -> Result<(), CommandError> {
    if admin.cx.args.len() > 3 {
        return Err(CommandError::subcommand("PUBSUB", admin.cx.arg(1)?));
    }
    let pattern = admin.cx.args.get(2);
    let wanted = |name: &[u8]| pattern.is_none_or(|pattern| glob::matches(pattern, name, false));
    let names = admin.engine.pubsub.names(kind, wanted);
    admin.cx.reply.array(names.len());
    names.iter().for_each(|name| admin.cx.reply.bulk(name));
    Ok(())
}

fn numsub(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    count(admin, Kind::Channel)
}

fn shardnumsub(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    count(admin, Kind::Shard)
}

fn count(admin: &mut AdminCx<'_>, kind: Kind) -> Result<(), CommandError> {
    let names = admin.cx.args.iter().skip(2);
    admin.cx.reply.array((admin.cx.args.len() - 2) * 2);
    for name in names {
        admin.cx.reply.bulk(name);
        admin.cx.reply.integer(admin.engine.pubsub.subscribers(kind, name) as i64);
    }
    Ok(())
}

fn numpat(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    admin.cx.reply.integer(admin.engine.pubsub.count(Kind::Pattern) as i64);
    Ok(())
}
