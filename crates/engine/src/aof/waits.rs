//! `WAITAOF`: clients that wait until the log is as far on the disk as they want.

use std::sync::Arc;

use command::CommandError;
use parking_lot::Mutex;
use resp::Reply;

use super::state::Phase;
use crate::blocking::Suspended;
use crate::engine::Engine;

/// What `WAITAOF` answers that asks for a log which is not kept.
pub(crate) const NO_LOG: CommandError = CommandError::State(std::borrow::Cow::Borrowed(
    b"ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.",
));

/// The clients that wait for the log to be durable.
#[derive(Debug, Default)]
pub(super) struct Waits(Mutex<Vec<Waiting>>);

#[derive(Debug)]
struct Waiting {
    position: u64,
    suspended: Arc<Suspended>,
}

impl Engine {
    /// Whether a server that starts with the files of now has everything before this position,
    /// also after a loss of power.
    pub(crate) fn log_is_durable(&self, position: u64) -> bool {
        position <= self.aof.log.durable() && self.aof.state.lock().phase == Phase::On
    }

    /// Whether changes are logged, or will be.
    pub(crate) fn log_is_kept(&self) -> bool {
        self.aof.state.lock().phase != Phase::Off
    }

    /// Has a suspended client wait until the log is durable up to `position`.
    pub(crate) fn wait_for_log(&self, position: u64, suspended: Arc<Suspended>) {
        self.aof.waits.0.lock().push(Waiting { position, suspended });
        // It may have got there since the caller looked, or have been switched off; else whoever
        // flushes it, or switches it off, sees the client.
        if self.log_is_kept() {
            self.end_waits_for_log();
        } else {
            self.refuse_waits_for_log();
        }
    }

    /// Answers those whose wait is over, and forgets those who wait no more.
    pub(super) fn end_waits_for_log(&self) {
        let mut waits = self.aof.waits.0.lock();
        if waits.is_empty() {
            return;
        }
        let is_over = |waiting: &Waiting| self.log_is_durable(waiting.position);
        let (over, rest): (Vec<_>, Vec<_>) = waits.drain(..).partition(is_over);
        *waits = rest.into_iter().filter(|waiting| waiting.suspended.is_open()).collect();
        drop(waits);
        for Waiting { suspended, position } in over {
            let mut reply = Reply::new(suspended.version());
            self.write_log_wait(position, &mut reply);
            self.serve_suspended(&suspended, reply);
        }
    }

    /// The log is kept no more: nobody can wait for it.
    pub(super) fn refuse_waits_for_log(&self) {
        for Waiting { suspended, .. } in std::mem::take(&mut *self.aof.waits.0.lock()) {
            let mut reply = Reply::new(suspended.version());
            reply.error(NO_LOG.text());
            self.serve_suspended(&suspended, reply);
        }
    }

    /// The answer of `WAITAOF`: whether the own log is durable up to `position`, and the number of
    /// replicas of which that is true.
    pub(crate) fn write_log_wait(&self, position: u64, reply: &mut Reply) {
        reply.array(2);
        reply.integer(i64::from(self.log_is_durable(position)));
        reply.integer(0);
    }
}
