//! Arrays: texts at indices, few or many of which are used.
//!
//! Indices are unsigned and of 64 bits; the greatest is 2^64-2. What walks over a range holds the
//! array by a reference and no lock while it does ([`held`]).

mod delete;
mod get;
mod grep;
mod info;
mod insert;
mod last_items;
mod op;
mod predicate;
mod scan;
mod set;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use collections::array::{Array, Digits, Element, INDEX_MAX, Limits};
use command::{ArgReader, Categories, CommandError, Cx, DataCommand, KeyFlags, KeySpec};
use command::{Flags, Group, Spec};
use config::Config;
use config::rows::{ARRAY_SLICE_SIZE, ARRAY_SPARSE_KMAX, ARRAY_SPARSE_KMIN};
use resp::Reply;
use stdx::num::parse_u64;
use store::{Event, EventClass};

use crate::string::value::{SHARED_REPLY_MIN, reply_part};

/// The commands of this family.
pub static COMMANDS: &[&DataCommand] = &[
    // By index.
    &set::ARSET,
    &set::ARMSET,
    &get::ARGET,
    &get::ARMGET,
    &delete::ARDEL,
    // Over a range.
    &get::ARGETRANGE,
    &scan::ARSCAN,
    &op::AROP,
    &grep::ARGREP,
    &delete::ARDELRANGE,
    // At the cursor.
    &insert::ARINSERT,
    &insert::ARRING,
    &insert::ARNEXT,
    &insert::ARSEEK,
    &last_items::ARLASTITEMS,
    // The array as a whole.
    &info::ARLEN,
    &info::ARCOUNT,
    &info::ARINFO,
];

/// Key specs of the commands that read.
const READ: &[KeySpec] = &[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS))];
/// Key specs of the commands that set elements or the cursor.
const UPDATE: &[KeySpec] = &[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))];
/// Key specs of the commands that remove elements.
const DELETE: &[KeySpec] = &[KeySpec::first(KeyFlags::RW.union(KeyFlags::DELETE))];

const BAD_INDEX: CommandError =
    CommandError::Request(std::borrow::Cow::Borrowed(b"ERR invalid array index"));
const INSERT_OVERFLOW: CommandError =
    CommandError::State(std::borrow::Cow::Borrowed(b"ERR insert index overflow"));

/// No reply has more positions than this, used or not.
const POSITIONS_MAX: u64 = 1_000_000;

/// The specification of a command of this family, which is as old as all the others.
const fn spec(
    name: &'static str,
    arity: i16,
    complexity: &'static str,
    summary: &'static str,
    flags: Flags,
) -> Spec {
    Spec::new(name, Group::Array, "8.8.0", arity, complexity, summary)
        .flags(flags)
        .acl(Categories::ARRAY)
}

/// An event of class `a`.
const fn event(name: &'static str) -> Event {
    Event { class: EventClass::Array, name }
}

/// The parameters that shape arrays.
pub(crate) fn limits(config: &Config) -> Limits {
    let elements = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
    Limits {
        slice_size: config.get(ARRAY_SLICE_SIZE).unsigned_abs(),
        sparse_max: elements(config.get(ARRAY_SPARSE_KMAX)),
        sparse_min: elements(config.get(ARRAY_SPARSE_KMIN)),
    }
}

/// The index that a word is.
///
/// # Errors
/// If it is none.
fn parse_index(word: &[u8]) -> Result<u64, CommandError> {
    parse_u64(word).filter(|&index| index <= INDEX_MAX).ok_or(BAD_INDEX)
}

/// Takes the next argument as an index.
fn index(reader: &mut ArgReader<'_>) -> u64 {
    parse_index(reader.bytes()).unwrap_or_else(|error| {
        reader.fail(error);
        0
    })
}

/// A range of indices as a client gives it.
#[derive(Clone, Copy, Debug)]
struct Span {
    low: u64,
    high: u64,
    /// The first index given is the greater one: results come in descending order.
    backwards: bool,
}

impl Span {
    /// From one index to another.
    const fn new(start: u64, end: u64) -> Self {
        if start > end {
            Self { low: end, high: start, backwards: true }
        } else {
            Self { low: start, high: end, backwards: false }
        }
    }

    /// Takes two arguments as a range.
    fn read(reader: &mut ArgReader<'_>) -> Self {
        let start = index(reader);
        Self::new(start, index(reader))
    }

    const fn range(self) -> RangeInclusive<u64> {
        self.low..=self.high
    }
}

/// The array of a key, held by a reference, if there is such a key; the locks are given back.
fn held(cx: &mut Cx<'_>, key: &[u8]) -> Result<Option<Array>, CommandError> {
    let array = cx.db.get::<Array>(key)?.cloned();
    cx.db.release();
    Ok(array)
}

/// Replies with an element; a long one is shared, not copied.
fn reply_element(reply: &mut Reply, element: Element<'_>, digits: &mut Digits) {
    match element {
        Element::Integer(number) => reply.bulk_int(number),
        Element::Text(text) if text.len() >= SHARED_REPLY_MIN => {
            reply_part(reply, text, 0, text.len());
        }
        element => reply.bulk(element.text(digits)),
    }
}

/// Replies with an element, or null.
fn reply_position(reply: &mut Reply, element: Option<Element<'_>>, digits: &mut Digits) {
    match element {
        Some(element) => reply_element(reply, element, digits),
        None => reply.null(),
    }
}

/// Replies with an index or a number of elements: as a text where no signed integer can say it.
fn reply_unsigned(reply: &mut Reply, number: u64) {
    match i64::try_from(number) {
        Ok(number) => reply.integer(number),
        Err(_) => reply.bulk(itoa::Buffer::new().format(number).as_bytes()),
    }
}
