//! The process title: what `ps` and `/proc/PID/cmdline` show.
//!
//! Linux reads a process's command line from the process's own memory: the strings of `argv`,
//! followed without a gap by those of the environment. When the last byte of the `argv` area is
//! not NUL, the kernel takes the area for an overwritten title and reads on into the environment
//! up to the first NUL. [`Title::take`] therefore moves the environment to the heap once, at the
//! start of the program, and [`Title::set`] then owns both areas.

use std::ffi::{CString, c_char};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::ptr;

unsafe extern "C" {
    /// The environment array of the C library (POSIX).
    static mut environ: *mut *mut c_char;
}

/// The memory that the title is written to.
#[derive(Debug)]
pub struct Title {
    area: &'static mut [u8],
}

impl Title {
    /// Takes over the memory of the arguments and the environment.
    ///
    /// Must be the first thing a program does: it fails with `InvalidInput` when the process has
    /// threads other than the allocator's, and with the error of `/proc` where there is none.
    /// Of several calls only the first gets the memory; the others fail with `AlreadyExists`.
    pub fn take() -> io::Result<Self> {
        use std::sync::atomic::{AtomicBool, Ordering};
        static TAKEN: AtomicBool = AtomicBool::new(false);
        wait_for_main_thread_alone()?;
        let bounds = Bounds::read()?;
        if TAKEN.swap(true, Ordering::Relaxed) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        move_environment();
        // SAFETY: the kernel reports the bounds of the argument strings and, adjoining, of the
        // environment strings on the initial stack: mapped, writable, and alive for the whole
        // program. The environment array now points to the heap, and `TAKEN` makes this the only
        // reference. The standard library still has the `argv` pointers and reads through them
        // only inside `std::env::args`, which a program asks once, before it takes the title; a
        // later caller would find the title, bounded by the NUL that `set` always leaves.
        let area = unsafe {
            let start = ptr::with_exposed_provenance_mut(bounds.start);
            std::slice::from_raw_parts_mut(start, bounds.len())
        };
        Ok(Self { area })
    }

    /// Shows `title`, cut to the memory there is, NULs replaced by spaces.
    pub fn set(&mut self, title: &[u8]) {
        let Some(capacity) = self.area.len().checked_sub(1) else { return };
        let shown = title.len().min(capacity);
        for (slot, byte) in self.area.iter_mut().zip(&title[..shown]) {
            *slot = if *byte == 0 { b' ' } else { *byte };
        }
        self.area[shown..].fill(0);
    }
}

/// As [`only_main_thread`], with patience: the allocator's threads run a moment before they have
/// their names.
fn wait_for_main_thread_alone() -> io::Result<()> {
    const ATTEMPTS: usize = 50;
    for _ in 1..ATTEMPTS {
        match only_main_thread() {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            outcome => return outcome,
        }
    }
    only_main_thread()
}

/// Fails unless the calling thread is alone but for the allocator's background threads, which
/// never look at arguments or environment.
fn only_main_thread() -> io::Result<()> {
    // The main thread's id is the process's.
    let main = std::process::id().to_string();
    for task in std::fs::read_dir("/proc/self/task")? {
        let task = task?;
        let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if task.file_name() != main.as_str() && !name.starts_with("jemalloc") {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "threads run already"));
        }
    }
    Ok(())
}

/// Copies every environment string to the heap and points the environment array there.
fn move_environment() {
    let mut array: Vec<*mut c_char> = std::env::vars_os()
        .filter_map(|(name, value)| {
            let mut line = name.into_vec();
            line.push(b'=');
            line.extend(value.into_vec());
            CString::new(line).ok().map(CString::into_raw)
        })
        .collect();
    array.push(ptr::null_mut());
    let array = Box::leak(array.into_boxed_slice());
    // SAFETY: no other thread that touches the environment exists (`only_main_thread`), and the
    // new array and its strings are complete, NUL-terminated and never freed.
    unsafe { environ = array.as_mut_ptr() };
}

/// Where the kernel reads the command line from.
#[derive(Clone, Copy)]
struct Bounds {
    start: usize,
    end: usize,
}

impl Bounds {
    /// Fields 48 to 51 of `/proc/self/stat`: `arg_start arg_end env_start env_end`.
    fn read() -> io::Result<Self> {
        let unusable = || io::Error::new(io::ErrorKind::Unsupported, "no usable argument area");
        let stat = std::fs::read_to_string("/proc/self/stat")?;
        // The second field, the name, may contain spaces and parentheses.
        let (_, rest) = stat.rsplit_once(')').ok_or_else(unusable)?;
        let field = |number: usize| -> io::Result<usize> {
            let text = rest.split_ascii_whitespace().nth(number - 3).ok_or_else(unusable)?;
            text.parse().map_err(|_| unusable())
        };
        let (arg_start, arg_end) = (field(48)?, field(49)?);
        let (env_start, env_end) = (field(50)?, field(51)?);
        if arg_start == 0 || arg_start >= arg_end {
            return Err(unusable());
        }
        // An emptied environment leaves only the arguments' own area.
        let adjoins = env_start == arg_end && env_end > env_start;
        Ok(Self { start: arg_start, end: if adjoins { env_end } else { arg_end } })
    }

    fn len(self) -> usize {
        self.end - self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_while_other_threads_run() {
        // The test harness itself runs every test on a thread of its own.
        let error = Title::take().map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn bounds_are_those_of_the_arguments() {
        let bounds = Bounds::read().unwrap();
        let shown = std::fs::read("/proc/self/cmdline").unwrap();
        assert!(bounds.len() >= shown.len());
    }
}
