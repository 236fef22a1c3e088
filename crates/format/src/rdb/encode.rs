//! Writes values.
//!
//! Each has the form that suits how it is kept: blocks are copied, what is beyond them is written
//! string by string. A caller clones the value, which takes no time, gives its locks back and then
//! encodes.

mod stream;

use std::ops::ControlFlow;

use collections::array::{Array, Digits, INDEX_MAX};
use collections::entry::{ObjectRef, StringRef, ValueRef};
use collections::hash::Hash;
use collections::list::{List, NodeRef};
use collections::listpack::Item;
use collections::set::{Kept, Set};
use collections::sorted_set::SortedSet;

pub(super) use stream::{DELETED, NEVER, READ_UNKNOWN, SAME_NAMES};

use super::writer::Writer;
use super::{ObjectType, Version};
use crate::Sink;

/// How values are written.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The version that must be able to read them.
    pub version: Version,
    /// Whether long strings are compressed (`rdbcompression`).
    pub compress: bool,
}

/// Marks a node of one large element.
pub(super) const PLAIN_NODE: u64 = 1;
/// Marks a node that is a listpack.
pub(super) const PACKED_NODE: u64 = 2;

/// The type in which `value` is written, and the version that this needs: the one asked for if it
/// is enough.
#[must_use]
pub fn object_type(value: ValueRef<'_>, options: Options) -> (ObjectType, Version) {
    let newer = options.version >= Version::V11;
    let kind = match value {
        ValueRef::String(_) => ObjectType::String,
        ValueRef::Object(ObjectRef::List(_)) => ObjectType::ListQuicklist2,
        ValueRef::Object(ObjectRef::Set(set)) => set.kept(|kept| match kept {
            Kept::Intset(_) => ObjectType::SetIntset,
            Kept::Listpack(_) if newer => ObjectType::SetListpack,
            Kept::Listpack(_) | Kept::Table => ObjectType::Set,
        }),
        ValueRef::Object(ObjectRef::Hash(hash)) => match hash.listpack() {
            _ if hash.timed_listpack().is_some() => {
                return (ObjectType::HashTimedListpack, options.version.max(Version::V12));
            }
            _ if hash.earliest().is_some() => {
                return (ObjectType::HashTimed, options.version.max(Version::V12));
            }
            Some(_) => ObjectType::HashListpack,
            None => ObjectType::Hash,
        },
        ValueRef::Object(ObjectRef::SortedSet(set)) => match set.listpack() {
            Some(_) => ObjectType::SortedSetListpack,
            None => ObjectType::SortedSet2,
        },
        ValueRef::Object(ObjectRef::Stream(stream)) if stream.producers().is_some() => {
            return (ObjectType::StreamListpacks4, options.version.max(Version::V13));
        }
        ValueRef::Object(ObjectRef::Stream(_)) if newer => ObjectType::StreamListpacks3,
        ValueRef::Object(ObjectRef::Stream(_)) => ObjectType::StreamListpacks2,
        ValueRef::Object(ObjectRef::Array(_)) => ObjectType::Array,
    };
    (kind, options.version)
}

/// Writes the body of `value` in the form that [`object_type`] names.
///
/// # Errors
/// Those of the sink.
pub fn body<S: Sink>(value: ValueRef<'_>, options: Options, sink: &mut S) -> Result<(), S::Error> {
    let mut out = Writer::new(sink, options.compress);
    match value {
        ValueRef::String(StringRef::Int(number)) => out.integer(number),
        ValueRef::String(StringRef::Inline { bytes, .. }) => out.string(bytes),
        ValueRef::String(StringRef::Shared { bytes, .. }) => out.string(bytes.as_slice()),
        ValueRef::Object(ObjectRef::List(list)) => write_list(list, &mut out),
        ValueRef::Object(ObjectRef::Set(set)) => write_set(set, options.version, &mut out),
        ValueRef::Object(ObjectRef::Hash(hash)) => write_hash(hash, &mut out),
        ValueRef::Object(ObjectRef::SortedSet(set)) => write_sorted_set(set, &mut out),
        ValueRef::Object(ObjectRef::Stream(value)) => {
            stream::write(value, options.version, &mut out)
        }
        ValueRef::Object(ObjectRef::Array(array)) => write_array(array, &mut out),
    }
}

