//! Eviction: which keys make room for others, and what follows when they go.
//!
//! Nobody keeps the keys in the order of their use: that would cost memory for each and a shared
//! list for all threads. Some keys are looked at, chosen at random over all shards and databases,
//! and the one that is missed least goes. What makes such a choice good is the [`Pool`]: the best
//! candidates of earlier rounds are remembered, so that a key goes only if it is the best among all
//! that were seen lately.
//!
//! ```text
//!   random shard          pool of a thread: 16 candidates           shard of the best
//!  ┌───────────────┐     ┌──────┬──────┬─ ─ ─┬──────┬──────┐      ┌──────────────────┐
//!  │ one line of a │────>│ idle │ idle │     │ idle │ idle │─────>│ still there, and │
//!  │ random table  │     │   3s │  40s │     │ 900s │ 980s │ best │ not used since?  │
//!  └───────────────┘     └──────┴──────┴─ ─ ─┴──────┴──────┘      └──────────────────┘
//!     a lock                      no lock                            a lock, removed
//! ```
//!
//! A candidate is a position and not a key, so that remembering it costs no memory. Each thread has
//! a pool of its own, and locks one shard at a time, if that is free just then: threads that make
//! room wait neither for one another nor for commands, unless there is next to nothing to evict.
//!
//! # Fairness
//!
//! Positions are hashes, so shards have about the same number of keys, and each is as likely to be
//! looked at as the others. Inside it a database is chosen by its number of keys, and all keys of a
//! line are taken, so that every key has about the same chance.

use std::time::Duration;

use collections::entry::{Entry, EntryRef, ValueRef};
use collections::table::{KeyTable, SHARD_BITS, Search};
use parking_lot::MutexGuard;
use stdx::rng::Rng;

use crate::UnixMs;
use crate::access::Access;
use crate::effects::{Effects, Event, EventClass, Garbage, is_large};
use crate::position::{Position, SHARDS, shard_of};
use crate::shard::{Shard, Store};
use crate::waiting::Waiting;
use crate::watch::Watchers;

/// Candidates that a pool remembers.
const POOL_MAX: usize = 16;
/// Shards looked at, at random, before all of them are.
const SHARDS_TRIED: usize = 16;
/// Rounds of looking before a thread gives up, since others keep the shards or use the candidates.
const ROUNDS_MAX: usize = 8;
/// How long a thread waits for a shard where it has found no key to evict elsewhere.
const PATIENCE: Duration = Duration::from_millis(1);
/// Lines looked at for keys with deadlines where those are not few.
const LINES_TRIED: usize = 8;

/// By what the key that goes is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The access clock: the one used longest ago, or least often, as the clock is kept.
    Access,
    /// The one whose deadline is next.
    Deadline,
    /// Any.
    Chance,
}

/// How keys are chosen: `maxmemory-policy` and what belongs to it.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Only keys with deadlines go.
    pub only_expiring: bool,
    /// Which of them.
    pub order: Order,
    /// Keys to look at for each that goes.
    pub samples: usize,
    /// How the access clock is kept.
    pub access: Access,
    /// The time.
    pub now: UnixMs,
    /// Whether the log calls the removal `UNLINK` and not `DEL`.
    pub unlinks: bool,
}

impl Rule {
    /// How little the entry would be missed: the highest goes first. None if it must stay.
    fn score(&self, entry: EntryRef<'_>, rng: &mut Rng) -> Option<u64> {
        if self.only_expiring && entry.deadline().is_none() {
            return None;
        }
        Some(match self.order {
            Order::Access => self.access.staleness(entry.clock(), self.now),
            Order::Deadline => u64::MAX - entry.deadline().unwrap_or(u64::MAX),
            Order::Chance => rng.next_u64(),
        })
    }

    /// How many keys of the table may go.
    const fn eligible(&self, table: &KeyTable) -> usize {
        if self.only_expiring { table.expiring() } else { table.len() }
    }
}

/// A key that may go.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    score: u64,
    position: Position,
    db: usize,
}

/// The best candidates that a thread has seen, the best one last.
#[derive(Debug, Default)]
pub struct Pool {
    candidates: Vec<Candidate>,
    /// What the scores mean.
    meaning: Option<(bool, Order, std::mem::Discriminant<crate::access::Policy>)>,
}

impl Pool {
    /// Forgets candidates that were chosen by another rule.
    fn adapt(&mut self, rule: &Rule) {
        let policy = std::mem::discriminant(&rule.access.policy);
        let meaning = Some((rule.only_expiring, rule.order, policy));
        if self.meaning != meaning {
            self.candidates.clear();
            self.meaning = meaning;
        }
    }

