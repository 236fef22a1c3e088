//! The ordered index: a large sorted set.
//!
//! # The idea
//!
//! Two structures share the elements. A B+ tree holds them in order of score and member, and its
//! branches count what is below each child: a rank, the element of a rank, and the number of
//! elements between two bounds are one or two descents. A table finds a member's element by hash.
//!
//! ```text
//!      tree (order)                                    member table (hash)
//!   ┌───────────────────────────┐                    ┌───────────────────────┐
//!   │ branch: first score,      │                    │ branch: 64 places     │
//!   │ count, child  (up to 64)  │                    │ cut into runs         │
//!   └──────┬──────────────┬─────┘                    └───┬───────────────┬───┘
//!   ┌──────┴──────┐ ┌─────┴───────┐  ┌──────────┐  ┌─────┴──────┐ ┌──────┴─────┐
//!   │ leaf: up to │ │    leaf     ├─>│ element: │<─┤  segment:  │ │  segment   │
//!   │ 84 addresses│ │             │  │ score    │  │ tag, addr. │ │            │
//!   └─────────────┘ └─────────────┘  │ refs len │  │ up to 71   │ │            │
//!                                    │ member   │  └────────────┘ └────────────┘
//!                                    └──────────┘
//! ```
//!
//! # What a member costs
//!
//! For 14 bytes: 32 for the element, about 7 in a leaf, 1 in branches, 8 in the table. Leaves and
//! segments have no empty places but the rounding of their allocations to size classes.
//!
//! # Invariants
//!
//! - **The tree and the table have the same elements.** The tree owns them, by counted shares in
//!   its leaves; the table only points.
//! - **A clone is O(1) and frozen.** Every node is reference counted; a change copies the shared
//!   nodes of its path in the tree and in the table. An element is frozen while two leaves hold it:
//!   another score is then another element.
//! - **A score is never a NaN**, so the order is total. Zeros of either sign are equal, and the
//!   sign
//!   is kept.
//! - **Nothing grows as a whole.** One insertion splits one leaf, one segment and the branches
//!   above
//!   them at most, some microseconds whatever the number of members.
//!
//! # Trade-offs
//!
//! - The score lies in the element and not in the leaf: 8 bytes less for each member, and a search
//!   in a leaf reads six elements. The two that may come next are prefetched, and branches, which
//!   are few, keep scores at hand.
//! - Six bytes for each address: all platforms we run on have user-space addresses of 48 bits.
//! - A tree that was thinned out keeps leaves as thin as a quarter when their neighbours are full:
//!   merging only what then has room left saves splitting again.

mod branch;
mod element;
mod iter;
mod leaf;
mod members;
mod segment;
mod tree;

use std::fmt;
use std::ops::Range;

use crate::Pieces;
use crate::keyed_hash::keyed_hash;
use crate::prefetch::{LOOK_AHEAD_ELEMENTS_MIN, LOOK_AHEAD_MAX};
use element::{Element, Link, element_bytes};
use members::Members;
use tree::Tree;

pub use element::Item;
pub use iter::Iter;

/// Bytes of tree and table for each member, for estimates.
const NODE_BYTES_PER_MEMBER: usize = 16;
/// Members for each allocation of tree and table, roughly.
const MEMBERS_PER_NODE: usize = 25;

/// To find a member and take it out costs as much as passing by about so many in their order in the
/// table.
const SWEPT_PER_REMOVED: usize = 32;
/// To copy a member to another index costs as much as passing by about so many.
const SWEPT_PER_COPIED: usize = 16;

/// Members with scores, in order; see the module page.
#[derive(Clone)]
pub struct Ordered {
    tree: Tree,
    members: Members,
    /// Bytes of all elements.
    element_bytes: usize,
    hash: MemberHash,
}

/// The hash of the members of one index.
#[derive(Clone, Copy)]
struct MemberHash {
    seed: u64,
}

