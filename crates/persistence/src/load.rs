//! Loading an RDB file.
//!
//! ```text
//!              ┌ one thread at a time ──────────────────┐   ┌ all at once ──────────────────────┐
//!   file  ───> │ read a block, cut it into records, CRC │──>│ decode, sort by position, insert  │
//!              └────────────────────────────────────────┘   └───────────────────────────────────┘
//! ```
//!
//! Every thread that calls [`Load::work`] takes a block under the lock of the file, gives the lock
//! back and puts the block's keys into the store, until the file ends. Nobody waits for anybody
//! else but there, there is no queue, and what is in memory beside the dataset is a block per
//! thread (and a value of any size, which is a block of its own).
//!
//! Whatever is wrong with the file ends the load with an error that says what and where. What has
//! been inserted by then is not a dataset: the caller must not serve it.

mod error;
mod feed;
mod progress;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use collections::entry::{Entry, NewValue};
use format::rdb::file::{Attributes, Record, Usage};
use format::rdb::{DecodeError, Decoded, Limits};
use stdx::num::parse_i64;
use stdx::rng::Rng;
use store::load::{Batch, Existing};
use store::{Access, Store, UnixMs};

pub use error::{LoadError, Problem};
pub use feed::{Block, Feed, Located};
pub use progress::Progress;

use crate::Source;

/// How a file is loaded.
pub struct Options {
    /// The time.
    pub now: UnixMs,
    /// Whether keys whose time has come are left out, as a primary does, unless commands that
    /// change them follow in a log.
    pub drops_expired: bool,
    /// How the keys' access clocks are kept.
    pub access: Access,
    /// Which form values take.
    pub limits: Limits,
    /// Whether the checksum is computed and compared (`rdbchecksum`).
    pub checks_crc: bool,
    /// What happens to keys that are there already.
    pub existing: Existing,
    /// Told what is worth a line in the log.
    pub log: Box<dyn Fn(&str) + Send + Sync>,
    /// Called before each key, by tests that want a load to take its time (`key-load-delay`).
    pub before_key: Option<Box<dyn Fn() + Send + Sync>>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").finish_non_exhaustive()
    }
}

/// A load under way, shared by the threads that work on it.
#[derive(Debug)]
pub struct Load {
    feed: Mutex<Feed>,
    options: Options,
    progress: Arc<Progress>,
    /// What the file has beside keys, with where each ends.
    others: Mutex<Vec<(u64, Record<'static>)>>,
    expired: AtomicU64,
    empty: AtomicU64,
    failed: AtomicBool,
    error: Mutex<Option<LoadError>>,
}

/// What a file held, beside the keys that are in the store now.
#[derive(Debug)]
pub struct Loaded {
    /// Number of keys.
    pub keys: u64,
    /// Number of keys left out because their time had come.
    pub expired: u64,
    /// Number of keys left out because they had no element.
    pub empty: u64,
    /// Function libraries, in order.
    pub functions: Vec<Vec<u8>>,
    /// Aux fields, in order.
    pub aux: Vec<(String, Vec<u8>)>,
    /// Length of the RDB data in bytes.
    pub len: u64,
    /// What was read beyond it.
    pub rest: Vec<u8>,
    /// Where there may be more.
    pub source: Box<dyn Source>,
}

impl Load {
    /// A load of `source`, which stands at its first byte.
    #[must_use]
    pub fn new(source: Box<dyn Source>, options: Options) -> Self {
        let progress = Arc::new(Progress::new(source.len()));
        Self {
            feed: Mutex::new(Feed::new(source, options.checks_crc)),
            options,
            progress,
            others: Mutex::default(),
            expired: AtomicU64::new(0),
            empty: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            error: Mutex::new(None),
        }
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }

    /// Works until the file ends or something is wrong. Any number of threads may call it.
    pub fn work(&self, store: &Store) {
        let (mut block, mut batch) = (Block::default(), Batch::default());
        while !self.failed.load(Ordering::Relaxed) {
            match self.step(store, &mut block, &mut batch) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => self.fail(error),
            }
        }
    }

    /// Loads one block. False at the end of the file.
    fn step(&self, store: &Store, block: &mut Block, batch: &mut Batch) -> Result<bool, LoadError> {
        if !self.feed().next(block)? {
            return Ok(false);
        }
        if !block.others().is_empty() {
            self.keep(block.others());
        }
        // Each block has tables of other seeds, the same in every run of the same load.
        let seed = self.options.limits.set.seed ^ block.offset();
        let limits = self.options.limits.seeded(Rng::seed(seed).next_u64());
        for located in block.entries() {
            if let Some((db, entry)) = self.decode(&located, store, &limits)? {
                batch.push(store, db, entry);
            }
        }
        let keys = batch.len() as u64;
        store
            .load(batch, self.options.existing)
            .map_err(|duplicate| LoadError::at(block.offset(), Problem::Duplicate(duplicate)))?;
        self.progress.add(keys, block.len());
        Ok(true)
    }

