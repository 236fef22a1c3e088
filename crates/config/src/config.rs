//! The live values.
//!
//! Every value that is a number, a switch or a word is an atomic that any thread reads without a
//! lock; texts sit behind a lock each, as nobody reads them in a hurry. Writers take turns, so a
//! `CONFIG SET` of several parameters is one step for other writers. A reader may see the first
//! of them before the second: parameters that must agree are applied by the server in one place.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::handle::{Parameter, RowId};
use crate::lists::{self, ClientClass, OutputLimit};
use crate::row::Kind;
use crate::rows::{self, COUNT, TABLE};
use crate::value::Value;

/// What the process finds when it starts; some defaults follow from it.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Cores that the process may use; the default of `io-threads`.
    pub cores: usize,
    /// Absolute path of the working directory; the default of `dir`.
    pub directory: Vec<u8>,
}

/// The values of all parameters, shared by every thread.
pub struct Config {
    words: [AtomicI64; COUNT],
    texts: [RwLock<Arc<[u8]>>; COUNT],
    /// `client-output-buffer-limit` by class: hard, soft, seconds. Read for every reply.
    output_limits: [[AtomicU64; 3]; 3],
    defaults: Vec<Value>,
    writer: Mutex<()>,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").finish_non_exhaustive()
    }
}

impl Config {
    /// Every parameter at its default.
    #[must_use]
    pub fn new(environment: &Environment) -> Self {
        let mut defaults: Vec<Value> = TABLE.iter().map(|row| row.default_value()).collect();
        let threads = i64::try_from(environment.cores).unwrap_or(i64::MAX).clamp(1, 128);
        defaults[rows::IO_THREADS.id().index()] = Value::Word(threads);
        defaults[rows::DIR.id().index()] = Value::from_text(&environment.directory);

        let config = Self {
            words: std::array::from_fn(|_| AtomicI64::new(0)),
            texts: std::array::from_fn(|_| RwLock::new(Arc::from([]))),
            output_limits: std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0))),
            defaults,
            writer: Mutex::new(()),
        };
        for id in ids() {
            config.store(id, &config.defaults[id.index()]);
        }
        config
    }

    /// The value of a parameter.
    #[inline]
    pub fn get<P: Parameter>(&self, parameter: P) -> P::Value {
        parameter.read(self)
    }

    /// The output limit of a class of clients, without a lock.
    #[must_use]
    pub fn output_limit(&self, class: ClientClass) -> OutputLimit {
        let [hard, soft, seconds] = &self.output_limits[class as usize];
        OutputLimit {
            hard_bytes: hard.load(Relaxed),
            soft_bytes: soft.load(Relaxed),
            soft_seconds: seconds.load(Relaxed),
        }
    }

    /// The value of a row.
    #[must_use]
    pub fn value(&self, id: RowId) -> Value {
        match id.row().kind {
            Kind::Text { .. } | Kind::List { .. } => Value::Text(self.text(id)),
            _ => Value::Word(self.word(id)),
        }
    }

    /// The text that `CONFIG GET` shows for a row.
    #[must_use]
    pub fn show(&self, id: RowId) -> Vec<u8> {
        id.row().show(&self.value(id))
    }

    /// What the row holds without configuration, in this environment.
    #[must_use]
    pub fn default_value(&self, id: RowId) -> &Value {
        &self.defaults[id.index()]
    }

    /// Names of the parameters that are set to something else than their default and belong to
    /// features that do not exist.
    #[must_use]
    pub fn ignored(&self) -> Vec<&'static str> {
        let is_ignored =
            |id: &RowId| !id.row().implemented && self.value(*id) != *self.default_value(*id);
        ids().filter(is_ignored).map(|id| id.row().name).collect()
    }

    /// The first parameter whose value asks for what the server cannot leave out and does not
    /// have.
    #[must_use]
    pub fn unmet(&self) -> Option<RowId> {
        ids().find(|id| id.row().indispensable && self.value(*id) != *self.default_value(*id))
    }

    /// Replaces a value from inside the server, without the rules of `CONFIG SET`: the absolute
    /// form of `dir`, a new primary after `REPLICAOF`, a limit that the system did not grant.
    /// Fails with the reason when `text` is no value of the parameter. May be called while a
    /// change is applied or a file is loaded.
    pub fn assign<P: Parameter>(&self, parameter: P, text: &[u8]) -> Result<(), String> {
        let id = parameter.id();
        let value = crate::set::parse_one(id.row(), text, &self.value(id))
            .map_err(std::borrow::Cow::into_owned)?;
        self.store(id, &value);
        Ok(())
    }

    #[inline]
    pub(crate) fn word(&self, id: RowId) -> i64 {
        self.words[id.index()].load(Relaxed)
    }

    pub(crate) fn text(&self, id: RowId) -> Arc<[u8]> {
        Arc::clone(&self.texts[id.index()].read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn take_turn(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn store(&self, id: RowId, value: &Value) {
        match value {
            Value::Word(word) => self.words[id.index()].store(*word, Relaxed),
            Value::Text(text) => {
                let slot = &self.texts[id.index()];
                *slot.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(text);
                if id == rows::CLIENT_OUTPUT_BUFFER_LIMIT.id() {
                    self.store_output_limits(text);
                }
            }
        }
    }

    fn store_output_limits(&self, text: &[u8]) {
        for (slots, limit) in self.output_limits.iter().zip(lists::output_limits(text)) {
            slots[0].store(limit.hard_bytes, Relaxed);
            slots[1].store(limit.soft_bytes, Relaxed);
            slots[2].store(limit.soft_seconds, Relaxed);
        }
    }
}

/// The ids of all rows.
pub fn ids() -> impl Iterator<Item = RowId> {
    (0..u16::try_from(COUNT).expect("there are a few hundred parameters")).map(RowId)
}
