//! What the threads of a server share.

use std::sync::Arc;

use config::ClientClass;
use engine::Engine;

use crate::host::Host;
use crate::net::floor::Desk;
use crate::net::{Inbox, Listeners, Mail};

/// The parts that every event loop needs.
#[derive(Debug)]
pub struct Shared {
    /// The command path.
    pub engine: Arc<Engine>,
    /// The engine's platform.
    pub host: Arc<Host>,
    /// Where letters for each event loop go.
    pub inboxes: Vec<Arc<Inbox>>,
    /// Where connections arrive.
    pub listeners: Arc<Listeners>,
    /// Where each event loop leaves its connections while it serves one.
    pub desks: Vec<Desk>,
}

impl Shared {
    /// Seconds after which an idle connection is closed, 0 for never.
    pub fn idle_timeout_s(&self) -> u64 {
        u64::try_from(self.engine.config.get(config::rows::TIMEOUT)).unwrap_or(0)
    }

    /// Whether anything about a connection can change with time alone.
    pub fn has_time_limits(&self) -> bool {
        let is_soft = |class| self.engine.config.output_limit(class).soft_bytes > 0;
        self.idle_timeout_s() > 0
            || is_soft(ClientClass::Normal)
            || (self.engine.has_subscribers() && is_soft(ClientClass::Pubsub))
    }
}

/// Makes every event loop look at the parameters again.
pub fn announce_parameters(inboxes: &[Arc<Inbox>]) {
    for inbox in inboxes {
        inbox.send(Mail::Reconfigured);
    }
}
