//! The member table: from a member to its element.
//!
//! A trie over the bits of the member's hash, most significant first. A branch takes six bits: its
//! 64 places are cut into runs of a power of two, and each run has one child. A full segment is
//! split by the next bit, which cuts its run in half; when the run is a single place, a branch of
//! the next six bits takes the segment in.
//!
//! ```text
//!   hash  ssssss ssssss ssssss ...  tttttttt
//!           │      │                 tag, compared in the segment
//!           v      v
//!   branch  starts: 1...1.1.1.......   bit i set: a run begins at place i
//!           children: ├───┼─┼─┤        the n-th run's child: a segment or a branch
//! ```
//!
//! So the table grows and shrinks by one segment of at most 71 members at a time, whatever its
//! size, and a change after a clone copies the branches of one path and one segment.
//!
//! Since the table is ordered by hash, a scan cursor is a hash: it survives every split and merge.

use std::sync::Arc;

use super::element::Link;
use super::segment::{SEGMENT_LEN_MAX, Segment};
use crate::prefetch::{self, LOOK_AHEAD_MAX};
use crate::unique::make_mut;

/// Hash bits that one branch looks at.
const LEVEL_BITS: u32 = 6;
const PLACES: u32 = 1 << LEVEL_BITS;
/// Levels of branches: 48 bits. Members whose hashes agree in all of them stay in one segment.
const LEVELS_MAX: u32 = 8;
/// Bits below the ones that branches look at.
const CURSOR_SHIFT: u32 = 64 - LEVELS_MAX * LEVEL_BITS;
/// Two buddies merge when one is this thin ...
const THIN_LEN: usize = SEGMENT_LEN_MAX / 4;
/// ... and both together leave a quarter of a segment free.
const MERGE_LEN_MAX: usize = SEGMENT_LEN_MAX - SEGMENT_LEN_MAX / 4;

#[derive(Clone)]
enum Node {
    Segment(Segment),
    Branch(Arc<Branch>),
}

#[derive(Clone)]
struct Branch {
    /// Places at which a run begins; place 0 always.
    starts: u64,
    /// One child for each run, in order.
    children: Vec<Node>,
}

/// The member table. A clone is O(1) and frozen. It owns no elements.
#[derive(Clone)]
pub(super) struct Members {
    root: Node,
}

/// The place of a hash in a branch of a level.
#[inline]
const fn place(hash: u64, level: u32) -> u32 {
    (hash >> (u64::BITS - (level + 1) * LEVEL_BITS)) as u32 % PLACES
}

/// The byte that segments keep.
#[inline]
const fn tag(hash: u64) -> u8 {
    hash as u8
}

impl Members {
    pub(super) fn new() -> Self {
        Self { root: Node::Segment(Segment::with_capacity(0)) }
    }

    /// The member with this hash for which `is` holds.
    #[inline]
    pub(super) fn find(&self, hash: u64, mut is: impl FnMut(Link) -> bool) -> Option<Link> {
        let mut found = None;
        let segment = self.segment(hash);
        segment.prefetch_tags();
        segment.find(tag(hash), |link| {
            let hit = is(link);
            found = hit.then_some(link);
            hit
        });
        found
    }

    /// The segment that a member with this hash is in.
    #[inline]
    fn segment(&self, hash: u64) -> &Segment {
        let (mut node, mut level) = (&self.root, 0);
        loop {
            match node {
                Node::Branch(branch) => {
                    node = &branch.children[branch.run_at(place(hash, level))];
                    level += 1;
                }
                Node::Segment(segment) => return segment,
            }
        }
    }

    /// Asks the processor for what looking up these hashes will read, each step for all of them;
    /// at most [`LOOK_AHEAD_MAX`].
    pub(super) fn prefetch(&self, hashes: &[u64]) {
        let mut nodes = [&self.root; LOOK_AHEAD_MAX];
        let nodes = &mut nodes[..hashes.len()];
        for level in 0..LEVELS_MAX {
            let mut has_branches = false;
            for (node, hash) in nodes.iter_mut().zip(hashes) {
                if let Node::Branch(branch) = *node {
                    *node = &branch.children[branch.run_at(place(*hash, level))];
                    prefetch::line(std::ptr::from_ref(*node).cast());
                    has_branches = true;
                }
            }
            if !has_branches {
                break;
            }
            nodes.iter().for_each(|node| node.prefetch());
        }
        let mut found = [None; LOOK_AHEAD_MAX];
        for ((found, node), hash) in found.iter_mut().zip(&*nodes).zip(hashes) {
            if let Node::Segment(segment) = node {
                *found = segment.prefetch_address(tag(*hash)).map(|slot| (segment, slot));
            }
        }
        for (segment, slot) in found.into_iter().flatten() {
            segment.link(slot).prefetch();
        }
    }

