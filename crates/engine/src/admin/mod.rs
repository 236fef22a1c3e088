//! Commands that touch the session or the server: connections, transactions, configuration,
//! introspection. One file per command or few true siblings, as in the data families.

pub(crate) use ::command::help::write as write_help;
use command::{Command, CommandError, Cx};

use crate::call::Flow;
use crate::engine::Engine;
use crate::session::Session;

pub mod cluster;
pub mod connection;
pub mod himport;
pub mod pubsub;
pub mod scripting;
pub mod server;
pub mod transactions;

/// What an administrative handler is.
pub type AdminHandler = fn(&mut AdminCx<'_>) -> Result<(), CommandError>;

/// A command that touches the session or the server.
pub type AdminCommand = Command<AdminHandler>;

/// What an administrative handler may touch.
#[derive(Debug)]
pub struct AdminCx<'a> {
    /// The engine.
    pub engine: &'a Engine,
    /// The session that asked.
    pub session: &'a mut Session,
    /// Number of the executing event loop.
    pub thread: usize,
    /// Arguments, reply, keyspace.
    pub cx: Cx<'a>,
    /// What the event loop does next.
    pub flow: Flow,
    /// Whether `EXEC` runs the command: then nothing may wait.
    pub in_transaction: bool,
    /// Whether `TIME` tells when the transaction or the script began.
    pub time_stands: bool,
}

impl<'a> AdminCx<'a> {
    pub(crate) fn new(
        engine: &'a Engine,
        session: &'a mut Session,
        thread: usize,
        cx: Cx<'a>,
    ) -> Self {
        let flow = Flow::Continue;
        Self { engine, session, thread, cx, flow, in_transaction: false, time_stands: false }
    }
}

/// The handler of a container ([`command::help::bare`]).
pub(crate) fn container(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    ::command::help::bare(&mut admin.cx)
}

/// Every administrative command but `EXEC`.
pub fn all() -> impl Iterator<Item = &'static AdminCommand> {
    let families = [
        connection::COMMANDS,
        transactions::COMMANDS,
        pubsub::COMMANDS,
        server::COMMANDS,
        himport::COMMANDS,
        cluster::COMMANDS,
    ];
    families.into_iter().flatten().copied()
}
