//! Rewriting the append-only file: a snapshot becomes the new base, and what was logged before it
//! is not needed any more. Switching the log on is a rewrite too, the first one.
//!
//! ```text
//!  manifest:   base 1, incr 1        base 1, incr 1, incr 2          base 2, incr 2
//!                     |                       |                            |
//!  time: ──create incr 2──name it──cut: the log goes to incr 2──write base 2──name it──remove──>
//! ```
//!
//! Whatever is interrupted where, the manifest names files that make up the whole dataset: before
//! the cut `incr 2` is empty, after it the old base and both increments say everything.
//!
//! When the log is switched on there is no base to go on from. What is logged goes to a file of
//! which the manifest knows nothing until the base is there.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use command::CommandError;
use config::rows;
use persistence::aof::{BaseFormat, CommandBase, Manifest, Names, write_base};
use persistence::save::{Progress, SaveError, SaveOptions};
use stdx::error::reason;
use store::snapshot::Snapshot;

use super::state::{Phase, Rewrite};
use crate::engine::Engine;
use crate::pacing::Pacer;

/// Why a rewrite came to nothing.
enum Failed {
    /// It was called off.
    Cancelled,
    /// What could not be done, and why.
    At(&'static str, io::Error),
}

impl Failed {
    fn at(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::At(what, error)
    }
}

impl Engine {
    /// `BGREWRITEAOF`: begins a rewrite, or notes that one is to begin. What to answer.
    ///
    /// # Errors
    /// If one is under way, or cannot begin.
    pub(crate) fn ask_for_rewrite(
        &self,
        in_transaction: bool,
    ) -> Result<&'static str, CommandError> {
        let mut state = self.aof.state.lock();
        if state.rewrite.is_some() {
            return Err(CommandError::state(
                "ERR Background append only file rewriting already in progress",
            ));
        }
        // A transaction is in the base file as a whole or not at all: the rewrite begins behind it.
        if in_transaction || self.save_runs() {
            state.scheduled = true;
            return Ok("Background append only file rewriting scheduled");
        }
        // Whoever asks wants it now, however many have failed before.
        state.failures = 0;
        drop(state);
        if self.begin_rewrite() {
            Ok("Background append only file rewriting started")
        } else {
            Err(CommandError::state(
                "ERR Can't execute an AOF background rewriting. Please check the server logs for \
                 more information.",
            ))
        }
    }

    /// Begins a rewrite on a thread of its own. False, and the reason is in the log, if that cannot
    /// be.
    pub(super) fn begin_rewrite(&self) -> bool {
        let cancelled = Arc::new(AtomicBool::new(false));
        let mut state = self.aof.state.lock();
        if state.rewrite.is_some() {
            return false;
        }
        state.scheduled = false;
        state.rewrites += 1;
        let started_ns = self.clock.monotonic_ns();
        state.rewrite = Some(Rewrite { started_ns, cancelled: cancelled.clone() });
        let phase = state.phase;
        drop(state);
        let pid = self.platform.process().pid;
        self.notice(&format!("Background append only file rewriting started by pid {pid}"));
        // Whoever changes parameters after this is too late.
        let (engine, format) = (self.shared(), self.base_format());
        let task = Box::new(move || {
            if let Some(engine) = engine {
                engine.rewrite(phase, &format, &cancelled);
            }
        });
        if let Err(reason) = self.platform.spawn("ferrite-rewrite", task) {
            self.warn(&format!("Can't rewrite append only file in background: {reason}"));
            self.aof.state.lock().rewrite_ended(false, started_ns);
            return false;
        }
        true
    }

    /// A rewrite, from its first file to its last.
    fn rewrite(&self, phase: Phase, format: &BaseFormat, cancelled: &AtomicBool) {
        let _one_at_a_time = self.aof.rewriting.lock();
        let names = self.log_names();
        let temporary = format!("temp-rewriteaof-bg-{}.aof", self.platform.process().pid);
        let outcome = self.write_new_base(&names, &temporary, phase, (format, cancelled));
        let outcome = outcome.and_then(|written| {
            self.install(&names, &temporary, phase, &written, cancelled)?;
            Ok(written)
        });
        let ok = outcome.is_ok();
        match outcome {
            Ok(_) => self.notice("Background AOF rewrite finished successfully"),
            Err(Failed::Cancelled) => self.warn("Background AOF rewrite terminated by signal 10"),
            Err(Failed::At(what, error)) => {
                let reason = reason(&error);
                self.warn(&format!("Error trying to {what}: {reason}"));
                self.warn("Background AOF rewrite terminated with error");
            }
        }
        if ok {
            self.remove_history();
        } else {
            self.drop_rewrite(&names, &temporary, phase);
        }
        let now_ns = self.clock.monotonic_ns();
        let mut state = self.aof.state.lock();
        if !cancelled.load(Ordering::Acquire) {
            state.rewrite_ended(ok, now_ns);
            if ok && phase == Phase::Begins && state.phase == phase {
                state.phase = Phase::On;
            }
        }
        // The log that is to begin needs another try.
        state.scheduled |= !ok && state.phase == Phase::Begins && state.rewrite.is_none();
        drop(state);
        self.config_changed();
        self.end_waits_for_log();
    }