    /// Whether a candidate with this score would be remembered.
    fn wants(&self, score: u64) -> bool {
        self.candidates.len() < POOL_MAX || score > self.candidates[0].score
    }

    fn add(&mut self, candidate: Candidate) {
        let is_same =
            |known: &Candidate| known.position == candidate.position && known.db == candidate.db;
        self.candidates.retain(|known| !is_same(known));
        let at = self.candidates.partition_point(|known| known.score < candidate.score);
        self.candidates.insert(at, candidate);
        if self.candidates.len() > POOL_MAX {
            self.candidates.remove(0);
        }
    }
}

/// What an attempt to evict a key came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A key is gone. So many bytes are free; what is large is in the effects' garbage.
    Removed(u64),
    /// Others keep the shards that have keys to evict.
    Busy,
    /// There is no key that may go.
    Nothing,
}

/// What looking at a candidate again came to.
enum Verdict {
    Removed(u64),
    /// It is gone, or was used meanwhile.
    Stale,
    Busy,
}

impl Store {
    /// Removes one key, which `rule` chooses. Nothing is held by the caller. `route` is called with
    /// the effects while the key's lock is held.
    pub fn evict(
        &self,
        rule: &Rule,
        pool: &mut Pool,
        effects: &mut Effects,
        rng: &mut Rng,
        mut route: impl FnMut(&mut Effects),
    ) -> Outcome {
        pool.adapt(rule);
        for _ in 0..ROUNDS_MAX {
            let (seen, mut is_busy) = self.fill(rule, pool, rng);
            let mut later = Vec::new();
            while let Some(candidate) = pool.candidates.pop() {
                match self.evict_candidate(candidate, rule, effects, rng, &mut route) {
                    Verdict::Removed(bytes) => {
                        later.into_iter().for_each(|candidate| pool.add(candidate));
                        return Outcome::Removed(bytes);
                    }
                    Verdict::Busy => later.push(candidate),
                    Verdict::Stale => {}
                }
            }
            is_busy |= !later.is_empty();
            later.into_iter().for_each(|candidate| pool.add(candidate));
            if seen == 0 && !is_busy {
                return Outcome::Nothing;
            }
        }
        Outcome::Busy
    }

    /// Looks at some keys, and remembers the best. How many, and whether shards were passed over
    /// that others keep.
    fn fill(&self, rule: &Rule, pool: &mut Pool, rng: &mut Rng) -> (usize, bool) {
        let (mut seen, mut is_busy) = (0, false);
        for _ in 0..SHARDS_TRIED.max(rule.samples) {
            match self.sample_shard(rng.index(SHARDS), None, rule, pool, rng) {
                Some(count) => seen += count,
                None => is_busy = true,
            }
            if seen >= rule.samples {
                break;
            }
        }
        if seen > 0 {
            return (seen, is_busy);
        }
        // There are few, or none: whoever keeps a shard now is waited for, but not for long.
        let (first, mut patience) = (rng.index(SHARDS), Some(PATIENCE));
        is_busy = false;
        for step in 0..SHARDS {
            match self.sample_shard((first + step) % SHARDS, patience, rule, pool, rng) {
                Some(0) => {}
                Some(count) => return (count, is_busy),
                None => (is_busy, patience) = (true, None),
            }
        }
        (0, is_busy)
    }

    /// Looks at some keys of a shard; how many of them may go. None if somebody else keeps it,
    /// after a while.
    fn sample_shard(
        &self,
        shard: usize,
        patience: Option<Duration>,
        rule: &Rule,
        pool: &mut Pool,
        rng: &mut Rng,
    ) -> Option<usize> {
        let shard = &self.shards[shard];
        let free = shard.try_lock();
        let mut shard = free.or_else(|| shard.try_lock_for(patience?))?;
        let Some(db) = choose_database(&shard, rule, rng) else { return Some(0) };
        let lot = rng.next_u64();
        let mut look = Look { store: self, rule, pool, rng, db, seen: 0 };
        let table = &mut shard.databases[db];
        // Where few keys have deadlines, lines are not worth a try.
        let tries = match rule.only_expiring {
            true if table.expiring() * LINES_TRIED < table.len() => 0,
            true => LINES_TRIED as u64,
            false => 1,
        };
        for lot in (0..tries).map(|number| lot.wrapping_add(number << 32)) {
            table.sample_line(lot, |entry| look.show(entry));
            if look.seen > 0 {
                return Some(look.seen);
            }
        }
        let (mut from, mut has_wrapped) = (lot >> SHARD_BITS, false);
        while look.seen == 0 {
            let table = &mut shard.databases[db];
            from = match table.search_expiring(from, |entry| look.show(entry)) {
                Search::GoOn(position) => position,
                Search::End if !has_wrapped => {
                    has_wrapped = true;
                    0
                }
                Search::Found | Search::End => break,
            };
            // The table may be large: whoever waits goes first.
            MutexGuard::bump(&mut shard);
        }
        Some(look.seen)
    }

