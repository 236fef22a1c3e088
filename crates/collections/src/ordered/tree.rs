//! The B+ tree: elements in order of score and member, with the number of elements of each subtree.
//!
//! A branch knows, for each child, how many elements are below it and the first of them, the score
//! of which it keeps at hand: a descent reads no element unless scores are equal. The first
//! elements are exact, not mere separators: whoever changes a child puts them right, so that the
//! address beside the score is always one of an element below that child.
//!
//! Nodes are reference counted. A change walks down from the root through `make_mut`, which copies
//! the shared nodes of the path and no others.
//!
//! A node splits when full: in the middle, or at the end if it is the last (first) of its level and
//! grows there, so that elements that come in order leave full nodes behind. A node that has become
//! less than half full is merged with a neighbour if both then have some room left.

use std::ops::Range;
use std::sync::Arc;

use super::branch::{BRANCH_LEN_MAX, Branch, First};
use super::element::{Element, Item, Link};
use super::leaf::{LEAF_LEN_MAX, Leaf};
use crate::unique::make_mut;

#[derive(Clone)]
pub(super) enum Node {
    Leaf(Leaf),
    Branch(Arc<Branch>),
}

/// What came of taking an element out for another score.
pub(super) enum Taken {
    /// It is no longer in the tree.
    Out(Element),
    /// It belongs in the same leaf, where it is already; its address may be another one.
    Moved(Link),
}

/// Whether a node is the first, and the last, of its level.
#[derive(Clone, Copy)]
pub(super) struct Edges {
    pub(super) first: bool,
    pub(super) last: bool,
}

impl Edges {
    pub(super) fn of_child(self, index: usize, len: usize) -> Self {
        Self { first: self.first && index == 0, last: self.last && index + 1 == len }
    }

    /// Where to cut a full node of `len` that grows at `at`.
    pub(super) fn cut(self, at: usize, len: usize) -> usize {
        if self.last && at == len {
            len
        } else if self.first && at == 0 {
            0
        } else {
            len / 2
        }
    }
}

