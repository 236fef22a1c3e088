//! Cuts records out of a file as its bytes arrive.

use std::borrow::Cow;
use std::fmt;

use super::super::decode::{self, DecodeError, Decoded, Limits};
use super::super::reader::Reader;
use super::super::{ObjectType, Version};
use super::extent::Extent;
use super::opcode;
use super::write::{Attributes, Usage};

const MAGIC_REDIS: &[u8] = b"REDIS";
const MAGIC_VALKEY: &[u8] = b"VALKEY";
const HEADER_LEN: usize = 9;
/// As many bytes of a file tell whether it is an RDB file.
pub const MAGIC_LEN: usize = MAGIC_VALKEY.len();
/// Files before this version end without a checksum.
const CHECKSUM_SINCE: Version = Version(5);

/// Whether a file with this beginning, [`MAGIC_LEN`] bytes of it, is an RDB file.
#[must_use]
pub fn begins_as_rdb(beginning: &[u8]) -> bool {
    beginning.starts_with(MAGIC_REDIS) || beginning.starts_with(MAGIC_VALKEY)
}

/// A record of a file.
#[derive(Clone, Debug)]
pub enum Record<'b> {
    /// The header.
    Version(Version),
    /// A name and a value.
    Aux {
        /// The name.
        name: Cow<'b, [u8]>,
        /// The value, as text.
        value: Cow<'b, [u8]>,
    },
    /// The database of what follows.
    Database(u64),
    /// A hint of what follows.
    Sizes {
        /// Number of keys.
        keys: u64,
        /// Number of those that expire.
        expiring: u64,
    },
    /// A hint of what a slot of a cluster has.
    SlotInfo,
    /// A slot was being migrated to whoever wrote the file.
    SlotImport,
    /// The source of a function library.
    Function(Cow<'b, [u8]>),
    /// What a module keeps beside the keys.
    ModuleAux {
        /// The id of the module's type.
        id: u64,
    },
    /// A key with its value.
    Entry(Entry<'b>),
    /// The end of the file.
    End {
        /// What the CRC-64 of all before must be, unless nobody computed it.
        checksum: Option<u64>,
        /// How many bytes at the end of the record the checksum takes. It covers all before them.
        footer: usize,
    },
}

/// A key with its value, not decoded.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'b> {
    /// The type of the value.
    pub kind: ObjectType,
    /// What precedes the key.
    pub attributes: Attributes,
    /// The key, then the body of the value.
    pub bytes: &'b [u8],
}

impl<'b> Entry<'b> {
    /// The key.
    ///
    /// # Errors
    /// If its form is damaged.
    pub fn key(&self) -> Result<Cow<'b, [u8]>, DecodeError> {
        Reader::new(self.bytes).string()
    }

    /// The key and the value.
    ///
    /// # Errors
    /// If one of them is damaged, or the value is a module's.
    pub fn decode(&self, limits: &Limits) -> Result<(Cow<'b, [u8]>, Decoded<'b>), DecodeError> {
        let mut reader = Reader::new(self.bytes);
        let key = reader.string()?;
        let value = decode::body(self.kind, &mut reader, limits)?;
        match reader.rest() {
            [] => Ok((key, value)),
            _ => Err(DecodeError::Corrupt("bytes follow the value")),
        }
    }
}

/// A record, and what it took.
#[derive(Clone, Debug)]
pub struct Next<'b> {
    /// How many bytes it had, with what only prepared it.
    pub len: usize,
    /// The record.
    pub record: Record<'b>,
}

