//! Saves onto a disk in memory that fails where a test says.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::Mutex;

use collections::entry::{Entry, NewValue};
use store::load::{Batch, Existing};

use super::*;
use crate::load::{self, Load};
use crate::{Mark, Output, Source};

const NOW: UnixMs = 1_800_000_000_000;
const OLD: &[u8] = b"what was there before";

type Files = Arc<Mutex<HashMap<String, Vec<u8>>>>;

/// Files in memory, and the one operation that fails.
#[derive(Debug, Default)]
struct Disk {
    files: Files,
    failing: Option<Step>,
    /// Bytes after which writing fails, as if the disk were full.
    room: usize,
    synced: Arc<Mutex<Vec<String>>>,
}

#[derive(Debug)]
struct File {
    name: String,
    files: Files,
    fails_sync: bool,
    room: usize,
    synced: Arc<Mutex<Vec<String>>>,
}

#[derive(Debug)]
struct Memory(Cursor<Vec<u8>>);

impl io::Read for Memory {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Source for Memory {
    fn len(&self) -> u64 {
        self.0.get_ref().len() as u64
    }
}

impl Disk {
    fn fails(&self, step: Step) -> io::Result<()> {
        match self.failing == Some(step) {
            true => Err(io::Error::from_raw_os_error(5)),
            false => Ok(()),
        }
    }
}

impl Storage for Disk {
    fn open(&self, name: &str) -> io::Result<Box<dyn Source>> {
        Ok(Box::new(Memory(Cursor::new(self.files.lock().unwrap()[name].clone()))))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Output>> {
        self.fails(Step::Create)?;
        self.files.lock().unwrap().insert(name.to_owned(), Vec::new());
        let room = if self.failing == Some(Step::Write) { self.room } else { usize::MAX };
        Ok(Box::new(File {
            name: name.to_owned(),
            files: Arc::clone(&self.files),
            fails_sync: self.failing == Some(Step::Sync),
            room,
            synced: Arc::clone(&self.synced),
        }))
    }

    fn append(&self, _name: &str) -> io::Result<Box<dyn Output>> {
        unreachable!("a save appends to nothing")
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.fails(Step::Rename)?;
        assert!(self.synced.lock().unwrap().contains(&from.to_owned()), "flushed before renamed");
        let mut files = self.files.lock().unwrap();
        let content = files.remove(from).unwrap();
        files.insert(to.to_owned(), content);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files.lock().unwrap().remove(name).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn truncate(&self, _name: &str, _len: u64) -> io::Result<()> {
        unreachable!("a save cuts nothing")
    }

    fn len(&self, name: &str) -> io::Result<Option<u64>> {
        Ok(self.files.lock().unwrap().get(name).map(|content| content.len() as u64))
    }

    fn list(&self, _directory: &str) -> io::Result<Vec<String>> {
        Ok(self.files.lock().unwrap().keys().cloned().collect())
    }

    fn create_directory(&self, _name: &str) -> io::Result<()> {
        Ok(())
    }

    fn sync_directory(&self, name: &str) -> io::Result<()> {
        self.fails(Step::SyncDirectory)?;
        self.synced.lock().unwrap().push(format!("{name}/"));
        Ok(())
    }

    fn mark_directory(&self, _name: &str) -> io::Result<Option<Box<dyn Mark>>> {
        unreachable!("a save marks nothing")
    }
}

impl Output for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Writes may be short at any time.
        let len = bytes.len().min(100_003).min(self.room);
        self.room -= len;
        let mut files = self.files.lock().unwrap();
        files.get_mut(&self.name).unwrap().extend_from_slice(&bytes[..len]);
        Ok(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.fails_sync {
            return Err(io::Error::from_raw_os_error(5));
        }
        self.synced.lock().unwrap().push(self.name.clone());
        Ok(())
    }
}

/// A store with strings of all lengths, numbers and deadlines in two databases.
fn filled() -> Store {
    let store = Store::new(4, [1, 2]);
    let mut batch = Batch::default();
    for number in 0..20_000usize {
        let key = format!("key:{number}");
        let text = "v".repeat(number % 700);
        let value = match number % 3 {
            0 => NewValue::Int(number as i64),
            _ => NewValue::Bytes(text.as_bytes()),
        };
        let deadline = (number % 5 == 0).then_some(NOW + 1 + number as u64);
        let entry = Entry::new(key.as_bytes(), value, deadline);
        batch.push(&store, number % 2 * 3, entry);
    }
    let large = vec![7u8; 3_000_000];
    batch.push(&store, 0, Entry::new(b"large", NewValue::Bytes(&large), None));
    store.load(&mut batch, Existing::Refuse).unwrap();
    store
}

fn options() -> SaveOptions {
    SaveOptions {
        options: Options { version: format::rdb::Version::V10, compress: true },
        checksum: true,
        incremental: true,
        is_aof_base: false,
        redis_version: "7.0.15",
        used_memory: 1,
        now: NOW,
        usage: None,
        functions: Vec::new(),
    }
}

fn save_to(disk: &Disk, store: &Store, pace: &mut Pace<'_>) -> Result<u64, SaveError> {
    let options = options();
    let mut snapshot = store.begin_snapshot(&options.encoder(), || ()).unwrap();
    let saved = save(disk, ["temp-1.rdb", "dump.rdb"], (&mut snapshot, store), &options, pace);
    snapshot.cancel(store);
    saved
}

/// Every entry as text, in order.
fn dataset(store: &Store) -> Vec<String> {
    struct Debug;
    impl Encode for Debug {
        fn encode(&self, entry: EntryRef<'_>, out: &mut Vec<u8>) {
            out.extend(format!("{entry:?}\n").into_bytes());
        }
    }
    let mut lines = Vec::new();
    let mut snapshot = store.begin_snapshot(&(Arc::new(Debug) as Arc<dyn Encode>), || ()).unwrap();
    while let Some(mut chunk) = snapshot.next_chunk(store) {
        chunk.shared.iter().for_each(|entry| Debug.encode(entry.view(), &mut chunk.encoded));
        let text = String::from_utf8(chunk.encoded).unwrap();
        lines.extend(text.lines().map(|line| format!("{} {line}", chunk.db)));
    }
    lines.sort();
    lines
}

#[test]
fn what_is_saved_is_loaded_again() {
    let (disk, store) = (Disk::default(), filled());
    let bytes = save_to(&disk, &store, &mut |_| true).unwrap();
    assert_eq!(disk.len("dump.rdb").unwrap(), Some(bytes));
    assert_eq!(*disk.synced.lock().unwrap(), ["temp-1.rdb", "/"]);
    let options = load::Options {
        now: NOW,
        drops_expired: true,
        access: Access::default(),
        limits: format::rdb::Limits::defaults(7),
        checks_crc: true,
        before_key: None,
        existing: Existing::Refuse,
        log: Box::new(|_| ()),
    };
    let loaded = Store::new(4, [3, 4]);
    let load = Load::new(disk.open("dump.rdb").unwrap(), options);
    load.work(&loaded);
    assert_eq!(load.finish().unwrap().keys, 20_001);
    assert!(dataset(&loaded) == dataset(&store));
}

#[test]
fn whatever_fails_the_old_file_stays_and_nothing_else() {
    let store = filled();
    for step in [Step::Create, Step::Write, Step::Sync, Step::Rename, Step::SyncDirectory] {
        for room in [0, 10, 300_000, 450_000] {
            let disk = Disk { failing: Some(step), room, ..Disk::default() };
            disk.files.lock().unwrap().insert("dump.rdb".to_owned(), OLD.to_vec());
            let error = save_to(&disk, &store, &mut |_| true).unwrap_err();
            assert!(matches!(error, SaveError::Io { step: at, .. } if at == step), "{error}");
            let files = disk.files.lock().unwrap();
            assert_eq!(files.len(), 1, "no temporary file: {:?}", files.keys());
            // Only the flush of the directory comes after the new file has its name.
            assert_eq!(files["dump.rdb"] == OLD, step != Step::SyncDirectory);
        }
    }
}

#[test]
fn a_cancelled_save_leaves_no_trace() {
    let (disk, store) = (Disk::default(), filled());
    let mut pieces = 0;
    let saved = save_to(&disk, &store, &mut |_| {
        pieces += 1;
        pieces < 5
    });
    assert!(matches!(saved, Err(SaveError::Cancelled)));
    assert!(disk.files.lock().unwrap().is_empty());
    assert!(save_to(&disk, &store, &mut |_| true).is_ok(), "the next one is not in its way");
}
