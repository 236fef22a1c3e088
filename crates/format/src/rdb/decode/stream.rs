//! Streams in their four forms. [`encode`](super::super::encode) shows the layout of a block.

use std::collections::BTreeMap;

use collections::listpack::{self, Item, Listpack};
use collections::stream::{Group, Id, Pending, Producers, Retention, Stream};

use super::super::encode::{DELETED, NEVER, READ_UNKNOWN, SAME_NAMES};
use super::super::reader::Reader;
use super::{DecodeError, Read};

/// Which of the forms a stream has: each knows more than the one before.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// Entries, last id, groups.
    First,
    /// First and greatest deleted id, entries ever added, entries that a group has read.
    Second,
    /// When a consumer was active.
    Third,
    /// What idempotent producers have sent.
    Fourth,
}

const BLOCK: DecodeError = DecodeError::Corrupt("Stream listpack integrity check failed");
const GROUP: DecodeError = DecodeError::Corrupt("a group of a stream is inconsistent");
const PRODUCERS: DecodeError = DecodeError::Corrupt("Stream IDMP settings out of range");
const CONSUMER: DecodeError = DecodeError::Corrupt("Duplicate stream consumer detected");
const TIME: DecodeError = DecodeError::Corrupt("a time in a stream is out of range");

pub(super) fn read(reader: &mut Reader<'_>, form: Form) -> Read<Stream> {
    let mut stream = Stream::new();
    for _ in 0..reader.length()? {
        let base =
            Id::from(u128::from_be_bytes(reader.string()?[..].try_into().map_err(|_| BLOCK)?));
        let packed = Listpack::from_untrusted(&reader.string()?).map_err(|_| BLOCK)?;
        read_block(base, &packed, &mut stream)?;
    }
    let len = reader.length()?;
    let last = id(reader)?;
    if stream.log().len() != len || last < stream.log().last_id() {
        return Err(DecodeError::Corrupt("a stream has not the entries that it claims"));
    }
    stream.set_last_id(last);
    if form >= Form::Second {
        let _first = id(reader)?;
        stream.set_max_deleted_id(id(reader)?);
        stream.set_entries_added(reader.length()?);
    }
    for _ in 0..reader.length()? {
        let name = reader.string()?;
        let mut group = Group::new(id(reader)?, None);
        group.entries_read = match form {
            Form::First => stream.log().count_up_to(group.last_id),
            _ => Some(reader.length()?).filter(|&read| read != READ_UNKNOWN),
        };
        read_members(&mut group, form, reader)?;
        if !stream.create_group(&name, group) {
            return Err(GROUP);
        }
    }
    if form >= Form::Fourth {
        read_producers(&mut stream, reader)?;
    }
    Ok(stream)
}

/// How much is remembered of idempotent producers, and what.
fn read_producers(stream: &mut Stream, reader: &mut Reader<'_>) -> Read<()> {
    let seconds = bounded(reader, Retention::SECONDS_MAX)?;
    let retention = Retention { seconds, per_producer: bounded(reader, Retention::IDS_MAX)? };
    let mut producers = Producers::new(retention);
    for _ in 0..reader.length()? {
        let name = reader.string()?;
        for _ in 0..reader.length()? {
            let idempotent = reader.string()?;
            // What is too old is found out by whoever asks.
            producers.record(&name, &idempotent, id(reader)?, 0);
        }
    }
    producers.set_counts(reader.length()?, reader.length()?);
    // Redis writes this for every stream; nothing is worth remembering of one without producers.
    if !producers.is_new(Retention::DEFAULT) {
        stream.set_producers(producers);
    }
    Ok(())
}

/// A number from 1 to `max`.
fn bounded(reader: &mut Reader<'_>, max: u32) -> Read<u32> {
    let number = u32::try_from(reader.length()?).ok();
    number.filter(|number| (1..=max).contains(number)).ok_or(PRODUCERS)
}

fn id(reader: &mut Reader<'_>) -> Read<Id> {
    Ok(Id::new(reader.length()?, reader.length()?))
}

fn raw_id(reader: &mut Reader<'_>) -> Read<Id> {
    reader.array().map(u128::from_be_bytes).map(Id::from)
}

/// Unix time in milliseconds.
fn time(reader: &mut Reader<'_>) -> Read<u64> {
    let time = u64::from_le_bytes(reader.array()?);
    if i64::try_from(time).is_ok() { Ok(time) } else { Err(TIME) }
}

/// The items of a block, in order.
struct Items<'a>(listpack::Iter<'a>);

