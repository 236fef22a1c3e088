//! `CLIENT PAUSE`: commands are put off until a time, all of them or only writes.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// What is paused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PauseKind {
    /// Nothing.
    #[default]
    None,
    /// Commands that may write.
    Write,
    /// Every command.
    All,
}

/// The pause, if one is on, and who waits for its end.
#[derive(Debug, Default)]
pub struct Pause {
    /// Unix time in milliseconds of its end; 0 if none. Read on every command.
    until_ms: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kind: PauseKind,
    /// Event loop and id of each session that waits.
    waiting: Vec<(usize, u64)>,
}

impl Pause {
    /// Whether a pause may be on: a cheap first question.
    #[inline]
    #[must_use]
    pub fn possible(&self) -> bool {
        self.until_ms.load(Ordering::Relaxed) != 0
    }

    /// Begins or extends a pause: the later end and the stricter kind win, as in Redis.
    pub fn begin(&self, kind: PauseKind, until_ms: u64, now_ms: u64) {
        let mut state = self.state.lock();
        let current = self.until_ms.load(Ordering::Relaxed);
        let active = current > now_ms;
        state.kind = if active { state.kind.max(kind) } else { kind };
        let until = if active { current.max(until_ms) } else { until_ms };
        self.until_ms.store(until.max(1), Ordering::Relaxed);
    }

    /// Ends it. Returns the sessions that waited.
    pub fn end(&self) -> Vec<(usize, u64)> {
        let mut state = self.state.lock();
        self.until_ms.store(0, Ordering::Relaxed);
        state.kind = PauseKind::None;
        std::mem::take(&mut state.waiting)
    }

    /// What is paused at `now_ms`, and for how many milliseconds more.
    #[must_use]
    pub fn active(&self, now_ms: u64) -> (PauseKind, u64) {
        let until = self.until_ms.load(Ordering::Relaxed);
        if until <= now_ms {
            return (PauseKind::None, 0);
        }
        (self.state.lock().kind, until - now_ms)
    }

    /// Notes that a session waits; false if the pause has ended meanwhile.
    pub fn wait(&self, thread: usize, client: u64) -> bool {
        let mut state = self.state.lock();
        if self.until_ms.load(Ordering::Relaxed) == 0 {
            return false;
        }
        if !state.waiting.contains(&(thread, client)) {
            state.waiting.push((thread, client));
        }
        true
    }

    /// The sessions to resume if the pause's time is over.
    pub fn expire(&self, now_ms: u64) -> Vec<(usize, u64)> {
        let until = self.until_ms.load(Ordering::Relaxed);
        if until == 0 || until > now_ms { Vec::new() } else { self.end() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_end_and_the_stricter_kind_win() {
        let pause = Pause::default();
        pause.begin(PauseKind::All, 1000, 0);
        pause.begin(PauseKind::Write, 500, 0);
        assert_eq!(pause.active(400), (PauseKind::All, 600));
        assert_eq!(pause.active(1000), (PauseKind::None, 0));
        assert!(pause.wait(1, 7));
        assert_eq!(pause.expire(1000), [(1, 7)]);
        assert!(!pause.possible() && !pause.wait(1, 7));
    }
}
