//! The clients, as other threads see them.
//!
//! A [`Session`](crate::Session) belongs to its event loop alone. What `CLIENT LIST`, `CLIENT KILL`
//! and `INFO` need to know of it from other threads is in its [`ClientHandle`]: plain atomics that
//! the owner updates as it goes, and two names behind a lock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::pubsub::Kind;

/// Where a connection comes from and what it reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// `ip:port`, or `path:0` for a unix socket.
    pub address: String,
    /// Our side, in the same form.
    pub local_address: String,
    /// The socket's descriptor number.
    pub fd: i32,
    /// Whether it is a unix socket.
    pub unix: bool,
}

impl Endpoint {
    /// The address without its port, and without the brackets of an IPv6 address.
    #[must_use]
    pub fn ip(&self) -> &str {
        let ip = self.address.rsplit_once(':').map_or(&*self.address, |(ip, _)| ip);
        ip.trim_start_matches('[').trim_end_matches(']')
    }
}

/// Flags of a client that other threads see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientFlags(u32);

impl ClientFlags {
    /// In a transaction.
    pub const MULTI: Self = Self(1);
    /// A watched key changed.
    pub const DIRTY_CAS: Self = Self(1 << 1);
    /// Waits in a blocking command.
    pub const BLOCKED: Self = Self(1 << 2);
    /// To be closed after its replies.
    pub const CLOSE_AFTER_REPLY: Self = Self(1 << 3);
    /// To be closed as soon as possible.
    pub const CLOSE_ASAP: Self = Self(1 << 4);
    /// Connected through a unix socket.
    pub const UNIX_SOCKET: Self = Self(1 << 5);
    /// Not evicted.
    pub const NO_EVICT: Self = Self(1 << 6);
    /// Leaves no access trace.
    pub const NO_TOUCH: Self = Self(1 << 7);
    /// Subscribed to channels.
    pub const PUBSUB: Self = Self(1 << 8);
    /// Watches keys.
    pub const WATCHING: Self = Self(1 << 9);
    /// Sees all commands.
    pub const MONITOR: Self = Self(1 << 10);
    /// Is told when keys change that it may have cached.
    pub const TRACKING: Self = Self(1 << 11);
    /// Of all keys below prefixes.
    pub const BROADCAST: Self = Self(1 << 12);
    /// Through another client, which is gone.
    pub const BROKEN_REDIRECT: Self = Self(1 << 13);

    const LETTERS: [(Self, char); 13] = [
        (Self::MONITOR, 'O'),
        (Self::PUBSUB, 'P'),
        (Self::MULTI, 'x'),
        (Self::BLOCKED, 'b'),
        (Self::DIRTY_CAS, 'd'),
        (Self::TRACKING, 't'),
        (Self::BROKEN_REDIRECT, 'R'),
        (Self::BROADCAST, 'B'),
        (Self::CLOSE_AFTER_REPLY, 'c'),
        (Self::CLOSE_ASAP, 'A'),
        (Self::UNIX_SOCKET, 'U'),
        (Self::NO_EVICT, 'e'),
        (Self::NO_TOUCH, 'T'),
    ];

    /// The letters of `CLIENT LIST`, `N` if there is none.
    #[must_use]
    pub fn letters(self) -> String {
        let set = Self::LETTERS.iter().filter(|(flag, _)| self.has(*flag));
        let letters: String = set.map(|(_, letter)| letter).collect();
        if letters.is_empty() { "N".into() } else { letters }
    }

    /// Whether a client can have this letter, here or in a server with replicas and a cluster.
    pub(crate) fn is_letter(letter: u8) -> bool {
        let own = Self::LETTERS.iter().any(|(_, known)| *known == char::from(letter));
        own || b"NMSruI".contains(&letter)
    }

    /// Whether `flag` is set.
    #[must_use]
    pub const fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }
}

/// Names that a client gave itself.
#[derive(Clone, Debug, Default)]
pub struct ClientNames {
    /// `CLIENT SETNAME`.
    pub name: Box<[u8]>,
    /// `CLIENT SETINFO LIB-NAME`.
    pub lib_name: Box<[u8]>,
    /// `CLIENT SETINFO LIB-VER`.
    pub lib_version: Box<[u8]>,
    /// The authenticated user.
    pub user: Box<str>,
}

