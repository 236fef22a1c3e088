//! Reading and changing collections: what every type's handlers have in common.
//!
//! A handler says what it does to the elements and what that is called. That an absent key is
//! created, that a key whose last element goes is removed with it, that a change counts and is
//! told, and that a key of another type is refused, follows here.

use collections::entry::{Entry, NewValue, Stored};

use crate::edit::Edit;
use crate::effects::{Event, Subkeys};
use crate::keyspace::Keyspace;

/// The key holds a value of another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongType;

/// What a change of a collection does where there is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It begins with an empty collection.
    Create,
    /// It does not take place.
    Ignore,
}

/// What became of a collection.
#[derive(Clone, Copy, Debug)]
pub struct Change<R> {
    count: u64,
    event: Option<Event>,
    result: R,
}

impl<R> Change<R> {
    /// Nothing changed; nobody hears of it.
    pub const fn none(result: R) -> Self {
        Self { count: 0, event: None, result }
    }

    /// `count` changes, as `rdb_changes_since_last_save` counts them, under one event.
    pub const fn made(count: u64, event: Event, result: R) -> Self {
        Self { count, event: Some(event), result }
    }

    /// `count` changes to what is kept beside the elements (who has read them), which nobody
    /// watches or is told of. An absent key is not created for it.
    pub const fn quiet(count: u64, result: R) -> Self {
        Self { count, event: None, result }
    }
}

const DEL: Event = Event::generic("del");

impl Keyspace<'_> {
    /// The collection of this type for reading, if there is such a key; as [`Keyspace::read`].
    ///
    /// # Errors
    /// If the key holds another type.
    #[inline]
    pub fn get<T: Stored>(&mut self, key: &[u8]) -> Result<Option<&T>, WrongType> {
        self.read(key).map(|entry| entry.object::<T>().ok_or(WrongType)).transpose()
    }
}

impl Edit<'_> {
    /// The collection of this type as it is, if there is such a key.
    ///
    /// # Errors
    /// If the key holds another type.
    pub fn get<T: Stored>(&self) -> Result<Option<&T>, WrongType> {
        self.entry().map(|entry| entry.object::<T>().ok_or(WrongType)).transpose()
    }

    /// Lets `change` work on the collection and sees to what follows: see the module page. `None`
    /// if there is no key and `absent` says that there need be none.
    ///
    /// A `change` that reports [`Change::none`] has left the collection as it was.
    ///
    /// # Errors
    /// If the key holds another type.
    pub fn update<T: Stored, R>(
        &mut self,
        absent: Absent,
        change: impl FnOnce(&mut T) -> Change<R>,
    ) -> Result<Option<R>, WrongType> {
        self.update_elements(absent, |object, _| change(object))
    }

    /// As [`Edit::update`], for a `change` that notes the elements which its event is about.
    ///
    /// # Errors
    /// If the key holds another type.
    pub fn update_elements<T: Stored, R>(
        &mut self,
        absent: Absent,
        change: impl FnOnce(&mut T, &mut Subkeys) -> Change<R>,
    ) -> Result<Option<R>, WrongType> {
        let mut about = Subkeys::new(self.effects().interest);
        let changed = match self.slot() {
            Some(slot) => {
                let changed = slot.modify_object::<T, _>(|object| {
                    let change = change(object, &mut about);
                    (change, !T::KEPT_WHEN_EMPTY && object.is_empty())
                });
                changed.ok_or(WrongType)?
            }
            None if absent == Absent::Ignore => return Ok(None),
            None => {
                let mut object = T::default();
                let change = change(&mut object, &mut about);
                if change.event.is_none() || (!T::KEPT_WHEN_EMPTY && object.is_empty()) {
                    return Ok(Some(change.result));
                }
                self.insert(Entry::new(self.key, NewValue::Object(object.into()), None));
                (change, false)
            }
        };
        let (Change { count, event, result }, is_emptied) = changed;
        self.count(count);
        if let Some(event) = event {
            self.seen_to_change();
            self.also_about(event, about);
        }
        if is_emptied {
            self.remove_emptied();
        }
        Ok(Some(result))
    }

    /// Removes a key whose last element has just gone: counted with that, and told as `del`.
    fn remove_emptied(&mut self) {
        if let Some(entry) = self.lift() {
            self.effects().discard(entry);
            self.also(DEL);
        }
    }
}

