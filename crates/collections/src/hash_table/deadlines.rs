//! Deadlines of fields: how those that are due are found without a look at the others.
//!
//! There is no second structure ordered by time. Every leaf has a lower bound of the deadlines of
//! its fields; a sweep passes over the bounds, visits the leaves whose bound is due, removes what
//! is due there and makes the bound exact. The key table finds keys that are due in the same way.
//! A bound may be too early, because a field lost its deadline or went: that costs one visit.
//!
//! The bounds stand beside the leaves on their pages, 8 bytes for some forty fields. Tables without
//! a deadline have none.

use super::{HashTable, Page, Place};
use crate::unique::make_mut;

/// What a table knows of its deadlines.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    /// How many elements have one; not 0.
    count: usize,
    /// None of them is earlier.
    earliest: u64,
}

/// The bounds of a page.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    /// No deadline on the page is earlier.
    earliest: u64,
    /// For each leaf: no deadline in it is earlier.
    leaves: Vec<u64>,
}

impl Page {
    /// A leaf was added at the end whose deadlines have this bound.
    pub(super) fn added(&mut self, bound: u64) {
        if let Some(bounds) = &mut self.bounds {
            bounds.leaves.push(bound);
            bounds.earliest = bounds.earliest.min(bound);
        } else if bound != u64::MAX {
            self.lower_bound(self.leaves.len() - 1, bound);
        }
    }

    /// The last leaf was removed.
    pub(super) fn removed(&mut self) {
        if let Some(bounds) = &mut self.bounds {
            bounds.leaves.pop();
        }
    }

    fn lower_bound(&mut self, leaf: usize, deadline: u64) {
        let none = || Bounds { earliest: u64::MAX, leaves: vec![u64::MAX; self.leaves.len()] };
        let bounds = self.bounds.get_or_insert_with(|| Box::new(none()));
        bounds.earliest = bounds.earliest.min(deadline);
        bounds.leaves[leaf] = bounds.leaves[leaf].min(deadline);
    }

    fn earliest(&self) -> u64 {
        self.bounds.as_ref().map_or(u64::MAX, |bounds| bounds.earliest)
    }
}

impl HashTable {
    /// A time that no deadline is before; none if no element has a deadline.
    #[inline]
    #[must_use]
    pub fn earliest(&self) -> Option<u64> {
        self.deadlines.as_ref().map(|deadlines| deadlines.earliest)
    }

    /// Sets or removes the deadline of the field at a place: unix time in milliseconds.
    pub fn set_deadline(&mut self, place: Place, deadline: Option<u64>) {
        self.modify(place, deadline, |element| element.set_deadline(deadline));
    }

    /// Removes fields whose deadline is at most `now` and shows their names to `removed`. Visits at
    /// most about `budget` elements, whole leaves; those of which it may still have to remove some
    /// keep [`HashTable::earliest`] from passing `now`. Returns how many it visited.
    pub fn expire(&mut self, now: u64, budget: usize, removed: &mut dyn FnMut(&[u8])) -> usize {
        let (mut visited, mut earliest) = (0, u64::MAX);
        for page in 0..self.pages.len() {
            if self.pages[page].earliest() <= now && visited < budget {
                visited += self.expire_page(page, now, budget - visited, removed);
            }
            earliest = earliest.min(self.pages[page].earliest());
        }
        if let Some(deadlines) = &mut self.deadlines {
            deadlines.earliest = earliest;
        }
        self.shrink();
        visited
    }

    fn expire_page(
        &mut self,
        at: usize,
        now: u64,
        budget: usize,
        removed: &mut dyn FnMut(&[u8]),
    ) -> usize {
        let page = make_mut(&mut self.pages[at]);
        let Some(bounds) = &mut page.bounds else { return 0 };
        let (mut visited, mut gone, mut freed) = (0, 0, 0);
        let due =
            page.leaves.iter_mut().zip(&mut bounds.leaves).filter(|(_, bound)| **bound <= now);
        for (leaf, bound) in due {
            if visited >= budget {
                break;
            }
            visited += leaf.len();
            *bound = u64::MAX;
            // From the last to the first: what a removal puts in a gap has been looked at.
            for index in (0..leaf.len()).rev() {
                match leaf.get(index).deadline() {
                    None => {}
                    Some(deadline) if deadline > now => *bound = deadline.min(*bound),
                    Some(_) => {
                        leaf.make_unique();
                        let element = leaf.swap_remove(index);
                        removed(element.view().name());
                        freed += element.view().allocated_bytes();
                        gone += 1;
                    }
                }
            }
        }
        bounds.earliest = bounds.leaves.iter().copied().min().unwrap_or(u64::MAX);
        self.len -= gone;
        self.element_bytes -= freed;
        self.count_deadlines(|count| count - gone);
        visited
    }

    /// A field of this leaf had the deadline `before` and has the deadline `after`.
    pub(super) fn note_deadline(&mut self, leaf: usize, before: Option<u64>, after: Option<u64>) {
        let (had, has) = (usize::from(before.is_some()), usize::from(after.is_some()));
        self.count_deadlines(|count| count + has - had);
        if let Some(deadline) = after {
            self.lower_bound(leaf, deadline);
        }
    }

    fn count_deadlines(&mut self, change: impl FnOnce(usize) -> usize) {
        let none = Deadlines { count: 0, earliest: u64::MAX };
        let before = self.deadlines.as_deref().copied().unwrap_or(none);
        let after = Deadlines { count: change(before.count), ..before };
        match &mut self.deadlines {
            _ if after.count == 0 => self.deadlines = None,
            Some(deadlines) => **deadlines = after,
            None => self.deadlines = Some(Box::new(after)),
        }
    }

    /// Deadlines in this leaf may be as early as `deadline`.
    pub(super) fn lower_bound(&mut self, leaf: usize, deadline: u64) {
        if deadline == u64::MAX {
            return;
        }
        let (page, leaf) = Self::split(leaf);
        make_mut(&mut self.pages[page]).lower_bound(leaf, deadline);
        if let Some(deadlines) = &mut self.deadlines {
            deadlines.earliest = deadlines.earliest.min(deadline);
        }
    }

    /// The bound of a leaf's deadlines.
    pub(super) fn bound_of(&self, leaf: usize) -> u64 {
        let (page, leaf) = Self::split(leaf);
        self.pages[page].bounds.as_ref().map_or(u64::MAX, |bounds| bounds.leaves[leaf])
    }
}
