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
///
/// There are two reasons for one, and neither ends the other's: what a client asked for, and the
/// server's own end, which may fail.
#[derive(Debug, Default)]
pub struct Pause {
    /// Unix time in milliseconds of its end; 0 if none. Read on every command.
    until_ms: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What clients have paused.
    kind: PauseKind,
    /// Until when; 0 if they have not.
    until_ms: u64,
    /// The server is about to end, and nothing runs until that has failed.
    ending: bool,
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

    /// Begins or extends a client's pause: the later end and the stricter kind win, as in Redis.
    pub fn begin(&self, kind: PauseKind, until_ms: u64, now_ms: u64) {
        let mut state = self.state.lock();
        let (current, kind_before) = match state.until_ms > now_ms {
            true => (state.until_ms, state.kind),
            false => (0, PauseKind::None),
        };
        state.kind = kind_before.max(kind);
        state.until_ms = current.max(until_ms).max(1);
        self.publish(&state);
    }

    /// Ends a client's pause. Returns the sessions to resume.
    pub fn end(&self) -> Vec<(usize, u64)> {
        let mut state = self.state.lock();
        (state.kind, state.until_ms) = (PauseKind::None, 0);
        self.publish(&state);
        if state.ending { Vec::new() } else { std::mem::take(&mut state.waiting) }
    }

    /// Holds every command back while the server ends.
    pub fn begin_ending(&self) {
        let mut state = self.state.lock();
        state.ending = true;
        self.publish(&state);
    }

    /// The server did not end: what clients have paused stays paused. Returns the sessions to
    /// resume, some of which may have to wait on.
    pub fn end_ending(&self) -> Vec<(usize, u64)> {
        let mut state = self.state.lock();
        state.ending = false;
        self.publish(&state);
        std::mem::take(&mut state.waiting)
    }

    fn publish(&self, state: &State) {
        let until = if state.ending { u64::MAX } else { state.until_ms };
        self.until_ms.store(until, Ordering::Relaxed);
    }

    /// What is paused at `now_ms`, and for how many milliseconds more.
    #[must_use]
    pub fn active(&self, now_ms: u64) -> (PauseKind, u64) {
        let until = self.until_ms.load(Ordering::Relaxed);
        if until <= now_ms {
            return (PauseKind::None, 0);
        }
        let state = self.state.lock();
        (if state.ending { PauseKind::All } else { state.kind }, until - now_ms)
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

    #[test]
    fn an_end_that_fails_leaves_the_pause_of_a_client() {
        let pause = Pause::default();
        pause.begin(PauseKind::Write, 1000, 0);
        pause.begin_ending();
        assert_eq!(pause.active(400).0, PauseKind::All);
        assert!(pause.wait(1, 7));
        assert!(pause.expire(1000).is_empty());
        assert_eq!(pause.end_ending(), [(1, 7)]);
        assert_eq!(pause.active(400), (PauseKind::Write, 600));

        pause.begin_ending();
        assert!(pause.wait(1, 7));
        assert!(pause.end().is_empty(), "a client does not end the server's own pause");
        assert_eq!(pause.active(400).0, PauseKind::All);
        assert_eq!(pause.end_ending(), [(1, 7)]);
        assert!(!pause.possible());
    }
}
