//! Payloads of `RESTORE`: refused, or a value of which everything can be read, which can be
//! written and read again, and which changes like any other.
//!
//! The footer is not looked at, so that the fuzzer gets to the value; the bytes begin with its
//! type.
#![no_main]

use std::ops::ControlFlow;

use collections::array::{self, INDEX_MAX};
use collections::entry::{Object, ObjectRef, StringRef, ValueRef};
use collections::list::End;
use collections::stream::{Id, Stream};
use collections::{hash, list, set, sorted_set};
use format::dump::{self, Checksum};
use format::rdb::{Decoded, Limits, Options, Version};
use libfuzzer_sys::fuzz_target;

fn limits() -> Limits {
    // Small ones, so that all forms come up.
    Limits {
        list: list::Limits { max_listpack_size: 8, compress_depth: 1 },
        set: set::Limits { intset_entries: 8, listpack_entries: 8, listpack_value: 16, seed: 1 },
        hash: hash::Limits { listpack_entries: 8, listpack_value: 16, seed: 1 },
        sorted_set: sorted_set::Limits { entries_max: 8, member_bytes_max: 16, seed: 1 },
        array: array::Limits { slice_size: 64, sparse_max: 4, sparse_min: 2 },
    }
}

fn elements(object: ObjectRef<'_>) -> Vec<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    object.for_each(&mut |parts| all.push(parts.iter().map(|part| part.to_vec()).collect()));
    if !object.is_ordered() {
        all.sort();
    }
    all
}

/// What only this type can do.
fn use_all_of(object: &mut Object) {
    let limits = limits();
    match object {
        Object::List(list) => {
            let len = list.len();
            let _ = list.visit::<()>(len - 1, End::Back, &mut |_| ControlFlow::Continue(()));
            list.insert(len / 2, End::Back, b"new", limits.list);
            list.set(0, b"other", limits.list);
            list.remove_equal(b"new", End::Front, 1, limits.list);
            while list.pop(End::Front, limits.list, |_| ()).is_some() {}
            assert!(list.is_empty());
        }
        Object::Set(set) => {
            let members: Vec<Vec<u8>> =
                elements(ObjectRef::Set(set)).into_iter().flatten().collect();
            set.add(&limits.set, b"one more");
            for member in members {
                assert!(set.contains(&member) && !set.add(&limits.set, &member));
                assert!(set.remove(&member));
            }
        }
        Object::Hash(hash) => {
            for pair in elements(ObjectRef::Hash(hash)) {
                assert!(hash.find(&pair[0]).is_some());
                assert!(!hash.set(&limits.hash, &pair[0], &b"other"[..]));
                assert!(hash.remove(&pair[0]));
            }
            assert!(hash.is_empty());
        }
        Object::SortedSet(set) => {
            let mut before = f64::NEG_INFINITY;
            for element in set.range(0..set.len()) {
                assert!(element.score >= before);
                before = element.score;
            }
            for pair in elements(ObjectRef::SortedSet(set)) {
                let (_, score) = set.rank(&pair[0]).expect("it was listed");
                set.insert(&pair[0], score / 2.0 + 1.0, limits.sorted_set);
                assert!(set.remove(&pair[0]).is_some());
            }
            assert!(set.is_empty());
        }
        Object::Stream(stream) => use_stream(stream),
        Object::Array(array) => {
            let mut indices = Vec::new();
            array.visit(0..=INDEX_MAX, false, |index, _| {
                indices.push(index);
                None::<()>
            });
            assert_eq!(indices.len() as u64, array.count());
            for index in indices {
                array.set(index, b"other", &limits.array);
                assert!(array.remove(index, &limits.array));
            }
            assert!(array.is_empty());
        }
    }
}

fn use_stream(stream: &mut Stream) {
    let log = stream.log();
    let forth: Vec<Id> = log.range(Id::MIN, Id::MAX).map(|entry| entry.id).collect();
    let mut back: Vec<Id> = log.range_back(Id::MIN, Id::MAX).map(|entry| entry.id).collect();
    back.reverse();
    assert_eq!(forth, back);
    assert_eq!(log.len(), forth.len() as u64);
    for (_, group) in stream.groups() {
        let _ = group.lag(log);
        let of_consumers: usize = group.consumers().map(|consumer| consumer.pending_len()).sum();
        assert_eq!(of_consumers + group.released_len(), group.pending_len());
    }
    if let Some(next) = stream.log().last_id().next() {
        let limits = collections::stream::Limits::default();
        stream.append(next, [(&b"f"[..], &b"v"[..])].into_iter(), limits).expect("above the last");
    }
    forth.iter().for_each(|id| assert!(stream.delete(*id)));
}

fuzz_target!(|bytes: &[u8]| {
    let payload = [bytes, &Version::V10.0.to_le_bytes(), &[0; 8]].concat();
    let Ok(decoded) = dump::read(&payload, Checksum::Ignored, &limits()) else { return };
    for version in [Version::V10, Version::V11] {
        let options = Options { version, compress: bytes.len() % 2 == 0 };
        let written = match &decoded {
            Decoded::String(text) => {
                let text = StringRef::Inline { bytes: text, raw: false };
                dump::write(ValueRef::String(text), options)
            }
            Decoded::Object(object) => dump::write(ValueRef::Object(object.as_ref()), options),
        };
        let again = dump::read(&written, Checksum::Verified, &limits()).expect("it was written");
        match (&decoded, &again) {
            (Decoded::String(a), Decoded::String(b)) => assert_eq!(a, b),
            (Decoded::Object(a), Decoded::Object(b)) => {
                assert_eq!(elements(a.as_ref()), elements(b.as_ref()));
            }
            _ => panic!("a value of another type"),
        }
    }
    if let Decoded::Object(mut object) = decoded {
        let frozen = object.clone();
        let before = elements(frozen.as_ref());
        use_all_of(&mut object);
        assert_eq!(elements(frozen.as_ref()), before);
    }
});
