//! How long it takes to free what a dataset has lost.

use std::sync::Arc;

/// A value, or a part of one.
pub trait Pieces {
    /// About how many allocations dropping it frees. Takes no longer than a look at some of them:
    /// it tells what is better freed in the background.
    fn pieces(&self) -> usize;
}

impl<T: Pieces> Pieces for Arc<T> {
    fn pieces(&self) -> usize {
        T::pieces(self)
    }
}

impl<T: Pieces> Pieces for Option<T> {
    fn pieces(&self) -> usize {
        self.as_ref().map_or(0, T::pieces)
    }
}
