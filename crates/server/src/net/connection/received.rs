//! What a connection has received and not executed: between turns its own, within a turn in the
//! loop's scratch input where it fits.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::{Connection, State, Turn};
use crate::log_warning;
use crate::net::input::Input;

/// A client that has sent nothing for this long in the middle of a command keeps no free space.
const STALE_INPUT_AGE: Duration = Duration::from_secs(2);

impl Connection {
    /// The input to work on: the scratch input, with the rest of the last turn in it if that is
    /// small, or else the connection's own.
    pub(super) fn borrow_input(&mut self, turn: &mut Turn<'_>) -> Box<Input> {
        let scratch = turn.input.take().unwrap_or_else(|| Box::new(Input::scratch()));
        match self.input.take() {
            None => scratch,
            Some(own) => {
                let (input, unused) = own.into_scratch(scratch);
                *turn.input = unused;
                input
            }
        }
    }

    /// Gives the scratch input back, and keeps what is not executed.
    pub(super) fn return_input(&mut self, turn: &mut Turn<'_>, mut input: Box<Input>) {
        let is_scratch = turn.input.is_none();
        if self.state == State::Closing {
            input.clear();
        }
        if is_scratch {
            if !input.is_empty() {
                self.input = Some(input.split_rest());
            }
            input.clear();
            *turn.input = Some(input);
        } else if !input.is_empty() {
            input.compact();
            self.input = Some(input);
        }
        self.publish_input(self.input.as_deref());
    }

    /// Lets other threads see how much input there is.
    pub(super) fn publish_input(&self, input: Option<&Input>) {
        let (length, parsed, free) =
            input.map_or((0, 0, 0), |input| (input.len(), input.parsed(), input.free()));
        let buffers = &self.session.handle.buffers;
        buffers.query.store((length - parsed) as u64, Ordering::Relaxed);
        buffers.argv.store(parsed as u64, Ordering::Relaxed);
        buffers.query_free.store(free as u64, Ordering::Relaxed);
    }

    /// Whether the connection owns a buffer of input.
    pub fn has_input(&self) -> bool {
        self.input.is_some()
    }

    /// Gives back the free space of a buffer whose client has stopped in the middle of a command.
    pub fn shrink_stale_input(&mut self, now: Instant) {
        let is_stale = now.saturating_duration_since(self.active) >= STALE_INPUT_AGE;
        if let (true, Some(input)) = (is_stale, self.input.as_mut()) {
            input.shrink();
            self.publish_input(self.input.as_deref());
        }
    }

    /// Whether more input waits than a client may have; the log says so.
    pub(super) fn input_too_large(&self, turn: &Turn<'_>, input: &Input) -> bool {
        let limit = turn.engine.config.get(config::rows::CLIENT_QUERY_BUFFER_LIMIT);
        if input.len() as u64 <= limit {
            return false;
        }
        turn.engine.stats.thread(turn.context.index).query_limit_closed.add(1);
        log_warning!(
            "Closing client that reached max query buffer length: {}",
            turn.engine.describe(&self.session.handle)
        );
        true
    }
}
