//! The edit handle: the only way to change a key.
//!
//! Every method that changes the key takes the [`Event`] that describes the change and records all
//! that follows from it: the dirty count, the keyspace event, raised `WATCH` flags, invalidation,
//! the wake-up of blocked clients. A handler cannot change a key and forget one of them.

use collections::entry::{Entry, EntryRef, NewValue, StringRef, ValueRef};
use collections::hash::Hash;
use collections::table::{Cursor, Slot};

use crate::UnixMs;
use crate::effects::{Effects, Event, EventClass, Subkeys};
use crate::expiry::fields_expired;
use crate::keyspace::Scope;
use crate::position::Position;
use crate::shard::Store;
use crate::value_type::ValueType;
use crate::waiting::Waiting;
use crate::watch::Watchers;

/// What becomes of a key's deadline when its value is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// The key lives for ever from now on, as after a plain `SET`.
    Clear,
    /// It stays as it is (`KEEPTTL`, `INCR`, `APPEND`).
    Keep,
    /// It is set to this time.
    At(UnixMs),
}

/// A key that may be changed. Made by [`Keyspace::edit`](crate::Keyspace::edit).
#[derive(Debug)]
pub struct Edit<'e> {
    pub(crate) store: &'e Store,
    /// The key in its table; its entry is not due.
    pub(crate) cursor: Cursor<'e>,
    pub(crate) watchers: &'e Watchers,
    pub(crate) waiting: &'e Waiting,
    pub(crate) effects: &'e mut Effects,
    pub(crate) scope: Scope,
    pub(crate) position: Position,
    pub(crate) key: &'e [u8],
}

const PRESENT: &str = "the caller has seen that the key exists";

impl<'e> Edit<'e> {
    /// Whether the key exists.
    #[inline]
    #[must_use]
    pub fn exists(&self) -> bool {
        self.cursor.entry().is_some()
    }