/// The ordered elements. A clone is O(1) and frozen.
#[derive(Clone)]
pub(super) struct Tree {
    root: Node,
    len: usize,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self { root: Node::Leaf(Leaf::with_capacity(0)), len: 0 }
    }

    /// A tree of elements that are in order already; nodes are nearly full.
    pub(super) fn from_ordered(elements: Vec<Element>) -> Self {
        /// A fill that leaves some room for what comes later.
        const LEAF_FILL: usize = LEAF_LEN_MAX - LEAF_LEN_MAX / 8;
        const BRANCH_FILL: usize = BRANCH_LEN_MAX - BRANCH_LEN_MAX / 8;
        let len = elements.len();
        let mut elements = elements.into_iter();
        let mut level = Vec::with_capacity(len / LEAF_FILL + 1);
        loop {
            let mut leaf = Leaf::with_capacity(elements.len().min(LEAF_FILL));
            elements.by_ref().take(LEAF_FILL).for_each(|element| leaf.insert(leaf.len(), element));
            if leaf.len() == 0 {
                break;
            }
            level.push(Node::Leaf(leaf));
        }
        while level.len() > 1 {
            let mut nodes = level.into_iter();
            level = Vec::with_capacity(nodes.len() / BRANCH_FILL + 1);
            while nodes.len() > 0 {
                let mut branch = Branch::with_capacity(nodes.len().min(BRANCH_FILL));
                nodes.by_ref().take(BRANCH_FILL).for_each(|node| branch.insert(branch.len(), node));
                level.push(Node::Branch(Arc::new(branch)));
            }
        }
        Self { root: level.pop().unwrap_or_else(|| Node::Leaf(Leaf::with_capacity(0))), len }
    }

    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// How many elements fulfil `before`, which must be true for a prefix of the order; and the
    /// leaf in which that prefix ends, with the rank of its first element.
    #[inline]
    pub(super) fn partition_point(
        &self,
        mut before: impl FnMut(Item<'_>) -> bool,
    ) -> (usize, &Leaf, usize) {
        let (mut node, mut start) = (&self.root, 0);
        loop {
            match node {
                Node::Leaf(leaf) => return (start + leaf.partition_point(before), leaf, start),
                Node::Branch(branch) => {
                    let index = branch.child(&mut before);
                    branch.nodes[index].prefetch();
                    start += branch.counts[..index].iter().sum::<usize>();
                    node = &branch.nodes[index];
                }
            }
        }
    }

    /// The leaf with the element of a rank, and the rank of that leaf's first element.
    ///
    /// # Panics
    /// If the rank is not below the length.
    pub(super) fn leaf_at(&self, rank: usize) -> (&Leaf, usize) {
        assert!(rank < self.len, "a rank is below the length");
        let (mut node, mut start) = (&self.root, 0);
        loop {
            match node {
                Node::Leaf(leaf) => return (leaf, start),
                Node::Branch(branch) => {
                    let mut index = 0;
                    while rank - start >= branch.counts[index] {
                        start += branch.counts[index];
                        index += 1;
                    }
                    node = &branch.nodes[index];
                }
            }
        }
    }

    /// Adds an element that orders differently from all present ones.
    pub(super) fn insert(&mut self, element: Element) {
        let right = self.root.insert(element, Edges { first: true, last: true });
        self.len += 1;
        if let Some(right) = right {
            let left = std::mem::replace(&mut self.root, Node::Leaf(Leaf::with_capacity(0)));
            let mut root = Branch::with_capacity(2);
            root.insert(0, left);
            root.insert(1, right);
            self.root = Node::Branch(Arc::new(root));
        }
    }

    /// Takes an element out.
    ///
    /// # Panics
    /// If it is not in the tree.
    pub(super) fn remove(&mut self, link: Link) -> Element {
        match self.root.take(link, None) {
            Taken::Out(element) => self.taken_out(element),
            Taken::Moved(_) => unreachable!("there was no score to move to"),
        }
    }

    /// Gives an element another score. Its address may be another one afterwards.
    ///
    /// # Panics
    /// If it is not in the tree.
    pub(super) fn rescore(&mut self, link: Link, score: f64) -> Link {
        match self.root.take(link, Some(score)) {
            Taken::Moved(link) => link,
            Taken::Out(element) => {
                let element = self.taken_out(element).with_score(score);
                let link = element.item().link();
                self.insert(element);
                link
            }
        }
    }

    fn taken_out(&mut self, element: Element) -> Element {
        self.len -= 1;
        self.lower();
        element
    }

    /// The rank of an element.
    ///
    /// # Panics
    /// If it is not in the tree.
    pub(super) fn rank(&self, target: Item<'_>) -> usize {
        let (mut node, mut start) = (&self.root, 0);
        loop {
            match node {
                Node::Leaf(leaf) => return start + leaf.index_of(target.link()),
                Node::Branch(branch) => {
                    let index = branch.child(|first| first.order(target).is_le());
                    branch.nodes[index].prefetch();
                    start += branch.counts[..index].iter().sum::<usize>();
                    node = &branch.nodes[index];
                }
            }
        }
    }

    /// Cuts the elements of a range of ranks out, as a tree of its own. Whole nodes go with what is
    /// below them: what is written are the two paths to the ends of the range.
    ///
    /// # Panics
    /// If the range is empty, ends beyond the length, or is all there is.
    pub(super) fn cut(&mut self, ranks: Range<usize>) -> Self {
        let len = ranks.len();
        assert!(0 < len && len < self.len && ranks.end <= self.len, "some stay and some go");
        let mut removed = Self { root: self.root.cut(ranks), len };
        self.len -= len;
        self.lower();
        removed.lower();
        removed
    }

    /// Takes branches with one child away from above the root.
    fn lower(&mut self) {
        while let Node::Branch(branch) = &mut self.root {
            match branch.len() {
                0 => self.root = Node::Leaf(Leaf::with_capacity(0)),
                1 => self.root = branch.nodes[0].clone(),
                _ => break,
            }
        }
    }
}

