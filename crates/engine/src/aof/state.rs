//! How far the log is switched on, which files it has, and what became of the last rewrites.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use persistence::aof::Manifest;

/// Rewrites that fail one after the other before the next is put off.
const FAILURES_MAX: u32 = 3;
const MINUTE_NS: u64 = 60_000_000_000;
/// The longest time for which one is put off, in minutes.
const PUT_OFF_MINUTES_MAX: u64 = 60;

/// Whether commands are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// No.
    #[default]
    Off,
    /// Not for good before the first rewrite has ended, or not even yet.
    Begins,
    /// Yes.
    On,
}

/// A rewrite under way.
#[derive(Clone, Debug)]
pub(super) struct Rewrite {
    pub(super) started_ns: u64,
    /// Set to end it.
    pub(super) cancelled: Arc<AtomicBool>,
}

/// The state of the append-only file.
#[derive(Debug)]
pub(super) struct State {
    pub(super) phase: Phase,
    pub(super) manifest: Manifest,
    pub(super) rewrite: Option<Rewrite>,
    /// One is to begin as soon as nothing else is in its way.
    pub(super) scheduled: bool,
    pub(super) rewrites: u64,
    /// Failures since the last success.
    pub(super) failures: u32,
    /// Whether the last one succeeded.
    pub(super) last_ok: bool,
    /// How long the last one took.
    pub(super) last_seconds: Option<u64>,
    /// None is begun by itself before this time: monotonic nanoseconds.
    put_off_ns: u64,
    /// For how long the last one was put off.
    put_off_minutes: u64,
    /// Bytes of all files less the position up to which the log was written.
    pub(super) size_offset: i64,
    /// Bytes of all files after the last rewrite, or at the start.
    pub(super) base_size: u64,
    /// Bytes that writers copied for the last rewrite.
    pub(super) copied_bytes: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            phase: Phase::Off,
            manifest: Manifest::default(),
            rewrite: None,
            scheduled: false,
            rewrites: 0,
            failures: 0,
            last_ok: true,
            last_seconds: None,
            put_off_ns: 0,
            put_off_minutes: 0,
            size_offset: 0,
            base_size: 0,
            copied_bytes: 0,
        }
    }
}

impl State {
    /// Bytes of all files, when the log was written up to this position.
    pub(super) fn size(&self, written: u64) -> u64 {
        u64::try_from(self.size_offset.saturating_add(written as i64)).unwrap_or(0)
    }

    /// Whether a rewrite that nobody asked for is to be put off because the last ones failed; with
    /// the minutes, if that was decided just now.
    pub(super) fn is_put_off(&mut self, now_ns: u64) -> (bool, Option<u64>) {
        if self.failures < FAILURES_MAX {
            self.put_off_minutes = 0;
            self.put_off_ns = 0;
            return (false, None);
        }
        if self.put_off_ns > now_ns {
            return (true, None);
        }
        if self.put_off_ns > 0 {
            // Its time is over: one may be tried, and the next waits longer.
            self.put_off_ns = 0;
            return (false, None);
        }
        let minutes = (self.put_off_minutes * 2).clamp(1, PUT_OFF_MINUTES_MAX);
        self.put_off_minutes = minutes;
        self.put_off_ns = now_ns + minutes * MINUTE_NS;
        (true, Some(minutes))
    }

    /// Calls off the rewrite under way; whether there was one. It is neither a failure nor a
    /// success, and its thread may need a moment to put its files away.
    pub(super) fn cancel_rewrite(&mut self) -> bool {
        let Some(rewrite) = self.rewrite.take() else { return false };
        rewrite.cancelled.store(true, Ordering::Release);
        true
    }

    /// Notes how the rewrite ended that is under way.
    pub(super) fn rewrite_ended(&mut self, ok: bool, now_ns: u64) {
        if let Some(rewrite) = self.rewrite.take() {
            self.last_seconds = Some(now_ns.saturating_sub(rewrite.started_ns) / 1_000_000_000);
        }
        self.last_ok = ok;
        self.failures = if ok { 0 } else { self.failures + 1 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_rewrites_are_put_off_longer_and_longer() {
        let mut state = State { failures: 2, ..State::default() };
        assert_eq!(state.is_put_off(5), (false, None));
        state.rewrite_ended(false, 5);
        let mut now = 5;
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(state.is_put_off(now), (true, Some(minutes)));
            assert_eq!(state.is_put_off(now + minutes * MINUTE_NS - 1), (true, None));
            now += minutes * MINUTE_NS;
            assert_eq!(state.is_put_off(now), (false, None), "one is tried");
        }
        state.rewrite_ended(true, now);
        assert_eq!((state.is_put_off(now), state.failures), ((false, None), 0));
    }
}
