//! A client's session: what the protocol remembers between its commands.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use resp::Version;

use crate::blocking::Suspended;
use crate::clients::{ClientFlags, ClientHandle};
use crate::fieldsets::Fieldsets;
use crate::pubsub::Subscriptions;
use crate::scripting::debugging::Debugged;
use crate::tracking::TrackingSession;
use crate::transaction::Transaction;

/// `CLIENT REPLY`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplyMode {
    /// Every reply is sent.
    #[default]
    On,
    /// None is.
    Off,
    /// The reply of `CLIENT REPLY SKIP` itself is dropped, and so is the next one.
    SkipNext,
    /// This command's reply is dropped.
    Skip,
}

/// One connection's state. Owned by its event loop; nothing in it is shared but the handle.
#[derive(Debug)]
pub struct Session {
    /// What other threads see.
    pub handle: Arc<ClientHandle>,
    /// Selected database.
    pub(crate) db: usize,
    /// Protocol version.
    pub(crate) version: Version,
    /// Whether commands other than `AUTH` and `HELLO` are allowed.
    pub(crate) authenticated: bool,
    /// Whether it reads leave no trace in the access clocks.
    pub(crate) no_touch: bool,
    pub(crate) reply_mode: ReplyMode,
    /// `MULTI` queue and watched keys; none for most sessions.
    pub(crate) transaction: Option<Box<Transaction>>,
    /// The command that waits for a key.
    pub(crate) suspended: Option<Arc<Suspended>>,
    /// The command has written messages, which a client gets that wants no replies too.
    pub(crate) has_pushed: bool,
    /// Where the log ended behind its last change: a position in bytes.
    pub(crate) logged: u64,
    /// Client-side caching; none for most sessions.
    pub(crate) tracking: Option<Box<TrackingSession>>,
    /// Channels and patterns it listens to; none for most sessions.
    pub(crate) subscriptions: Option<Box<Subscriptions>>,
    /// What `HIMPORT PREPARE` has named; none for most sessions.
    pub(crate) fieldsets: Option<Box<Fieldsets>>,
    /// Its scripts are debugged; none for most sessions.
    pub(crate) debugged: Option<Box<Debugged>>,
}

impl Session {
    /// A fresh session; `authenticated` if no password is configured.
    #[must_use]
    pub fn new(handle: Arc<ClientHandle>, authenticated: bool) -> Self {
        Self {
            handle,
            db: 0,
            version: Version::Resp2,
            authenticated,
            no_touch: false,
            reply_mode: ReplyMode::On,
            transaction: None,
            suspended: None,
            has_pushed: false,
            logged: 0,
            tracking: None,
            subscriptions: None,
            fieldsets: None,
            debugged: None,
        }
    }

    /// The client's id.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.handle.id
    }

    /// Whether the session may send big requests: it has authenticated, or needs not.
    #[must_use]
    pub const fn authenticated(&self) -> bool {
        self.authenticated
    }

    /// The protocol version.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The selected database.
    #[must_use]
    pub const fn db(&self) -> usize {
        self.db
    }

    /// Whether `MULTI` has begun.
    #[must_use]
    pub fn in_multi(&self) -> bool {
        self.transaction.as_ref().is_some_and(|t| t.queueing)
    }

    pub(crate) fn select(&mut self, db: usize) {
        self.db = db;
        self.handle.db.store(db as u32, Ordering::Relaxed);
    }

    pub(crate) fn set_version(&mut self, version: Version) {
        self.version = version;
        self.handle.protocol.store(version.number() as u32, Ordering::Relaxed);
    }

    pub(crate) fn set_no_touch(&mut self, on: bool) {
        self.no_touch = on;
        self.handle.set_flag(ClientFlags::NO_TOUCH, on);
    }

    /// Lets `change` work on the fieldsets, and shows others what they take.
    pub(crate) fn edit_fieldsets<R>(&mut self, change: impl FnOnce(&mut Fieldsets) -> R) -> R {
        let fieldsets = self.fieldsets.get_or_insert_default();
        let result = change(fieldsets);
        let bytes = fieldsets.bytes() as u64;
        if bytes == 0 {
            self.fieldsets = None;
        }
        self.handle.buffers.fieldsets.store(bytes, Ordering::Relaxed);
        result
    }

    /// The transaction state, made at need.
    pub(crate) fn transaction_mut(&mut self) -> &mut Transaction {
        self.transaction.get_or_insert_default()
    }
}
