//! The latency monitor: for each kind of event the spikes of the last time (`LATENCY`).
//!
//! An event is noted when it took at least `latency-monitor-threshold`. Several within one second
//! count as one, of the longest duration: a series then covers at least 160 seconds.

use std::collections::BTreeMap;

use config::rows;
use parking_lot::Mutex;

use crate::engine::Engine;

/// Spikes kept of each kind of event.
pub(crate) const SAMPLES_MAX: usize = 160;

/// A spike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sample {
    /// Unix time in seconds.
    pub(crate) at_s: u64,
    /// How long it took.
    pub(crate) millis: u64,
}

/// The spikes of one kind of event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    /// The oldest first; never empty once the series is known.
    pub(crate) samples: std::collections::VecDeque<Sample>,
    /// The longest of all time.
    pub(crate) millis_max: u64,
}

impl Series {
    fn add(&mut self, sample: Sample) {
        self.millis_max = self.millis_max.max(sample.millis);
        match self.samples.back_mut() {
            Some(last) if last.at_s == sample.at_s => {
                last.millis = last.millis.max(sample.millis);
            }
            _ => {
                if self.samples.len() == SAMPLES_MAX {
                    self.samples.pop_front();
                }
                self.samples.push_back(sample);
            }
        }
    }

    /// The newest spike.
    pub(crate) fn latest(&self) -> Sample {
        *self.samples.back().expect("a series begins with a sample")
    }
}

/// All series, by the name of their event.
#[derive(Debug, Default)]
pub(crate) struct LatencyMonitor {
    series: Mutex<BTreeMap<&'static str, Series>>,
}

impl LatencyMonitor {
    /// Every series with its event.
    pub(crate) fn all(&self) -> Vec<(&'static str, Series)> {
        self.series.lock().iter().map(|(event, series)| (*event, series.clone())).collect()
    }

    /// The series of one event, if anything was noted of it.
    pub(crate) fn get(&self, event: &[u8]) -> Option<Series> {
        self.series.lock().get(std::str::from_utf8(event).ok()?).cloned()
    }

    /// Forgets the series of an event; false if there is none.
    pub(crate) fn reset(&self, event: &[u8]) -> bool {
        let Ok(event) = std::str::from_utf8(event) else { return false };
        self.series.lock().remove(event).is_some()
    }

    /// Forgets everything; the number of series.
    pub(crate) fn reset_all(&self) -> usize {
        std::mem::take(&mut *self.series.lock()).len()
    }
}

impl Engine {
    /// Notes that something took so long, if that is above the threshold. Events are those that
    /// Redis names: `command`, `expire-cycle`, `aof-write`, `fork`...
    pub fn note_latency(&self, event: &'static str, nanos: u64) {
        let threshold = self.config.get(rows::LATENCY_MONITOR_THRESHOLD).unsigned_abs();
        let millis = nanos / 1_000_000;
        if threshold > 0 && millis >= threshold {
            let at_s = self.clock.unix_ms() / 1_000;
            self.latency.series.lock().entry(event).or_default().add(Sample { at_s, millis });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sample_a_second_and_the_oldest_goes() {
        let mut series = Series::default();
        for (at_s, millis) in [(1, 5), (1, 9), (1, 3), (2, 4)] {
            series.add(Sample { at_s, millis });
        }
        assert_eq!(series.samples, [Sample { at_s: 1, millis: 9 }, Sample { at_s: 2, millis: 4 }]);
        (3..500).for_each(|at_s| series.add(Sample { at_s, millis: 1 }));
        assert_eq!((series.samples.len(), series.millis_max), (SAMPLES_MAX, 9));
        assert_eq!(series.latest().at_s, 499);
    }
}