/// Sizes of a connection's buffers in bytes, kept by the event loop.
#[derive(Debug, Default)]
pub struct Buffers {
    /// Unprocessed input.
    pub query: AtomicU64,
    /// Free space in the input buffer.
    pub query_free: AtomicU64,
    /// Arguments of the command being received.
    pub argv: AtomicU64,
    /// Queued commands of a transaction and watched keys.
    pub multi: AtomicU64,
    /// Names that the client gave itself.
    pub names: AtomicU64,
    /// Channels and patterns that it listens to.
    pub subscriptions: AtomicU64,
    /// Prefixes below which it is told of changes.
    pub prefixes: AtomicU64,
    /// Names that it has prepared for `HIMPORT SET`.
    pub fieldsets: AtomicU64,
    /// Replies not yet sent.
    pub output: AtomicU64,
    /// Number of separate chunks among them.
    pub output_chunks: AtomicU64,
    /// Bytes received.
    pub received: AtomicU64,
    /// Bytes sent.
    pub sent: AtomicU64,
}

/// How a client's commands arrive.
#[derive(Debug, Default)]
pub struct Batches {
    /// Reads of its socket.
    pub reads: AtomicU64,
    /// Batches of commands that were parsed together.
    pub count: AtomicU64,
    /// Commands in them.
    pub commands: AtomicU64,
}

impl Batches {
    /// Notes that so many commands were parsed together. Only the owner does so.
    #[inline]
    pub fn note(&self, commands: usize) {
        let add = |to: &AtomicU64, more: u64| {
            to.store(to.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
        };
        add(&self.count, 1);
        add(&self.commands, commands as u64);
    }
}

impl Buffers {
    /// All of them together.
    fn total(&self) -> u64 {
        let parts = [
            &self.query,
            &self.query_free,
            &self.argv,
            &self.multi,
            &self.names,
            &self.subscriptions,
            &self.prefixes,
            &self.fieldsets,
            &self.output,
        ];
        parts.iter().map(|part| part.load(Ordering::Relaxed)).sum()
    }
}

/// What other threads know of a client.
#[derive(Debug)]
pub struct ClientHandle {
    /// Unique, ascending.
    pub id: u64,
    /// The event loop that owns it.
    pub thread: usize,
    /// The ticket of the command with which it waits for a key.
    pub(crate) waits: Mutex<Option<u64>>,
    /// Where it comes from.
    pub endpoint: Endpoint,
    /// Unix time of its connection in milliseconds.
    pub connected_ms: u64,
    /// Unix time of its last command in milliseconds.
    pub active_ms: AtomicU64,
    /// Selected database.
    pub db: AtomicU32,
    /// 2 or 3.
    pub protocol: AtomicU32,
    /// Index of the last command in the registry, `u32::MAX` before the first.
    pub command: AtomicU32,
    /// Commands executed.
    pub commands: AtomicU64,
    /// Queued commands of a transaction, -1 outside.
    pub multi: AtomicI64,
    /// Number of watched keys.
    pub watched: AtomicU32,
    /// The client that gets its invalidations: 0 for itself, -1 without tracking.
    pub redirect: AtomicI64,
    /// Number of subscriptions by kind.
    subscriptions: [AtomicU32; 3],
    /// Buffer sizes.
    pub buffers: Buffers,
    /// Memory that counts against `maxmemory-clients` for it.
    pub(crate) noted_memory: AtomicU64,
    /// What `CLIENT CAPA` said that it can do.
    pub(crate) can_redirect: AtomicBool,
    /// Commands that it was seen to send together, and how often.
    pub batches: Batches,
    /// Set by whoever kills it; the owner closes it when it sees this.
    pub killed: AtomicBool,
    flags: AtomicU32,
    names: Mutex<ClientNames>,
}

impl ClientHandle {
    /// Seconds since it connected.
    pub(crate) fn age_s(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.connected_ms) / 1000
    }

