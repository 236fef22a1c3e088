//! Consumer groups: who was given which entry, and has not acknowledged it.
//!
//! A pending entry has one record, in the group's list by id (the *PEL*): its consumer, when it was
//! delivered, and how often. Two views of the list lead back to it: a consumer has the set of its
//! ids, in order, and the group has all ids by the time of delivery, so that whoever claims what
//! has been idle for long finds the longest idle first and stops at the first that is not.
//!
//! ```text
//!   pending:   id -> consumer, time, count           every record
//!   consumer:  ids                                   those of one consumer
//!   by_time:   (time, id)                            those of all consumers
//!   released:  turn -> id                            those of nobody
//! ```
//!
//! A record that a consumer gave back (`XNACK`) belongs to nobody. It was delivered at no time, so
//! it is always idle enough, and comes before all others: in the order in which they were released.
//!
//! Consumers are numbered as they are created, and the record names the number: eight bytes
//! whatever the length of the name, and renaming is not a thing that happens to consumers.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::Id;
use crate::Pieces;
use crate::tree::{FANOUT, Tree};

/// How many items a node of a list has at least, mostly: they are between half full and full.
const ITEMS_PER_NODE: usize = FANOUT / 2;

/// A consumer group of a stream.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// The id of the last entry that was delivered to anybody: the next delivery is above it.
    pub last_id: Id,
    /// How many of the stream's entries, counted from the first ever, the group has read; none if
    /// that cannot be told.
    pub entries_read: Option<u64>,
    pending: Tree<Id, Pending>,
    by_time: Tree<(u64, Id), ()>,
    released: Released,
    numbers: Tree<Arc<[u8]>, ConsumerId>,
    consumers: Tree<ConsumerId, Consumer>,
    /// How many consumers were ever created.
    created: u64,
}

/// The record of a pending entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// Who has it; none if it was released.
    pub consumer: Option<ConsumerId>,
    /// When it was delivered last, unix time in milliseconds; 0 if it was released.
    pub delivered_at: u64,
    /// How often it was delivered.
    pub deliveries: u64,
}

impl Pending {
    /// The record of an entry that a consumer has.
    #[must_use]
    pub const fn of(consumer: ConsumerId, delivered_at: u64, deliveries: u64) -> Self {
        Self { consumer: Some(consumer), delivered_at, deliveries }
    }

    /// The record of an entry that nobody has.
    #[must_use]
    pub const fn released(deliveries: u64) -> Self {
        Self { consumer: None, delivered_at: 0, deliveries }
    }

    /// For how many milliseconds it has not been delivered; since ever if it was released.
    #[must_use]
    pub const fn idle(&self, now: u64) -> u64 {
        now.saturating_sub(self.delivered_at)
    }
}

/// The number of a consumer within its group; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConsumerId(NonZeroU64);

/// The ids of released entries in the order in which they were released.
#[derive(Clone, Debug, Default)]
struct Released {
    by_turn: Tree<u64, Id>,
    turns: Tree<Id, u64>,
    /// The last turn that was given out.
    last: u64,
}

impl Released {
    /// Adds an id behind the others.
    fn add(&mut self, id: Id) {
        self.last += 1;
        self.by_turn.insert(self.last, id);
        self.turns.insert(id, self.last);
    }

    /// Removes an id that is there.
    fn remove(&mut self, id: Id) {
        let turn = self.turns.remove(&id).expect("what nobody has is released");
        self.by_turn.remove(&turn);
    }
}

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
        self.created += 1;
        let number = NonZeroU64::new(self.created).expect("it was just raised");
        let (id, name) = (ConsumerId(number), Arc::<[u8]>::from(name));
        self.numbers.insert(Arc::clone(&name), id);
        let consumer = Consumer { name, seen_at: now, active_at: None, pending: Tree::default() };
        self.consumers.insert(id, consumer);
        Some(id)
    }

    /// Deletes the consumer `name` and forgets what it had pending; none if there is no such
    /// consumer. O(1) if nobody else has anything pending; else O(n) in all that is pending, or
    /// O(log n) for each of its entries if they are few.
    pub fn delete_consumer(&mut self, name: &[u8]) -> Option<Departed> {
        let id = self.numbers.remove(name)?;
        let ids = self.consumers.remove(&id).expect("numbers are of consumers").pending;
        let kept = self.pending.len() - ids.len();
        if kept > ids.len() * KEPT_PER_REMOVED {
            for (id, ()) in ids.iter() {
                let pending = self.pending.remove(id).expect("what a consumer has is pending");
                self.by_time.remove(&(pending.delivered_at, *id));
            }
            return Some(Departed { ids, ..Departed::default() });
        }
        let pending = std::mem::take(&mut self.pending);
        let by_time = std::mem::take(&mut self.by_time);
        if kept > 0 {
            let others = || pending.iter().filter(|(_, pending)| pending.consumer != Some(id));
            self.pending = Tree::from_ascending(others().map(|(id, pending)| (*id, *pending)));
            let delivered = others().filter(|(_, pending)| pending.consumer.is_some());
            let mut times: Vec<_> = delivered.map(|(id, p)| ((p.delivered_at, *id), ())).collect();
            times.sort_unstable();
            self.by_time = Tree::from_ascending(times);
        }
        Some(Departed { ids, pending, by_time })
    }
}

