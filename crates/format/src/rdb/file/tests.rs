//! Files there and back, in pieces of any size, cut and damaged anywhere.

use collections::entry::{Object, StringRef, ValueRef};
use collections::hash::Hash;
use collections::list::{End, List};
use collections::set::Set;
use collections::sorted_set::SortedSet;
use collections::stream::{Group, Id, Pending, Stream};
use stdx::crc::crc64;

use super::write::{self, ReplicationAux};
use super::*;
use crate::rdb::{DecodeError, Limits, ObjectType, Options, Version};

const OPTIONS: Options = Options { version: Version::V10, compress: true };

fn text(bytes: &[u8]) -> ValueRef<'_> {
    ValueRef::String(StringRef::Inline { bytes, raw: false })
}

/// Values of every type, with so many elements each.
fn objects(counts: &[u32]) -> Vec<Object> {
    let limits = Limits::defaults(1);
    let mut objects = Vec::new();
    for &count in counts {
        let (mut list, mut set) = (List::default(), Set::default());
        let (mut hash, mut timed) = (Hash::default(), Hash::default());
        let (mut sorted, mut stream) = (SortedSet::default(), Stream::new());
        for at in 0..count {
            let name = format!("name:{at}");
            list.push(End::Back, name.as_bytes(), limits.list);
            set.add(&limits.set, name.as_bytes());
            hash.set(&limits.hash, name.as_bytes(), i64::from(at));
            sorted.insert(name.as_bytes(), f64::from(at), limits.sorted_set);
            timed.set(&limits.hash, name.as_bytes(), &b"value"[..]);
            timed.set_deadline(name.as_bytes(), (at % 2 == 0).then_some(5000 + u64::from(at)));
            let pairs = std::iter::once((&b"field"[..], name.as_bytes()));
            stream
                .append(Id::new(1 + u64::from(at), 0), pairs, Default::default())
                .expect("it ascends");
        }
        let mut group = Group::new(Id::new(2, 0), Some(2));
        let consumer = group.create_consumer(b"alice", 77).expect("there is none yet");
        group.set_pending(Id::new(1, 0), Pending::of(consumer, 5, 1));
        stream.create_group(b"readers", group);
        objects.extend([list.into(), set.into(), hash.into(), sorted.into(), timed.into()]);
        objects.push(stream.into());
    }
    objects
}

/// A file with every record that is written, and how many records it has.
fn sample(counts: &[u32]) -> (Vec<u8>, usize) {
    let mut file = Vec::new();
    let replication = ReplicationAux { stream_database: 3, id: "0123abc", offset: 1 << 40 };
    let about = Aux {
        redis_version: "8.0.0",
        created_s: 1_800_000_000,
        used_memory: 123_456,
        replication: Some(replication),
        is_aof_base: true,
    };
    let Ok(()) = write::header(Version::V10, &mut file);
    let Ok(()) = write::aux(&about, &mut file);
    let Ok(()) = write::function(b"#!lua name=lib\nreturn 1", OPTIONS, &mut file);
    let Ok(()) = write::database(9, &mut file);
    let Ok(()) = write::sizes(20_000, 70, &mut file);
    let usages = [None, Some(Usage::Idle(100)), Some(Usage::Frequency(9))];
    let objects = objects(counts);
    for (at, object) in objects.iter().enumerate() {
        let deadline = (at % 2 == 0).then_some(1_900_000_000_000);
        let attributes = Attributes { deadline, usage: usages[at % 3] };
        let key = format!("key:{at}");
        let value = ValueRef::Object(object.as_ref());
        let Ok(()) = write::entry(key.as_bytes(), value, attributes, OPTIONS, &mut file);
    }
    let Ok(()) = write::entry(b"77", text(b"value"), Attributes::default(), OPTIONS, &mut file);
    let Ok(()) = write::end(&mut file);
    let crc = crc64(0, &file);
    let Ok(()) = write::checksum(Some(crc), &mut file);
    (file, 1 + 8 + 1 + 2 + objects.len() + 1 + 1)
}

/// Every record as text, out of pieces of `piece` bytes; what was wrong where.
fn read(file: &[u8], piece: usize) -> Result<Vec<String>, (usize, Option<FileError>)> {
    let (mut reader, mut records) = (FileReader::new(), Vec::new());
    let (mut at, mut arrived) = (0, 0);
    loop {
        let next = reader.next(&file[at..arrived]).map_err(|error| (at, Some(error)))?;
        let Some(Next { len, record }) = next else {
            if arrived == file.len() {
                return Err((at, None));
            }
            arrived = file.len().min(arrived + piece);
            continue;
        };
        at += len;
        match record {
            Record::Entry(entry) => {
                let decoded = entry.decode(&Limits::defaults(1));
                let (key, value) = decoded.map_err(|error| (at, Some(error.into())))?;
                let shown = (entry.kind, key.escape_ascii().to_string(), entry.attributes);
                records.push(format!("{shown:?} {value:?}"));
            }
            Record::End { checksum, .. } => {
                let is_right = checksum == Some(crc64(0, &file[..file.len() - 8]));
                records.push(format!("end, {is_right}"));
                return Ok(records);
            }
            record => records.push(format!("{record:?}")),
        }
    }
}

#[test]
fn pieces_of_any_size_make_the_same_records() {
    let (file, count) = sample(&[3, 700]);
    let records = read(&file, file.len()).expect("it is whole");
    assert_eq!(records.len(), count, "{records:#?}");
    for shown in ["HashTimed,", "HashTimedListpack,", "end, true"] {
        assert!(records.iter().any(|record| record.contains(shown)), "{shown}");
    }
    for piece in [1, 7, 64, 1000] {
        assert_eq!(read(&file, piece).expect("it is whole"), records, "pieces of {piece}");
    }
}

