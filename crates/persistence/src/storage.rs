//! The disk, as far as persistence needs one.
//!
//! Names are paths relative to the working directory (`dump.rdb`,
//! `appendonlydir/appendonly.aof.1.incr.aof`). What a method promises is what POSIX promises:
//! written bytes survive the process, and survive a loss of power once they are synced; a file that
//! was created, renamed or removed is so after a loss of power once its directory is synced.

use std::fmt::Debug;
use std::io::{self, Read};
use std::ops::Range;

/// A directory of files.
pub trait Storage: Send + Sync + Debug {
    /// Opens a file for reading from its start.
    ///
    /// # Errors
    /// Those of the system, as for all methods.
    fn open(&self, name: &str) -> io::Result<Box<dyn Source>>;

    /// Creates a file, or empties it.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn create(&self, name: &str) -> io::Result<Box<dyn Output>>;

    /// Opens a file to write behind its end, and creates it if there is none.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn append(&self, name: &str) -> io::Result<Box<dyn Output>>;

    /// Gives a file another name, in place of the file that bears it.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Cuts a file after `len` bytes, and has that reach the disk.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn truncate(&self, name: &str, len: u64) -> io::Result<()>;

    /// Length of a file in bytes; none if there is no such file.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn len(&self, name: &str) -> io::Result<Option<u64>>;

    /// Names of the files in a directory (empty for the working directory), in any order; none at
    /// all if there is no such directory.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn list(&self, directory: &str) -> io::Result<Vec<String>>;

    /// Creates a directory unless it is there.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn create_directory(&self, name: &str) -> io::Result<()>;

    /// Has the names in a directory (empty for the working directory) reach the disk.
    ///
    /// # Errors
    /// As [`Storage::open`].
    fn sync_directory(&self, name: &str) -> io::Result<()>;

    /// Marks a directory (empty for the working directory) as in use by this process, until the
    /// mark is dropped. None if another process has marked it. It hinders nobody from anything and
    /// leaves nothing behind: it tells those who ask.
    ///
    /// # Errors
    /// As [`Storage::open`], and where the file system knows no locks.
    fn mark_directory(&self, name: &str) -> io::Result<Option<Box<dyn Mark>>>;
}

/// A directory that this process has marked.
pub trait Mark: Send + Sync + Debug {}

/// A file that is written at its end.
pub trait Output: Send + Debug {
    /// Writes the first bytes of `bytes` and says how many; fewer than all if the disk is full.
    ///
    /// # Errors
    /// Those of the system.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Has what was written reach the disk.
    ///
    /// # Errors
    /// Those of the system. What was written since the last success may be lost, whatever later
    /// calls say.
    fn sync(&mut self) -> io::Result<()>;

    /// Has the disk begin with the bytes in `range`. It may wait for those before them, so that not
    /// too many pile up, and forget them once they are on the disk, since nobody reads them here. A
    /// promise of nothing: only [`Output::sync`] is one.
    ///
    /// # Errors
    /// Those of the system, which a later flush may not repeat: it counts as a flush that failed.
    fn begin_sync(&mut self, _range: Range<u64>) -> io::Result<()> {
        Ok(())
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// Those of the system; a part may have been written.
    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A file that is read from its start.
pub trait Source: Read + Send + Debug {
    /// Its length in bytes.
    fn len(&self) -> u64;

    /// Whether it has no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
