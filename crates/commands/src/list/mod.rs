//! Lists: one table of commands, a file for each or for true siblings.
//!
//! What they share is here: which end a word names, the parameters that shape a list, positions as
//! clients count them, and how an element becomes a reply.

mod blocking;
mod lindex;
mod linsert;
mod lmove;
mod lmovem;
mod lmpop;
mod lpos;
mod lrange;
mod lrem;
mod lset;
mod ltrim;
mod pop;
mod push;

use std::ops::{ControlFlow, Range};

use collections::list::{End, Limits, List, Removed};
use collections::listpack::Item;
use command::{Arg, ArgReader, CommandError, DataCommand};
use config::Config;
use config::rows::{LIST_COMPRESS_DEPTH, LIST_MAX_LISTPACK_SIZE};
use resp::Reply;
use store::{Event, EventClass};

/// The commands of this family.
pub static COMMANDS: &[&DataCommand] = &[
    &blocking::BLMOVE,
    &blocking::BLMOVEM,
    &blocking::BLMPOP,
    &blocking::BLPOP,
    &blocking::BRPOP,
    &blocking::BRPOPLPUSH,
    &lindex::LINDEX,
    &linsert::LINSERT,
    &lindex::LLEN,
    &lmove::LMOVE,
    &lmovem::LMOVEM,
    &lmpop::LMPOP,
    &pop::LPOP,
    &lpos::LPOS,
    &push::LPUSH,
    &push::LPUSHX,
    &lrange::LRANGE,
    &lrem::LREM,
    &lset::LSET,
    &ltrim::LTRIM,
    &pop::RPOP,
    &lmove::RPOPLPUSH,
    &push::RPUSH,
    &push::RPUSHX,
];

/// The words for the two ends, as documented arguments.
const ENDS: &[Arg] = &[Arg::word("left", "LEFT"), Arg::word("right", "RIGHT")];

/// An event of class `l`.
const fn event(name: &'static str) -> Event {
    Event { class: EventClass::List, name }
}

/// The event of adding elements at an end.
const fn pushed(end: End) -> Event {
    match end {
        End::Front => event("lpush"),
        End::Back => event("rpush"),
    }
}

/// The event of removing elements from an end.
const fn popped(end: End) -> Event {
    match end {
        End::Front => event("lpop"),
        End::Back => event("rpop"),
    }
}

/// Takes the word `LEFT` or `RIGHT`; a syntax error if it is neither.
fn end(reader: &mut ArgReader<'_>) -> End {
    if reader.token("LEFT") {
        return End::Front;
    }
    if !reader.token("RIGHT") {
        reader.fail(CommandError::SYNTAX);
    }
    End::Back
}

/// The parameters that shape lists.
pub(crate) fn limits(config: &Config) -> Limits {
    let depth = config.get(LIST_COMPRESS_DEPTH);
    Limits {
        max_listpack_size: config.get(LIST_MAX_LISTPACK_SIZE),
        compress_depth: u32::try_from(depth).unwrap_or(u32::MAX),
    }
}

/// The element that a client's index means, counted from the end if negative; none if it is
/// outside of a list of `len` elements.
fn position(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add(i64::try_from(len).ok()?)? } else { index };
    usize::try_from(index).ok().filter(|&index| index < len)
}

/// The elements from `start` to `stop`, both included and counted from the end if negative, that a
/// list of `len` elements has. Empty at 0 if there are none.
fn clamp(start: i64, stop: i64, len: usize) -> Range<usize> {
    let absolute = |index: i64| match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => len.checked_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let start = absolute(start).unwrap_or(0);
    // Before the first element there is nothing; behind the last one the list ends.
    let end = absolute(stop).map_or(0, |stop| stop.saturating_add(1).min(len));
    if start < end { start..end } else { 0..0 }
}

/// Replies with an element.
#[inline]
fn reply_item(reply: &mut Reply, item: Item<'_>) {
    match item {
        Item::Int(value) => reply.bulk_int(value),
        Item::Bytes(text) => reply.bulk(text),
    }
}

/// Replies with `count` elements, all of them there, from the one with the number `from` on towards
/// the end opposite to `start`.
fn reply_items(reply: &mut Reply, list: &List, from: usize, start: End, count: usize) {
    reply.array(count);
    if count == 0 {
        return;
    }
    let mut left = count;
    let _ = list.visit::<()>(from, start, &mut |item| {
        reply_item(reply, item);
        left -= 1;
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
}

/// Replies with the outer `count` elements of an end, all of them there, from outside to inside,
/// and removes them; returns what is left to free.
fn reply_popped(
    reply: &mut Reply,
    list: &mut List,
    end: End,
    count: usize,
    limits: Limits,
) -> Removed {
    let len = list.len();
    let (from, first) = match end {
        End::Front => (0, 0),
        End::Back => (len - 1, len - count),
    };
    reply_items(reply, list, from, end, count);
    list.remove_range(first, count, limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_count_from_both_ends() {
        assert_eq!(position(0, 3), Some(0));
        assert_eq!(position(-1, 3), Some(2));
        assert_eq!(position(-3, 3), Some(0));
        for index in [3, -4, i64::MIN, i64::MAX] {
            assert_eq!(position(index, 3), None);
        }
    }

    #[test]
    fn ranges_are_cut_to_what_is_there() {
        assert_eq!(clamp(0, -1, 3), 0..3);
        assert_eq!(clamp(-2, 10, 3), 1..3);
        assert_eq!(clamp(-100, 1, 3), 0..2);
        assert_eq!(clamp(i64::MIN, i64::MAX, 3), 0..3);
        for (start, stop) in [(2, 1), (3, 5), (0, -4), (5, i64::MIN), (-1, -2)] {
            assert_eq!(clamp(start, stop, 3), 0..0, "{start} {stop}");
        }
        assert_eq!(clamp(0, -1, 0), 0..0);
    }
}
