//! What `INFO` says of the append-only file.

use std::sync::atomic::Ordering;

use super::state::Phase;
use crate::engine::Engine;

/// The figures of the log.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LogFigures {
    pub(crate) enabled: bool,
    pub(crate) in_progress: bool,
    pub(crate) scheduled: bool,
    pub(crate) last_seconds: Option<u64>,
    pub(crate) current_seconds: Option<u64>,
    pub(crate) last_ok: bool,
    pub(crate) rewrites: u64,
    pub(crate) failures: u64,
    pub(crate) size: u64,
    pub(crate) base_size: u64,
    pub(crate) waiting_bytes: u64,
    pub(crate) waits_for_flush: bool,
    pub(crate) delayed: u64,
    pub(crate) write_ok: bool,
    pub(crate) copied_bytes: u64,
}

impl Engine {
    /// What `INFO` says of the log.
    pub(crate) fn log_figures(&self) -> LogFigures {
        let (written, log) = (self.aof.log.written(), &self.aof.log);
        let state = self.aof.state.lock();
        let current = state.rewrite.as_ref().map(|rewrite| {
            self.clock.monotonic_ns().saturating_sub(rewrite.started_ns) / 1_000_000_000
        });
        LogFigures {
            enabled: state.phase != Phase::Off,
            in_progress: state.rewrite.is_some(),
            scheduled: state.scheduled,
            last_seconds: state.last_seconds,
            current_seconds: current,
            last_ok: state.last_ok,
            rewrites: state.rewrites,
            failures: u64::from(state.failures),
            size: state.size(written),
            base_size: state.base_size,
            waiting_bytes: log.end().saturating_sub(written),
            waits_for_flush: log.durable() < written,
            delayed: self.aof.delayed.load(Ordering::Relaxed),
            write_ok: !self.aof.refuses.load(Ordering::Relaxed),
            copied_bytes: state.copied_bytes,
        }
    }
}
