//! Clients that wait for keys: who is next, under the key's own lock.
//!
//! A command that finds nothing to take registers its ticket, a number that the engine knows the
//! client by, with every key it waits for, while it holds their shards. So between "there was
//! nothing" and "it waits" no other command can put something there unseen. Whoever changes a key
//! under its lock finds the tickets in the order in which they came. The edit handle looks into the
//! shard's queues itself, so that only a key that somebody waits for is noted as ready.
//!
//! A command whose keys lie in several shards is *wide*: serving it takes more locks than the key
//! that became ready. A writer that finds a wide ticket in one of its shards begins again under
//! all locks, because locks are never taken one after another.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use hashbrown::HashMap;

use crate::keyspace::Keyspace;
use crate::lock::{Held, HeldLong, lock_soon};
use crate::position::{Position, SHARDS, shard_of};
use crate::shard::Store;
use crate::value_type::ValueType;

/// A client's turn in the queues of the keys it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// By which the engine knows the client.
    pub number: u64,
    /// The type of value that can serve it.
    pub wanted: ValueType,
    /// Whether the command needs more shards than one.
    pub wide: bool,
    /// Whether it is to be looked at even when the key is gone or of another type.
    pub on_loss: bool,
}

/// Who waits for one key, in the order of their coming.
#[derive(Debug, Default)]
struct Queue {
    tickets: VecDeque<Ticket>,
    /// How many of them are to be looked at when the key is gone.
    on_loss: usize,
}

impl Queue {
    /// The first ticket from place `from` on that concerns a key which holds `found` now. A key
    /// that is gone is the usual end of serving a long queue: then nobody is looked at.
    fn next(&self, from: usize, found: Option<ValueType>) -> Option<(usize, Ticket)> {
        if found.is_none() && self.on_loss == 0 {
            return None;
        }
        let concerns = |ticket: &Ticket| ticket.on_loss || found == Some(ticket.wanted);
        let rest = self.tickets.range(from.min(self.tickets.len())..);
        let at = from + rest.into_iter().position(concerns)?;
        Some((at, self.tickets[at]))
    }
}

type Queues = HashMap<Box<[u8]>, Queue, foldhash::fast::RandomState>;

/// The queues of one shard.
#[derive(Debug, Default)]
pub struct Waiting {
    databases: HashMap<usize, Queues, foldhash::fast::RandomState>,
    /// Number of wide tickets.
    wide: usize,
}

impl Waiting {
    fn queue(&self, db: usize, key: &[u8]) -> Option<&Queue> {
        self.databases.get(&db)?.get(key)
    }

    /// Whether somebody waits for a key.
    #[inline]
    pub(crate) fn awaits(&self, db: usize, key: &[u8]) -> bool {
        !self.databases.is_empty() && self.queue(db, key).is_some()
    }

    /// Whether somebody waits for a key who must hear of its end.
    pub(crate) fn awaits_loss(&self, db: usize, key: &[u8]) -> bool {
        self.queue(db, key).is_some_and(|queue| queue.on_loss > 0)
    }

    fn add(&mut self, db: usize, key: &[u8], ticket: Ticket) {
        let queues = self.databases.entry(db).or_default();
        let queue = match queues.get_mut(key) {
            Some(queue) => queue,
            None => queues.entry(key.into()).or_default(),
        };
        // A key that the command names twice waits once.
        if queue.tickets.back() != Some(&ticket) {
            queue.tickets.push_back(ticket);
            queue.on_loss += usize::from(ticket.on_loss);
            self.wide += usize::from(ticket.wide);
        }
    }

    fn remove(&mut self, db: usize, key: &[u8], number: u64) {
        let Some(queues) = self.databases.get_mut(&db) else { return };
        let Some(queue) = queues.get_mut(key) else { return };
        let at = queue.tickets.iter().position(|ticket| ticket.number == number);
        if let Some(ticket) = at.and_then(|at| queue.tickets.remove(at)) {
            queue.on_loss -= usize::from(ticket.on_loss);
            self.wide -= usize::from(ticket.wide);
        }
        if queue.tickets.is_empty() {
            queues.remove(key);
        }
        if queues.is_empty() {
            self.databases.remove(&db);
        }
    }
}

impl Held<'_> {
    /// Whether a client that waits here needs more locks than these to be served.
    #[must_use]
    pub fn has_wide_waiters(&self) -> bool {
        !self.is_all() && self.iter().any(|shard| shard.waiting.wide > 0)
    }
}

impl Keyspace<'_> {
    /// Registers a ticket with keys of the selected database, all of whose shards are held.
    pub fn wait_for(&mut self, keys: &[Box<[u8]>], ticket: Ticket) {
        let db = self.scope.db;
        for key in keys {
            let shard = shard_of(self.store.position(key));
            let shard = self.held.get_mut(shard).expect("a command waits for keys it has locked");
            shard.waiting.add(db, key, ticket);
        }
        self.store.waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// The first ticket from place `from` on in a key's queue that can be served by what the key
    /// holds now, or must hear that it holds it no longer; with its place.
    pub fn next_waiter(&mut self, db: usize, key: &[u8], from: usize) -> Option<(usize, Ticket)> {
        let shard = shard_of(self.store.position(key));
        self.held.get(shard)?.waiting.queue(db, key)?;
        let found = self.peek_in(db, key).map(|entry| ValueType::of(entry.value()));
        self.held.get(shard)?.waiting.queue(db, key)?.next(from, found)
    }

    /// Whether the shard of a position is held.
    #[must_use]
    pub fn covers(&self, position: Position) -> bool {
        self.held.get(shard_of(position)).is_some()
    }

    /// Every key that someone waits for, with its database. All shards are held.
    #[must_use]
    pub fn awaited_keys(&self) -> Vec<(usize, Box<[u8]>)> {
        let shards = (0..SHARDS).filter_map(|shard| self.held.get(shard));
        let databases = shards.flat_map(|shard| &shard.waiting.databases);
        databases.flat_map(|(db, queues)| queues.keys().map(|key| (*db, key.clone()))).collect()
    }

    /// Takes a ticket out of the queues of its keys, whose shards are held.
    pub fn end_wait(&mut self, db: usize, keys: &[Box<[u8]>], number: u64) {
        for key in keys {
            if let Some(shard) = self.held.get_mut(shard_of(self.store.position(key))) {
                shard.waiting.remove(db, key, number);
            }
        }
        self.store.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Store {
    /// Whether the keys that `each` names lie in more shards than one.
    pub fn are_apart(&self, each: impl FnOnce(&mut dyn FnMut(&[u8]))) -> bool {
        let (mut first, mut apart) = (None, false);
        each(&mut |key| {
            let shard = shard_of(self.position(key));
            apart |= *first.get_or_insert(shard) != shard;
        });
        apart
    }

    /// As [`Keyspace::end_wait`], where no lock is held by the caller.
    ///
    /// # Errors
    /// If a shard is held for long: the ticket stays in its queues there, to be taken out later.
    pub fn end_wait(&self, db: usize, keys: &[Box<[u8]>], number: u64) -> Result<(), HeldLong> {
        for key in keys {
            let mut shard = lock_soon(self, shard_of(self.position(key)))?;
            shard.waiting.remove(db, key, number);
        }
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Ok(())
    }

    /// Number of tickets.
    #[must_use]
    pub fn waiters(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }
}
