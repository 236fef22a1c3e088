//! Taking back what a script has done: for one that asks for a key it had not declared while
//! somebody else holds that key's shard.
//!
//! Before the first change of each key the entry is noted as it is; a collection's clone shares
//! its nodes, so that takes the same time whatever the size. To undo, those entries are exchanged
//! for the ones that are there, and what would have followed from the changes is dropped. The
//! locks are still held, so nobody has seen anything. `WATCH` flags that were raised stay raised.
//!
//! Exchanged once more, the changes are there again. So a script that is being debugged can have
//! its own view of the dataset while it runs, and keep nobody waiting while it stands still.

use std::collections::HashMap;

use collections::entry::{Entry, EntryRef};

use crate::effects::{Effects, Garbage};
use crate::keyspace::Keyspace;
use crate::lock::Held;
use crate::position::{Position, shard_of};

/// A key as it was.
#[derive(Debug)]
struct Before {
    db: usize,
    position: Position,
    key: Box<[u8]>,
    /// None if there was no such key.
    entry: Option<Entry>,
}

/// What is to be put back.
#[derive(Debug, Default)]
pub struct UndoLog {
    before: Vec<Before>,
    /// Where the keys are noted, by database and position. Of keys whose positions agree, which is
    /// rare, only the first is found here.
    noted: HashMap<(usize, Position), usize, foldhash::fast::FixedState>,
}

impl UndoLog {
    /// Notes a key that is about to change, unless it is noted already.
    pub(crate) fn note(
        &mut self,
        db: usize,
        position: Position,
        key: &[u8],
        entry: Option<EntryRef<'_>>,
    ) {
        let first = *self.noted.entry((db, position)).or_insert(self.before.len());
        let same = |before: &Before| before.db == db && *before.key == *key;
        let is_noted = |before: &Before| same(before) || self.before[first..].iter().any(same);
        if self.before.get(first).is_some_and(is_noted) {
            return;
        }
        let entry = entry.map(|entry| {
            let mut copy = Entry::new(key, entry.value().to_new(), entry.deadline());
            copy.set_clock(entry.clock());
            copy
        });
        self.before.push(Before { db, position, key: key.into(), entry });
    }

    /// Number of keys noted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.before.len()
    }

    /// Whether nothing has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.before.is_empty()
    }
}

impl Keyspace<'_> {
    /// From now on what changes can be undone.
    pub fn begin_undo(&mut self) {
        self.effects.undo.get_or_insert_default();
    }

    /// Number of keys that would be put back.
    #[must_use]
    pub fn noted_changes(&self) -> usize {
        self.effects.undo.as_ref().map_or(0, |undo| undo.len())
    }

    /// What has changed is to stay.
    pub fn end_undo(&mut self) {
        self.effects.undo = None;
    }

    /// Puts everything back as it was at [`Keyspace::begin_undo`], and drops what would have
    /// followed. All shards that were touched are still held.
    pub fn undo(&mut self) {
        self.exchange();
        if let Some(undo) = self.effects.undo.take() {
            let done = undo.before.into_iter().filter_map(|before| before.entry);
            self.effects.garbage.extend(done.map(Garbage::Entry));
            self.effects.abandon();
        }
    }

    /// Puts everything back for a while and gives the locks back: nobody sees the changes, and
    /// everybody else may go on.
    pub fn set_aside(&mut self) {
        self.exchange();
        self.held = Held::none();
    }

    /// Takes all locks and makes the changes again that were set aside. What others have made of
    /// the same keys meanwhile is what undoing brings back.
    pub fn take_up(&mut self) {
        self.wait_for_all();
        self.exchange();
    }

    /// Exchanges the entries that were noted with those that are there.
    fn exchange(&mut self) {
        let Some(mut undo) = self.effects.undo.take() else { return };
        let store = self.store;
        let rehash = |key: &[u8]| store.position(key);
        for noted in &mut undo.before {
            let shard = self.held.get_mut(shard_of(noted.position));
            let shard = shard.expect("a key that was changed is locked until the command is over");
            let table = &mut shard.databases[noted.db];
            let found = table.find_mut(noted.position, &noted.key);
            let there = found.map(|slot| slot.remove(&rehash));
            if let Some(entry) = std::mem::replace(&mut noted.entry, there) {
                table.insert(noted.position, entry, &rehash);
            }
        }
        self.effects.undo = Some(undo);
    }
}

