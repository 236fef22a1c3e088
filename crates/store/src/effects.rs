//! What follows from an edit, collected as plain data while the locks are held.
//!
//! A handler never spells out a side effect: the edit handle records here that a key changed, and
//! the engine routes the record to whoever asked for it ([`consumers`](crate::consumers)) before
//! the locks are released. What nobody asked for ([`Interest`]) is not recorded, so a plain cache
//! pays one counter increment per write.

use std::fmt;
use std::ops::BitOr;

use collections::Pieces;
use collections::entry::{Entry, ValueRef};
use collections::table::KeyTable;

use resp::Args;

use crate::records::Records;
use crate::tracked::Readers;
use crate::undo::UndoLog;
use crate::value_type::ValueType;

/// Who listens: a bit set, read once per command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interest(u32);

impl Interest {
    /// Nobody.
    pub const NONE: Self = Self(0);
    /// Keyspace notifications are configured.
    pub const EVENTS: Self = Self(1);
    /// Some client tracks keys.
    pub const TRACKING: Self = Self(2);
    /// The log is fed: an AOF, a replica or a backlog exists.
    pub const LOG: Self = Self(4);
    /// The log calls the removal of an expired key `UNLINK` and not `DEL`, so that replicas too
    /// free it in the background (`lazyfree-lazy-expire`).
    pub const UNLINK_EXPIRED: Self = Self(8);
    /// Some client monitors all commands.
    pub const MONITOR: Self = Self(16);
    /// Keyspace notifications name the elements that an event is about.
    pub const SUBKEYS: Self = Self(32);
    /// Somebody wants to hear of more than changes of keys.
    pub const OBSERVED: Self = Self(Self::TRACKING.0 | Self::MONITOR.0);

