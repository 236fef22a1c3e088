//! `MONITOR`: clients that see every command that is executed.
//!
//! A line is written while the command's locks are held, so the lines on one key come in the order
//! of its changes, and once for all clients. While nobody listens, a command pays one test of a bit
//! that it has read anyway ([`Interest::MONITOR`](store::Interest::MONITOR)).

use std::io::Write as _;
use std::sync::Arc;

use command::Flags;
use parking_lot::Mutex;
use resp::Args;

use crate::clients::{ClientFlags, Endpoint};
use crate::engine::Engine;
use crate::platform::Message;
use crate::pubsub::Listeners;
use crate::push::Push;
use crate::redaction;
use crate::registry::Entry;
use crate::session::Session;

/// The clients that listen.
#[derive(Debug, Default)]
pub(crate) struct Monitors {
    listeners: Mutex<Listeners>,
}

impl Monitors {
    pub(crate) fn is_empty(&self) -> bool {
        self.listeners.lock().is_empty()
    }
}

/// Who executes a command, as a line shows it.
#[derive(Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// A client.
    Client(&'a Endpoint),
    /// A script.
    Script,
}

impl Engine {
    /// `MONITOR`: the session sees every command from now on.
    pub(crate) fn monitor(&self, session: &Session) {
        if !session.handle.flags().has(ClientFlags::MONITOR) {
            session.handle.set_flag(ClientFlags::MONITOR, true);
            self.monitors.listeners.lock().add(session.handle.thread, session.id());
            self.interest_changed();
        }
    }

    /// The session sees no commands any more.
    pub(crate) fn end_monitor(&self, session: &Session) {
        if session.handle.flags().has(ClientFlags::MONITOR) {
            session.handle.set_flag(ClientFlags::MONITOR, false);
            self.monitors.listeners.lock().remove(session.handle.thread, session.id());
            self.interest_changed();
        }
    }

    /// Shows a command to those who monitor. Administrative ones are not shown.
    #[cold]
    pub(crate) fn show_command(&self, entry: &Entry, args: Args<'_>, db: usize, by: Origin<'_>) {
        if entry.spec.flags.intersects(Flags::ADMIN | Flags::SKIP_MONITOR) {
            return;
        }
        self.show_line(entry, args, db, by);
    }

    /// As [`Engine::show_command`], for a command that says itself when it is to be seen.
    pub(crate) fn show_line(&self, entry: &Entry, args: Args<'_>, db: usize, by: Origin<'_>) {
        let line: Arc<[u8]> = line(self.clock.unix_us(), entry, args, db, by).into();
        for (thread, clients) in self.monitors.listeners.lock().by_thread() {
            let push = Push::Monitored(line.clone());
            self.platform.send(thread, Message::Push { clients: clients.clone(), push });
        }
    }
}

/// `+seconds.micros [db address] "word" ...`
fn line(now_us: u64, entry: &Entry, args: Args<'_>, db: usize, by: Origin<'_>) -> Vec<u8> {
    let mut line = Vec::with_capacity(64 + args.bytes_len());
    let (seconds, micros) = (now_us / 1_000_000, now_us % 1_000_000);
    let address = match by {
        Origin::Script => "lua".to_owned(),
        Origin::Client(endpoint) if endpoint.unix => {
            let path = endpoint.address.strip_suffix(":0").unwrap_or(&endpoint.address);
            format!("unix:{path}")
        }
        Origin::Client(endpoint) => endpoint.address.clone(),
    };
    // Writing to a vector cannot fail.
    let _ = write!(line, "+{seconds}.{micros:06} [{db} {address}]");
    for arg in redaction::shown(entry, args) {
        line.push(b' ');
        stdx::text::quote_into(&mut line, arg);
    }
    line.extend_from_slice(b"\r\n");
    line
}

#[cfg(test)]
mod tests {
    use resp::OwnedArgs;

    use super::*;
    use crate::registry::Registry;

    #[test]
    fn a_line_names_time_database_and_origin() {
        let args = OwnedArgs::from_slices(&[&b"set"[..], b"a b", b"\x00\n"]);
        let entry = Registry::get().find(b"set").unwrap();
        let shown = |by: Origin<'_>| {
            String::from_utf8(line(1_000_042, entry, args.as_args(), 3, by)).unwrap()
        };
        let words = r#""set" "a b" "\x00\n""#;
        assert_eq!(shown(Origin::Script), format!("+1.000042 [3 lua] {words}\r\n"));
        let mut endpoint = Endpoint { address: "1.2.3.4:5".into(), ..Endpoint::default() };
        assert_eq!(
            shown(Origin::Client(&endpoint)),
            format!("+1.000042 [3 1.2.3.4:5] {words}\r\n")
        );
        endpoint = Endpoint { address: "/tmp/s:0".into(), unix: true, ..endpoint };
        let line = format!("+1.000042 [3 unix:/tmp/s] {words}\r\n");
        assert_eq!(shown(Origin::Client(&endpoint)), line);
    }
}
