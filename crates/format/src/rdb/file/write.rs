//! Writes the records of a file. Nothing is remembered between calls.

use collections::entry::ValueRef;

use super::super::Version;
use super::super::encode::{self, Options};
use super::super::writer::Writer;
use super::opcode;
use crate::Sink;

/// What is written before the keys about whoever writes.
#[derive(Clone, Copy, Debug)]
pub struct Aux<'a> {
    /// The version of Redis that the server claims to be.
    pub redis_version: &'a str,
    /// Unix time in seconds.
    pub created_s: u64,
    /// Bytes of memory in use.
    pub used_memory: u64,
    /// The place in the stream of replication, for a server that takes part in it.
    pub replication: Option<ReplicationAux<'a>>,
    /// Whether the file is the base of an append-only file.
    pub is_aof_base: bool,
}

/// A place in the stream of replication.
#[derive(Clone, Copy, Debug)]
pub struct ReplicationAux<'a> {
    /// The database that the stream has selected.
    pub stream_database: u64,
    /// The replication id.
    pub id: &'a str,
    /// Bytes of the stream so far.
    pub offset: u64,
}

/// What precedes a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// When it expires, unix time in milliseconds.
    pub deadline: Option<u64>,
    /// How it is used, if that is to be remembered.
    pub usage: Option<Usage>,
}

/// How a key is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Seconds since it was used last.
    Idle(u64),
    /// How often it is used, on the logarithmic scale of the LFU policies.
    Frequency(u8),
}

/// The beginning of a file of this version.
///
/// # Errors
/// Those of the sink; so for all functions here.
pub fn header<S: Sink>(version: Version, sink: &mut S) -> Result<(), S::Error> {
    let magic = if version >= Version::VALKEY_9 {
        format!("VALKEY{:03}", version.0)
    } else {
        format!("REDIS{:04}", version.0)
    };
    sink.put(magic.as_bytes())
}

/// The aux fields that Redis writes, in its order.
///
/// # Errors
/// Those of the sink.
pub fn aux<S: Sink>(aux: &Aux<'_>, sink: &mut S) -> Result<(), S::Error> {
    const BITS: &str = "64";
    aux_field("redis-ver", aux.redis_version, sink)?;
    aux_field("redis-bits", BITS, sink)?;
    aux_field("ctime", &aux.created_s.to_string(), sink)?;
    aux_field("used-mem", &aux.used_memory.to_string(), sink)?;
    if let Some(replication) = aux.replication {
        aux_field("repl-stream-db", &replication.stream_database.to_string(), sink)?;
        aux_field("repl-id", replication.id, sink)?;
        aux_field("repl-offset", &replication.offset.to_string(), sink)?;
    }
    aux_field("aof-base", if aux.is_aof_base { "1" } else { "0" }, sink)
}

/// One aux field.
///
/// # Errors
/// Those of the sink.
pub fn aux_field<S: Sink>(name: &str, value: &str, sink: &mut S) -> Result<(), S::Error> {
    sink.put(&[opcode::AUX])?;
    let mut out = Writer::new(sink, false);
    out.string(name.as_bytes())?;
    out.string(value.as_bytes())
}

/// A function library: its source.
///
/// # Errors
/// Those of the sink.
pub fn function<S: Sink>(source: &[u8], options: Options, sink: &mut S) -> Result<(), S::Error> {
    sink.put(&[opcode::FUNCTION])?;
    Writer::new(sink, options.compress).string(source)
}

/// The database of what follows.
///
/// # Errors
/// Those of the sink.
pub fn database<S: Sink>(number: u64, sink: &mut S) -> Result<(), S::Error> {
    sink.put(&[opcode::DATABASE])?;
    Writer::new(sink, false).length(number)
}

/// How many keys the selected database has, and how many of them expire.
///
/// # Errors
/// Those of the sink.
pub fn sizes<S: Sink>(keys: u64, expiring: u64, sink: &mut S) -> Result<(), S::Error> {
    sink.put(&[opcode::SIZES])?;
    let mut out = Writer::new(sink, false);
    out.length(keys)?;
    out.length(expiring)
}

/// A key with its value.
///
/// # Errors
/// Those of the sink.
pub fn entry<S: Sink>(
    key: &[u8],
    value: ValueRef<'_>,
    attributes: Attributes,
    options: Options,
    sink: &mut S,
) -> Result<(), S::Error> {
    if let Some(deadline) = attributes.deadline {
        sink.put(&[opcode::DEADLINE_MS])?;
        sink.put(&deadline.to_le_bytes())?;
    }
    match attributes.usage {
        Some(Usage::Idle(seconds)) => {
            sink.put(&[opcode::IDLE])?;
            Writer::new(sink, false).length(seconds)?;
        }
        Some(Usage::Frequency(frequency)) => sink.put(&[opcode::FREQUENCY, frequency])?,
        None => {}
    }
    let (kind, _) = encode::object_type(value, options);
    sink.put(&[kind as u8])?;
    Writer::new(sink, options.compress).string(key)?;
    encode::body(value, options, sink)
}

/// The mark of the end. The checksum covers it.
///
/// # Errors
/// Those of the sink.
pub fn end<S: Sink>(sink: &mut S) -> Result<(), S::Error> {
    sink.put(&[opcode::END])
}

/// What follows the mark of the end: the [CRC-64](stdx::crc::crc64) of the whole file so far, or
/// zero to say that there is none.
///
/// # Errors
/// Those of the sink.
pub fn checksum<S: Sink>(crc: Option<u64>, sink: &mut S) -> Result<(), S::Error> {
    sink.put(&crc.unwrap_or(0).to_le_bytes())
}
