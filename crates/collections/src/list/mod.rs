//! The list: a sequence of strings, used at its ends, read in ranges, now and then in the middle.
//!
//! A short list is one listpack. A long one is a chain of them:
//!
//! ```text
//!   List (one word)
//!     ├─ listpack                                           OBJECT ENCODING: listpack
//!     └─ chain                                              OBJECT ENCODING: quicklist
//!          front              middle                  back
//!         ┌────────┐  ┌──────────────────────────┐  ┌────────┐
//!         │ packed │  │ packed  PLAIN  (lzf) ... │  │ packed │
//!         └────────┘  └──────────────────────────┘  └────────┘
//! ```
//!
//! Two bytes an element and nothing else: a node of 8 KiB fills one size class of the allocator,
//! and the directory above ([`directory`]) spends some twenty bytes on it. An element larger than
//! a node may be is a node by itself. Inner nodes can be compressed ([`Limits::compress_depth`]),
//! for lists that are queues: what is far from both ends is rarely looked at.
//!
//! Costs: the ends O(1); an index O(log n) to its node and a walk inside it; a change in the
//! middle the same and the bytes of one node moved. A clone is O(1), and whoever changes a list
//! that is shared copies the node it touches and the pages of the directory above it (law 3).
//!
//! # When the form changes
//! A list becomes a chain when an addition, judged by the bare lengths of the new elements before
//! the first is added, would make the listpack exceed the limit; what is there becomes the first
//! node. It becomes a listpack again after a removal or replacement that leaves one packed node of
//! at most half the limit. Users see the form (`OBJECT ENCODING`), so the moments are Redis's.
//!
//! Invariants: a chain has at least one node and no node without elements; with compression on, the
//! `compress_depth` nodes at each end are packed or plain, and the others compressed where that
//! saves something. A limit that was changed later holds for what is touched from then on.

mod chain;
mod directory;
mod load;
mod node;
#[cfg(test)]
mod tests;
mod tree;

use std::fmt;
use std::ops::ControlFlow;

use crate::Pieces;
use crate::entry::Collection;
use crate::listpack::{Item, Listpack, Needle};
use crate::word::{Form, FormMut, Word};
use chain::{Chain, insert_listpack, pop_listpack, replace_listpack};

pub use directory::Removed;
pub use load::{Loader, NodeRef};

/// An end of a list, or of a walk over it: the one that it starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The first element, the "left" of command names.
    Front,
    /// The last element, the "right" of command names.
    Back,
}

/// How large nodes may be and which are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `list-max-listpack-size`: elements of a node if positive; -1 to -5 mean 4, 8, 16, 32 and
    /// 64 KiB.
    pub max_listpack_size: i64,
    /// `list-compress-depth`: how many nodes at each end stay uncompressed; 0 compresses none.
    pub compress_depth: u32,
}

impl Default for Limits {
    /// The defaults of the parameters.
    fn default() -> Self {
        Self { max_listpack_size: -2, compress_depth: 0 }
    }
}

/// The most that a node may have: both bounds hold.
#[derive(Clone, Copy)]
struct NodeMax {
    bytes: usize,
    count: usize,
}

impl Limits {
    /// The bound on bytes where the parameter counts elements.
    const COUNTED_BYTES_MAX: usize = 8192;

    #[inline]
    fn node_max(self) -> NodeMax {
        match self.max_listpack_size {
            size @ ..0 => NodeMax { bytes: 4096 << (-1 - size.max(-5)), count: usize::MAX },
            count => NodeMax {
                bytes: Self::COUNTED_BYTES_MAX,
                count: usize::try_from(count.max(1)).unwrap_or(usize::MAX),
            },
        }
    }

    /// Whether a node may not have this many bytes or elements.
    #[inline]
    fn exceeded_by(self, bytes: usize, count: usize) -> bool {
        let max = self.node_max();
        bytes > max.bytes || count > max.count
    }

