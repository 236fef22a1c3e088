//! Saving: a snapshot becomes an RDB file.
//!
//! The file is written under a temporary name, flushed, and renamed in place of the old one, and
//! then the directory is flushed: at any moment, and after a loss of power, the name belongs to the
//! old file or to the new one, whole. Whatever goes wrong on the way leaves the old one.
//!
//! ```text
//!   temp-PID.rdb   create ── write ... write ── fsync ── rename to dump.rdb ── fsync directory
//!   dump.rdb       old    ── old   ... old   ── old   ── new                ── new for good
//! ```

mod file;
mod keys;

use std::fmt;
use std::io;
use std::sync::Arc;

use collections::entry::EntryRef;
use format::Sink;
use format::rdb::Options;
use format::rdb::file::{Attributes, Aux, Usage, write};
use store::access::Policy;
use store::snapshot::{Encode, Snapshot};
use store::{Access, Store, UnixMs, shard};

use crate::{Output, Storage};
pub(crate) use file::PieceFile;
pub(crate) use keys::{Form, write_keys};

/// How a snapshot is written.
#[derive(Clone, Debug)]
pub struct SaveOptions {
    /// How values are written.
    pub options: Options,
    /// Whether the file ends with its checksum (`rdbchecksum`).
    pub checksum: bool,
    /// Whether it is flushed bit by bit (`rdb-save-incremental-fsync`).
    pub incremental: bool,
    /// Whether the file is the base of an append-only file.
    pub is_aof_base: bool,
    /// The version of Redis that the server claims to be.
    pub redis_version: &'static str,
    /// Bytes of memory in use.
    pub used_memory: u64,
    /// The time of the snapshot.
    pub now: UnixMs,
    /// How the keys' access clocks are read, if how they are used is to be saved.
    pub usage: Option<Access>,
    /// Sources of the function libraries.
    pub functions: Vec<Vec<u8>>,
}

/// Whether to go on; asked before each piece.
pub type Pace<'a> = dyn FnMut(Progress) -> bool + 'a;

/// How far the writing of a snapshot is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Keys that come next.
    pub keys: u64,
    /// Bytes that writers have copied so far.
    pub copied_bytes: u64,
    /// Whether more of what writers have copied waits in memory.
    pub is_behind: bool,
}

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Creating the temporary file.
    Create,
    /// Writing it.
    Write,
    /// Flushing it.
    Sync,
    /// Giving it its name.
    Rename,
    /// Flushing the directory.
    SyncDirectory,
}

/// Why there is no new file. The old one is as it was, but for [`Step::SyncDirectory`]: then the
/// new one is there, and a loss of power may bring the old one back.
#[derive(Debug)]
pub enum SaveError {
    /// Somebody called it off.
    Cancelled,
    /// The disk failed.
    Io {
        /// At what.
        step: Step,
        /// What the system says.
        error: io::Error,
    },
}

impl SaveError {
    pub(crate) fn at(step: Step) -> impl Fn(io::Error) -> Self {
        move |error| Self::Io { step, error }
    }
}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (step, error) = match self {
            Self::Cancelled => return f.write_str("cancelled"),
            Self::Io { step, error } => (step, error),
        };
        let what = match step {
            Step::Create => "cannot create the temporary file",
            Step::Write => "cannot write",
            Step::Sync => "cannot flush the file",
            Step::Rename => "cannot rename the temporary file",
            Step::SyncDirectory => "cannot flush the directory",
        };
        write!(f, "{what}: {error}")
    }
}

impl std::error::Error for SaveError {}

impl SaveOptions {
    /// How small entries of the snapshot become bytes.
    #[must_use]
    pub fn encoder(&self) -> Arc<dyn Encode> {
        Arc::new(self.entries())
    }

    const fn entries(&self) -> Entries {
        Entries { options: self.options, usage: self.usage, now: self.now }
    }
}

