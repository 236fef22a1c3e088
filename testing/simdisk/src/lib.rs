//! A disk in memory, for tests of persistence.
//!
//! It does what a disk may do and seldom does. It writes down every operation, so that a test can
//! ask what a machine would find that lost its power after any of them ([`SimDisk::after_crash`]),
//! and it fails when it is told to ([`SimDisk::fail`]): when it is full, when a write or a flush
//! goes wrong, when names cannot be changed.

mod crash;
mod faults;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Read};
use std::ops::Range;
use std::sync::Arc;

use parking_lot::Mutex;
use persistence::{Mark, Output, Source, Storage};

use faults::Faults;
pub use faults::{Fault, On};

/// Files in memory. A clone is the same disk.
#[derive(Clone, Debug, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
    watcher: Arc<Mutex<Option<Watcher>>>,
}

/// Whoever is told of operations before they happen.
#[derive(Clone)]
pub struct Watcher(pub Arc<dyn Fn(On) + Send + Sync>);

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watcher")
    }
}

/// The number of a file, under whatever names.
type Inode = usize;

/// What the process sees, and how it came about.
#[derive(Debug, Default)]
struct State {
    files: Vec<Vec<u8>>,
    names: BTreeMap<String, Inode>,
    directories: BTreeSet<String>,
    history: Vec<Operation>,
    faults: Faults,
}

/// A change, or a promise about earlier ones.
#[derive(Clone, Debug)]
enum Operation {
    /// A new file, empty, and its name.
    Create { name: String, inode: Inode },
    /// Bytes behind the end.
    Append { inode: Inode, bytes: Vec<u8> },
    /// Another length, which is on the disk at once.
    Truncate { inode: Inode, len: usize },
    /// The content is on the disk, unless the flush failed.
    Sync { inode: Inode, ok: bool },
    /// Another name, in place of the file that bears it.
    Rename { from: String, to: String },
    /// A name less.
    Remove { name: String },
    /// A new directory.
    Directory { name: String },
    /// The names in a directory are on the disk.
    SyncDirectory { name: String },
}

#[derive(Debug)]
struct Written {
    disk: SimDisk,
    inode: Inode,
}

/// Tests have as many servers on one disk as they like.
#[derive(Debug)]
struct Marked;

impl Mark for Marked {}

#[derive(Debug)]
struct ReadFrom(Cursor<Vec<u8>>);

impl SimDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes of a file.
    #[must_use]
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state.lock();
        Some(state.files[*state.names.get(name)?].clone())
    }

    /// Puts a file there.
    pub fn put(&self, name: &str, content: &[u8]) {
        let mut state = self.state.lock();
        if let Some((directory, _)) = name.rsplit_once('/') {
            state.directory(directory);
        }
        let inode = state.create(name);
        state.append(inode, content);
    }

    /// The paths of all files.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.state.lock().names.keys().cloned().collect()
    }

    /// The number of operations so far that have changed something or flushed it.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.state.lock().history.len()
    }

    /// Has the disk fail: the operations of the kind `on` that follow the next `skip` ones, `times`
    /// of them.
    pub fn fail(&self, on: On, fault: Fault, skip: usize, times: usize) {
        self.state.lock().faults.add(on, fault, skip, times);
    }

    /// Has the disk work again.
    pub fn mend(&self) {
        self.state.lock().faults.clear();
    }

    /// The operations that have failed on purpose so far.
    #[must_use]
    pub fn failures(&self) -> Vec<On> {
        self.state.lock().faults.met().to_vec()
    }

    /// Has `watcher` called before each operation that changes something, on the thread that wants
    /// it: the place to do in a test what another thread might do at that moment.
    pub fn watch(&self, watcher: Watcher) {
        *self.watcher.lock() = Some(watcher);
    }

    fn tell(&self, on: On) {
        let watcher = self.watcher.lock().clone();
        if let Some(Watcher(watcher)) = watcher {
            watcher(on);
        }
    }
}

impl State {
    fn find(&self, name: &str) -> io::Result<Inode> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Fails unless the directory of `name` is there.
    fn check_directory(&self, name: &str) -> io::Result<()> {
        match name.rsplit_once('/') {
            Some((directory, _)) if !self.directories.contains(directory) => {
                Err(io::ErrorKind::NotFound.into())
            }
            _ => Ok(()),
        }
    }

    fn directory(&mut self, name: &str) {
        if self.directories.insert(name.to_owned()) {
            self.history.push(Operation::Directory { name: name.to_owned() });
        }
    }

    fn create(&mut self, name: &str) -> Inode {
        let inode = self.files.len();
        self.files.push(Vec::new());
        self.names.insert(name.to_owned(), inode);
        self.history.push(Operation::Create { name: name.to_owned(), inode });
        inode
    }

    fn append(&mut self, inode: Inode, bytes: &[u8]) {
        self.files[inode].extend_from_slice(bytes);
        self.history.push(Operation::Append { inode, bytes: bytes.to_vec() });
    }

