//! The file that holds the process id.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A written pid file; [`PidFile::remove`] deletes it when the server ends in order.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
}

impl PidFile {
    /// Writes the process id and a line feed to `path`.
    ///
    /// # Errors
    /// Those of creating and writing the file.
    pub fn write(path: &Path) -> io::Result<Self> {
        let mut file = std::fs::File::create(path)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self { path: path.to_owned() })
    }

    /// Deletes the file; one that is gone already is no error.
    pub fn remove(&self) {
        // The process ends; nobody could act on a failure.
        let _ = std::fs::remove_file(&self.path);
    }
}
