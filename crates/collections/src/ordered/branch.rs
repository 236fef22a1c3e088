//! An inner node of the tree: for each child, how many elements are below it and the first of them.

use std::ops::Range;

use super::element::{Element, Item, Link};
use super::tree::{Edges, Node, Taken};

/// Children of the widest branch.
pub(super) const BRANCH_LEN_MAX: usize = 64;

/// The first element below a child; that child keeps it alive.
#[derive(Clone, Copy)]
pub(super) struct First {
    pub(super) score: f64,
    pub(super) link: Link,
}

impl From<Item<'_>> for First {
    fn from(item: Item<'_>) -> Self {
        Self { score: item.score(), link: item.link() }
    }
}

/// An inner node; the three vectors have one entry for each child.
#[derive(Clone, Default)]
pub(super) struct Branch {
    pub(super) firsts: Vec<First>,
    pub(super) counts: Vec<usize>,
    pub(super) nodes: Vec<Node>,
}

impl Branch {
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self {
            firsts: Vec::with_capacity(capacity),
            counts: Vec::with_capacity(capacity),
            nodes: Vec::with_capacity(capacity),
        }
    }

    #[inline]
    pub(super) const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The first element below a child.
    #[inline]
    pub(super) fn first(&self, index: usize) -> Item<'_> {
        let First { score, link } = self.firsts[index];
        // SAFETY: the child keeps its first element alive, and `&self` keeps writers away.
        unsafe { Item::new(score, link) }
    }

    /// The child in which a prefix of the order ends.
    #[inline]
    pub(super) fn child(&self, mut before: impl FnMut(Item<'_>) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if before(self.first(middle)) { low = middle + 1 } else { high = middle }
        }
        low.saturating_sub(1)
    }

    pub(super) fn insert(&mut self, index: usize, node: Node) {
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

    pub(super) fn insert_element(&mut self, element: Element, edges: Edges) -> Option<Self> {
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

    pub(super) fn take_element(&mut self, link: Link, score: Option<f64>) -> Taken {
        // SAFETY: the element itself says where to look. It is alive and keeps its score, since the
        // tree owns it and is held mutably.
        let target = unsafe { link.item() };
        let index = self.child(|first| first.order(target).is_le());
        self.nodes[index].prefetch();
        let was_first = self.firsts[index].link == link;
        let stays = score.filter(|&score| self.is_below(index, score));
        let taken = self.nodes[index].take(link, stays);
        if let Taken::Out(_) = taken {
            self.counts[index] -= 1;
            if self.counts[index] == 0 {
                self.remove(index);
                return taken;
            }
        }
        if was_first {
            self.firsts[index] = self.nodes[index].first();
        }
        if let Taken::Out(_) = taken {
            self.rebalance(index);
        }
        taken
    }

    /// Whether a score belongs below a child, if it belongs below this branch at all, and not in
    /// front of what is the first there.
    fn is_below(&self, index: usize, score: f64) -> bool {
        let next = self.firsts.get(index + 1);
        self.firsts[index].score < score && next.is_none_or(|next| score < next.score)
    }

    /// Cuts elements out: children that are inside the range whole, and parts of those, two at
    /// most, in which it begins and ends.
    pub(super) fn cut(&mut self, ranks: Range<usize>) -> Self {
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
