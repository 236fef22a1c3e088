//! The sorted set: members with scores, in order of score and then of member.
//!
//! Small ones are [one listpack](packed), large ones an [ordered index](crate::ordered). The
//! [`Limits`] decide when a small one becomes large; a large one never becomes small again but by
//! being built anew ([`SortedSet::from_members`]), as in Redis.
//!
//! One word; a clone is O(1) and frozen. Whoever reads for long holds a clone and no lock.
//!
//! All ranges are ranges of ranks: bounds by score or by member become ranks by one descent each
//! ([`SortedSet::rank_by_score`], [`SortedSet::rank_by_member`]), and counting is their difference.

mod load;
mod packed;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::Range;

use stdx::num;

use crate::Pieces;
use crate::entry::Collection;
use crate::ordered::{self, Ordered};
use crate::word::{Form, FormMut, Word};
use packed::Packed;

pub use crate::ordered::Removed;

/// A member: bytes, or the integer of which they are the decimal form.
pub use crate::listpack::Item as Member;

/// When a sorted set is kept as one listpack, and what it becomes beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Number of members.
    pub entries_max: usize,
    /// Length of the longest member in bytes.
    pub member_bytes_max: usize,
    /// Keys the hash of an index that is made: a secret random number.
    pub seed: u64,
}

/// A member with its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Element<'a> {
    /// The member.
    pub member: Member<'a>,
    /// Its score, never a NaN.
    pub score: f64,
}

impl<'a> From<ordered::Item<'a>> for Element<'a> {
    #[inline]
    fn from(item: ordered::Item<'a>) -> Self {
        Self { member: Member::Bytes(item.member()), score: item.score() }
    }
}

/// Members with scores; see the module page.
#[derive(Clone, Default)]
#[repr(transparent)]
pub struct SortedSet(Word<Packed, Ordered>);

const _: () = assert!(size_of::<SortedSet>() == 8);

impl SortedSet {
    /// A sorted set of members that are all different, in any order: cheaper than adding them one
    /// by one, and small if the limits allow.
    ///
    /// # Panics
    /// If a score is a NaN or a member occurs twice.
    #[must_use]
    pub fn from_members(members: &[(&[u8], f64)], limits: Limits) -> Self {
        let fits = |member: &[u8]| member.len() <= limits.member_bytes_max;
        if members.len() <= limits.entries_max && members.iter().all(|(member, _)| fits(member)) {
            let mut set = Self::default();
            members.iter().for_each(|&(member, score)| {
                let old = set.insert(member, score, limits);
                assert!(old.is_none(), "members are different");
            });
            return set;
        }
        let index = Ordered::from_members(limits.seed, members.iter().copied());
        Self(Word::large(index))
    }

