//! Loading the dataset: who does it, what clients may do meanwhile, and what `INFO` says of it.
//!
//! While a dataset is being loaded it is not served. Commands that look at keys are refused by the
//! gate (`-LOADING`), and once more under their locks: whoever passed the gate just before may have
//! waited for a lock until the load had begun. What is left is what operators need to look in:
//! `INFO`, `CONFIG`, `SHUTDOWN`.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use command::{CommandError, Flags};
use config::{Config, rows};
use parking_lot::Mutex;
use persistence::Source;
use persistence::load::{Load, LoadError, Loaded, Options, Problem, Progress};
use script::functions::Policy;
use store::load::Existing;
use store::{Access, Keyspace};

use crate::aof::AofFailure;
use crate::engine::Engine;
use crate::platform::LogLevel;
use crate::registry::{Entry, Exec};
use crate::scripting::functions::BadLibrary;
use crate::session::Session;

/// Loads of datasets.
#[derive(Debug, Default)]
pub(crate) struct Loading {
    /// Whether the dataset is being loaded and not served.
    active: AtomicBool,
    /// Whether the log was on when that began, whatever becomes of the parameter meanwhile.
    from_log: AtomicBool,
    current: Mutex<Option<Current>>,
    /// Of the last load that ended.
    keys_expired: AtomicU64,
    keys_loaded: AtomicU64,
}

/// A load under way.
#[derive(Debug)]
struct Current {
    progress: Arc<Progress>,
    started_ms: u64,
}

/// The figures of a load under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoadFigures {
    /// Unix time in seconds.
    pub(crate) start_s: u64,
    pub(crate) total_bytes: u64,
    /// Of the server that wrote the file.
    pub(crate) used_memory: u64,
    pub(crate) loaded_bytes: u64,
    pub(crate) loaded_percent: f64,
    pub(crate) eta_s: u64,
}

/// Which keys of a file are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What happens to keys that are there already.
    pub existing: Existing,
    /// Whether keys are left out whose time has come. They are needed where a log follows.
    pub drops_expired: bool,
}

/// What `DEBUG RELOAD` is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reload {
    /// Whether the file is written first, or is there already.
    pub(crate) saves: bool,
    /// Whether what is in memory goes.
    pub(crate) flushes: bool,
    /// What happens to keys that are there already.
    pub(crate) existing: Existing,
}

/// Why a dataset was not loaded.
#[derive(Debug)]
pub enum LoadFailure {
    /// The file cannot be opened.
    Open(io::Error),
    /// What is in it cannot be used.
    File(LoadError),
    /// A library of functions in it cannot be used.
    Library,
    /// The append-only file cannot be used.
    Log,
}

fn load_delay(config: &Config) -> Option<Duration> {
    let micros = u64::try_from(config.get(rows::KEY_LOAD_DELAY)).ok().filter(|&us| us > 0)?;
    Some(Duration::from_micros(micros))
}

const RELOAD_LOG_FAILED: &str = "ERR Error trying to load the AOF files, check server logs";
const RELOAD_FAILED: &str = "ERR Error trying to load the RDB dump, check server logs";

impl Engine {
    /// Whether the dataset is being loaded.
    #[inline]
    #[must_use]
    pub fn is_loading(&self) -> bool {
        self.loading.active.load(Ordering::Acquire)
    }

    /// Stops serving the dataset until [`Engine::end_loading`].
    pub fn begin_loading(&self) {
        self.loading.from_log.store(self.has_log(), Ordering::Relaxed);
        self.loading.active.store(true, Ordering::Release);
    }

    /// Whether the dataset is to be loaded from the append-only file.
    pub(crate) fn loads_from_log(&self) -> bool {
        let recorded = self.is_loading().then(|| self.loading.from_log.load(Ordering::Relaxed));
        recorded.unwrap_or_else(|| self.has_log())
    }

    /// Serves the dataset, which is whole.
    pub fn end_loading(&self) {
        *self.loading.current.lock() = None;
        self.loading.active.store(false, Ordering::Release);
    }

    /// Refuses a command that has no business with a dataset that is being loaded.
    ///
    /// # Errors
    /// If it has none, or if it is an `EXEC` of such commands.
    #[cold]
    pub(crate) fn check_loading(
        &self,
        entry: &Entry,
        session: &Session,
    ) -> Result<(), CommandError> {
        let allowed = |entry: &Entry| entry.has(Flags::LOADING);
        let queue = session.transaction.as_ref().map(|transaction| &transaction.queue);
        let queue_allowed = !matches!(entry.exec, Exec::Transaction)
            || queue.is_none_or(|queue| queue.iter().all(|queued| allowed(queued.entry)));
        if allowed(entry) && queue_allowed { Ok(()) } else { Err(CommandError::LOADING) }
    }