    /// Whether anything of `other` is wanted.
    #[inline]
    #[must_use]
    pub const fn wants_any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether all of `other` is wanted.
    #[must_use]
    pub const fn wants(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// This interest but for `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// As a number, for an atomic.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// From [`Interest::bits`].
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
}

impl BitOr for Interest {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The class of a keyspace event: one letter of `notify-keyspace-events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventClass {
    /// `g`: commands on keys of any type.
    Generic,
    /// `$`: strings.
    String,
    /// `l`: lists.
    List,
    /// `s`: sets.
    Set,
    /// `h`: hashes.
    Hash,
    /// `z`: sorted sets.
    SortedSet,
    /// `t`: streams.
    Stream,
    /// `a`: arrays.
    Array,
    /// `d`: module types.
    Module,
    /// `x`: a key expired.
    Expired,
    /// `e`: a key was evicted.
    Evicted,
    /// `m`: a key was looked for and missing.
    Miss,
    /// `n`: a key was created.
    New,
    /// `o`: a value was overwritten.
    Overwritten,
    /// `c`: a value changed its type.
    TypeChanged,
}

/// What happened to a key: the class and the name that subscribers see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The class, which the configuration filters by.
    pub class: EventClass,
    /// The name, for example `incrby`.
    pub name: &'static str,
}

impl Event {
    /// An event of class `g`.
    #[must_use]
    pub const fn generic(name: &'static str) -> Self {
        Self { class: EventClass::Generic, name }
    }

    /// An event of class `$`.
    #[must_use]
    pub const fn string(name: &'static str) -> Self {
        Self { class: EventClass::String, name }
    }
}

/// A keyspace event on a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEvent {
    /// Database number.
    pub db: usize,
    /// What happened.
    pub event: Event,
    /// To which key.
    pub key: Box<[u8]>,
    /// To which of its elements, in the order of the changes; none unless somebody wants to know.
    pub subkeys: Vec<Box<[u8]>>,
}

/// Notes the elements that a change is about, if somebody wants to know them.
#[derive(Debug)]
pub struct Subkeys {
    wanted: bool,
    names: Vec<Box<[u8]>>,
}

impl Subkeys {
    /// None yet.
    #[must_use]
    pub const fn new(interest: Interest) -> Self {
        Self { wanted: interest.wants(Interest::SUBKEYS), names: Vec::new() }
    }

    /// The change is about `name` too.
    #[inline]
    pub fn note(&mut self, name: &[u8]) {
        if self.wanted {
            self.names.push(name.into());
        }
    }

    /// As [`Subkeys::note`], of many.
    pub fn note_all<'n>(&mut self, names: impl IntoIterator<Item = &'n [u8]>) {
        if self.wanted {
            self.names.extend(names.into_iter().map(Box::from));
        }
    }
}

/// A key, with its database.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DbKey {
    /// Database number.
    pub db: usize,
    /// The key.
    pub key: Box<[u8]>,
}

/// A key that changed, for client-side caching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modified {
    /// The key.
    pub key: DbKey,
    /// Its time, or that of a field of it, had come: whoever looked it up did not change it.
    pub by_time: bool,
    /// Who may have cached it; none as long as nobody has looked.
    pub readers: Option<Readers>,
}

/// How a command waits that found nothing to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The keys it waits for, in the order in which it looks at them.
    pub keys: Vec<Box<[u8]>>,
    /// The type of value that can serve it.
    pub wanted: ValueType,
    /// Whether it ends with an error when a key is gone or of another type: what it waits for is
    /// lost then.
    pub on_loss: bool,
    /// For at most so many milliseconds; for ever if none.
    pub timeout_ms: Option<u64>,
    /// What the client gets where nothing may wait, as inside a transaction. When its time is over
    /// it gets a null array, whatever the command.
    pub denied: Denied,
    /// The arguments to execute when a key is ready, if they are not those of the client: a
    /// position relative to the present is made absolute.
    pub args: Option<Vec<Box<[u8]>>>,
    /// What it waits for if not for keys.
    pub awaited: Awaited,
}

/// What a command waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Awaited {
    /// A key that can serve it.
    #[default]
    Keys,
    /// That replicas have what was logged.
    Replicas,
    /// That the log survives a loss of power.
    Log {
        /// Up to this position.
        position: u64,
        /// On replicas too.
        replicas: bool,
    },
}

/// What a client gets that must not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// No value.
    Null,
    /// No array.
    NullArray,
}

/// How the command that is running goes to the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// As the client sent it, if it changed anything.
    #[default]
    Verbatim,
    /// As the handler rewrote it ([`Effects::log`] was called).
    Rewritten,
}

/// What must be freed, but not while a lock is held.
#[derive(Debug)]
pub enum Garbage {
    /// A removed or replaced key.
    Entry(Entry),
    /// A flushed table.
    Table(KeyTable),
    /// What a value has lost while its key stays, and about how many allocations that is.
    Part(Box<dyn Part>, usize),
}

impl Garbage {
    /// Number of keys in it.
    #[must_use]
    pub fn objects(&self) -> usize {
        match self {
            Self::Entry(_) => 1,
            Self::Table(table) => table.len(),
            Self::Part(..) => 0,
        }
    }
}

/// A part of a value, to be dropped.
pub trait Part: fmt::Debug + Send {}

impl<T: fmt::Debug + Send> Part for T {}

/// Plain counters that commands add to; the engine folds them into the thread's statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Successful look-ups by reading commands.
    pub hits: u64,
    /// Failed ones.
    pub misses: u64,
    /// Keys removed because their time had come.
    pub expired: u64,
    /// Keys removed to make room.
    pub evicted: u64,
    /// Fields of hashes removed because their time had come.
    pub expired_fields: u64,
    /// Packed values from outside that were verified.
    pub sanitized: u64,
}

/// Everything that follows from the commands executed under one set of locks.
#[derive(Debug, Default)]
pub struct Effects {
    /// Who listens; set before the command runs.
    pub interest: Interest,
    /// Number of changes, as `rdb_changes_since_last_save` counts them.
    pub dirty: u64,
    /// Counters.
    pub counters: Counters,
    /// Keyspace events, in order.
    pub events: Vec<KeyEvent>,
    /// Changed keys, for client-side caching.
    pub modified: Vec<Modified>,
    /// Whole databases changed, for client-side caching.
    pub flushed: bool,
    /// Something was changed, or is being changed, and what follows is not settled yet: nobody can
    /// go on from a panic in between, as the dataset may be broken, and the log lack what it shows.
    pub changing: bool,
    /// Clients were told of changes to what they may have cached, and the reply must not come
    /// before that. Stays until it is looked at.
    pub told: bool,
    /// Changed keys that somebody waits for.
    pub ready: Vec<DbKey>,
    /// Those of them whose waiters need more locks than are held: they are looked at again, under
    /// all locks, once these are released. Only a key that expires comes here, whose end ends a
    /// wait; a command that writes takes the locks it will need before it runs.
    pub ready_later: Vec<DbKey>,
    /// Rewritten commands, in order, and deletions of expired keys before them.
    pub records: Records,
    /// Where the log ended behind the last records that went to it: a position in bytes. 0 if none
    /// has, since whoever looks at it last has set it so.
    pub logged: u64,
    /// How the running command goes to the log.
    pub propagation: Propagation,
    /// What to free after the locks are released.
    pub garbage: Vec<Garbage>,
    /// What whoever runs the server should read in its log.
    pub notes: Vec<String>,
    /// Set by a command that found nothing and would wait for it.
    pub wait: Option<Wait>,
    /// Set beside [`Effects::wait`] by a command for which time alone may bring what it waits for:
    /// it wants to be executed again after so many milliseconds, if nobody changes a key before.
    pub wait_again_ms: Option<u64>,
    /// Keys that a walk without locks found to be due. A look-up under the key's own lock, once
    /// the command is over, removes them: only then the log has their removal in its place.
    pub due: Vec<DbKey>,
    /// A script has called the command: what is in no order is answered in one, so that the script
    /// does the same wherever it runs.
    pub in_script: bool,
    /// How the keys were that have changed, while that may be taken back.
    pub undo: Option<UndoLog>,
}

/// A list that one command has made longer than this is given back after it.
const KEPT_MAX: usize = 1024;

/// Empties a list for the next command.
pub(crate) fn forget<T>(list: &mut Vec<T>) {
    match list.capacity() {
        ..=KEPT_MAX => list.clear(),
        _ => *list = Vec::new(),
    }
}

impl Effects {
    /// Takes what is to be freed.
    pub fn take_garbage(&mut self) -> Vec<Garbage> {
        match self.garbage.capacity() {
            ..=KEPT_MAX => self.garbage.drain(..).collect(),
            _ => std::mem::take(&mut self.garbage),
        }
    }

    /// Starts the next command of the same batch: its propagation is decided anew.
    pub fn next_command(&mut self) {
        self.propagation = Propagation::Verbatim;
        self.wait_again_ms = None;
    }

    /// Replaces what the log sees of the running command. Called several times, the records follow
    /// one another.
    pub fn log(&mut self, db: usize, args: &[&[u8]]) {
        self.propagation = Propagation::Rewritten;
        self.record(db, args);
    }

    /// As [`Effects::log`], of arguments in two parts.
    pub fn log_parts<'a>(
        &mut self,
        db: usize,
        head: &[&[u8]],
        tail: impl ExactSizeIterator<Item = &'a [u8]>,
    ) {
        self.propagation = Propagation::Rewritten;
        if self.interest.wants(Interest::LOG) {
            self.records.push_parts(db, head, tail);
        }
    }

    /// As [`Effects::log`], of a command as a client sent it.
    pub fn log_request(&mut self, db: usize, request: Args<'_>) {
        self.propagation = Propagation::Rewritten;
        if self.interest.wants(Interest::LOG) {
            self.records.push_request(db, request);
        }
    }

    /// Whether anything is to be told before the locks are released.
    #[must_use]
    pub fn pending(&self) -> bool {
        let is_quiet = self.events.is_empty() && self.modified.is_empty();
        !(is_quiet && self.records.is_empty() && self.ready.is_empty() && !self.flushed)
    }

    pub(crate) fn record(&mut self, db: usize, args: &[&[u8]]) {
        if self.interest.wants(Interest::LOG) {
            self.records.push(db, args.iter().copied());
        }
    }

    #[inline]
    pub(crate) fn event(&mut self, db: usize, event: Event, key: &[u8]) {
        if self.interest.wants(Interest::EVENTS) {
            self.event_about(db, event, key, Subkeys::new(Interest::NONE));
        }
    }

    /// As [`Effects::event`], with the elements that it is about.
    pub(crate) fn event_about(&mut self, db: usize, event: Event, key: &[u8], about: Subkeys) {
        if self.interest.wants(Interest::EVENTS) {
            let subkeys = about.names;
            self.events.push(KeyEvent { db, event, key: key.into(), subkeys });
        }
    }

    #[inline]
    pub(crate) fn modified(&mut self, db: usize, key: &[u8]) {
        self.note_modified(db, key, false);
    }

    /// As [`Effects::modified`], where a time that had come is what changed the key.
    pub(crate) fn modified_by_time(&mut self, db: usize, key: &[u8]) {
        self.note_modified(db, key, true);
    }

    #[inline]
    fn note_modified(&mut self, db: usize, key: &[u8], by_time: bool) {
        if self.interest.wants(Interest::TRACKING) {
            let key = DbKey { db, key: key.into() };
            self.modified.push(Modified { key, by_time, readers: None });
        }
    }

    pub(crate) fn ready(&mut self, db: usize, key: &[u8]) {
        let is_noted = |last: &DbKey| last.db == db && *last.key == *key;
        if !self.ready.last().is_some_and(is_noted) {
            self.ready.push(DbKey { db, key: key.into() });
        }
    }

    /// Keeps what a key has lost for later if freeing it could take long, else frees it now.
    pub fn discard_part(&mut self, part: impl Pieces + Part + 'static) {
        let pieces = part.pieces();
        if pieces > PIECES_MAX {
            self.garbage.push(Garbage::Part(Box::new(part), pieces));
        }
    }

    /// Keeps a removed entry for later if freeing it could take long, else frees it now.
    pub(crate) fn discard(&mut self, entry: Entry) {
        if is_large(&entry) {
            self.garbage.push(Garbage::Entry(entry));
        }
    }
}

/// What has more allocations than this is not freed under a lock.
const PIECES_MAX: usize = 64;

/// Whether an entry is better freed after the locks: giving many megabytes back takes longer than
/// waking the thread that frees, and freeing many small pieces too.
pub(crate) fn is_large(entry: &Entry) -> bool {
    const BYTES_MAX: usize = 1 << 20;
    match entry.value() {
        ValueRef::String(_) => entry.allocated_bytes() > BYTES_MAX,
        ValueRef::Object(object) => object.pieces() > PIECES_MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_recorded_without_interest() {
        let mut effects = Effects::default();
        effects.event(0, Event::string("set"), b"k");
        effects.modified(0, b"k");
        effects.log(0, &[b"SET", b"k", b"v"]);
        assert!(!effects.pending());
        assert_eq!(effects.propagation, Propagation::Rewritten);
    }

    #[test]
    fn each_interest_records_its_own() {
        let mut effects =
            Effects { interest: Interest::EVENTS | Interest::LOG, ..Effects::default() };
        effects.event(3, Event::string("set"), b"k");
        effects.modified(3, b"k");
        effects.log(3, &[b"DEL", b"k"]);
        assert_eq!(effects.events.len(), 1);
        assert!(effects.modified.is_empty());
        assert_eq!(effects.records.lines(), [(3, "DEL k".to_owned())]);
    }
    #[test]
    fn what_one_command_made_long_is_not_kept() {
        let mut effects = Effects { interest: Interest::EVENTS, ..Effects::default() };
        for round in [10, 2 * KEPT_MAX] {
            for _ in 0..round {
                effects.event(0, Event::string("set"), b"k");
                effects.garbage.push(Garbage::Part(Box::new(()), 0));
            }
            assert_eq!(effects.take_garbage().len(), round);
            crate::Consumers::default().route(&mut effects, 0);
            assert!(effects.events.is_empty() && effects.events.capacity() <= KEPT_MAX);
            assert!(effects.garbage.is_empty() && effects.garbage.capacity() <= KEPT_MAX);
        }
    }
}
