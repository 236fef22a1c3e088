//! Lists, sets, sorted sets and hashes, in every form they ever had.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use collections::array::{self, Array, INDEX_MAX};
use collections::block::Malformed;
use collections::hash::{self, Hash};
use collections::intset::Intset;
use collections::list::{self, List, Loader};
use collections::listpack::Listpack;
use collections::set::{self, Set};
use collections::sorted_set::{self, SortedSet};

use super::super::encode::{PACKED_NODE, PLAIN_NODE};
use super::super::reader::Reader;
use super::super::{ziplist, zipmap};
use super::batches::{Element, add_all};
use super::{DecodeError, Read};

const TWICE: DecodeError = DecodeError::Corrupt("an element is there twice");

/// The deadlines that a field may have: Redis keeps 48 bits of them.
const FIELD_DEADLINES: RangeInclusive<u64> = 1..=(1 << 48) - 1;

/// What the log says of a damaged block: the words that operators know from Redis.
const fn broken(what: &'static str) -> DecodeError {
    DecodeError::Corrupt(what)
}

const LIST_ZIPLIST: DecodeError = broken("List ziplist integrity check failed");
const QUICKLIST_ZIPLIST: DecodeError = broken("Quicklist ziplist integrity check failed");
const QUICKLIST_LISTPACK: DecodeError = broken("Quicklist listpack integrity check failed");
const QUICKLIST_PLAIN: DecodeError = broken("Quicklist plain node is empty");
const INTSET: DecodeError = broken("Intset integrity check failed");
const SET_LISTPACK: DecodeError = broken("Set listpack integrity check failed");
const ZSET_ZIPLIST: DecodeError = broken("Zset ziplist integrity check failed");
const ZSET_LISTPACK: DecodeError = broken("Zset listpack integrity check failed");
const HASH_ZIPLIST: DecodeError = broken("Hash ziplist integrity check failed");
const HASH_DEADLINE: DecodeError = broken("Hash field has no valid deadline");
const HASH_LISTPACK: DecodeError = broken("Hash listpack integrity check failed");
const ARRAY: DecodeError = broken("Array integrity check failed");
const ZIPMAP: DecodeError = broken("Zipmap integrity check failed");

/// A listpack; `error` if it is damaged.
fn listpack(reader: &mut Reader<'_>, error: DecodeError) -> Read<Listpack> {
    Listpack::from_untrusted(&reader.string()?).map_err(|_| error)
}

/// A ziplist, turned into a listpack; `error` if it is damaged.
fn ziplist(reader: &mut Reader<'_>, error: DecodeError) -> Read<Listpack> {
    ziplist::to_listpack(&reader.string()?).map_err(|_| error)
}

/// A collection of elements, of which there are some; `error` if they do not make one.
fn packed<T>(
    elements: Listpack,
    make: impl FnOnce(Listpack) -> Result<T, Malformed>,
    error: DecodeError,
) -> Read<T> {
    if elements.is_empty() { Err(DecodeError::Empty) } else { make(elements).map_err(|_| error) }
}

/// The number of elements, which must not be none.
fn count(reader: &mut Reader<'_>) -> Read<u64> {
    match reader.length()? {
        0 => Err(DecodeError::Empty),
        count => Ok(count),
    }
}

fn finished(list: Loader, limits: list::Limits) -> Read<List> {
    let list = list.finish(limits);
    if list.is_empty() { Err(DecodeError::Empty) } else { Ok(list) }
}

pub(super) fn list(reader: &mut Reader<'_>, limits: list::Limits) -> Read<List> {
    let mut list = Loader::default();
    for _ in 0..reader.length()? {
        list.element(&reader.string()?, limits);
    }
    finished(list, limits)
}

pub(super) fn list_ziplist(reader: &mut Reader<'_>, limits: list::Limits) -> Read<List> {
    let mut list = Loader::default();
    list.packed(ziplist(reader, LIST_ZIPLIST)?);
    finished(list, limits)
}

pub(super) fn list_quicklist(reader: &mut Reader<'_>, limits: list::Limits) -> Read<List> {
    let mut list = Loader::default();
    for _ in 0..reader.length()? {
        list.packed(ziplist(reader, QUICKLIST_ZIPLIST)?);
    }
    finished(list, limits)
}

