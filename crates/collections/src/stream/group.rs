//! Consumer groups: who was given which entry, and has not acknowledged it.
//!
//! A pending entry has one record, in the group's list by id (the *PEL*): its consumer, when it was
//! delivered, and how often. What a consumer has pending is the set of those ids, in order. So a
//! claim moves an id from one set to another and changes the record in place.
//!
//! Consumers are numbered as they are created, and the record names the number: eight bytes
//! whatever the length of the name, and renaming is not a thing that happens to consumers.

use std::sync::Arc;

use super::Id;
use super::tree::Tree;

/// A consumer group of a stream.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// The id of the last entry that was delivered to anybody: the next delivery is above it.
    pub last_id: Id,
    /// How many of the stream's entries, counted from the first ever, the group has read; none if
    /// that cannot be told.
    pub entries_read: Option<u64>,
    pending: Tree<Id, Pending>,
    numbers: Tree<Arc<[u8]>, ConsumerId>,
    consumers: Tree<ConsumerId, Consumer>,
    /// How many consumers were ever created.
    created: u64,
}

/// The record of a pending entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Who has it.
    pub consumer: ConsumerId,
    /// When it was delivered last, unix time in milliseconds.
    pub delivered_at: u64,
    /// How often it was delivered.
    pub deliveries: u64,
}

/// The number of a consumer within its group; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConsumerId(u64);

/// A consumer of a group.
#[derive(Clone, Debug)]
pub struct Consumer {
    name: Arc<[u8]>,
    /// When it last tried something, unix time in milliseconds.
    pub seen_at: u64,
    /// When it last got or claimed an entry, unix time in milliseconds; none if it never did.
    pub active_at: Option<u64>,
    pending: Tree<Id, ()>,
}

impl Consumer {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The number of entries that it has pending.
    #[must_use]
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }
}

/// Consumers.
impl Group {
    /// A group that has seen everything up to `last_id`.
    #[must_use]
    pub fn new(last_id: Id, entries_read: Option<u64>) -> Self {
        Self { last_id, entries_read, ..Self::default() }
    }

    /// The number of consumers.
    #[must_use]
    pub fn consumers_len(&self) -> usize {
        self.consumers.len()
    }

    /// The consumers, by name.
    pub fn consumers(&self) -> impl Iterator<Item = &Consumer> {
        self.numbers.iter().map(|(_, &id)| self.consumer(id).expect("numbers are of consumers"))
    }

    /// The number of the consumer `name`.
    #[must_use]
    pub fn find_consumer(&self, name: &[u8]) -> Option<ConsumerId> {
        self.numbers.get(name).copied()
    }

    /// The consumer of a number; none if it was deleted.
    #[must_use]
    pub fn consumer(&self, id: ConsumerId) -> Option<&Consumer> {
        self.consumers.get(&id)
    }

    /// The consumer of a number, for changing its times; none if it was deleted.
    pub fn consumer_mut(&mut self, id: ConsumerId) -> Option<&mut Consumer> {
        self.consumers.get_mut(&id)
    }

    /// Creates the consumer `name`, seen at `now`; none if it exists.
    pub fn create_consumer(&mut self, name: &[u8], now: u64) -> Option<ConsumerId> {
        if self.find_consumer(name).is_some() {
            return None;
        }
        let (id, name) = (ConsumerId(self.created), Arc::<[u8]>::from(name));
        self.created += 1;
        self.numbers.insert(Arc::clone(&name), id);
        let consumer = Consumer { name, seen_at: now, active_at: None, pending: Tree::default() };
        self.consumers.insert(id, consumer);
        Some(id)
    }

    /// Deletes the consumer `name` and forgets what it had pending; the number of those entries,
    /// none if there is no such consumer.
    pub fn delete_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let id = self.numbers.remove(name)?;
        let consumer = self.consumers.remove(&id).expect("numbers are of consumers");
        for (id, ()) in consumer.pending.iter() {
            self.pending.remove(id);
        }
        Some(consumer.pending.len())
    }
}

/// Pending entries.
impl Group {
    /// The number of pending entries.
    #[must_use]
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// The record of an entry, if it is pending.
    #[must_use]
    pub fn pending(&self, id: Id) -> Option<&Pending> {
        self.pending.get(&id)
    }

    /// The pending entries from `start` on, in order of id.
    pub fn pending_from(&self, start: Id) -> impl Iterator<Item = (Id, &Pending)> {
        self.pending.iter_from(move |id| *id < start).map(|(id, pending)| (*id, pending))
    }

    /// The smallest and the greatest id of pending entries.
    #[must_use]
    pub fn pending_bounds(&self) -> Option<(Id, Id)> {
        let (first, _) = self.pending.first_from(|_| false)?;
        let (last, _) = self.pending.last_below(|_| true)?;
        Some((*first, *last))
    }

    /// What one consumer has pending from `start` on, in order of id.
    pub fn pending_of(
        &self,
        consumer: ConsumerId,
        start: Id,
    ) -> impl Iterator<Item = (Id, &Pending)> {
        let ids = self.consumer(consumer).map(|c| c.pending.iter_from(move |id| *id < start));
        ids.into_iter().flatten().map(|(id, ())| {
            (*id, self.pending.get(id).expect("what a consumer has is pending in the group"))
        })
    }

    /// Makes an entry pending, or changes its record; it moves to the consumer that the record
    /// names, which must exist.
    pub fn set_pending(&mut self, id: Id, pending: Pending) {
        let before = self.pending.insert(id, pending).map(|before| before.consumer);
        if before == Some(pending.consumer) {
            return;
        }
        if let Some(before) = before {
            self.forget_of(before, id);
        }
        let consumer = self.consumers.get_mut(&pending.consumer);
        consumer.expect("records name consumers that exist").pending.insert(id, ());
    }

    /// Ends the pending state of an entry: acknowledged, or gone. False if it is not pending.
    pub fn acknowledge(&mut self, id: Id) -> bool {
        let Some(pending) = self.pending.remove(&id) else { return false };
        self.forget_of(pending.consumer, id);
        true
    }

    fn forget_of(&mut self, consumer: ConsumerId, id: Id) {
        let consumer = self.consumers.get_mut(&consumer);
        let forgotten = consumer.expect("records name consumers that exist").pending.remove(&id);
        forgotten.expect("pending in the group is pending at its consumer");
    }

    /// An estimate of the memory behind the group, in bytes.
    #[must_use]
    pub(super) fn allocated_bytes(&self) -> usize {
        let record = size_of::<(Id, Pending)>() + size_of::<(Id, ())>();
        let consumer = size_of::<(ConsumerId, Consumer)>() + 2 * size_of::<(Arc<[u8]>, u64)>();
        size_of::<Self>() + self.pending.len() * record + self.consumers.len() * consumer
    }

    /// About how many allocations there are to free: nodes hold some dozens of items.
    pub(super) fn pieces(&self) -> usize {
        2 + 3 * self.consumers.len() + self.pending.len() / 16
    }

    /// Whether everything that must hold between the lists does.
    #[cfg(test)]
    pub(super) fn check(&self) {
        assert_eq!(self.numbers.len(), self.consumers.len());
        let mut of_consumers = 0;
        for consumer in self.consumers() {
            let number = self.find_consumer(consumer.name()).unwrap();
            of_consumers += consumer.pending_len();
            for (id, pending) in self.pending_of(number, Id::MIN) {
                assert_eq!((pending.consumer, self.pending(id)), (number, Some(pending)));
            }
        }
        assert_eq!(of_consumers, self.pending_len());
    }
}