    /// Removes a candidate, unless it is not what it was.
    fn evict_candidate(
        &self,
        candidate: Candidate,
        rule: &Rule,
        effects: &mut Effects,
        rng: &mut Rng,
        route: &mut impl FnMut(&mut Effects),
    ) -> Verdict {
        let Some(mut shard) = self.shards[shard_of(candidate.position)].try_lock() else {
            return Verdict::Busy;
        };
        let Shard { databases, watchers, waiting, tracked } = &mut *shard;
        let rehash = |key: &[u8]| self.position(key);
        let Some(slot) = databases[candidate.db].slot_at(candidate.position, &rehash) else {
            return Verdict::Stale;
        };
        let Some(score) = rule.score(slot.entry(), rng) else { return Verdict::Stale };
        if score < candidate.score && rule.order != Order::Chance {
            return Verdict::Stale;
        }
        // Under the lock, as for a command.
        effects.interest = self.interest();
        effects.changing = true;
        let entry = slot.remove(&rehash);
        let freed = if is_large(&entry) { 0 } else { entry.allocated_bytes() as u64 };
        evicted(watchers, waiting, effects, rule, candidate.db, entry);
        // The locks of whoever waits for the end of a key may be others than this one.
        effects.ready_later.append(&mut effects.ready);
        for modified in &mut effects.modified {
            modified.readers = Some(self.take_readers(&modified.key.key, tracked));
        }
        if effects.pending() {
            route(effects);
        }
        Verdict::Removed(freed)
    }
}

/// Who looks at keys.
struct Look<'a> {
    store: &'a Store,
    rule: &'a Rule,
    pool: &'a mut Pool,
    rng: &'a mut Rng,
    db: usize,
    /// Keys seen that may go.
    seen: usize,
}

impl Look<'_> {
    fn show(&mut self, entry: EntryRef<'_>) {
        let Some(score) = self.rule.score(entry, self.rng) else { return };
        self.seen += 1;
        if self.pool.wants(score) {
            let position = self.store.position(entry.key());
            self.pool.add(Candidate { score, position, db: self.db });
        }
    }
}

/// A database of the shard, by the number of its keys that may go; none if there are none.
fn choose_database(shard: &Shard, rule: &Rule, rng: &mut Rng) -> Option<usize> {
    let total: usize = shard.databases.iter().map(|table| rule.eligible(table)).sum();
    let mut at = if total > 0 { rng.index(total) } else { return None };
    shard.databases.iter().position(|table| {
        let here = rule.eligible(table);
        let is_here = at < here;
        at -= if is_here { 0 } else { here };
        is_here
    })
}

/// Records that `entry` was removed to make room.
fn evicted(
    watchers: &Watchers,
    waiting: &Waiting,
    effects: &mut Effects,
    rule: &Rule,
    db: usize,
    entry: Entry,
) {
    let key = entry.key();
    if !watchers.is_empty() {
        watchers.key_changed(db, key);
    }
    if waiting.awaits_loss(db, key) {
        effects.ready(db, key);
    }
    effects.counters.evicted += 1;
    effects.record(db, &[if rule.unlinks { b"UNLINK".as_slice() } else { b"DEL" }, key]);
    effects.modified(db, key);
    effects.event(db, Event { class: EventClass::Evicted, name: "evicted" }, key);
    effects.discard(entry);
}

impl Garbage {
    /// About how many bytes dropping it frees, what it shares with others included.
    #[must_use]
    pub fn bytes_nearly(&self) -> u64 {
        /// What one allocation of many takes, where asking each would take long.
        const PIECE_BYTES: usize = 64;
        const PIECES_ASKED_MAX: usize = 1 << 16;
        const ENTRIES_ASKED: u64 = 2;
        let bytes = match self {
            Self::Entry(entry) => match entry.value() {
                ValueRef::Object(object) if object.pieces() > PIECES_ASKED_MAX => {
                    object.pieces() * PIECE_BYTES
                }
                ValueRef::Object(_) | ValueRef::String(_) => entry.allocated_bytes(),
            },
            Self::Table(table) => {
                let sample = (0..ENTRIES_ASKED).filter_map(|lot| table.sample(lot));
                let each = sample.map(|entry| entry.allocated_bytes()).sum::<usize>();
                table.memory_bytes() + table.len() * (each / ENTRIES_ASKED as usize)
            }
            Self::Part(_, pieces) => pieces * PIECE_BYTES,
        };
        bytes as u64
    }
}

#[cfg(test)]
mod tests;