pub(super) fn list_quicklist_2(reader: &mut Reader<'_>, limits: list::Limits) -> Read<List> {
    let mut list = Loader::default();
    for _ in 0..reader.length()? {
        match reader.length()? {
            PLAIN_NODE => match reader.string()? {
                // Only large elements have a node of their own.
                element if element.is_empty() => return Err(QUICKLIST_PLAIN),
                element => list.plain(&element),
            },
            PACKED_NODE => list.packed(listpack(reader, QUICKLIST_LISTPACK)?),
            _ => return Err(DecodeError::Corrupt("a node of a list is of no known kind")),
        }
    }
    finished(list, limits)
}

pub(super) fn set(reader: &mut Reader<'_>, limits: &set::Limits) -> Read<Set> {
    let count = count(reader)?;
    let mut set = Set::default();
    add_all(&mut set, reader, count, member, |set, Element { name, .. }| {
        if set.is_empty() {
            set.expect(limits, &name, usize::try_from(count).unwrap_or(usize::MAX));
        }
        if set.add(limits, &name) { Ok(()) } else { Err(TWICE) }
    })?;
    Ok(set)
}

/// A member of a set.
fn member<'a>(reader: &mut Reader<'a>) -> Read<Element<'a, ()>> {
    Ok(Element { name: reader.string()?, value: Cow::Borrowed(&[]), more: () })
}

pub(super) fn set_intset(reader: &mut Reader<'_>, limits: &set::Limits) -> Read<Set> {
    let intset = Intset::from_untrusted(&reader.string()?).map_err(|_| INTSET)?;
    Set::from_intset(intset, limits).map_err(|_| DecodeError::Empty)
}

pub(super) fn set_listpack(reader: &mut Reader<'_>, limits: &set::Limits) -> Read<Set> {
    let members = listpack(reader, SET_LISTPACK)?;
    packed(members, |members| Set::from_listpack(members, limits), SET_LISTPACK)
}

/// Members with scores, in any order; `score` reads one.
pub(super) fn sorted_set<'a>(
    reader: &mut Reader<'a>,
    limits: sorted_set::Limits,
    score: fn(&mut Reader<'a>) -> Read<f64>,
) -> Read<SortedSet> {
    let count = count(reader)?;
    let mut set = SortedSet::default();
    let read = |reader: &mut Reader<'a>| {
        let Element { name, value, .. } = member(reader)?;
        Ok(Element { name, value, more: score(reader)? })
    };
    add_all(&mut set, reader, count, read, |set, Element { name, more: score, .. }| {
        if set.insert(&name, score, limits).is_none() { Ok(()) } else { Err(TWICE) }
    })?;
    Ok(set)
}

pub(super) fn sorted_set_ziplist(
    reader: &mut Reader<'_>,
    limits: sorted_set::Limits,
) -> Read<SortedSet> {
    let pairs = ziplist(reader, ZSET_ZIPLIST)?;
    packed(pairs, |pairs| SortedSet::from_listpack(pairs, limits), ZSET_ZIPLIST)
}

pub(super) fn sorted_set_listpack(
    reader: &mut Reader<'_>,
    limits: sorted_set::Limits,
) -> Read<SortedSet> {
    let pairs = listpack(reader, ZSET_LISTPACK)?;
    packed(pairs, |pairs| SortedSet::from_listpack(pairs, limits), ZSET_LISTPACK)
}

/// An array, as [`write_array`](super::super::encode) lays it out.
pub(super) fn array(reader: &mut Reader<'_>, limits: &array::Limits) -> Read<Array> {
    let mut array = Array::default();
    let count = count(reader)?;
    array.seek(reader.length()?);
    let mut next = 0_u64;
    for _ in 0..count {
        let index = next.checked_add(reader.length()?).filter(|&index| index <= INDEX_MAX);
        let index = index.ok_or(ARRAY)?;
        array.set(index, &reader.string()?, limits);
        next = index + 1;
    }
    Ok(array)
}

pub(super) fn hash(reader: &mut Reader<'_>, limits: &hash::Limits) -> Read<Hash> {
    let count = count(reader)?;
    let mut hash = Hash::default();
    hash.expect(limits, usize::try_from(count).unwrap_or(usize::MAX));
    add_all(&mut hash, reader, count, field, |hash, field| add_field(hash, limits, &field))?;
    Ok(hash)
}

