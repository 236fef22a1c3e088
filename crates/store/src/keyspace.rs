//! What a command may do with the keys it has locked: read them, edit them, walk over all of them.

use std::cell::Cell;
use std::sync::Arc;

use collections::entry::EntryRef;
use collections::prefetch::Hint;
use collections::table::Slot;
use stdx::rng::Rng;

use crate::UnixMs;
use crate::access::Access;
use crate::edit::Edit;
use crate::effects::{Effects, Event, EventClass};
use crate::lock::{Held, HeldLong};
use crate::position::{Position, shard_of};
use crate::shard::{Shard, Store};
use crate::tracked::Reader;
use crate::watch::WatchFlag;

/// What a command runs under, besides its locks.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// The selected database.
    pub db: usize,
    /// The time of the command, the same for all commands of a transaction.
    pub now: UnixMs,
    /// How accesses are recorded.
    pub access: Access,
    /// What becomes of a key whose time has come when it is looked up.
    pub overdue: Overdue,
}

/// What becomes of a key whose time has come when it is looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overdue {
    /// It is removed.
    #[default]
    Remove,
    /// Reads leave it where it is and say that it is absent: while writes are paused, nothing may
    /// change.
    Hide,
    /// It is as alive as any other: a log that is replayed says itself when keys went, and what it
    /// did to them before that comes first.
    Show,
}

impl Scope {
    /// Whether what has this deadline is over.
    #[inline]
    #[must_use]
    pub fn is_due(&self, deadline: UnixMs) -> bool {
        deadline <= self.now && self.overdue != Overdue::Show
    }
}

/// Positions already computed for locking, found again by the identity of the key's slice.
///
/// The first is kept apart so that a single-key command allocates nothing. Commands take their keys
/// in order, so the next one is looked for where the last one was found and nowhere else: a command
/// may have millions of keys.
#[derive(Debug, Default)]
struct Positions<'a> {
    first: Option<(&'a [u8], Position)>,
    rest: Vec<(&'a [u8], Position)>,
    /// Where in `rest` the next key is likely to be.
    next: Cell<usize>,
}

impl<'a> Positions<'a> {
    /// None computed.
    const fn new() -> Self {
        Self { first: None, rest: Vec::new(), next: Cell::new(0) }
    }

    /// Remembers the position of a key.
    #[inline]
    fn push(&mut self, key: &'a [u8], position: Position) {
        if self.first.is_none() {
            self.first = Some((key, position));
        } else {
            self.rest.push((key, position));
        }
    }

    /// The positions.
    fn iter(&self) -> impl Iterator<Item = Position> {
        self.first.iter().chain(&self.rest).map(|(_, position)| *position)
    }

    /// The position of this very slice, if it is the first key, the next one or the last one again.
    #[inline]
    fn find(&self, key: &[u8]) -> Option<Position> {
        let same = |(known, _): &&(&[u8], Position)| std::ptr::eq(*known, key);
        if let Some((_, position)) = self.first.as_ref().filter(same) {
            self.next.set(0);
            return Some(*position);
        }
        let next = self.next.get();
        let likely = [next, next.wrapping_sub(1)];
        let at = likely.into_iter().find(|at| self.rest.get(*at).is_some_and(|it| same(&it)))?;
        self.next.set(at + 1);
        Some(self.rest[at].1)
    }
}

/// A command's view of the keyspace: the keys it has locked.
#[derive(Debug)]
pub struct Keyspace<'a> {
    pub(crate) store: &'a Store,
    pub(crate) held: Held<'a>,
    /// What follows from the edits.
    pub effects: &'a mut Effects,
    /// Database, time and access policy.
    pub scope: Scope,
    pub(crate) rng: &'a mut Rng,
    positions: Positions<'a>,
    /// Whether the locks are this command's own, and not those of a transaction around it.
    owns_locks: bool,
}

impl<'a> Keyspace<'a> {
    /// A view through `held`.
    #[inline]
    pub const fn new(
        store: &'a Store,
        held: Held<'a>,
        effects: &'a mut Effects,
        scope: Scope,
        rng: &'a mut Rng,
    ) -> Self {
        let positions = Positions::new();
        Self { store, held, effects, scope, rng, positions, owns_locks: false }
    }

    /// Locks the shard of one key. Nothing is held before; so for the other two.
    ///
    /// # Errors
    /// If it is held for long.
    #[inline]
    pub fn lock_key(&mut self, key: &'a [u8], position: Position) -> Result<(), HeldLong> {
        self.positions.push(key, position);
        self.held = Held::one_soon(self.store, position)?;
        self.owns_locks = true;
        Ok(())
    }

