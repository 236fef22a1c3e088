//! Who brings the log to the disk, and who waits for that.
//!
//! With `appendfsync always` nobody may hear of a change before it is durable. Event loops keep
//! their replies back and ask for a flush ([`Engine::commit_log`]). While a flush is short, whoever
//! asks makes it: nothing is handed to another thread, and the replies leave in the next turn.
//! While it is long, the log's own thread makes it, and the loop goes on serving.
//!
//! ```text
//!   loop 0   execute, gather, write + flush ── send replies ──────────────────────────────────>
//!   loop 1      execute, gather, (loop 0 is at it) .... told: not all of mine: write + flush ──>
//! ```
//!
//! Of two loops one writes and the other is told when it has ended; what came too late for that
//! flush is in the next one, which the other loop then makes itself.
//!
//! To gather is worth it because clients come back: those who were answered after the last flush
//! send their next commands at about the same time. Whoever makes a flush waits until as many
//! replies depend on it as on the one before, but never for longer than it will take.
//!
//! With other policies the log's thread writes what there is, every few milliseconds, and replies
//! wait only when the disk is so far behind that the log would fill the memory.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::time::Duration;

use config::{AppendFsync, rows};
use parking_lot::MutexGuard;
use persistence::aof::{Failure, Fsync, Rest, Writer, WriterSettings};

use crate::engine::Engine;
use crate::platform::Message;

/// A loop flushes the log by itself while that takes less than this. It could serve others
/// meanwhile, but all of its clients, whatever they ask, are answered when the log is flushed:
/// until a flush is so long, that is worth less than what it costs to hand it to another thread.
const SHORT_NS: u64 = 4_000_000;
/// The longest time for which anybody waits for more to share a flush.
const GATHER_NS_MAX: u64 = 2_000_000;
/// Nobody waits for more when nobody has come for so small a part of the longest wait.
const LULL: u64 = 8;
/// How much one flush counts in the mean of the last ones: one part of so many.
const WEIGHT: u64 = 8;

/// Who is at it, how long it takes, and for how many.
#[derive(Debug)]
pub(super) struct Commits {
    /// What the event loops wait for, by their number.
    loops: Box<[Waiting]>,
    /// Whether somebody writes who will tell those that wait.
    is_led: AtomicBool,
    /// Whether the log's thread waits for more to share its flush.
    is_gathering: AtomicBool,
    /// How long a write and a flush have taken of late, nanoseconds; 0 if that is not known yet.
    mean_ns: AtomicU64,
    /// Replies that depended on the flushes of late.
    group: AtomicUsize,
}

/// An event loop that keeps replies back.
#[derive(Debug, Default)]
struct Waiting {
    /// It is to be told when the log has advanced.
    is_waiting: AtomicBool,
    /// How many replies it keeps back, since it has last heard of the log.
    replies: AtomicUsize,
}

impl Commits {
    pub(super) fn new(loops: usize) -> Self {
        Self {
            loops: (0..loops).map(|_| Waiting::default()).collect(),
            is_led: AtomicBool::new(false),
            is_gathering: AtomicBool::new(false),
            mean_ns: AtomicU64::new(0),
            group: AtomicUsize::new(0),
        }
    }

    fn is_short(&self) -> bool {
        (1..SHORT_NS).contains(&self.mean_ns.load(Ordering::Relaxed))
    }

    /// How long a flush may be put off for more to share it.
    fn gather_ns(&self) -> u64 {
        self.mean_ns.load(Ordering::Relaxed).min(GATHER_NS_MAX)
    }

    fn note_time(&self, took_ns: u64) {
        let mean = match self.mean_ns.load(Ordering::Relaxed) {
            0 => took_ns,
            mean => mean - mean / WEIGHT + took_ns / WEIGHT,
        };
        self.mean_ns.store(mean.max(1), Ordering::Relaxed);
    }

    fn replies(&self) -> usize {
        self.loops.iter().map(|waiting| waiting.replies.load(Ordering::Relaxed)).sum()
    }

    /// Notes that event loop `thread` keeps so many replies back. Whether those of all loops are as
    /// many as shared the last flushes.
    fn is_complete(&self, thread: usize, replies: usize) -> bool {
        if let Some(waiting) = self.loops.get(thread) {
            waiting.replies.store(replies, Ordering::Relaxed);
        }
        self.replies() >= self.group.load(Ordering::Relaxed)
    }

