//! Values that change their name or come with one: `RENAME`, `MOVE`, `COPY` and `RESTORE`.
//!
//! A value keeps what it points to, so each takes the same time whatever the size. Two keys change
//! in one step: the step counts once, and its events come in the order that subscribers know from
//! Redis, which no two edits one after the other would give.

use collections::entry::{Entry, NewValue};

use crate::UnixMs;
use crate::edit::Edit;
use crate::effects::{Event, EventClass};
use crate::keyspace::Keyspace;
use crate::value_type::ValueType;

/// A key with its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'k> {
    /// Database number.
    pub db: usize,
    /// The key.
    pub key: &'k [u8],
}

/// The events of a move.
#[derive(Clone, Copy, Debug)]
pub struct MoveEvents {
    /// On the old name.
    pub left: Event,
    /// On the new name.
    pub arrived: Event,
}

impl Keyspace<'_> {
    /// Moves a value with its deadline and access clock, replacing what is at `to`. False if there
    /// is nothing at `from`. Both keys are locked, and they differ.
    pub fn move_value(&mut self, from: Place<'_>, to: Place<'_>, events: MoveEvents) -> bool {
        debug_assert!(from != to, "a value that stays needs no move");
        let Some(mut entry) = self.edit_in(from.db, from.key).lift() else { return false };
        if from.key != to.key {
            entry = named(to.key, &entry);
        }
        let mut target = self.edit_in(to.db, to.key);
        let replaced = target.place(entry);
        target.effects().event(from.db, events.left, from.key);
        arrived(&mut target, events.arrived, replaced);
        true
    }

    /// Copies a value with its deadline, replacing what is at `to`. False if there is nothing at
    /// `from`. Both keys are locked, and they differ. The copy counts as just used.
    pub fn copy_value(&mut self, from: Place<'_>, to: Place<'_>, event: Event) -> bool {
        debug_assert!(from != to, "a value is no copy of itself");
        let Some(source) = self.peek_in(from.db, from.key) else { return false };
        let mut entry = Entry::new(to.key, source.value().to_new(), source.deadline());
        entry.set_clock(self.scope.access.created(self.scope.now));
        let mut target = self.edit_in(to.db, to.key);
        let replaced = target.place(entry);
        arrived(&mut target, event, replaced);
        true
    }
}

impl Keyspace<'_> {
    /// Puts a value under a key, replacing what is there, with an access clock of its own.
    pub fn restore_value(
        &mut self,
        key: &[u8],
        value: NewValue<'_>,
        deadline: Option<UnixMs>,
        clock: u32,
        event: Event,
    ) {
        let mut entry = Entry::new(key, value, deadline);
        entry.set_clock(clock);
        let mut target = self.edit(key);
        let replaced = target.place(entry);
        arrived(&mut target, event, replaced);
    }
}

/// The same entry under another key. The key is a part of the entry's allocation, so it takes a
/// new one; a value outside it is handed over.
fn named(key: &[u8], entry: &Entry) -> Entry {
    let mut named = Entry::new(key, entry.value().to_new(), entry.deadline());
    named.set_clock(entry.clock());
    named
}

/// Records what follows from a value's arrival. What it replaced is told last.
fn arrived(target: &mut Edit<'_>, event: Event, replaced: Option<ValueType>) {
    let value_type = target.entry().map(|entry| ValueType::of(entry.value()));
    target.changed(event);
    if replaced.is_some() {
        target.also(Event { class: EventClass::Overwritten, name: "overwritten" });
        if replaced != value_type {
            target.also(Event { class: EventClass::TypeChanged, name: "type_changed" });
        }
    }
}
