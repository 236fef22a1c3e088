//! Connections by slot number (what the poller returns) and by client id (what letters name).

use std::collections::HashMap;

/// Values in numbered slots, each with an id; a freed slot is used again.
#[derive(Debug)]
pub(super) struct Slots<T> {
    slots: Vec<Option<T>>,
    free: Vec<usize>,
    by_id: HashMap<u64, usize, foldhash::fast::RandomState>,
}

impl<T> Slots<T> {
    pub(super) fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), by_id: HashMap::default() }
    }

    /// The slot that the next insertion uses.
    pub(super) fn next(&self) -> usize {
        self.free.last().copied().unwrap_or(self.slots.len())
    }

    /// Puts `value`, whose id is new, into slot [`Self::next`].
    pub(super) fn insert(&mut self, id: u64, value: T) -> usize {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[slot] = Some(value);
        self.by_id.insert(id, slot);
        slot
    }

    /// Takes a value out for a while; its slot stays reserved until [`Self::put`] or
    /// [`Self::remove`].
    pub(super) fn take(&mut self, slot: usize) -> Option<T> {
        self.slots.get_mut(slot)?.take()
    }

    /// The value in a slot, to change, unless it is taken out.
    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut T> {
        self.slots.get_mut(slot)?.as_mut()
    }

    /// Puts a value back that was taken.
    pub(super) fn put(&mut self, slot: usize, value: T) {
        self.slots[slot] = Some(value);
    }

    /// Frees the slot of a value that was taken.
    pub(super) fn remove(&mut self, slot: usize, id: u64) {
        self.by_id.remove(&id);
        self.free.push(slot);
        if self.by_id.is_empty() {
            // After a burst of connections, nothing remains of it.
            *self = Self::new();
        }
    }

    /// The slot of the value with this id.
    pub(super) fn find(&self, id: u64) -> Option<usize> {
        self.by_id.get(&id).copied()
    }

    /// The value in a slot, unless it is taken out.
    pub(super) fn get(&self, slot: usize) -> Option<&T> {
        self.slots.get(slot)?.as_ref()
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The occupied slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        self.slots.iter().enumerate().filter_map(|(slot, value)| Some((slot, value.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_reused_and_ids_forgotten() {
        let mut slots = Slots::new();
        assert_eq!((slots.next(), slots.insert(10, 'a'), slots.insert(11, 'b')), (0, 0, 1));
        assert_eq!(slots.take(0), Some('a'));
        assert_eq!(slots.take(0), None);
        slots.remove(0, 10);
        assert_eq!((slots.find(10), slots.find(11), slots.next()), (None, Some(1), 0));
        assert_eq!(slots.insert(12, 'c'), 0);
        assert_eq!(slots.iter().collect::<Vec<_>>(), [(0, &'c'), (1, &'b')]);
        assert_eq!(slots.take(9), None);
        for (slot, id) in [(0, 12), (1, 11)] {
            slots.take(slot).unwrap();
            slots.remove(slot, id);
        }
        assert!(slots.is_empty());
        assert_eq!(slots.next(), 0);
    }
}