    /// Locks the shards of the keys that `each` names, and prefetches them. The position of one of
    /// them may be `known`.
    ///
    /// # Errors
    /// If one is held for long.
    pub fn lock_keys(
        &mut self,
        known: Option<(&'a [u8], Position)>,
        each: impl FnOnce(&mut dyn FnMut(&'a [u8])),
    ) -> Result<(), HeldLong> {
        let (store, positions) = (self.store, &mut self.positions);
        each(&mut |key| {
            let known = known.filter(|(known, _)| std::ptr::eq(*known, key));
            positions
                .push(key, known.map_or_else(|| store.position(key), |(_, position)| position));
        });
        self.held = Held::keys_soon(store, self.positions.iter())?;
        self.owns_locks = true;
        self.prefetch();
        Ok(())
    }

    /// Locks the shard of a position too if that is free just now: without waiting, so whatever
    /// else is held. It is not held yet. True if it is now.
    pub fn try_lock(&mut self, position: Position) -> bool {
        self.held.try_add(self.store, shard_of(position))
    }

    /// Tells the position of a key, by this very slice, that the caller had to find out.
    #[inline]
    pub fn note_position(&mut self, key: &'a [u8], position: Position) {
        self.positions.push(key, position);
    }

    /// Whether every shard is locked.
    #[must_use]
    pub fn is_all_locked(&self) -> bool {
        self.held.is_all()
    }

    /// Whether some of those who wait for keys of the locked shards need more locks than these.
    #[must_use]
    pub fn has_wide_waiters(&self) -> bool {
        self.held.has_wide_waiters()
    }

    /// Locks all shards.
    ///
    /// # Errors
    /// If one is held for long.
    pub fn lock_all(&mut self) -> Result<(), HeldLong> {
        self.held = Held::all_soon(self.store)?;
        self.owns_locks = true;
        Ok(())
    }

    /// Locks all shards, however long that takes: for what cannot be broken off.
    pub fn wait_for_all(&mut self) {
        self.held = Held::all(self.store);
        self.owns_locks = true;
    }

    /// This view for a while, in database `db`: for a command that runs on behalf of another client
    /// under the locks of this one.
    pub fn lend(&mut self, db: usize) -> Keyspace<'_> {
        let scope = Scope { db, ..self.scope };
        Keyspace::new(self.store, self.held.lend(), self.effects, scope, self.rng)
    }

    /// For a command that may change keys: begins again under all locks if some of those who wait
    /// for its keys need more than these to be served.
    ///
    /// # Errors
    /// If one of them is held for long.
    #[cold]
    pub fn lock_for_waiters(&mut self) -> Result<(), HeldLong> {
        if self.held.has_wide_waiters() {
            self.held = Held::none();
            self.lock_all()?;
        }
        Ok(())
    }

    /// Whether the locks are this command's own, to be given back by [`Keyspace::release`].
    #[must_use]
    pub const fn owns_locks(&self) -> bool {
        self.owns_locks
    }

    /// Gives the locks back before the command is over: for reads that hold what they need and will
    /// take long. The keys are out of reach then. Inside a transaction the locks stay, and where
    /// the look-up has removed a key that was due, since that must be told under them.
    pub fn release(&mut self) {
        if self.owns_locks && self.effects.dirty == 0 && !self.effects.pending() {
            self.held = Held::none();
        }
    }

    /// Asks the processor for all the keys whose positions are known, so that their cache misses
    /// overlap.
    fn prefetch(&self) {
        let table = |position| Some(&self.held.get(shard_of(position))?.databases[self.scope.db]);
        let hint = |position| table(position)?.bucket_hint(position);
        self.positions.iter().filter_map(hint).for_each(Hint::fetch);
        let hint = |position| table(position)?.entry_hint(position);
        self.positions.iter().filter_map(hint).for_each(Hint::fetch);
    }

    /// The store behind it.
    #[must_use]
    pub const fn store(&self) -> &'a Store {
        self.store
    }

    /// The random numbers of this thread.
    pub fn rng(&mut self) -> &mut Rng {
        self.rng
    }

    /// The command's time.
    #[must_use]
    pub const fn now(&self) -> UnixMs {
        self.scope.now
    }

    /// Whether what gets this deadline is over already.
    #[must_use]
    pub fn is_due(&self, deadline: UnixMs) -> bool {
        self.scope.is_due(deadline)
    }

    /// The key for reading: removed if its time has come, its access recorded, hits and misses
    /// counted.
    #[inline]
    pub fn read(&mut self, key: &[u8]) -> Option<EntryRef<'_>> {
        self.look_up(key, self.scope, true)
    }

