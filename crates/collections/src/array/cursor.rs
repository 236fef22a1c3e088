//! What follows from the cursor: appending, rings, and the elements that were inserted last.
//!
//! The cursor is the index of the last insertion; none means that the next one goes to index 0.

use super::{Array, Element, INDEX_MAX, Limits, Removed};
use crate::unique::make_mut;

/// There is no index left behind the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Array {
    /// Where the next insertion goes; none if there is no index left.
    #[must_use]
    pub fn next_index(&self) -> Option<u64> {
        match self.0.cursor {
            None => Some(0),
            Some(last) => (last < INDEX_MAX).then(|| last + 1),
        }
    }

    /// Lets the next insertion go to `index`, or have no index left if that is 2^64-1.
    pub fn seek(&mut self, index: u64) {
        make_mut(&mut self.0).cursor = index.checked_sub(1);
    }

    /// Sets `texts` at the indices from the cursor on; returns the last one.
    ///
    /// # Errors
    /// If there are more texts than indices left; nothing is set then.
    pub fn append<'t>(
        &mut self,
        texts: impl ExactSizeIterator<Item = &'t [u8]>,
        limits: &Limits,
    ) -> Result<u64, Full> {
        let start = self.next_index().ok_or(Full)?;
        let more = (texts.len() as u64).checked_sub(1).ok_or(Full)?;
        let last = start.checked_add(more).filter(|&last| last <= INDEX_MAX).ok_or(Full)?;
        for (index, text) in (start..=last).zip(texts) {
            self.set(index, text, limits);
        }
        make_mut(&mut self.0).cursor = Some(last);
        Ok(last)
    }

    /// Makes the array a ring of `size` positions and inserts `texts`, each at the position behind
    /// the one before; behind the last position comes the first. Returns where the last one went,
    /// and what had to go.
    ///
    /// The elements move when the ring would else be torn: when it was larger, and when it grows
    /// while the cursor stands inside of it. Then those that were inserted last are set from index
    /// 0 on in their order, as many as fit, back to the first position that is not used.
    ///
    /// # Panics
    /// If `size` is 0.
    pub fn ring<'t>(
        &mut self,
        size: u64,
        texts: impl Iterator<Item = &'t [u8]>,
        limits: &Limits,
    ) -> (u64, Removed) {
        let mut removed = Removed::default();
        let span = self.len();
        let is_inside = self.0.cursor.is_some_and(|last| last.saturating_add(1) < span);
        if size < span || (size > span && is_inside) {
            removed.whole = Some(self.straighten(span, size.min(span), limits));
        }
        let mut last = 0;
        for text in texts {
            last = self.0.cursor.map_or(0, |last| last.saturating_add(1)) % size;
            self.set(last, text, limits);
            make_mut(&mut self.0).cursor = Some(last);
        }
        (last, removed)
    }

    /// Sets up to `keep` elements anew from index 0 on: those from the cursor backwards, around the
    /// ring of `span` positions, up to the first that is not used. Returns the array as it was.
    fn straighten(&mut self, span: u64, keep: u64, limits: &Limits) -> Self {
        let mut at = self.0.cursor.map_or(span - 1, |last| last % span);
        let mut latest = Vec::new();
        while (latest.len() as u64) < keep {
            let Some(value) = self.value(at) else { break };
            latest.push(value.clone());
            at = before(at, span);
        }
        let old = self.take();
        let mut cursor = None;
        for (index, value) in (0..).zip(latest.into_iter().rev()) {
            self.set_value(index, value, limits);
            cursor = Some(index);
        }
        make_mut(&mut self.0).cursor = cursor;
        old
    }

    /// Shows the elements at `count` positions from the cursor backwards, around the array as if it
    /// were a ring. It begins at the greatest index if there is no cursor, or it is beyond.
    ///
    /// # Panics
    /// If there are not so many positions.
    pub fn latest<'a>(&'a self, count: u64, mut show: impl FnMut(Option<Element<'a>>)) {
        let span = self.len();
        assert!(count <= span, "no position is shown twice");
        let mut at = self.0.cursor.filter(|&last| last < span).unwrap_or(span.saturating_sub(1));
        for _ in 0..count {
            show(self.get(at));
            at = before(at, span);
        }
    }
}

/// The position before `at` in a ring of `span`.
const fn before(at: u64, span: u64) -> u64 {
    if at == 0 { span - 1 } else { at - 1 }
}
