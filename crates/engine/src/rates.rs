//! Rates per second for `INFO`: differences of counters, averaged over the last samples.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::engine::Engine;

/// Samples that an average covers, as in Redis.
const SAMPLES: usize = 16;
/// Time between samples in milliseconds.
const PERIOD_MS: u64 = 100;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Commands.
    Commands,
    /// Bytes received.
    NetIn,
    /// Bytes sent.
    NetOut,
    /// Event-loop turns.
    Turns,
}

const METRICS: usize = 4;

#[derive(Debug, Default)]
struct Sampling {
    last_ms: u64,
    last: [u64; METRICS],
    ring: [[u64; SAMPLES]; METRICS],
    next: usize,
}

/// The current rates.
#[derive(Debug, Default)]
pub struct Rates {
    sampling: Mutex<Sampling>,
    now: [AtomicU64; METRICS],
}

impl Rates {
    /// The rate per second.
    #[must_use]
    pub fn get(&self, metric: Metric) -> u64 {
        self.now[metric as usize].load(Ordering::Relaxed)
    }

    /// Takes a sample if it is time.
    pub(crate) fn sample(&self, engine: &Engine, now_ms: u64) {
        let mut sampling = self.sampling.lock();
        let elapsed = now_ms.saturating_sub(sampling.last_ms);
        if elapsed < PERIOD_MS {
            return;
        }
        let stats = &engine.stats;
        let values = [
            stats.sum(|t| &t.executed),
            stats.sum(|t| &t.net_in),
            stats.sum(|t| &t.net_out),
            stats.sum(|t| &t.turns),
        ];
        let (slot, first) = (sampling.next % SAMPLES, sampling.last_ms == 0);
        for (metric, value) in values.into_iter().enumerate() {
            let delta = value.saturating_sub(sampling.last[metric]);
            sampling.ring[metric][slot] = if first { 0 } else { delta * 1000 / elapsed };
            sampling.last[metric] = value;
            let average = sampling.ring[metric].iter().sum::<u64>() / SAMPLES as u64;
            self.now[metric].store(average, Ordering::Relaxed);
        }
        sampling.last_ms = now_ms;
        sampling.next += 1;
    }
}
