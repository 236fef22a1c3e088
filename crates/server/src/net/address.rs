//! Peer addresses: accepting, naming, judging them.

use std::net::SocketAddr;
use std::os::fd::AsFd;

use rustix::net::SocketAddrAny;

/// The internet address in a socket address of any family.
pub fn internet(address: Option<SocketAddrAny>) -> Option<SocketAddr> {
    SocketAddr::try_from(address?).ok()
}

/// Our own end of a connection.
pub fn local(socket: impl AsFd) -> Option<SocketAddr> {
    internet(rustix::net::getsockname(socket).ok())
}

/// `127.0.0.1:6379` or `[::1]:6379`; `?:0` when the system did not say.
pub fn show(address: Option<SocketAddr>) -> String {
    address.map_or_else(|| "?:0".to_owned(), |address| address.to_string())
}

/// Whether the peer is this machine: the loopback network, also in its IPv6-mapped form.
pub fn is_loopback(address: Option<SocketAddr>) -> bool {
    address.is_some_and(|address| address.ip().to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_recognized_in_every_form() {
        for text in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(is_loopback(Some(text.parse().unwrap())), "{text}");
        }
        for text in ["10.0.0.1:1", "[::2]:1", "[::ffff:10.0.0.1]:1", "128.0.0.1:1"] {
            assert!(!is_loopback(Some(text.parse().unwrap())), "{text}");
        }
        assert!(!is_loopback(None));
    }

    #[test]
    fn addresses_are_shown_as_clients_know_them() {
        assert_eq!(show(Some("127.0.0.1:6379".parse().unwrap())), "127.0.0.1:6379");
        assert_eq!(show(Some("[::1]:6379".parse().unwrap())), "[::1]:6379");
        assert_eq!(show(None), "?:0");
    }
}