    /// A flush begins: those who share it are those to wait for before the next. Clients that
    /// have gone are soon forgotten.
    fn note_group(&self) {
        let group = self.group.load(Ordering::Relaxed);
        self.group.store(self.replies().max(group - group.div_ceil(4)), Ordering::Relaxed);
    }

    /// Whether the log's thread is to wait for more before it makes a flush.
    fn gathers(&self) -> bool {
        let is_complete = self.replies() >= self.group.load(Ordering::Relaxed);
        // It does so once.
        let waits = !is_complete && self.gather_ns() > 0;
        let waited = self.is_gathering.swap(waits, Ordering::Relaxed);
        if waits && waited {
            self.is_gathering.store(false, Ordering::Relaxed);
        }
        waits && !waited
    }

    /// Either whoever writes the log sees that this loop waits, or what it has done before is seen
    /// by the caller from here on.
    fn wait(&self, thread: usize) {
        if let Some(waiting) = self.loops.get(thread) {
            waiting.is_waiting.store(true, Ordering::Relaxed);
        }
        fence(Ordering::SeqCst);
    }
}

impl Engine {
    /// The position that must be released before replies to what was executed until now may leave;
    /// none if they may leave at once. Asked after the commands were executed and before anything
    /// is sent.
    #[inline]
    #[must_use]
    pub fn replies_wait_for(&self) -> Option<u64> {
        if !self.aof.holds.load(Ordering::Relaxed) {
            return None;
        }
        let end = self.aof.log.end();
        (end > self.aof.log.released()).then_some(end)
    }

    /// Whether replies that waited for `position` may leave. If not, event loop `thread` gets a
    /// [`Message::LogAdvanced`] when it is worth asking again.
    #[must_use]
    pub fn replies_released(&self, position: u64, thread: usize) -> bool {
        let is_released =
            || position <= self.aof.log.released() || !self.aof.holds.load(Ordering::Acquire);
        if is_released() {
            return true;
        }
        self.aof.commits.wait(thread);
        is_released()
    }

    /// How long event loop `thread` may wait for others who are about to share the flush, before it
    /// calls [`Engine::commit_log`]; none if it is to call it now. It keeps `replies` back, the
    /// first for `waited_ns` and the last for `idle_ns`.
    #[must_use]
    pub fn commit_patience(
        &self,
        thread: usize,
        replies: usize,
        [waited_ns, idle_ns]: [u64; 2],
    ) -> Option<u64> {
        let commits = &self.aof.commits;
        if commits.is_complete(thread, replies) || !commits.is_short() {
            return None;
        }
        let gather_ns = commits.gather_ns();
        let left_ns = gather_ns.saturating_sub(waited_ns);
        let left_ns = left_ns.min((gather_ns / LULL).saturating_sub(idle_ns));
        (left_ns > 0).then_some(left_ns)
    }

    /// Has everything logged so far brought to the disk, where nobody does so without being asked
    /// (`appendfsync always`). Event loop `thread`, which asks, may do it here and now; else it
    /// gets a [`Message::LogAdvanced`].
    pub fn commit_log(&self, thread: usize) {
        if !self.aof.log.is_asked() {
            return;
        }
        let commits = &self.aof.commits;
        if commits.is_short() {
            commits.wait(thread);
            if let Some(writer) = self.aof.writer.try_lock() {
                // It need not be told what it does.
                if let Some(waiting) = commits.loops.get(thread) {
                    waiting.is_waiting.store(false, Ordering::Relaxed);
                }
                let _ = self.write_round(writer);
                return;
            }
            if commits.is_led.load(Ordering::Relaxed) {
                return;
            }
        }
        let is_complete = commits.replies() >= commits.group.load(Ordering::Relaxed);
        if is_complete && commits.is_gathering.load(Ordering::Relaxed) {
            self.platform.wake_log_writer();
        } else {
            self.aof.log.wake();
        }
    }

    /// What the log's own thread does when it is woken: writes what has gathered, flushes it if it
    /// is time, and tells whoever waits. Returns how long to rest.
    pub fn write_log(&self) -> Rest {
        self.aof.log.awake();
        if self.aof.log.is_asked() && self.aof.commits.gathers() {
            return Rest::For(self.aof.commits.gather_ns());
        }
        let rest = self.write_round(self.aof.writer.lock());
        if matches!(rest, Rest::Nap(_)) || self.aof.log.sleep() { rest } else { Rest::None }
    }

