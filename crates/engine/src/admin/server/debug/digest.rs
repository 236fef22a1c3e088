//! `DEBUG DIGEST`, `DIGEST-VALUE`: equal data, equal digest.

use ::command::CommandError;
use store::{EntryRef, KeyHasher, ObjectRef, StringRef, ValueRef};

use crate::admin::AdminCx;

/// 160 bits, combined by addition so that the order of keys does not matter.
#[derive(Clone, Copy, Default)]
struct Digest([u64; 3]);

impl Digest {
    fn of(parts: &[&[u8]]) -> Self {
        let mut text = Vec::new();
        for part in parts {
            text.extend_from_slice(&(part.len() as u64).to_le_bytes());
            text.extend_from_slice(part);
        }
        Self([1, 2, 3].map(|seed| KeyHasher::new([seed, 0]).position(&text)))
    }

    fn add(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, word)| *sum = sum.wrapping_add(word));
    }

    fn hex(self) -> String {
        let [a, b, c] = self.0;
        format!("{a:016x}{b:016x}{:08x}", c >> 32)
    }
}

/// The value's contents, whatever its encoding.
fn value_digest(entry: EntryRef<'_>) -> Digest {
    match entry.value() {
        ValueRef::String(StringRef::Int(number)) => {
            Digest::of(&[b"string", number.to_string().as_bytes()])
        }
        ValueRef::String(StringRef::Inline { bytes, .. }) => Digest::of(&[b"string", bytes]),
        ValueRef::String(StringRef::Shared { bytes, .. }) => {
            Digest::of(&[b"string", bytes.as_slice()])
        }
        ValueRef::Object(object) => object_digest(object),
    }
}

/// Of the elements: in their order if it is a part of the value.
fn object_digest(object: ObjectRef<'_>) -> Digest {
    let (mut sum, mut index) = (Digest::of(&[object.type_name().as_bytes()]), 0u64);
    object.for_each(&mut |parts| {
        let number = index.to_le_bytes();
        let place: &[u8] = if object.is_ordered() { &number } else { &[] };
        let parts: Vec<&[u8]> = std::iter::once(place).chain(parts.iter().copied()).collect();
        sum.add(Digest::of(&parts));
        index += 1;
    });
    sum
}

pub(super) fn digest(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let mut sum = Digest::default();
    for db in 0..admin.engine.store.databases() {
        admin.cx.db.walk(db, |entry| {
            let value = value_digest(entry).hex();
            let expires = [u8::from(entry.deadline().is_some())];
            let db = (db as u64).to_le_bytes();
            sum.add(Digest::of(&[&db, entry.key(), value.as_bytes(), &expires]));
        });
    }
    admin.cx.reply.simple(&sum.hex());
    Ok(())
}

pub(super) fn digest_value(admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    let args = admin.cx.args;
    admin.cx.reply.array(args.len() - 2);
    for key in args.iter().skip(2) {
        let digest = admin.cx.db.peek(key).map(value_digest).unwrap_or_default();
        admin.cx.reply.simple(&digest.hex());
    }
    Ok(())
}
