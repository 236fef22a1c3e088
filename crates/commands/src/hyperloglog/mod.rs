//! HyperLogLogs: how many distinct elements, nearly.
//!
//! A sketch is a string whose bytes `collections::hyperloglog` understands. Strings come from
//! clients, so every command here checks what it is given.

mod pfadd;
mod pfcount;
mod pfdebug;
mod pfmerge;
mod pfselftest;

use collections::hyperloglog::{Corrupted, Sketch, View};
use command::{CommandError, DataCommand};
use store::{EntryRef, Event, NewValue, StringRef, ValueRef};

use crate::string::value;

/// The commands of this family.
pub static COMMANDS: &[&DataCommand] = &[
    &pfadd::PFADD,
    &pfcount::PFCOUNT,
    &pfdebug::PFDEBUG,
    &pfmerge::PFMERGE,
    &pfselftest::PFSELFTEST,
];

/// What is said of every change to a sketch: a merge adds elements too.
const ADDED: Event = Event::string("pfadd");

/// The sketch of an entry.
///
/// # Errors
/// If the key holds another type, or a string that is no sketch.
fn view(entry: EntryRef<'_>) -> Result<View<'_>, CommandError> {
    let view = match value::string(entry)? {
        StringRef::Int(_) => None,
        StringRef::Inline { bytes, .. } => View::new(bytes),
        StringRef::Shared { bytes, .. } => View::new(bytes.as_slice()),
    };
    view.ok_or_else(|| {
        CommandError::state("WRONGTYPE Key is not a valid HyperLogLog string value.")
    })
}

/// What is said of a sketch whose header is right and whose registers are not.
fn corrupted(_: Corrupted) -> CommandError {
    CommandError::state("INVALIDOBJ Corrupted HLL object detected")
}

/// A sketch on its way into an entry.
fn stored(sketch: Sketch) -> NewValue<'static> {
    NewValue::Shared { bytes: sketch.into_bytes(), raw: true }
}

/// Whether a string is marked as edited in place, as those are that a command of this family has
/// looked at.
fn is_raw(entry: EntryRef<'_>) -> bool {
    matches!(
        entry.value(),
        ValueRef::String(StringRef::Inline { raw: true, .. } | StringRef::Shared { raw: true, .. })
    )
}
