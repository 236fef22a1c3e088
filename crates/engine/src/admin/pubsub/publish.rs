//! `PUBLISH`, `SPUBLISH`.

use command::spec::Arg;
use command::{Command, CommandError, Flags, Group, KeyFlags, KeySpec, Spec};

use super::{OPEN, PUBSUB};
use crate::admin::{AdminCommand, AdminCx, AdminHandler};
use crate::pubsub::Kind;

const FLAGS: Flags = OPEN.union(Flags::FAST).union(Flags::MAY_REPLICATE);

/// `PUBLISH channel message`
pub static PUBLISH: AdminCommand = Command::new(
    Spec::new(
        "publish",
        Group::PubSub,
        "2.0.0",
        3,
        "O(N+M) where N is the number of subscribers that get the message and M the number of \
         lengths that the literal beginnings of all patterns have.",
        "Sends a message to the subscribers of a channel.",
    )
    .flags(FLAGS)
    .acl(PUBSUB)
    .args(&[Arg::string("channel"), Arg::string("message")]),
    publish as AdminHandler,
);

/// `SPUBLISH shardchannel message`
pub static SPUBLISH: AdminCommand = Command::new(
    Spec::new(
        "spublish",
        Group::PubSub,
        "7.0.0",
        3,
        "O(N) where N is the number of clients subscribed to the receiving shard channel.",
        "Sends a message to the subscribers of a shard channel.",
    )
    .flags(FLAGS)
    .acl(PUBSUB)
    .keys(&[KeySpec::first(KeyFlags::NOT_KEY)])
    .args(&[Arg::string("shardchannel"), Arg::string("message")]),
    spublish as AdminHandler,
);

fn publish(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    send(admin, Kind::Channel)
}

fn spublish(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    send(admin, Kind::Shard)
}

fn send(admin: &mut AdminCx<'_>, kind: Kind) -> Result<(), CommandError> {
    let (channel, message) = (admin.cx.arg(1)?, admin.cx.arg(2)?);
    let engine = admin.engine;
    let (publisher, to) = (admin.session.id(), (kind, channel));
    let reached = engine.pubsub.publish(&*engine.platform, publisher, to, message);
    admin.cx.reply.integer(reached as i64);
    Ok(())
}