/// Why a file cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileError {
    /// It does not begin as one.
    Magic,
    /// It is of a version that is not known; its digits.
    Version(Vec<u8>),
    /// It holds a record, or a type of value, that is not known.
    Type(u8),
    /// It holds functions as only candidates of Redis 7.0 wrote them.
    FunctionCandidate,
    /// A record is damaged.
    Damaged(DecodeError),
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic => f.write_str("Wrong signature trying to load DB from file"),
            Self::Version(digits) => {
                let digits = digits.escape_ascii().to_string();
                let number = digits.trim_start_matches('0');
                write!(f, "Can't handle RDB format version {number}")
            }
            Self::Type(number) => write!(f, "Unknown RDB encoding type {number}"),
            Self::FunctionCandidate => f.write_str("Pre-release function format not supported."),
            Self::Damaged(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FileError {}

/// What the reader is busy with, for reports on files that it cannot read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The header.
    Start,
    /// The first byte of a record.
    Type,
    /// When a key expires.
    Expiry,
    /// A number.
    Length,
    /// An aux field.
    Aux,
    /// What belongs to a module.
    ModuleAux,
    /// A function library.
    Function,
    /// A key or its value.
    Entry,
    /// The checksum at the end.
    Checksum,
}

/// Reads a file record by record, out of bytes that somebody else keeps.
#[derive(Clone, Debug)]
pub struct FileReader {
    version: Option<Version>,
    /// What the next key has.
    attributes: Attributes,
    /// How many bytes of what is kept belong to records that only prepare the next one.
    prepared: usize,
    /// A record whose end was not there yet.
    unfinished: Option<Unfinished>,
    stage: Stage,
}

#[derive(Clone, Debug)]
struct Unfinished {
    kind: Walked,
    /// Where its content begins, counted from the first byte that is kept.
    begin: usize,
    /// Where the walk goes on.
    at: usize,
    extent: Extent,
}

/// What is walked to its end.
#[derive(Clone, Copy, Debug)]
enum Walked {
    Entry(ObjectType),
    ModuleAux,
    KeyMeta,
    SlotImport,
}

impl Default for FileReader {
    fn default() -> Self {
        Self::new()
    }
}

