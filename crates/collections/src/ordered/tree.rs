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

use super::element::{Element, Item, Link};
use super::leaf::{LEAF_LEN_MAX, Leaf};
use crate::unique::make_mut;

/// Children of the widest branch.
const BRANCH_LEN_MAX: usize = 64;

#[derive(Clone)]
enum Node {
    Leaf(Leaf),
    Branch(Arc<Branch>),
}

/// The first element below a child; that child keeps it alive.
#[derive(Clone, Copy)]
struct First {
    score: f64,
    link: Link,
}

impl From<Item<'_>> for First {
    fn from(item: Item<'_>) -> Self {
        Self { score: item.score(), link: item.link() }
    }
}

/// An inner node; the three vectors have one entry for each child.
#[derive(Clone, Default)]
struct Branch {
    firsts: Vec<First>,
    counts: Vec<usize>,
    nodes: Vec<Node>,
}

/// Whether a node is the first, and the last, of its level.
#[derive(Clone, Copy)]
struct Edges {
    first: bool,
    last: bool,
}

impl Edges {
    fn of_child(self, index: usize, len: usize) -> Self {
        Self { first: self.first && index == 0, last: self.last && index + 1 == len }
    }

    /// Where to cut a full node of `len` that grows at `at`.
    fn cut(self, at: usize, len: usize) -> usize {
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
        // The element itself says where to look. It is alive: the caller found it here.
        let element = self.root.remove(link);
        self.len -= 1;
        self.lower();
        element
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
    fn count(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.len(),
            Self::Branch(branch) => branch.counts.iter().sum(),
        }
    }

    /// Elements or children of the node itself.
    fn width(&self) -> usize {
        match self {
            Self::Leaf(leaf) => leaf.len(),
            Self::Branch(branch) => branch.len(),
        }
    }

    const fn width_max(&self) -> usize {
        match self {
            Self::Leaf(_) => LEAF_LEN_MAX,
            Self::Branch(_) => BRANCH_LEN_MAX,
        }
    }

    fn first(&self) -> First {
        match self {
            Self::Leaf(leaf) => First::from(leaf.item(0)),
            Self::Branch(branch) => branch.firsts[0],
        }
    }

    #[inline]
    fn prefetch(&self) {
        match self {
            Self::Leaf(leaf) => leaf.prefetch_self(),
            Self::Branch(branch) => crate::prefetch::line(Arc::as_ptr(branch).cast()),
        }
    }

    /// Adds an element; returns the new right neighbour if the node was split.
    fn insert(&mut self, element: Element, edges: Edges) -> Option<Self> {
        match self {
            Self::Leaf(leaf) => insert_into_leaf(leaf, element, edges).map(Self::Leaf),
            Self::Branch(branch) => {
                let right = make_mut(branch).insert_element(element, edges);
                right.map(|right| Self::Branch(Arc::new(right)))
            }
        }
    }

    fn remove(&mut self, link: Link) -> Element {
        // SAFETY: the tree owns the element until this call returns it, and the caller holds the
        // tree mutably, so nobody changes the score meanwhile.
        let target = unsafe { link.item() };
        match self {
            Self::Leaf(leaf) => {
                let at = leaf.partition_point(|item| item.order(target).is_lt());
                assert!(leaf.item(at).link() == link, "the element is where its order says");
                leaf.remove(at)
            }
            Self::Branch(branch) => make_mut(branch).remove_element(link, target),
        }
    }

    /// Cuts elements out into a node of the same level. Some stay, some go.
    fn cut(&mut self, ranks: Range<usize>) -> Self {
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
    fn append(&mut self, right: Self) {
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

impl Branch {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            firsts: Vec::with_capacity(capacity),
            counts: Vec::with_capacity(capacity),
            nodes: Vec::with_capacity(capacity),
        }
    }

    #[inline]
    const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The first element below a child.
    #[inline]
    fn first(&self, index: usize) -> Item<'_> {
        let First { score, link } = self.firsts[index];
        // SAFETY: the child keeps its first element alive, and `&self` keeps writers away.
        unsafe { Item::new(score, link) }
    }

    /// The child in which a prefix of the order ends.
    #[inline]
    fn child(&self, mut before: impl FnMut(Item<'_>) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if before(self.first(middle)) { low = middle + 1 } else { high = middle }
        }
        low.saturating_sub(1)
    }

