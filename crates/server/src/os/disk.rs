//! The disk of the process: files below the working directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::fd::AsFd;
use std::path::Path;

use persistence::{Mark, Output, Source, Storage};
use rustix::fs::Advice;

/// The working directory, wherever `dir` has moved it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

/// A file that is written.
#[derive(Debug)]
struct Written {
    file: File,
    /// The bytes that the disk was told to begin with last.
    begun: Range<u64>,
}

impl Written {
    const fn new(file: File) -> Self {
        Self { file, begun: 0..0 }
    }

    /// Gives the pages of the cache back that hold `range`, which is on the disk. The kernel takes
    /// them for what is written next, which costs less than pages it must find elsewhere, and
    /// memory that others need is not filled with what nobody reads.
    fn forget(&self, range: Range<u64>) {
        if let Some(len) = NonZeroU64::new(range.end - range.start) {
            // A hint, which a file system need not take: what it answers says nothing of the bytes.
            let _ = rustix::fs::fadvise(&self.file, range.start, Some(len), Advice::DontNeed);
        }
    }
}

/// A file that is read.
#[derive(Debug)]
struct ReadFrom {
    file: File,
    len: u64,
}

/// A directory that is locked for as long as it is open. The system forgets the lock with the
/// process, however that ends.
#[derive(Debug)]
struct Marked {
    _locked: File,
}

impl Mark for Marked {}

impl Storage for Disk {
    fn open(&self, name: &str) -> io::Result<Box<dyn Source>> {
        let file = File::open(name)?;
        let len = file.metadata()?.len();
        Ok(Box::new(ReadFrom { file, len }))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Output>> {
        Ok(Box::new(Written::new(File::create(name)?)))
    }

    fn append(&self, name: &str) -> io::Result<Box<dyn Output>> {
        Ok(Box::new(Written::new(OpenOptions::new().append(true).create(true).open(name)?)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(name)
    }

    fn truncate(&self, name: &str, len: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(name)?;
        file.set_len(len)?;
        file.sync_all()
    }

    fn len(&self, name: &str) -> io::Result<Option<u64>> {
        match std::fs::metadata(name) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(path(directory)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        Ok(names)
    }

    fn create_directory(&self, name: &str) -> io::Result<()> {
        match std::fs::create_dir(name) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }

    fn sync_directory(&self, name: &str) -> io::Result<()> {
        File::open(path(name))?.sync_all()
    }

    fn mark_directory(&self, name: &str) -> io::Result<Option<Box<dyn Mark>>> {
        let directory = File::open(path(name))?;
        match directory.try_lock() {
            Ok(()) => Ok(Some(Box::new(Marked { _locked: directory }))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// The path of a directory; the empty name is the working directory.
fn path(name: &str) -> &Path {
    Path::new(if name.is_empty() { "." } else { name })
}

impl Output for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn begin_sync(&mut self, range: Range<u64>) -> io::Result<()> {
        let before = std::mem::replace(&mut self.begun, range.clone());
        sys::file::begin_sync(self.file.as_fd(), before.clone(), range)?;
        self.forget(before);
        Ok(())
    }
}

impl Read for ReadFrom {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Source for ReadFrom {
    fn len(&self) -> u64 {
        self.len
    }
}
