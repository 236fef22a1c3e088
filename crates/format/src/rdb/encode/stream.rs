//! Writes streams: blocks as listpacks, then the marks of the log, then the groups, then what is
//! known of idempotent producers.
//!
//! ```text
//!   block   id of 16 bytes, big-endian; listpack
//!             master   live, deleted, number of names, names, 0
//!             entry    flags, distance in milliseconds, distance in numbers,
//!                      values                             with the master's names
//!                      number of pairs, pairs             with others
//!                      items of the entry before this one
//! ```
//!
//! Both distances are from the block's id, modulo 2^64.

use collections::listpack::{Item, Listpack};
use collections::stream::{BlockRef, Group, Id, Producers, Stream};

use super::super::Version;
use super::super::writer::Writer;
use crate::Sink;

/// The flag of a deleted entry.
pub(in crate::rdb) const DELETED: i64 = 1;
/// The flag of an entry with the names of the master entry.
pub(in crate::rdb) const SAME_NAMES: i64 = 2;
/// What stands where it is not known how much a group has read.
pub(in crate::rdb) const READ_UNKNOWN: u64 = u64::MAX;
/// What stands where a consumer was never active.
pub(in crate::rdb) const NEVER: u64 = u64::MAX;

type Written<S> = Result<(), <S as Sink>::Error>;

pub(super) fn write<S: Sink>(
    stream: &Stream,
    version: Version,
    out: &mut Writer<'_, S>,
) -> Written<S> {
    let log = stream.log();
    out.length(log.blocks() as u64)?;
    for block in log.iter_blocks() {
        out.string(&id_bytes(block.base()))?;
        out.string(listpack_of(block).as_bytes())?;
    }
    out.length(log.len())?;
    id(log.last_id(), out)?;
    id(log.first_id(), out)?;
    id(log.max_deleted_id(), out)?;
    out.length(log.entries_added())?;
    out.length(stream.groups_len() as u64)?;
    let Some(producers) = stream.producers() else {
        return stream
            .groups()
            .try_for_each(|(name, group)| write_group(name, group, version, out));
    };
    let version = version.max(Version::V13);
    stream.groups().try_for_each(|(name, group)| write_group(name, group, version, out))?;
    write_producers(producers, out)
}

fn write_producers<S: Sink>(producers: &Producers, out: &mut Writer<'_, S>) -> Written<S> {
    let retention = producers.retention();
    out.length(retention.seconds.into())?;
    out.length(retention.per_producer.into())?;
    out.length(producers.len() as u64)?;
    for (name, ids) in producers.each() {
        out.string(name)?;
        out.length(ids.len() as u64)?;
        for (idempotent, entry) in ids {
            out.string(idempotent)?;
            id(entry, out)?;
        }
    }
    out.length(producers.added())?;
    out.length(producers.duplicates())
}

/// An id as two numbers.
fn id<S: Sink>(id: Id, out: &mut Writer<'_, S>) -> Written<S> {
    out.length(id.ms)?;
    out.length(id.seq)
}

/// An id as 16 bytes that sort as ids do.
fn id_bytes(id: Id) -> [u8; 16] {
    u128::from(id).to_be_bytes()
}

fn listpack_of(block: BlockRef<'_>) -> Listpack {
    let mut packed = Listpack::default();
    let int = |packed: &mut Listpack, number: u64| packed.push_back(Item::Int(number as i64));
    let (live, deleted) = block.counts();
    let names = block.names();
    int(&mut packed, live);
    int(&mut packed, deleted);
    int(&mut packed, names.len() as u64);
    packed.extend(names);
    int(&mut packed, 0);
    let base = block.base();
    for stored in block.entries() {
        let entry = stored.entry;
        let flags = i64::from(stored.deleted) * DELETED + i64::from(stored.same_names) * SAME_NAMES;
        let pairs = entry.fields.len() as u64;
        packed.push_back(Item::Int(flags));
        int(&mut packed, entry.id.ms.wrapping_sub(base.ms));
        int(&mut packed, entry.id.seq.wrapping_sub(base.seq));
        if stored.same_names {
            packed.extend(entry.fields.map(|(_, value)| value));
            int(&mut packed, pairs + 3);
        } else {
            int(&mut packed, pairs);
            packed.extend(entry.fields.flat_map(|(name, value)| [name, value]));
            int(&mut packed, 2 * pairs + 4);
        }
    }
    packed
}

fn write_group<S: Sink>(
    name: &[u8],
    group: &Group,
    version: Version,
    out: &mut Writer<'_, S>,
) -> Written<S> {
    out.string(name)?;
    id(group.last_id, out)?;
    out.length(group.entries_read.unwrap_or(READ_UNKNOWN))?;
    out.length(group.pending_len() as u64)?;
    for (id, pending) in group.pending_from(Id::MIN) {
        out.raw(&id_bytes(id))?;
        out.raw(&pending.delivered_at.to_le_bytes())?;
        out.length(pending.deliveries)?;
    }
    out.length(group.consumers_len() as u64)?;
    for consumer in group.consumers() {
        out.string(consumer.name())?;
        out.raw(&consumer.seen_at.to_le_bytes())?;
        if version >= Version::V11 {
            out.raw(&consumer.active_at.unwrap_or(NEVER).to_le_bytes())?;
        }
        out.length(consumer.pending_len() as u64)?;
        let number = group.find_consumer(consumer.name()).expect("it was just listed");
        for (id, _) in group.pending_of(number, Id::MIN) {
            out.raw(&id_bytes(id))?;
        }
    }
    Ok(())
}
