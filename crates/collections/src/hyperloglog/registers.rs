//! Registers of a byte each: the workspace in which sketches are merged.

use super::estimate::{self, Histogram};
use super::{Corrupted, REGISTERS, View};

/// All registers, a byte each. It costs more memory than any stored form and makes a merge one
/// maximum per register; it lives for a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registers(pub(super) Box<[u8; REGISTERS]>);

impl Default for Registers {
    /// Of the empty set.
    fn default() -> Self {
        Self(Box::new([0; REGISTERS]))
    }
}

impl Registers {
    /// Raises every register to at least that of `sketch`: the union of both sets.
    ///
    /// # Errors
    /// If the sketch's bytes do not describe 16384 registers; some may have been raised then.
    pub fn merge(&mut self, sketch: View<'_>) -> Result<(), Corrupted> {
        sketch.merge_into(self)
    }

    /// The estimated number of distinct elements.
    #[must_use]
    pub fn count(&self) -> u64 {
        estimate::cardinality(&Histogram::of(self.0.as_chunks().0.iter().copied()))
    }

    /// The values, in order.
    #[must_use]
    pub fn values(&self) -> &[u8; REGISTERS] {
        &self.0
    }
}