    /// Opens the next increment, cuts the log, and writes what the dataset was at the cut.
    fn write_new_base(
        &self,
        names: &Names,
        temporary: &str,
        phase: Phase,
        (format, cancelled): (&BaseFormat, &AtomicBool),
    ) -> Result<Written, Failed> {
        let storage = &*self.storage;
        storage
            .create_directory(&names.directory)
            .map_err(Failed::at("create the AOF directory"))?;
        self.claim_log(names).map_err(|_| {
            Failed::At("claim the AOF directory", io::ErrorKind::ResourceBusy.into())
        })?;
        let mut manifest = self.aof.state.lock().manifest.clone();
        let name = match phase {
            Phase::On => Some(manifest.new_incr(&names.stem)),
            Phase::Begins => Some(names.temporary_incr()),
            // `BGREWRITEAOF` without a log: a base, and nothing is logged.
            Phase::Off => None,
        };
        let mut incr = None;
        if let Some(name) = &name {
            self.notice(&format!("Creating AOF incr file {name} on background rewrite"));
            let path = names.path(name);
            let file = storage.create(&path).map_err(Failed::at("create the AOF incr file"))?;
            incr = Some((file, path));
        }
        if phase == Phase::On {
            self.store_manifest(names, &manifest)?;
        }
        let (mut cut, mut libraries) = (0, Vec::new());
        let at_cut = || {
            libraries = self.library_texts();
            // Switched off meanwhile: then the log stays closed.
            let state = self.aof.state.lock();
            if let Some((file, path)) = incr.take().filter(|_| state.phase == phase) {
                cut = self.aof.log.switch(file, path, 0);
                self.interest_changed();
            }
        };
        let Ok(mut snapshot) = self.store.begin_snapshot(&format.encoder(), at_cut) else {
            let busy = io::Error::other("another snapshot is in progress");
            return Err(Failed::At("begin the snapshot", busy));
        };
        self.aof.parameters_changed(&self.config);
        let mut format = format.clone();
        format.set_functions(libraries);
        let length = self.write_snapshot(&mut snapshot, temporary, &format, cancelled);
        self.aof.state.lock().copied_bytes = snapshot.copied_bytes();
        snapshot.cancel(&self.store);
        Ok(Written { length: length?, cut, is_rdb: format.is_rdb() })
    }

    fn write_snapshot(
        &self,
        snapshot: &mut Snapshot,
        temporary: &str,
        format: &BaseFormat,
        cancelled: &AtomicBool,
    ) -> Result<u64, Failed> {
        let created = self.storage.create(temporary);
        let mut file = created.map_err(Failed::at("open the temporary AOF base file"))?;
        self.notice(&format!("Successfully created the temporary AOF base file {temporary}"));
        let mut pacer = Pacer::new(self);
        let mut pace = |progress: Progress| {
            pacer.rest(self, &progress);
            self.delay_keys(progress.keys, cancelled)
        };
        let source = Some((snapshot, &self.store));
        write_base(format, source, &mut *file, &mut pace).map_err(|error| match error {
            SaveError::Cancelled => Failed::Cancelled,
            SaveError::Io { error, .. } => Failed::At("write the temporary AOF base file", error),
        })
    }

    /// Gives the base its name and the manifest its new content.
    fn install(
        &self,
        names: &Names,
        temporary: &str,
        phase: Phase,
        written: &Written,
        cancelled: &AtomicBool,
    ) -> Result<(), Failed> {
        let storage = &*self.storage;
        self.notice("Background AOF rewrite terminated with success");
        if cancelled.load(Ordering::Acquire) {
            return Err(Failed::Cancelled);
        }
        let mut manifest = self.aof.state.lock().manifest.clone();
        let base = manifest.new_base(&names.stem, written.is_rdb);
        let failed = Failed::at("rename the temporary AOF base file");
        storage.rename(temporary, &names.path(&base)).map_err(failed)?;
        self.notice(&format!(
            "Successfully renamed the temporary AOF base file {temporary} into {base}"
        ));
        match phase {
            Phase::On => manifest.supersede_incrs(1),
            Phase::Begins => {
                manifest.supersede_incrs(0);
                let incr = manifest.new_incr(&names.stem);
                let from = names.temporary_incr();
                // Under the writer's lock: it may need the path.
                let mut writer = self.aof.writer.lock();
                let failed = Failed::at("rename the temporary AOF incr file");
                storage.rename(&names.path(&from), &names.path(&incr)).map_err(failed)?;
                writer.renamed(names.path(&incr));
                drop(writer);
                self.notice(&format!(
                    "Successfully renamed the temporary AOF incr file {from} into {incr}"
                ));
            }
            Phase::Off => manifest.supersede_incrs(0),
        }
        self.store_manifest(names, &manifest)?;
        self.aof.writer.lock().replaced();
        let mut state = self.aof.state.lock();
        state.manifest = manifest;
        state.size_offset = written.length as i64 - written.cut as i64;
        state.base_size = state.size(self.aof.log.written().max(written.cut));
        drop(state);
        self.aof.log.wake();
        Ok(())
    }

