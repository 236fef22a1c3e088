//! Replies that wait for the log (`appendfsync always`): what a client hears of must not be lost.

use engine::Engine;

use super::Connection;

impl Connection {
    /// Keeps the output back if what it tells of may still be lost. True if it is kept.
    pub(super) fn hold(&mut self, engine: &Engine) -> bool {
        if let Some(position) = engine.replies_wait_for() {
            self.held = Some((position, false));
        }
        self.held.is_some()
    }

    /// The position of the log that the output waits for, if the loop has not been told yet.
    pub fn newly_held(&mut self) -> Option<u64> {
        let (position, is_known) = self.held.as_mut()?;
        (!std::mem::replace(is_known, true)).then_some(*position)
    }

    /// The log is released up to `position`.
    pub fn release(&mut self, position: u64) {
        if self.held.is_some_and(|(held, _)| held <= position) {
            self.held = None;
        }
    }
}
