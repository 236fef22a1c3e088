//! Saving the dataset: who may begin, when it happens by itself, and what follows from it.
//!
//! ```text
//!   BGSAVE ─┐                       ┌──────────────── a thread of its own ─────────────┐
//!   save  ──┼─> reserve ─> the cut ─┤ walk, encode, write, flush, rename, flush        │─> settle
//!   points ─┤   (one at    (all     └──────────────────────────────────────────────────┘     │
//!   SAVE  ──┤    a time)   locks)       the same work, while one client waits for it         │
//!   end   ──┘                           the same work, while nobody is served                v
//!                                              last save, changes since, status, MISCONF, INFO
//! ```
//!
//! There is one snapshot of the store at a time. A save that finds another one in progress, a
//! rewrite of the append-only file, is refused in Redis's words or, if that is asked for, begins
//! when the other has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use command::CommandError;
use config::rows;
use format::rdb::{Options, Version};
use parking_lot::Mutex;
use persistence::save::{SaveError, SaveOptions, Step, save};
use stdx::error::reason;
use store::{Access, Snapshot};

use crate::engine::{Engine, REDIS_VERSION};
use crate::pacing::Pacer;
use crate::platform::LogLevel;

/// After a save has failed, the next attempt by itself is made so many seconds later.
const RETRY_S: u64 = 5;
/// How often is looked whether a snapshot in progress has ended.
pub(crate) const PATIENCE: Duration = Duration::from_millis(1);

/// What is known of saves.
#[derive(Debug, Default)]
pub(crate) struct Saving {
    state: Mutex<State>,
    /// Whether the last save in the background failed.
    has_failed: AtomicBool,
    /// Unix time in seconds of the last save.
    last_save_s: AtomicU64,
    /// The count of changes at the cut of the last save.
    saved_changes: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    running: Option<Arc<Running>>,
    is_scheduled: bool,
    /// Unix time in seconds of the last attempt.
    last_try_s: u64,
    figures: SaveFigures,
}

/// What `INFO` says of the saves that have ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SaveFigures {
    /// How long the last one in the background took, in seconds.
    pub(crate) took_s: Option<u64>,
    /// How many succeeded.
    pub(crate) saves: u64,
    /// How many in the background have failed since one succeeded.
    pub(crate) failures: u64,
    /// Bytes that were copied for the last one.
    pub(crate) copied_bytes: u64,
}

/// A save in progress.
#[derive(Debug)]
pub(crate) struct Running {
    is_background: bool,
    started_ms: u64,
    keys_total: AtomicU64,
    keys_done: AtomicU64,
    copied_bytes: AtomicU64,
    is_cancelled: AtomicBool,
}

/// How far a save is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SaveProgress {
    /// Whether it is one in the background.
    pub(crate) is_background: bool,
    /// Unix time in milliseconds.
    pub(crate) started_ms: u64,
    pub(crate) keys_total: u64,
    pub(crate) keys_done: u64,
    pub(crate) copied_bytes: u64,
}

/// A save that has begun: the dataset of this moment is what it will write.
#[derive(Debug)]
pub(crate) struct Job {
    snapshot: Snapshot,
    pub(crate) running: Arc<Running>,
    options: SaveOptions,
    /// Those that it has and the save before it had not.
    changes: u64,
}

/// Why a save cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Busy {
    /// A save is in progress.
    Saving,
    /// A snapshot for something else is in progress.
    Snapshot,
}

/// What `BGSAVE CANCEL` has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cancelled {
    /// A save in progress.
    Running,
    /// One that was to begin later.
    Scheduled,
    /// None.
    Nothing,
}

impl Saving {
    /// Before the first save. `now_s` is unix time in seconds.
    pub(crate) fn new(now_s: u64) -> Self {
        Self { last_save_s: AtomicU64::new(now_s), ..Self::default() }
    }

    /// Unix time in seconds of the last save.
    pub(crate) fn last_save_s(&self) -> u64 {
        self.last_save_s.load(Ordering::Relaxed)
    }

    /// Whether the last save in the background failed.
    #[inline]
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// What is known of the saves that have ended.
    pub(crate) fn figures(&self) -> SaveFigures {
        self.state.lock().figures
    }

