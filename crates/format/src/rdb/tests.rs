//! Values against the bytes that other servers wrote, against old forms written by hand, and there
//! and back again.

use collections::entry::{Object, ObjectRef, StringRef, ValueRef};
use collections::{hash, list};
use stdx::rng::Rng;

use super::encode;
use super::*;
use crate::dump::{self, Checksum, DumpError};

mod damage;
mod golden;
mod old_forms;
mod round_trip;

fn limits() -> Limits {
    Limits::defaults(1)
}

const PLAIN: Options = Options { version: Version::V10, compress: false };

fn read(payload: &[u8]) -> Result<Decoded<'_>, DumpError> {
    dump::read(payload, Checksum::Verified, &limits())
}

/// A value with footer, of its type and body.
fn payload(kind: ObjectType, body: &[u8]) -> Vec<u8> {
    let mut payload = vec![kind as u8];
    payload.extend_from_slice(body);
    payload.extend_from_slice(&Version::V10.0.to_le_bytes());
    let checksum = stdx::crc::crc64(0, &payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}

fn write(decoded: &Decoded<'_>, options: Options) -> Vec<u8> {
    match decoded {
        Decoded::Object(object) => dump::write(ValueRef::Object(object.as_ref()), options),
        Decoded::String(text) => {
            let text = StringRef::Inline { bytes: text, raw: false };
            dump::write(ValueRef::String(text), options)
        }
    }
}

/// All that is in a value, in its order, with its type and encoding in front. Streams show their
/// groups too.
fn shown(decoded: &Decoded<'_>) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let object = match decoded {
        Decoded::String(string) => return vec!["string".to_owned(), text(string)],
        Decoded::Object(object) => object.as_ref(),
    };
    let mut shown = vec![format!("{} {}", object.type_name(), object.encoding())];
    object.for_each(&mut |parts| {
        shown.push(parts.iter().map(|part| text(part)).collect::<Vec<_>>().join("="));
    });
    if let ObjectRef::Stream(stream) = object {
        let log = stream.log();
        shown.push(format!(
            "len {} first {} last {} deleted {} added {}",
            log.len(),
            log.first_id(),
            log.last_id(),
            log.max_deleted_id(),
            log.entries_added()
        ));
        if let Some(known) = stream.producers() {
            let (terms, counts) = (known.retention(), (known.added(), known.duplicates()));
            shown.push(format!("producers {terms:?} {counts:?}"));
            shown.extend(known.iter().map(|(producer, idempotent, id)| {
                format!("{} {} {id}", text(producer), text(idempotent))
            }));
        }
        for (name, group) in stream.groups() {
            let read = group.entries_read;
            shown.push(format!("group {} at {} read {read:?}", text(name), group.last_id));
            shown.extend(group.pending_from(collections::stream::Id::MIN).map(|(id, pending)| {
                let holder = pending.consumer.map_or("nobody".to_owned(), |consumer| {
                    text(group.consumer(consumer).expect("it is a consumer's").name())
                });
                format!("{id} {holder} {}", pending.deliveries)
            }));
        }
    }
    shown
}