    /// Whether a node of this size is at most half as large as it may be. Where elements are
    /// counted, their bytes do not matter.
    fn is_halved_by(self, bytes: usize, count: usize) -> bool {
        let max = self.node_max();
        if self.max_listpack_size < 0 { bytes <= max.bytes / 2 } else { count <= max.count / 2 }
    }

    /// Whether an element of this length is not packed.
    #[inline]
    fn is_large(self, len: usize) -> bool {
        len > self.node_max().bytes
    }

    fn depth(self) -> usize {
        self.compress_depth as usize
    }
}

/// A list of one word; see the module page.
#[derive(Clone, Default)]
#[repr(transparent)]
pub struct List {
    word: Word<Listpack, Chain>,
}

impl List {
    /// How many elements there are. O(1).
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        match self.word.form() {
            Form::Small(listpack) => listpack.len(),
            Form::Large(chain) => chain.len(),
        }
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self.word.form() {
            Form::Small(listpack) => listpack.is_empty(),
            Form::Large(chain) => chain.nodes() == 0,
        }
    }

    /// Gets ready for all of `elements`, which are then added one by one: a listpack that they
    /// would make too large becomes a chain. [`List::push`] and its like do this for one element.
    pub fn prepare<'e>(&mut self, elements: impl Iterator<Item = &'e [u8]>, limits: Limits) {
        if let Form::Small(listpack) = self.word.form() {
            let (bytes, count) = elements
                .fold((0usize, 0), |(bytes, count), e| (bytes.saturating_add(e.len()), count + 1));
            self.grow(
                listpack.as_bytes().len().saturating_add(bytes),
                listpack.len() + count,
                limits,
            );
        }
    }

    /// Adds an element at an end.
    #[inline]
    pub fn push(&mut self, end: End, element: &[u8], limits: Limits) {
        if let FormMut::Large(chain) = self.word.form_mut() {
            return chain.push(end, element, limits);
        }
        self.prepare(std::iter::once(element), limits);
        match self.word.form_mut() {
            FormMut::Large(chain) => chain.push(end, element, limits),
            FormMut::Small(listpack) => match end {
                End::Front => listpack.push_front(element),
                End::Back => listpack.push_back(element),
            },
        }
    }

    /// Removes the element at an end and shows it; none if the list is empty.
    #[inline]
    pub fn pop<R>(
        &mut self,
        end: End,
        limits: Limits,
        show: impl FnOnce(Item<'_>) -> R,
    ) -> Option<R> {
        match self.word.form_mut() {
            FormMut::Small(listpack) => pop_listpack(listpack, end, show),
            FormMut::Large(chain) => {
                let shown = chain.pop(end, limits, show);
                self.shrink(limits);
                shown
            }
        }
    }

    /// Shows the element with the number `index`.
    pub fn get<R>(&self, index: usize, show: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        let mut show = Some(show);
        let shown = self.visit(index, End::Front, &mut |item| {
            ControlFlow::Break(show.take().map(|show| show(item)))
        });
        shown.break_value().flatten()
    }

    /// Shows the elements from the one with the number `from` on towards the end opposite to
    /// `start`, until `visit` breaks off. Nothing if there is no such element.
    pub fn visit<B>(
        &self,
        from: usize,
        start: End,
        visit: &mut dyn FnMut(Item<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        match self.word.form() {
            Form::Small(listpack) => node::visit_listpack(listpack, from, start, visit),
            Form::Large(chain) => chain.visit(from, start, visit),
        }
    }

    /// Adds an element beside the one with the number `at`: `End::Front` puts it in front of that,
    /// `End::Back` behind it.
    ///
    /// # Panics
    /// If there is no such element. So for all that take such a number.
    pub fn insert(&mut self, at: usize, side: End, element: &[u8], limits: Limits) {
        self.prepare(std::iter::once(element), limits);
        match self.word.form_mut() {
            FormMut::Large(chain) => chain.insert(at, side, element, limits),
            FormMut::Small(listpack) => {
                assert!(at < listpack.len(), "there is an element beside the new one");
                insert_listpack(listpack, at + usize::from(side == End::Back), element);
            }
        }
    }

    /// Replaces the element with the number `at`.
    ///
    /// # Panics
    /// As [`List::insert`].
    pub fn set(&mut self, at: usize, element: &[u8], limits: Limits) {
        self.prepare(std::iter::once(element), limits);
        match self.word.form_mut() {
            FormMut::Small(listpack) => replace_listpack(listpack, at, element),
            FormMut::Large(chain) => {
                chain.set(at, element, limits);
                self.shrink(limits);
            }
        }
    }

    /// Removes up to `count` elements from the one with the number `from` on, in logarithmic time.
    /// Whole nodes are handed over, because freeing many of them takes its time.
    pub fn remove_range(&mut self, from: usize, count: usize, limits: Limits) -> Removed {
        let count = count.min(self.len().saturating_sub(from));
        if count == 0 {
            return Removed::default();
        }
        match self.word.form_mut() {
            FormMut::Small(listpack) => {
                listpack.remove_range(from as i64, count);
                Removed::default()
            }
            FormMut::Large(chain) => {
                let removed = chain.remove_range(from, count, limits);
                self.shrink(limits);
                removed
            }
        }
    }

    /// Removes up to `limit` elements equal to `element`, from `start` on; returns how many. Nodes
    /// that lose all elements are handed over, as by [`List::remove_range`].
    pub fn remove_equal(
        &mut self,
        element: &[u8],
        start: End,
        limit: usize,
        limits: Limits,
    ) -> (usize, Removed) {
        let (needle, mut nodes) = (Needle::new(element), Removed::default());
        let removed = match self.word.form_mut() {
            FormMut::Small(listpack) => node::remove_equal(listpack, needle, start, limit),
            FormMut::Large(chain) => {
                let removed = chain.remove_equal(needle, start, limit, limits, &mut nodes);
                if removed > 0 {
                    self.shrink(limits);
                }
                removed
            }
        };
        (removed, nodes)
    }

    /// Makes a listpack a chain if it would be too large with this many bytes and elements.
    #[inline]
    fn grow(&mut self, bytes: usize, count: usize, limits: Limits) {
        if limits.exceeded_by(bytes, count)
            && let FormMut::Small(listpack) = self.word.form_mut()
        {
            self.word = Word::large(Chain::from(std::mem::take(listpack)));
        }
    }

    /// Makes a chain a listpack again if it has become small.
    fn shrink(&mut self, limits: Limits) {
        if let Form::Large(chain) = self.word.form() {
            let listpack = match chain.nodes() {
                0 => Some(Listpack::default()),
                1 => chain.to_listpack(limits),
                _ => None,
            };
            if let Some(listpack) = listpack {
                self.word = Word::small(listpack);
            }
        }
    }
}

impl Collection for List {
    const TYPE_NAME: &'static str = "list";
    const IS_ORDERED: bool = true;

    fn is_empty(&self) -> bool {
        Self::is_empty(self)
    }

    #[inline]
    fn elements(&self) -> usize {
        self.len()
    }

    fn for_each(&self, visit: &mut dyn FnMut(&[&[u8]])) {
        let mut digits = itoa::Buffer::new();
        let _ = self.visit::<()>(0, End::Front, &mut |item| {
            visit(&[item.text(&mut digits)]);
            ControlFlow::Continue(())
        });
    }

    fn encoding(&self) -> &'static str {
        match self.word.form() {
            Form::Small(_) => "listpack",
            Form::Large(_) => "quicklist",
        }
    }

    fn allocated_bytes(&self) -> usize {
        match self.word.form() {
            Form::Small(listpack) => listpack.allocated_bytes(),
            Form::Large(chain) => size_of::<Chain>() + chain.allocated_bytes(),
        }
    }
}

impl Pieces for List {
    fn pieces(&self) -> usize {
        match self.word.form() {
            Form::Small(_) => 1,
            Form::Large(chain) => chain.nodes(),
        }
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_list();
        let _ = self.visit::<()>(0, End::Front, &mut |item| {
            shown.entry(&item);
            ControlFlow::Continue(())
        });
        shown.finish()
    }
}
