//! The grid: cells, their hashes, bounds and neighbours.

use std::ops::Range;

use super::{HASH_BITS, LATITUDE_MAX, LONGITUDE_MAX, Point, STEPS_MAX};

/// The bits of latitudes in a hash; those of longitudes are the others.
const LATITUDE_BITS: u64 = 0x5555_5555_5555_5555;

/// A cell of the grid that halves each axis `steps` times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    bits: u64,
    steps: u8,
}

/// Two closed ranges of degrees, from the smaller to the larger.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    pub(super) longitude: (f64, f64),
    pub(super) latitude: (f64, f64),
}

impl Cell {
    /// The cell of `2 * steps` bits.
    pub(super) const fn new(bits: u64, steps: u8) -> Self {
        Self { bits, steps }
    }

    /// The cell that a position lies in; `steps` is at most 26.
    pub(super) fn around(point: Point, steps: u8) -> Self {
        Self { bits: interleaved(point, steps, LATITUDE_MAX), steps }
    }

    /// The first `2 * steps` bits of every hash in the cell.
    pub(super) const fn bits(self) -> u64 {
        self.bits
    }

    /// The hashes in the cell.
    #[must_use]
    pub const fn hashes(self) -> Range<u64> {
        let shift = HASH_BITS - 2 * self.steps as u32;
        self.bits << shift..(self.bits + 1) << shift
    }

    /// The edges of the cell.
    pub(super) fn bounds(self) -> Bounds {
        let edges = |number: u32, max: f64| {
            let cells = (1u64 << self.steps) as f64;
            let edge = |number: f64| number / cells * (2.0 * max) - max;
            (edge(f64::from(number)), edge(f64::from(number) + 1.0))
        };
        Bounds {
            longitude: edges(gather(self.bits >> 1), LONGITUDE_MAX),
            latitude: edges(gather(self.bits), LATITUDE_MAX),
        }
    }

    /// The cell so many cells to the east and to the north. Beyond the edge of the grid comes its
    /// other side.
    pub(super) const fn neighbour(self, east: i8, north: i8) -> Self {
        let longitudes = shifted(self.bits, !LATITUDE_BITS, self.steps, east);
        let latitudes = shifted(self.bits, LATITUDE_BITS, self.steps, north);
        Self { bits: longitudes | latitudes, steps: self.steps }
    }
}

/// Adds to the number that has every other bit, those of `axis`. It wraps around at `2^steps`.
const fn shifted(bits: u64, axis: u64, steps: u8, by: i8) -> u64 {
    let used = axis & u64::MAX >> (u64::BITS - 2 * steps as u32);
    // With the bits between set, a carry runs through them; with them clear, a borrow does.
    match by {
        1 => (bits | !axis).wrapping_add(1) & used,
        -1 => (bits & axis).wrapping_sub(1) & used,
        _ => bits & axis,
    }
}

/// The hash of `2 * steps` bits of a position, in a grid whose latitudes end at `latitude_max`.
pub(super) fn interleaved(point: Point, steps: u8, latitude_max: f64) -> u64 {
    debug_assert!((1..=STEPS_MAX).contains(&steps));
    let number = |degrees: f64, max: f64| {
        let share = (degrees + max) / (2.0 * max);
        (share * (1u64 << steps) as f64) as u32
    };
    let longitude = number(point.longitude, LONGITUDE_MAX);
    let latitude = number(point.latitude, latitude_max);
    spread(longitude) << 1 | spread(latitude)
}

/// Puts a clear bit in front of each bit.
const fn spread(number: u32) -> u64 {
    let mut bits = number as u64;
    bits = (bits | bits << 16) & 0x0000_ffff_0000_ffff;
    bits = (bits | bits << 8) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits << 2) & 0x3333_3333_3333_3333;
    (bits | bits << 1) & LATITUDE_BITS
}

/// Takes every other bit, from the lowest on: the reverse of [`spread`].
const fn gather(bits: u64) -> u32 {
    let mut bits = bits & LATITUDE_BITS;
    bits = (bits | bits >> 1) & 0x3333_3333_3333_3333;
    bits = (bits | bits >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    bits = (bits | bits >> 4) & 0x00ff_00ff_00ff_00ff;
    bits = (bits | bits >> 8) & 0x0000_ffff_0000_ffff;
    (bits | bits >> 16) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_spread_and_gathered() {
        let mut rng = crate::rng::Rng::seed(1);
        for _ in 0..1000 {
            let number = rng.next_u64() as u32;
            let by_bits =
                (0..32).fold(0, |out, bit| out | u64::from(number >> bit & 1) << (2 * bit));
            assert_eq!(spread(number), by_bits);
            assert_eq!(gather(by_bits), number);
            assert_eq!(gather(by_bits | rng.next_u64() << 1 & !LATITUDE_BITS), number);
        }
    }

    #[test]
    fn neighbours_are_cells_of_the_next_number() {
        for steps in [1, 2, 5, 26] {
            let cells = 1u64 << steps;
            for (x, y) in [(0, 0), (cells - 1, cells - 1), (cells / 2, cells / 3), (0, cells - 1)] {
                let cell = Cell::new(spread(x as u32) << 1 | spread(y as u32), steps);
                for (east, north) in [(0, 1), (1, 0), (-1, 0), (0, -1), (1, 1), (-1, -1), (1, -1)] {
                    let found = cell.neighbour(east, north);
                    let expected_x = x.wrapping_add_signed(i64::from(east)) % cells;
                    let expected_y = y.wrapping_add_signed(i64::from(north)) % cells;
                    let numbers = [gather(found.bits >> 1), gather(found.bits)].map(u64::from);
                    assert_eq!(numbers, [expected_x, expected_y], "{steps} {x} {y} {east} {north}");
                }
            }
        }
    }

    #[test]
    fn a_cell_holds_its_position_and_its_hash() {
        let mut rng = crate::rng::Rng::seed(2);
        for round in 0..1000 {
            let longitude = (rng.unit_f64() * 2.0 - 1.0) * LONGITUDE_MAX;
            let latitude = (rng.unit_f64() * 2.0 - 1.0) * LATITUDE_MAX;
            let point = Point::new(longitude, latitude).unwrap();
            for steps in 1..=STEPS_MAX {
                let cell = Cell::around(point, steps);
                let Bounds { longitude: (west, east), latitude: (south, north) } = cell.bounds();
                assert!(west <= longitude && longitude <= east, "seed 2 round {round}");
                assert!(south <= latitude && latitude <= north, "seed 2 round {round}");
                assert!(cell.hashes().contains(&point.hash()), "seed 2 round {round}");
            }
        }
    }
}
