//! The ends of ranges: by rank (`0`, `-1`), by score (`1.5`, `(1.5`, `-inf`) and by member (`[a`,
//! `(a`, `-`, `+`). All of them become ranges of ranks.

use std::ops::Range;

use collections::sorted_set::SortedSet;
use command::CommandError;

const BAD_SCORE: CommandError =
    CommandError::Request(std::borrow::Cow::Borrowed(b"ERR min or max is not a float"));
const BAD_MEMBER: CommandError = CommandError::Request(std::borrow::Cow::Borrowed(
    b"ERR min or max not valid string range item",
));

/// One end of a range by score.
#[derive(Clone, Copy, Debug, PartialEq)]
struct ScoreBound {
    score: f64,
    exclusive: bool,
}

/// One end of a range by member.
#[derive(Clone, Copy, Debug, PartialEq)]
enum MemberBound<'a> {
    Lowest,
    Highest,
    Inclusive(&'a [u8]),
    Exclusive(&'a [u8]),
}

/// What a range is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Rank,
    Score,
    Member,
}

/// A range, its lower end first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds<'a>(Ends<'a>);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Ends<'a> {
    /// Indexes; negative ones count from the end.
    Rank(i64, i64),
    Score(ScoreBound, ScoreBound),
    Member(MemberBound<'a>, MemberBound<'a>),
}

impl<'a> Bounds<'a> {
    /// Reads the two ends of a range.
    ///
    /// # Errors
    /// If one of them is no such end.
    pub(super) fn parse(by: By, min: &'a [u8], max: &'a [u8]) -> Result<Self, CommandError> {
        Ok(Self(match by {
            By::Rank => Ends::Rank(index(min)?, index(max)?),
            By::Score => Ends::Score(ScoreBound::parse(min)?, ScoreBound::parse(max)?),
            By::Member => Ends::Member(MemberBound::parse(min)?, MemberBound::parse(max)?),
        }))
    }

    /// The ranks inside, the lowest element being 0.
    pub(super) fn ranks(self, set: &SortedSet) -> Range<usize> {
        let range = match self.0 {
            Ends::Rank(start, stop) => return indexes(start, stop, set.len()),
            Ends::Score(min, max) => {
                set.rank_by_score(|score| min.is_above(score))
                    ..set.rank_by_score(|score| !max.is_below(score))
            }
            Ends::Member(min, max) => {
                set.rank_by_member(|member| min.is_above(member))
                    ..set.rank_by_member(|member| !max.is_below(member))
            }
        };
        range.start.min(range.end)..range.end
    }

    /// The ranks inside, the highest element being 0 for ranges of indexes. Ranges by score and by
    /// member are the same from either side.
    pub(super) fn ranks_from_above(self, set: &SortedSet) -> Range<usize> {
        let Ends::Rank(start, stop) = self.0 else { return self.ranks(set) };
        let len = set.len();
        let from_above = indexes(start, stop, len);
        len - from_above.end..len - from_above.start
    }
}

fn index(text: &[u8]) -> Result<i64, CommandError> {
    stdx::num::parse_i64(text).ok_or(CommandError::NOT_INTEGER)
}

/// The ranks from one index to another, that one included.
fn indexes(start: i64, stop: i64, len: usize) -> Range<usize> {
    let from_front = |index: i64| match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => len.checked_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let start = from_front(start).unwrap_or(0);
    let end = from_front(stop).map_or(0, |stop| stop.saturating_add(1).min(len));
    start.min(end)..end
}

impl ScoreBound {
    fn parse(text: &[u8]) -> Result<Self, CommandError> {
        let (exclusive, number) = match text {
            [b'(', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let score = stdx::num::parse_f64_lenient(number).ok_or(BAD_SCORE)?;
        Ok(Self { score, exclusive })
    }

    /// Whether a score is too low for a range that begins here.
    fn is_above(self, score: f64) -> bool {
        if self.exclusive { score <= self.score } else { score < self.score }
    }

    /// Whether a score is too high for a range that ends here.
    fn is_below(self, score: f64) -> bool {
        if self.exclusive { score >= self.score } else { score > self.score }
    }
}

impl<'a> MemberBound<'a> {
    fn parse(text: &'a [u8]) -> Result<Self, CommandError> {
        match text {
            [b'-'] | [b'-', 0, ..] => Ok(Self::Lowest),
            [b'+'] | [b'+', 0, ..] => Ok(Self::Highest),
            [b'[', member @ ..] => Ok(Self::Inclusive(member)),
            [b'(', member @ ..] => Ok(Self::Exclusive(member)),
            _ => Err(BAD_MEMBER),
        }
    }

    /// Whether a member is too low for a range that begins here.
    fn is_above(self, member: &[u8]) -> bool {
        match self {
            Self::Lowest => false,
            Self::Highest => true,
            Self::Inclusive(bound) => member < bound,
            Self::Exclusive(bound) => member <= bound,
        }
    }

    /// Whether a member is too high for a range that ends here.
    fn is_below(self, member: &[u8]) -> bool {
        match self {
            Self::Lowest => true,
            Self::Highest => false,
            Self::Inclusive(bound) => member > bound,
            Self::Exclusive(bound) => member >= bound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_count_from_both_ends() {
        for (start, stop, expected) in [
            (0, -1, 0..5),
            (1, 2, 1..3),
            (-2, -1, 3..5),
            (-100, 100, 0..5),
            (3, 1, 2..2),
            (5, 9, 5..5),
            (0, -6, 0..0),
            (i64::MIN, i64::MAX, 0..5),
            (i64::MAX, i64::MIN, 0..0),
        ] {
            assert_eq!(indexes(start, stop, 5), expected, "{start} {stop}");
        }
        assert_eq!(indexes(0, -1, 0), 0..0);
    }

    #[test]
    fn score_bounds_are_decimal_numbers() {
        for (text, score, exclusive) in [
            ("1.5", 1.5, false),
            ("(1", 1.0, true),
            ("(", 0.0, true),
            ("", 0.0, false),
            ("-inf", f64::NEG_INFINITY, false),
            ("(+inf", f64::INFINITY, true),
            ("1e400", f64::INFINITY, false),
            ("1e-400", 0.0, false),
            ("7\0x", 7.0, false),
        ] {
            let bound = ScoreBound::parse(text.as_bytes());
            assert_eq!(bound, Ok(ScoreBound { score, exclusive }), "{text:?}");
        }
        for text in ["x", "1x", "nan", "((1", "1 ", " ", " 2", "1e", "0x10"] {
            assert_eq!(ScoreBound::parse(text.as_bytes()), Err(BAD_SCORE), "{text:?}");
        }
    }

    #[test]
    fn member_bounds_begin_with_a_sign() {
        assert_eq!(MemberBound::parse(b"-"), Ok(MemberBound::Lowest));
        assert_eq!(MemberBound::parse(b"+"), Ok(MemberBound::Highest));
        assert_eq!(MemberBound::parse(b"["), Ok(MemberBound::Inclusive(b"")));
        assert_eq!(MemberBound::parse(b"(a"), Ok(MemberBound::Exclusive(b"a")));
        for text in ["", "a", "+a", "-a"] {
            assert_eq!(MemberBound::parse(text.as_bytes()), Err(BAD_MEMBER), "{text:?}");
        }
    }
}
