//! The algebra of sorted sets: union, intersection, difference. Plain sets take part as sorted sets
//! in which every score is 1.
//!
//! Inputs are held as clones, so that what needs no lock runs without one, and members are
//! borrowed from them: only the result is made.
//!
//! Sums are made from the smallest input to the largest, as in Redis: with three inputs or more the
//! order decides about the last digit.

use std::borrow::Cow;
use std::collections::HashMap;

use collections::set::Set;
use collections::sorted_set::{Element, SortedSet};
use command::{CommandError, Cx};
use store::ObjectRef;

use super::range::owned;

/// A member with its score in the result.
pub(super) type Scored<'a> = (Cow<'a, [u8]>, f64);

type Scores<'a> = HashMap<Cow<'a, [u8]>, f64, foldhash::fast::RandomState>;

/// What becomes of the scores of a member that several inputs have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Aggregate {
    #[default]
    Sum,
    Min,
    Max,
    /// The inputs that have the member are counted, each as much as its weight.
    Count,
}

impl Aggregate {
    /// Adds one more score. A sum of opposite infinities is 0.
    fn fold(self, total: f64, score: f64) -> f64 {
        match self {
            Self::Sum | Self::Count => or_zero(total + score),
            Self::Min if score < total => score,
            Self::Max if score > total => score,
            Self::Min | Self::Max => total,
        }
    }

    /// What an input contributes for a member.
    fn weigh(self, weight: f64, score: f64) -> f64 {
        if self == Self::Count { weight } else { weight * score }
    }
}

fn or_zero(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// The value of one input key.
pub(super) enum Input {
    Absent,
    Sorted(SortedSet),
    Plain(Set),
}

impl Input {
    /// Reads a key.
    ///
    /// # Errors
    /// If it holds neither a sorted set nor a set.
    pub(super) fn read(cx: &mut Cx<'_>, key: &[u8]) -> Result<Self, CommandError> {
        let Some(entry) = cx.db.read(key) else { return Ok(Self::Absent) };
        match entry.value() {
            store::ValueRef::Object(ObjectRef::SortedSet(set)) => Ok(Self::Sorted(set.clone())),
            store::ValueRef::Object(ObjectRef::Set(set)) => Ok(Self::Plain(set.clone())),
            _ => Err(CommandError::WRONG_TYPE),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Absent => 0,
            Self::Sorted(set) => set.len(),
            Self::Plain(set) => set.len(),
        }
    }

    fn score(&self, member: &[u8]) -> Option<f64> {
        match self {
            Self::Absent => None,
            Self::Sorted(set) => set.score(member),
            Self::Plain(set) => set.contains(member).then_some(1.0),
        }
    }

    /// The members with their scores, from the lowest on if there is an order.
    fn members(&self) -> Box<dyn Iterator<Item = Scored<'_>> + '_> {
        match self {
            Self::Absent => Box::new(std::iter::empty()),
            Self::Sorted(set) => Box::new(set.range(0..set.len()).map(owned)),
            Self::Plain(set) => {
                Box::new(set.iter().map(|member| owned(Element { member, score: 1.0 })))
            }
        }
    }
}

/// One input with its weight.
pub(super) struct Source {
    pub(super) input: Input,
    pub(super) weight: f64,
}

/// The members of all inputs.
pub(super) fn union<'a>(sources: &'a [Source], aggregate: Aggregate) -> Vec<Scored<'a>> {
    let sources = smallest_first(sources);
    let most = sources.last().map_or(0, |largest| largest.input.len());
    let mut scores = Scores::with_capacity_and_hasher(most, Default::default());
    for source in sources {
        for (member, score) in source.input.members() {
            let score = or_zero(aggregate.weigh(source.weight, score));
            let total = scores.entry(member);
            total.and_modify(|total| *total = aggregate.fold(*total, score)).or_insert(score);
        }
    }
    scores.into_iter().collect()
}

/// The members that every input has.
pub(super) fn intersection<'a>(sources: &'a [Source], aggregate: Aggregate) -> Vec<Scored<'a>> {
    let sources = smallest_first(sources);
    let Some((smallest, others)) = sources.split_first() else { return Vec::new() };
    let total = |(member, score): Scored<'a>| {
        let first = or_zero(aggregate.weigh(smallest.weight, score));
        let total = others.iter().try_fold(first, |total, other| {
            let score = other.input.score(&member)?;
            Some(aggregate.fold(total, aggregate.weigh(other.weight, score)))
        })?;
        Some((member, total))
    };
    smallest.input.members().filter_map(total).collect()
}

/// How many members every input has, counted up to `limit`.
pub(super) fn intersection_len(sources: &[Source], limit: usize) -> usize {
    let sources = smallest_first(sources);
    let Some((smallest, others)) = sources.split_first() else { return 0 };
    let in_all =
        |(member, _): &Scored<'_>| others.iter().all(|other| other.input.score(member).is_some());
    smallest.input.members().filter(in_all).take(limit).count()
}

/// The members of the first input that no other has.
pub(super) fn difference(sources: &[Source]) -> Vec<Scored<'_>> {
    let Some((first, others)) = sources.split_first() else { return Vec::new() };
    let looked_up = first.input.len().saturating_mul(others.len());
    let visited: usize = others.iter().map(|other| other.input.len()).sum();
    if looked_up <= visited + first.input.len() {
        let is_left = |(member, _): &Scored<'_>| {
            others.iter().all(|other| other.input.score(member).is_none())
        };
        return first.input.members().filter(is_left).collect();
    }
    let mut left: Scores<'_> = first.input.members().collect();
    for other in others {
        for (member, _) in other.input.members() {
            if left.is_empty() {
                return Vec::new();
            }
            left.remove(&member);
        }
    }
    left.into_iter().collect()
}

/// Puts a result into the order of sorted sets.
pub(super) fn sort(members: &mut [Scored<'_>]) {
    members.sort_unstable_by(|(member, score), (other, other_score)| {
        let by_score = score.partial_cmp(other_score).expect("results are never NaN");
        by_score.then_with(|| member.cmp(other))
    });
}

fn smallest_first(sources: &[Source]) -> Vec<&Source> {
    let mut sources: Vec<_> = sources.iter().collect();
    sources.sort_by_key(|source| source.input.len());
    sources
}