/// Removing a record from the lists costs as much as copying so many.
const KEPT_PER_REMOVED: usize = 4;

/// What a deleted consumer leaves to be freed.
#[derive(Debug, Default)]
pub struct Departed {
    ids: Tree<Id, ()>,
    /// The group's lists as they were, if they were made anew.
    pending: Tree<Id, Pending>,
    by_time: Tree<(u64, Id), ()>,
}

impl Departed {
    /// The number of entries that it had pending.
    #[must_use]
    pub fn pending_len(&self) -> usize {
        self.ids.len()
    }
}

impl Pieces for Departed {
    fn pieces(&self) -> usize {
        (self.ids.len() + self.pending.len() + self.by_time.len()) / ITEMS_PER_NODE
    }
}

impl Pieces for Group {
    fn pieces(&self) -> usize {
        2 + 3 * self.consumers.len() + 3 * self.pending.len() / ITEMS_PER_NODE
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

    /// The entries that nobody has had delivered within `min_idle` milliseconds before `now`:
    /// those that were released, then the others, the longest idle first.
    pub fn claimable(&self, now: u64, min_idle: u64) -> impl Iterator<Item = (Id, &Pending)> {
        let idle = self.by_time.iter().map(|(key, ())| key);
        let idle = idle.take_while(move |(at, _)| now.saturating_sub(*at) >= min_idle);
        let released = self.released.by_turn.iter().map(|(_, id)| *id);
        released
            .chain(idle.map(|(_, id)| *id))
            .map(|id| (id, self.pending.get(&id).expect("both orders are of pending entries")))
    }

    /// When the first entry will have been idle for `min_idle` milliseconds, unless it changes
    /// hands before: unix time in milliseconds. None if nothing is pending.
    #[must_use]
    pub fn claimable_at(&self, min_idle: u64) -> Option<u64> {
        if !self.released.by_turn.is_empty() {
            return Some(0);
        }
        let ((first, _), ()) = self.by_time.first_from(|_| false)?;
        Some(first.saturating_add(min_idle))
    }

    /// The number of pending entries that nobody has.
    #[must_use]
    pub fn released_len(&self) -> usize {
        self.released.by_turn.len()
    }

    /// Makes an entry pending, or changes its record; it moves to the consumer that the record
    /// names, which must exist, or behind what else was released.
    pub fn set_pending(&mut self, id: Id, pending: Pending) {
        let before = self.pending.insert(id, pending);
        if let Some(before) = before {
            let same = before.consumer.is_some() && before.consumer == pending.consumer;
            if same && before.delivered_at == pending.delivered_at {
                return;
            }
            self.unlink(id, before);
        }
        let Some(consumer) = pending.consumer else { return self.released.add(id) };
        self.by_time.insert((pending.delivered_at, id), ());
        self.consumer_of_record(consumer).pending.insert(id, ());
    }

    /// Ends the pending state of an entry: acknowledged, or gone. False if it is not pending.
    pub fn acknowledge(&mut self, id: Id) -> bool {
        let Some(pending) = self.pending.remove(&id) else { return false };
        self.unlink(id, pending);
        true
    }

    /// Takes an entry out of the views of the list in which its record put it.
    fn unlink(&mut self, id: Id, pending: Pending) {
        let Some(consumer) = pending.consumer else { return self.released.remove(id) };
        self.by_time.remove(&(pending.delivered_at, id)).expect("the order is of all records");
        let forgotten = self.consumer_of_record(consumer).pending.remove(&id);
        forgotten.expect("pending in the group is pending at its consumer");
    }

    fn consumer_of_record(&mut self, consumer: ConsumerId) -> &mut Consumer {
        self.consumers.get_mut(&consumer).expect("records name consumers that exist")
    }

    /// An estimate of the memory behind the group, in bytes.
    #[must_use]
    pub(super) fn allocated_bytes(&self) -> usize {
        let record = size_of::<(Id, Pending)>() + size_of::<Id>() + size_of::<(u64, Id)>();
        let consumer = size_of::<(ConsumerId, Consumer)>() + 2 * size_of::<(Arc<[u8]>, u64)>();
        size_of::<Self>() + self.pending.len() * record + self.consumers.len() * consumer
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
                assert_eq!((pending.consumer, self.pending(id)), (Some(number), Some(pending)));
                assert!(self.by_time.get(&(pending.delivered_at, id)).is_some());
            }
        }
        assert_eq!(of_consumers, self.by_time.len());
        for (turn, id) in self.released.by_turn.iter() {
            assert_eq!(self.pending(*id).unwrap().consumer, None);
            assert_eq!(self.released.turns.get(id), Some(turn));
        }
        assert_eq!(self.released.turns.len(), self.released_len());
        assert_eq!(of_consumers + self.released_len(), self.pending_len());
    }
}
