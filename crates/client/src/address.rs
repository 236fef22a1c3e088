//! Where a server listens: a TCP host and port, or the path of a unix socket.
//!
//! One type for both, with the text form users type (`127.0.0.1:6379`, `[::1]:6379`, `/run/x.sock`,
//! `unix:x.sock`), so that every tool accepts either kind by the same option.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A server's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A host name or IP address (without brackets) and a port.
    Tcp {
        /// The host name or address as given.
        host: String,
        /// The TCP port.
        port: u16,
    },
    /// The path of a unix domain socket.
    Unix(PathBuf),
}

/// The text is neither `host:port` nor a socket path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError(String);

impl Address {
    /// The address `host:port` over TCP.
    pub fn tcp(host: impl Into<String>, port: u16) -> Self {
        Address::Tcp { host: host.into(), port }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    /// Parses `host:port`, `[v6]:port`, a bare port, `unix:PATH` or any text with a slash in it.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Address::Unix(PathBuf::from(path)));
        }
        if text.contains('/') {
            return Ok(Address::Unix(PathBuf::from(text)));
        }
        if let Ok(port) = text.parse() {
            return Ok(Address::tcp("127.0.0.1", port));
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        if host.is_empty() {
            return Err(wrong());
        }
        Ok(Address::tcp(host, port.parse().map_err(|_| wrong())?))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Tcp { host, port } => write!(f, "{host}:{port}"),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is neither host:port nor the path of a socket", self.0)
    }
}

impl std::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_round_trip() {
        for (text, printed) in [
            ("localhost:7000", "localhost:7000"),
            ("7000", "127.0.0.1:7000"),
            ("[::1]:6379", "[::1]:6379"),
            ("/tmp/a.sock", "unix:/tmp/a.sock"),
            ("unix:a.sock", "unix:a.sock"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), printed);
            assert_eq!(printed.parse::<Address>().unwrap(), address);
        }
        for wrong in ["", ":7", "host", "host:", "host:70000"] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }
}
