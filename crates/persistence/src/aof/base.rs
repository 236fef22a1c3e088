//! Writing a base: a snapshot as a file, in the format of RDB files or as commands.

use std::io;
use std::sync::Arc;

use collections::entry::{Entry, EntryRef, ValueRef};
use format::rdb::Options;
use format::rdb::file::{Attributes, Aux, Usage, write};
use stdx::crc::crc64;
use store::snapshot::{Chunk, Encode, Snapshot};
use store::{Access, Store, UnixMs};

use super::commands::Commands;
use crate::Output;

/// Bytes written at a time.
const PIECE: usize = 256 << 10;
/// Bytes between two flushes, so that the last one is short.
const FLUSH_BYTES: u64 = 4 << 20;

/// What a base looks like.
#[derive(Clone, Debug)]
pub enum BaseFormat {
    /// As an RDB file.
    Rdb(RdbBase),
    /// As commands.
    Commands {
        /// How payloads are written.
        payloads: Options,
        /// The time of the snapshot in Unix seconds, if it is to be told.
        timestamp: Option<u64>,
        /// Sources of the function libraries.
        functions: Vec<Vec<u8>>,
    },
}

/// An RDB file that is a base.
#[derive(Clone, Debug)]
pub struct RdbBase {
    /// How values are written.
    pub options: Options,
    /// Whether it gets a checksum.
    pub checksum: bool,
    /// The version of Redis that the server claims to be.
    pub redis_version: &'static str,
    /// Bytes of memory in use.
    pub used_memory: u64,
    /// The time of the snapshot.
    pub now: UnixMs,
    /// How keys are used is written as this reads it, if at all.
    pub usage: Option<Access>,
    /// Sources of the function libraries.
    pub functions: Vec<Vec<u8>>,
}

/// Why a base was not written.
#[derive(Debug)]
pub enum BaseError {
    /// Somebody called it off.
    Cancelled,
    /// Those of the system.
    Io(io::Error),
}

impl From<io::Error> for BaseError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl BaseFormat {
    /// Sets the sources of the function libraries.
    pub fn set_functions(&mut self, sources: Vec<Vec<u8>>) {
        match self {
            Self::Rdb(RdbBase { functions, .. }) | Self::Commands { functions, .. } => {
                *functions = sources;
            }
        }
    }

    /// How small entries of a snapshot become bytes.
    #[must_use]
    pub fn encoder(&self) -> Arc<dyn Encode> {
        match self {
            Self::Rdb(base) => Arc::new(Entries::of(base)),
            Self::Commands { payloads, .. } => Arc::new(Commands { payloads: *payloads }),
        }
    }
}

/// Writes entries as records of an RDB file.
#[derive(Clone, Copy, Debug)]
struct Entries {
    options: Options,
    usage: Option<Access>,
    now: UnixMs,
}

impl Entries {
    const fn of(base: &RdbBase) -> Self {
        Self { options: base.options, usage: base.usage, now: base.now }
    }

    fn write(&self, key: &[u8], value: ValueRef<'_>, more: (Option<u64>, u32), out: &mut Vec<u8>) {
        let (deadline, clock) = more;
        let usage = self.usage.map(|access| match access.policy {
            store::access::Policy::Lru => Usage::Idle(access.idle_seconds(clock, self.now)),
            store::access::Policy::Lfu { .. } => {
                Usage::Frequency(access.frequency(clock, self.now))
            }
        });
        let Ok(()) = write::entry(key, value, Attributes { deadline, usage }, self.options, out);
    }
}

impl Encode for Entries {
    fn encode(&self, entry: EntryRef<'_>, out: &mut Vec<u8>) {
        self.write(entry.key(), entry.value(), (entry.deadline(), entry.clock()), out);
    }
}

/// A base that is being written.
struct Base<'a> {
    format: &'a BaseFormat,
    file: &'a mut dyn Output,
    buffer: Vec<u8>,
    crc: u64,
    length: u64,
    flushed: u64,
    /// Whether it is flushed bit by bit.
    flushes: bool,
}

