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
//! touches neither tree nor counts, except once for each node that is filled or emptied. Every edge
//! of the tree carries how many nodes and elements are behind it, which makes any index O(log n).
//!
//! Pages are reference counted and copied when changed while shared (law 3): after a clone, the
//! first change at some place copies the pages above it, a few kilobytes whatever the length.
//!
//! Invariants: all leaves are equally deep; only the root may be an empty page; the counts of an
//! edge are the sums of its page; without a front node there is no middle, without a back node
//! neither. A page that shrinks is joined with a neighbour as soon as both fit one page, which keeps
//! pages well filled without the rebalancing rules of textbook B-trees.

use std::ops::{Add, AddAssign, Range};
use std::sync::Arc;

use super::End;
use super::node::Node;

/// How many nodes or pages a page holds at most.
const FANOUT: usize = 32;
const IN_RANGE: &str = "the number of a node is below the number of nodes";

/// How much is behind an edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Span {
    nodes: usize,
    elements: usize,
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

/// Nodes that a list has lost, still in their pages: taking them out is quick, and freeing them
/// can be left to somebody with time.
#[derive(Debug, Default)]
pub struct Removed {
    nodes: Vec<Node>,
    pages: Vec<Edge>,
}

impl Removed {
    /// About how many allocations dropping it frees.
    #[must_use]
    pub fn pieces(&self) -> usize {
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

/// A page of the tree.
#[derive(Clone, Debug)]
enum Page {
    Leaf(Arc<Vec<Node>>),
    Branch(Arc<Vec<Edge>>),
}

/// A page and how much it holds.
#[derive(Clone, Debug)]
struct Edge {
    span: Span,
    page: Page,
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

    fn get(&self, index: usize) -> &Node {
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
    fn locate(&self, element: usize) -> (usize, usize) {
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

    fn update<R>(&mut self, index: usize, change: impl FnOnce(&mut Node) -> R) -> R {
        let (result, before, after) = match &mut self.page {
            Page::Leaf(nodes) => {
                let node = &mut Arc::make_mut(nodes)[index];
                let before = node.count();
                (change(node), before, node.count())
            }
            Page::Branch(edges) => {
                let mut index = index;
                let child = descend(edges, &mut index, |span| span.nodes);
                let edge = &mut Arc::make_mut(edges)[child];
                let before = edge.span.elements;
                (edge.update(index, change), before, edge.span.elements)
            }
        };
        self.span.elements = self.span.elements - before + after;
        result
    }

    /// Adds a node to the whole tree, which gets a new root when the old one is split.
    fn insert_at_root(&mut self, index: usize, node: Node) {
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
                let nodes = Arc::make_mut(nodes);
                nodes.insert(index, node);
                Self::leaf(split(nodes, index)?)
            }
            Page::Branch(edges) => {
                let mut index = index;
                let child = gap(edges, &mut index);
                let edges = Arc::make_mut(edges);
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
    fn remove_at_root(&mut self, index: usize) -> Node {
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
    fn remove_range_at_root(&mut self, range: Range<usize>, removed: &mut Vec<Self>) {
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
                let gone = Self::leaf(Arc::make_mut(nodes).drain(range).collect());
                self.span.nodes -= gone.span.nodes;
                self.span.elements -= gone.span.elements;
                removed.push(gone);
            }
            Page::Branch(edges) => {
                let edges = Arc::make_mut(edges);
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
            Page::Leaf(nodes) => Arc::make_mut(nodes).remove(index),
            Page::Branch(edges) => {
                let mut index = index;
                let child = descend(edges, &mut index, |span| span.nodes);
                let edges = Arc::make_mut(edges);
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
                Arc::make_mut(left).extend(Arc::unwrap_or_clone(right));
            }
            (Page::Branch(left), Page::Branch(right)) => {
                Arc::make_mut(left).extend(Arc::unwrap_or_clone(right));
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
impl Directory {
    /// Checks every invariant of the module page.
    pub(super) fn check(&self) {
        if self.front.is_none() || self.back.is_none() {
            assert_eq!(self.middle.span, Span::default());
            assert!(self.back.is_none(), "a single node stands in front");
        }
        self.middle.check(true);
    }
}

#[cfg(test)]
impl Edge {
    /// Checks the page and those below, and returns how many levels there are.
    fn check(&self, root: bool) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;
    use stdx::rng::Rng;

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
