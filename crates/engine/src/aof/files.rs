//! The files of the log: found at the start, upgraded, created, opened, removed.

use persistence::aof::{FileInfo, Manifest, Names};
use stdx::error::reason;

use super::load::AofFailure;
use super::state::Phase;
use crate::engine::Engine;
use config::rows;

impl Engine {
    /// Whether there is to be a log when the server starts.
    #[must_use]
    pub fn has_log(&self) -> bool {
        self.config.get(rows::APPENDONLY)
    }

    /// Reads the manifest, loads the dataset from the files that it names, and opens the log: the
    /// first thing a server with `appendonly yes` does, before it serves. Without it, only notes
    /// what is there, so that numbers go on when the log is switched on.
    /// Whether there is a log.
    ///
    /// # Errors
    /// What there is to say has been logged: the server must not serve.
    pub(crate) fn start_log(&self) -> Result<bool, AofFailure> {
        let names = self.log_names();
        let manifest = self.read_manifest(&names)?;
        if !self.loads_from_log() {
            self.aof.state.lock().manifest = manifest.unwrap_or_default();
            return Ok(false);
        }
        self.claim_log(&names)?;
        let manifest = match self.upgrade(&names, manifest)? {
            Some(manifest) => {
                let files: Vec<FileInfo> = manifest.live().cloned().collect();
                self.replay_files(&files)?;
                manifest
            }
            None => Manifest::default(),
        };
        if !self.has_log() {
            // Somebody has switched it off meanwhile.
            self.aof.state.lock().manifest = manifest;
            return Ok(true);
        }
        self.open_at_start(&names, manifest)?;
        self.remove_history();
        Ok(true)
    }

    /// Loads the dataset from the files. The caller has emptied it and stopped
    /// serving it, and everything logged has been written.
    ///
    /// # Errors
    /// As [`Engine::start_log`].
    pub(crate) fn replay_log(&self) -> Result<(), AofFailure> {
        let Some(manifest) = self.read_manifest(&self.log_names())? else { return Ok(()) };
        let files: Vec<FileInfo> = manifest.live().cloned().collect();
        let mut state = self.aof.state.lock();
        if state.rewrite.is_none() {
            // Numbers go on from what it says, as after a start.
            state.manifest = manifest;
        }
        drop(state);
        self.replay_files(&files)
    }

    fn read_manifest(&self, names: &Names) -> Result<Option<Manifest>, AofFailure> {
        Manifest::load(&*self.storage, names).map_err(|error| {
            if error.kind() == std::io::ErrorKind::InvalidData {
                self.warn("\n*** FATAL AOF MANIFEST FILE ERROR ***");
                error.to_string().lines().for_each(|line| self.warn(line));
                return AofFailure;
            }
            let (path, reason) = (names.manifest(), reason(&error));
            self.fatal(&format!("Fatal error: can't open the AOF manifest file {path}: {reason}"))
        })
    }

    /// Makes a file in the style of Redis before 7, a single one beside the directory, the base of
    /// a manifest, unless there is one already that says otherwise.
    fn upgrade(
        &self,
        names: &Names,
        manifest: Option<Manifest>,
    ) -> Result<Option<Manifest>, AofFailure> {
        let failed = |what: &str, error: &std::io::Error| {
            let reason = reason(error);
            self.fatal(&format!("Fatal error: can't {what}: {reason}"))
        };
        let storage = &*self.storage;
        let old = storage.len(&names.stem).map_err(|error| failed("look at the AOF", &error))?;
        let is_interrupted = match &manifest {
            None => true,
            Some(manifest) => {
                let base = manifest.base.as_ref().filter(|base| base.name == names.stem);
                let path = names.path(&names.stem);
                base.is_some()
                    && manifest.incrs.is_empty()
                    && matches!(storage.len(&path), Ok(None))
            }
        };
        if old.is_none() || !is_interrupted {
            return Ok(manifest);
        }
        let manifest = Manifest::upgraded(&names.stem);
        let moved = storage
            .create_directory(&names.directory)
            .and_then(|()| manifest.store(storage, names))
            .and_then(|()| storage.rename(&names.stem, &names.path(&names.stem)))
            .and_then(|()| storage.sync_directory(&names.directory))
            .and_then(|()| storage.sync_directory(""));
        moved.map_err(|error| failed("move the AOF into its directory", &error))?;
        self.notice(&format!(
            "Successfully migrated an old-style AOF file ({}) into the AOF directory ({}).",
            names.stem, names.directory
        ));
        Ok(Some(manifest))
    }

    /// Opens the last increment, or the first, and lets commands be logged.
    fn open_at_start(&self, names: &Names, mut manifest: Manifest) -> Result<(), AofFailure> {
        let storage = &*self.storage;
        let before = manifest.clone();
        let opened = (|| {
            storage.create_directory(&names.directory)?;
            if manifest.live().next().is_none() {
                let name = self.create_base(names, &mut manifest)?;
                self.notice(&format!("Creating AOF base file {name} on server start"));
            }
            let (path, file) = match manifest.incrs.last() {
                Some(file) => {
                    self.notice(&format!("Opening AOF incr file {} on server start", file.name));
                    let path = names.path(&file.name);
                    let file = storage.append(&path)?;
                    (path, file)
                }
                None => {
                    let name = manifest.new_incr(&names.stem);
                    self.notice(&format!("Creating AOF incr file {name} on server start"));
                    let path = names.path(&name);
                    // One that no manifest names may be there: what is in it never counted.
                    let file = storage.create(&path)?;
                    (path, file)
                }
            };
            storage.sync_directory(&names.directory)?;
            if manifest != before {
                manifest.store(storage, names)?;
                storage.sync_directory("")?;
            }
            let mut total = 0;
            for file in manifest.live() {
                total += self.log_file_length(&names.path(&file.name))?;
            }
            let length = self.log_file_length(&path)?;
            Ok::<_, std::io::Error>((file, path, length, total))
        })();
        let (file, path, length, total) = opened.map_err(|error| {
            let reason = reason(&error);
            self.fatal(&format!("Can't open the append-only file: {reason}"))
        })?;
        let mut state = self.aof.state.lock();
        state.manifest = manifest;
        state.phase = Phase::On;
        state.size_offset = total as i64;
        state.base_size = total;
        drop(state);
        self.aof.log.switch(file, path, length);
        self.config_changed();
        Ok(())
    }

    /// Removes files that a rewrite has superseded, and forgets them, unless they are to be kept
    /// (`aof-disable-auto-gc`).
    pub(crate) fn remove_history(&self) {
        if self.config.get(rows::AOF_DISABLE_AUTO_GC) {
            return;
        }
        let names = self.log_names();
        let mut manifest = self.aof.state.lock().manifest.clone();
        let history = std::mem::take(&mut manifest.history);
        if history.is_empty() {
            return;
        }
        for file in &history {
            self.notice(&format!("Removing the history file {} in the background", file.name));
            match self.storage.remove(&names.path(&file.name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    let reason = reason(&error);
                    self.warn(&format!("Can't remove the history file {}: {reason}", file.name));
                }
                _ => {}
            }
        }
        match manifest.store(&*self.storage, &names) {
            Ok(()) => self.aof.state.lock().manifest.history.retain(|f| !history.contains(f)),
            Err(error) => {
                let reason = reason(&error);
                self.warn(&format!("Can't replace the AOF manifest: {reason}"));
            }
        }
    }
}
