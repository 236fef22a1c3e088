//! The sockets that connections arrive at.
//!
//! The set is shared: loop 0 accepts from it, and whichever thread runs `CONFIG SET bind` or
//! `port` replaces it, directly through loop 0's registry. Two threads never wait for each other
//! here; the lock is held for the system calls only.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType, sockopt};
use stdx::error::reason;

use crate::log_warning;

/// Where to listen, from the parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Addresses of `bind`, as written.
    pub addresses: Vec<Vec<u8>>,
    /// TCP port, 0 for none.
    pub port: u16,
    /// Connections that may wait to be accepted.
    pub backlog: i32,
}

/// One listening socket.
#[derive(Debug)]
pub struct Listener {
    socket: OwnedFd,
    /// Of a unix socket, the path to delete at the end.
    path: Option<PathBuf>,
}

impl Listener {
    /// Whether connections arrive through the file system.
    pub fn is_unix(&self) -> bool {
        self.path.is_some()
    }

    /// The path of a unix socket, empty for others.
    pub fn path(&self) -> &Path {
        self.path.as_deref().unwrap_or(Path::new(""))
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Who may connect to a unix socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SocketAccess {
    /// Permission bits; 0 leaves those of the process's mask.
    pub mode: u32,
    /// Number of the group that owns it, if not the process's.
    pub group: Option<u32>,
}

/// A socket call that failed, named as people know it from other servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketError {
    call: &'static str,
    error: Errno,
}

impl SocketError {
    fn of(call: &'static str) -> impl Fn(Errno) -> Self {
        move |error| Self { call, error }
    }
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, reason(&io::Error::from(self.error)))
    }
}

/// All listening sockets.
#[derive(Debug)]
pub struct Listeners {
    registry: Registry,
    token: Token,
    set: Mutex<Set>,
}

#[derive(Debug, Default)]
struct Set {
    /// What `tcp` was opened for.
    wanted: Option<Wanted>,
    tcp: Vec<Listener>,
    unix: Option<Listener>,
}

impl Listeners {
    /// No sockets yet; they will be polled through `registry` under `token`.
    pub fn new(registry: Registry, token: Token) -> Self {
        Self { registry, token, set: Mutex::default() }
    }

    fn set(&self) -> MutexGuard<'_, Set> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the TCP sockets. False if that is not possible, which the log explains; then
    /// the sockets there were before are opened again.
    ///
    /// The old sockets must be closed first: an address cannot be listened at twice, and
    /// `127.0.0.1` is part of `*`.
    pub fn listen_tcp(&self, wanted: Wanted) -> bool {
        let mut set = self.set();
        if set.wanted.as_ref() == Some(&wanted) {
            return true;
        }
        set.tcp.clear();
        if let Some(sockets) = self.open_all(&wanted) {
            set.tcp = sockets;
            set.wanted = Some(wanted);
            return true;
        }
        match set.wanted.as_ref().and_then(|before| self.open_all(before)) {
            Some(sockets) => set.tcp = sockets,
            // Somebody else has taken the address: the same wish must be tried again.
            None => set.wanted = None,
        }
        false
    }

    /// Opens a socket for every address, or none at all.
    fn open_all(&self, wanted: &Wanted) -> Option<Vec<Listener>> {
        let mut sockets = Vec::new();
        if wanted.port == 0 || wanted.addresses.is_empty() {
            return Some(sockets);
        }
        for text in &wanted.addresses {
            let text = String::from_utf8_lossy(text);
            let (name, optional) = match text.strip_prefix('-') {
                Some(name) => (name, true),
                None => (&*text, false),
            };
            match open_tcp(name, wanted).and_then(|socket| {
                self.watch(&socket).map_err(SocketError::of("epoll_ctl"))?;
                Ok(socket)
            }) {
                Ok(socket) => sockets.push(Listener { socket, path: None }),
                Err(error) => {
                    log_warning!(
                        "Warning: Could not create server TCP listening socket {name}:{}: {error}",
                        wanted.port
                    );
                    let skipped = (optional && error.error == Errno::ADDRNOTAVAIL)
                        || is_missing_protocol(error.error);
                    if !skipped {
                        return None;
                    }
                }
            }
        }
        // A server that nobody can reach although a port is set would be a surprise.
        (!sockets.is_empty()).then_some(sockets)
    }

    /// Opens the unix socket at `path` as `access` has it.
    ///
    /// # Errors
    /// The call that failed.
    pub fn listen_unix(
        &self,
        path: &Path,
        access: SocketAccess,
        backlog: i32,
    ) -> Result<(), SocketError> {
        // A socket that an earlier server left behind would be in the way.
        let _ = std::fs::remove_file(path);
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
            .map_err(SocketError::of("socket"))?;
        let address = net::SocketAddrUnix::new(path).map_err(SocketError::of("bind"))?;
        net::bind(&socket, &address).map_err(SocketError::of("bind"))?;
        net::listen(&socket, backlog).map_err(SocketError::of("listen"))?;
        let failed = |call| {
            move |error: io::Error| SocketError {
                call,
                error: Errno::from_io_error(&error).unwrap_or(Errno::IO),
            }
        };
        if access.mode != 0 {
            let permissions = std::fs::Permissions::from_mode(access.mode);
            std::fs::set_permissions(path, permissions).map_err(failed("chmod"))?;
        }
        if access.group.is_some() {
            std::os::unix::fs::chown(path, None, access.group).map_err(failed("chown"))?;
        }
        self.watch(&socket).map_err(SocketError::of("epoll_ctl"))?;
        self.set().unix = Some(Listener { socket, path: Some(path.to_owned()) });
        Ok(())
    }

