//! The tree of a directory: pages of nodes, counted by nodes and by elements.
//!
//! A B-tree without keys: an item is found by its number. Pages are reference counted and copied
//! when they are changed while shared, so a clone of the whole tree is one count.
//!
//! Invariants: all leaves are equally deep; only the root may be an empty page; the counts of an
//! edge are the sums of its page. A page that shrinks is joined with a neighbour as soon as both
//! fit one page, which keeps pages well filled without the rebalancing rules of textbook B-trees.

use std::ops::{Add, AddAssign, Range};
use std::sync::Arc;

use super::node::Node;
use crate::unique::make_mut;

/// How many nodes or pages a page holds at most.
pub(super) const FANOUT: usize = 32;
pub(super) const IN_RANGE: &str = "the number of a node is below the number of nodes";

/// How much is behind an edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) nodes: usize,
    pub(super) elements: usize,
}

impl Add for Span {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { nodes: self.nodes + other.nodes, elements: self.elements + other.elements }
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// A page of the tree.
#[derive(Clone, Debug)]
pub(super) enum Page {
    Leaf(Arc<Vec<Node>>),
    Branch(Arc<Vec<Edge>>),
}

/// A page and how much it holds.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) span: Span,
    pub(super) page: Page,
}

impl Default for Edge {
    fn default() -> Self {
        Self::leaf(Vec::new())
    }
}

impl Edge {
    fn leaf(nodes: Vec<Node>) -> Self {
        let elements = nodes.iter().map(Node::count).sum();
        let span = Span { nodes: nodes.len(), elements };
        Self { span, page: Page::Leaf(Arc::new(nodes)) }
    }

    fn branch(edges: Vec<Self>) -> Self {
        let span = edges.iter().fold(Span::default(), |sum, edge| sum + edge.span);
        Self { span, page: Page::Branch(Arc::new(edges)) }
    }

    pub(super) fn get(&self, index: usize) -> &Node {
        let (mut edge, mut index) = (self, index);
        loop {
            match &edge.page {
                Page::Leaf(nodes) => return &nodes[index],
                Page::Branch(edges) => {
                    let child = descend(edges, &mut index, |span| span.nodes);
                    edge = &edges[child];
                }
            }
        }
    }

    /// As [`Directory::locate`], for an element that is there.
    pub(super) fn locate(&self, element: usize) -> (usize, usize) {
        let (mut edge, mut element, mut index) = (self, element, 0);
        loop {
            match &edge.page {
                Page::Leaf(nodes) => {
                    for node in nodes.iter() {
                        match element.checked_sub(node.count()) {
                            Some(rest) => element = rest,
                            None => break,
                        }
                        index += 1;
                    }
                    return (index, element);
                }
                Page::Branch(edges) => {
                    let child = descend(edges, &mut element, |span| span.elements);
                    index += edges[..child].iter().map(|edge| edge.span.nodes).sum::<usize>();
                    edge = &edges[child];
                }
            }
        }
    }

    pub(super) fn update<R>(&mut self, index: usize, change: impl FnOnce(&mut Node) -> R) -> R {
        let (result, before, after) = match &mut self.page {
            Page::Leaf(nodes) => {
                let node = &mut make_mut(nodes)[index];
                let before = node.count();
                (change(node), before, node.count())
            }
            Page::Branch(edges) => {
                let mut index = index;
                let child = descend(edges, &mut index, |span| span.nodes);
                let edge = &mut make_mut(edges)[child];
                let before = edge.span.elements;
                (edge.update(index, change), before, edge.span.elements)
            }
        };
        self.span.elements = self.span.elements - before + after;
        result
    }

    /// Adds a node to the whole tree, which gets a new root when the old one is split.
    pub(super) fn insert_at_root(&mut self, index: usize, node: Node) {
        if let Some(right) = self.insert(index, node) {
            let left = std::mem::take(self);
            *self = Self::branch(vec![left, right]);
        }
    }

    /// Adds a node; returns the right half of the page if it had to be split.
    fn insert(&mut self, index: usize, node: Node) -> Option<Self> {
        self.span += Span { nodes: 1, elements: node.count() };
        let right = match &mut self.page {
            Page::Leaf(nodes) => {
                let nodes = make_mut(nodes);
                nodes.insert(index, node);
                Self::leaf(split(nodes, index)?)
            }
            Page::Branch(edges) => {
                let mut index = index;
                let child = gap(edges, &mut index);
                let edges = make_mut(edges);
                let right = edges[child].insert(index, node)?;
                edges.insert(child + 1, right);
                Self::branch(split(edges, child + 1)?)
            }
        };
        self.span.nodes -= right.span.nodes;
        self.span.elements -= right.span.elements;
        Some(right)
    }

    /// Removes a node from the whole tree.
    pub(super) fn remove_at_root(&mut self, index: usize) -> Node {
        let node = self.remove(index);
        self.lower_root();
        node
    }

    /// Takes away roots that have one page below only.
    fn lower_root(&mut self) {
        while let Page::Branch(edges) = &self.page
            && let [only] = &edges[..]
        {
            *self = only.clone();
        }
    }

    /// Removes nodes from the whole tree; the pages that they fill go as they are.
    pub(super) fn remove_range_at_root(&mut self, range: Range<usize>, removed: &mut Vec<Self>) {
        if range.is_empty() {
            return;
        }
        if range.len() == self.span.nodes {
            removed.push(std::mem::take(self));
            return;
        }
        self.remove_range(range, removed);
        self.lower_root();
    }