    /// Whether there is a dataset to load when the server starts.
    #[must_use]
    pub fn has_dataset(&self) -> bool {
        // What cannot be looked at is tried, so that whoever loads it says why. A log that is not
        // wanted now leaves its numbers: one that begins later goes on from them.
        let is_there = |name: &str| !matches!(self.storage.len(name), Ok(None));
        self.has_log() || is_there(&self.rdb_file()) || is_there(&self.log_names().manifest())
    }

    /// Loads the append-only file if there is to be one, or else the RDB file, when the server
    /// starts, and begins to serve.
    ///
    /// # Errors
    /// What there is to say has been logged. The dataset is still not served, and must not be.
    pub fn load_at_start(&self) -> Result<(), LoadFailure> {
        let started = self.clock.monotonic_ns();
        let taken = Taken { existing: Existing::Refuse, drops_expired: true };
        if self.start_log().map_err(|AofFailure| LoadFailure::Log)? {
            // The RDB file may be older.
        } else if self.load_rdb(&self.rdb_file(), taken)?.is_some() {
            let took = (self.clock.monotonic_ns() - started) as f64 / 1e9;
            self.notice(&format!("DB loaded from disk: {took:.3} seconds"));
        }
        if !self.settle_log() {
            return Err(LoadFailure::Log);
        }
        self.end_loading();
        Ok(())
    }

    /// Saves the dataset and replaces it by what was saved, for `DEBUG RELOAD`. Nobody is served
    /// meanwhile. `keys` holds all locks, and gives them back.
    ///
    /// # Errors
    /// If the locks are those of a transaction, or if the dataset cannot be saved: then it is as it
    /// was.
    pub(crate) fn reload(
        &self,
        keys: &mut Keyspace<'_>,
        how: Reload,
    ) -> Result<Option<Loaded>, CommandError> {
        if !keys.owns_locks() {
            return Err(CommandError::state("ERR a transaction cannot load a dataset"));
        }
        // From here on nobody else gets at the keys, though the locks are free for the walk.
        self.begin_loading();
        keys.release();
        let _no_rewrite = self.no_rewrite();
        if how.saves && self.save_in_place().is_err() {
            self.end_loading();
            return Err(CommandError::state("ERR"));
        }
        if how.flushes {
            keys.wait_for_all();
            self.empty(keys);
            keys.release();
        }
        let taken = Taken { existing: how.existing, drops_expired: true };
        let loaded = self.load_rdb(&self.rdb_file(), taken).map_err(|failure| {
            if !matches!(failure, LoadFailure::Library) {
                // What is in memory is neither the old dataset nor the new one.
                self.platform.abort();
            }
            CommandError::state(RELOAD_FAILED)
        });
        self.end_loading();
        loaded
    }

    /// Replaces the dataset by that of the append-only file, for `DEBUG LOADAOF`, as
    /// [`Engine::reload`].
    ///
    /// # Errors
    /// As there.
    pub(crate) fn reload_log(&self, keys: &mut Keyspace<'_>) -> Result<(), CommandError> {
        if !keys.owns_locks() {
            return Err(CommandError::state("ERR a transaction cannot load a dataset"));
        }
        self.begin_loading();
        keys.release();
        let _no_rewrite = self.no_rewrite();
        keys.wait_for_all();
        // Nobody logs anything while all locks are held.
        if self.write_whole_log().is_err() {
            self.end_loading();
            return Err(CommandError::state(RELOAD_LOG_FAILED));
        }
        self.empty(keys);
        keys.release();
        if self.replay_log().is_err() {
            self.platform.abort();
            return Err(CommandError::state(RELOAD_LOG_FAILED));
        }
        self.end_loading();
        Ok(())
    }

