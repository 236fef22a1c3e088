//! How many distinct elements were seen, from a histogram of the registers.
//!
//! The estimator is the improved raw one of Otmar Ertl, "New cardinality estimation algorithms for
//! HyperLogLog sketches" (2017): unbiased over the whole range, so there is neither a table of
//! corrections nor a switch to another estimator for small sets. Servers must agree to the unit,
//! since the estimate is stored in the value: the order of operations is part of the format.

use super::REGISTERS;
use super::dense::{GROUP, REGISTER_MAX};
use super::hash::RANK_BITS;

/// How many registers have each value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Histogram(pub(super) [u32; REGISTER_MAX as usize + 1]);

impl Default for Histogram {
    fn default() -> Self {
        Self([0; REGISTER_MAX as usize + 1])
    }
}

impl Histogram {
    /// Counts registers, which come eight at a time. No stored form has one wider than six bits.
    pub(super) fn of(groups: impl Iterator<Item = [u8; GROUP]>) -> Self {
        // Neighbours often have the same value, and an increment must wait for one of the same
        // counter: so each of eight lanes has its own.
        let mut lanes = [[0; REGISTER_MAX as usize + 1]; GROUP];
        for group in groups {
            // All registers of a sketch of few elements.
            if group == [0; GROUP] {
                lanes[0][0] += GROUP as u32;
                continue;
            }
            for (lane, value) in lanes.iter_mut().zip(group) {
                lane[usize::from(value)] += 1;
            }
        }
        Self(std::array::from_fn(|value| lanes.iter().map(|lane| lane[value]).sum()))
    }
}

/// One over twice the natural logarithm of 2: the bias of the raw estimate, for many registers.
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// The largest number that the cache of a sketch can hold.
pub(super) const CARDINALITY_MAX: u64 = (1 << 63) - 1;

/// The estimate for registers of which the histogram counts each once.
///
/// Registers above what a hash can yield only come from foreign bytes. They are left out, and if
/// all are such the estimate is the largest number.
pub(super) fn cardinality(histogram: &Histogram) -> u64 {
    let registers = REGISTERS as f64;
    let rank_bits = RANK_BITS as usize;
    let count = |value: usize| f64::from(histogram.0[value]);
    let mut sum = registers * tau((registers - count(rank_bits + 1)) / registers);
    for value in (1..=rank_bits).rev() {
        sum = (sum + count(value)) * 0.5;
    }
    sum += registers * sigma(count(0) / registers);
    let estimate = (ALPHA * registers * registers / sum).round();
    // The cast saturates.
    (estimate as u64).min(CARDINALITY_MAX)
}

/// What registers that are still zero contribute: `x + sum of x^(2^k) * 2^(k-1)`, for their share
/// `x`. Infinite if all are, which makes the estimate zero.
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut weight, mut sum) = (1.0, x);
    loop {
        x *= x;
        let before = sum;
        sum += x * weight;
        weight += weight;
        if sum == before {
            return sum;
        }
    }
}

/// What registers at the highest rank contribute, for the share `x` of the others.
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut weight, mut sum) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = sum;
        weight *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * weight;
        if sum == before {
            return sum / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counts: &[(usize, u32)]) -> u64 {
        let mut histogram = Histogram::default();
        for (value, count) in counts {
            histogram.0[*value] = *count;
        }
        cardinality(&histogram)
    }

    #[test]
    fn nothing_and_little_are_exact() {
        assert_eq!(of(&[(0, 16384)]), 0);
        assert_eq!(of(&[(0, 16383), (1, 1)]), 1);
        assert_eq!(of(&[(0, 16374), (1, 5), (2, 3), (7, 2)]), 10);
    }

    #[test]
    fn estimates_are_those_of_redis() {
        // PFCOUNT of dense values written with SET, redis-server 7.0.15.
        assert_eq!(of(&[(1, 16384)]), 23_637);
        assert_eq!(of(&[(2, 16384)]), 47_274);
        assert_eq!(of(&[(40, 16384)]), 12_994_641_697_113_596);
        assert_eq!(of(&[(3, 16284), (51, 100)]), 95_129);
        assert_eq!(of(&[(45, 8000), (51, 8384)]), 843_366_448_785_434_752);
        assert_eq!(of(&[(63, 1), (0, 16383)]), 1);
        let each: Vec<_> = (0..52).map(|v| (v, 315 + u32::from(v < 4))).collect();
        assert_eq!(of(&each), 303_516);
    }

    #[test]
    fn impossible_registers_are_bounded() {
        assert_eq!(of(&[(63, 16384)]), CARDINALITY_MAX);
        assert_eq!(of(&[(51, 16384)]), CARDINALITY_MAX);
        assert_eq!(of(&[(51, 1), (0, 16383)]), 1);
    }
}
