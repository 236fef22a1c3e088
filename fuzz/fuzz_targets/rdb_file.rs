//! RDB files: refused, or a dataset that can be saved and is the same when it is loaded again.
//!
//! The checksum is not looked at, so that the fuzzer gets to the records.
#![no_main]

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex};

use format::rdb::{Limits, Options, Version};
use libfuzzer_sys::fuzz_target;
use persistence::load::{self, Load, Loaded};
use persistence::save::{SaveOptions, write_rdb};
use persistence::{Output, Source};
use store::load::Existing;
use store::{Access, Store};

const NOW: u64 = 1_800_000_000_000;

#[derive(Debug)]
struct File(Cursor<Vec<u8>>);

impl Read for File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Source for File {
    fn len(&self) -> u64 {
        self.0.get_ref().len() as u64
    }
}

#[derive(Clone, Debug, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Output for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics with it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn loaded(file: &[u8], checks_crc: bool) -> Option<(Store, Loaded)> {
    let options = load::Options {
        now: NOW,
        drops_expired: true,
        access: Access::default(),
        limits: Limits::defaults(1),
        checks_crc,
        existing: Existing::Refuse,
        log: Box::new(|_| {}),
        before_key: None,
    };
    let store = Store::new(2, [1, 2]);
    let load = Load::new(Box::new(File(Cursor::new(file.to_vec()))), options);
    load.work(&store);
    Some((store, load.finish().ok()?))
}

fn saved(store: &Store) -> Vec<u8> {
    let options = SaveOptions {
        options: Options { version: Version::REDIS_MAX, compress: true },
        checksum: true,
        incremental: false,
        is_aof_base: false,
        redis_version: "7.0.15",
        used_memory: 0,
        now: NOW,
        usage: None,
        functions: Vec::new(),
    };
    let mut output = Written::default();
    let mut snapshot = store.begin_snapshot(&options.encoder(), || {}).expect("it is the first");
    write_rdb(&mut output, Some((&mut snapshot, store)), &options, &mut |_| true)
        .expect("memory takes everything");
    let written = output.0.lock().expect("nobody panics with it").clone();
    written
}

fn sizes(store: &Store) -> BTreeMap<usize, usize> {
    (0..2).map(|db| (db, store.len(db))).collect()
}

fuzz_target!(|file: &[u8]| {
    let Some((store, _)) = loaded(file, false) else { return };
    let written = saved(&store);
    let (again, _) = loaded(&written, true).expect("what was saved can be loaded");
    assert_eq!(sizes(&again), sizes(&store));
    // Nothing is lost on the way, so it takes as many bytes again.
    assert_eq!(saved(&again).len(), written.len());
});
