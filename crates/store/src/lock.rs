//! Locking a command's shards: in ascending order, once, before it runs.
//!
//! Because every thread takes its locks in the same order and never waits for another while it
//! holds some, no two commands can wait for each other.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_utils::CachePadded;
use parking_lot::{Mutex, MutexGuard};

use crate::UnixMs;
use crate::position::{Position, SHARDS, shard_of};
use crate::shard::{Shard, Store};
use crate::watch::WatchFlag;

type Guard<'s> = MutexGuard<'s, Shard>;

/// The shards that a command or transaction has locked.
#[derive(Debug)]
pub struct Held<'s> {
    guards: Guards<'s>,
}

/// Locks that belong to somebody else, whose own lifetime does not matter here.
trait Lender: std::fmt::Debug {
    fn is_all(&self) -> bool;
    fn get(&self, shard: usize) -> Option<&Shard>;
    fn get_mut(&mut self, shard: usize) -> Option<&mut Shard>;
}

impl Lender for Held<'_> {
    fn is_all(&self) -> bool {
        Held::is_all(self)
    }

    fn get(&self, shard: usize) -> Option<&Shard> {
        Held::get(self, shard)
    }

    fn get_mut(&mut self, shard: usize) -> Option<&mut Shard> {
        Held::get_mut(self, shard)
    }
}

#[derive(Debug)]
enum Guards<'s> {
    None,
    One(usize, Guard<'s>),
    /// Ascending by shard number.
    Some(Vec<(usize, Guard<'s>)>),
    /// All of them, indexed by shard number.
    All(Vec<Guard<'s>>),
    /// Those of another.
    Lent(&'s mut (dyn Lender + 's)),
}

/// Somebody who is known to keep locks for long has them ([`Store::begin_long_hold`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldLong;

/// How often who waits for a lock looks whether it is held for long.
const LOOK: Duration = Duration::from_millis(5);

/// Locks a shard, unless that takes long.
#[inline]
pub(crate) fn lock_soon(store: &Store, shard: usize) -> Result<Guard<'_>, HeldLong> {
    match store.shards[shard].try_lock() {
        Some(guard) => Ok(guard),
        None => wait_for(store, shard),
    }
}

#[cold]
fn wait_for(store: &Store, shard: usize) -> Result<Guard<'_>, HeldLong> {
    loop {
        if let Some(guard) = store.shards[shard].try_lock_for(LOOK) {
            return Ok(guard);
        }
        if store.is_held_long() {
            return Err(HeldLong);
        }
    }
}

/// Locks a shard, however long that takes.
fn lock_patiently(store: &Store, shard: usize) -> Result<Guard<'_>, Infallible> {
    Ok(store.shards[shard].lock())
}

impl<'s> Held<'s> {
    /// No shard: for commands without keys.
    #[must_use]
    pub const fn none() -> Self {
        Self { guards: Guards::None }
    }

    /// The shard of one key.
    #[inline]
    #[must_use]
    pub fn one(store: &'s Store, position: Position) -> Self {
        let shard = shard_of(position);
        Self { guards: Guards::One(shard, store.shards[shard].lock()) }
    }

    /// The shards of several keys, in any order and with repetitions.
    #[must_use]
    pub fn keys(store: &'s Store, positions: impl IntoIterator<Item = Position>) -> Self {
        let Ok(held) = Self::keys_with(store, positions, lock_patiently);
        held
    }

    /// As [`Held::one`], unless that takes long.
    ///
    /// # Errors
    /// If the shard is held for long.
    #[inline]
    pub fn one_soon(store: &'s Store, position: Position) -> Result<Self, HeldLong> {
        let shard = shard_of(position);
        Ok(Self { guards: Guards::One(shard, lock_soon(store, shard)?) })
    }

    /// As [`Held::keys`], unless that takes long.
    ///
    /// # Errors
    /// If a shard is held for long.
    pub fn keys_soon(
        store: &'s Store,
        positions: impl IntoIterator<Item = Position>,
    ) -> Result<Self, HeldLong> {
        Self::keys_with(store, positions, lock_soon)
    }

    /// As [`Held::all`], unless that takes long.
    ///
    /// # Errors
    /// If a shard is held for long.
    pub fn all_soon(store: &'s Store) -> Result<Self, HeldLong> {
        let guards: Result<_, _> = (0..SHARDS).map(|shard| lock_soon(store, shard)).collect();
        Ok(Self { guards: Guards::All(guards?) })
    }

    fn keys_with<E>(
        store: &'s Store,
        positions: impl IntoIterator<Item = Position>,
        lock: impl Fn(&'s Store, usize) -> Result<Guard<'s>, E>,
    ) -> Result<Self, E> {
        let mut wanted = [0u64; SHARDS / 64];
        for position in positions {
            let shard = shard_of(position);
            wanted[shard / 64] |= 1 << (shard % 64);
        }
        let mut guards = Vec::new();
        for (word_index, &word) in wanted.iter().enumerate() {
            let mut rest = word;
            while rest != 0 {
                let shard = word_index * 64 + rest.trailing_zeros() as usize;
                rest &= rest - 1;
                guards.push((shard, lock(store, shard)?));
            }
        }
        Ok(Self { guards: Guards::Some(guards) })
    }

    /// Every shard: for what must be atomic over the whole keyspace.
    #[must_use]
    pub fn all(store: &'s Store) -> Self {
        Self { guards: Guards::All(store.shards.iter().map(|s| s.lock()).collect()) }
    }

    /// Adds a shard that is not held, if nobody else holds it just now. What is lent takes no more.
    pub(crate) fn try_add(&mut self, store: &'s Store, shard: usize) -> bool {
        if matches!(self.guards, Guards::Lent(_) | Guards::All(_)) {
            return false;
        }
        let Some(guard) = store.shards[shard].try_lock() else { return false };
        let mut guards = match std::mem::replace(&mut self.guards, Guards::None) {
            Guards::Some(guards) => guards,
            Guards::One(held, guard) => vec![(held, guard)],
            _ => {
                self.guards = Guards::One(shard, guard);
                return true;
            }
        };
        let at = guards.partition_point(|(held, _)| *held < shard);
        guards.insert(at, (shard, guard));
        self.guards = Guards::Some(guards);
        true
    }

    /// These locks for a while, for a command that runs under those of another.
    pub fn lend(&mut self) -> Held<'_> {
        Held { guards: Guards::Lent(self) }
    }