    /// Has a manifest reach the disk, and the names in it before.
    fn store_manifest(&self, names: &Names, manifest: &Manifest) -> Result<(), Failed> {
        let failed = Failed::at("persist the AOF manifest");
        let storage = &*self.storage;
        let stored = storage
            .sync_directory(&names.directory)
            .and_then(|()| manifest.store(storage, names))
            .and_then(|()| storage.sync_directory(""));
        stored.map_err(failed)?;
        self.aof.state.lock().manifest = manifest.clone();
        Ok(())
    }

    /// Removes what a rewrite has left that came to nothing.
    fn drop_rewrite(&self, names: &Names, temporary: &str, phase: Phase) {
        let _ = self.storage.remove(temporary);
        if phase == Phase::Begins {
            self.aof.log.close();
            let incr = names.temporary_incr();
            self.notice(&format!("Removing the temp incr aof file {incr} in the background"));
            let _ = self.storage.remove(&names.path(&incr));
        }
    }

    /// Writes a base without keys, and names it: when the log begins with the server.
    pub(super) fn create_base(&self, names: &Names, manifest: &mut Manifest) -> io::Result<String> {
        let format = self.base_format();
        let name = manifest.new_base(&names.stem, format.is_rdb());
        let mut file = self.storage.create(&names.path(&name))?;
        let written = write_base(&format, None, &mut *file, &mut |_| true);
        written.map(|_| name).map_err(|error| match error {
            SaveError::Cancelled => io::ErrorKind::Interrupted.into(),
            SaveError::Io { error, .. } => error,
        })
    }

    fn base_format(&self) -> BaseFormat {
        let options = self.save_options(self.clock.unix_ms());
        let incremental = self.config.get(rows::AOF_REWRITE_INCREMENTAL_FSYNC);
        if self.config.get(rows::AOF_USE_RDB_PREAMBLE) {
            return BaseFormat::Rdb(SaveOptions { is_aof_base: true, incremental, ..options });
        }
        let tells_time = self.config.get(rows::AOF_TIMESTAMP_ENABLED);
        BaseFormat::Commands(CommandBase {
            payloads: options.options,
            timestamp: tells_time.then_some(options.now / 1000),
            incremental,
            functions: Vec::new(),
        })
    }

    /// Whether a rewrite is in progress.
    pub(crate) fn rewrite_runs(&self) -> bool {
        self.aof.state.lock().rewrite.is_some()
    }

    /// Whether the log is being switched on, and holds nothing yet that could be loaded.
    pub(crate) fn log_begins(&self) -> bool {
        self.aof.state.lock().phase == Phase::Begins
    }

    /// Whether a snapshot is being saved.
    pub(super) fn save_runs(&self) -> bool {
        self.saving.progress().is_some()
    }

    /// Whether the dataset is being written, as a whole, by whoever.
    pub(super) fn snapshot_runs(&self) -> bool {
        self.save_runs() || self.rewrite_runs()
    }

    /// After a flush has failed: what was logged since the one before may be lost, so the dataset
    /// is to be written anew.
    pub(super) fn rewrite_after_failure(&self) {
        self.aof.state.lock().scheduled = true;
    }

    /// Begins rewrites that were put off, or that the size of the files asks for.
    pub(super) fn rewrite_cron(&self, now_ns: u64) {
        let mut state = self.aof.state.lock();
        if state.rewrite.is_some() || self.save_runs() {
            return;
        }
        let wanted = if state.scheduled {
            true
        } else if let Some(growth) = self.growth(&state) {
            let (put_off, minutes) = state.is_put_off(now_ns);
            if let Some(minutes) = minutes {
                self.warn(&format!(
                    "Background AOF rewrite has repeatedly failed and triggered the limit, will \
                     retry in {minutes} minutes"
                ));
            } else if !put_off {
                self.notice(&format!("Starting automatic rewriting of AOF on {growth}% growth"));
            }
            !put_off
        } else {
            false
        };
        drop(state);
        if wanted {
            self.begin_rewrite();
        }
    }

    /// By how many percent the files have grown, if that is too much.
    fn growth(&self, state: &super::state::State) -> Option<u64> {
        let percentage = u64::try_from(self.config.get(rows::AUTO_AOF_REWRITE_PERCENTAGE)).ok()?;
        let size = state.size(self.aof.log.written());
        let least = self.config.get(rows::AUTO_AOF_REWRITE_MIN_SIZE);
        if state.phase != Phase::On || percentage == 0 || size <= least {
            return None;
        }
        let growth = (size.saturating_mul(100) / state.base_size.max(1)).saturating_sub(100);
        (growth >= percentage).then_some(growth)
    }
}

/// A base that was written.
struct Written {
    length: u64,
    /// The position of the log at which it begins.
    cut: u64,
    is_rdb: bool,
}