#[test]
fn a_cut_file_has_no_end() {
    let (file, _) = sample(&[3, 40]);
    for len in 0..file.len() {
        assert_eq!(read(&file[..len], file.len()).expect_err("it is cut").1, None, "{len}");
    }
}

#[test]
fn a_wrong_byte_is_refused_or_changes_the_checksum() {
    let (file, _) = sample(&[3]);
    let mut refused = 0;
    for at in 0..file.len() - 8 {
        for bit in 0..8 {
            let mut damaged = file.clone();
            damaged[at] ^= 1 << bit;
            match read(&damaged, damaged.len()) {
                Ok(records) => {
                    // Whatever it says now, it is not what was written.
                    assert_eq!(records.last().map(String::as_str), Some("end, false"));
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}

#[test]
fn headers() {
    for (header, version) in
        [("REDIS0001", 1), ("REDIS0010", 10), ("REDIS0015", 15), ("VALKEY080", 80)]
    {
        let next = FileReader::new().next(header.as_bytes()).expect("it is known");
        let Some(Next { len: 9, record: Record::Version(known) }) = next else {
            panic!("{next:?}")
        };
        let mut again = Vec::new();
        let Ok(()) = write::header(known, &mut again);
        assert_eq!((known, again), (Version(version), header.as_bytes().to_vec()));
    }
    for header in ["REDIS0000", "REDIS0016", "REDIS-001", "VALKEY011", "VALKEY081"] {
        let error = FileReader::new().next(header.as_bytes()).expect_err(header);
        assert!(matches!(error, FileError::Version(_)), "{header}: {error}");
    }
    for header in ["", "R", "VALK", "REDIS001"] {
        assert!(FileReader::new().next(header.as_bytes()).expect("it may be one").is_none());
    }
    for header in ["*", "REDOS", "VALKYRIE"] {
        let error = FileReader::new().next(header.as_bytes()).expect_err(header);
        assert_eq!(error, FileError::Magic);
    }
}

/// A file of records put together by hand.
fn file_of(header: &str, records: &[&[u8]]) -> Vec<u8> {
    let mut file = [header.as_bytes(), &records.concat(), &[super::opcode::END]].concat();
    let crc = crc64(0, &file);
    file.extend_from_slice(&crc.to_le_bytes());
    file
}

#[test]
fn what_only_others_write() {
    // A module's name has nine letters of six bits, above ten of its version.
    let id = "moduletyp".bytes().fold(0u64, |id, letter| id << 6 | (u64::from(letter - b'a') + 26))
        << 10
        | 3;
    assert_eq!(module::type_name(id), "moduletyp");
    let id = [&[0x81][..], &id.to_be_bytes()].concat();
    // Numbers, a float, a double, a string.
    let pieces = b"\x01\x05\x02\x06\x03....\x04........\x05\x02ab\x00";
    let aux = [&[247][..], &id, b"\x02\x01", pieces].concat();
    let value = [&b"\x07\x01m"[..], &id, pieces].concat();
    let meta = [&[243, 1][..], b"BLES", pieces].concat();
    let slot_info: &[u8] = b"\xf4\x01\x02\x03";
    let seconds: &[u8] = b"\xfd\x01\x00\x00\x00\x00\x01k\x01v";
    let none: &[u8] = b"\xfc\xff\xff\xff\xff\xff\xff\xff\xff\x00\x01k\x01v";
    let past: &[u8] = b"\xfc\xfe\xff\xff\xff\xff\xff\xff\xff\x00\x01k\x01v";
    let plain: &[u8] = b"\x00\x01k\x01v";

    let file = file_of("REDIS0013", &[&aux, slot_info, seconds, none, past, &meta, plain]);
    for piece in [1, file.len()] {
        let records = read(&file, piece).expect("all of it can be stepped over");
        assert!(records[1].contains("ModuleAux"), "{records:?}");
        let deadlines: Vec<_> = records[3..7].iter().map(|record| &record[..62]).collect();
        let shown = ["Some(1000)", "None", "Some(0)", "None"];
        for (record, deadline) in deadlines.iter().zip(shown) {
            assert!(record.contains(&format!("deadline: {deadline}")), "{record}");
        }
    }
    let unknown = Some(FileError::Damaged(DecodeError::Type(ObjectType::Module as u8)));
    assert_eq!(read(&file_of("REDIS0013", &[&value]), 1).expect_err("a module's").1, unknown);

    let import: &[u8] = b"\xf3\x03job\x02\x01\x05\x09\x0a";
    let hash: &[u8] =
        b"\x16\x01h\x02\x01a\x011\x88\x13\0\0\0\0\0\0\x01b\x012\xff\xff\xff\xff\xff\xff\xff\xff";
    let records = read(&file_of("VALKEY080", &[import, hash]), 1).expect("Valkey 9 writes them");
    assert!(records[1].contains("SlotImport") && records[2].contains("5000"), "{records:?}");
    let error = read(&file_of("REDIS0012", &[hash]), 1).expect_err("a candidate's form").1;
    assert_eq!(error, Some(FileError::Type(22)));
    let error = read(&file_of("REDIS0010", &[b"\xf6"]), 1).expect_err("a candidate's form").1;
    assert_eq!(error, Some(FileError::FunctionCandidate));
}

#[test]
fn an_old_file_has_no_checksum() {
    let file = b"REDIS0004\xfe\x00\x00\x01k\x01v\xff";
    let mut reader = FileReader::new();
    let (mut at, mut last) = (0, None);
    while let Some(next) = reader.next(&file[at..]).expect("it is right") {
        at += next.len;
        last = Some(next.record);
        if at == file.len() {
            break;
        }
    }
    assert!(matches!(last, Some(Record::End { checksum: None, footer: 0 })));
}
