//! A small sorted set: one listpack with member, score, member, score in order.
//!
//! A score that is an integer is stored as one, any other as its shortest decimal text, so the
//! bytes are those of dump files. Everything is a walk over the pairs; there are some hundred at
//! most.

use std::cmp::Ordering;
use std::ops::Range;

use stdx::num;

use super::{Element, Member};
use crate::block::Malformed;
use crate::listpack::{Item, Listpack, Needle, Offset};
use crate::word::Small;

const PAIRS: &str = "each member of a packed sorted set has its score behind it";

/// The listpack of a small sorted set.
#[derive(Clone, Default)]
#[repr(transparent)]
pub(super) struct Packed {
    list: Listpack,
}

// SAFETY: transparent over a listpack, which is one.
unsafe impl Small for Packed {}

impl Packed {
    /// The elements of a listpack from outside, which has an even number of items, if every score
    /// is one and the order is right.
    pub(super) fn from_pairs(list: Listpack) -> Result<Self, Malformed> {
        let mut scores = list.iter().skip(1).step_by(2);
        let is_score = |item: Item<'_>| match item {
            Item::Int(_) => true,
            Item::Bytes(text) => num::parse_f64(text).is_some_and(|score| !score.is_nan()),
        };
        if !scores.all(is_score) {
            return Err(Malformed);
        }
        let new = Self { list };
        let mut digits = itoa::Buffer::new();
        let elements = new.range(0..new.len());
        let ordered = elements.zip(new.range(0..new.len()).skip(1)).all(|(before, after)| {
            before.order(after.score, after.member.text(&mut digits)) == Ordering::Less
        });
        if ordered { Ok(new) } else { Err(Malformed) }
    }

    /// The listpack.
    pub(super) fn listpack(&self) -> &Listpack {
        &self.list
    }

    pub(super) fn len(&self) -> usize {
        self.list.len() / 2
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        self.list.allocated_bytes()
    }

    /// Whether a member of this length can be added.
    pub(super) fn has_room_for(&self, member_len: usize) -> bool {
        /// More than a score and the headers of both elements take.
        const OVERHEAD: usize = 64;
        self.list.has_room_for(member_len + OVERHEAD)
    }

    /// Where a member is, and its score.
    pub(super) fn find(&self, member: &[u8]) -> Option<(Offset, f64)> {
        let at = self.list.find(self.list.first(), Needle::new(member), 1)?;
        Some((at, self.element(at).score))
    }

    /// The rank of the member at an offset.
    pub(super) fn rank_at(&self, offset: Offset) -> usize {
        let mut at = self.list.first();
        let walk = std::iter::from_fn(|| {
            let here = at?;
            at = self.following(here);
            Some(here)
        });
        walk.take_while(|here| *here < offset).count()
    }

    /// Adds a member that is not there.
    pub(super) fn insert(&mut self, member: &[u8], score: f64) {
        let mut at = self.list.first();
        while let Some(here) = at {
            if self.element(here).order(score, member) == Ordering::Greater {
                break;
            }
            at = self.following(here);
        }
        let mut text = Vec::new();
        let score = score_item(score, &mut text);
        match at {
            Some(offset) => {
                self.list.insert_before(offset, member);
                self.list.insert_after(offset, score);
            }
            None => {
                self.list.push_back(member);
                self.list.push_back(score);
            }
        }
    }

    /// Takes the member at an offset out, with its score.
    pub(super) fn remove(&mut self, offset: Offset) {
        self.list.remove_many(offset, 2);
    }

    /// Takes a range of ranks out.
    pub(super) fn remove_range(&mut self, ranks: Range<usize>) {
        self.list.remove_range(2 * ranks.start as i64, 2 * ranks.len());
    }

    /// The elements of a range of ranks, which must lie inside.
    pub(super) fn range(&self, ranks: Range<usize>) -> Iter<'_> {
        let seek = |rank: usize| self.list.seek(2 * rank as i64);
        let (front, back) = match ranks.is_empty() {
            true => (None, None),
            false => (seek(ranks.start), seek(ranks.end - 1)),
        };
        Iter { packed: self, front, back, left: ranks.len() }
    }

    /// The member at an offset with its score.
    fn element(&self, offset: Offset) -> Element<'_> {
        let score = self.list.next(offset).expect(PAIRS);
        let score = match self.list.get(score) {
            Item::Int(number) => number as f64,
            Item::Bytes(text) => num::parse_f64(text).expect(PAIRS),
        };
        Element { member: self.list.get(offset), score }
    }

    /// Where the member behind the one at an offset is.
    fn following(&self, offset: Offset) -> Option<Offset> {
        self.list.next(self.list.next(offset).expect(PAIRS))
    }
}

/// A score as it is stored; `text` lends the room.
fn score_item(score: f64, text: &mut Vec<u8>) -> Item<'_> {
    /// Integers up to here are exact.
    const EXACT_MAX: f64 = (1u64 << 53) as f64;
    // A negative zero is an integer too, and loses its sign, as in Redis.
    if score.abs() <= EXACT_MAX && score == score.trunc() {
        return Item::Int(score as i64);
    }
    num::write_f64(text, score);
    Item::Bytes(text)
}

/// The elements of a range of ranks, from both ends.
pub(super) struct Iter<'a> {
    packed: &'a Packed,
    /// The members to come next from each end.
    front: Option<Offset>,
    back: Option<Offset>,
    left: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        self.left = self.left.checked_sub(1)?;
        let at = self.front?;
        self.front = self.packed.following(at);
        Some(self.packed.element(at))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<'a> DoubleEndedIterator for Iter<'a> {
    fn next_back(&mut self) -> Option<Element<'a>> {
        self.left = self.left.checked_sub(1)?;
        let at = self.back?;
        let list = &self.packed.list;
        self.back = list.previous(at).and_then(|score| list.previous(score));
        Some(self.packed.element(at))
    }
}

impl Element<'_> {
    /// The order of the element to a score and a member.
    fn order(&self, score: f64, member: &[u8]) -> Ordering {
        let by_score = self.score.partial_cmp(&score).expect("scores are never NaN");
        by_score.then_with(|| {
            let mut digits = itoa::Buffer::new();
            Member::text(self.member, &mut digits).cmp(member)
        })
    }
}
