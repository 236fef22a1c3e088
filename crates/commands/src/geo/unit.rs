//! Units of length.

use command::{Arg, CommandError};

/// A unit of length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unit {
    metres: f64,
}

const UNITS: [(&str, f64); 4] = [("M", 1.0), ("KM", 1000.0), ("FT", 0.3048), ("MI", 1609.34)];

impl Unit {
    /// The metre.
    pub(super) const METRE: Self = Self { metres: 1.0 };

    /// How units are documented.
    pub(super) const ARGS: &'static [Arg] =
        &[Arg::word("m", "M"), Arg::word("km", "KM"), Arg::word("ft", "FT"), Arg::word("mi", "MI")];

    /// Reads the name of a unit.
    ///
    /// # Errors
    /// If there is no such unit.
    pub(super) fn parse(word: &[u8]) -> Result<Self, CommandError> {
        let unit = UNITS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()));
        let unit = unit.map(|&(_, metres)| Self { metres });
        unit.ok_or_else(|| {
            CommandError::request("ERR unsupported unit provided. please use M, KM, FT, MI")
        })
    }

    /// A length of this unit in metres.
    pub(super) fn to_metres(self, length: f64) -> f64 {
        length * self.metres
    }

    /// A length in metres in this unit.
    pub(super) fn of_metres(self, metres: f64) -> f64 {
        metres / self.metres
    }

    /// A distance in metres as it is replied: in this unit, with four digits behind the point.
    pub(super) fn distance(self, metres: f64) -> String {
        format!("{:.4}", self.of_metres(metres))
    }
}