    /// Removes some nodes, not all, of a page.
    fn remove_range(&mut self, range: Range<usize>, removed: &mut Vec<Self>) {
        match &mut self.page {
            Page::Leaf(nodes) => {
                let gone = Self::leaf(make_mut(nodes).drain(range).collect());
                self.span.nodes -= gone.span.nodes;
                self.span.elements -= gone.span.elements;
                removed.push(gone);
            }
            Page::Branch(edges) => {
                let edges = make_mut(edges);
                let cut = remove_from_branch(edges, range, removed);
                // At most two pages have lost a part, one beside the other.
                for child in [cut + 1, cut] {
                    if child < edges.len() {
                        tidy(edges, child);
                    }
                }
                self.span = edges.iter().fold(Span::default(), |sum, edge| sum + edge.span);
            }
        }
    }

    fn remove(&mut self, index: usize) -> Node {
        let node = match &mut self.page {
            Page::Leaf(nodes) => make_mut(nodes).remove(index),
            Page::Branch(edges) => {
                let mut index = index;
                let child = descend(edges, &mut index, |span| span.nodes);
                let edges = make_mut(edges);
                let node = edges[child].remove(index);
                tidy(edges, child);
                node
            }
        };
        self.span.nodes -= 1;
        self.span.elements -= node.count();
        node
    }

    /// How many nodes or pages the page holds.
    fn fill(&self) -> usize {
        match &self.page {
            Page::Leaf(nodes) => nodes.len(),
            Page::Branch(edges) => edges.len(),
        }
    }

    /// Adds what the page `right` behind this one, equally deep, holds.
    fn join(&mut self, right: Self) {
        self.span += right.span;
        match (&mut self.page, right.page) {
            (Page::Leaf(left), Page::Leaf(right)) => {
                make_mut(left).extend(Arc::unwrap_or_clone(right));
            }
            (Page::Branch(left), Page::Branch(right)) => {
                make_mut(left).extend(Arc::unwrap_or_clone(right));
            }
            _ => unreachable!("all leaves are equally deep"),
        }
    }
}

/// The edge that leads to the item with the number `index`, which becomes its number behind the
/// edge; `count` says what is counted.
fn descend(edges: &[Edge], index: &mut usize, count: impl Fn(Span) -> usize) -> usize {
    edges
        .iter()
        .position(|edge| match index.checked_sub(count(edge.span)) {
            Some(rest) => {
                *index = rest;
                false
            }
            None => true,
        })
        .expect(IN_RANGE)
}

/// As [`descend`] for the place of a new node, which may be behind the last one of an edge.
fn gap(edges: &[Edge], index: &mut usize) -> usize {
    let last = edges.len() - 1;
    for (child, edge) in edges.iter().enumerate() {
        if *index <= edge.span.nodes || child == last {
            return child;
        }
        *index -= edge.span.nodes;
    }
    last
}

/// Removes the nodes `range` behind these edges: whole edges where they are all gone. Returns where
/// the cut is.
fn remove_from_branch(
    edges: &mut Vec<Edge>,
    range: Range<usize>,
    removed: &mut Vec<Edge>,
) -> usize {
    let (mut child, mut first, mut cut) = (0, 0, None);
    while child < edges.len() && first < range.end {
        let nodes = edges[child].span.nodes;
        let from = range.start.saturating_sub(first).min(nodes);
        let part = from..(range.end - first).min(nodes);
        first += nodes;
        if part.is_empty() {
            child += 1;
        } else if part.len() == nodes {
            cut = cut.or(Some(child.saturating_sub(1)));
            removed.push(edges.remove(child));
        } else {
            cut = cut.or(Some(child));
            edges[child].remove_range(part, removed);
            child += 1;
        }
    }
    cut.unwrap_or(0)
}

/// Cuts the right part off a page that has got too large by its item with the number `added`.
///
/// In the middle, unless the new item is at an end: pages filled from one end stay full.
fn split<T>(page: &mut Vec<T>, added: usize) -> Option<Vec<T>> {
    if page.len() <= FANOUT {
        return None;
    }
    let at = match added {
        0 => 1,
        added if added == FANOUT => FANOUT,
        _ => page.len() / 2,
    };
    Some(page.split_off(at))
}

/// Restores the invariants of a branch after its page with the number `child` has shrunk.
fn tidy(edges: &mut Vec<Edge>, child: usize) {
    let fill = edges[child].fill();
    if fill == 0 {
        edges.remove(child);
        return;
    }
    let fits = |neighbour: &Edge| fill + neighbour.fill() <= FANOUT;
    let left = if child > 0 && fits(&edges[child - 1]) {
        child - 1
    } else if edges.get(child + 1).is_some_and(fits) {
        child
    } else {
        return;
    };
    let right = edges.remove(left + 1);
    edges[left].join(right);
}

#[cfg(test)]
impl Edge {
    /// Checks the page and those below, and returns how many levels there are.
    pub(super) fn check(&self, root: bool) -> usize {
        assert!(root || self.fill() > 0);
        assert!(self.fill() <= FANOUT);
        match &self.page {
            Page::Leaf(nodes) => {
                let elements = nodes.iter().map(Node::count).sum();
                assert_eq!(self.span, Span { nodes: nodes.len(), elements });
                1
            }
            Page::Branch(edges) => {
                assert!(!root || edges.len() > 1);
                let levels: Vec<_> = edges.iter().map(|edge| edge.check(false)).collect();
                assert!(levels.iter().all(|&level| level == levels[0]));
                let sum = edges.iter().fold(Span::default(), |sum, edge| sum + edge.span);
                assert_eq!(self.span, sum);
                levels[0] + 1
            }
        }
    }
}
