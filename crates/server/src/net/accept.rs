//! Accepting connections, refusing some, and choosing the event loop for the others.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use config::Config;
use engine::Endpoint;
use rustix::io::Errno;
use rustix::net::{self, SocketFlags, sockopt};

use super::address;
use super::listener::Listener;
use super::{Inbox, Mail};
use crate::server::Shared;
use crate::{log_verbose, log_warning};

/// How long not to accept after the system refused a descriptor: the connections wait in the
/// kernel meanwhile, and nothing spins.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

const TOO_MANY_CLIENTS: &[u8] = b"-ERR max number of clients reached\r\n";

/// The reply to strangers while protected mode is on. Clients and documents quote it.
const PROTECTED: &[u8] = b"-DENIED Redis is running in protected mode because protected mode is \
enabled and no password is set for the default user. In this mode connections are only accepted \
from the loopback interface. If you want to connect from external computers to Redis you may \
adopt one of the following solutions: 1) Just disable protected mode sending the command 'CONFIG \
SET protected-mode no' from the loopback interface by connecting to Redis from the same host the \
server is running, however MAKE SURE Redis is not publicly accessible from internet if you do so. \
Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the \
protected mode by editing the Redis configuration file, and setting the protected mode option to \
'no', and then restarting the server. 3) If you started the server manually just for testing, \
restart it with the '--protected-mode no' option. 4) Set up an authentication password for the \
default user. NOTE: You only need to do one of the above things in order for the server to start \
accepting connections from the outside.\r\n";

/// The accepting side of loop 0.
#[derive(Debug, Default)]
pub struct Acceptor {
    /// Connections may be waiting.
    pending: bool,
    /// Do not try before.
    not_before: Option<Instant>,
}

impl Acceptor {
    /// Notes that the poller saw connections.
    pub fn notify(&mut self) {
        self.pending = true;
    }

    /// For how long the loop may wait because of connections not accepted yet; none if there are
    /// none.
    pub fn delay(&self) -> Option<Duration> {
        if !self.pending {
            return None;
        }
        let until = self.not_before.map(|at| at.saturating_duration_since(Instant::now()));
        Some(until.unwrap_or_default())
    }

    /// Accepts what waits, up to `max-new-connections-per-cycle`, and sends each connection to a
    /// loop.
    pub fn accept(&mut self, shared: &Shared) {
        if self.delay() != Some(Duration::ZERO) {
            return;
        }
        self.pending = false;
        self.not_before = None;
        let config = &*shared.engine.config;
        let mut budget = config.get(config::rows::MAX_NEW_CONNECTIONS_PER_CYCLE);
        shared.listeners.visit(|listener| {
            while budget > 0 {
                match net::acceptfrom_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
                    Ok((socket, peer)) => {
                        budget -= 1;
                        admit(shared, listener, socket, address::internet(peer));
                    }
                    Err(Errno::AGAIN) => return true,
                    // The peer gave up before it was accepted.
                    Err(Errno::INTR | Errno::CONNABORTED) => {}
                    Err(error) => {
                        let error = io::Error::from(error);
                        log_warning!("Accepting client connection: accept: {error}");
                        self.pending = true;
                        self.not_before = Some(Instant::now() + EXHAUSTED_PAUSE);
                        return false;
                    }
                }
            }
            self.pending = true;
            false
        });
    }
}

/// Refuses the connection, or sets it up and hands it to the loop with the fewest.
fn admit(
    shared: &Shared,
    listener: &Listener,
    socket: OwnedFd,
    peer: Option<std::net::SocketAddr>,
) {
    let engine = &*shared.engine;
    let stats = engine.stats.thread(0);
    if let Some(refusal) = refusal(shared, listener, peer) {
        // Whether the peer gets to read why is not worth waiting for.
        let _ = rustix::io::write(&socket, refusal);
        stats.rejected_connections.add(1);
        return;
    }
    stats.accepted.add(1);
    let endpoint = if listener.is_unix() {
        let path = format!("{}:0", listener.path().display());
        Endpoint { local_address: path.clone(), address: path, fd: socket.as_raw_fd(), unix: true }
    } else {
        set_tcp_options(&socket, &engine.config);
        Endpoint {
            address: address::show(peer),
            local_address: address::show(address::local(&socket)),
            fd: socket.as_raw_fd(),
            unix: false,
        }
    };
    log_verbose!("Accepted {}", endpoint.address);
    let inbox = least_loaded(&shared.inboxes);
    inbox.load_up();
    inbox.send(Mail::Connection { socket, endpoint });
}

fn refusal(
    shared: &Shared,
    listener: &Listener,
    peer: Option<std::net::SocketAddr>,
) -> Option<&'static [u8]> {
    let config = &*shared.engine.config;
    let connections: usize = shared.inboxes.iter().map(|inbox| inbox.load()).sum();
    if connections as i64 >= config.get(config::rows::MAXCLIENTS) {
        return Some(TOO_MANY_CLIENTS);
    }
    let is_stranger = !listener.is_unix() && !address::is_loopback(peer);
    let is_open = config.get(config::rows::REQUIREPASS).is_empty();
    (is_stranger && is_open && config.get(config::rows::PROTECTED_MODE)).then_some(PROTECTED)
}

fn least_loaded(inboxes: &[std::sync::Arc<Inbox>]) -> &Inbox {
    inboxes.iter().min_by_key(|inbox| inbox.load()).expect("a server has at least one event loop")
}

/// Sends small replies at once, and notices peers that vanished. Advice: a socket without it works.
fn set_tcp_options(socket: &OwnedFd, config: &Config) {
    let _ = sockopt::set_tcp_nodelay(socket, true);
    let Ok(seconds @ 1..) = u64::try_from(config.get(config::rows::TCP_KEEPALIVE)) else { return };
    // Three probes in the time of one interval: a dead peer is noticed after about twice that.
    let _ = sockopt::set_socket_keepalive(socket, true);
    let _ = sockopt::set_tcp_keepidle(socket, Duration::from_secs(seconds));
    let _ = sockopt::set_tcp_keepintvl(socket, Duration::from_secs((seconds / 3).max(1)));
    let _ = sockopt::set_tcp_keepcnt(socket, 3);
}
