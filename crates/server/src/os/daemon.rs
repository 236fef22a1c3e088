//! Running in the background without `fork`.
//!
//! A program with threads cannot fork safely, and this one's allocator starts threads before
//! `main`. To become a daemon the program therefore starts itself again with the same arguments
//! and a marker in the environment; the second process makes itself the leader of a new session,
//! and the first one ends. Standard streams go to `/dev/null`, except that a configuration that
//! was read from the standard input is handed on through a pipe.

use std::ffi::{CString, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Set in the environment of the process that is the daemon, to the name under which the process
/// before it is listed: the last part of the path it was started by, which may be a link.
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
        .env(MARKER, OsString::from_vec(listed_name()))
        .stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn()?;
    if let (Some(text), Some(mut pipe)) = (stdin, child.stdin.take()) {
        pipe.write_all(text)?;
    }
    Ok(())
}

/// The name under which this process is listed.
fn listed_name() -> Vec<u8> {
    rustix::thread::name().map(CString::into_bytes).unwrap_or_default()
}

/// Where the executable lies, to start it again; the kernel's link to the running executable
/// serves where it was removed or replaced.
pub fn program() -> PathBuf {
    let path = std::env::current_exe().ok().filter(|path| path.is_file());
    path.unwrap_or_else(|| PathBuf::from("/proc/self/exe"))
}

/// Detaches the daemon from the session it was started in, and lists it under the name that it
/// was started by, which `pidof`, `pgrep` and `killall` look for.
pub fn detach() {
    let name = std::env::var_os(MARKER).unwrap_or_default().into_vec();
    if let Ok(name) = CString::new(name) {
        // A name that cannot be had is a nuisance, but no reason not to serve.
        let _ = rustix::thread::set_name(&name);
    }
    // Fails only for a process that leads a group already, which is detached then.
    let _ = rustix::process::setsid();
}
