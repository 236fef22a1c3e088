//! Walking a range of ranks, from both ends.
//!
//! Each end stands in a leaf; at its border it descends from the root again, which costs a few
//! dozen comparisons of counts for some sixty elements and needs no stack of parents.

use super::element::Item;
use super::leaf::Leaf;
use super::tree::Tree;

/// How many elements ahead memory is asked for.
const PREFETCH_AHEAD: usize = 6;

/// Elements of a range of ranks in order; see [`super::Ordered::range`].
pub struct Iter<'a> {
    tree: &'a Tree,
    /// The next rank from the front, and the one behind the next from the back.
    front: usize,
    back: usize,
    /// The leaf of each end with the rank of its first element.
    front_leaf: Option<(&'a Leaf, usize)>,
    back_leaf: Option<(&'a Leaf, usize)>,
}

impl<'a> Iter<'a> {
    pub(super) const fn new(tree: &'a Tree, front: usize, back: usize) -> Self {
        Self { tree, front, back, front_leaf: None, back_leaf: None }
    }

    /// Everything from the first element on that does not fulfil `before`.
    pub(super) fn starting(tree: &'a Tree, before: impl FnMut(Item<'_>) -> bool) -> Self {
        let (front, leaf, start) = tree.partition_point(before);
        Self { front_leaf: Some((leaf, start)), ..Self::new(tree, front, tree.len()) }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        if self.front >= self.back {
            return None;
        }
        let (leaf, start) = match self.front_leaf {
            Some((leaf, start)) if self.front - start < leaf.len() => (leaf, start),
            _ => {
                let (leaf, start) = self.tree.leaf_at(self.front);
                let at = self.front - start;
                let wanted = PREFETCH_AHEAD.min(self.back - self.front);
                (at..at + wanted).for_each(|at| leaf.prefetch(at));
                self.front_leaf = Some((leaf, start));
                (leaf, start)
            }
        };
        let at = self.front - start;
        if self.front + PREFETCH_AHEAD < self.back {
            leaf.prefetch(at + PREFETCH_AHEAD);
        }
        self.front += 1;
        Some(leaf.item(at))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.back.saturating_sub(self.front);
        (left, Some(left))
    }

    fn nth(&mut self, skip: usize) -> Option<Item<'a>> {
        self.front = self.front.saturating_add(skip).min(self.back);
        self.front_leaf = self.front_leaf.filter(|&(leaf, start)| self.front < start + leaf.len());
        self.next()
    }
}

impl<'a> DoubleEndedIterator for Iter<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<Item<'a>> {
        if self.front >= self.back {
            return None;
        }
        let rank = self.back - 1;
        let (leaf, start) = match self.back_leaf {
            Some((leaf, start)) if rank >= start => (leaf, start),
            _ => {
                let (leaf, start) = self.tree.leaf_at(rank);
                let at = rank - start;
                let wanted = PREFETCH_AHEAD.min(self.back - self.front);
                ((at + 1).saturating_sub(wanted)..=at).for_each(|at| leaf.prefetch(at));
                self.back_leaf = Some((leaf, start));
                (leaf, start)
            }
        };
        let at = rank - start;
        if at >= PREFETCH_AHEAD && rank >= self.front + PREFETCH_AHEAD {
            leaf.prefetch(at - PREFETCH_AHEAD);
        }
        self.back = rank;
        Some(leaf.item(at))
    }
}

impl ExactSizeIterator for Iter<'_> {}
