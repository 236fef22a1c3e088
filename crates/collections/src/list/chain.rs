//! A long list: nodes of packed elements, and how they are filled, split, joined and compressed.
//!
//! The nodes follow the rules of the quicklists that users of Redis know, because the parameters
//! speak of them: a node is filled up to the limit, an element that would exceed it goes into a
//! neighbour with room or splits the node, and nodes beside a split are joined when they fit.

use std::ops::ControlFlow;

use super::directory::{Directory, Removed};
use super::node::Node;
use super::{End, Limits};
use crate::listpack::{Item, Listpack, Needle};

const COUNTED: &str = "the number of an element is below the number of elements";

/// See the module page. A clone is O(1).
#[derive(Clone, Debug, Default)]
pub(super) struct Chain {
    directory: Directory,
}

impl From<Listpack> for Chain {
    /// The first node gets all elements, whatever their number.
    fn from(listpack: Listpack) -> Self {
        let mut directory = Directory::default();
        if !listpack.is_empty() {
            directory.push(End::Front, Node::packed(listpack));
        }
        Self { directory }
    }
}

impl Chain {
    /// How many elements there are.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.directory.elements()
    }

    /// How many nodes there are.
    pub(super) fn nodes(&self) -> usize {
        self.directory.nodes()
    }

    /// The bytes of memory behind the nodes.
    pub(super) fn allocated_bytes(&self) -> usize {
        let node = |index| size_of::<Node>() + self.directory.get(index).allocated_bytes();
        (0..self.nodes()).map(node).sum()
    }

    /// The node with the number `index`, if there are so many.
    pub(super) fn node(&self, index: usize) -> Option<&Node> {
        (index < self.nodes()).then(|| self.directory.get(index))
    }

    /// Adds a node behind the last one, as it is.
    pub(super) fn push_node(&mut self, node: Node) {
        self.directory.push(End::Back, node);
    }

    /// Brings every node into the form that its place asks for.
    pub(super) fn compress_all(&mut self, limits: Limits) {
        if limits.compress_depth != 0 {
            (0..self.nodes()).for_each(|index| self.set_compression(index, limits));
        }
    }

    /// The elements as one listpack, if there is one node and it is not too large.
    pub(super) fn sole_listpack(&self, limits: Limits) -> Option<Listpack> {
        let node = self.node(0).filter(|_| self.nodes() == 1)?;
        let listpack = node.listpack()?;
        (!limits.exceeded_by(node.bytes(), node.count())).then(|| listpack.into_owned())
    }

    /// The elements as one listpack, if there is one node and it is small enough to be kept so.
    pub(super) fn to_listpack(&self, limits: Limits) -> Option<Listpack> {
        if self.nodes() != 1 {
            return None;
        }
        let node = self.directory.get(0);
        let listpack = node.listpack()?;
        limits.is_halved_by(node.bytes(), node.count()).then(|| listpack.into_owned())
    }

    /// Adds an element at an end.
    #[inline]
    pub(super) fn push(&mut self, end: End, element: &[u8], limits: Limits) {
        if let Some(node) = self.directory.end_mut(end) {
            if node.accepts(element.len(), limits) {
                return node.push(end, element);
            }
            node.trim_slack();
        }
        self.directory.push(end, Node::new(element, limits));
        let added = if end == End::Front { 0 } else { self.nodes() - 1 };
        self.compress_around(added, limits);
    }

    /// Removes the element at an end and shows it.
    #[inline]
    pub(super) fn pop<R>(
        &mut self,
        end: End,
        limits: Limits,
        show: impl FnOnce(Item<'_>) -> R,
    ) -> Option<R> {
        let node = self.directory.end_mut(end)?;
        if node.count() > 1 {
            return node.pop(end, show);
        }
        let node = self.directory.pop(end)?;
        let mut show = Some(show);
        let shown = node
            .visit(0, End::Front, |item| ControlFlow::Break(show.take().map(|show| show(item))));
        let outer = if end == End::Front { 0 } else { self.nodes().saturating_sub(1) };
        self.compress_around(outer, limits);
        shown.break_value().flatten()
    }

    /// Shows the elements from the one with the number `from` on towards the end opposite to
    /// `start`, until `visit` has enough.
    pub(super) fn visit<B>(
        &self,
        from: usize,
        start: End,
        visit: &mut dyn FnMut(Item<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let Some((mut index, mut offset)) = self.directory.locate(from) else {
            return ControlFlow::Continue(());
        };
        loop {
            self.directory.get(index).visit(offset, start, &mut *visit)?;
            match start {
                End::Front => {
                    index += 1;
                    if index == self.nodes() {
                        return ControlFlow::Continue(());
                    }
                    offset = 0;
                }
                End::Back => {
                    let Some(before) = index.checked_sub(1) else {
                        return ControlFlow::Continue(());
                    };
                    index = before;
                    offset = self.directory.get(index).count() - 1;
                }
            }
        }
    }

    /// Adds an element beside the one with the number `at`: in front of it or behind it.
    pub(super) fn insert(&mut self, at: usize, side: End, element: &[u8], limits: Limits) {
        let (index, offset) = self.directory.locate(at).expect(COUNTED);
        let node = self.directory.get(index);
        let count = node.count();
        // How many elements of the node stand before the new one.
        let before = offset + usize::from(side == End::Back);
        if node.accepts(element.len(), limits) {
            self.directory.update(index, |node| {
                node.change(|listpack| insert_listpack(listpack, before, element));
            });
            return self.compress_around(index, limits);
        }
        match before {
            0 => self.insert_between(index, element, limits),
            before if before == count => self.insert_between(index + 1, element, limits),
            before => {
                let right = self.directory.update(index, |node| node.split_off(before));
                self.directory.insert(index + 1, right);
                self.insert_between(index + 1, element, limits);
                self.join_around(index, limits);
            }
        }
    }

    /// Adds an element in front of the node with the number `index`: into one of the two nodes
    /// there if it has room, else as a node of its own.
    fn insert_between(&mut self, index: usize, element: &[u8], limits: Limits) {
        let accepts = |index: &usize| self.directory.get(*index).accepts(element.len(), limits);
        let left = index.checked_sub(1).filter(accepts);
        let right = Some(index).filter(|&index| index < self.nodes()).filter(accepts);
        let touched = if let Some(left) = left {
            self.directory.update(left, |node| node.push(End::Back, element));
            left
        } else if let Some(right) = right {
            self.directory.update(right, |node| node.push(End::Front, element));
            right
        } else {
            self.directory.insert(index, Node::new(element, limits));
            index
        };
        self.compress_around(touched, limits);
    }

    /// Replaces the element with the number `at`.
    pub(super) fn set(&mut self, at: usize, element: &[u8], limits: Limits) {
        let (index, offset) = self.directory.locate(at).expect(COUNTED);
        let node = self.directory.get(index);
        if node.count() == 1 {
            self.directory.update(index, |node| *node = Node::new(element, limits));
        } else if node.fits_replaced(element.len(), limits) {
            self.directory.update(index, |node| {
                node.change(|listpack| replace_listpack(listpack, offset, element));
            });
        } else {
            // The node has others, so the neighbour beside which the new one is put stays.
            self.directory.update(index, |node| {
                node.change(|listpack| listpack.remove_range(offset as i64, 1));
            });
            return match at.checked_sub(1).filter(|_| offset > 0) {
                Some(left) => self.insert(left, End::Back, element, limits),
                None => self.insert(at, End::Front, element, limits),
            };
        }
        self.compress_around(index, limits);
    }

    /// Removes `count` elements from the one with the number `from` on; all of them are there.
    /// Nodes that lose all elements are handed over.
    pub(super) fn remove_range(&mut self, from: usize, count: usize, limits: Limits) -> Removed {
        let mut removed = Removed::default();
        let Some((mut index, offset)) = self.directory.locate(from) else { return removed };
        let mut left = count;
        if offset > 0 {
            let part = left.min(self.directory.get(index).count() - offset);
            self.remove_part(index, offset, part);
            left -= part;
            index += 1;
        }
        // Where the rest ends: in front of this element of this node.
        let (end, part) = match left {
            0 => (index, 0),
            left => self.directory.locate(from + left).unwrap_or((self.nodes(), 0)),
        };
        self.directory.remove_range(index..end, &mut removed);
        if part > 0 {
            self.remove_part(index, 0, part);
        }
        self.compress_around(index, limits);
        self.decompress_ends(limits);
        removed
    }

    /// Removes some elements, not all, of the node with the number `index`.
    fn remove_part(&mut self, index: usize, offset: usize, count: usize) {
        self.directory.update(index, |node| {
            node.change(|listpack| listpack.remove_range(offset as i64, count));
        });
    }

    /// Removes up to `limit` elements equal to `needle`, from `start` on; returns how many. Nodes
    /// that lose all elements go to `gone`.
    pub(super) fn remove_equal(
        &mut self,
        needle: Needle<'_>,
        start: End,
        limit: usize,
        limits: Limits,
        gone: &mut Removed,
    ) -> usize {
        let (mut removed, mut behind) = (0, 0);
        while removed < limit && behind < self.nodes() {
            let index = match start {
                End::Front => behind,
                End::Back => self.nodes() - 1 - behind,
            };
            let node = self.directory.get(index);
            // Looked at before it is touched: a node without the element stays shared.
            if !node.contains(needle) {
                behind += 1;
                continue;
            }
            let left = limit - removed;
            if node.count() > 1 {
                removed += self.directory.update(index, |n| n.remove_equal(needle, start, left));
                if self.directory.get(index).count() > 0 {
                    self.compress_around(index, limits);
                    behind += 1;
                    continue;
                }
            } else {
                removed += 1;
            }
            gone.add(self.directory.remove(index));
        }
        self.decompress_ends(limits);
        removed
    }

    /// Joins nodes around the one with the number `index`, the left part of a split one, where two
    /// of them fit into one.
    fn join_around(&mut self, index: usize, limits: Limits) {
        let mut at = index.saturating_sub(2);
        let mut last = (index + 3).min(self.nodes());
        while at + 1 < last {
            if self.directory.get(at).may_join(self.directory.get(at + 1), limits) {
                let right = self.directory.remove(at + 1);
                self.directory.update(at, |left| left.join(&right));
                last -= 1;
            } else {
                at += 1;
            }
        }
        self.compress_around(index, limits);
    }

    /// Compresses inner nodes and decompresses outer ones, as far as a change at the node with the
    /// number `index` may have made a difference.
    #[inline]
    fn compress_around(&mut self, index: usize, limits: Limits) {
        if limits.compress_depth != 0 {
            let (nodes, depth) = (self.nodes(), limits.depth());
            let around = index.saturating_sub(4)..(index + 5).min(nodes);
            around.for_each(|index| self.set_compression(index, limits));
            // One node more or less moves the borders by one.
            for border in [depth.wrapping_sub(1), depth] {
                self.set_compression(border, limits);
                self.set_compression(nodes.wrapping_sub(border).wrapping_sub(1), limits);
            }
        }
    }

    /// Decompresses the outer nodes after many have been removed.
    fn decompress_ends(&mut self, limits: Limits) {
        if limits.compress_depth != 0 {
            let nodes = self.nodes();
            for outer in 0..limits.depth().min(nodes) {
                self.set_compression(outer, limits);
                self.set_compression(nodes - 1 - outer, limits);
            }
        }
    }

    fn set_compression(&mut self, index: usize, limits: Limits) {
        let nodes = self.nodes();
        if index >= nodes {
            return;
        }
        let outer = index.min(nodes - 1 - index) < limits.depth();
        match (self.directory.get(index), outer) {
            (Node::Compressed { .. }, true) => self.directory.update(index, Node::decompress),
            (Node::Packed { .. }, false) => self.directory.update(index, Node::compress),
            _ => {}
        }
    }
}

/// Removes the element at an end of a listpack and shows it.
#[inline]
pub(super) fn pop_listpack<R>(
    listpack: &mut Listpack,
    end: End,
    show: impl FnOnce(Item<'_>) -> R,
) -> Option<R> {
    match end {
        End::Front => listpack.pop_front(show),
        End::Back => listpack.pop_back(show),
    }
}

/// Adds an element behind the first `before` ones.
pub(super) fn insert_listpack(listpack: &mut Listpack, before: usize, element: &[u8]) {
    match listpack.seek(before as i64) {
        Some(at) => listpack.insert_before(at, element),
        None => listpack.push_back(element),
    }
}

/// Replaces the element with the number `at`.
pub(super) fn replace_listpack(listpack: &mut Listpack, at: usize, element: &[u8]) {
    listpack.replace(listpack.seek(at as i64).expect(COUNTED), element);
}

#[cfg(test)]
impl Chain {
    /// Checks every invariant of the nodes and of the directory.
    pub(super) fn check(&self, limits: Limits) {
        self.directory.check();
        let nodes = self.nodes();
        for index in 0..nodes {
            let node = self.directory.get(index);
            assert_ne!(node.count(), 0);
            if let Some(listpack) = node.listpack() {
                assert_eq!(listpack.len(), node.count());
                assert_eq!(listpack.as_bytes().len(), node.bytes());
            }
            let outer = index.min(nodes - 1 - index) < limits.depth();
            if outer || limits.compress_depth == 0 {
                assert!(!matches!(node, Node::Compressed { .. }), "node {index} of {nodes}");
            } else if let Node::Packed { .. } = node {
                let mut twin = node.clone();
                twin.compress();
                assert!(
                    matches!(twin, Node::Packed { .. }),
                    "node {index} of {nodes} was left out"
                );
            }
        }
    }

    /// The sizes of the nodes, packed.
    pub(super) fn node_bytes(&self) -> Vec<usize> {
        (0..self.nodes()).map(|index| self.directory.get(index).bytes()).collect()
    }

    /// Whether both chains hold the same bytes in the node with the number `index`.
    pub(super) fn shares_node(&self, other: &Self, index: usize) -> bool {
        let bytes = |chain: &Self| match chain.directory.get(index) {
            Node::Packed { listpack, .. } => listpack.as_bytes().as_ptr(),
            Node::Compressed { stream, .. } => stream.as_slice().as_ptr(),
            Node::Plain(element) => element.as_slice().as_ptr(),
        };
        bytes(self) == bytes(other)
    }
}