impl Effects {
    /// Drops what was to follow from changes that did not take place. What waits to be freed stays.
    fn abandon(&mut self) {
        self.dirty = 0;
        self.counters = Default::default();
        self.events.clear();
        self.modified.clear();
        self.ready.clear();
        self.ready_later.clear();
        self.records.clear();
        self.notes.clear();
        self.due.clear();
        self.wait = None;
        self.next_command();
    }
}

#[cfg(test)]
mod tests {
    use collections::entry::{NewValue, StringRef, ValueRef};
    use collections::list::{End, Limits, List};
    use stdx::rng::Rng;

    use super::*;
    use crate::{Absent, Change, Deadline, Event, Held, Interest, Scope, Store};

    const EVENT: Event = Event::string("set");

    fn keyspace<'a>(store: &'a Store, effects: &'a mut Effects, rng: &'a mut Rng) -> Keyspace<'a> {
        let scope =
            Scope { db: 0, now: 100, access: Default::default(), overdue: Default::default() };
        Keyspace::new(store, Held::all(store), effects, scope, rng)
    }

    #[test]
    fn all_kinds_of_changes_are_taken_back() {
        let store = Store::new(2, [1, 2]);
        let mut rng = Rng::seed(1);
        let mut effects = Effects { interest: Interest::EVENTS, ..Effects::default() };
        let mut keys = keyspace(&store, &mut effects, &mut rng);
        keys.edit(b"int").set(NewValue::Int(1), Deadline::At(500), EVENT);
        keys.edit(b"due").set(NewValue::Int(2), Deadline::At(50), EVENT);
        let push = |list: &mut List| {
            list.push(End::Back, b"x", Limits::default());
            Change::made(1, EVENT, ())
        };
        assert!(keys.edit(b"list").update(Absent::Create, push).is_ok());
        keys.effects.abandon();

        keys.begin_undo();
        assert!(keys.read(b"due").is_none(), "its time is over, so it is removed");
        keys.edit(b"int").set(NewValue::Int(3), Deadline::Clear, EVENT);
        keys.edit(b"int").remove(EVENT);
        keys.edit(b"new").set(NewValue::Int(4), Deadline::Clear, EVENT);
        for _ in 0..1000 {
            assert!(keys.edit(b"list").update(Absent::Create, push).is_ok());
        }
        assert_eq!(keys.effects.undo.as_ref().map(|undo| undo.len()), Some(4));
        keys.undo();

        assert!(!keys.effects.pending() && keys.effects.dirty == 0);
        let int = keys.peek(b"int").expect("it was there");
        assert_eq!(int.deadline(), Some(500));
        assert!(keys.peek(b"new").is_none());
        assert_eq!(keys.get::<List>(b"list").map(|list| list.map(List::len)), Ok(Some(1)));
        keys.scope.now = 10;
        assert!(keys.peek(b"due").is_some(), "it is back, and still due later");
    }

    #[test]
    fn changes_are_set_aside_and_taken_up_again() {
        let store = Store::new(2, [1, 2]);
        let mut rng = Rng::seed(1);
        let int = |keys: &mut Keyspace<'_>, key: &[u8]| match keys.peek(key)?.value() {
            ValueRef::String(StringRef::Int(number)) => Some(number),
            _ => None,
        };
        let mut effects = Effects::default();
        let mut keys = keyspace(&store, &mut effects, &mut rng);
        keys.edit(b"old").set(NewValue::Int(1), Deadline::Clear, EVENT);
        keys.edit(b"gone").set(NewValue::Int(2), Deadline::Clear, EVENT);
        keys.begin_undo();
        keys.edit(b"old").set(NewValue::Int(10), Deadline::Clear, EVENT);
        keys.edit(b"gone").remove(EVENT);
        keys.edit(b"new").set(NewValue::Int(30), Deadline::Clear, EVENT);
        keys.set_aside();
        {
            let (mut effects, mut rng) = (Effects::default(), Rng::seed(2));
            let mut others = keyspace(&store, &mut effects, &mut rng);
            assert_eq!(int(&mut others, b"old"), Some(1));
            assert_eq!(int(&mut others, b"gone"), Some(2));
            assert_eq!(int(&mut others, b"new"), None);
            others.edit(b"old").set(NewValue::Int(5), Deadline::Clear, EVENT);
        }
        keys.take_up();
        assert_eq!(int(&mut keys, b"old"), Some(10));
        assert_eq!(int(&mut keys, b"gone"), None);
        assert_eq!(int(&mut keys, b"new"), Some(30));
        keys.undo();
        assert_eq!(int(&mut keys, b"old"), Some(5), "what another client has made of it meanwhile");
        assert_eq!(int(&mut keys, b"gone"), Some(2));
        assert_eq!(int(&mut keys, b"new"), None);
    }
}
