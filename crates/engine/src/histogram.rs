//! A latency histogram with bounded relative error: 32 buckets per power of two, so a quantile is
//! exact to 3 %. One thread writes it, any thread reads it.

use std::sync::atomic::{AtomicU32, Ordering};

const SUB_BITS: u32 = 5;
const SUB_BUCKETS: usize = 1 << SUB_BITS;
/// Values above 2^36 ns (69 s) count in the last bucket.
const TOP_BIT: u32 = 36;
const BUCKETS: usize = SUB_BUCKETS * (TOP_BIT - SUB_BITS + 2) as usize;

/// Counts of durations in nanoseconds.
#[derive(Debug)]
pub struct Histogram {
    counts: Box<[AtomicU32]>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: (0..BUCKETS).map(|_| AtomicU32::new(0)).collect() }
    }
}

fn bucket_of(nanos: u64) -> usize {
    let nanos = nanos.min((1 << (TOP_BIT + 1)) - 1);
    let top = 63 - (nanos | 1).leading_zeros();
    if top < SUB_BITS {
        return nanos as usize;
    }
    let shift = top - SUB_BITS;
    let sub = (nanos >> shift) as usize - SUB_BUCKETS;
    SUB_BUCKETS * (shift as usize + 1) + sub
}

/// Largest value of a bucket.
fn upper_bound(bucket: usize) -> u64 {
    if bucket < SUB_BUCKETS {
        return bucket as u64;
    }
    let shift = (bucket / SUB_BUCKETS - 1) as u32;
    let sub = (bucket % SUB_BUCKETS + SUB_BUCKETS) as u64;
    ((sub + 1) << shift) - 1
}

impl Histogram {
    /// Counts one duration. Only the owning thread may call it.
    #[inline]
    pub fn record(&self, nanos: u64) {
        let count = &self.counts[bucket_of(nanos)];
        count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// Empties it.
    pub fn reset(&self) {
        self.counts.iter().for_each(|count| count.store(0, Ordering::Relaxed));
    }
}

/// The sum of several threads' histograms.
#[derive(Clone, Debug)]
pub struct Snapshot {
    counts: Vec<u64>,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS] }
    }
}

impl Snapshot {
    /// Adds a histogram.
    pub fn add(&mut self, histogram: &Histogram) {
        for (sum, count) in self.counts.iter_mut().zip(&histogram.counts) {
            *sum += u64::from(count.load(Ordering::Relaxed));
        }
    }

    /// Number of durations.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The duration in nanoseconds that `percent` of all do not exceed; 0 if there is none.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> u64 {
        let total = self.total();
        let wanted = ((percent.clamp(0.0, 100.0) / 100.0 * total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return upper_bound(bucket);
            }
        }
        0
    }

    /// For each bound in nanoseconds, ascending, how many durations do not exceed it.
    #[must_use]
    pub fn cumulative(&self, bound: u64) -> u64 {
        let upto = |(bucket, _): &(usize, &u64)| upper_bound(*bucket) <= bound;
        self.counts.iter().enumerate().take_while(upto).map(|(_, count)| count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_contiguous_and_hold_their_values() {
        for nanos in (0..100_000).chain([1 << 20, (1 << 36) + 5, u64::MAX]) {
            let bucket = bucket_of(nanos);
            let capped = nanos.min((1 << (TOP_BIT + 1)) - 1);
            assert!(upper_bound(bucket) >= capped, "{nanos}");
            assert!(bucket == 0 || upper_bound(bucket - 1) < capped, "{nanos}");
        }
    }

    #[test]
    fn percentiles_are_within_three_percent() {
        let histogram = Histogram::default();
        (1..=100_000u64).for_each(|n| histogram.record(n * 10));
        let mut snapshot = Snapshot::default();
        snapshot.add(&histogram);
        for (percent, exact) in [(50.0, 500_000.0), (99.0, 990_000.0), (100.0, 1_000_000.0)] {
            let got = snapshot.percentile(percent) as f64;
            assert!((got / exact - 1.0).abs() < 0.04, "{percent}: {got}");
        }
    }
}