    fn insert(&mut self, index: usize, node: Node) {
        self.reserve_one();
        self.firsts.insert(index, node.first());
        self.counts.insert(index, node.count());
        self.nodes.insert(index, node);
    }

    /// Growth by a quarter: branches live long, and doubling would leave a third of them empty.
    fn reserve_one(&mut self) {
        let len = self.len();
        if len == self.nodes.capacity() {
            let more = (len / 4).clamp(2, (BRANCH_LEN_MAX + 1).saturating_sub(len).max(2));
            self.firsts.reserve_exact(more);
            self.counts.reserve_exact(more);
            self.nodes.reserve_exact(more);
        }
    }

    fn remove(&mut self, index: usize) -> Node {
        self.firsts.remove(index);
        self.counts.remove(index);
        self.nodes.remove(index)
    }

    fn insert_element(&mut self, element: Element, edges: Edges) -> Option<Self> {
        let index = self.child(|first| first.order(element.item()).is_lt());
        let new = element.item();
        let first = new.order(self.first(index)).is_lt().then(|| First::from(new));
        let child_edges = edges.of_child(index, self.len());
        let right = self.nodes[index].insert(element, child_edges);
        if let Some(first) = first {
            self.firsts[index] = first;
        }
        self.counts[index] += 1;
        let right = right?;
        self.counts[index] -= right.count();
        self.insert(index + 1, right);
        if self.len() <= BRANCH_LEN_MAX {
            return None;
        }
        // The width is one above the maximum: cutting off the new end leaves a full node.
        let len = self.len();
        let cut = match edges.cut(index + 2, len) {
            cut if cut == len => len - 1,
            _ if edges.first && index == 0 => 1,
            cut => cut,
        };
        let right = Self {
            firsts: self.firsts.split_off(cut),
            counts: self.counts.split_off(cut),
            nodes: self.nodes.split_off(cut),
        };
        self.firsts.shrink_to(cut + cut / 4);
        self.counts.shrink_to(cut + cut / 4);
        self.nodes.shrink_to(cut + cut / 4);
        Some(right)
    }

    fn remove_element(&mut self, link: Link, target: Item<'_>) -> Element {
        let index = self.child(|first| first.order(target).is_le());
        let was_first = self.firsts[index].link == link;
        let element = self.nodes[index].remove(link);
        self.counts[index] -= 1;
        if self.counts[index] == 0 {
            self.remove(index);
            return element;
        }
        if was_first {
            self.firsts[index] = self.nodes[index].first();
        }
        self.rebalance(index);
        element
    }

    /// Cuts elements out: children that are inside the range whole, and parts of those, two at
    /// most, in which it begins and ends.
    fn cut(&mut self, ranks: Range<usize>) -> Self {
        let mut removed = Self::default();
        let (mut index, mut start) = (0, 0);
        while start < ranks.end {
            let count = self.counts[index];
            let part = ranks.start.saturating_sub(start)..(ranks.end - start).min(count);
            if part.len() == count {
                removed.insert(removed.len(), self.remove(index));
            } else {
                if !part.is_empty() {
                    self.counts[index] -= part.len();
                    removed.insert(removed.len(), self.nodes[index].cut(part));
                    self.firsts[index] = self.nodes[index].first();
                }
                index += 1;
            }
            start += count;
        }
        // What the range began and ended in may be thin now; from behind, since merging moves what
        // is behind.
        for at in (index.saturating_sub(2)..=index).rev() {
            if at < self.len() {
                self.rebalance(at);
            }
        }
        removed
    }

    /// Merges a child that is less than half full with a neighbour, if both together leave an
    /// eighth of a node free: room to grow, so that borders do not split and merge in turn.
    fn rebalance(&mut self, index: usize) {
        let (width, max) = (self.nodes[index].width(), self.nodes[index].width_max());
        if width >= max / 2 {
            return;
        }
        let fits = |other: &Node| width + other.width() <= max - max / 8;
        let left = if index > 0 && fits(&self.nodes[index - 1]) {
            index - 1
        } else if index + 1 < self.len() && fits(&self.nodes[index + 1]) {
            index
        } else {
            return;
        };
        let count = self.counts[left + 1];
        let right = self.remove(left + 1);
        self.nodes[left].append(right);
        self.counts[left] += count;
    }
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