    fn watch(&self, socket: &OwnedFd) -> Result<(), Errno> {
        self.registry
            .register(&mut SourceFd(&socket.as_raw_fd()), self.token, Interest::READABLE)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
    }

    /// Calls `visit` with each socket in turn while it returns true.
    pub fn visit(&self, mut visit: impl FnMut(&Listener) -> bool) {
        let set = self.set();
        for listener in set.tcp.iter().chain(&set.unix) {
            if !visit(listener) {
                return;
            }
        }
    }

    /// Whether there is a unix socket.
    pub fn has_unix(&self) -> bool {
        self.set().unix.is_some()
    }

    /// Whether there is a TCP socket.
    pub fn has_tcp(&self) -> bool {
        !self.set().tcp.is_empty()
    }

    /// Number of sockets.
    pub fn len(&self) -> usize {
        let set = self.set();
        set.tcp.len() + usize::from(set.unix.is_some())
    }

    /// Whether there is no socket at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Closes every socket and deletes the file of the unix socket.
    pub fn close(&self) {
        let mut set = self.set();
        set.tcp.clear();
        if let Some(path) = set.unix.take().and_then(|listener| listener.path) {
            // The process is about to end; the next one removes a leftover anyway.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Errors of machines without IPv6, or without IPv4: such an address is left out.
fn is_missing_protocol(error: Errno) -> bool {
    matches!(
        error,
        Errno::NOPROTOOPT
            | Errno::PROTONOSUPPORT
            | Errno::SOCKTNOSUPPORT
            | Errno::PFNOSUPPORT
            | Errno::AFNOSUPPORT
    )
}

/// What an address of `bind` stands for: `*` is every IPv4 address, `::*` every IPv6 one.
fn resolve(name: &str, port: u16) -> Option<SocketAddr> {
    match name {
        "*" => Some((IpAddr::from(Ipv4Addr::UNSPECIFIED), port).into()),
        "::*" => Some((IpAddr::from(Ipv6Addr::UNSPECIFIED), port).into()),
        name => (name, port).to_socket_addrs().ok()?.next(),
    }
}

fn open_tcp(name: &str, wanted: &Wanted) -> Result<OwnedFd, SocketError> {
    let not_found = SocketError { call: "getaddrinfo", error: Errno::ADDRNOTAVAIL };
    let address = resolve(name, wanted.port).ok_or(not_found)?;
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = net::socket_with(family, SocketType::STREAM, flags, None)
        .map_err(SocketError::of("socket"))?;
    if address.is_ipv6() {
        // `*` and `::*` together must not collide.
        sockopt::set_ipv6_v6only(&socket, true).map_err(SocketError::of("setsockopt"))?;
    }
    sockopt::set_socket_reuseaddr(&socket, true).map_err(SocketError::of("setsockopt"))?;
    net::bind(&socket, &address).map_err(SocketError::of("bind"))?;
    net::listen(&socket, wanted.backlog).map_err(SocketError::of("listen"))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    fn free_port() -> u16 {
        std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
    }

    fn wanted(addresses: &[&str], port: u16) -> Wanted {
        let addresses = addresses.iter().map(|text| text.as_bytes().to_vec()).collect();
        Wanted { addresses, port, backlog: 16 }
    }

    fn listeners() -> (mio::Poll, Listeners) {
        let poll = mio::Poll::new().unwrap();
        let registry = poll.registry().try_clone().unwrap();
        (poll, Listeners::new(registry, Token(0)))
    }

    #[test]
    fn names_mean_addresses() {
        assert_eq!(resolve("*", 7), Some("0.0.0.0:7".parse().unwrap()));
        assert_eq!(resolve("::*", 7), Some("[::]:7".parse().unwrap()));
        assert_eq!(resolve("::1", 7), Some("[::1]:7".parse().unwrap()));
        assert_eq!(resolve("127.0.0.1", 7), Some("127.0.0.1:7".parse().unwrap()));
        assert_eq!(resolve("999.0.0.1", 7), None);
    }

    #[test]
    fn optional_addresses_may_be_missing_others_not() {
        let (_poll, listeners) = listeners();
        // TEST-NET-1 is assigned to no machine.
        assert!(listeners.listen_tcp(wanted(&["127.0.0.1", "-192.0.2.1"], free_port())));
        assert_eq!(listeners.len(), 1);
        assert!(!listeners.listen_tcp(wanted(&["127.0.0.1", "192.0.2.1"], free_port())));
        assert_eq!(listeners.len(), 1);
        assert!(listeners.listen_tcp(wanted(&["*"], 0)));
        assert!(listeners.is_empty());
    }

    #[test]
    fn a_failed_change_restores_what_was() {
        let (_poll, listeners) = listeners();
        let before = wanted(&["127.0.0.1"], free_port());
        let port = before.port;
        assert!(listeners.listen_tcp(before));
        let occupied = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = wanted(&["127.0.0.1"], occupied.local_addr().unwrap().port());
        assert!(!listeners.listen_tcp(taken));
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
        // Listening at every address although one of them is in use by the set itself.
        assert!(listeners.listen_tcp(wanted(&["*"], port)));
    }

    #[test]
    fn errors_read_like_those_of_other_servers() {
        let error = SocketError { call: "bind", error: Errno::ADDRINUSE };
        assert_eq!(error.to_string(), "bind: Address already in use");
    }
}