    /// Keeps what is not a key.
    fn keep(&self, others: &[(u64, Record<'static>)]) {
        for (_, other) in others {
            if let Record::Aux { name, value } = other {
                self.tell(&String::from_utf8_lossy(name), &String::from_utf8_lossy(value));
            }
        }
        lock(&self.others).extend_from_slice(others);
    }

    /// Logs what an aux field says, in the words that operators know.
    fn tell(&self, name: &str, value: &str) {
        const MEGABYTE: f64 = 1024.0 * 1024.0;
        let log = &self.options.log;
        match name {
            "redis-ver" | "valkey-ver" => {
                log(&format!("Loading RDB produced by version {value}"));
            }
            "ctime" => {
                let created = value.parse::<i64>().unwrap_or(0);
                let age = i64::try_from(self.options.now / 1000).unwrap_or(0) - created;
                log(&format!("RDB age {} seconds", age.max(0)));
            }
            "used-mem" => {
                let bytes = value.parse().unwrap_or(0);
                self.progress.set_used_memory(bytes);
                log(&format!("RDB memory usage when created {:.2} Mb", bytes as f64 / MEGABYTE));
            }
            "aof-base" if value == "1" => log("RDB is base AOF"),
            _ => {}
        }
    }

    /// The entry of a record; none if it is left out.
    fn decode(
        &self,
        located: &Located<'_>,
        store: &Store,
        limits: &Limits,
    ) -> Result<Option<(usize, Entry)>, LoadError> {
        if let Some(before_key) = &self.options.before_key {
            before_key();
        }
        let record = &located.entry;
        let attributes = record.attributes;
        let db = usize::try_from(located.db).ok().filter(|db| *db < store.databases());
        let db = db.ok_or_else(|| located.error(Problem::Database(store.databases())))?;
        let late = |deadline: UnixMs| deadline < self.options.now;
        if self.options.drops_expired && attributes.deadline.is_some_and(late) {
            self.expired.fetch_add(1, Ordering::Relaxed);
            return Ok(None);
        }
        let (key, value) = match record.decode(limits) {
            Ok(decoded) => decoded,
            Err(DecodeError::Empty) => return self.skip(located).map(|()| None),
            Err(error) => return Err(located.error(Problem::Value(error))),
        };
        let new = |value: NewValue<'_>| Entry::new(&key, value, attributes.deadline);
        let mut entry = match value {
            Decoded::String(text) => match parse_i64(&text) {
                Some(number) => new(NewValue::Int(number)),
                None => new(NewValue::Bytes(&text)),
            },
            Decoded::Object(object) => new(NewValue::Object(object)),
        };
        entry.set_clock(self.clock(attributes));
        Ok(Some((db, entry)))
    }

    /// The access clock of a key that is used as the file says.
    fn clock(&self, attributes: Attributes) -> u32 {
        let (idle, frequency) = match attributes.usage {
            Some(Usage::Idle(seconds)) => (Some(seconds), None),
            Some(Usage::Frequency(frequency)) => (None, Some(frequency)),
            None => (None, None),
        };
        self.options.access.restored(self.options.now, idle, frequency)
    }

    /// Counts a key without elements. The first few are named.
    fn skip(&self, located: &Located<'_>) -> Result<(), LoadError> {
        const NAMED: u64 = 10;
        let key = located.entry.key().map_err(|error| located.error(Problem::Value(error)))?;
        if self.empty.fetch_add(1, Ordering::Relaxed) < NAMED {
            (self.options.log)(&format!(
                "rdbLoadObject skipping empty key: {}",
                String::from_utf8_lossy(&key)
            ));
        }
        Ok(())
    }

    /// Remembers what is wrong: of several, what comes first in the file.
    fn fail(&self, error: LoadError) {
        self.failed.store(true, Ordering::Relaxed);
        let mut known = lock(&self.error);
        if known.as_ref().is_none_or(|known| error.offset < known.offset) {
            *known = Some(error);
        }
    }

    fn feed(&self) -> MutexGuard<'_, Feed> {
        lock(&self.feed)
    }

    /// What came of it, when all threads have returned.
    ///
    /// # Errors
    /// If the file was not loaded whole.
    pub fn finish(self) -> Result<Loaded, LoadError> {
        if let Some(error) = unlocked(self.error) {
            return Err(error);
        }
        let (mut aux, mut functions) = (Vec::new(), Vec::new());
        let mut others = unlocked(self.others);
        others.sort_by_key(|(offset, _)| *offset);
        for (_, other) in others {
            match other {
                Record::Aux { name, value } => {
                    let name = String::from_utf8_lossy(&name).into_owned();
                    aux.push((name, value.into_owned()));
                }
                Record::Function(source) => functions.push(source.into_owned()),
                // Hints, and what belongs to modules and clusters of others.
                _ => {}
            }
        }
        let feed = unlocked(self.feed);
        let len = feed.offset();
        let (rest, source) = feed.into_rest();
        Ok(Loaded {
            keys: self.progress.keys(),
            expired: self.expired.into_inner(),
            empty: self.empty.into_inner(),
            functions,
            aux,
            len,
            rest,
            source,
        })
    }
}

/// A thread that panicked has left nothing half done behind these locks that anybody reads.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn unlocked<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
