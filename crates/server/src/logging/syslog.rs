//! Lines for the system log: datagrams to `/dev/log` in the format of RFC 3164.

use std::os::unix::net::UnixDatagram;

use config::SyslogFacility;

use super::Level;
use crate::os::calendar::LocalTime;

const SOCKET: &str = "/dev/log";

/// A connection to the local system log.
#[derive(Debug)]
pub struct Syslog {
    socket: Option<UnixDatagram>,
    ident: String,
    facility: SyslogFacility,
}

impl Syslog {
    /// Lines are marked with `ident` and filed under `facility`.
    pub fn new(ident: String, facility: SyslogFacility) -> Self {
        let socket = UnixDatagram::unbound().and_then(|socket| {
            // A system log that is stuck must not block the server.
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        Self { socket: socket.ok(), ident, facility }
    }

    /// Sends one line; lost if nobody listens.
    pub fn send(&self, level: Level, text: &str) {
        let Some(socket) = &self.socket else { return };
        let severity = match level {
            Level::Debug => 7,
            Level::Verbose => 6,
            Level::Notice => 5,
            Level::Warning => 4,
        };
        let priority = self.facility as i64 + severity;
        // RFC 3164 wants `Mmm dd hh:mm:ss`.
        let stamp = LocalTime::now().syslog();
        let line = format!("<{priority}>{stamp} {}[{}]: {text}", self.ident, std::process::id());
        let _ = socket.send_to(line.as_bytes(), SOCKET);
    }
}