    fn write_round(&self, mut writer: MutexGuard<'_, Writer>) -> Rest {
        let settings = self.writer_settings();
        let began_ns = self.clock.monotonic_ns();
        self.aof.commits.is_led.store(true, Ordering::Relaxed);
        self.aof.round_ns.store(began_ns.max(1), Ordering::Relaxed);
        let sleep_us = self.aof.flush_sleep_us.load(Ordering::Relaxed);
        if sleep_us > 0 {
            self.platform.sleep(Duration::from_micros(sleep_us));
        }
        self.aof.commits.note_group();
        let (before, durable) = (writer.failure().cloned(), self.aof.log.durable());
        let rest = writer.round(settings, began_ns);
        let after = writer.failure().cloned();
        self.aof.round_ns.store(0, Ordering::Relaxed);
        if settings.fsync == Fsync::Always && self.aof.log.durable() > durable {
            self.aof.commits.note_time(self.clock.monotonic_ns().saturating_sub(began_ns));
        }
        self.aof.commits.is_led.store(false, Ordering::Relaxed);
        drop(writer);
        // A rewrite may have mended it between two rounds.
        let is_mended = after.is_none() && self.aof.refuses.load(Ordering::Relaxed);
        if before != after || is_mended {
            self.note_failure(after, settings);
        }
        if self.aof.behind.swap(false, Ordering::Relaxed) {
            self.aof.parameters_changed(&self.config);
        }
        self.log_advanced();
        rest
    }

    /// Writes and flushes what was logged so far. Nobody logs meanwhile: all locks are held.
    ///
    /// # Errors
    /// What failed.
    pub(crate) fn write_whole_log(&self) -> Result<(), Failure> {
        let finished = self.aof.writer.lock().finish();
        self.log_advanced();
        finished
    }

    /// Tells those who wait how far the log is.
    fn log_advanced(&self) {
        fence(Ordering::SeqCst);
        for (thread, waiting) in self.aof.commits.loops.iter().enumerate() {
            waiting.replies.store(0, Ordering::Relaxed);
            let is_waiting = &waiting.is_waiting;
            if is_waiting.load(Ordering::Relaxed) && is_waiting.swap(false, Ordering::AcqRel) {
                self.platform.send(thread, Message::LogAdvanced);
            }
        }
        self.end_waits_for_log();
    }

    fn writer_settings(&self) -> WriterSettings {
        let fsync = match self.config.get(rows::APPENDFSYNC) {
            AppendFsync::Always => Fsync::Always,
            AppendFsync::Everysec => Fsync::EverySecond,
            AppendFsync::No => Fsync::Never,
        };
        let suspended = self.config.get(rows::NO_APPENDFSYNC_ON_REWRITE) && self.snapshot_runs();
        WriterSettings { fsync, suspended }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_slow_until_it_has_shown_otherwise() {
        let commits = Commits::new(1);
        assert!(!commits.is_short());
        commits.note_time(20_000);
        assert!(commits.is_short());
        assert_eq!(commits.gather_ns(), 20_000);
        // One long flush puts the work elsewhere, and it comes back when flushes are short again.
        commits.note_time(50 * SHORT_NS);
        assert!(!commits.is_short());
        let flushes = (1..).find(|_| {
            commits.note_time(20_000);
            commits.is_short()
        });
        assert_eq!(flushes, Some(14));
        commits.note_time(u64::MAX / 2);
        assert_eq!(commits.gather_ns(), GATHER_NS_MAX);
    }

    #[test]
    fn a_flush_waits_once_for_those_of_the_last() {
        let commits = Commits::new(2);
        commits.note_time(2 * SHORT_NS);
        assert!(!commits.gathers(), "nobody is known yet");
        assert!(commits.is_complete(0, 3) && commits.is_complete(1, 5));
        commits.note_group();
        assert!(!commits.is_complete(1, 4));
        assert!(commits.gathers() && !commits.gathers());
        assert!(commits.is_complete(1, 5) && !commits.gathers());
        // Four of them are gone.
        let rounds = (1..).find(|_| {
            commits.note_group();
            commits.is_complete(1, 1)
        });
        assert_eq!(rounds, Some(3));
    }
}
