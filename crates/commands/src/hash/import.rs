//! The part of `HIMPORT SET` that touches the key; what it imports belongs to the session, so the
//! command itself is the engine's.
//!
//! The new hash replaces the old one as a whole, deadlines included. Replicas have no session to
//! look field names up in: they are sent the value, as `RESTORE` takes it.

use collections::entry::Object;
use collections::hash::Hash;
use command::{CommandError, Cx};
use format::dump;
use store::{Deadline, Interest, NewValue, ValueRef};

use super::{SET, limits};
use crate::keys::payload_options;

/// Replaces the hash of a key, if there is one, by one of these `count` fields, whose names differ.
///
/// # Errors
/// If the key holds another type.
pub fn replace<'f>(
    cx: &mut Cx<'_>,
    key: &[u8],
    count: usize,
    fields: impl Iterator<Item = (&'f [u8], &'f [u8])>,
) -> Result<(), CommandError> {
    cx.db.edit(key).get::<Hash>()?;
    let limits = limits(cx);
    let mut hash = Hash::default();
    hash.expect(&limits, count);
    for (name, value) in fields {
        hash.set(&limits, name, value);
    }
    let hash = Object::from(hash);
    if cx.db.effects.interest.wants(Interest::LOG) {
        let payload = dump::write(ValueRef::Object(hash.as_ref()), payload_options(cx));
        cx.log(&[b"RESTORE", key, b"0", &payload, b"REPLACE"]);
    }
    cx.db.edit(key).set(NewValue::Object(hash), Deadline::Clear, SET);
    Ok(())
}
