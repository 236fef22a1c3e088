//! Replies that wait: for the log (`appendfsync always`), since what a client hears of must not be
//! lost; and for what other clients are told of their caches, since whoever sees the reply may go
//! on to ask one of them.

use engine::Engine;

use super::{Connection, Turn};
use crate::net::inbox::Receipt;

/// What a connection's output waits for, of what its commands have told other clients.
#[derive(Debug)]
pub(super) enum Owed {
    Nothing,
    /// The loop has not been told yet.
    New(Vec<Receipt>),
    Known,
}

impl Connection {
    /// Keeps the output back if what it tells of may still be lost, or others have yet to hear of
    /// it. True if it is kept.
    pub(super) fn hold(&mut self, turn: &mut Turn<'_>) -> bool {
        self.hold_for_log(turn.engine);
        // A single loop delivers what it has been sent before it executes anything else.
        if turn.context.take_told() && turn.inboxes.len() > 1 {
            self.owed = Owed::New(turn.inboxes.iter().map(Receipt::of).collect());
        }
        self.is_held()
    }

    /// Keeps the output back if what it tells of may still be lost.
    pub(super) fn hold_for_log(&mut self, engine: &Engine) {
        if let Some(position) = engine.replies_wait_for() {
            self.held = Some((position, false));
        }
    }

    /// Whether the output is kept back.
    pub(super) fn is_held(&self) -> bool {
        self.held.is_some() || !matches!(self.owed, Owed::Nothing)
    }

    /// The position of the log that the output waits for, if the loop has not been told yet.
    pub fn newly_held(&mut self) -> Option<u64> {
        let (position, is_known) = self.held.as_mut()?;
        (!std::mem::replace(is_known, true)).then_some(*position)
    }

    /// What others have yet to be told before the output leaves, if the loop does not know yet.
    pub fn newly_owed(&mut self) -> Option<Vec<Receipt>> {
        match &mut self.owed {
            Owed::New(receipts) => {
                let receipts = std::mem::take(receipts);
                self.owed = Owed::Known;
                Some(receipts)
            }
            Owed::Nothing | Owed::Known => None,
        }
    }

    /// The log is released up to `position`.
    pub fn release(&mut self, position: u64) {
        if self.held.is_some_and(|(held, _)| held <= position) {
            self.held = None;
        }
    }

    /// Others have been told.
    pub fn release_owed(&mut self) {
        self.owed = Owed::Nothing;
    }
}