impl<'a> Items<'a> {
    fn any(&mut self) -> Read<Item<'a>> {
        self.0.next().ok_or(BLOCK)
    }

    fn int(&mut self) -> Read<i64> {
        match self.any()? {
            Item::Int(value) => Ok(value),
            Item::Bytes(_) => Err(BLOCK),
        }
    }

    fn count(&mut self) -> Read<u64> {
        u64::try_from(self.int()?).map_err(|_| BLOCK)
    }

    /// The text of the next item, appended to `texts`; where it ends.
    fn text(&mut self, texts: &mut Vec<u8>) -> Read<usize> {
        self.any()?.write_text(texts);
        Ok(texts.len())
    }

    fn is_at_end(&self) -> bool {
        self.0.offset().is_none()
    }
}

/// Strings in one buffer.
#[derive(Clone, Default)]
struct Texts {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Texts {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn push(&mut self, items: &mut Items<'_>) -> Read<()> {
        let end = items.text(&mut self.bytes)?;
        self.ends.push(end);
        Ok(())
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }
}

/// Adds the entries of a block that are not deleted.
fn read_block(base: Id, packed: &Listpack, stream: &mut Stream) -> Read<()> {
    let mut items = Items(packed.iter());
    let (live, deleted) = (items.count()?, items.count()?);
    let mut block_names = Texts::default();
    for _ in 0..items.count()? {
        block_names.push(&mut items)?;
    }
    if items.int()? != 0 || live == 0 {
        return Err(BLOCK);
    }
    let (mut seen, mut dead) = (0, 0);
    let (mut own_names, mut values) = (Texts::default(), Texts::default());
    let mut previous = None;
    while !items.is_at_end() {
        let flags = items.int()?;
        let ms = base.ms.wrapping_add(items.int()? as u64);
        let id = Id::new(ms, base.seq.wrapping_add(items.int()? as u64));
        if id < base || previous.is_some_and(|previous| id <= previous) {
            return Err(BLOCK);
        }
        previous = Some(id);
        values.clear();
        let (names, size) = if flags & SAME_NAMES == 0 {
            let pairs = items.count()?;
            own_names.clear();
            for _ in 0..pairs {
                own_names.push(&mut items)?;
                values.push(&mut items)?;
            }
            (&own_names, pairs.saturating_mul(2).saturating_add(4))
        } else {
            block_names.ends.iter().try_for_each(|_| values.push(&mut items))?;
            (&block_names, block_names.ends.len() as u64 + 3)
        };
        let known = flags & !(SAME_NAMES | DELETED) == 0 && !values.ends.is_empty();
        if items.count()? != size || !known {
            return Err(BLOCK);
        }
        if flags & DELETED != 0 {
            dead += 1;
            continue;
        }
        let fields = names.iter().zip(values.iter());
        let added = stream.append_packed(block_names.iter(), seen == 0, id, fields);
        added.map_err(|_| BLOCK)?;
        seen += 1;
    }
    if (seen, dead) == (live, deleted) { Ok(()) } else { Err(BLOCK) }
}

/// The pending entries and the consumers of a group.
fn read_members(group: &mut Group, form: Form, reader: &mut Reader<'_>) -> Read<()> {
    let mut pending = BTreeMap::new();
    for _ in 0..reader.length()? {
        let id = raw_id(reader)?;
        let record = (time(reader)?, reader.length()?);
        if pending.insert(id, record).is_some() {
            return Err(GROUP);
        }
    }
    for _ in 0..reader.length()? {
        let name = reader.string()?;
        let seen_at = time(reader)?;
        let active_at = match form {
            Form::Third | Form::Fourth => match u64::from_le_bytes(reader.array()?) {
                NEVER => None,
                time if i64::try_from(time).is_ok() => Some(time),
                _ => return Err(TIME),
            },
            _ => Some(seen_at),
        };
        let consumer = group.create_consumer(&name, seen_at).ok_or(CONSUMER)?;
        group.consumer_mut(consumer).ok_or(GROUP)?.active_at = active_at;
        for _ in 0..reader.length()? {
            let id = raw_id(reader)?;
            let (delivered_at, deliveries) = pending.remove(&id).ok_or(GROUP)?;
            group.set_pending(id, Pending::of(consumer, delivered_at, deliveries));
        }
    }
    // Only what a consumer gave back is nobody's, and that is as if it had never been delivered.
    for (id, (delivered_at, deliveries)) in pending {
        if delivered_at != 0 {
            return Err(GROUP);
        }
        group.set_pending(id, Pending::released(deliveries));
    }
    Ok(())
}
