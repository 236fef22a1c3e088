//! The log, in the form that Redis's tools read: `PID:ROLE DD Mon YYYY HH:MM:SS.mmm LEVEL text`.
//!
//! There is one log per process, reached through free functions, because crash handlers and the
//! panic hook write to it too and can carry no state. A line is one `write` call to a file opened
//! for appending, so lines of several threads (and of a test harness that appends to the same
//! file) do not mix. The file is opened anew for each line: whoever rotates logs just renames it.

mod syslog;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::sync::{PoisonError, RwLock, TryLockError};

pub use syslog::Syslog;

use crate::os::calendar::LocalTime;

/// Severity of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Details for developers.
    Debug,
    /// Many rarely useful lines.
    Verbose,
    /// What an operator wants to know.
    Notice,
    /// What an operator must know.
    Warning,
}

impl Level {
    fn mark(self) -> char {
        match self {
            Self::Debug => '.',
            Self::Verbose => '-',
            Self::Notice => '*',
            Self::Warning => '#',
        }
    }
}

/// Who writes, the letter behind the process id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A process that is not (yet) a server.
    Starting,
    /// A primary.
    Primary,
}

impl Role {
    fn letter(self) -> u8 {
        match self {
            Self::Starting => b'C',
            Self::Primary => b'M',
        }
    }
}

/// Where lines go.
#[derive(Debug, Default)]
struct Target {
    /// None means the standard output.
    file: Option<PathBuf>,
    syslog: Option<Syslog>,
}

static TARGET: RwLock<Target> = RwLock::new(Target { file: None, syslog: None });
/// Lines below this severity are dropped; the numbers of `loglevel`'s words.
static THRESHOLD: AtomicI64 = AtomicI64::new(config::LogLevel::Notice as i64);
static ROLE: AtomicU8 = AtomicU8::new(b'C');

/// Sets the severity from which on lines are written.
pub fn set_level(level: config::LogLevel) {
    THRESHOLD.store(level as i64, Ordering::Relaxed);
}

/// Sets the letter behind the process id.
pub fn set_role(role: Role) {
    ROLE.store(role.letter(), Ordering::Relaxed);
}

/// Sends lines to `file`, or to the standard output if there is none.
///
/// # Errors
/// When the file cannot be opened for appending; the log stays where it was.
pub fn set_file(file: Option<&Path>) -> io::Result<()> {
    if let Some(path) = file {
        OpenOptions::new().append(true).create(true).open(path)?;
    }
    // A relative path must not follow a later change of the working directory.
    let file = file.map(std::path::absolute).transpose()?;
    TARGET.write().unwrap_or_else(PoisonError::into_inner).file = file;
    Ok(())
}

/// Sends lines to the system log as well.
pub fn set_syslog(syslog: Option<Syslog>) {
    TARGET.write().unwrap_or_else(PoisonError::into_inner).syslog = syslog;
}

/// Whether lines of this severity are written: to spare the work of building them.
pub fn enabled(level: Level) -> bool {
    // The words of `loglevel` are numbered like the variants of `Level`; `nothing` comes last.
    level as i64 >= THRESHOLD.load(Ordering::Relaxed)
}

/// Writes a line of this severity.
pub fn write(level: Level, text: &str) {
    if !enabled(level) {
        return;
    }
    let role = char::from(ROLE.load(Ordering::Relaxed));
    let (pid, mark) = (std::process::id(), level.mark());
    let line = format!("{pid}:{role} {} {mark} {text}\n", LocalTime::now());
    raw(line.as_bytes());
    with_target(|target| {
        if let Some(syslog) = &target.syslog {
            syslog.send(level, text);
        }
    });
}

/// Writes a line about a signal, marked as such and with the time in seconds.
pub fn write_signal(text: &str) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seconds = now.unwrap_or_default().as_secs();
    raw(format!("{}:signal-handler ({seconds}) {text}\n", std::process::id()).as_bytes());
}

/// Writes bytes as they are, whatever the severity: crash reports and the logo.
pub fn raw(bytes: &[u8]) {
    with_target(|target| {
        let file = target
            .file
            .as_ref()
            .and_then(|path| OpenOptions::new().append(true).create(true).open(path).ok());
        // There is nobody to tell that a log line could not be written.
        let _ = match file {
            Some(mut file) => file.write_all(bytes),
            None => write_to_stdout(bytes),
        };
    });
}

/// Calls `act` with the target; never blocks, since crash handlers call it. Only while the target
/// is being replaced (or was replaced by a thread that crashed) the standard output stands in.
fn with_target(act: impl FnOnce(&Target)) {
    match TARGET.try_read() {
        Ok(target) => act(&target),
        Err(TryLockError::Poisoned(target)) => act(&target.into_inner()),
        Err(TryLockError::WouldBlock) => act(&Target::default()),
    }
}

/// Writes without the buffer and the lock of the standard library.
fn write_to_stdout(mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(rustix::stdio::stdout(), bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Writes a line of severity `Debug`, formatted as by `format!`.
#[macro_export]
macro_rules! log_debug {
    ($($part:tt)*) => {
        if $crate::logging::enabled($crate::logging::Level::Debug) {
            $crate::logging::write($crate::logging::Level::Debug, &format!($($part)*));
        }
    };
}

/// Writes a line of severity `Verbose`, formatted as by `format!`.
#[macro_export]
macro_rules! log_verbose {
    ($($part:tt)*) => {
        if $crate::logging::enabled($crate::logging::Level::Verbose) {
            $crate::logging::write($crate::logging::Level::Verbose, &format!($($part)*));
        }
    };
}

/// Writes a line of severity `Notice`, formatted as by `format!`.
#[macro_export]
macro_rules! log_notice {
    ($($part:tt)*) => {
        $crate::logging::write($crate::logging::Level::Notice, &format!($($part)*))
    };
}

/// Writes a line of severity `Warning`, formatted as by `format!`.
#[macro_export]
macro_rules! log_warning {
    ($($part:tt)*) => {
        $crate::logging::write($crate::logging::Level::Warning, &format!($($part)*))
    };
}