    /// How far the save is that is in progress.
    pub(crate) fn progress(&self) -> Option<SaveProgress> {
        self.state.lock().running.as_deref().map(|running| SaveProgress {
            is_background: running.is_background,
            started_ms: running.started_ms,
            keys_total: running.keys_total.load(Ordering::Relaxed),
            keys_done: running.keys_done.load(Ordering::Relaxed),
            copied_bytes: running.copied_bytes.load(Ordering::Relaxed),
        })
    }

    /// Has a save begin as soon as none is in progress.
    pub(crate) fn schedule(&self) {
        self.state.lock().is_scheduled = true;
    }

    /// Calls off the save in progress, else the one that is scheduled.
    pub(crate) fn cancel(&self) -> Cancelled {
        let mut state = self.state.lock();
        if let Some(running) = state.running.as_ref().filter(|running| running.is_background) {
            running.is_cancelled.store(true, Ordering::Relaxed);
            return Cancelled::Running;
        }
        match std::mem::take(&mut state.is_scheduled) {
            true => Cancelled::Scheduled,
            false => Cancelled::Nothing,
        }
    }

    /// Reserves the right to save.
    fn reserve(&self, is_background: bool, now_ms: u64) -> Result<Arc<Running>, Busy> {
        let mut state = self.state.lock();
        if state.running.is_some() {
            return Err(Busy::Saving);
        }
        if is_background {
            state.last_try_s = now_ms / 1000;
        }
        let running = Arc::new(Running {
            is_background,
            started_ms: now_ms,
            keys_total: AtomicU64::new(0),
            keys_done: AtomicU64::new(0),
            copied_bytes: AtomicU64::new(0),
            is_cancelled: AtomicBool::new(false),
        });
        state.running = Some(Arc::clone(&running));
        Ok(running)
    }
}

impl Engine {
    /// Changes since the last save.
    pub(crate) fn changes_since_save(&self) -> u64 {
        self.changes().wrapping_sub(self.saving.saved_changes.load(Ordering::Relaxed))
    }

    /// Changes ever, but for those before the statistics were set back.
    pub(crate) fn changes(&self) -> u64 {
        self.stats.sum(|thread| &thread.dirty)
    }

    /// Sets the statistics back, but for the number of changes since the last save.
    pub(crate) fn reset_stats(&self) {
        let changes = self.changes();
        self.stats.reset();
        self.saving.saved_changes.fetch_sub(changes, Ordering::Relaxed);
    }

    /// What a flush of all databases means to saves: one in progress would bring back what is gone,
    /// and where the dataset is saved by itself the empty one is. All locks are held.
    pub(crate) fn flushed(&self, pending_changes: u64) {
        let _ = self.saving.cancel();
        if !self.config.get(rows::SAVE).is_empty() {
            let changes = self.changes().wrapping_add(pending_changes);
            self.saving.saved_changes.store(changes, Ordering::Relaxed);
            self.saving.schedule();
        }
    }

    /// Begins a save: the cut. No lock is held.
    pub(crate) fn begin_save(&self, is_background: bool) -> Result<Job, Busy> {
        let now_ms = self.clock.unix_ms();
        let running = self.saving.reserve(is_background, now_ms)?;
        let mut options = self.save_options(now_ms);
        let (mut changes, mut functions) = (0, Vec::new());
        let begun = self.store.begin_snapshot(&options.encoder(), || {
            changes = self.changes_since_save();
            functions = self.library_texts();
        });
        options.functions = functions;
        match begun {
            Ok(snapshot) => {
                let keys: usize = snapshot.usage().iter().map(|usage| usage.keys).sum();
                running.keys_total.store(keys as u64, Ordering::Relaxed);
                Ok(Job { snapshot, running, options, changes })
            }
            Err(store::snapshot::InProgress) => {
                self.saving.state.lock().running = None;
                Err(Busy::Snapshot)
            }
        }
    }

    /// Begins a save on a thread of its own.
    ///
    /// # Errors
    /// If another is in progress. One that finds no thread counts as a save that failed.
    pub(crate) fn save_in_background(&self) -> Result<Result<(), CommandError>, Busy> {
        let Some(engine) = self.shared() else {
            return Ok(Err(CommandError::state("ERR this server has no threads")));
        };
        let job = self.begin_save(true)?;
        self.note(LogLevel::Notice, "Background saving started");
        let (running, platform) = (Arc::clone(&job.running), &self.platform);
        let task = move || {
            let _ = engine.finish_save(job);
        };
        let spawned = platform.spawn("ferrite-save", Box::new(task));
        Ok(spawned.map_err(|reason| self.save_not_begun(&running, &reason)))
    }

