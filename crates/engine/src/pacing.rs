//! How fast a snapshot is written in the background: as fast as it goes while the event loops have
//! time to spare or what they have copied for it waits in memory, and else for a seventh of the
//! time while they are busy.
//!
//! There is no other process to which the system could give less of the processors. A thread of low
//! priority would be put aside while it holds a shard's lock, and whoever waits for that lock with
//! it; so the thread that writes rests by itself, between two pieces, when it holds nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use config::rows;
use persistence::save::Progress;

use crate::engine::Engine;

/// After so much work is looked whether a rest is due.
const WORK_NS: u64 = 1_000_000;
/// How long a rest is, in times of the work before it.
const REST: u64 = 6;
/// The longest rest: what is being written must not get stuck behind one long piece of work.
const REST_NS_MAX: u64 = 20_000_000;
/// The event loops are busy if they work for more than this part of the time.
const BUSY_PERCENT: u64 = 25;

/// A delay that a test asks for is slept in pieces of this length.
const NAP: Duration = Duration::from_millis(5);

/// What one writer has seen of the event loops.
#[derive(Debug)]
pub(crate) struct Pacer {
    /// When the last rest began, and how long the loops had worked by then.
    seen_ns: u64,
    loops_ns: u64,
    /// When the last rest ended.
    rested_ns: u64,
}

impl Pacer {
    /// For a writer that begins now.
    pub(crate) fn new(engine: &Engine) -> Self {
        let now_ns = engine.clock.monotonic_ns();
        Self { seen_ns: now_ns, loops_ns: work_of_loops_ns(engine), rested_ns: now_ns }
    }

    /// Rests if it is time. To be called between two pieces, without a lock.
    ///
    /// What writers have copied waits in memory until it is written: there is no rest before that.
    pub(crate) fn rest(&mut self, engine: &Engine, progress: &Progress) {
        if progress.is_behind {
            return;
        }
        let now_ns = engine.clock.monotonic_ns();
        let worked_ns = now_ns.saturating_sub(self.rested_ns);
        if worked_ns < WORK_NS {
            return;
        }
        let loops_ns = work_of_loops_ns(engine);
        let busy_ns = loops_ns.saturating_sub(self.loops_ns);
        let passed_ns = now_ns.saturating_sub(self.seen_ns);
        (self.seen_ns, self.loops_ns) = (now_ns, loops_ns);
        if is_busy(busy_ns, passed_ns, engine.stats.loops() as u64) {
            let rest_ns = worked_ns.saturating_mul(REST).min(REST_NS_MAX);
            engine.platform.sleep(Duration::from_nanos(rest_ns));
        }
        self.rested_ns = engine.clock.monotonic_ns();
    }
}

impl Engine {
    /// Slows the writing of `keys` keys down as `rdb-key-save-delay` asks: microseconds for each,
    /// or, below zero, keys for each microsecond. False as soon as it is called off.
    pub(crate) fn delay_keys(&self, keys: u64, is_cancelled: &AtomicBool) -> bool {
        let mut slept = Duration::ZERO;
        loop {
            if is_cancelled.load(Ordering::Acquire) {
                return false;
            }
            // Read anew each time: who has slowed it down may want it to end.
            let delay = self.config.get(rows::RDB_KEY_SAVE_DELAY);
            let wanted_us = match u64::try_from(delay) {
                Ok(delay_us) => delay_us.saturating_mul(keys),
                Err(_) => keys / delay.unsigned_abs(),
            };
            let nap = NAP.min(Duration::from_micros(wanted_us).saturating_sub(slept));
            if nap.is_zero() {
                return true;
            }
            self.platform.sleep(nap);
            slept += nap;
        }
    }
}

fn work_of_loops_ns(engine: &Engine) -> u64 {
    engine.stats.sum(|thread| &thread.turn_nanos)
}

/// Whether so many loops that have worked for `busy_ns` together in `passed_ns` are busy.
fn is_busy(busy_ns: u64, passed_ns: u64, loops: u64) -> bool {
    busy_ns.saturating_mul(100) > passed_ns.saturating_mul(loops).saturating_mul(BUSY_PERCENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_are_busy_together() {
        assert!(!is_busy(0, 0, 2));
        assert!(!is_busy(500, 1000, 2), "a quarter of each");
        assert!(is_busy(501, 1000, 2));
        assert!(!is_busy(1000, 1000, 16), "one loop of sixteen leaves room enough");
    }
}
