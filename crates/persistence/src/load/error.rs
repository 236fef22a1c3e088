//! Why a file is not loaded.

use std::fmt;
use std::io;

use format::rdb::file::FileError;
use format::rdb::{DecodeError, ObjectType};
use store::load::Duplicate;

/// What is wrong with a file, and where.
#[derive(Debug)]
pub struct LoadError {
    /// Where the record begins, in bytes.
    pub offset: u64,
    /// The key of the record, if it was known.
    pub key: Option<Box<[u8]>>,
    /// The type of its value.
    pub kind: Option<ObjectType>,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong with a file.
#[derive(Debug)]
pub enum Problem {
    /// It cannot be read.
    Io(io::Error),
    /// It ends before its end.
    Truncated,
    /// A record is damaged or not known.
    Record(FileError),
    /// A value is damaged or not known.
    Value(DecodeError),
    /// It is not what was written.
    Checksum {
        /// What the file says.
        stated: u64,
        /// What its bytes have.
        computed: u64,
    },
    /// There are only so many databases.
    Database(usize),
    /// A key is there twice.
    Duplicate(Duplicate),
}

impl LoadError {
    /// An error that concerns no key.
    pub(crate) fn at(offset: u64, problem: Problem) -> Self {
        Self { offset, key: None, kind: None, problem }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (offset {}", self.problem, self.offset)?;
        if let Some(kind) = self.kind {
            write!(f, ", type {}", kind as u8)?;
        }
        if let Some(key) = &self.key {
            write!(f, ", key '{}'", key.escape_ascii())?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Truncated => f.write_str("Unexpected EOF reading RDB file"),
            Self::Record(error) => error.fmt(f),
            Self::Value(error) => error.fmt(f),
            Self::Checksum { stated, computed } => {
                write!(f, "Wrong RDB checksum expected: ({computed:x}) but got ({stated:x})")
            }
            Self::Database(databases) => write!(
                f,
                "FATAL: Data file was created with a Redis server configured to handle more than \
                 {databases} databases"
            ),
            Self::Duplicate(Duplicate { db, key }) => {
                write!(f, "RDB has duplicated key '{}' in DB {db}", key.escape_ascii())
            }
        }
    }
}

impl std::error::Error for LoadError {}
