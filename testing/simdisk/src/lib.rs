//! A disk in memory, for tests of persistence.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Read};
use std::sync::Arc;

use parking_lot::Mutex;
use persistence::{Output, Source, Storage};

/// Files in memory. A clone is the same disk.
#[derive(Clone, Debug, Default)]
pub struct SimDisk {
    files: Arc<Mutex<BTreeMap<String, Content>>>,
    directories: Arc<Mutex<BTreeSet<String>>>,
}

/// The bytes of a file, under whatever names.
type Content = Arc<Mutex<Vec<u8>>>;

#[derive(Debug)]
struct Written(Content);

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
        Some(self.find(name).ok()?.lock().clone())
    }

    /// Puts a file there.
    pub fn put(&self, name: &str, content: &[u8]) {
        self.files.lock().insert(name.to_owned(), Arc::new(Mutex::new(content.to_vec())));
    }

    fn find(&self, name: &str) -> io::Result<Content> {
        self.files.lock().get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Fails unless the directory of `name` is there.
    fn check_directory(&self, name: &str) -> io::Result<()> {
        match name.rsplit_once('/') {
            Some((directory, _)) if !self.directories.lock().contains(directory) => {
                Err(io::ErrorKind::NotFound.into())
            }
            _ => Ok(()),
        }
    }
}

impl Storage for SimDisk {
    fn open(&self, name: &str) -> io::Result<Box<dyn Source>> {
        let content = self.find(name)?.lock().clone();
        Ok(Box::new(ReadFrom(Cursor::new(content))))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Output>> {
        let file = self.append(name)?;
        self.truncate(name, 0)?;
        Ok(file)
    }

    fn append(&self, name: &str) -> io::Result<Box<dyn Output>> {
        self.check_directory(name)?;
        let content = self.files.lock().entry(name.to_owned()).or_default().clone();
        Ok(Box::new(Written(content)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.check_directory(to)?;
        let mut files = self.files.lock();
        let content = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        files.insert(to.to_owned(), content);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.files.lock().remove(name).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn truncate(&self, name: &str, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.find(name)?.lock().resize(len, 0);
        Ok(())
    }

    fn len(&self, name: &str) -> io::Result<Option<u64>> {
        Ok(self.find(name).ok().map(|content| content.lock().len() as u64))
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let files = self.files.lock();
        let inside = |name: &String| {
            let (parent, file) = name.rsplit_once('/').unwrap_or(("", name));
            (parent == directory).then(|| file.to_owned())
        };
        Ok(files.keys().filter_map(inside).collect())
    }

    fn create_directory(&self, name: &str) -> io::Result<()> {
        self.directories.lock().insert(name.to_owned());
        Ok(())
    }

    fn sync_directory(&self, _name: &str) -> io::Result<()> {
        Ok(())
    }
}

impl Output for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
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
