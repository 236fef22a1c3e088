//! Tests of the entry: every form against a plain model, in place and moved.

use super::*;
use crate::list::{End, Limits, List};

fn text(entry: &Entry) -> (Vec<u8>, bool) {
    match string(entry) {
        StringRef::Int(number) => (number.to_string().into_bytes(), false),
        StringRef::Inline { bytes, raw } => (bytes.to_vec(), raw),
        StringRef::Shared { bytes, raw } => (bytes.as_slice().to_vec(), raw),
    }
}

fn string(entry: &Entry) -> StringRef<'_> {
    let ValueRef::String(string) = entry.value() else { panic!("not a string") };
    string
}

#[test]
fn collections_live_in_the_word_and_are_shared_until_changed() {
    let limits = Limits::default();
    let mut list = List::default();
    list.push(End::Back, b"7", limits);
    let held = list.clone();
    let mut entry = Entry::new(b"k", NewValue::Object(list.into()), None);
    let copy = Entry::new(b"copy", entry.value().to_new(), Some(3));
    entry.set_deadline(Some(5));
    entry.object_mut::<List>().expect("it is a list").push(End::Back, b"8", limits);
    let ValueRef::Object(object) = entry.value() else { panic!("not an object") };
    assert_eq!((object.type_name(), object.encoding()), ("list", "listpack"));
    let mut parts = Vec::new();
    object.for_each(&mut |part| parts.push(part.concat()));
    assert_eq!(parts, [b"7", b"8"]);
    assert_eq!((entry.key(), entry.deadline()), (&b"k"[..], Some(5)));
    assert_eq!(copy.view().object::<List>().expect("its copy too").len(), 1);
    assert!(Entry::new(b"k", NewValue::Int(1), None).object_mut::<List>().is_none());
    assert!(Entry::new(b"k", NewValue::Bytes(b"1"), None).object_mut::<List>().is_none());
    drop((entry, copy));
    assert_eq!(held.len(), 1);
}

#[test]
fn the_budgeted_entry_is_32_bytes() {
    let entry = Entry::new(b"key:0000001", NewValue::Bytes(&[b'x'; 16]), None);
    assert_eq!(entry.allocated_bytes(), 32);
    let expiring = Entry::new(b"key:0000001", NewValue::Bytes(&[b'x'; 16]), Some(1));
    assert_eq!(expiring.allocated_bytes(), 48);
    assert_eq!(Entry::new(b"key:0000001", NewValue::Int(7), None).allocated_bytes(), 32);
}

#[test]
fn every_form_reads_back_what_was_written() {
    for key_len in [0, 1, 11, 63, 64, 300] {
        for value_len in [0, 1, 16, 127, 128, 5000] {
            for deadline in [None, Some(u64::MAX - 1)] {
                let (key, value) = (vec![b'k'; key_len], vec![b'v'; value_len]);
                let mut entry = Entry::new(&key, NewValue::Bytes(&value), deadline);
                entry.set_clock(0xabcdef);
                assert_eq!(entry.key(), key);
                assert_eq!(text(&entry), (value, false));
                assert_eq!((entry.deadline(), entry.clock()), (deadline, 0xabcdef));
                for other in [Some(5), None, None, Some(6), Some(7)] {
                    entry.set_deadline(other);
                    assert_eq!((entry.deadline(), entry.clock()), (other, 0xabcdef));
                    assert_eq!((entry.key(), text(&entry).0.len()), (&key[..], value_len));
                }
            }
        }
    }
}

#[test]
fn equal_size_classes_are_overwritten_in_place() {
    let mut entry = Entry::new(b"key:0000001", NewValue::Bytes(&[b'x'; 16]), None);
    let at = entry.start;
    assert!(entry.set_value(NewValue::RawBytes(b"0123456"), None).is_none());
    assert_eq!((entry.start, text(&entry)), (at, (b"0123456".to_vec(), true)));
    assert!(entry.set_value(NewValue::Bytes(&[b'y'; 17]), None).is_some());
    assert_eq!(text(&entry).0, [b'y'; 17]);
    let old = entry.set_value(NewValue::Int(-5), Some(9)).expect("another form moves");
    assert_eq!(text(&old).0, [b'y'; 17]);
    let at = entry.start;
    assert!(entry.set_value(NewValue::Int(i64::MIN), Some(10)).is_none());
    assert_eq!((entry.start, string(&entry)), (at, StringRef::Int(i64::MIN)));
    assert_eq!(entry.deadline(), Some(10));
}

#[test]
fn editing_grows_with_zeros_through_all_forms() {
    for key_len in [3, 80] {
        let key = vec![b'k'; key_len];
        let mut entry = Entry::new(&key, NewValue::Int(i64::MIN), Some(3));
        let mut model = i64::MIN.to_string().into_bytes();
        for len in [0, 20, 21, 40, 127, 128, 1000, 10] {
            entry.set_clock(len as u32);
            let bytes = entry.bytes_mut(len);
            model.resize(model.len().max(len), 0);
            assert_eq!(bytes, model);
            bytes[len / 2] = b'!';
            model[len / 2] = b'!';
            assert_eq!(text(&entry), (model.clone(), true));
            assert_eq!((entry.key(), entry.deadline()), (&key[..], Some(3)));
            assert_eq!(entry.clock(), len as u32);
        }
    }
}

#[test]
fn a_shared_value_is_frozen_for_its_other_holders() {
    let mut entry = Entry::new(b"k", NewValue::Bytes(&[7; 200]), None);
    let StringRef::Shared { bytes, .. } = string(&entry) else { panic!("200 are not inline") };
    let frozen = bytes.clone();
    let copy = Entry::new(b"copy", entry.value().to_new(), None);
    entry.bytes_mut(0)[0] = 1;
    assert_eq!(frozen.as_slice(), [7; 200]);
    assert_eq!(text(&copy).0, [7; 200]);
    assert_eq!(text(&entry).0[0], 1);
    let short = NewValue::Shared { bytes: SharedBytes::from(&b"ab"[..]), raw: true };
    let short = Entry::new(b"k", short, None);
    assert!(matches!(string(&short), StringRef::Inline { raw: true, .. }));
}