impl MemberHash {
    #[inline]
    fn of(self, member: &[u8]) -> u64 {
        spread(keyed_hash(self.seed, member))
    }

    /// The hash of an element of this index.
    #[inline]
    fn of_link(self, link: Link) -> u64 {
        // SAFETY: only called for links in the table of an index that is borrowed meanwhile, and
        // the tree of that index owns their elements.
        self.of(unsafe { link.item() }.member())
    }
}

/// Bends a hash, in order: of equal stretches of the result, the one at the end is hit twice as
/// often as the one at the beginning.
///
/// The member table splits its segments by the bits of the hash. Were all its halves equally
/// likely, all segments would be full at the same time, and of one size at any time: each split
/// would leave a size class of the allocator behind that nothing else asks for, in pages that a few
/// stragglers hold. Bent, there are segments of all sizes at all times, and every class only grows.
#[inline]
const fn spread(hash: u64) -> u64 {
    let hump = (hash as u128 * !hash as u128) >> 64;
    // For 0 <= u < 1: u + u (1 - u) / 3, of which the slope falls from 4/3 to 2/3.
    hash + hump as u64 / 3
}

/// Members that were taken out together, to be dropped.
pub struct Removed {
    tree: Tree,
    /// Their table, if all that there were have been taken out.
    _members: Option<Members>,
}

impl Pieces for Removed {
    fn pieces(&self) -> usize {
        pieces_of(self.tree.len())
    }
}

impl fmt::Debug for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} members", self.tree.len())
    }
}

/// About how many allocations so many members are.
const fn pieces_of(len: usize) -> usize {
    len + len / MEMBERS_PER_NODE + 1
}

