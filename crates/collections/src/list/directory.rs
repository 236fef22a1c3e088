//! The directory of a long list: its nodes in order, found by number or by element.
//!
//! ```text
//!            front   middle: a counted B-tree                           back
//!           ┌──────┐ ┌───────────────────────────────────────────────┐ ┌──────┐
//!   root    │ node │ │  (nodes, elements) (nodes, elements) ...      │ │ node │
//!           └──────┘ └───────┬──────────────────┬────────────────────┘ └──────┘
//!                       ┌────┴────┐        ┌────┴────┐
//!   leaves              │ node .. │        │ node .. │   up to FANOUT nodes each
//!                       └─────────┘        └─────────┘
//! ```
//!
//! Lists are used at their ends. So the two outer nodes stand beside the tree: a push or a pop
//! touches neither tree nor counts, except once for each node that is filled or emptied. Every
//! edge of the tree carries how many nodes and elements are behind it: any index is O(log n).
//!
//! Pages are reference counted and copied when changed while shared (law 3): after a clone, the
//! first change at some place copies the pages above it, a few kilobytes whatever the length.
//!
//! Invariants: without a front node there is no middle, without a back node neither. Those of the
//! tree are in [`tree`](super::tree).

use std::ops::Range;

use super::End;
use super::node::Node;
use super::tree::{Edge, IN_RANGE};
use crate::Pieces;

/// Nodes that a list has lost, still in their pages: taking them out is quick, and freeing them
/// can be left to somebody with time.
#[derive(Debug, Default)]
pub struct Removed {
    nodes: Vec<Node>,
    pages: Vec<Edge>,
}

impl Removed {
    /// Takes one node more.
    pub(super) fn add(&mut self, node: Node) {
        self.nodes.push(node);
    }
}

impl Pieces for Removed {
    fn pieces(&self) -> usize {
        self.nodes.len() + self.pages.iter().map(|edge| edge.span.nodes).sum::<usize>()
    }
}

/// The nodes of a list in order; see the module page. A clone is O(1).
#[derive(Clone, Debug, Default)]
pub(super) struct Directory {
    front: Option<Node>,
    middle: Edge,
    back: Option<Node>,
}

impl Directory {
    /// How many nodes there are.
    pub(super) fn nodes(&self) -> usize {
        usize::from(self.front.is_some())
            + self.middle.span.nodes
            + usize::from(self.back.is_some())
    }

    /// How many elements all nodes have.
    #[inline]
    pub(super) fn elements(&self) -> usize {
        let count = |node: &Option<Node>| node.as_ref().map_or(0, Node::count);
        count(&self.front) + self.middle.span.elements + count(&self.back)
    }

    /// The node with the number `index`.
    ///
    /// # Panics
    /// If there are not that many. So for all that take such a number.
    pub(super) fn get(&self, index: usize) -> &Node {
        match self.place(index) {
            Place::Front => self.front.as_ref().expect(IN_RANGE),
            Place::Middle(index) => self.middle.get(index),
            Place::Back => self.back.as_ref().expect(IN_RANGE),
        }
    }

    /// Changes the node with the number `index` in place.
    pub(super) fn update<R>(&mut self, index: usize, change: impl FnOnce(&mut Node) -> R) -> R {
        match self.place(index) {
            Place::Front => change(self.front.as_mut().expect(IN_RANGE)),
            Place::Middle(index) => self.middle.update(index, change),
            Place::Back => change(self.back.as_mut().expect(IN_RANGE)),
        }
    }

    /// The outer node of an end, to be changed in place.
    pub(super) fn end_mut(&mut self, end: End) -> Option<&mut Node> {
        match end {
            End::Back if self.back.is_some() => self.back.as_mut(),
            _ => self.front.as_mut(),
        }
    }

    /// The node that has the element with the number `element`, and which one of its elements that
    /// is; none if there are not that many.
    pub(super) fn locate(&self, element: usize) -> Option<(usize, usize)> {
        let front = self.front.as_ref()?;
        let Some(behind_front) = element.checked_sub(front.count()) else {
            return Some((0, element));
        };
        match behind_front.checked_sub(self.middle.span.elements) {
            None => {
                let (index, offset) = self.middle.locate(behind_front);
                Some((1 + index, offset))
            }
            Some(offset) if offset < self.back.as_ref()?.count() => {
                Some((1 + self.middle.span.nodes, offset))
            }
            Some(_) => None,
        }
    }

    /// Adds a node at an end.
    pub(super) fn push(&mut self, end: End, node: Node) {
        let Some(front) = &mut self.front else {
            self.front = Some(node);
            return;
        };
        let inner = match (end, &mut self.back) {
            (End::Back, None) => return self.back = Some(node),
            (End::Front, None) => {
                self.back = self.front.replace(node);
                return;
            }
            (End::Front, Some(_)) => std::mem::replace(front, node),
            (End::Back, Some(back)) => std::mem::replace(back, node),
        };
        let index = if end == End::Front { 0 } else { self.middle.span.nodes };
        self.middle.insert_at_root(index, inner);
    }

    /// Removes the outer node of an end.
    pub(super) fn pop(&mut self, end: End) -> Option<Node> {
        let last = self.middle.span.nodes.checked_sub(1);
        if end == End::Back && self.back.is_some() {
            let next = last.map(|last| self.middle.remove_at_root(last));
            return std::mem::replace(&mut self.back, next);
        }
        let next = match last {
            Some(_) => Some(self.middle.remove_at_root(0)),
            None => self.back.take(),
        };
        std::mem::replace(&mut self.front, next)
    }

