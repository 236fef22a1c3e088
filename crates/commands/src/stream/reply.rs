//! How entries and ids are shown in replies.

use collections::stream::{Entry, Id, Log};
use resp::Length;
use resp::Reply;

use super::id::Text;

/// An id.
pub(super) fn id(reply: &mut Reply, id: Id) {
    reply.bulk(Text::of(id).as_bytes());
}

/// An entry: its id, and its fields and values in one array.
pub(super) fn entry(reply: &mut Reply, entry: Entry<'_>) {
    reply.array(2);
    parts(reply, entry);
}

fn parts(reply: &mut Reply, entry: Entry<'_>) {
    id(reply, entry.id);
    reply.array(entry.fields.len() * 2);
    for (name, value) in entry.fields {
        reply.bulk(name);
        reply.bulk(value);
    }
}

/// An entry that was claimed, or only its id.
pub(super) fn claimed(reply: &mut Reply, claimed: Entry<'_>, just_id: bool) {
    if just_id {
        id(reply, claimed.id);
    } else {
        entry(reply, claimed);
    }
}

/// An entry with how long it had been idle, in milliseconds, and how often it was delivered before.
pub(super) fn entry_with_past(reply: &mut Reply, entry: Entry<'_>, idle: u64, deliveries: u64) {
    reply.array(4);
    parts(reply, entry);
    count(reply, idle);
    count(reply, deliveries);
}

/// An entry that is gone: its id and nothing.
pub(super) fn gone(reply: &mut Reply, gone: Id) {
    reply.array(2);
    id(reply, gone);
    reply.null_array();
}

/// An array of entries; returns how many.
pub(super) fn entries<'a>(reply: &mut Reply, entries: impl Iterator<Item = Entry<'a>>) -> usize {
    let mark = reply.begin_deferred();
    let mut len = 0;
    for each in entries {
        entry(reply, each);
        len += 1;
    }
    reply.end_deferred(mark, Length::Array, len);
    len
}

/// An entry, or null if there is none.
pub(super) fn entry_or_null(reply: &mut Reply, found: Option<Entry<'_>>) {
    match found {
        Some(found) => entry(reply, found),
        None => reply.null(),
    }
}

/// A count as an integer.
pub(super) fn count(reply: &mut Reply, count: u64) {
    reply.integer(i64::try_from(count).unwrap_or(i64::MAX));
}

/// Entries up to which a reply is written under the key's lock.
const SHORT_MAX: usize = 256;

/// Whether showing up to `count` entries of `log` may take so long that the locks should be given
/// back before: the reader then works on a clone.
pub(super) fn is_long(log: &Log, count: usize) -> bool {
    log.len().min(count as u64) > SHORT_MAX as u64
}
