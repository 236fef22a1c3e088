//! Files that must be there whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Replaces the content of `path` so that a crash at any moment leaves the old or the new one:
/// writes a file beside it, renames that, and has both reach the disk.
///
/// # Errors
/// Those of the steps; the file is then as it was.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    // What the name points to is replaced, not a link to it.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let beside = beside(&path);
    let written = write_and_sync(&beside, content, &path);
    if let Err(error) = written.and_then(|()| std::fs::rename(&beside, &path)) {
        // The leftover is of no use; whether it can be deleted does not matter to the caller.
        let _ = std::fs::remove_file(&beside);
        return Err(error);
    }
    File::open(directory)?.sync_all()
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    name.into()
}

fn write_and_sync(beside: &Path, content: &[u8], original: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(beside)?;
    if let Ok(metadata) = std::fs::metadata(original) {
        file.set_permissions(metadata.permissions())?;
    }
    file.write_all(content)?;
    file.sync_all()
}

/// The bytes of a path.
pub fn bytes(path: &Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_and_permissions_survive_replacement() {
        use std::os::unix::fs::PermissionsExt;
        let directory = std::env::temp_dir().join(format!("ferrite-files-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("a.conf");
        replace(&path, b"one").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let link = directory.join("link.conf");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        replace(&link, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 2);
        assert!(replace(&directory.join("missing/a.conf"), b"x").is_err());
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