    /// As [`Keyspace::read`], but the access is not recorded: for commands that ask about the key
    /// and not for its value (`EXISTS`, `TTL`, `TYPE`).
    pub fn inspect(&mut self, key: &[u8]) -> Option<EntryRef<'_>> {
        self.look_up(key, untouched(self.scope), true)
    }

    /// As [`Keyspace::inspect`], but a missing key sends no event: for `OBJECT`, which looks at
    /// the server's side of a value.
    pub fn examine(&mut self, key: &[u8]) -> Option<EntryRef<'_>> {
        self.look_up(key, untouched(self.scope), false)
    }

    /// As [`Keyspace::read`], but the access is recorded even for a client whose reads leave no
    /// trace: for `TOUCH`.
    pub fn touch(&mut self, key: &[u8]) -> bool {
        let access = Access { touch: true, ..self.scope.access };
        self.look_up(key, Scope { access, ..self.scope }, true).is_some()
    }

    #[inline]
    fn look_up(&mut self, key: &[u8], scope: Scope, report_miss: bool) -> Option<EntryRef<'_>> {
        let position = self.position(key);
        let shard = self.held.get_mut(shard_of(position)).expect(LOCKED);
        let Some(mut slot) = live(self.store, shard, self.effects, scope, position, key) else {
            self.effects.counters.misses += 1;
            if report_miss {
                let miss = Event { class: EventClass::Miss, name: "keymiss" };
                self.effects.event(scope.db, miss, key);
            }
            return None;
        };
        self.effects.counters.hits += 1;
        touch(&mut slot, scope, self.rng);
        Some(slot.into_entry())
    }

    /// The key without a trace: no statistics, no access recorded. Removed if its time has come.
    pub fn peek(&mut self, key: &[u8]) -> Option<EntryRef<'_>> {
        self.peek_in(self.scope.db, key)
    }

    /// As [`Keyspace::peek`], in another database.
    pub fn peek_in(&mut self, db: usize, key: &[u8]) -> Option<EntryRef<'_>> {
        let position = self.position(key);
        let scope = Scope { db, ..self.scope };
        let shard = self.held.get_mut(shard_of(position)).expect(LOCKED);
        live(self.store, shard, self.effects, scope, position, key).map(|slot| slot.into_entry())
    }

    /// The key for changing it.
    #[inline]
    pub fn edit<'e>(&'e mut self, key: &'e [u8]) -> Edit<'e> {
        self.edit_in(self.scope.db, key)
    }

    /// As [`Keyspace::edit`], in another database (`MOVE`, `COPY ... DB`).
    pub fn edit_in<'e>(&'e mut self, db: usize, key: &'e [u8]) -> Edit<'e> {
        let overdue = match self.scope.overdue {
            Overdue::Remove | Overdue::Hide => Overdue::Remove,
            Overdue::Show => Overdue::Show,
        };
        self.edit_under(Scope { db, overdue, ..self.scope }, key)
    }

    #[inline]
    fn edit_under<'e>(&'e mut self, scope: Scope, key: &'e [u8]) -> Edit<'e> {
        self.effects.changing = true;
        let position = self.position(key);
        let shard = self.held.get_mut(shard_of(position)).expect(LOCKED);
        let Shard { databases, watchers, waiting, .. } = shard;
        let mut cursor = databases[scope.db].cursor(position, key);
        if let Some(undo) = &mut self.effects.undo {
            undo.note(scope.db, position, key, cursor.entry());
        }
        if cursor.entry().is_some_and(|entry| is_over(entry, scope))
            && let Some(entry) = cursor.remove(&|key: &[u8]| self.store.position(key))
        {
            crate::expiry::expired(watchers, waiting, self.effects, scope.db, entry);
        }
        if let Some(slot) = cursor.slot() {
            touch(slot, scope, self.rng);
        }
        let (store, effects) = (self.store, &mut *self.effects);
        Edit { store, cursor, watchers, waiting, effects, scope, position, key }
    }

    /// After a read that found fields of a hash due: the key for removing them, unless that must
    /// not be now.
    #[cold]
    pub fn expiring<'e>(&'e mut self, key: &'e [u8]) -> Option<Edit<'e>> {
        let scope = untouched(self.scope);
        (scope.overdue != Overdue::Hide).then(|| self.edit_under(scope, key))
    }

    /// Registers `flag` to be raised when `key` of the selected database changes. False if it is
    /// registered already.
    pub fn watch(&mut self, key: &[u8], flag: &Arc<WatchFlag>) -> bool {
        let (position, scope) = (self.position(key), self.scope);
        let shard = self.held.get_mut(shard_of(position)).expect(LOCKED);
        let entry = shard.databases[scope.db].find(position, key);
        let stale = entry.is_some_and(|entry| is_over(entry, scope));
        let before = shard.watchers.len();
        let is_new = shard.watchers.add(scope.db, key, flag, stale);
        self.store.count_watched(before, shard.watchers.len());
        is_new
    }

    /// Notes that the client `reader` may cache what the command that is about to run reads of
    /// `key`.
    pub fn remember(&mut self, key: &[u8], reader: Reader) {
        let position = self.position(key);
        let shard = self.held.get_mut(shard_of(position)).expect(LOCKED);
        let exists = shard.databases[self.scope.db].find(position, key).is_some();
        let added = shard.tracked.add(position, reader, (!exists).then_some(key));
        self.store.count_tracked(added);
    }

    /// Finds out who may have cached the keys that were changed since it was last called: before
    /// the next command's reads are remembered, and before the locks are released.
    pub fn find_readers(&mut self) {
        let held = &mut self.held;
        for modified in self.effects.modified.iter_mut().rev() {
            if modified.readers.is_some() {
                break;
            }
            let key = &*modified.key.key;
            let shard = held.get_mut(shard_of(self.store.position(key))).expect(LOCKED);
            modified.readers = Some(self.store.take_readers(key, &mut shard.tracked));
        }
    }

    /// The position of a key: what locking has computed, else computed now.
    #[inline]
    fn position(&self, key: &[u8]) -> Position {
        self.positions.find(key).unwrap_or_else(|| self.store.position(key))
    }
}