/// Writes `snapshot` as the file `name`, by way of the file `temporary`, which nobody else uses.
/// Returns its length in bytes. `pace` is asked between any two pieces.
///
/// # Errors
/// If there is no new file; the temporary one is removed then.
pub fn save(
    storage: &dyn Storage,
    [temporary, name]: [&str; 2],
    (snapshot, store): (&mut Snapshot, &Store),
    options: &SaveOptions,
    pace: &mut Pace<'_>,
) -> Result<u64, SaveError> {
    let mut output = storage.create(temporary).map_err(SaveError::at(Step::Create))?;
    let written = write_rdb(&mut *output, Some((snapshot, store)), options, pace);
    // Some file systems report at closing what they could not write before.
    drop(output);
    let renamed = written.and_then(|bytes| {
        storage.rename(temporary, name).map_err(SaveError::at(Step::Rename))?;
        Ok(bytes)
    });
    match renamed {
        Ok(bytes) => {
            storage.sync_directory(parent(name)).map_err(SaveError::at(Step::SyncDirectory))?;
            Ok(bytes)
        }
        Err(error) => {
            // What remains of it is only a name, which the next attempt overwrites.
            let _ = storage.remove(temporary);
            Err(error)
        }
    }
}

/// The directory of a file; empty for the working directory.
fn parent(name: &str) -> &str {
    name.rfind('/').map_or("", |end| &name[..end])
}

/// Writes an RDB file into `output`, and flushes it: the keys of `source`, if there are any.
/// Returns its length in bytes.
///
/// # Errors
/// [`Step::Write`] and [`Step::Sync`], and if `pace` says no.
pub fn write_rdb(
    output: &mut dyn Output,
    source: Option<(&mut Snapshot, &Store)>,
    options: &SaveOptions,
    pace: &mut Pace<'_>,
) -> Result<u64, SaveError> {
    let mut file = PieceFile::new(output, options.checksum, options.incremental);
    begin(options, &mut file).map_err(SaveError::at(Step::Write))?;
    if let Some(source) = source {
        write_keys(source, &options.entries(), &mut file, pace)?;
    }
    file.end_rdb().map_err(SaveError::at(Step::Write))?;
    file.finish()
}

/// What stands before the keys.
fn begin(options: &SaveOptions, file: &mut PieceFile<'_>) -> io::Result<()> {
    write::header(options.options.version, file)?;
    let aux = Aux {
        redis_version: options.redis_version,
        created_s: options.now / 1000,
        used_memory: options.used_memory,
        replication: None,
        is_aof_base: options.is_aof_base,
    };
    write::aux(&aux, file)?;
    options.functions.iter().try_for_each(|source| write::function(source, options.options, file))
}

/// Writes entries as records of an RDB file.
#[derive(Clone, Copy, Debug)]
struct Entries {
    options: Options,
    usage: Option<Access>,
    now: UnixMs,
}

impl Entries {
    fn write<S: Sink>(&self, entry: EntryRef<'_>, sink: &mut S) -> Result<(), S::Error> {
        let usage = self.usage.map(|access| match access.policy {
            Policy::Lru | Policy::Lrm => Usage::Idle(access.idle_seconds(entry.clock(), self.now)),
            Policy::Lfu { .. } => Usage::Frequency(access.frequency(entry.clock(), self.now)),
        });
        let attributes = Attributes { deadline: entry.deadline(), usage };
        write::entry(entry.key(), entry.value(), attributes, self.options, sink)
    }
}

impl Encode for Entries {
    fn encode(&self, entry: EntryRef<'_>, out: &mut Vec<u8>) {
        let Ok(()) = self.write(entry, out);
    }
}

impl Form for Entries {
    fn database(
        &self,
        db: usize,
        size: Option<shard::Usage>,
        file: &mut PieceFile<'_>,
    ) -> io::Result<()> {
        write::database(db as u64, file)?;
        match size {
            Some(size) => write::sizes(size.keys as u64, size.expiring as u64, file),
            None => Ok(()),
        }
    }

    fn entry(&self, entry: EntryRef<'_>, file: &mut PieceFile<'_>) -> io::Result<()> {
        self.write(entry, file)
    }
}

#[cfg(test)]
mod tests;
