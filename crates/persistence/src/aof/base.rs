//! Writing a base: a snapshot as a file, in the format of RDB files or as commands.

use std::io;
use std::sync::Arc;

use collections::entry::EntryRef;
use format::Sink;
use format::rdb::Options;
use store::Store;
use store::shard::Usage;
use store::snapshot::{Encode, Snapshot};

use super::commands::Commands;
use crate::Output;
use crate::save::{Form, Pace, PieceFile, SaveError, SaveOptions, Step, write_keys, write_rdb};

/// What a base looks like.
#[derive(Clone, Debug)]
pub enum BaseFormat {
    /// As an RDB file.
    Rdb(SaveOptions),
    /// As commands.
    Commands(CommandBase),
}

/// A base of commands.
#[derive(Clone, Debug)]
pub struct CommandBase {
    /// How payloads are written.
    pub payloads: Options,
    /// The time of the snapshot in Unix seconds, if it is to be told.
    pub timestamp: Option<u64>,
    /// Whether the disk is told to begin bit by bit (`aof-rewrite-incremental-fsync`).
    pub incremental: bool,
    /// Sources of the function libraries.
    pub functions: Vec<Vec<u8>>,
}

impl BaseFormat {
    /// Sets the sources of the function libraries.
    pub fn set_functions(&mut self, sources: Vec<Vec<u8>>) {
        match self {
            Self::Rdb(options) => options.functions = sources,
            Self::Commands(base) => base.functions = sources,
        }
    }

    /// Whether it is an RDB file.
    #[must_use]
    pub const fn is_rdb(&self) -> bool {
        matches!(self, Self::Rdb(_))
    }

    /// How small entries of a snapshot become bytes.
    #[must_use]
    pub fn encoder(&self) -> Arc<dyn Encode> {
        match self {
            Self::Rdb(options) => options.encoder(),
            Self::Commands(base) => Arc::new(Commands { payloads: base.payloads }),
        }
    }
}

/// Writes a base and flushes it: the keys of `source`, if there are any. Its length in bytes.
///
/// # Errors
/// Those of the system, or if `pace` says no.
pub fn write_base(
    format: &BaseFormat,
    source: Option<(&mut Snapshot, &Store)>,
    output: &mut dyn Output,
    pace: &mut Pace<'_>,
) -> Result<u64, SaveError> {
    let base = match format {
        BaseFormat::Rdb(options) => return write_rdb(output, source, options, pace),
        BaseFormat::Commands(base) => base,
    };
    let mut file = PieceFile::new(output, false, base.incremental);
    base.begin(&mut file).map_err(SaveError::at(Step::Write))?;
    if let Some(source) = source {
        write_keys(source, &Commands { payloads: base.payloads }, &mut file, pace)?;
    }
    file.finish()
}

impl CommandBase {
    /// What stands before the keys.
    fn begin(&self, file: &mut PieceFile<'_>) -> io::Result<()> {
        if let Some(time) = self.timestamp {
            file.put(format!("#TS:{time}\r\n").as_bytes())?;
        }
        let mut commands = Vec::new();
        self.functions.iter().for_each(|source| Commands::library(source, &mut commands));
        file.put(&commands)
    }
}

impl Form for Commands {
    fn database(
        &self,
        db: usize,
        _size: Option<Usage>,
        file: &mut PieceFile<'_>,
    ) -> io::Result<()> {
        let mut command = Vec::new();
        Self::select(db, &mut command);
        file.put(&command)
    }

    fn entry(&self, entry: EntryRef<'_>, file: &mut PieceFile<'_>) -> io::Result<()> {
        let mut commands = Vec::new();
        self.encode(entry, &mut commands);
        file.put(&commands)
    }
}