impl Node {
    /// Elements below.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.len(),
            Self::Branch(branch) => branch.counts.iter().sum(),
        }
    }

    /// Elements or children of the node itself.
    pub(super) fn width(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.len(),
            Self::Branch(branch) => branch.len(),
        }
    }

    pub(super) const fn width_max(&self) -> usize {
        match self {
            Self::Leaf(_) => LEAF_LEN_MAX,
            Self::Branch(_) => BRANCH_LEN_MAX,
        }
    }

    pub(super) fn first(&self) -> First {
        match self {
            Self::Leaf(leaf) => First::from(leaf.item(0)),
            Self::Branch(branch) => branch.firsts[0],
        }
    }

    #[inline]
    pub(super) fn prefetch(&self) {
        match self {
            Self::Leaf(leaf) => leaf.prefetch_self(),
            Self::Branch(branch) => crate::prefetch::line(Arc::as_ptr(branch).cast()),
        }
    }

    /// Adds an element; returns the new right neighbour if the node was split.
    pub(super) fn insert(&mut self, element: Element, edges: Edges) -> Option<Self> {
        match self {
            Self::Leaf(leaf) => insert_into_leaf(leaf, element, edges).map(Self::Leaf),
            Self::Branch(branch) => {
                let right = make_mut(branch).insert_element(element, edges);
                right.map(|right| Self::Branch(Arc::new(right)))
            }
        }
    }

    /// Takes an element out; or gives it another score, if it belongs below this node with that one
    /// too and stays in its leaf.
    pub(super) fn take(&mut self, link: Link, score: Option<f64>) -> Taken {
        match self {
            Self::Leaf(leaf) => {
                let at = leaf.index_of(link);
                match score {
                    Some(score) => Taken::Moved(leaf.rescore(at, score)),
                    None => Taken::Out(leaf.remove(at)),
                }
            }
            Self::Branch(branch) => make_mut(branch).take_element(link, score),
        }
    }

    /// Cuts elements out into a node of the same level. Some stay, some go.
    pub(super) fn cut(&mut self, ranks: Range<usize>) -> Self {
        match self {
            Self::Leaf(leaf) => {
                let behind = leaf.split_off(ranks.end);
                let removed = leaf.split_off(ranks.start);
                leaf.append(behind);
                Self::Leaf(removed)
            }
            Self::Branch(branch) => Self::Branch(Arc::new(make_mut(branch).cut(ranks))),
        }
    }

    /// Takes over all that the right neighbour, a node of the same level, has.
    pub(super) fn append(&mut self, right: Self) {
        match (self, right) {
            (Self::Leaf(left), Self::Leaf(right)) => left.append(right),
            (Self::Branch(left), Self::Branch(right)) => {
                let (left, right) = (make_mut(left), Arc::unwrap_or_clone(right));
                left.firsts.extend(right.firsts);
                left.counts.extend(right.counts);
                left.nodes.extend(right.nodes);
            }
            _ => unreachable!("all leaves have the same depth"),
        }
    }
}

fn insert_into_leaf(leaf: &mut Leaf, element: Element, edges: Edges) -> Option<Leaf> {
    let at = leaf.partition_point(|item| item.order(element.item()).is_lt());
    let len = leaf.len();
    if len < LEAF_LEN_MAX {
        leaf.insert(at, element);
        return None;
    }
    let cut = edges.cut(at, len);
    let mut right = leaf.split_off(cut);
    // At the cut itself the left one takes it, unless the cut leaves it full.
    if at > cut || cut == len {
        right.insert(at - cut, element);
    } else {
        leaf.insert(at, element);
    }
    Some(right)
}

#[cfg(test)]
impl Tree {
    /// Checks every invariant of the module page; returns the bytes of all nodes.
    pub(super) fn check(&self) -> usize {
        fn walk(node: &Node, depth: usize, depths: &mut Vec<usize>) -> usize {
            match node {
                Node::Leaf(leaf) => {
                    depths.push(depth);
                    for at in 1..leaf.len() {
                        assert!(leaf.item(at - 1).order(leaf.item(at)).is_lt());
                    }
                    leaf.bytes()
                }
                Node::Branch(branch) => {
                    assert!(branch.len() > 0 && branch.len() <= BRANCH_LEN_MAX);
                    assert_eq!(branch.firsts.len(), branch.len());
                    let mut bytes = size_of::<Branch>() + 16 + branch.nodes.capacity() * 40;
                    for (index, node) in branch.nodes.iter().enumerate() {
                        assert_eq!(node.count(), branch.counts[index]);
                        assert!(node.count() > 0);
                        let (first, known) = (node.first(), branch.firsts[index]);
                        assert!(first.link == known.link && first.score == known.score);
                        if index > 0 {
                            assert!(branch.first(index - 1).order(branch.first(index)).is_lt());
                        }
                        bytes += walk(node, depth + 1, depths);
                    }
                    bytes
                }
            }
        }
        assert_eq!(self.root.count(), self.len);
        let mut depths = Vec::new();
        let bytes = walk(&self.root, 0, &mut depths);
        assert!(depths.iter().all(|&depth| depth == depths[0]), "leaves are equally deep");
        bytes
    }
}
