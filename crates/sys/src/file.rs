//! Files, as far as the standard library does not know what the kernel can do with them.

use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Has the kernel begin to write the bytes in `range` to the disk, and waits until those in
/// `before` are on their way out of its cache. No promise of durability. Where the kernel has no
/// such call, nothing happens.
///
/// # Errors
/// Those of the disk; a file system that does not know the call is no error.
#[cfg(target_os = "linux")]
pub fn begin_sync(file: BorrowedFd<'_>, before: Range<u64>, range: Range<u64>) -> io::Result<()> {
    let begin = libc::SYNC_FILE_RANGE_WRITE;
    let through = libc::SYNC_FILE_RANGE_WAIT_BEFORE | begin | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    for (range, flags) in [(range, begin), (before, through)] {
        let offset = i64::try_from(range.start).unwrap_or(i64::MAX);
        let len = i64::try_from(range.end.saturating_sub(range.start)).unwrap_or(i64::MAX);
        // A length of zero would mean everything.
        if len == 0 {
            continue;
        }
        // SAFETY: the descriptor is open as long as it is borrowed; the call touches no memory of
        // ours.
        let result = unsafe { libc::sync_file_range(file.as_raw_fd(), offset, len, flags) };
        if result != 0 {
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                Some(libc::ENOSYS | libc::EINVAL | libc::ESPIPE) => return Ok(()),
                _ => return Err(error),
            }
        }
    }
    Ok(())
}

/// As on Linux.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn begin_sync(file: BorrowedFd<'_>, before: Range<u64>, range: Range<u64>) -> io::Result<()> {
    let _ = (file.as_raw_fd(), before, range);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_the_hint_and_a_pipe_does_not_mind() {
        use std::io::Write;
        use std::os::fd::AsFd;
        let path = std::env::temp_dir().join(format!("ferrite-begin-sync-{}", std::process::id()));
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(&[7; 10_000]).unwrap();
        begin_sync(file.as_fd(), 0..0, 0..5_000).unwrap();
        begin_sync(file.as_fd(), 0..5_000, 5_000..10_000).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), [7; 10_000]);
        std::fs::remove_file(path).unwrap();
        let (reader, _writer) = std::io::pipe().unwrap();
        begin_sync(reader.as_fd(), 0..1, 1..2).unwrap();
    }
}