#[cfg(test)]
mod tests {
    use collections::list::{End, Limits, List};
    use stdx::rng::Rng;

    use super::*;
    use crate::{Deadline, Effects, EventClass, Held, Interest, Scope, Store};

    const ADD: Event = Event { class: EventClass::List, name: "add" };

    /// Runs `work` on key `k`; what the effects then say: changes, events, invalidated keys.
    fn edit(store: &Store, work: impl FnOnce(&mut Edit<'_>)) -> (u64, Vec<&'static str>, usize) {
        let interest = Interest::EVENTS | Interest::TRACKING;
        let mut effects = Effects { interest, ..Effects::default() };
        let mut rng = Rng::seed(1);
        let scope =
            Scope { db: 0, now: 1, access: Default::default(), overdue: Default::default() };
        let mut keys = Keyspace::new(store, Held::all(store), &mut effects, scope, &mut rng);
        work(&mut keys.edit(b"k"));
        drop(keys);
        let events = effects.events.iter().map(|event| event.event.name).collect();
        (effects.dirty, events, effects.modified.len())
    }

    /// Adds so many elements, or removes them; their number then.
    fn add(list: &mut List, delta: i64) -> Change<usize> {
        let limits = Limits::default();
        for _ in 0..delta {
            list.push(End::Back, b"x", limits);
        }
        for _ in delta..0 {
            list.pop(End::Back, limits, |_| ());
        }
        match delta {
            0 => Change::none(list.len()),
            _ => Change::made(delta.unsigned_abs(), ADD, list.len()),
        }
    }

    #[test]
    fn a_key_comes_with_its_first_element_and_goes_with_its_last() {
        let store = Store::new(1, [1, 2]);
        let ignored = edit(&store, |edit| {
            assert_eq!(edit.update(Absent::Ignore, |list| add(list, 5)), Ok(None));
            assert_eq!(edit.update(Absent::Create, |list| add(list, 0)), Ok(Some(0)));
            assert!(!edit.exists());
        });
        assert_eq!(ignored, (0, vec![], 0));
        let created = edit(&store, |edit| {
            assert_eq!(edit.update(Absent::Create, |list| add(list, 5)), Ok(Some(5)));
        });
        assert_eq!(created, (5, vec!["new", "add"], 1));
        let untouched = edit(&store, |edit| {
            assert_eq!(edit.update(Absent::Create, |list| add(list, 0)), Ok(Some(5)));
        });
        assert_eq!(untouched, (0, vec![], 0));
        let emptied = edit(&store, |edit| {
            assert_eq!(edit.update(Absent::Ignore, |list| add(list, -5)), Ok(Some(0)));
            assert!(!edit.exists());
        });
        assert_eq!((emptied.0, emptied.1), (5, vec!["add", "del"]));
        assert!(store.is_empty());
    }

    #[test]
    fn a_quiet_change_counts_and_says_nothing() {
        let store = Store::new(1, [1, 2]);
        edit(&store, |edit| assert!(edit.update(Absent::Create, |list| add(list, 5)).is_ok()));
        let quiet = edit(&store, |edit| {
            assert_eq!(
                edit.update(Absent::Ignore, |_: &mut List| Change::quiet(3, ())),
                Ok(Some(()))
            );
        });
        assert_eq!(quiet, (3, vec![], 0));
    }

    #[test]
    fn another_type_is_refused_and_left_alone() {
        let store = Store::new(1, [1, 2]);
        let refused = edit(&store, |edit| {
            edit.set(NewValue::Int(7), Deadline::Clear, Event::string("set"));
            let refused = edit.update(Absent::Create, |list: &mut List| add(list, 5));
            assert_eq!(refused, Err(WrongType));
            assert_eq!(edit.get::<List>().err(), Some(WrongType));
        });
        assert_eq!(refused, (1, vec!["new", "set"], 1));
    }
}
