//! `CLIENT LIST`, `INFO`, `ID`: the line that describes a connection.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use command::{Command, CommandError, Flags, Group, Spec};

use super::filter::{Filter, LIST_FILTERS, Purpose};
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

/// `CLIENT LIST [filter ...]`
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
        ("8.8.0", "Added `read-events`, `parse-batch-cmd-sum` and `parse-batch-cnt` fields."),
    ])
    .args(LIST_FILTERS)
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
    let (age, idle) = (client.age_s(now_ms), client.idle_s(now_ms));
    let index = client.command.load(Ordering::Relaxed) as usize;
    let command = engine.registry.entries.get(index).map_or("NULL", |entry| entry.full_name);
    let output = load(&buffers.output);
    let memory = client.memory();
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
         tot-cmds={} read-events={} parse-batch-cmd-sum={} parse-batch-cnt={} capa={}",
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
        load(&client.batches.reads),
        load(&client.batches.commands),
        load(&client.batches.count),
        client.capabilities(),
    );
    line
}

fn id(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let id = admin.session.id();
    admin.cx.reply.integer(id as i64);
    Ok(())
}

fn info(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    show_input(admin);
    let mut line = describe(admin.engine, &admin.session.handle, admin.cx.db.now());
    hide_input(admin);
    line.push('\n');
    admin.cx.reply.verbatim(b"txt", line.as_bytes());
    Ok(())
}

fn list(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let mut args = admin.cx.reader();
    args.bytes();
    let filter = Filter::parse(args, Purpose::List, admin.engine)?;
    let clients = match filter.ids() {
        // In the order in which they are named.
        Some(ids) => ids.iter().filter_map(|id| admin.engine.clients.get(*id)).collect(),
        None => admin.engine.clients.all(),
    };
    let (own, now) = (admin.session.id(), admin.cx.db.now());
    let skip_me = filter.skip_me.unwrap_or(false);
    let mut text = String::new();
    show_input(admin);
    for client in clients {
        if filter.matches(&client, now) && !(skip_me && client.id == own) {
            text.push_str(&describe(admin.engine, &client, now));
            text.push('\n');
        }
    }
    hide_input(admin);
    admin.cx.reply.verbatim(b"txt", text.as_bytes());
    Ok(())
}

/// The client that asks sees its own command line as input.
fn show_input(admin: &AdminCx<'_>) {
    set_input(admin, admin.cx.args.request_len(), admin.cx.args.bytes_len());
}

fn hide_input(admin: &AdminCx<'_>) {
    set_input(admin, 0, 0);
}

fn set_input(admin: &AdminCx<'_>, query: usize, args: usize) {
    let buffers = &admin.session.handle.buffers;
    buffers.query.store(query as u64, Ordering::Relaxed);
    buffers.argv.store(args as u64, Ordering::Relaxed);
}
