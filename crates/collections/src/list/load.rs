//! Lists as dump files have them: node by node.
//!
//! A node is written as it is, a compressed one in its compressed form, and comes back as one node.

use super::chain::Chain;
use super::node::Node;
use super::{End, Limits, List};
use crate::bytes::SharedBytes;
use crate::listpack::Listpack;
use crate::word::{Form, Word};

/// One node of a list.
#[derive(Clone, Copy, Debug)]
pub enum NodeRef<'a> {
    /// The bytes of a listpack of some elements.
    Packed(&'a [u8]),
    /// The same, as an LZF stream.
    Compressed {
        /// The stream.
        stream: &'a [u8],
        /// Bytes of the listpack.
        len: usize,
    },
    /// One large element.
    Plain(&'a [u8]),
}

impl List {
    /// How many nodes there are: one while the list is a listpack.
    #[must_use]
    pub fn node_count(&self) -> usize {
        match self.word.form() {
            Form::Small(_) => 1,
            Form::Large(chain) => chain.nodes(),
        }
    }

    /// The node with the number `index`, in logarithmic time; none if there are not so many.
    #[must_use]
    pub fn node(&self, index: usize) -> Option<NodeRef<'_>> {
        match self.word.form() {
            Form::Small(listpack) => (index == 0).then_some(NodeRef::Packed(listpack.as_bytes())),
            Form::Large(chain) => chain.node(index).map(Node::as_ref),
        }
    }
}

/// A list that is put together from nodes, front to back.
#[derive(Debug, Default)]
pub struct Loader {
    chain: Chain,
}

impl Loader {
    /// Adds the elements of a listpack as one node, if there are any.
    pub fn packed(&mut self, listpack: Listpack) {
        if !listpack.is_empty() {
            self.chain.push_node(Node::packed(listpack));
        }
    }

    /// Adds a large element as a node of its own.
    pub fn plain(&mut self, element: &[u8]) {
        self.chain.push_node(Node::Plain(SharedBytes::from(element)));
    }

    /// Adds an element to the last node, or to a new one.
    pub fn element(&mut self, element: &[u8], limits: Limits) {
        self.chain.push(End::Back, element, limits);
    }

    /// The list: a listpack if one node holds it all and is not too large for that.
    #[must_use]
    pub fn finish(mut self, limits: Limits) -> List {
        self.chain.compress_all(limits);
        let word = match self.chain.sole_listpack(limits) {
            Some(listpack) => Word::small(listpack),
            None if self.chain.nodes() == 0 => Word::default(),
            None => Word::large(self.chain),
        };
        List { word }
    }
}