    /// Loads an RDB file into the store; none if there is no such file.
    ///
    /// # Errors
    /// What there is to say has been logged. The store holds what was loaded until then.
    pub fn load_rdb(&self, name: &str, taken: Taken) -> Result<Option<Loaded>, LoadFailure> {
        match self.storage.open(name) {
            Ok(source) => self.load_rdb_from(source, taken).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                self.warn(&format!(
                    "Fatal error: can't open the RDB file {name} for reading: {error}"
                ));
                Err(LoadFailure::Open(error))
            }
        }
    }

    /// Loads RDB data into the store, with the threads that the platform has for it.
    ///
    /// # Errors
    /// As [`Engine::load_rdb`].
    pub fn load_rdb_from(
        &self,
        source: Box<dyn Source>,
        taken: Taken,
    ) -> Result<Loaded, LoadFailure> {
        let load = Load::new(source, self.load_options(taken));
        *self.loading.current.lock() =
            Some(Current { progress: load.progress(), started_ms: self.clock.unix_ms() });
        self.platform.in_parallel(&|| load.work(&self.store));
        match load.finish() {
            Ok(loaded) => {
                self.loading.keys_loaded.store(loaded.keys, Ordering::Relaxed);
                self.loading.keys_expired.store(loaded.expired, Ordering::Relaxed);
                self.report_loaded(&loaded);
                let policy = match taken.existing {
                    Existing::Refuse => Policy::Append,
                    Existing::Replace => Policy::Replace,
                };
                let added = self.add_loaded_libraries(&loaded.functions, policy);
                added.map_err(|BadLibrary| LoadFailure::Library)?;
                Ok(loaded)
            }
            Err(error) => {
                self.report_load_error(&error);
                Err(LoadFailure::File(error))
            }
        }
    }

    fn load_options(&self, taken: Taken) -> Options {
        let platform = Arc::clone(&self.platform);
        Options {
            now: self.clock.unix_ms(),
            drops_expired: taken.drops_expired,
            access: Access { policy: self.access_policy(), touch: true },
            limits: commands::encoding_limits(&self.config, self.clock.unix_us()),
            checks_crc: self.config.get(rows::RDBCHECKSUM),
            existing: taken.existing,
            log: Box::new(move |line| platform.log(LogLevel::Notice, line)),
            before_key: self.load_delay().map(|_| self.pacer()),
        }
    }

    /// How long a load is to wait before each key or command, for tests.
    pub(crate) fn load_delay(&self) -> Option<Duration> {
        load_delay(&self.config)
    }

    /// Slows a load down for tests: by so much for each key, whatever the number of threads, and as
    /// long as the parameter says so.
    fn pacer(&self) -> Box<dyn Fn() + Send + Sync> {
        let (platform, config) = (Arc::clone(&self.platform), Arc::clone(&self.config));
        let turn = Mutex::new(());
        Box::new(move || {
            let _one_at_a_time = turn.lock();
            if let Some(delay) = load_delay(&config) {
                platform.sleep(delay);
            }
        })
    }

    fn report_loaded(&self, loaded: &Loaded) {
        let Loaded { keys, expired, empty, .. } = loaded;
        let line = format!("Done loading RDB, keys loaded: {keys}, keys expired: {expired}");
        if *empty > 0 {
            self.warn(&format!("{line}, empty keys skipped: {empty}."));
        } else {
            self.notice(&format!("{line}."));
        }
    }

    fn report_load_error(&self, error: &LoadError) {
        let offset = error.offset;
        let reason = match &error.problem {
            Problem::Checksum { .. } => {
                self.warn(&format!("{}. Aborting now.", error.problem));
                "RDB CRC error".to_owned()
            }
            Problem::Record(_) | Problem::Database(_) if offset == 0 => {
                return self.warn(&error.problem.to_string());
            }
            Problem::Database(_) => return self.warn(&format!("{}. Exiting", error.problem)),
            Problem::Truncated => {
                self.warn("Short read or OOM loading DB. Unrecoverable error, aborting now.");
                error.to_string()
            }
            _ => error.to_string(),
        };
        self.warn(&format!("Internal error in RDB reading offset {offset} -> {reason}"));
        self.warn("Terminating server after rdb file reading failure.");
    }

    /// The figures of the load under way, if there is one.
    pub(crate) fn load_figures(&self) -> Option<LoadFigures> {
        let current = self.loading.current.lock();
        let Current { progress, started_ms } = current.as_ref()?;
        let total = progress.total_bytes();
        let loaded = progress.loaded_bytes().min(total);
        let elapsed_s = self.clock.unix_ms().saturating_sub(*started_ms) / 1000;
        Some(LoadFigures {
            start_s: started_ms / 1000,
            total_bytes: total,
            used_memory: progress.used_memory(),
            loaded_bytes: loaded,
            loaded_percent: if total == 0 { 0.0 } else { loaded as f64 / total as f64 * 100.0 },
            // Before anything is loaded nobody can know.
            eta_s: match loaded {
                0 => 1,
                loaded => elapsed_s.saturating_mul(total - loaded) / loaded,
            },
        })
    }

    /// Keys that the last load left out because their time had come, and keys that it loaded.
    pub(crate) fn last_load(&self) -> (u64, u64) {
        let Loading { keys_expired, keys_loaded, .. } = &self.loading;
        (keys_expired.load(Ordering::Relaxed), keys_loaded.load(Ordering::Relaxed))
    }

    /// Empties the dataset, and forgets the libraries of functions. Neither the log nor whoever
    /// waits for a key hears of it: it comes back. Who caches keys does, at once: what is still to
    /// be told would keep the locks, and whoever loads needs them.
    fn empty(&self, keys: &mut Keyspace<'_>) {
        let (dirty, ready) = (keys.effects.dirty, keys.effects.ready.len());
        keys.flush(None);
        drop(self.scripting.libraries.flush());
        keys.effects.dirty = dirty;
        keys.effects.ready.truncate(ready);
        self.route(keys.effects, 0);
    }

    pub(crate) fn notice(&self, line: &str) {
        self.platform.log(LogLevel::Notice, line);
    }

    pub(crate) fn warn(&self, line: &str) {
        self.platform.log(LogLevel::Warning, line);
    }
}
