//! Latencies in buckets that are at most 1/64 wide of their value: exact enough for a percentile,
//! small enough to record millions without allocating.

/// Buckets per power of two.
const STEPS: usize = 64;
const STEP_BITS: u32 = STEPS.trailing_zeros();

/// Counts of latencies in nanoseconds.
#[derive(Clone, Default)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

impl Histogram {
    /// Counts one latency.
    pub fn record(&mut self, ns: u64) {
        let bucket = bucket(ns);
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
        self.max = self.max.max(ns);
    }

    /// Counts a latency, and the ones that the same wait would have given to the requests that were
    /// due meanwhile, one every `interval_ns`. A client that waits sends nothing, so without them a
    /// stall of a second would count as one request among thousands.
    pub fn record_with_missed(&mut self, ns: u64, interval_ns: u64) {
        let mut rest = ns;
        self.record(rest);
        while rest > interval_ns.max(1) {
            rest -= interval_ns.max(1);
            self.record(rest);
        }
    }

    /// How many latencies were counted.
    pub fn count(&self) -> u64 {
        self.total
    }

    /// The longest, exactly.
    pub fn max_ns(&self) -> u64 {
        self.max
    }

    /// The latency that the fraction `part` (0 to 1) of all does not exceed, rounded up to its
    /// bucket.
    pub fn quantile_ns(&self, part: f64) -> u64 {
        let wanted = (self.total as f64 * part).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted && seen > 0 {
                return top(bucket).min(self.max);
            }
        }
        self.max
    }
}

/// Small values have a bucket each; above, the top `STEP_BITS + 1` bits number the bucket.
fn bucket(ns: u64) -> usize {
    let shift = (u64::BITS - ns.leading_zeros()).saturating_sub(STEP_BITS + 1);
    shift as usize * STEPS + (ns >> shift) as usize
}

/// The largest value of a bucket.
fn top(bucket: usize) -> u64 {
    let shift = (bucket / STEPS).saturating_sub(1);
    let step = (bucket - shift * STEPS) as u64;
    ((step + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_at_most_the_top_of_its_bucket_and_close_to_it() {
        for ns in (0..5_000).chain((12..50).flat_map(|bit| [(1 << bit) - 1, 1 << bit, 3 << bit])) {
            let top = top(bucket(ns));
            assert!(top >= ns && top - ns <= ns / 64 + 1, "{ns} has the top {top}");
        }
    }

    #[test]
    fn buckets_have_no_gaps() {
        let mut last = bucket(0);
        for ns in 1..100_000 {
            let next = bucket(ns);
            assert!(next == last || next == last + 1, "{ns}: {last} then {next}");
            last = next;
        }
    }

    #[test]
    fn quantiles_are_those_of_the_values() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile_ns(0.99), 0);
        (1..=100).for_each(|ns| histogram.record(ns));
        assert_eq!(histogram.quantile_ns(0.5), 50);
        assert_eq!(histogram.quantile_ns(1.0), 100);
        assert_eq!(histogram.max_ns(), 100);
    }

    #[test]
    fn a_stall_counts_for_the_requests_it_held_back() {
        let mut histogram = Histogram::default();
        histogram.record_with_missed(10_000, 1_000);
        assert_eq!((histogram.count(), histogram.max_ns()), (10, 10_000));
    }
}