    /// Whether every shard is held.
    #[must_use]
    pub fn is_all(&self) -> bool {
        match &self.guards {
            Guards::All(_) => true,
            Guards::Lent(lender) => lender.is_all(),
            Guards::None | Guards::One(..) | Guards::Some(_) => false,
        }
    }

    /// Whether no shard is held.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        matches!(self.guards, Guards::None)
    }

    /// The locked shard number `shard`, if it is held.
    #[inline]
    pub fn get_mut(&mut self, shard: usize) -> Option<&mut Shard> {
        match &mut self.guards {
            Guards::None => None,
            Guards::One(held, guard) => (*held == shard).then_some(&mut **guard),
            Guards::Some(guards) => {
                let at = guards.binary_search_by_key(&shard, |(held, _)| *held).ok()?;
                Some(&mut guards[at].1)
            }
            Guards::All(guards) => guards.get_mut(shard).map(|guard| &mut **guard),
            Guards::Lent(lender) => lender.get_mut(shard),
        }
    }
}

impl Held<'_> {
    /// Whether a watched key that was alive when `flag` was registered is past its time at `now`
    /// though still there. The key's shard is held.
    #[must_use]
    pub fn watched_expired(
        &self,
        store: &Store,
        db: usize,
        key: &[u8],
        flag: &Arc<WatchFlag>,
        now: UnixMs,
    ) -> bool {
        let position = store.position(key);
        self.get(shard_of(position)).is_some_and(|shard| {
            let entry = shard.databases[db].find(position, key);
            let due = entry.is_some_and(|e| e.deadline().is_some_and(|at| at <= now));
            due && !shard.watchers.saw_expired(db, key, flag)
        })
    }

    /// The shards that are locked by this holder itself.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Shard> {
        let (one, some, all): (_, &[(usize, Guard<'_>)], &[Guard<'_>]) = match &self.guards {
            Guards::None | Guards::Lent(_) => (None, &[], &[]),
            Guards::One(_, guard) => (Some(&**guard), &[], &[]),
            Guards::Some(guards) => (None, guards, &[]),
            Guards::All(guards) => (None, &[], guards),
        };
        let some = some.iter().map(|(_, guard)| &**guard);
        one.into_iter().chain(some).chain(all.iter().map(|guard| &**guard))
    }

    pub(crate) fn get(&self, shard: usize) -> Option<&Shard> {
        match &self.guards {
            Guards::None => None,
            Guards::One(held, guard) => (*held == shard).then_some(&**guard),
            Guards::Some(guards) => {
                let at = guards.binary_search_by_key(&shard, |(held, _)| *held).ok()?;
                Some(&guards[at].1)
            }
            Guards::All(guards) => guards.get(shard).map(|guard| &**guard),
            Guards::Lent(lender) => lender.get(shard),
        }
    }
}

/// Runs `work` on a shard: on the held one, else under a lock of its own.
///
/// The lock of its own is only taken when nothing is held, which keeps the order.
pub(crate) fn with_shard<R>(
    shards: &[CachePadded<Mutex<Shard>>],
    held: &mut Held<'_>,
    shard: usize,
    work: impl FnOnce(&mut Shard) -> R,
) -> R {
    if let Some(held) = held.get_mut(shard) {
        return work(held);
    }
    assert!(held.is_none(), "a walk of the keyspace holds all locks or none");
    let mut guard = shards[shard].lock();
    let result = work(&mut guard);
    // A walk comes back for the same lock at once: whoever waits goes first.
    MutexGuard::unlock_fair(guard);
    result
}

/// Runs `work` on every shard, in any order: on the held ones, else each under a lock of its own.
///
/// Those that are free come first, so that a walk in the order of the shards, the sweep of due keys
/// say, is met once and not followed from shard to shard.
pub(crate) fn each_shard(
    shards: &[CachePadded<Mutex<Shard>>],
    held: &mut Held<'_>,
    mut work: impl FnMut(usize, &mut Shard),
) {
    if !held.is_none() {
        let each = |index| with_shard(shards, held, index, |shard| work(index, shard));
        return (0..SHARDS).for_each(each);
    }
    let mut busy = [0u64; SHARDS / 64];
    for (index, shard) in shards.iter().enumerate() {
        match shard.try_lock() {
            Some(mut shard) => work(index, &mut shard),
            None => busy[index / 64] |= 1 << (index % 64),
        }
    }
    for index in (0..SHARDS).filter(|index| busy[index / 64] >> (index % 64) & 1 == 1) {
        with_shard(shards, held, index, |shard| work(index, shard));
    }
}
