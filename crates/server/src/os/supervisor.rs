//! Talking to the program that supervises the server: systemd or upstart.
//!
//! systemd names a datagram socket in `NOTIFY_SOCKET` and reads `KEY=value` lines from it; a name
//! that starts with `@` is in the abstract namespace. Upstart names a job in `UPSTART_JOB` and
//! waits for the process to stop itself.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use config::Supervised;

/// The supervisor that the server found at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supervisor {
    /// Nobody, or somebody who does not want to hear anything.
    None,
    /// systemd, through its notification socket.
    Systemd,
    /// upstart.
    Upstart,
}

impl Supervisor {
    /// Follows the `supervised` parameter. The second value is a warning for the log: a
    /// supervisor was asked for that is not there.
    pub fn detect(parameter: Supervised) -> (Self, Option<&'static str>) {
        let has_systemd = std::env::var_os("NOTIFY_SOCKET").is_some();
        let has_upstart = std::env::var_os("UPSTART_JOB").is_some();
        match parameter {
            Supervised::No => (Self::None, None),
            Supervised::Systemd if has_systemd => (Self::Systemd, None),
            Supervised::Systemd => {
                (Self::None, Some("systemd supervision requested, but NOTIFY_SOCKET not found!"))
            }
            Supervised::Upstart if has_upstart => (Self::Upstart, None),
            Supervised::Upstart => {
                (Self::None, Some("upstart supervision requested, but UPSTART_JOB not found!"))
            }
            Supervised::Auto if has_upstart => (Self::Upstart, None),
            Supervised::Auto if has_systemd => (Self::Systemd, None),
            Supervised::Auto => (Self::None, None),
        }
    }

    /// The word of the `supervised` parameter.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "no",
            Self::Systemd => "systemd",
            Self::Upstart => "upstart",
        }
    }

    /// Whether the server runs under supervision.
    pub fn is_some(self) -> bool {
        self != Self::None
    }

    /// Says that the server serves now.
    pub fn ready(self) {
        match self {
            Self::None => {}
            Self::Systemd => notify("STATUS=Ready to accept connections\nREADY=1\n"),
            Self::Upstart => {
                // Upstart takes the stop as the sign of readiness and continues the process.
                let me = rustix::process::getpid();
                let _ = rustix::process::kill_process(me, rustix::process::Signal::STOP);
            }
        }
    }

    /// Says that the server is about to end.
    pub fn stopping(self) {
        if self == Self::Systemd {
            notify("STATUS=Saving the final snapshot\nSTOPPING=1\n");
        }
    }
}

/// Sends lines to systemd. A supervisor that does not listen is no reason not to serve.
fn notify(lines: &str) {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let address = match name.as_bytes() {
        [b'@', abstract_name @ ..] => SocketAddr::from_abstract_name(abstract_name),
        _ => SocketAddr::from_pathname(&name),
    };
    let _ = address
        .and_then(|address| UnixDatagram::unbound()?.send_to_addr(lines.as_bytes(), &address));
}
