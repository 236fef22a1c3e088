//! Running in the background without `fork`.
//!
//! A program with threads cannot fork safely, and this one's allocator starts threads before
//! `main`. To become a daemon the program therefore starts itself again with the same arguments
//! and a marker in the environment; the second process makes itself the leader of a new session,
//! and the first one ends. Standard streams go to `/dev/null`, except that a configuration that
//! was read from the standard input is handed on through a pipe.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Set in the environment of the process that is the daemon.
const MARKER: &str = "FERRITE_DAEMON";

/// Whether this process is the daemon that [`start`] started.
pub fn is_daemon() -> bool {
    std::env::var_os(MARKER).is_some()
}

/// Starts the daemon with this process's arguments; `stdin` is what was read from standard input.
///
/// # Errors
/// When the executable cannot be started again.
pub fn start(arguments: &[OsString], stdin: Option<&[u8]>) -> io::Result<()> {
    let mut command = Command::new(program());
    if let Some((program, rest)) = arguments.split_first() {
        command.arg0(program).args(rest);
    }
    command
        .env(MARKER, std::process::id().to_string())
        .stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn()?;
    if let (Some(text), Some(mut pipe)) = (stdin, child.stdin.take()) {
        pipe.write_all(text)?;
    }
    Ok(())
}

/// Where the executable lies, to start it again. A process is listed under the last part of the
/// path it was started by, so that is the real one; the kernel's link to the running executable
/// serves where that was removed or replaced.
pub fn program() -> PathBuf {
    let path = std::env::current_exe().ok().filter(|path| path.is_file());
    path.unwrap_or_else(|| PathBuf::from("/proc/self/exe"))
}

/// Detaches the daemon from the session it was started in.
pub fn detach() {
    // Fails only for a process that leads a group already, which is detached then.
    let _ = rustix::process::setsid();
}
