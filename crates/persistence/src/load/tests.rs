//! Loads from memory, by one thread and by several, of files whole and damaged.

use std::io::{Cursor, Read};

use collections::entry::{StringRef, ValueRef};
use format::rdb::Version;
use format::rdb::file::write;
use stdx::crc::crc64;

use super::*;

const NOW: UnixMs = 1_800_000_000_000;
const WRITTEN: format::rdb::Options =
    format::rdb::Options { version: Version::V10, compress: true };

#[derive(Debug)]
struct Memory(Cursor<Vec<u8>>);

impl Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        // Files are read in pieces of any size.
        let len = buffer.len().min(10_007);
        self.0.read(&mut buffer[..len])
    }
}

impl Source for Memory {
    fn len(&self) -> u64 {
        self.0.get_ref().len() as u64
    }
}

/// The records of a file between its header and its end.
#[derive(Default)]
struct Body(Vec<u8>);

impl Body {
    fn database(mut self, number: u64) -> Self {
        let Ok(()) = write::database(number, &mut self.0);
        self
    }

    fn key(mut self, key: &str, value: &str, attributes: Attributes) -> Self {
        let value = StringRef::Inline { bytes: value.as_bytes(), raw: false };
        let value = ValueRef::String(value);
        let Ok(()) = write::entry(key.as_bytes(), value, attributes, WRITTEN, &mut self.0);
        self
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn file(self) -> Vec<u8> {
        let mut file = Vec::new();
        let Ok(()) = write::header(Version::V10, &mut file);
        let Ok(()) = write::aux_field("redis-ver", "7.0.15", &mut file);
        file.extend_from_slice(&self.0);
        let Ok(()) = write::end(&mut file);
        let crc = crc64(0, &file);
        let Ok(()) = write::checksum(Some(crc), &mut file);
        file
    }
}

fn options() -> Options {
    Options {
        now: NOW,
        drops_expired: true,
        access: Access::default(),
        limits: Limits::defaults(7),
        checks_crc: true,
        existing: Existing::Refuse,
        log: Box::new(|_| {}),
    }
}

fn load_with(file: &[u8], options: Options, threads: usize) -> (Store, Result<Loaded, LoadError>) {
    let store = Store::new(2, [3, 4]);
    let load = Load::new(Box::new(Memory(Cursor::new(file.to_vec()))), options);
    std::thread::scope(|scope| {
        (0..threads).for_each(|_| _ = scope.spawn(|| load.work(&store)));
    });
    (store, load.finish())
}

fn load(file: &[u8]) -> (Store, Result<Loaded, LoadError>) {
    load_with(file, options(), 1)
}

fn problem(file: &[u8]) -> String {
    load(file).1.expect_err("the file is wrong").to_string()
}

/// Many keys, some of which are large.
fn large() -> Vec<u8> {
    let mut body = Body::default().database(0);
    for at in 0..30_000 {
        let value = if at % 9_999 == 0 { "x y z ".repeat(200_000) } else { format!("value:{at}") };
        body = body.key(&format!("key:{at}"), &value, Attributes::default());
        if at == 20_000 {
            body = body.database(1);
        }
    }
    body.file()
}

#[test]
fn any_number_of_threads_loads_the_same() {
    let file = large();
    for threads in [1, 3] {
        let (store, loaded) = load_with(&file, options(), threads);
        let loaded = loaded.expect("the file is right");
        assert_eq!((loaded.keys, store.len(0), store.len(1)), (30_000, 20_001, 9_999));
        assert_eq!((loaded.len, loaded.rest.len()), (file.len() as u64, 0));
        assert_eq!(loaded.aux, [("redis-ver".to_owned(), b"7.0.15".to_vec())]);
    }
}

#[test]
fn a_log_may_follow() {
    let file = [Body::default().key("k", "v", Attributes::default()).file(), b"*1\r\n".to_vec()];
    let (store, loaded) = load(&file.concat());
    let mut loaded = loaded.expect("the file is right");
    assert_eq!(
        (store.len(0), loaded.len, &loaded.rest[..]),
        (1, file[0].len() as u64, &file[1][..])
    );
    assert_eq!(loaded.source.read(&mut [0]).expect("memory does not fail"), 0);
}

#[test]
fn what_is_over_or_empty_is_left_out() {
    let until = |deadline| Attributes { deadline: Some(deadline), usage: None };
    let file = Body::default()
        .key("past", "v", until(NOW - 1))
        .key("now", "v", until(NOW))
        .key("future", "v", until(NOW + 1))
        .raw(b"\x01\x04list\x00")
        .raw(b"\xf5\x03lib")
        .file();
    let (store, loaded) = load(&file);
    let loaded = loaded.expect("the file is right");
    assert_eq!((store.len(0), loaded.keys, loaded.expired, loaded.empty), (2, 2, 1, 1));
    assert_eq!(loaded.functions, [b"lib"]);
    let (store, loaded) = load_with(&file, Options { drops_expired: false, ..options() }, 1);
    assert_eq!((store.len(0), loaded.expect("the file is right").expired), (3, 0));
}

#[test]
fn what_is_wrong_is_named() {
    let plain = Attributes::default;
    let twice = Body::default().key("k", "v", plain()).key("k", "w", plain()).file();
    assert!(problem(&twice).starts_with("RDB has duplicated key 'k' in DB 0"));
    let replaced = load_with(&twice, Options { existing: Existing::Replace, ..options() }, 1);
    assert_eq!((replaced.0.len(0), replaced.1.is_ok()), (1, true));

    let database = Body::default().database(2).key("k", "v", plain()).file();
    assert!(problem(&database).contains("configured to handle more than 2 databases"));
    let listpack = problem(&Body::default().raw(b"\x10\x01h\x03abc").file());
    assert!(listpack.starts_with("Hash listpack integrity check failed"), "{listpack}");
    assert!(listpack.ends_with("type 16, key 'h')"), "{listpack}");
    let unknown = problem(&Body::default().raw(b"\x63").file());
    assert!(unknown.starts_with("Unknown RDB encoding type 99"), "{unknown}");

    let mut file = Body::default().key("k", "v", plain()).file();
    let end = file.len() - 1;
    file[end] ^= 1;
    assert!(problem(&file).starts_with("Wrong RDB checksum expected: ("));
    assert!(load_with(&file, Options { checks_crc: false, ..options() }, 1).1.is_ok());
    file[end - 7..].fill(0);
    assert!(load(&file).1.is_ok(), "zero says that nobody computed it");
}

#[test]
fn a_file_that_is_cut_or_flipped_anywhere_is_refused() {
    let file = Body::default()
        .key("key", "value", Attributes { deadline: Some(NOW + 9), usage: Some(Usage::Idle(99)) })
        .key("long", &"long ".repeat(30), Attributes::default())
        .raw(b"\x02\x03set\x03\x01a\x01b\xc1\x34\x12")
        .raw(b"\x05\x04zset\x01\x01a\x00\x00\x00\x00\x00\x00\xf0\x3f")
        .file();
    assert!(load(&file).1.is_ok());
    for len in 0..file.len() {
        let error = problem(&file[..len]);
        assert!(error.starts_with("Unexpected EOF reading RDB file"), "{len}: {error}");
    }
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut damaged = file.clone();
            damaged[at] ^= 1 << bit;
            assert!(load(&damaged).1.is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn a_disk_that_fails_ends_it() {
    #[derive(Debug)]
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the disk is gone"))
        }
    }
    impl Source for Broken {
        fn len(&self) -> u64 {
            100
        }
    }
    let load = Load::new(Box::new(Broken), options());
    load.work(&Store::new(1, [1, 2]));
    let error = load.finish().expect_err("nothing was read");
    assert!(error.to_string().starts_with("the disk is gone"));
}