    /// How many members there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        match self.0.form() {
            Form::Small(packed) => packed.len(),
            Form::Large(index) => index.len(),
        }
    }

    /// Whether there is no member.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The score of a member.
    #[must_use]
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match self.0.form() {
            Form::Small(packed) => packed.find(member).map(|(_, score)| score),
            Form::Large(index) => index.score(member),
        }
    }

    /// The rank of a member, the lowest being 0, with its score.
    #[must_use]
    pub fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        match self.0.form() {
            Form::Small(packed) => {
                packed.find(member).map(|(offset, score)| (packed.rank_at(offset), score))
            }
            Form::Large(index) => index.rank(member),
        }
    }

    /// How many members fulfil `before`, which must be true for the scores up to some bound and
    /// false for those above.
    #[must_use]
    pub fn rank_by_score(&self, mut before: impl FnMut(f64) -> bool) -> usize {
        match self.0.form() {
            Form::Small(_) => {
                self.range(0..self.len()).take_while(|element| before(element.score)).count()
            }
            Form::Large(index) => index.partition_point(|item| before(item.score())),
        }
    }

    /// The elements from the first on whose score does not fulfil `before`, from both ends. It is
    /// as for [`Self::rank_by_score`], and spares another descent to that rank.
    #[must_use]
    pub fn range_from_score(&self, mut before: impl FnMut(f64) -> bool) -> Iter<'_> {
        match self.0.form() {
            Form::Small(_) => self.range(self.rank_by_score(before)..self.len()),
            Form::Large(index) => Iter(Ends::Large(index.range_from(|item| before(item.score())))),
        }
    }

    /// How many members fulfil `before`, which must be true for a prefix of the order, as it is for
    /// the members up to some bound if all scores are equal. If it is not, some number.
    #[must_use]
    pub fn rank_by_member(&self, mut before: impl FnMut(&[u8]) -> bool) -> usize {
        match self.0.form() {
            Form::Small(_) => {
                let mut digits = itoa::Buffer::new();
                let elements = self.range(0..self.len());
                elements.take_while(|element| before(element.member.text(&mut digits))).count()
            }
            Form::Large(index) => index.partition_point(|item| before(item.member())),
        }
    }

    /// The element of a rank.
    #[must_use]
    pub fn nth(&self, rank: usize) -> Option<Element<'_>> {
        match self.0.form() {
            Form::Small(packed) => {
                (rank < packed.len()).then(|| packed.range(rank..rank + 1).next())?
            }
            Form::Large(index) => index.nth(rank).map(Element::from),
        }
    }

    /// The elements of a range of ranks, from both ends.
    ///
    /// # Panics
    /// If the range ends beyond the length.
    #[must_use]
    pub fn range(&self, ranks: Range<usize>) -> Iter<'_> {
        assert!(ranks.end <= self.len(), "ranks are below the length");
        Iter(match self.0.form() {
            Form::Small(packed) => Ends::Packed(packed.range(ranks)),
            Form::Large(index) => Ends::Large(index.range(ranks)),
        })
    }

    /// Visits some elements and returns the cursor to go on with, 0 when all were visited. Every
    /// element that is present from cursor 0 to the end is visited. Any number is a valid cursor.
    pub fn scan<'a>(&'a self, cursor: u64, mut visit: impl FnMut(Element<'a>)) -> u64 {
        match self.0.form() {
            Form::Small(packed) => {
                packed.range(0..packed.len()).for_each(visit);
                0
            }
            Form::Large(index) => index.scan(cursor, |item| visit(item.into())),
        }
    }

    /// Gives a member a score, or another one; returns the one it had.
    ///
    /// # Panics
    /// If the score is a NaN.
    pub fn insert(&mut self, member: &[u8], score: f64, limits: Limits) -> Option<f64> {
        let mut old = None;
        self.update(member, limits, |current| {
            old = current;
            Some(score)
        });
        old
    }

    /// Gives a member the score that `decide` makes of its present one (`None` if it is not there).
    /// If that is `None` or an equal number, nothing changes.
    ///
    /// # Panics
    /// If the new score is a NaN.
    pub fn update(
        &mut self,
        member: &[u8],
        limits: Limits,
        decide: impl FnOnce(Option<f64>) -> Option<f64>,
    ) {
        let packed = match self.0.form_mut() {
            FormMut::Large(index) => return index.update(member, decide),
            FormMut::Small(packed) => packed,
        };
        let found = packed.find(member);
        let Some(score) = decide(found.map(|(_, score)| score)) else { return };
        assert!(!score.is_nan(), "a score is a number");
        match found {
            Some((_, old)) if old == score => {}
            Some((offset, _)) => {
                packed.remove(offset);
                packed.insert(member, score);
            }
            None => {
                let fits = packed.len() < limits.entries_max
                    && member.len() <= limits.member_bytes_max
                    && packed.has_room_for(member.len());
                if fits {
                    packed.insert(member, score);
                } else {
                    let mut index = unpack(packed, limits.seed);
                    index.insert(member, score);
                    self.0 = Word::large(index);
                }
            }
        }
    }

    /// Takes a member out; returns its score.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match self.0.form_mut() {
            FormMut::Small(packed) => {
                let (offset, score) = packed.find(member)?;
                packed.remove(offset);
                Some(score)
            }
            FormMut::Large(index) => index.remove(member),
        }
    }

    /// Takes the elements of a range of ranks out: O(log n) each, or, where they are a good part of
    /// the set, by going through it once. Then what is taken out is handed over, since to free it
    /// takes its time.
    ///
    /// # Panics
    /// If the range ends beyond the length.
    #[must_use]
    pub fn remove_range(&mut self, ranks: Range<usize>) -> Option<Removed> {
        assert!(ranks.end <= self.len(), "ranks are below the length");
        match self.0.form_mut() {
            FormMut::Small(packed) => {
                packed.remove_range(ranks);
                None
            }
            FormMut::Large(index) => index.remove_range(ranks),
        }
    }
}

/// The same elements as an ordered index.
fn unpack(packed: &Packed, seed: u64) -> Ordered {
    // Members that are stored as integers need their text somewhere: one buffer for all.
    let (mut texts, mut ends) = (Vec::new(), Vec::with_capacity(packed.len()));
    for element in packed.range(0..packed.len()) {
        element.member.write_text(&mut texts);
        ends.push((texts.len(), element.score));
    }
    let mut start = 0;
    Ordered::from_members(
        seed,
        ends.iter().map(|&(end, score)| (&texts[std::mem::replace(&mut start, end)..end], score)),
    )
}

/// Elements of a range of ranks in order, from both ends.
pub struct Iter<'a>(Ends<'a>);

enum Ends<'a> {
    Packed(packed::Iter<'a>),
    Large(ordered::Iter<'a>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        match &mut self.0 {
            Ends::Packed(elements) => elements.next(),
            Ends::Large(elements) => elements.next().map(Element::from),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Ends::Packed(elements) => elements.size_hint(),
            Ends::Large(elements) => elements.size_hint(),
        }
    }
}

impl DoubleEndedIterator for Iter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Ends::Packed(elements) => elements.next_back(),
            Ends::Large(elements) => elements.next_back().map(Element::from),
        }
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl fmt::Debug for SortedSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.range(0..self.len()).map(|element| (element.member, element.score));
        f.debug_map().entries(pairs).finish()
    }
}

impl Collection for SortedSet {
    const TYPE_NAME: &'static str = "zset";

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    fn elements(&self) -> usize {
        self.len()
    }

    fn prefetch(&self, names: &[&[u8]]) {
        if let Form::Large(index) = self.0.form() {
            index.prefetch(names);
        }
    }

    fn for_each(&self, visit: &mut dyn FnMut(&[&[u8]])) {
        let mut digits = itoa::Buffer::new();
        let mut score = Vec::new();
        for element in self.range(0..self.len()) {
            score.clear();
            num::write_f64(&mut score, element.score);
            visit(&[element.member.text(&mut digits), &score]);
        }
    }

    fn encoding(&self) -> &'static str {
        match self.0.form() {
            Form::Small(_) => "listpack",
            Form::Large(_) => "skiplist",
        }
    }

    fn allocated_bytes(&self) -> usize {
        match self.0.form() {
            Form::Small(packed) => packed.allocated_bytes(),
            Form::Large(index) => size_of::<Ordered>() + index.allocated_bytes(),
        }
    }
}

impl Pieces for SortedSet {
    fn pieces(&self) -> usize {
        match self.0.form() {
            Form::Small(_) => 1,
            Form::Large(index) => 1 + index.pieces(),
        }
    }
}
