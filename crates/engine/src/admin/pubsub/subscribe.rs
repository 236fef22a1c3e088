//! `SUBSCRIBE`, `PSUBSCRIBE`, `SSUBSCRIBE` and their opposites.
//!
//! Each name is confirmed by a message of its own. Without names, the opposites end every
//! subscription of their kind, and say so once if there was none.

use command::spec::Arg;
use command::{Command, CommandError, Flags, Group, KeyFlags, KeySpec, Spec};

use super::{OPEN, PUBSUB};
use crate::admin::{AdminCommand, AdminCx, AdminHandler};
use crate::pubsub::Kind;

const FLAGS: Flags = OPEN.union(Flags::NOSCRIPT);
/// Who begins to listen takes memory.
const GROWS: Flags = FLAGS.union(Flags::DENYOOM);
const BEGIN: &str = "O(N) where N is the number of subscriptions that begin.";
const END: &str = "O(N) where N is the number of subscriptions that end.";
const SHARD_CHANNELS: &[KeySpec] = &[KeySpec::range(KeyFlags::NOT_KEY, 1, -1, 1)];

const fn spec(
    name: &'static str,
    since: &'static str,
    arity: i16,
    complexity: &'static str,
    summary: &'static str,
) -> Spec {
    Spec::new(name, Group::PubSub, since, arity, complexity, summary).flags(FLAGS).acl(PUBSUB)
}

/// `SUBSCRIBE channel [channel ...]`
pub static SUBSCRIBE: AdminCommand = Command::new(
    spec("subscribe", "2.0.0", -2, BEGIN, "Listens to channels.")
        .flags(GROWS)
        .args(&[Arg::string("channel").multiple()]),
    subscribe as AdminHandler,
);

/// `UNSUBSCRIBE [channel [channel ...]]`
pub static UNSUBSCRIBE: AdminCommand = Command::new(
    spec("unsubscribe", "2.0.0", -1, END, "Stops listening to channels, or to all.")
        .args(&[Arg::string("channel").optional().multiple()]),
    unsubscribe as AdminHandler,
);

/// `PSUBSCRIBE pattern [pattern ...]`
pub static PSUBSCRIBE: AdminCommand = Command::new(
    spec("psubscribe", "2.0.0", -2, BEGIN, "Listens to the channels that match patterns.")
        .flags(GROWS)
        .args(&[Arg::pattern("pattern").multiple()]),
    psubscribe as AdminHandler,
);

/// `PUNSUBSCRIBE [pattern [pattern ...]]`
pub static PUNSUBSCRIBE: AdminCommand = Command::new(
    spec("punsubscribe", "2.0.0", -1, END, "Stops listening to patterns, or to all.")
        .args(&[Arg::pattern("pattern").optional().multiple()]),
    punsubscribe as AdminHandler,
);

/// `SSUBSCRIBE shardchannel [shardchannel ...]`
pub static SSUBSCRIBE: AdminCommand = Command::new(
    spec("ssubscribe", "7.0.0", -2, BEGIN, "Listens to shard channels.")
        .flags(GROWS)
        .keys(SHARD_CHANNELS)
        .args(&[Arg::string("shardchannel").multiple()]),
    ssubscribe as AdminHandler,
);

/// `SUNSUBSCRIBE [shardchannel [shardchannel ...]]`
pub static SUNSUBSCRIBE: AdminCommand = Command::new(
    spec("sunsubscribe", "7.0.0", -1, END, "Stops listening to shard channels, or to all.")
        .keys(SHARD_CHANNELS)
        .args(&[Arg::string("shardchannel").optional().multiple()]),
    sunsubscribe as AdminHandler,
);

fn subscribe(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    begin(admin, Kind::Channel, "subscribe")
}

fn psubscribe(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    begin(admin, Kind::Pattern, "psubscribe")
}

fn ssubscribe(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    // Unlike the other two, which older clients send in transactions.
    if admin.in_transaction {
        let text = "ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client";
        return Err(CommandError::state(text));
    }
    begin(admin, Kind::Shard, "ssubscribe")
}

fn unsubscribe(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    end(admin, Kind::Channel, "unsubscribe")
}

fn punsubscribe(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    end(admin, Kind::Pattern, "punsubscribe")
}

fn sunsubscribe(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    end(admin, Kind::Shard, "sunsubscribe")
}

fn begin(admin: &mut AdminCx<'_>, kind: Kind, word: &str) -> Result<(), CommandError> {
    for name in admin.cx.args.iter().skip(1) {
        admin.session.subscribe(&admin.engine.pubsub, kind, name);
        confirm(admin, kind, word, Some(name));
    }
    Ok(())
}

fn end(admin: &mut AdminCx<'_>, kind: Kind, word: &str) -> Result<(), CommandError> {
    if admin.cx.args.len() > 1 {
        for name in admin.cx.args.iter().skip(1) {
            admin.session.unsubscribe(&admin.engine.pubsub, kind, name);
            confirm(admin, kind, word, Some(name));
        }
        return Ok(());
    }
    let names = admin.session.subscriptions(kind);
    if names.is_empty() {
        confirm(admin, kind, word, None);
    }
    for name in names {
        admin.session.unsubscribe(&admin.engine.pubsub, kind, &name);
        confirm(admin, kind, word, Some(&name));
    }
    Ok(())
}

/// Tells how many subscriptions there are after one more, or one less.
fn confirm(admin: &mut AdminCx<'_>, kind: Kind, word: &str, name: Option<&[u8]>) {
    admin.session.has_pushed = true;
    let reply = &mut *admin.cx.reply;
    reply.push(3);
    reply.bulk(word.as_bytes());
    match name {
        Some(name) => reply.bulk(name),
        None => reply.null(),
    }
    reply.integer(admin.session.subscribed(kind) as i64);
}