/// A field and its value.
fn field<'a>(reader: &mut Reader<'a>) -> Read<Element<'a, ()>> {
    Ok(Element { name: reader.string()?, value: reader.string()?, more: () })
}

fn add_field<T>(hash: &mut Hash, limits: &hash::Limits, field: &Element<'_, T>) -> Read<()> {
    if hash.set(limits, &field.name, &*field.value) { Ok(()) } else { Err(TWICE) }
}

/// Deadlines are differences from the earliest, which stands before all fields.
pub(super) fn hash_timed<'a>(reader: &mut Reader<'a>, limits: &hash::Limits) -> Read<Hash> {
    let earliest = time(reader)?;
    let count = count(reader)?;
    let mut hash = Hash::default();
    hash.expect(limits, usize::try_from(count).unwrap_or(usize::MAX));
    let read = |reader: &mut Reader<'a>| {
        let after = reader.length()?;
        Ok(Element { name: reader.string()?, value: reader.string()?, more: after })
    };
    add_all(&mut hash, reader, count, read, |hash, field| {
        add_field(hash, limits, &field)?;
        if let Some(after) = field.more.checked_sub(1) {
            let deadline = earliest.checked_add(after).filter(|at| FIELD_DEADLINES.contains(at));
            hash.set_deadline(&field.name, Some(deadline.ok_or(HASH_DEADLINE)?));
        }
        Ok(())
    })?;
    Ok(hash)
}

/// Each field with its deadline, or a negative number.
pub(super) fn hash_deadlines<'a>(reader: &mut Reader<'a>, limits: &hash::Limits) -> Read<Hash> {
    let count = count(reader)?;
    let mut hash = Hash::default();
    hash.expect(limits, usize::try_from(count).unwrap_or(usize::MAX));
    let read = |reader: &mut Reader<'a>| {
        let (name, value) = (reader.string()?, reader.string()?);
        // As a signed number, so that any negative one says that there is none.
        Ok(Element { name, value, more: time(reader)? as i64 })
    };
    add_all(&mut hash, reader, count, read, |hash, field| {
        add_field(hash, limits, &field)?;
        if let Ok(deadline) = u64::try_from(field.more) {
            if deadline == 0 {
                return Err(HASH_DEADLINE);
            }
            hash.set_deadline(&field.name, Some(deadline));
        }
        Ok(())
    })?;
    Ok(hash)
}

pub(super) fn hash_timed_listpack(reader: &mut Reader<'_>, limits: &hash::Limits) -> Read<Hash> {
    time(reader)?;
    let triples = listpack(reader, HASH_LISTPACK)?;
    packed(triples, |triples| Hash::from_timed_listpack(triples, limits), HASH_LISTPACK)
}

/// Unix time in milliseconds.
fn time(reader: &mut Reader<'_>) -> Read<u64> {
    let bytes = reader.take(8)?.try_into().expect("so many were taken");
    Ok(u64::from_le_bytes(bytes))
}

pub(super) fn hash_zipmap(reader: &mut Reader<'_>, limits: &hash::Limits) -> Read<Hash> {
    let mut hash = Hash::default();
    zipmap::for_each(&reader.string()?, |field, value| {
        if hash.set(limits, field, value) { Ok(()) } else { Err(TWICE) }
    })
    .map_err(|_| ZIPMAP)?;
    if hash.is_empty() { Err(ZIPMAP) } else { Ok(hash) }
}

pub(super) fn hash_ziplist(reader: &mut Reader<'_>, limits: &hash::Limits) -> Read<Hash> {
    let pairs = ziplist(reader, HASH_ZIPLIST)?;
    packed(pairs, |pairs| Hash::from_listpack(pairs, limits), HASH_ZIPLIST)
}

pub(super) fn hash_listpack(reader: &mut Reader<'_>, limits: &hash::Limits) -> Read<Hash> {
    let pairs = listpack(reader, HASH_LISTPACK)?;
    packed(pairs, |pairs| Hash::from_listpack(pairs, limits), HASH_LISTPACK)
}
