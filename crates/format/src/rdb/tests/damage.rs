//! Damaged payloads: refused, or whole values all the same.

use super::*;

/// Reads everything of what was accepted, and writes it again.
fn survives(payload: &[u8]) -> bool {
    let Ok(decoded) = dump::read(payload, Checksum::Ignored, &limits()) else { return false };
    let lines = shown(&decoded);
    let again = write(&decoded, PLAIN);
    let second = dump::read(&again, Checksum::Verified, &limits()).expect("it was just written");
    assert_eq!(shown(&second).len(), lines.len());
    true
}

fn samples() -> Vec<Vec<u8>> {
    let mut samples = Vec::new();
    let mut hash = hash::Hash::default();
    let mut list = list::Loader::default();
    for at in 0..6i64 {
        let name = format!("name:{at}");
        hash.set(&limits().hash, name.as_bytes(), at * at);
        list.element(name.as_bytes(), list::Limits { max_listpack_size: 2, compress_depth: 0 });
    }
    let list = list.finish(limits().list);
    for object in [Object::from(hash), list.into()] {
        samples.push(dump::write(ValueRef::Object(object.as_ref()), PLAIN));
    }
    let members = b"\x03\x01a\x01b\xc1\x34\x12";
    samples.push(payload(ObjectType::Set, members));
    samples.push(payload(ObjectType::SortedSet2, b"\x01\x01a\x00\x00\x00\x00\x00\x00\xf0\x3f"));
    samples.push(payload(ObjectType::Hash, b"\x02\x01a\x01b\x01c\x01d"));
    samples
}

#[test]
fn every_cut_is_refused() {
    for sample in samples() {
        assert!(survives(&sample));
        for len in 0..sample.len() - 10 {
            let cut = [&sample[..len], &[0; 10]].concat();
            assert!(!survives(&cut), "{len} of {}", sample.len());
        }
        let longer = [&sample[..sample.len() - 10], &[0; 11]].concat();
        assert!(!survives(&longer));
    }
}

#[test]
fn any_byte_may_be_wrong() {
    let mut accepted = 0;
    for sample in samples() {
        for at in 0..sample.len() - 10 {
            for bit in 0..8 {
                let mut damaged = sample.clone();
                damaged[at] ^= 1 << bit;
                accepted += usize::from(survives(&damaged));
                assert_eq!(read(&damaged).err(), Some(DumpError::Footer));
            }
        }
    }
    assert!(accepted > 0, "a letter of a text may be another");
}

#[test]
fn counts_may_promise_anything() {
    let counts: [&[u8]; 3] =
        [b"\x80\xff\xff\xff\xff", b"\x81\xff\xff\xff\xff\xff\xff\xff\xff", b"\x7f\xff"];
    for kind in (0..=30).filter_map(|number| ObjectType::from_number(number, Version::READABLE_MAX))
    {
        for count in counts {
            for rest in [&b""[..], b"\x01a", b"\x01a\x01b", b"\xc3\x01"] {
                let body = [count, rest].concat();
                assert!(!survives(&payload(kind, &body)), "{kind:?} {body:?}");
            }
            let body = [b"\xc3", count, count, b"\x01a"].concat();
            assert!(!survives(&payload(kind, &body)), "{kind:?}");
        }
    }
}

#[test]
fn deadlines_of_fields_have_48_bits() {
    let timed = |deadline: u64| {
        let body = [&deadline.to_le_bytes()[..], b"\x01\x01\x01f\x01v"].concat();
        read(&payload(ObjectType::HashTimed, &body)).is_ok()
    };
    assert!(timed(1) && timed((1 << 48) - 1));
    assert!(!timed(0) && !timed(1 << 48) && !timed(u64::MAX));
}

#[test]
fn the_footer_is_looked_at_first() {
    let sound = payload(ObjectType::String, b"\x01a");
    assert!(read(&sound).is_ok());
    (0..sound.len()).for_each(|len| assert_eq!(read(&sound[..len]).err(), Some(DumpError::Footer)));
    let mut newer = sound.clone();
    let at = newer.len() - 10;
    newer[at..at + 2].copy_from_slice(&(Version::READABLE_MAX.0 + 1).to_le_bytes());
    let ignored = dump::read(&newer, Checksum::Ignored, &limits());
    assert_eq!(ignored.err(), Some(DumpError::Footer), "a checksum that is ignored does not help");
}

#[test]
fn names_of_a_block_are_not_repeated_for_its_entries() {
    // A first entry with its own field, then many with the long names of the block.
    let mut block = collections::listpack::Listpack::default();
    let entries = 1000;
    block.extend([1 + entries, 0, 1]);
    block.push_back(&[b'n'; 1000][..]);
    block.extend([0, 0, 0, 0, 1, 7, 8, 6]);
    for at in 1..=entries {
        block.extend([2, at, 0, 5, 4]);
    }
    let mut body = vec![1, 16];
    body.extend([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
    let Ok(()) = writer::Writer::new(&mut body, false).string(block.as_bytes());
    let Ok(()) = writer::Writer::new(&mut body, false).length(1 + entries as u64);
    body.extend([0x43, 0xe9, 1, 0]);
    let payload = payload(ObjectType::StreamListpacks, &body);
    let Decoded::Object(object) = read(&payload).unwrap() else { panic!("a stream") };
    assert!(object.as_ref().allocated_bytes() < 2 * payload.len());
}