    /// There is no thread for a save that was to begin.
    pub(crate) fn save_not_begun(&self, running: &Running, reason: &str) -> CommandError {
        self.note(LogLevel::Warning, &format!("Can't save in background: {reason}"));
        self.save_ended(running, 0, Err(None));
        CommandError::state("ERR")
    }

    /// Writes what a save has begun with, and settles what follows.
    ///
    /// # Errors
    /// If there is no new file. What there is to say has been logged.
    pub(crate) fn finish_save(&self, mut job: Job) -> Result<(), SaveError> {
        let name = self.rdb_file();
        let temporary = self.temporary_file();
        let running = Arc::clone(&job.running);
        let mut pacer = running.is_background.then(|| Pacer::new(self));
        let written = save(
            &*self.storage,
            [&temporary, &name],
            (&mut job.snapshot, &self.store),
            &job.options,
            &mut |progress| {
                running.copied_bytes.store(progress.copied_bytes, Ordering::Relaxed);
                if let Some(pacer) = &mut pacer {
                    pacer.rest(self, &progress);
                }
                running.keys_done.fetch_add(progress.keys, Ordering::Relaxed);
                self.delay_keys(progress.keys, &running.is_cancelled)
            },
        );
        let copied = job.snapshot.copied_bytes();
        running.copied_bytes.store(copied, Ordering::Relaxed);
        job.snapshot.cancel(&self.store);
        match &written {
            Ok(_) => self.note(LogLevel::Notice, "DB saved on disk"),
            Err(error) => self.report(error, &temporary, &name),
        }
        let outcome = written.as_ref().map(|_| ()).map_err(Some);
        self.save_ended(&running, job.changes, outcome);
        written.map(|_| ())
    }

    /// Saves on this thread, in place of a save in progress or one that is scheduled, and after a
    /// rewrite of the append-only file in progress. Nobody changes anything meanwhile, so this save
    /// has all that the other would have.
    ///
    /// # Errors
    /// As [`Engine::finish_save`].
    pub(crate) fn save_in_place(&self) -> Result<(), SaveError> {
        loop {
            let _ = self.saving.cancel();
            match self.begin_save(false) {
                Ok(job) => return self.finish_save(job),
                Err(Busy::Saving | Busy::Snapshot) => self.platform.sleep(PATIENCE),
            }
        }
    }

    /// Name of the RDB file.
    pub(crate) fn rdb_file(&self) -> String {
        String::from_utf8_lossy(&self.config.get(rows::DBFILENAME)).into_owned()
    }

    /// Name under which it is written.
    pub(crate) fn temporary_file(&self) -> String {
        format!("temp-{}.rdb", self.platform.process().pid)
    }

    /// How a dataset is written now, as the parameters say.
    pub(crate) fn save_options(&self, now_ms: u64) -> SaveOptions {
        let version = u16::try_from(self.config.get(rows::RDB_VERSION)).map(Version);
        let access = Access { policy: self.access_policy(), touch: false };
        SaveOptions {
            options: Options {
                version: version.unwrap_or(Version::V10),
                compress: self.config.get(rows::RDBCOMPRESSION),
            },
            checksum: self.config.get(rows::RDBCHECKSUM),
            incremental: self.config.get(rows::RDB_SAVE_INCREMENTAL_FSYNC),
            is_aof_base: false,
            redis_version: REDIS_VERSION,
            used_memory: self.used_memory.load(Ordering::Relaxed),
            now: now_ms,
            usage: self.saves_usage().then_some(access),
            functions: Vec::new(),
        }
    }

    /// Whether the file says how keys are used: where they make room by that.
    fn saves_usage(&self) -> bool {
        use config::MaxmemoryPolicy as Policy;
        match self.config.get(rows::MAXMEMORY_POLICY) {
            Policy::AllkeysLfu | Policy::AllkeysLru | Policy::AllkeysLrm => true,
            Policy::VolatileLfu | Policy::VolatileLru | Policy::VolatileLrm => true,
            Policy::AllkeysRandom | Policy::VolatileRandom => false,
            Policy::VolatileTtl | Policy::Noeviction => false,
        }
    }