    /// The entry, if the key exists.
    #[inline]
    #[must_use]
    pub fn entry(&self) -> Option<EntryRef<'_>> {
        self.cursor.entry()
    }

    /// The slot of the key; none if there is no such key.
    #[inline]
    pub(crate) const fn slot(&mut self) -> Option<&mut Slot<'e>> {
        self.cursor.slot()
    }

    /// Creates the key or replaces its value.
    pub fn set(&mut self, value: NewValue<'_>, deadline: Deadline, event: Event) {
        if let Some(slot) = self.slot() {
            let deadline = match deadline {
                Deadline::Clear => None,
                Deadline::Keep => slot.entry().deadline(),
                Deadline::At(at) => Some(at),
            };
            let overwritten = slot.set_value(value, deadline);
            if let Some(old) = overwritten {
                self.effects.discard(old);
            }
        } else {
            let deadline = match deadline {
                Deadline::Clear | Deadline::Keep => None,
                Deadline::At(at) => Some(at),
            };
            self.insert(Entry::new(self.key, value, deadline));
        }
        self.changed(event);
    }

    /// Writes `bytes` into the string at `offset`, growing it with zeros, creating it if absent.
    pub fn write_at(&mut self, offset: usize, bytes: &[u8], event: Event) {
        self.edit_bytes(offset + bytes.len(), event, |value| {
            value[offset..offset + bytes.len()].copy_from_slice(bytes);
        });
    }

    /// Lets `change` edit the string's bytes in place, at least `len` of them (zeros beyond what is
    /// there), creating it if absent. The deadline stays.
    pub fn edit_bytes<R>(
        &mut self,
        len: usize,
        event: Event,
        change: impl FnOnce(&mut [u8]) -> R,
    ) -> R {
        if !self.exists() {
            self.insert(Entry::new(self.key, NewValue::RawBytes(b""), None));
        }
        let slot = self.slot().expect(PRESENT);
        let result = slot.modify(|entry| change(entry.bytes_mut(len)));
        self.changed(event);
        result
    }

    /// Gives an existing string the encoding of one that was edited in place, as bit commands do
    /// even when they find every bit as it should be. The value stays, so nobody needs to hear of
    /// it.
    pub fn make_raw(&mut self) {
        let slot = self.slot().expect(PRESENT);
        let is_raw = match slot.entry().value() {
            ValueRef::String(StringRef::Inline { raw, .. } | StringRef::Shared { raw, .. }) => raw,
            ValueRef::String(StringRef::Int(_)) | ValueRef::Object(_) => false,
        };
        if !is_raw {
            slot.modify(|entry| {
                entry.bytes_mut(0);
            });
        }
    }

    /// Lets `change` edit an existing string's bytes in place, as [`Edit::edit_bytes`], where they
    /// then mean the same as before: a cache inside them was filled. It counts as a change, and
    /// watchers hear of it, but no event is sent.
    pub fn annotate_bytes<R>(&mut self, change: impl FnOnce(&mut [u8]) -> R) -> R {
        let slot = self.slot().expect(PRESENT);
        let result = slot.modify(|entry| change(entry.bytes_mut(0)));
        self.count(1);
        self.seen_to_change();
        result
    }

    /// Replaces an existing value by another form of the same, without an event. The deadline
    /// stays.
    pub fn convert(&mut self, value: NewValue<'_>) {
        let slot = self.slot().expect(PRESENT);
        let deadline = slot.entry().deadline();
        let overwritten = slot.set_value(value, deadline);
        if let Some(old) = overwritten {
            self.effects.discard(old);
        }
        self.count(1);
        self.seen_to_change();
    }

    /// Sets or clears the deadline of an existing key. A deadline that has passed already deletes
    /// the key at its next look-up; commands that delete at once call [`Edit::remove`].
    pub fn set_deadline(&mut self, deadline: Option<UnixMs>, event: Event) {
        self.slot().expect(PRESENT).set_deadline(deadline);
        self.changed(event);
    }

    /// Removes the key; false if there was none. What it held is freed after the locks if large.
    pub fn remove(&mut self, event: Event) -> bool {
        match self.take(event) {
            Some(entry) => {
                self.effects.discard(entry);
                true
            }
            None => false,
        }
    }

    /// Removes the key and hands its entry over.
    pub fn take(&mut self, event: Event) -> Option<Entry> {
        let entry = self.uproot()?;
        self.changed(event);
        Some(entry)
    }

    /// Takes the entry out to put it elsewhere ([`Edit::place`]). Whoever watches or tracks the key
    /// hears of it; the event and the count belong to the step as a whole.
    pub(crate) fn lift(&mut self) -> Option<Entry> {
        let entry = self.uproot()?;
        self.seen_to_change();
        Some(entry)
    }

    /// Puts an entry here that bears this key and its own clock, in place of what is here: as if
    /// that had been removed and a new key created. Returns the type of what was replaced; the
    /// caller ends the step with [`Edit::changed`].
    pub(crate) fn place(&mut self, entry: Entry) -> Option<ValueType> {
        debug_assert_eq!(entry.key(), self.key);
        let replaced = self.uproot().map(|old| {
            let value_type = ValueType::of(old.value());
            self.effects.discard(old);
            value_type
        });
        self.add(entry);
        replaced
    }

    /// Removes those of the named fields of a hash whose time has come, with all that follows.
    pub fn expire_fields<'n>(&mut self, names: impl IntoIterator<Item = &'n [u8]>) {
        if self.expire_before_update(names) {
            self.remove_empty_hash();
        }
    }

    /// As [`Edit::expire_fields`], for a command that updates the hash next: until then it stays
    /// though its last field has gone, so that nobody is told of its end if it is filled again.
    /// True if fields went.
    pub fn expire_before_update<'n>(&mut self, names: impl IntoIterator<Item = &'n [u8]>) -> bool {
        let now = self.scope.now;
        self.expire_with(|hash, removed| {
            names.into_iter().filter(|name| hash.remove_due(name, now)).for_each(removed);
        })
    }

    /// Removes fields of a hash whose time has come, with all that follows; visits about `budget`
    /// fields at most.
    pub fn expire_some_fields(&mut self, budget: usize) {
        let now = self.scope.now;
        let expired = self.expire_with(|hash, removed| {
            hash.expire(now, budget, removed);
        });
        if expired {
            self.remove_empty_hash();
        }
    }

    fn expire_with(&mut self, expire: impl FnOnce(&mut Hash, &mut dyn FnMut(&[u8]))) -> bool {
        let earliest = self.entry().and_then(|entry| entry.field_deadline());
        if earliest.is_none_or(|earliest| !self.scope.is_due(earliest)) {
            return false;
        }
        let mut names = Vec::new();
        self.slot().expect(PRESENT).modify_object(|hash: &mut Hash| {
            expire(hash, &mut |name| names.push(name.into()));
        });
        if names.is_empty() {
            return false;
        }
        fields_expired(self.watchers, self.effects, self.scope.db, self.key, &names);
        true
    }

    fn remove_empty_hash(&mut self) {
        if self.get::<Hash>().ok().flatten().is_some_and(Hash::is_empty) {
            let entry = self.uproot().expect(PRESENT);
            crate::expiry::emptied(self.effects, self.scope.db, entry);
        }
    }

    /// Whether what has this deadline is gone for this command.
    #[must_use]
    pub fn is_due(&self, deadline: UnixMs) -> bool {
        self.scope.is_due(deadline)
    }

    /// A further event on this key, when one change has two names (`SET ... EX` is `set` and
    /// `expire`).
    pub fn also(&mut self, event: Event) {
        self.effects.event(self.scope.db, event, self.key);
    }

    /// As [`Edit::also`], with the elements that it is about.
    pub fn also_about(&mut self, event: Event, about: Subkeys) {
        self.effects.event_about(self.scope.db, event, self.key, about);
    }

    /// Has those who wait for this key looked at, as every change of its value does: for a change
    /// to what is kept beside the value ([`Change::quiet`](crate::Change::quiet)) that ends a wait.
    pub fn wake(&mut self) {
        if self.waiting.awaits(self.scope.db, self.key) {
            self.effects.ready(self.scope.db, self.key);
        }
    }

    /// What follows from edits, for rewriting the command's log form.
    pub fn effects(&mut self) -> &mut Effects {
        self.effects
    }

    pub(crate) fn insert(&mut self, mut entry: Entry) {
        entry.set_clock(self.scope.access.created(self.scope.now));
        self.add(entry);
    }

    fn add(&mut self, entry: Entry) {
        let store = self.store;
        self.cursor.insert(self.position, entry, &|key: &[u8]| store.position(key));
        let created = Event { class: EventClass::New, name: "new" };
        self.effects.event(self.scope.db, created, self.key);
    }

    /// Takes the entry out of the table, of which nobody hears here.
    fn uproot(&mut self) -> Option<Entry> {
        let store = self.store;
        self.cursor.remove(&|key: &[u8]| store.position(key))
    }

    /// Ends a step that changed the key: counts it and tells everybody.
    pub(crate) fn changed(&mut self, event: Event) {
        self.count(1);
        self.seen_to_change();
        self.effects.event(self.scope.db, event, self.key);
    }

    /// Adds to the number of changes.
    pub(crate) fn count(&mut self, changes: u64) {
        self.effects.dirty += changes;
    }

    pub(crate) fn seen_to_change(&mut self) {
        if let Some(clock) = self.scope.access.changed(self.scope.now)
            && let Some(slot) = self.slot()
        {
            slot.set_clock(clock);
        }
        if !self.watchers.is_empty() {
            self.watchers.key_changed(self.scope.db, self.key);
        }
        self.effects.modified(self.scope.db, self.key);
        self.wake();
    }
}
