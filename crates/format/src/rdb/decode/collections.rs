//! Lists, sets, sorted sets and hashes, in every form they ever had.

use collections::hash::{self, Hash};
use collections::intset::Intset;
use collections::list::{self, List, Loader};
use collections::listpack::Listpack;
use collections::set::{self, Set};
use collections::sorted_set::{self, SortedSet};

use super::super::encode::{PACKED_NODE, PLAIN_NODE};
use super::super::reader::Reader;
use super::super::{ziplist, zipmap};
use super::DecodeError;

const TWICE: DecodeError = DecodeError::Corrupt("an element is there twice");

type Read<T> = Result<T, DecodeError>;

/// A listpack, as such.
pub(super) fn listpack(reader: &mut Reader<'_>) -> Read<Listpack> {
    Ok(Listpack::from_untrusted(&reader.string()?)?)
}

/// A listpack of some elements.
fn elements(packed: Listpack) -> Read<Listpack> {
    if packed.is_empty() { Err(DecodeError::Empty) } else { Ok(packed) }
}

/// A ziplist, turned into a listpack.
pub(super) fn ziplist(reader: &mut Reader<'_>) -> Read<Listpack> {
    ziplist::to_listpack(&reader.string()?)
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
    list.packed(ziplist(reader)?);
    finished(list, limits)
}

pub(super) fn list_quicklist(reader: &mut Reader<'_>, limits: list::Limits) -> Read<List> {
    let mut list = Loader::default();
    for _ in 0..reader.length()? {
        list.packed(ziplist(reader)?);
    }
    finished(list, limits)
}

pub(super) fn list_quicklist_2(reader: &mut Reader<'_>, limits: list::Limits) -> Read<List> {
    let mut list = Loader::default();
    for _ in 0..reader.length()? {
        match reader.length()? {
            PLAIN_NODE => list.plain(&reader.string()?),
            PACKED_NODE => list.packed(listpack(reader)?),
            _ => return Err(DecodeError::Corrupt("a node of a list is of no known kind")),
        }
    }
    finished(list, limits)
}

pub(super) fn set(reader: &mut Reader<'_>, limits: &set::Limits) -> Read<Set> {
    let count = count(reader)?;
    let mut set = Set::default();
    for index in 0..count {
        let member = reader.string()?;
        if index == 0 {
            set.expect(limits, &member, usize::try_from(count).unwrap_or(usize::MAX));
        }
        if !set.add(limits, &member) {
            return Err(TWICE);
        }
    }
    Ok(set)
}

pub(super) fn set_intset(reader: &mut Reader<'_>, limits: &set::Limits) -> Read<Set> {
    let intset = Intset::from_untrusted(&reader.string()?)?;
    if intset.is_empty() { Err(DecodeError::Empty) } else { Ok(Set::from_intset(intset, limits)?) }
}

pub(super) fn set_listpack(reader: &mut Reader<'_>, limits: &set::Limits) -> Read<Set> {
    Ok(Set::from_listpack(elements(listpack(reader)?)?, limits)?)
}

/// Members with scores, in any order; `score` reads one.
pub(super) fn sorted_set<'a>(
    reader: &mut Reader<'a>,
    limits: sorted_set::Limits,
    score: fn(&mut Reader<'a>) -> Read<f64>,
) -> Read<SortedSet> {
    let mut set = SortedSet::default();
    for _ in 0..count(reader)? {
        let member = reader.string()?;
        if set.insert(&member, score(reader)?, limits).is_some() {
            return Err(TWICE);
        }
    }
    Ok(set)
}

/// Members and scores by turns.
pub(super) fn sorted_set_packed(packed: Listpack, limits: sorted_set::Limits) -> Read<SortedSet> {
    Ok(SortedSet::from_listpack(elements(packed)?, limits)?)
}

pub(super) fn hash(reader: &mut Reader<'_>, limits: &hash::Limits) -> Read<Hash> {
    let count = count(reader)?;
    let mut hash = Hash::default();
    hash.expect(limits, usize::try_from(count).unwrap_or(usize::MAX));
    for _ in 0..count {
        let (field, value) = (reader.string()?, reader.string()?);
        if !hash.set(limits, &field, &*value) {
            return Err(TWICE);
        }
    }
    Ok(hash)
}

pub(super) fn hash_zipmap(reader: &mut Reader<'_>, limits: &hash::Limits) -> Read<Hash> {
    let mut hash = Hash::default();
    zipmap::for_each(&reader.string()?, |field, value| {
        if hash.set(limits, field, value) { Ok(()) } else { Err(TWICE) }
    })?;
    if hash.is_empty() { Err(DecodeError::Empty) } else { Ok(hash) }
}

/// Fields and values by turns.
pub(super) fn hash_packed(packed: Listpack, limits: &hash::Limits) -> Read<Hash> {
    Ok(Hash::from_listpack(elements(packed)?, limits)?)
}