    /// Adds a member that is not there. `rehash` gives the hash of those that are.
    pub(super) fn insert(&mut self, hash: u64, link: Link, rehash: impl Fn(Link) -> u64) {
        if let Node::Segment(segment) = &mut self.root {
            if segment.len() < SEGMENT_LEN_MAX {
                return segment.push(tag(hash), link);
            }
            self.root.deepen();
        }
        let (mut node, mut level) = (&mut self.root, 0);
        loop {
            let Node::Branch(branch) = node else { unreachable!("only branches are descended") };
            let branch = make_mut(branch);
            let index = branch.make_room(place(hash, level), level, &rehash);
            level += 1;
            node = &mut branch.children[index];
            if let Node::Segment(segment) = node {
                return segment.push(tag(hash), link);
            }
        }
    }

    /// Takes a member out; `false` if it is not there.
    pub(super) fn remove(&mut self, hash: u64, link: Link) -> bool {
        self.root.remove(hash, link, 0)
    }

    /// Keeps the members for which `keeps` holds. Every segment is visited once, and the next are
    /// on their way from memory meanwhile: for each member much cheaper than to find it.
    pub(super) fn retain(&mut self, mut keeps: impl FnMut(Link) -> bool) {
        self.root.retain(&mut keeps);
    }

    /// Puts another element in the place of one.
    ///
    /// # Panics
    /// If `old` is not there.
    pub(super) fn replace(&mut self, hash: u64, old: Link, new: Link) {
        let (mut node, mut level) = (&mut self.root, 0);
        loop {
            match node {
                Node::Branch(branch) => {
                    let branch = make_mut(branch);
                    let index = branch.run_at(place(hash, level));
                    node = &mut branch.children[index];
                    level += 1;
                }
                Node::Segment(segment) => {
                    let slot = segment.find(tag(hash), |link| link == old);
                    return segment.replace(slot.expect("the member is in the table"), new);
                }
            }
        }
    }

    /// Visits the members of one segment: those whose hash is at or a little before the cursor's.
    /// Returns the cursor to go on with, 0 when the table is through.
    ///
    /// From 0 until 0, every member present all the time is visited at least once.
    pub(super) fn scan(&self, cursor: u64, mut visit: impl FnMut(Link)) -> u64 {
        let hash = cursor << CURSOR_SHIFT;
        let (mut node, mut level) = (&self.root, 0);
        // The first hash behind the current node; 0 stands for 2^64.
        let mut end = 0;
        loop {
            match node {
                Node::Branch(branch) => {
                    let index = branch.run_at(place(hash, level));
                    let shift = u64::BITS - (level + 1) * LEVEL_BITS;
                    let (_, run_end) = branch.run(place(hash, level));
                    // At the end of the last run the end of the branch itself is the end.
                    if run_end < PLACES {
                        let prefix =
                            if level == 0 { 0 } else { hash >> (shift + 6) << (shift + 6) };
                        end = prefix | u64::from(run_end) << shift;
                    }
                    node = &branch.children[index];
                    level += 1;
                }
                Node::Segment(segment) => {
                    segment.links().for_each(&mut visit);
                    return end >> CURSOR_SHIFT;
                }
            }
        }
    }
}

impl Node {
    /// Asks for what a look-up reads first of the node.
    #[inline]
    fn prefetch(&self) {
        match self {
            Self::Segment(segment) => segment.prefetch_tags(),
            Self::Branch(branch) => prefetch::line(Arc::as_ptr(branch).cast()),
        }
    }

    /// Puts the node below a branch that has it as its only child.
    fn deepen(&mut self) {
        let child = std::mem::replace(self, Self::Segment(Segment::with_capacity(0)));
        *self = Self::Branch(Arc::new(Branch { starts: 1, children: vec![child] }));
    }

    fn remove(&mut self, hash: u64, link: Link, level: u32) -> bool {
        let branch = match self {
            Self::Segment(segment) => {
                let slot = segment.find(tag(hash), |other| other == link);
                return slot.map(|slot| segment.swap_remove(slot)).is_some();
            }
            Self::Branch(branch) => make_mut(branch),
        };
        let at = place(hash, level);
        let index = branch.run_at(at);
        if !branch.children[index].remove(hash, link, level + 1) {
            return false;
        }
        while branch.merge(at) {}
        self.flatten();
        true
    }

    fn retain(&mut self, keeps: &mut impl FnMut(Link) -> bool) {
        let branch = match self {
            Self::Segment(segment) => return segment.retain(keeps),
            Self::Branch(branch) => make_mut(branch),
        };
        for index in 0..branch.children.len() {
            // The segment after the next comes from memory, and the elements of the next.
            if let Some(Self::Segment(later)) = branch.children.get(index + 2) {
                later.prefetch_all();
            }
            if let Some(Self::Segment(next)) = branch.children.get(index + 1) {
                next.prefetch_elements();
            }
            branch.children[index].retain(keeps);
        }
        let mut at = 0;
        while at < PLACES {
            while branch.merge(at) {}
            (_, at) = branch.run(at);
        }
        self.flatten();
    }