    /// Adds a node, which gets the number `index`, at most the number of nodes.
    pub(super) fn insert(&mut self, index: usize, node: Node) {
        let nodes = self.nodes();
        if index == 0 {
            self.push(End::Front, node);
        } else if index == nodes {
            self.push(End::Back, node);
        } else {
            self.middle.insert_at_root(index - 1, node);
        }
    }

    /// Removes the node with the number `index`.
    pub(super) fn remove(&mut self, index: usize) -> Node {
        match self.place(index) {
            Place::Front => self.pop(End::Front).expect(IN_RANGE),
            Place::Middle(index) => self.middle.remove_at_root(index),
            Place::Back => self.pop(End::Back).expect(IN_RANGE),
        }
    }

    /// Removes the nodes with the numbers `range`, whole pages at once where it can: O(log n).
    pub(super) fn remove_range(&mut self, range: Range<usize>, removed: &mut Removed) {
        let nodes = self.nodes();
        debug_assert!(range.end <= nodes);
        if range.is_empty() {
            return;
        }
        if nodes == 1 {
            removed.nodes.extend(self.pop(End::Front));
            return;
        }
        let middle = self.middle.span.nodes;
        let inner = range.start.saturating_sub(1)..(range.end - 1).min(middle);
        self.middle.remove_range_at_root(inner, &mut removed.pages);
        // The ends last: they are filled up from the middle.
        if range.end == nodes {
            removed.nodes.extend(self.pop(End::Back));
        }
        if range.start == 0 {
            removed.nodes.extend(self.pop(End::Front));
        }
    }

    fn place(&self, index: usize) -> Place {
        match index.checked_sub(1) {
            None => Place::Front,
            Some(index) if index < self.middle.span.nodes => Place::Middle(index),
            Some(_) => Place::Back,
        }
    }
}

/// Where a node stands.
enum Place {
    Front,
    /// With its number in the tree.
    Middle(usize),
    Back,
}

#[cfg(test)]
impl Directory {
    /// Checks every invariant of the module page.
    pub(super) fn check(&self) {
        if self.front.is_none() || self.back.is_none() {
            assert_eq!(self.middle.span.nodes, 0);
            assert!(self.back.is_none(), "a single node stands in front");
        }
        self.middle.check(true);
    }
}

#[cfg(test)]
mod tests {
    use stdx::rng::Rng;

    use super::super::tree::{FANOUT, Page};
    use super::*;

    fn node(name: u64) -> Node {
        Node::packed_of(format!("node:{name}").as_bytes())
    }

    fn name(node: &Node) -> Vec<u8> {
        let mut text = Vec::new();
        let _ = node.visit(0, End::Front, |item| {
            item.write_text(&mut text);
            std::ops::ControlFlow::Break(())
        });
        text
    }

    #[test]
    fn agrees_with_a_vector_and_clones_stay_as_they_were() {
        let seed = std::env::var("FERRITE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(11);
        println!("seed {seed}; replay: FERRITE_SEED={seed} cargo test -p collections directory");
        let mut rng = Rng::seed(seed);
        let (mut directory, mut model) = (Directory::default(), Vec::new());
        let mut frozen: Vec<(Directory, Vec<u64>)> = Vec::new();
        for step in 0..60_000u64 {
            // Phases of growth and of shrinking, so that the tree gets and loses levels.
            let growing = step / 7_500 % 2 == 0;
            let index = rng.index(model.len() + 1);
            let end = if rng.chance(1, 2) { End::Front } else { End::Back };
            if rng.chance(if growing { 3 } else { 1 }, 4) {
                let at = match (rng.chance(1, 3), end) {
                    (true, _) => index,
                    (false, End::Front) => 0,
                    (false, End::Back) => model.len(),
                };
                directory.insert(at, node(step));
                model.insert(at, step);
            } else if rng.chance(1, if growing { 2_000 } else { 20 }) {
                let end = index + rng.index((model.len() - index).min(400) + 1);
                let mut removed = Removed::default();
                directory.remove_range(index..end, &mut removed);
                assert_eq!(removed.pieces(), model.drain(index..end).count());
            } else if rng.chance(1, 3) && index < model.len() {
                assert_eq!(name(&directory.remove(index)), name(&node(model.remove(index))));
            } else {
                let popped = match end {
                    End::Front => (!model.is_empty()).then(|| model.remove(0)),
                    End::Back => model.pop(),
                };
                assert_eq!(directory.pop(end).map(|n| name(&n)), popped.map(|p| name(&node(p))));
            }
            assert_eq!((directory.nodes(), directory.elements()), (model.len(), model.len()));
            if index < model.len() {
                assert_eq!(name(directory.get(index)), name(&node(model[index])));
                assert_eq!(directory.locate(index), Some((index, 0)));
            }
            if step % 97 == 0 {
                directory.check();
            }
            if step % 997 == 0 {
                frozen.push((directory.clone(), model.clone()));
            }
        }
        for (directory, model) in frozen {
            directory.check();
            assert_eq!(directory.locate(model.len()), None);
            for (index, &expected) in model.iter().enumerate() {
                assert_eq!(name(directory.get(index)), name(&node(expected)));
            }
        }
    }

    #[test]
    fn pages_that_are_filled_from_one_end_are_full() {
        for end in [End::Front, End::Back] {
            let mut directory = Directory::default();
            (0..10_000).for_each(|name| directory.push(end, node(name)));
            directory.check();
            let mut leaves = 0;
            let mut todo = vec![&directory.middle];
            while let Some(edge) = todo.pop() {
                match &edge.page {
                    Page::Leaf(_) => leaves += 1,
                    Page::Branch(edges) => todo.extend(edges.iter()),
                }
            }
            assert!(leaves <= 10_000 / FANOUT + 1, "{leaves} leaves");
        }
    }
}
