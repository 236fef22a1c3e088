//! Positions on earth as numbers that sort by neighbourhood.
//!
//! A position becomes a 52-bit *hash*: longitude and latitude, each as a 26-bit fraction of its
//! range, with their bits interleaved. Positions that share the first bits share a cell of a grid
//! over the earth, and a cell is a contiguous range of hashes. So an index of positions is any
//! ordered map of numbers, and a search around a place reads nine ranges of it ([`cover`]) and
//! keeps what is near enough ([`Area::distance`]).
//!
//! 52 bits are what a double holds exactly with room to spare, hence the scores of a sorted set.
//! A hash gives a position back within half a metre, as the centre of the smallest cell.
//!
//! The ranges are those of the Web Mercator projection (EPSG:3857), which makes the earth a square
//! and ends at 85 degrees of latitude. They, the earth's radius and the order of the nine cells
//! are the field's convention: stored hashes, printed distances and unsorted results agree with
//! Redis's.

mod area;
mod cell;

pub use area::{Area, Shape, cover, distance, steps_for_radius};
pub use cell::Cell;

/// Longitudes are from minus to plus this, in degrees.
pub const LONGITUDE_MAX: f64 = 180.0;
/// Latitudes are from minus to plus this, in degrees.
pub const LATITUDE_MAX: f64 = 85.051_128_78;
/// Bits of a hash.
pub const HASH_BITS: u32 = 2 * STEPS_MAX as u32;
/// How often each axis of the smallest cell has been halved.
const STEPS_MAX: u8 = 26;

/// A position, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// East of Greenwich.
    pub longitude: f64,
    /// North of the equator.
    pub latitude: f64,
}

impl Point {
    /// A position inside the ranges; none if it is outside, or no number.
    #[must_use]
    pub fn new(longitude: f64, latitude: f64) -> Option<Self> {
        let inside = longitude.abs() <= LONGITUDE_MAX && latitude.abs() <= LATITUDE_MAX;
        inside.then_some(Self { longitude, latitude })
    }

    /// The hash. The last meridian and the last parallel are one cell beyond the grid: their hashes
    /// have 53 or 54 bits.
    #[must_use]
    pub fn hash(self) -> u64 {
        Cell::around(self, STEPS_MAX).bits()
    }

    /// The centre of the smallest cell that a hash names, cut to the ranges.
    #[must_use]
    pub fn from_hash(hash: u64) -> Self {
        let bounds = Cell::new(hash, STEPS_MAX).bounds();
        let [longitude, latitude] =
            [bounds.longitude, bounds.latitude].map(|(min, max)| (min + max) / 2.0);
        Self {
            longitude: longitude.clamp(-LONGITUDE_MAX, LONGITUDE_MAX),
            latitude: latitude.clamp(-LATITUDE_MAX, LATITUDE_MAX),
        }
    }

    /// The standard geohash of eleven letters and digits, of which the last is always `0`: it would
    /// need 55 bits, and there are 52. Its range of latitudes is 90 degrees and not that of
    /// [`Point::hash`], so it is computed anew.
    #[must_use]
    pub fn text(self) -> [u8; 11] {
        const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
        let hash = cell::interleaved(self, STEPS_MAX, 90.0);
        std::array::from_fn(|at| {
            let shift = HASH_BITS.checked_sub(5 * (at as u32 + 1));
            ALPHABET[shift.map_or(0, |shift| hash >> shift & 0x1f) as usize]
        })
    }
}

#[cfg(test)]
#[allow(clippy::excessive_precision, reason = "digits as the reference prints them")]
mod tests {
    use super::*;

    /// GEOADD, then ZSCORE, GEOPOS and GEOHASH of redis-server 7.0.15.
    const RECORDED: &[(f64, f64, u64, f64, f64, &str)] = &[
        (
            13.361389,
            38.115556,
            3479099956230698,
            13.36138933897018433,
            38.11555639549629859,
            "sqc8b49rny0",
        ),
        (
            15.087269,
            37.502669,
            3479447370796909,
            15.08726745843887329,
            37.50266842333162032,
            "sqdtr74hyu0",
        ),
        (180.0, 85.05112878, 13510798882111488, 180.0, 85.0511287799999991, "bp05b5048p0"),
        (-180.0, -85.05112878, 0, -179.99999731779098511, -85.05112751263942528, "00bh0hbj200"),
        (0.0, 0.0, 3377699720527872, 0.00000268220901489, 0.00000126736058093, "s0000000000"),
        (
            -0.1278,
            51.5074,
            2163557714755072,
            -0.12779921293258667,
            51.50740077990133159,
            "gcpvj0duq50",
        ),
        (
            -122.4194,
            37.7749,
            1367859919124626,
            -122.41940170526504517,
            37.77490001056577995,
            "9q8yyk8ytp0",
        ),
        (
            179.9999,
            0.0,
            4128299658422434,
            179.99990075826644897,
            0.00000126736058093,
            "xbpbpbpbj80",
        ),
        (
            -179.9999,
            0.0,
            1125899906843144,
            -179.99990075826644897,
            0.00000126736058093,
            "80000000420",
        ),
        (
            151.2093,
            -33.8688,
            3252046221964352,
            151.20929986238479614,
            -33.86880091934155956,
            "r3gx2f77bj0",
        ),
        (10.0, 80.5, 3754490411266107, 10.00000208616256714, 80.50000018495009613, "unr1gw9f2z0"),
    ];

    #[test]
    fn hashes_positions_and_texts_are_those_of_redis() {
        for &(longitude, latitude, hash, back_longitude, back_latitude, text) in RECORDED {
            let point = Point::new(longitude, latitude).unwrap();
            assert_eq!(point.hash(), hash, "{point:?}");
            let back = Point::from_hash(hash);
            // The recorded digits are 17 behind the point: as exact as the double is.
            assert!((back.longitude - back_longitude).abs() < 1e-13, "{point:?} {back:?}");
            assert!((back.latitude - back_latitude).abs() < 1e-13, "{point:?} {back:?}");
            assert_eq!(back.text(), text.as_bytes(), "{point:?}");
        }
    }

    #[test]
    fn distances_are_those_of_redis() {
        // GEODIST from each recorded position to the next.
        const METRES: [f64; 11] = [
            166274.1516,
            6371676.8865,
            18919844.5891,
            10560811.9169,
            5728990.0776,
            8618861.6900,
            7221714.9091,
            22.0766,
            4817001.9571,
            14574081.0036,
            4716376.4943,
        ];
        for (at, expected) in METRES.into_iter().enumerate() {
            let [a, b] = [at, (at + 1) % METRES.len()].map(|at| Point::from_hash(RECORDED[at].2));
            assert_eq!(format!("{:.4}", distance(a, b)), format!("{expected:.4}"), "{at}");
            assert_eq!(distance(a, a), 0.0);
        }
    }

    #[test]
    fn positions_outside_are_none() {
        assert!(Point::new(180.0, 85.05112878).is_some());
        for (longitude, latitude) in [
            (180.1, 0.0),
            (-180.1, 0.0),
            (0.0, 85.1),
            (0.0, -85.06),
            (f64::NAN, 0.0),
            (0.0, f64::NAN),
        ] {
            assert!(Point::new(longitude, latitude).is_none(), "{longitude} {latitude}");
        }
    }

    #[test]
    fn any_hash_is_a_position() {
        for hash in [0, 1, u64::MAX, 1 << 63, 1 << 52, (1 << 54) - 1] {
            let point = Point::from_hash(hash);
            assert!(Point::new(point.longitude, point.latitude).is_some(), "{hash}: {point:?}");
        }
    }
}
