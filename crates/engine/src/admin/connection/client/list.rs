//! `CLIENT LIST`, `INFO`, `ID`: the line that describes a connection.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use command::spec::Arg;
use command::{Command, CommandError, Flags, Group, Spec};

use crate::admin::connection::{ALWAYS, CONNECTION};
use crate::admin::{AdminCommand, AdminCx, AdminHandler};
use crate::clients::{ClientFlags, ClientHandle};
use crate::engine::Engine;
use crate::pubsub::Kind;

/// `CLIENT ID`
pub static ID: AdminCommand = Command::new(
    Spec::new("id", Group::Connection, "5.0.0", 2, "O(1)", "Tells the connection's unique id.")
        .flags(ALWAYS)
        .acl(CONNECTION),
    id as AdminHandler,
);

/// `CLIENT INFO`
pub static INFO: AdminCommand = Command::new(
    Spec::new("info", Group::Connection, "6.2.0", 2, "O(1)", "Describes the connection.")
        .flags(ALWAYS)
        .acl(CONNECTION)
        .tips(&["nondeterministic_output"]),
    info as AdminHandler,
);

/// `CLIENT LIST [TYPE type] [ID id ...]`
pub static LIST: AdminCommand = Command::new(
    Spec::new(
        "list",
        Group::Connection,
        "2.4.0",
        -2,
        "O(N) where N is the number of client connections",
        "Describes all connections.",
    )
    .flags(ALWAYS.union(Flags::ADMIN))
    .acl(CONNECTION)
    .history(&[
        ("2.8.12", "Added unique client `id` field."),
        ("5.0.0", "Added optional `TYPE` filter."),
        ("6.0.0", "Added `user` field."),
        ("6.2.0", "Added the `ID` filter and the fields `argv-mem`, `tot-mem`, `laddr`, `redir`."),
        ("7.0.0", "Added `resp`, `multi-mem`, `rbs` and `rbp` fields."),
        ("7.0.3", "Added `ssub` field."),
        ("7.2.0", "Added `lib-name` and `lib-ver` fields."),
        ("7.4.0", "Added `watch` field."),
        ("8.0.0", "Added `io-thread` field."),
    ])
    .args(&[
        Arg::one_of(
            "client-type",
            &[
                Arg::word("normal", "NORMAL"),
                Arg::word("master", "MASTER"),
                Arg::word("replica", "REPLICA"),
                Arg::word("pubsub", "PUBSUB"),
            ],
        )
        .token("TYPE")
        .optional()
        .since("5.0.0"),
        Arg::integer("client-id").token("ID").optional().multiple().since("6.2.0"),
    ])
    .tips(&["nondeterministic_output"]),
    list as AdminHandler,
);

/// What kind of client it is, as the filters name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientType {
    /// An ordinary one.
    Normal,
    /// Our primary.
    Master,
    /// One of our replicas.
    Replica,
    /// A subscriber.
    PubSub,
}

impl ClientType {
    /// The type called `word`.
    pub(super) fn parse(word: &[u8]) -> Result<Self, CommandError> {
        match word.to_ascii_lowercase().as_slice() {
            b"normal" => Ok(Self::Normal),
            b"master" | b"primary" => Ok(Self::Master),
            b"slave" | b"replica" => Ok(Self::Replica),
            b"pubsub" => Ok(Self::PubSub),
            _ => Err(CommandError::quoting("ERR Unknown client type '", word, "'")),
        }
    }

    /// The type of a client.
    pub(super) fn of(client: &ClientHandle) -> Self {
        if client.flags().has(ClientFlags::PUBSUB) { Self::PubSub } else { Self::Normal }
    }
}

/// The line that describes a client, without a line end.
pub(crate) fn describe(engine: &Engine, client: &ClientHandle, now_ms: u64) -> String {
    let load = |value: &AtomicU64| value.load(Ordering::Relaxed);
    let (names, buffers) = (client.names(), &client.buffers);
    let age = now_ms.saturating_sub(client.connected_ms) / 1000;
    let idle = now_ms.saturating_sub(load(&client.active_ms)) / 1000;
    let index = client.command.load(Ordering::Relaxed) as usize;
    let command = engine.registry.entries.get(index).map_or("NULL", |entry| entry.full_name);
    let output = load(&buffers.output);
    let memory = load(&buffers.query)
        + load(&buffers.query_free)
        + load(&buffers.argv)
        + load(&buffers.multi)
        + load(&buffers.fieldsets)
        + output
        + size_of::<ClientHandle>() as u64
        + size_of::<crate::Session>() as u64;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut line = String::with_capacity(400);
    let events = if output > 0 { "rw" } else { "r" };
    // Writing to a string cannot fail.
    let _ = write!(
        line,
        "id={} addr={} laddr={} fd={} name={} age={age} idle={idle} flags={} db={} sub={} psub={} \
         ssub={} multi={} watch={} qbuf={} qbuf-free={} argv-mem={} multi-mem={} rbs={} rbp={} \
         obl=0 oll={} omem={output} tot-mem={memory} events={events} cmd={command} user={} \
         redir={} resp={} lib-name={} lib-ver={} io-thread={} tot-net-in={} tot-net-out={} \
         tot-cmds={}",
        client.id,
        client.endpoint.address,
        client.endpoint.local_address,
        client.endpoint.fd,
        text(&names.name),
        client.flags().letters(),
        client.db.load(Ordering::Relaxed),
        client.subscriptions(Kind::Channel),
        client.subscriptions(Kind::Pattern),
        client.subscriptions(Kind::Shard),
        client.multi.load(Ordering::Relaxed),
        client.watched.load(Ordering::Relaxed),
        load(&buffers.query),
        load(&buffers.query_free),
        load(&buffers.argv),
        load(&buffers.multi),
        0,
        0,
        load(&buffers.output_chunks),
        names.user,
        client.redirect.load(Ordering::Relaxed),
        client.protocol.load(Ordering::Relaxed),
        text(&names.lib_name),
        text(&names.lib_version),
        client.thread,
        load(&buffers.received),
        load(&buffers.sent),
        load(&client.commands),
    );
    line
}

fn id(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let id = admin.session.id();
    admin.cx.reply.integer(id as i64);
    Ok(())
}

fn info(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let mut line = describe(admin.engine, &admin.session.handle, admin.cx.db.now());
    line.push('\n');
    admin.cx.reply.verbatim(b"txt", line.as_bytes());
    Ok(())
}

fn list(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let mut args = admin.cx.reader();
    args.bytes();
    let (mut kind, mut ids) = (None, None);
    if args.remaining() == 2 && args.option("TYPE") {
        kind = Some(ClientType::parse(args.bytes())?);
    } else if args.option("ID") {
        let mut wanted = Vec::new();
        while args.more() {
            wanted.push(args.integer_or(CommandError::request("ERR Invalid client ID")));
        }
        args.check()?;
        ids = Some(wanted);
    }
    args.finish()?;
    let clients = match ids {
        Some(ids) => {
            let find = |id: i64| admin.engine.clients.get(u64::try_from(id).ok()?);
            ids.into_iter().filter_map(find).collect()
        }
        None => admin.engine.clients.all(),
    };
    let now = admin.cx.db.now();
    let mut text = String::new();
    for client in clients {
        if kind.is_none_or(|kind| ClientType::of(&client) == kind) {
            text.push_str(&describe(admin.engine, &client, now));
            text.push('\n');
        }
    }
    admin.cx.reply.verbatim(b"txt", text.as_bytes());
    Ok(())
}
