//! Geospatial indexes: members with positions on earth.
//!
//! An index is a sorted set whose scores are the hashes of [`stdx::geo`], so all commands of sorted
//! sets work on it too, and any sorted set is an index of some positions.
//!
//! [`query`] is what a search asks for, whichever of the six commands says it; [`search`] runs it.

mod add;
mod position;
mod query;
mod radius;
mod search;
mod unit;

use command::{CommandError, DataCommand, KeyFlags, KeySpec};
use stdx::geo::Point;

/// The commands of this family.
pub static COMMANDS: &[&DataCommand] = &[
    &add::GEOADD,
    &position::GEODIST,
    &position::GEOHASH,
    &position::GEOPOS,
    &radius::GEORADIUS,
    &radius::GEORADIUSBYMEMBER,
    &radius::GEORADIUSBYMEMBER_RO,
    &radius::GEORADIUS_RO,
    &search::GEOSEARCH,
    &search::GEOSEARCHSTORE,
];

const READ_DATA: KeyFlags = KeyFlags::RO.union(KeyFlags::ACCESS);
const OVERWRITE: KeyFlags = KeyFlags::OW.union(KeyFlags::UPDATE);
/// Key specs of the commands that read one key.
const ONE_READ: &[KeySpec] = &[KeySpec::first(READ_DATA)];

/// The position that a score stands for. Scores that are no hash stand for one too.
fn position(score: f64) -> Point {
    const SIGN: f64 = (1_u64 << 63) as f64;
    Point::from_hash(match score {
        // A negative score is no hash; its bits are taken as they are, as everywhere else.
        ..SIGN => score as i64 as u64,
        // What 64 bits cannot hold is 0, as x86 processors convert it for other servers.
        score if score >= 2.0 * SIGN => 0,
        score => score as u64,
    })
}

/// A position from a command line.
///
/// # Errors
/// If a coordinate is no number, or the position is outside the map.
fn point(longitude: &[u8], latitude: &[u8]) -> Result<Point, CommandError> {
    let [longitude, latitude] =
        [longitude, latitude].map(|text| stdx::num::parse_f64(text).ok_or(CommandError::NOT_FLOAT));
    let (longitude, latitude) = (longitude?, latitude?);
    Point::new(longitude, latitude).ok_or_else(|| {
        let pair = format!("{longitude:.6},{latitude:.6}");
        CommandError::request(format!("ERR invalid longitude,latitude pair {pair}"))
    })
}