fn write_list<S: Sink>(list: &List, out: &mut Writer<'_, S>) -> Result<(), S::Error> {
    out.length(list.node_count() as u64)?;
    for node in (0..list.node_count()).filter_map(|index| list.node(index)) {
        match node {
            NodeRef::Plain(element) => {
                out.length(PLAIN_NODE)?;
                out.string(element)?;
            }
            NodeRef::Packed(listpack) => {
                out.length(PACKED_NODE)?;
                out.string(listpack)?;
            }
            NodeRef::Compressed { stream, len } => {
                out.length(PACKED_NODE)?;
                out.compressed(stream, len)?;
            }
        }
    }
    Ok(())
}

/// The number of elements, where the next insertion goes, and each element behind the number of
/// positions that are free before it.
fn write_array<S: Sink>(array: &Array, out: &mut Writer<'_, S>) -> Result<(), S::Error> {
    out.length(array.count())?;
    out.length(array.next_index().unwrap_or(INDEX_MAX + 1))?;
    let (mut digits, mut next) = (Digits::default(), 0);
    let failed = array.visit(0..=INDEX_MAX, false, |index, element| {
        let gap = index - next;
        next = index + 1;
        out.length(gap).and_then(|()| out.string(element.text(&mut digits))).err()
    });
    failed.map_or(Ok(()), Err)
}

fn write_item<S: Sink>(item: Item<'_>, out: &mut Writer<'_, S>) -> Result<(), S::Error> {
    match item {
        Item::Int(value) => out.integer(value),
        Item::Bytes(text) => out.string(text),
    }
}

fn write_set<S: Sink>(
    set: &Set,
    version: Version,
    out: &mut Writer<'_, S>,
) -> Result<(), S::Error> {
    let copied = set.kept(|kept| match kept {
        Kept::Intset(bytes) => ControlFlow::Break(out.string(bytes)),
        Kept::Listpack(bytes) if version >= Version::V11 => ControlFlow::Break(out.string(bytes)),
        Kept::Listpack(_) | Kept::Table => ControlFlow::Continue(()),
    });
    if let ControlFlow::Break(written) = copied {
        return written;
    }
    out.length(set.len() as u64)?;
    set.iter().try_for_each(|member| write_item(member, out))
}

fn write_hash<S: Sink>(hash: &Hash, out: &mut Writer<'_, S>) -> Result<(), S::Error> {
    if let Some(listpack) = hash.listpack() {
        return out.string(listpack.as_bytes());
    }
    let is_timed = hash.timed_listpack().is_some() || hash.earliest().is_some();
    let earliest = hash.fields().filter_map(|field| field.deadline).min().unwrap_or(0);
    if is_timed {
        out.raw(&earliest.to_le_bytes())?;
    }
    if let Some(listpack) = hash.timed_listpack() {
        return out.string(listpack.as_bytes());
    }
    out.length(hash.len() as u64)?;
    for field in hash.fields() {
        if is_timed {
            // 0 says that there is none, so the earliest one is 1.
            out.length(field.deadline.map_or(0, |deadline| deadline - earliest + 1))?;
        }
        write_item(field.name, out)?;
        write_item(field.value, out)?;
    }
    Ok(())
}

/// Large sets are written from the highest score down: whoever reads them into an ordered structure
/// always adds at its front.
fn write_sorted_set<S: Sink>(set: &SortedSet, out: &mut Writer<'_, S>) -> Result<(), S::Error> {
    if let Some(listpack) = set.listpack() {
        return out.string(listpack.as_bytes());
    }
    out.length(set.len() as u64)?;
    for element in set.range(0..set.len()).rev() {
        write_item(element.member, out)?;
        out.double(element.score)?;
    }
    Ok(())
}