    /// What follows from the end of a save.
    fn save_ended(&self, running: &Running, changes: u64, outcome: Result<(), Option<&SaveError>>) {
        let now_ms = self.clock.unix_ms();
        let is_cancelled = matches!(outcome, Err(Some(SaveError::Cancelled)));
        let mut state = self.saving.state.lock();
        state.running = None;
        if running.is_background {
            state.figures.took_s = Some(now_ms.saturating_sub(running.started_ms) / 1000);
            state.figures.copied_bytes = running.copied_bytes.load(Ordering::Relaxed);
            if !is_cancelled {
                self.saving.has_failed.store(outcome.is_err(), Ordering::Relaxed);
                state.figures.failures += 1;
            }
        }
        if outcome.is_ok() {
            state.figures.saves += 1;
            state.figures.failures = 0;
            self.saving.has_failed.store(false, Ordering::Relaxed);
            // A flush that came too late to cancel it counts as saved: an empty file will follow.
            if !running.is_cancelled.load(Ordering::Relaxed) {
                self.saving.saved_changes.fetch_add(changes, Ordering::Relaxed);
            }
            self.saving.last_save_s.store(now_ms / 1000, Ordering::Relaxed);
        }
        drop(state);
        if running.is_background {
            match (outcome.is_ok(), is_cancelled) {
                (true, _) => {
                    self.note(LogLevel::Notice, "Background saving terminated with success");
                }
                (false, true) => self.note(LogLevel::Warning, "Background saving cancelled"),
                (false, false) => self.note(LogLevel::Warning, "Background saving error"),
            }
        }
    }

    /// Logs why there is no new file, in the words that operators know.
    fn report(&self, error: &SaveError, temporary: &str, name: &str) {
        let SaveError::Io { step, error } = error else { return };
        let directory = self.config.get(rows::DIR);
        let root = format!("(in server root dir {})", String::from_utf8_lossy(&directory));
        let error = reason(error);
        let text = match step {
            Step::Create => {
                format!("Failed opening the temp RDB file {temporary} {root} for saving: {error}")
            }
            Step::Write => format!("Write error saving DB on disk(write): {error}"),
            Step::Sync => format!("Write error saving DB on disk(fsync): {error}"),
            Step::Rename => format!(
                "Error moving temp DB file {temporary} on the final destination {name} {root}: \
                 {error}"
            ),
            Step::SyncDirectory => {
                format!("Failed to fsync the directory of {name} {root}: {error}")
            }
        };
        self.note(LogLevel::Warning, &text);
    }

    /// Begins what is due by itself: a save that was scheduled, or one of the save points.
    pub(crate) fn save_cron(&self) {
        if self.is_loading() {
            // What is there is not the dataset.
            return;
        }
        let now_s = self.clock.unix_ms() / 1000;
        let is_scheduled = {
            let state = self.saving.state.lock();
            let retried = now_s.saturating_sub(state.last_try_s) > RETRY_S;
            let is_busy = state.running.is_some() || self.rewrite_runs();
            if is_busy || (self.saving.has_failed() && !retried) {
                return;
            }
            state.is_scheduled
        };
        if !is_scheduled && !self.save_point_is_reached(now_s) {
            return;
        }
        if let Ok(Ok(())) = self.save_in_background() {
            self.saving.state.lock().is_scheduled = false;
        }
    }

    fn save_point_is_reached(&self, now_s: u64) -> bool {
        let changes = self.changes_since_save();
        let since = now_s.saturating_sub(self.saving.last_save_s());
        if changes == 0 {
            return false;
        }
        let points = self.config.get(rows::SAVE);
        let reached = points.iter().find(|point| changes >= point.changes && since > point.seconds);
        if let Some(point) = reached {
            let text = format!("{} changes in {} seconds. Saving...", point.changes, point.seconds);
            self.note(LogLevel::Notice, &text);
        }
        reached.is_some()
    }

    /// Why changes are refused while the dataset cannot be saved, if they are to be.
    #[inline]
    pub(crate) fn save_refusal(&self) -> Option<CommandError> {
        let refuses = self.saving.has_failed()
            && self.config.get(rows::STOP_WRITES_ON_BGSAVE_ERROR)
            && !self.config.get(rows::SAVE).is_empty();
        refuses.then(|| CommandError::state(MISCONF))
    }

    fn note(&self, level: LogLevel, text: &str) {
        self.platform.log(level, text);
    }
}

const MISCONF: &str = "MISCONF Redis is configured to save RDB snapshots, but it's currently \
     unable to persist to disk. Commands that may modify the data set are disabled, because this \
     instance is configured to report errors during writes if RDB snapshotting fails \
     (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB \
     error.";