impl FileReader {
    /// A reader at the first byte of a file.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            version: None,
            attributes: Attributes { deadline: None, usage: None },
            prepared: 0,
            unfinished: None,
            stage: Stage::Start,
        }
    }

    /// The version of the file, once its header was read.
    #[must_use]
    pub const fn version(&self) -> Option<Version> {
        self.version
    }

    /// What it was busy with when it stopped.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// How many of the bytes that it was given last belong to records that it has read whole,
    /// though they only prepare the next.
    #[must_use]
    pub const fn prepared(&self) -> usize {
        self.prepared
    }

    /// The type and the key, as far as they were there, of the entry that it was busy with; `bytes`
    /// are those that it was given last.
    #[must_use]
    pub fn unfinished_entry<'b>(
        &self,
        bytes: &'b [u8],
    ) -> (Option<ObjectType>, Option<Cow<'b, [u8]>>) {
        let entry = bytes.get(self.prepared..).unwrap_or_default();
        match (self.stage, self.version, entry.split_first()) {
            (Stage::Entry, Some(version), Some((&number, entry))) => {
                let kind = ObjectType::from_number(number, version);
                (kind, kind.and_then(|_| Reader::new(entry).string().ok()))
            }
            _ => (None, None),
        }
    }

    /// The next record, of which `bytes` has the first byte and what follows it so far. None if
    /// that is not all of it: the same bytes are to be given again with more behind them.
    ///
    /// # Errors
    /// If the file cannot be read on.
    pub fn next<'b>(&mut self, bytes: &'b [u8]) -> Result<Option<Next<'b>>, FileError> {
        let read = match self.version {
            None => self.header(bytes),
            Some(version) => self.record(bytes, version),
        };
        match read {
            Ok(next) => Ok(Some(next)),
            Err(FileError::Damaged(DecodeError::Truncated)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn header<'b>(&mut self, bytes: &'b [u8]) -> Result<Next<'b>, FileError> {
        let seen = &bytes[..bytes.len().min(HEADER_LEN)];
        let begins = |magic: &[u8]| seen.iter().zip(magic).all(|(a, b)| a == b);
        let digits_at = match () {
            () if begins(MAGIC_REDIS) => MAGIC_REDIS.len(),
            () if begins(MAGIC_VALKEY) => MAGIC_VALKEY.len(),
            () => return Err(FileError::Magic),
        };
        if seen.len() < HEADER_LEN {
            return Err(DecodeError::Truncated.into());
        }
        let digits = &seen[digits_at..];
        let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
        let version = number.map(Version).filter(|version| {
            let newest = *version == Version::VALKEY_9;
            // Numbers between those of Redis and Valkey are nobody's.
            let of_redis = (Version(1)..=Version::REDIS_MAX).contains(version);
            if digits_at == MAGIC_REDIS.len() { of_redis || newest } else { newest }
        });
        let version = version.ok_or_else(|| FileError::Version(digits.to_vec()))?;
        self.version = Some(version);
        self.stage = Stage::Type;
        Ok(Next { len: HEADER_LEN, record: Record::Version(version) })
    }

    /// The next record. What only prepares a key is taken on the way and not looked at again.
    fn record<'b>(&mut self, bytes: &'b [u8], version: Version) -> Result<Next<'b>, FileError> {
        loop {
            if let Some(unfinished) = self.unfinished.take() {
                match self.walk(unfinished, bytes)? {
                    Some(record) => return Ok(self.finished(record)),
                    None => continue,
                }
            }
            let mut reader = Reader::new(&bytes[self.prepared.min(bytes.len())..]);
            let record = self.begin(&mut reader, version)?;
            if self.unfinished.is_none() {
                self.prepared = bytes.len() - reader.rest().len();
            }
            if let Some(record) = record {
                return Ok(self.finished(record));
            }
        }
    }

    fn finished<'b>(&mut self, record: Record<'b>) -> Next<'b> {
        self.stage = Stage::Type;
        Next { len: std::mem::take(&mut self.prepared), record }
    }

    /// Reads a short record whole, or begins a long one.
    fn begin<'b>(
        &mut self,
        reader: &mut Reader<'b>,
        version: Version,
    ) -> Result<Option<Record<'b>>, FileError> {
        self.stage = Stage::Type;
        let kind = reader.byte()?;
        let stage = match kind {
            opcode::DEADLINE_MS | opcode::DEADLINE_SECONDS => Stage::Expiry,
            opcode::DATABASE | opcode::SIZES | opcode::SLOT_INFO => Stage::Length,
            opcode::IDLE | opcode::FREQUENCY => Stage::Length,
            opcode::AUX => Stage::Aux,
            opcode::FUNCTION | opcode::FUNCTION_CANDIDATE => Stage::Function,
            opcode::MODULE_AUX | opcode::KEY_META_OR_SLOT_IMPORT => Stage::ModuleAux,
            opcode::END => Stage::Checksum,
            _ => Stage::Entry,
        };
        self.stage = stage;
        match kind {
            opcode::DEADLINE_MS => self.expires_at(i64::from_le_bytes(reader.array()?)),
            opcode::DEADLINE_SECONDS => {
                self.expires_at(
                    i64::from(i32::from_le_bytes(reader.array()?)).saturating_mul(1000),
                );
            }
            opcode::IDLE => self.attributes.usage = Some(Usage::Idle(reader.length()?)),
            opcode::FREQUENCY => {
                self.attributes.usage = Some(Usage::Frequency(reader.byte()?));
            }
            opcode::MODULE_AUX => self.walk_later(Walked::ModuleAux, Extent::of_module_aux()),
            opcode::KEY_META_OR_SLOT_IMPORT if version >= Version::VALKEY_9 => {
                self.walk_later(Walked::SlotImport, Extent::of_slot_import());
            }
            opcode::KEY_META_OR_SLOT_IMPORT => {
                self.walk_later(Walked::KeyMeta, Extent::of_key_meta());
            }
            opcode::FUNCTION_CANDIDATE => return Err(FileError::FunctionCandidate),
            opcode::AUX => {
                let (name, value) = (reader.string()?, reader.string()?);
                return Ok(Some(Record::Aux { name, value }));
            }
            opcode::FUNCTION => return Ok(Some(Record::Function(reader.string()?))),
            opcode::DATABASE => return Ok(Some(Record::Database(reader.length()?))),
            opcode::SIZES => {
                let (keys, expiring) = (reader.length()?, reader.length()?);
                return Ok(Some(Record::Sizes { keys, expiring }));
            }
            opcode::SLOT_INFO => {
                (0..3).try_for_each(|_| reader.length().map(drop))?;
                return Ok(Some(Record::SlotInfo));
            }
            opcode::END => return end(reader, version).map(Some),
            number => {
                let Some(kind) = ObjectType::from_number(number, version) else {
                    self.stage = Stage::Type;
                    return Err(FileError::Type(number));
                };
                if kind == ObjectType::String {
                    return self.string_entry(reader);
                }
                self.walk_later(Walked::Entry(kind), Extent::of_entry(kind));
            }
        }
        Ok(None)
    }

    /// A negative time is one that has passed, but for the mark that there is none.
    fn expires_at(&mut self, deadline_ms: i64) {
        let deadline = u64::try_from(deadline_ms).unwrap_or(0);
        self.attributes.deadline = (deadline_ms != -1).then_some(deadline);
    }

    /// By far the most frequent record. It is found in one look, so no walk is kept for it.
    fn string_entry<'b>(
        &mut self,
        reader: &mut Reader<'b>,
    ) -> Result<Option<Record<'b>>, FileError> {
        let begin = reader.rest();
        reader.skip_string()?;
        reader.skip_string()?;
        let bytes = &begin[..begin.len() - reader.rest().len()];
        let attributes = std::mem::take(&mut self.attributes);
        Ok(Some(Record::Entry(Entry { kind: ObjectType::String, attributes, bytes })))
    }

    /// Leaves a record to a walk that can be interrupted. Its first byte has been read.
    fn walk_later(&mut self, kind: Walked, extent: Extent) {
        let begin = self.prepared + 1;
        self.unfinished = Some(Unfinished { kind, begin, at: begin, extent });
    }

    /// Walks on. None if the record only prepared the next one.
    fn walk<'b>(
        &mut self,
        mut unfinished: Unfinished,
        bytes: &'b [u8],
    ) -> Result<Option<Record<'b>>, FileError> {
        let mut reader = Reader::new(&bytes[unfinished.at.min(bytes.len())..]);
        let walked = unfinished.extent.advance(&mut reader);
        unfinished.at = bytes.len() - reader.rest().len();
        let Unfinished { kind, begin, at, .. } = unfinished;
        if let Err(error) = walked {
            self.unfinished = Some(unfinished);
            return Err(error.into());
        }
        self.prepared = at;
        let bytes = &bytes[begin..at];
        Ok(match kind {
            Walked::Entry(kind) => {
                let attributes = std::mem::take(&mut self.attributes);
                Some(Record::Entry(Entry { kind, attributes, bytes }))
            }
            Walked::ModuleAux => Some(Record::ModuleAux { id: Reader::new(bytes).length()? }),
            Walked::SlotImport => Some(Record::SlotImport),
            Walked::KeyMeta => None,
        })
    }
}

/// What follows the mark of the end.
fn end<'b>(reader: &mut Reader<'b>, version: Version) -> Result<Record<'b>, FileError> {
    const FOOTER: usize = 8;
    if version < CHECKSUM_SINCE {
        return Ok(Record::End { checksum: None, footer: 0 });
    }
    let checksum = u64::from_le_bytes(reader.array::<FOOTER>()?);
    Ok(Record::End { checksum: Some(checksum).filter(|&crc| crc != 0), footer: FOOTER })
}

impl From<DecodeError> for FileError {
    fn from(error: DecodeError) -> Self {
        Self::Damaged(error)
    }
}