    fn truncate(&mut self, inode: Inode, len: usize) {
        self.files[inode].resize(len, 0);
        self.history.push(Operation::Truncate { inode, len });
    }
}

impl Storage for SimDisk {
    fn open(&self, name: &str) -> io::Result<Box<dyn Source>> {
        let mut state = self.state.lock();
        state.faults.check(On::Open)?;
        let inode = state.find(name)?;
        Ok(Box::new(ReadFrom(Cursor::new(state.files[inode].clone()))))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Output>> {
        self.tell(On::Create);
        let mut state = self.state.lock();
        state.faults.check(On::Create)?;
        state.check_directory(name)?;
        let inode = match state.names.get(name) {
            Some(&inode) => {
                state.truncate(inode, 0);
                inode
            }
            None => state.create(name),
        };
        Ok(Box::new(Written { disk: self.clone(), inode }))
    }

    fn append(&self, name: &str) -> io::Result<Box<dyn Output>> {
        self.tell(On::Create);
        let mut state = self.state.lock();
        state.faults.check(On::Create)?;
        state.check_directory(name)?;
        let inode = match state.names.get(name) {
            Some(&inode) => inode,
            None => state.create(name),
        };
        Ok(Box::new(Written { disk: self.clone(), inode }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.tell(On::Rename);
        let mut state = self.state.lock();
        state.faults.check(On::Rename)?;
        state.check_directory(to)?;
        let inode = state.find(from)?;
        state.names.remove(from);
        state.names.insert(to.to_owned(), inode);
        state.history.push(Operation::Rename { from: from.to_owned(), to: to.to_owned() });
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.tell(On::Remove);
        let mut state = self.state.lock();
        state.faults.check(On::Remove)?;
        state.find(name)?;
        state.names.remove(name);
        state.history.push(Operation::Remove { name: name.to_owned() });
        Ok(())
    }

    fn truncate(&self, name: &str, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.tell(On::Truncate);
        let mut state = self.state.lock();
        state.faults.check(On::Truncate)?;
        let inode = state.find(name)?;
        state.truncate(inode, len);
        state.history.push(Operation::Sync { inode, ok: true });
        Ok(())
    }

    fn len(&self, name: &str) -> io::Result<Option<u64>> {
        let state = self.state.lock();
        Ok(state.names.get(name).map(|&inode| state.files[inode].len() as u64))
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let state = self.state.lock();
        let inside = |name: &String| {
            let (parent, file) = name.rsplit_once('/').unwrap_or(("", name));
            (parent == directory).then(|| file.to_owned())
        };
        Ok(state.names.keys().filter_map(inside).collect())
    }

    fn create_directory(&self, name: &str) -> io::Result<()> {
        self.tell(On::Create);
        let mut state = self.state.lock();
        state.faults.check(On::Create)?;
        state.directory(name);
        Ok(())
    }

    fn sync_directory(&self, name: &str) -> io::Result<()> {
        self.tell(On::SyncDirectory);
        let mut state = self.state.lock();
        state.faults.check(On::SyncDirectory)?;
        state.history.push(Operation::SyncDirectory { name: name.to_owned() });
        Ok(())
    }

    fn mark_directory(&self, _name: &str) -> io::Result<Option<Box<dyn Mark>>> {
        let is_free = self.state.lock().faults.check(On::Mark).is_ok();
        Ok(is_free.then(|| Box::new(Marked) as Box<dyn Mark>))
    }
}

impl Output for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.tell(On::Write);
        let mut state = self.disk.state.lock();
        let count = state.faults.check_write(bytes.len())?;
        state.append(self.inode, &bytes[..count]);
        Ok(count)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.tell(On::Sync);
        let mut state = self.disk.state.lock();
        let checked = state.faults.check(On::Sync);
        state.history.push(Operation::Sync { inode: self.inode, ok: checked.is_ok() });
        checked
    }

    fn begin_sync(&mut self, _range: Range<u64>) -> io::Result<()> {
        self.disk.tell(On::BeginSync);
        self.disk.state.lock().faults.check(On::BeginSync)
    }
}

impl Read for ReadFrom {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Source for ReadFrom {
    fn len(&self) -> u64 {
        self.0.get_ref().len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_directories() {
        let disk = SimDisk::new();
        assert!(disk.create("d/a").is_err(), "there is no such directory");
        disk.create_directory("d").unwrap();
        disk.create("d/a").unwrap().write_all(b"one").unwrap();
        disk.append("d/a").unwrap().write_all(b"two").unwrap();
        disk.rename("d/a", "b").unwrap();
        disk.truncate("b", 4).unwrap();
        assert_eq!(disk.list("d").unwrap(), Vec::<String>::new());
        assert_eq!((disk.list("").unwrap(), disk.len("b").unwrap()), (vec!["b".into()], Some(4)));
        let mut text = String::new();
        disk.open("b").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "onet");
        disk.create("b").unwrap();
        assert_eq!(disk.len("b").unwrap(), Some(0));
        disk.remove("b").unwrap();
        assert!(disk.open("b").is_err());
    }
}