    /// Seconds since its last command.
    pub(crate) fn idle_s(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.active_ms.load(Ordering::Relaxed)) / 1000
    }

    /// Its database.
    pub(crate) fn db(&self) -> usize {
        self.db.load(Ordering::Relaxed) as usize
    }

    /// The letters of what it can do.
    pub(crate) fn capabilities(&self) -> &'static str {
        if self.can_redirect.load(Ordering::Relaxed) { "r" } else { "" }
    }

    /// The flags.
    pub fn flags(&self) -> ClientFlags {
        ClientFlags(self.flags.load(Ordering::Relaxed))
    }

    /// Adds to the commands executed. Only one thread does so at a time: the owner, or who ends the
    /// wait of its command.
    #[inline]
    pub(crate) fn count_commands(&self, more: i64) {
        let executed = self.commands.load(Ordering::Relaxed).wrapping_add_signed(more);
        self.commands.store(executed, Ordering::Relaxed);
    }

    /// Sets or clears a flag.
    pub fn set_flag(&self, flag: ClientFlags, on: bool) {
        if on {
            self.flags.fetch_or(flag.0, Ordering::Relaxed);
        } else {
            self.flags.fetch_and(!flag.0, Ordering::Relaxed);
        }
    }

    /// Number of subscriptions of one kind.
    #[must_use]
    pub fn subscriptions(&self, kind: Kind) -> u32 {
        self.subscriptions[kind as usize].load(Ordering::Relaxed)
    }

    pub(crate) fn show_subscriptions(&self, kind: Kind, count: usize) {
        self.subscriptions[kind as usize].store(count as u32, Ordering::Relaxed);
    }

    /// A copy of the names.
    #[must_use]
    pub fn names(&self) -> ClientNames {
        self.names.lock().clone()
    }

    /// Changes the names.
    pub fn edit_names(&self, edit: impl FnOnce(&mut ClientNames)) {
        let mut names = self.names.lock();
        edit(&mut names);
        let bytes = names.name.len() + names.lib_name.len() + names.lib_version.len();
        self.buffers.names.store(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes that the client takes: its buffers, and what stands for it while it is idle.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.buffers.total() + (size_of::<Self>() + size_of::<crate::Session>()) as u64
    }
}

/// All connected clients, by id.
#[derive(Debug, Default)]
pub struct Clients {
    by_id: Mutex<BTreeMap<u64, Arc<ClientHandle>>>,
    next_id: AtomicU64,
}

impl Clients {
    /// Registers a connection of event loop `thread`.
    pub fn connect(&self, thread: usize, endpoint: Endpoint, now_ms: u64) -> Arc<ClientHandle> {
        let handle = self.unlisted(thread, endpoint, now_ms);
        self.by_id.lock().insert(handle.id, handle.clone());
        handle
    }

    /// As [`Clients::connect`], for a client that is no connection: nobody sees it.
    pub(crate) fn unlisted(
        &self,
        thread: usize,
        endpoint: Endpoint,
        now_ms: u64,
    ) -> Arc<ClientHandle> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed) + 1;
        let flags = if endpoint.unix { ClientFlags::UNIX_SOCKET.0 } else { 0 };
        Arc::new(ClientHandle {
            id,
            thread,
            waits: Mutex::default(),
            endpoint,
            connected_ms: now_ms,
            active_ms: AtomicU64::new(now_ms),
            db: AtomicU32::new(0),
            protocol: AtomicU32::new(2),
            command: AtomicU32::new(u32::MAX),
            commands: AtomicU64::new(0),
            multi: AtomicI64::new(-1),
            watched: AtomicU32::new(0),
            redirect: AtomicI64::new(-1),
            subscriptions: Default::default(),
            buffers: Buffers::default(),
            noted_memory: AtomicU64::new(0),
            can_redirect: AtomicBool::new(false),
            batches: Batches::default(),
            killed: AtomicBool::new(false),
            flags: AtomicU32::new(flags),
            names: Mutex::new(ClientNames { user: "default".into(), ..ClientNames::default() }),
        })
    }

    /// Forgets a connection.
    pub fn disconnect(&self, id: u64) {
        self.by_id.lock().remove(&id);
    }

    /// The client with this id.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<Arc<ClientHandle>> {
        self.by_id.lock().get(&id).cloned()
    }

    /// All clients, ascending by id.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<ClientHandle>> {
        self.by_id.lock().values().cloned().collect()
    }

    /// Calls `visit` with each client, while none can come or go.
    pub(crate) fn each(&self, mut visit: impl FnMut(&ClientHandle)) {
        self.by_id.lock().values().for_each(|client| visit(client));
    }

    /// Number of clients.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.lock().len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
