//! Compares payloads of `DUMP`: two servers may pack one value in different ways.

use collections::entry::ObjectRef;
use format::dump::{self, Checksum};
use format::rdb::{Decoded, Limits, ObjectType, Version};

/// Where a compressed string begins, directly behind the type.
const COMPRESSED: u8 = 0xc3;
/// Bytes of version and checksum.
const FOOTER_BYTES: usize = 10;

/// Types whose body is one string, which both servers write alike unless they compress it.
const ONE_BLOCK: [ObjectType; 3] =
    [ObjectType::String, ObjectType::SetIntset, ObjectType::HashListpack];

/// Whether both are payloads of the same value.
pub fn agree(subject: &[u8], reference: &[u8]) -> bool {
    let is_plain = |payload: &[u8]| {
        let of_number = |number| ObjectType::from_number(number, Version::READABLE_MAX);
        let kind = payload.first().copied().and_then(of_number);
        kind.is_some_and(|kind| ONE_BLOCK.contains(&kind)) && payload.get(1) != Some(&COMPRESSED)
    };
    if is_plain(subject) && is_plain(reference) {
        return body(subject) == body(reference);
    }
    match (content(subject), content(reference)) {
        (Some(subject), Some(reference)) => subject == reference,
        _ => false,
    }
}

/// A payload without its footer: the version is the server's affair.
fn body(payload: &[u8]) -> Option<&[u8]> {
    payload.get(..payload.len().checked_sub(FOOTER_BYTES)?)
}

/// The type of a value and its elements; none if it is damaged.
fn content(payload: &[u8]) -> Option<Vec<Vec<Vec<u8>>>> {
    let limits = Limits::defaults(0);
    let object = match dump::read(payload, Checksum::Verified, &limits).ok()? {
        Decoded::String(text) => return Some(vec![vec![text.into_owned()]]),
        Decoded::Object(object) => object,
    };
    Some(elements(object.as_ref()))
}

fn elements(object: ObjectRef<'_>) -> Vec<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    object.for_each(&mut |parts| {
        let mut element: Vec<Vec<u8>> = parts.iter().map(|part| part.to_vec()).collect();
        // A field's deadline: one that was set relative to the present is a little apart.
        if let Some(deadline) = element.get_mut(2) {
            deadline.clear();
        }
        all.push(element);
    });
    if !object.is_ordered() {
        all.sort();
    }
    all.push(vec![object.type_name().into()]);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_set_in_another_order_agrees_and_other_sets_do_not() {
        let set =
            |members: &[u8], checksum: u64| [members, &[10, 0], &checksum.to_le_bytes()].concat();
        let sealed = |members: &[u8]| {
            let checked = [members, &[10, 0]].concat();
            set(members, stdx::crc::crc64(0, &checked))
        };
        let ab = sealed(b"\x02\x02\x01a\x01b");
        assert!(agree(&ab, &sealed(b"\x02\x02\x01b\x01a")));
        assert!(!agree(&ab, &sealed(b"\x02\x02\x01b\x01c")));
        assert!(!agree(&ab, &set(b"\x02\x02\x01a\x01b", 0)), "a checksum counts");
        let text = sealed(b"\x00\x01a");
        assert!(agree(&text, &text) && !agree(&text, &sealed(b"\x00\x01b")));
    }
}