const LOCKED: &str = "a command only touches keys that its key specs name, which are locked";

/// The key's slot, unless its time has come: then it is removed, with all that follows, or at
/// least not shown.
#[inline]
fn live<'t>(
    store: &Store,
    shard: &'t mut Shard,
    effects: &mut Effects,
    scope: Scope,
    position: Position,
    key: &[u8],
) -> Option<Slot<'t>> {
    let Shard { databases, watchers, waiting, .. } = shard;
    let slot = databases[scope.db].find_mut(position, key)?;
    if !is_over(slot.entry(), scope) {
        return Some(slot);
    }
    if scope.overdue == Overdue::Hide {
        return None;
    }
    effects.changing = true;
    if let Some(undo) = &mut effects.undo {
        undo.note(scope.db, position, key, Some(slot.entry()));
    }
    let entry = slot.remove(&|key: &[u8]| store.position(key));
    crate::expiry::expired(watchers, waiting, effects, scope.db, entry);
    None
}

/// The scope in which no access is recorded.
const fn untouched(scope: Scope) -> Scope {
    Scope { access: Access { touch: false, ..scope.access }, ..scope }
}

/// Whether the entry's time has come.
#[inline]
fn is_over(entry: EntryRef<'_>, scope: Scope) -> bool {
    entry.deadline().is_some_and(|deadline| scope.is_due(deadline))
}

/// Records the access.
#[inline]
fn touch(slot: &mut Slot<'_>, scope: Scope, rng: &mut Rng) {
    if scope.access.touch {
        let before = slot.entry().clock();
        let after = scope.access.touched(before, scope.now, rng);
        if after != before {
            slot.set_clock(after);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_found_in_order_and_again_but_not_searched_for() {
        let names: Vec<Vec<u8>> = (0..100_000u32).map(|n| n.to_be_bytes().to_vec()).collect();
        let mut positions = Positions::new();
        for (at, name) in names.iter().enumerate() {
            positions.push(name, at as Position);
        }
        for _ in 0..2 {
            for (at, name) in names.iter().enumerate() {
                assert_eq!(positions.find(name), Some(at as Position));
                assert_eq!(positions.find(name), Some(at as Position));
            }
        }
        assert_eq!(positions.find(&names[0]), Some(0));
        assert_eq!(positions.find(&names[500]), None, "the caller computes it at less cost");
        assert_eq!(positions.find(&names[0].clone()), None, "equal but another slice");
        assert_eq!(positions.find(&names[1]), Some(1));
    }

    #[test]
    fn a_long_read_gives_its_own_locks_back_and_no_others() {
        let store = Store::new(1, [1, 2]);
        let (mut effects, mut rng) = (Effects::default(), Rng::seed(1));
        let scope = Scope { db: 0, now: 1, access: Access::default(), overdue: Overdue::Remove };
        let position = store.position(b"k");
        let is_free = || store.shards[shard_of(position)].try_lock().is_some();

        let mut own = Keyspace::new(&store, Held::none(), &mut effects, scope, &mut rng);
        own.lock_key(b"k", position).unwrap();
        assert!(!is_free());
        own.release();
        assert!(is_free());
        drop(own);

        let held = Held::one(&store, position);
        let mut lent = Keyspace::new(&store, held, &mut effects, scope, &mut rng);
        lent.release();
        assert!(!is_free(), "the transaction's locks are not the command's to give back");
        drop(lent);

        let mut told = Keyspace::new(&store, Held::none(), &mut effects, scope, &mut rng);
        told.lock_key(b"k", position).unwrap();
        told.effects.interest = crate::Interest::LOG;
        told.effects.log(0, &[b"DEL", b"k"]);
        told.release();
        assert!(!is_free(), "what follows from the look-up is to be told under the lock");
    }
}