impl Ordered {
    /// An empty index whose hash is keyed by `seed`, a secret random number.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let hash = MemberHash { seed };
        Self { tree: Tree::new(), members: Members::new(), element_bytes: 0, hash }
    }

    /// An index of members that are all different, in any order. Much cheaper than adding them one
    /// by one: they are sorted once, and the tree is built from its leaves up.
    ///
    /// # Panics
    /// If a score is a NaN or a member occurs twice.
    #[must_use]
    pub fn from_members<'m>(seed: u64, members: impl IntoIterator<Item = (&'m [u8], f64)>) -> Self {
        let mut elements: Vec<Element> = members
            .into_iter()
            .map(|(member, score)| {
                assert!(!score.is_nan(), "a score is a number");
                Element::new(score, member)
            })
            .collect();
        let in_order = elements.is_sorted_by(|a, b| a.item().order(b.item()).is_lt());
        if !in_order {
            elements.sort_unstable_by(|a, b| a.item().order(b.item()));
        }
        let hash_of = MemberHash { seed };
        let mut table = Members::new();
        let mut bytes = 0;
        for element in &elements {
            let item = element.item();
            let hash = hash_of.of(item.member());
            let twice = find_in(&table, hash, item.member()).is_some();
            assert!(!twice, "members are different");
            table.insert(hash, item.link(), |link| hash_of.of_link(link));
            bytes += element_bytes(item.member().len());
        }
        Self {
            tree: Tree::from_ordered(elements),
            members: table,
            element_bytes: bytes,
            hash: hash_of,
        }
    }

    /// How many members there are.
    #[inline]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.tree.len()
    }

    /// Whether there is no member.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The score of a member.
    #[must_use]
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.find(self.hash.of(member), member).map(Item::score)
    }

    /// Gives a member a score, or another one; returns the one it had.
    ///
    /// # Panics
    /// If the score is a NaN.
    pub fn insert(&mut self, member: &[u8], score: f64) -> Option<f64> {
        let mut old = None;
        self.update(member, |current| {
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
    pub fn update(&mut self, member: &[u8], decide: impl FnOnce(Option<f64>) -> Option<f64>) {
        let hash = self.hash.of(member);
        let found = self.find(hash, member).map(|item| (item.link(), item.score()));
        let Some(score) = decide(found.map(|(_, score)| score)) else { return };
        assert!(!score.is_nan(), "a score is a number");
        match found {
            None => {
                let element = Element::new(score, member);
                // The table first: splitting a segment reads elements, all of which exist.
                let hash_of = self.hash;
                self.members.insert(hash, element.item().link(), |link| hash_of.of_link(link));
                self.tree.insert(element);
                self.element_bytes += element_bytes(member.len());
            }
            Some((_, old)) if old == score => {}
            Some((old, _)) => {
                let link = self.tree.rescore(old, score);
                if link != old {
                    self.members.replace(hash, old, link);
                }
            }
        }
    }

    /// Takes a member out; returns its score.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let hash = self.hash.of(member);
        let item = self.find(hash, member)?;
        let (link, score) = (item.link(), item.score());
        self.remove_link(hash, link);
        Some(score)
    }

    /// Takes the members of a range of ranks out. What is handed over may be large, and is to be
    /// dropped when there is time. Of three ways it takes that which looks at the fewest members.
    ///
    /// # Panics
    /// If the range ends beyond the length.
    #[must_use]
    pub fn remove_range(&mut self, ranks: Range<usize>) -> Option<Removed> {
        assert!(ranks.end <= self.len(), "ranks are below the length");
        let (len, removed) = (self.len(), ranks.len());
        if removed <= LOOK_AHEAD_MAX.max(len / SWEPT_PER_REMOVED) {
            self.remove_each(ranks);
            None
        } else if len - removed <= len / SWEPT_PER_COPIED {
            Some(self.keep_outside(ranks))
        } else {
            Some(self.cut(ranks))
        }
    }

    /// One by one.
    fn remove_each(&mut self, ranks: Range<usize>) {
        let mut left = ranks.len();
        let (mut hashes, mut links) = (Vec::new(), Vec::new());
        while left > 0 {
            for item in self.range(ranks.start..ranks.start + left.min(LOOK_AHEAD_MAX)) {
                hashes.push(self.hash.of(item.member()));
                links.push(item.link());
            }
            // Their places in the table lie anywhere, and are asked for together.
            self.members.prefetch(&hashes);
            left -= links.len();
            hashes.drain(..).zip(links.drain(..)).for_each(|(hash, link)| {
                self.remove_link(hash, link);
            });
        }
    }

    /// By copying the others, which are few, into an index made anew.
    fn keep_outside(&mut self, removed: Range<usize>) -> Removed {
        let kept = self.range(0..removed.start).chain(self.range(removed.end..self.len()));
        let kept = kept.map(|item| (item.member(), item.score()));
        let kept = Self::from_members(self.hash.seed, kept);
        let old = std::mem::replace(self, kept);
        Removed { tree: old.tree, _members: Some(old.members) }
    }

    /// By cutting their nodes out of the tree, and going through the table once. Nothing is hashed
    /// or searched for: whether a member of the table goes is told by its place in the order.
    fn cut(&mut self, ranks: Range<usize>) -> Removed {
        let tree = self.tree.cut(ranks);
        let (leaf, _) = tree.leaf_at(0);
        let first = leaf.item(0);
        let (leaf, start) = tree.leaf_at(tree.len() - 1);
        let last = leaf.item(tree.len() - 1 - start);
        let mut bytes = 0;
        self.members.retain(|link| {
            // SAFETY: the elements of the table are those of the two trees, and neither changes.
            let item = unsafe { link.item() };
            let (score, least, most) = (item.score(), first.score(), last.score());
            // A processor cannot guess who goes, so there is no branch but for the scores of the
            // ends, where members decide.
            let goes = if (score == least) | (score == most) {
                item.order(first).is_ge() && item.order(last).is_le()
            } else {
                (score > least) & (score < most)
            };
            bytes += if goes { element_bytes(item.len()) } else { 0 };
            !goes
        });
        self.element_bytes -= bytes;
        Removed { tree, _members: None }
    }

    fn remove_link(&mut self, hash: u64, link: Link) {
        let present = self.members.remove(hash, link);
        assert!(present, "the tree and the table have the same elements");
        let element = self.tree.remove(link);
        self.element_bytes -= element_bytes(element.item().member().len());
    }

    /// The rank of a member, the lowest being 0, with its score.
    #[must_use]
    pub fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        let target = self.find(self.hash.of(member), member)?;
        Some((self.tree.rank(target), target.score()))
    }

    /// How many elements fulfil `before`, which must be true for a prefix of the order and false
    /// for the rest: the rank at which a bound lies. O(log n).
    #[must_use]
    pub fn partition_point(&self, before: impl FnMut(Item<'_>) -> bool) -> usize {
        self.tree.partition_point(before).0
    }

    /// The elements from that rank on: one descent for a range whose end shows as it is read.
    #[must_use]
    pub fn range_from(&self, before: impl FnMut(Item<'_>) -> bool) -> Iter<'_> {
        Iter::starting(&self.tree, before)
    }

    /// The element of a rank.
    #[must_use]
    pub fn nth(&self, rank: usize) -> Option<Item<'_>> {
        (rank < self.len()).then(|| {
            let (leaf, start) = self.tree.leaf_at(rank);
            leaf.item(rank - start)
        })
    }

    /// The elements of a range of ranks in order, from both ends. O(log n), then O(1) each.
    ///
    /// # Panics
    /// If the range ends beyond the length.
    #[must_use]
    pub fn range(&self, ranks: Range<usize>) -> Iter<'_> {
        assert!(ranks.end <= self.len(), "ranks are below the length");
        Iter::new(&self.tree, ranks.start, ranks.end)
    }

    /// Visits some elements, in no order that means anything, and returns the cursor to go on with,
    /// 0 when all were visited. Every element that is present from cursor 0 to the end is visited,
    /// some perhaps twice. Any number is a valid cursor.
    pub fn scan<'a>(&'a self, cursor: u64, mut visit: impl FnMut(Item<'a>)) -> u64 {
        // SAFETY: the tree owns the elements of the table, and is borrowed for `'a`.
        self.members.scan(cursor, |link| visit(unsafe { link.item() }))
    }

    /// The bytes of memory of the index, within some percent. O(1).
    #[must_use]
    pub const fn allocated_bytes(&self) -> usize {
        self.element_bytes + self.len() * NODE_BYTES_PER_MEMBER
    }

    /// About how many allocations the index consists of. O(1).
    #[must_use]
    pub const fn pieces(&self) -> usize {
        pieces_of(self.len())
    }

    /// Asks the processor for what looking up these members will read, at most [`LOOK_AHEAD_MAX`],
    /// if the index is large.
    pub fn prefetch(&self, members: &[&[u8]]) {
        if self.len() < LOOK_AHEAD_ELEMENTS_MIN {
            return;
        }
        let mut hashes = [0; LOOK_AHEAD_MAX];
        let hashes = &mut hashes[..members.len().min(LOOK_AHEAD_MAX)];
        for (hash, member) in hashes.iter_mut().zip(members) {
            *hash = self.hash.of(member);
        }
        self.members.prefetch(hashes);
    }

    fn find(&self, hash: u64, member: &[u8]) -> Option<Item<'_>> {
        let link = find_in(&self.members, hash, member)?;
        // SAFETY: the tree owns the elements of the table, and is borrowed with it.
        Some(unsafe { link.item() })
    }
}

fn find_in(members: &Members, hash: u64, member: &[u8]) -> Option<Link> {
    // SAFETY: the elements of a table are alive while their index, or the list that becomes its
    // tree, is borrowed.
    members.find(hash, |link| unsafe { link.item() }.member() == member)
}

#[cfg(test)]
mod tests;
