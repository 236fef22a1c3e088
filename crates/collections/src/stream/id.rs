//! The id of a stream entry: milliseconds of unix time and a number within the millisecond.

use std::fmt;

/// An entry's id, ordered by time first. Printed `ms-seq`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// Unix time in milliseconds.
    pub ms: u64,
    /// Number among the entries of that millisecond, from 0.
    pub seq: u64,
}

impl Id {
    /// The smallest id, 0-0, which no entry may have.
    pub const MIN: Self = Self { ms: 0, seq: 0 };
    /// The greatest id.
    pub const MAX: Self = Self { ms: u64::MAX, seq: u64::MAX };

    /// The id of these two numbers.
    #[must_use]
    pub const fn new(ms: u64, seq: u64) -> Self {
        Self { ms, seq }
    }

    /// The id right above, none for the greatest.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match (self.seq.checked_add(1), self.ms.checked_add(1)) {
            (Some(seq), _) => Some(Self { ms: self.ms, seq }),
            (None, Some(ms)) => Some(Self { ms, seq: 0 }),
            (None, None) => None,
        }
    }

    /// The id right below, none for the smallest.
    #[must_use]
    pub const fn previous(self) -> Option<Self> {
        match (self.seq.checked_sub(1), self.ms.checked_sub(1)) {
            (Some(seq), _) => Some(Self { ms: self.ms, seq }),
            (None, Some(ms)) => Some(Self { ms, seq: u64::MAX }),
            (None, None) => None,
        }
    }
}

impl From<u128> for Id {
    /// The id of which the two numbers are the high and the low half, as ids are sorted.
    fn from(both: u128) -> Self {
        Self { ms: (both >> 64) as u64, seq: both as u64 }
    }
}

impl From<Id> for u128 {
    fn from(id: Id) -> Self {
        Self::from(id.ms) << 64 | Self::from(id.seq)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_carry_between_the_two_numbers() {
        assert_eq!(Id::new(1, u64::MAX).next(), Some(Id::new(2, 0)));
        assert_eq!(Id::new(2, 0).previous(), Some(Id::new(1, u64::MAX)));
        assert_eq!((Id::MAX.next(), Id::MIN.previous()), (None, None));
        assert_eq!(Id::new(7, 3).next().and_then(Id::previous), Some(Id::new(7, 3)));
        assert_eq!(Id::new(7, 3).to_string(), "7-3");
    }
}