/// Writes a base and flushes it: the snapshot if there is one, or else no keys. `pace` is told the
/// number of keys before each piece and says whether to go on. The file's length.
///
/// # Errors
/// Those of the system, or if `pace` says no.
pub fn write_base(
    format: &BaseFormat,
    snapshot: Option<(&mut Snapshot, &Store)>,
    file: &mut dyn Output,
    flushes: bool,
    pace: &mut dyn FnMut(u64) -> bool,
) -> Result<u64, BaseError> {
    let buffer = Vec::with_capacity(PIECE + (64 << 10));
    let mut base = Base { format, file, buffer, crc: 0, length: 0, flushed: 0, flushes };
    base.begin();
    if let Some((snapshot, store)) = snapshot {
        base.keys(snapshot, store, pace)?;
    }
    base.end()?;
    base.file.sync()?;
    Ok(base.length)
}

impl Base<'_> {
    fn begin(&mut self) {
        let out = &mut self.buffer;
        match self.format {
            BaseFormat::Rdb(rdb) => {
                let aux = Aux {
                    redis_version: rdb.redis_version,
                    created_s: rdb.now / 1000,
                    used_memory: rdb.used_memory,
                    replication: None,
                    is_aof_base: true,
                };
                let Ok(()) = write::header(rdb.options.version, out);
                let Ok(()) = write::aux(&aux, out);
                for source in &rdb.functions {
                    let Ok(()) = write::function(source, rdb.options, out);
                }
            }
            BaseFormat::Commands { timestamp, functions, .. } => {
                if let Some(time) = timestamp {
                    out.extend_from_slice(format!("#TS:{time}\r\n").as_bytes());
                }
                for source in functions {
                    Commands::library(source, out);
                }
            }
        }
    }

    fn keys(
        &mut self,
        snapshot: &mut Snapshot,
        store: &Store,
        pace: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(), BaseError> {
        let mut selected = None;
        let mut sized = vec![false; snapshot.usage().len()];
        while let Some(chunk) = snapshot.next_chunk(store) {
            if !pace(chunk.keys) {
                return Err(BaseError::Cancelled);
            }
            if selected != Some(chunk.db) {
                selected = Some(chunk.db);
                let usage = snapshot.usage().get(chunk.db).copied().unwrap_or_default();
                let is_first = !std::mem::replace(&mut sized[chunk.db], true);
                self.select(chunk.db, is_first.then_some(usage));
            }
            self.chunk(&chunk)?;
            snapshot.recycle(chunk);
        }
        Ok(())
    }

    fn select(&mut self, db: usize, usage: Option<store::shard::Usage>) {
        let out = &mut self.buffer;
        match self.format {
            BaseFormat::Rdb(_) => {
                let Ok(()) = write::database(db as u64, out);
                if let Some(usage) = usage {
                    let Ok(()) = write::sizes(usage.keys as u64, usage.expiring as u64, out);
                }
            }
            BaseFormat::Commands { .. } => Commands::select(db, out),
        }
    }

    fn chunk(&mut self, chunk: &Chunk) -> Result<(), BaseError> {
        self.buffer.extend_from_slice(&chunk.encoded);
        for entry in &chunk.shared {
            self.shared(entry);
            self.pass_on(PIECE)?;
        }
        self.pass_on(PIECE)
    }

    fn shared(&mut self, entry: &Entry) {
        let out = &mut self.buffer;
        let (key, value, deadline) = (entry.key(), entry.value(), entry.deadline());
        match self.format {
            BaseFormat::Rdb(base) => {
                Entries::of(base).write(key, value, (deadline, entry.clock()), out);
            }
            BaseFormat::Commands { payloads, .. } => {
                Commands { payloads: *payloads }.write(key, value, deadline, out);
            }
        }
    }

    fn end(&mut self) -> Result<(), BaseError> {
        if let BaseFormat::Rdb(rdb) = self.format {
            let Ok(()) = write::end(&mut self.buffer);
            let crc = crc64(self.crc, &self.buffer);
            let Ok(()) = write::checksum(rdb.checksum.then_some(crc), &mut self.buffer);
        }
        self.pass_on(1)
    }

    /// Writes what has gathered if it is at least so much.
    fn pass_on(&mut self, least: usize) -> Result<(), BaseError> {
        if self.buffer.len() < least {
            return Ok(());
        }
        if matches!(self.format, BaseFormat::Rdb(RdbBase { checksum: true, .. })) {
            self.crc = crc64(self.crc, &self.buffer);
        }
        self.file.write_all(&self.buffer)?;
        self.length += self.buffer.len() as u64;
        self.buffer.clear();
        self.buffer.shrink_to(4 * PIECE);
        if self.flushes && self.length - self.flushed >= FLUSH_BYTES {
            self.flushed = self.length;
            self.file.sync()?;
        }
        Ok(())
    }
}
