//! Reads values from bytes that nobody has checked: a client's, or a damaged file's.
//!
//! Everything is verified before it becomes a part of a value: sizes, counts, order, doubles, the
//! links inside nested blocks. Counts only end loops; nothing is reserved for what they promise.
//! So a payload costs time and memory in proportion to its own size (and to what an LZF stream
//! unfolds to), whatever it says.

mod batches;
mod collections;
mod stream;

use std::borrow::Cow;
use std::fmt;

use ::collections::entry::Object;
use ::collections::{array, hash, list, set, sorted_set};

use super::reader::Reader;
use super::{ObjectType, Version};

/// Why bytes are no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// They end too early.
    Truncated,
    /// The type is not known, or a module's.
    Type(u8),
    /// It is a collection without an element, read to its end. Files that hold one are read on
    /// without it, as old servers have left some behind.
    Empty,
    /// Something does not hold.
    Corrupt(&'static str),
}

type Read<T> = Result<T, DecodeError>;

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("the value ends too early"),
            Self::Type(number) => write!(f, "no value has the type {number}"),
            Self::Empty => f.write_str("a collection is empty"),
            Self::Corrupt(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for DecodeError {}

/// A value that was read.
#[derive(Clone, Debug)]
pub enum Decoded<'a> {
    /// A string.
    String(Cow<'a, [u8]>),
    /// Anything else.
    Object(Object),
}

/// When collections are kept in which form.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of lists.
    pub list: list::Limits,
    /// Of sets.
    pub set: set::Limits,
    /// Of hashes.
    pub hash: hash::Limits,
    /// Of sorted sets.
    pub sorted_set: sorted_set::Limits,
    /// Of arrays.
    pub array: array::Limits,
}

impl Limits {
    /// The defaults of the parameters, with tables keyed by `seed`.
    #[must_use]
    pub fn defaults(seed: u64) -> Self {
        let (listpack_entries, listpack_value) = (128, 64);
        Self {
            list: list::Limits::default(),
            set: set::Limits { intset_entries: 512, listpack_entries, listpack_value, seed },
            hash: hash::Limits { listpack_entries: 512, listpack_value, seed },
            sorted_set: sorted_set::Limits {
                entries_max: listpack_entries,
                member_bytes_max: listpack_value,
                seed,
            },
            array: array::Limits::default(),
        }
    }

    /// The same limits, with tables keyed by `seed`.
    #[must_use]
    pub fn seeded(&self, seed: u64) -> Self {
        let mut limits = *self;
        (limits.set.seed, limits.hash.seed, limits.sorted_set.seed) = (seed, seed, seed);
        limits
    }
}

/// Reads the type of a value that a server of `version` wrote.
///
/// # Errors
/// If there is none, or none that is known.
pub fn object_type(reader: &mut Reader<'_>, version: Version) -> Result<ObjectType, DecodeError> {
    let number = reader.byte()?;
    ObjectType::from_number(number, version).ok_or(DecodeError::Type(number))
}

/// Reads the body of a value.
///
/// # Errors
/// If it is not one of this type. An empty collection is none, but for a stream.
pub fn body<'a>(
    kind: ObjectType,
    reader: &mut Reader<'a>,
    limits: &Limits,
) -> Result<Decoded<'a>, DecodeError> {
    use collections as read;
    Ok(Decoded::Object(match kind {
        ObjectType::String => return reader.string().map(Decoded::String),
        ObjectType::List => read::list(reader, limits.list)?.into(),
        ObjectType::ListZiplist => read::list_ziplist(reader, limits.list)?.into(),
        ObjectType::ListQuicklist => read::list_quicklist(reader, limits.list)?.into(),
        ObjectType::ListQuicklist2 => read::list_quicklist_2(reader, limits.list)?.into(),
        ObjectType::Set => read::set(reader, &limits.set)?.into(),
        ObjectType::SetIntset => read::set_intset(reader, &limits.set)?.into(),
        ObjectType::SetListpack => read::set_listpack(reader, &limits.set)?.into(),
        ObjectType::SortedSet => {
            read::sorted_set(reader, limits.sorted_set, Reader::double_text)?.into()
        }
        ObjectType::SortedSet2 => {
            read::sorted_set(reader, limits.sorted_set, Reader::double)?.into()
        }
        ObjectType::SortedSetZiplist => read::sorted_set_ziplist(reader, limits.sorted_set)?.into(),
        ObjectType::SortedSetListpack => {
            read::sorted_set_listpack(reader, limits.sorted_set)?.into()
        }
        ObjectType::Hash => read::hash(reader, &limits.hash)?.into(),
        ObjectType::HashZipmap => read::hash_zipmap(reader, &limits.hash)?.into(),
        ObjectType::HashZiplist => read::hash_ziplist(reader, &limits.hash)?.into(),
        ObjectType::HashListpack => read::hash_listpack(reader, &limits.hash)?.into(),
        ObjectType::HashDeadlines => read::hash_deadlines(reader, &limits.hash)?.into(),
        ObjectType::HashTimed => read::hash_timed(reader, &limits.hash)?.into(),
        ObjectType::HashTimedListpack => read::hash_timed_listpack(reader, &limits.hash)?.into(),
        ObjectType::StreamListpacks => stream::read(reader, stream::Form::First)?.into(),
        ObjectType::StreamListpacks2 => stream::read(reader, stream::Form::Second)?.into(),
        ObjectType::StreamListpacks3 => stream::read(reader, stream::Form::Third)?.into(),
        ObjectType::StreamListpacks4 => stream::read(reader, stream::Form::Fourth)?.into(),
        ObjectType::Array => read::array(reader, &limits.array)?.into(),
        ObjectType::Module => return Err(DecodeError::Type(kind as u8)),
    }))
}
