//! What all commands that show or store a range have in common: their options and the elements they
//! choose. [`range_commands`](super::range_commands) has the commands.

use std::borrow::Cow;
use std::ops::Range;

use collections::sorted_set::{Element, Iter, SortedSet};
use command::{ArgReader, CommandError, Cx};
use store::{Deadline, NewValue};

use super::bounds::{Bounds, By};
use super::{DEL, event, limits, reply};

/// A reply with more members than this is written without locks, from a clone.
const UNDER_LOCK_MAX: usize = 1000;

const LIMIT_OF_RANKS: &str = "ERR syntax error, LIMIT is only supported in combination with either \
                              BYSCORE or BYLEX";
const SCORES_OF_MEMBERS: &str =
    "ERR syntax error, WITHSCORES not supported in combination with BYLEX";

/// What a command's name says already of its range; the rest are options.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Named {
    pub(super) by: Option<By>,
    pub(super) reverse: Option<bool>,
    /// The elements go to another key, so their scores always go along.
    pub(super) stored: bool,
}

/// A range of one sorted set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request<'a> {
    key: &'a [u8],
    bounds: Bounds<'a>,
    /// The highest comes first.
    reverse: bool,
    /// Elements to pass over, and how many to show; negative for all.
    offset: i64,
    count: i64,
    with_scores: bool,
}

impl<'a> Request<'a> {
    /// Reads the key, the two ends, and the options.
    pub(super) fn parse(reader: &mut ArgReader<'a>, named: Named) -> Result<Self, CommandError> {
        let (key, first, second) = (reader.bytes(), reader.bytes(), reader.bytes());
        let Named { mut by, mut reverse, stored } = named;
        let (mut limit, mut with_scores) = (None, false);
        while reader.more() {
            if !stored && reader.token("WITHSCORES") {
                with_scores = true;
            } else if reader.remaining() >= 3 && reader.token("LIMIT") {
                limit = Some((reader.integer(), reader.integer()));
            } else if reverse.is_none() && reader.token("REV") {
                reverse = Some(true);
            } else if by.is_none() && reader.token("BYLEX") {
                by = Some(By::Member);
            } else if by.is_none() && reader.token("BYSCORE") {
                by = Some(By::Score);
            } else {
                reader.unknown();
            }
        }
        reader.check()?;
        let (by, reverse) = (by.unwrap_or(By::Rank), reverse.unwrap_or(false));
        if limit.is_some_and(|(_, count)| count != -1) && by == By::Rank {
            return Err(CommandError::request(LIMIT_OF_RANKS));
        }
        if with_scores && by == By::Member {
            return Err(CommandError::request(SCORES_OF_MEMBERS));
        }
        // Indexes count from the end that comes first; scores and members name the higher end
        // first.
        let swap = reverse && by != By::Rank;
        let (min, max) = if swap { (second, first) } else { (first, second) };
        let bounds = Bounds::parse(by, min, max)?;
        let (offset, count) = limit.filter(|_| by != By::Rank).unwrap_or((0, -1));
        Ok(Self { key, bounds, reverse, offset, count, with_scores })
    }

    /// The ranks of the chosen elements, the lowest being 0.
    fn ranks(&self, set: &SortedSet) -> Range<usize> {
        let ranks = match self.reverse {
            true => self.bounds.ranks_from_above(set),
            false => self.bounds.ranks(set),
        };
        // A negative offset passes over all.
        let skip = usize::try_from(self.offset).unwrap_or(usize::MAX).min(ranks.len());
        let left = ranks.len() - skip;
        let take = usize::try_from(self.count).unwrap_or(usize::MAX).min(left);
        if self.reverse {
            ranks.end - skip - take..ranks.end - skip
        } else {
            ranks.start + skip..ranks.start + skip + take
        }
    }

    /// Replies the elements.
    pub(super) fn show(&self, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        let Some(set) = cx.db.get::<SortedSet>(self.key)? else {
            cx.reply.array(0);
            return Ok(());
        };
        let ranks = self.ranks(set);
        if ranks.len() <= UNDER_LOCK_MAX {
            let walk = Walk::new(set, ranks, self.reverse);
            reply::elements(cx.reply, walk, self.with_scores);
        } else {
            let set = set.clone();
            cx.db.release();
            let walk = Walk::new(&set, ranks, self.reverse);
            reply::elements(cx.reply, walk, self.with_scores);
        }
        Ok(())
    }

    /// Stores the elements at `destination` and replies how many there are.
    pub(super) fn store(
        &self,
        cx: &mut Cx<'_>,
        destination: &[u8],
        name: &'static str,
    ) -> Result<(), CommandError> {
        let set = cx.db.get::<SortedSet>(self.key)?.cloned().unwrap_or_default();
        let ranks = self.ranks(&set);
        let members: Vec<_> = set.range(ranks).map(owned).collect();
        store(cx, destination, &members, name);
        Ok(())
    }
}

/// An element with the bytes of its member.
pub(super) fn owned(element: Element<'_>) -> (Cow<'_, [u8]>, f64) {
    let mut text = Vec::new();
    let member = match element.member {
        collections::sorted_set::Member::Bytes(bytes) => Cow::Borrowed(bytes),
        number => {
            number.write_text(&mut text);
            Cow::Owned(text)
        }
    };
    (member, element.score)
}

/// Makes a sorted set of different members the value of `destination`, or deletes the key if there
/// are none, and replies how many there are.
pub(super) fn store(
    cx: &mut Cx<'_>,
    destination: &[u8],
    members: &[(Cow<'_, [u8]>, f64)],
    name: &'static str,
) {
    let limits = limits(cx);
    if members.is_empty() {
        cx.db.edit(destination).remove(DEL);
    } else {
        let members: Vec<_> = members.iter().map(|(member, score)| (&**member, *score)).collect();
        let set = SortedSet::from_members(&members, limits);
        let mut edit = cx.db.edit(destination);
        edit.set(NewValue::Object(set.into()), Deadline::Clear, event(name));
    }
    cx.reply.integer(members.len() as i64);
}

/// Elements of a range of ranks, from the lowest to the highest or the other way.
pub(super) struct Walk<'a> {
    elements: Iter<'a>,
    reverse: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(set: &'a SortedSet, ranks: Range<usize>, reverse: bool) -> Self {
        Self { elements: set.range(ranks), reverse }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        if self.reverse { self.elements.next_back() } else { self.elements.next() }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.elements.size_hint()
    }
}

impl ExactSizeIterator for Walk<'_> {}
