//! A sketch that is being changed: a private copy of the value, sparse as long as that pays.

use super::dense::{self, DENSE_BYTES};
use super::hash::Element;
use super::registers::Registers;
use super::sparse::{self, Cursor, Plan, Splice};
use super::{Corrupted, DENSE_VALUE_BYTES, Encoding, HEADER_BYTES, View, header};
use crate::bytes::SharedBytes;

/// Room behind a copied sparse value: an update grows it by at most three bytes.
const SPARSE_SLACK_BYTES: usize = 8;

/// A sketch in a buffer of its own.
///
/// A dense value is better changed where it is ([`raise_dense`](super::raise_dense)). A sparse one
/// is copied: it has at most a few kilobytes, most have some dozens of bytes, and an update may
/// grow or shrink it.
#[derive(Debug)]
pub struct Sketch {
    pub(super) bytes: SharedBytes,
}

impl Default for Sketch {
    fn default() -> Self {
        Self::new()
    }
}

impl Sketch {
    /// Of the empty set: sparse. Its cardinality counts as stale, since it is made to be changed.
    #[must_use]
    pub fn new() -> Self {
        let mut bytes = SharedBytes::with_capacity(HEADER_BYTES + SPARSE_SLACK_BYTES);
        bytes.append(&header::of_empty());
        bytes.append(&sparse::empty());
        header::invalidate(bytes.make_mut());
        Self { bytes }
    }

    /// A copy of a stored sketch.
    #[must_use]
    pub fn copy_of(view: View<'_>) -> Self {
        let slack = match view.encoding() {
            Encoding::Sparse => SPARSE_SLACK_BYTES,
            Encoding::Dense => 0,
        };
        let mut bytes = SharedBytes::with_capacity(view.bytes.len() + slack);
        bytes.append(view.bytes);
        Self { bytes }
    }

    /// The sketch for reading.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        View { bytes: self.bytes.as_slice() }
    }

    /// The value to store.
    #[must_use]
    pub fn into_bytes(self) -> SharedBytes {
        self.bytes
    }

    /// Adds an element. Returns whether a register was raised; the cached cardinality is stale
    /// then. A sparse sketch becomes dense rather than longer than `sparse_bytes_max` bytes, header
    /// included.
    ///
    /// # Errors
    /// If the sparse form does not describe 16384 registers, as far as that was seen.
    pub fn add(&mut self, element: Element, sparse_bytes_max: u64) -> Result<bool, Corrupted> {
        let raised = match self.view().encoding() {
            Encoding::Dense => dense::raise(self.opcodes_mut(), element),
            Encoding::Sparse => {
                let mut cursor = Cursor::default();
                match self.add_sparse(element, sparse_bytes_max, &mut cursor)? {
                    Added::Nothing => false,
                    Added::Raised => true,
                    Added::NoRoom => {
                        self.make_dense()?;
                        dense::raise(self.opcodes_mut(), element)
                    }
                }
            }
        };
        if raised {
            header::invalidate(self.bytes.make_mut());
        }
        Ok(raised)
    }

    /// Adds all of another set, given as registers; the cached cardinality is stale then. The
    /// result is dense if `dense` says so, or if it would be longer than `sparse_bytes_max`.
    ///
    /// # Errors
    /// As [`Sketch::add`].
    pub fn merge(
        &mut self,
        registers: &Registers,
        dense: bool,
        sparse_bytes_max: u64,
    ) -> Result<(), Corrupted> {
        if dense {
            self.make_dense()?;
        }
        if self.view().encoding() == Encoding::Dense
            || !self.merge_sparse(registers, sparse_bytes_max)?
        {
            self.make_dense()?;
            dense::merge_from(self.opcodes_mut(), registers);
        }
        header::invalidate(self.bytes.make_mut());
        Ok(())
    }

    /// Merges into the sparse form; false if it has no room for all, in which case some registers
    /// have been raised.
    fn merge_sparse(
        &mut self,
        registers: &Registers,
        sparse_bytes_max: u64,
    ) -> Result<bool, Corrupted> {
        // Registers come in order, so each search goes on where the last one ended.
        let mut cursor = Cursor::default();
        for (index, &rank) in registers.values().iter().enumerate().filter(|(_, rank)| **rank > 0) {
            let element = Element { index: index as u16, rank };
            if self.add_sparse(element, sparse_bytes_max, &mut cursor)? == Added::NoRoom {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Raises a register of the sparse form. `cursor` is where the search begins, and is moved.
    fn add_sparse(
        &mut self,
        element: Element,
        sparse_bytes_max: u64,
        cursor: &mut Cursor,
    ) -> Result<Added, Corrupted> {
        let splice = match self.view().plan(element, sparse_bytes_max, *cursor)? {
            Plan::Nothing => return Ok(Added::Nothing),
            Plan::Dense => return Ok(Added::NoRoom),
            Plan::Splice(splice) => splice,
        };
        *cursor = splice.cursor;
        self.apply(&splice);
        Ok(Added::Raised)
    }

    fn apply(&mut self, splice: &Splice) {
        let old_len = self.bytes.len() - HEADER_BYTES;
        let new_len = splice.new_len(old_len);
        self.bytes.extend_zeroed(HEADER_BYTES + new_len);
        splice.apply(self.opcodes_mut(), old_len);
        self.bytes.truncate(HEADER_BYTES + new_len);
    }

    /// Gives the sketch the dense form. Returns whether it had the other one. Header and cache
    /// stay as they are.
    ///
    /// # Errors
    /// If the sparse form does not describe 16384 registers.
    pub fn make_dense(&mut self) -> Result<bool, Corrupted> {
        if self.view().encoding() == Encoding::Dense {
            return Ok(false);
        }
        let mut registers = Registers::default();
        registers.merge(self.view())?;
        let mut grown = SharedBytes::with_capacity(DENSE_VALUE_BYTES);
        grown.append(&self.bytes.as_slice()[..HEADER_BYTES]);
        grown.extend_zeroed(HEADER_BYTES + DENSE_BYTES);
        self.bytes = grown;
        header::set_encoding(self.bytes.make_mut(), Encoding::Dense);
        dense::merge_from(self.opcodes_mut(), &registers);
        Ok(true)
    }

    /// What is behind the header.
    fn opcodes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes.make_mut()[HEADER_BYTES..]
    }
}

/// What became of an element in the sparse form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Added {
    /// Its register was as high already.
    Nothing,
    /// Its register was raised.
    Raised,
    /// The dense form is needed for that.
    NoRoom,
}