    /// A branch of one segment becomes that segment, which is the same at any level. A branch of
    /// one branch stays: each belongs to its level.
    fn flatten(&mut self) {
        if let Self::Branch(branch) = self
            && let [Self::Segment(only)] = &branch.children[..]
        {
            *self = Self::Segment(only.clone());
        }
    }
}

impl Branch {
    /// The child of a place.
    #[inline]
    const fn run_at(&self, place: u32) -> usize {
        let up_to = u64::MAX >> (PLACES - 1 - place);
        (self.starts & up_to).count_ones() as usize - 1
    }

    /// The run of a place: its first place and the one behind it.
    fn run(&self, place: u32) -> (u32, u32) {
        let up_to = u64::MAX >> (PLACES - 1 - place);
        let start = PLACES - 1 - (self.starts & up_to).leading_zeros();
        let behind = self.starts & !up_to;
        (start, if behind == 0 { PLACES } else { behind.trailing_zeros() })
    }

    /// Splits the segment of a place until it has room; returns the place's child.
    fn make_room(&mut self, at: u32, level: u32, rehash: &impl Fn(Link) -> u64) -> usize {
        loop {
            let index = self.run_at(at);
            let (start, end) = self.run(at);
            let Node::Segment(segment) = &mut self.children[index] else { return index };
            if segment.len() < SEGMENT_LEN_MAX {
                return index;
            }
            if end - start == 1 {
                if level + 1 < LEVELS_MAX {
                    self.children[index].deepen();
                }
                return index;
            }
            let middle = u32::midpoint(start, end);
            let upper = segment.split(|link| place(rehash(link), level) >= middle);
            self.starts |= 1 << middle;
            self.reserve_one();
            self.children.insert(index + 1, Node::Segment(upper));
        }
    }

    /// Growth by a quarter: doubling would leave a third of the branch empty.
    fn reserve_one(&mut self) {
        if self.children.len() == self.children.capacity() {
            self.children.reserve_exact((self.children.len() / 4).max(2));
        }
    }

    /// Merges the segment of a place with its buddy, if it is thin and they fit together.
    fn merge(&mut self, at: u32) -> bool {
        let (start, end) = self.run(at);
        let len = end - start;
        if len == PLACES {
            return false;
        }
        let buddy = start ^ len;
        if self.starts & 1 << buddy == 0 || self.run(buddy) != (buddy, buddy + len) {
            return false;
        }
        let left = self.run_at(start.min(buddy));
        let (Node::Segment(a), Node::Segment(b)) = (&self.children[left], &self.children[left + 1])
        else {
            return false;
        };
        if a.len().min(b.len()) > THIN_LEN || a.len() + b.len() > MERGE_LEN_MAX {
            return false;
        }
        self.starts &= !(1 << start.max(buddy));
        let upper = self.children.remove(left + 1);
        if let (Node::Segment(lower), Node::Segment(upper)) = (&mut self.children[left], upper) {
            lower.append(&upper);
        }
        true
    }
}

#[cfg(test)]
impl Members {
    /// Checks the invariants against the hash function; returns the number of members and the bytes
    /// of all nodes.
    pub(super) fn check(&self, rehash: impl Fn(Link) -> u64) -> (usize, usize) {
        fn walk(
            node: &Node,
            level: u32,
            path: &dyn Fn(u64) -> bool,
            rehash: &dyn Fn(Link) -> u64,
        ) -> (usize, usize) {
            let branch = match node {
                Node::Segment(segment) => {
                    assert!(segment.len() <= SEGMENT_LEN_MAX || level == LEVELS_MAX);
                    for link in segment.links() {
                        assert!(path(rehash(link)), "a member is where its hash says");
                        assert!(segment.find(tag(rehash(link)), |other| other == link).is_some());
                    }
                    return (segment.len(), segment.bytes());
                }
                Node::Branch(branch) => branch,
            };
            assert_eq!(branch.starts.count_ones() as usize, branch.children.len());
            let (mut sum, mut at) = ((0, 32 + branch.children.capacity() * 16), 0);
            for (index, child) in branch.children.iter().enumerate() {
                let (start, end) = branch.run(at);
                assert_eq!(
                    (start, branch.run_at(start), branch.run_at(end - 1)),
                    (at, index, index)
                );
                assert!((end - start).is_power_of_two() && start % (end - start) == 0);
                let inside = |hash| path(hash) && (start..end).contains(&place(hash, level));
                let (members, bytes) = walk(child, level + 1, &inside, rehash);
                sum = (sum.0 + members, sum.1 + bytes);
                at = end;
            }
            assert_eq!(at, PLACES);
            sum
        }
        walk(&self.root, 0, &|_| true, &rehash)
    }
}
