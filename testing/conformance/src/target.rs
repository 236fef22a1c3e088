//! What a script runs against: the seam between the runner and a server.
//!
//! The seam is bytes, not commands, so that a target cannot help the server: what a client would
//! put on the socket goes in, what a client would read comes out. The engine plugs in by
//! implementing the two traits over its sessions; [`TcpTarget`] is the one for a running server.

use std::collections::BTreeSet;
use std::time::Duration;

use client::{Address, Client, Error, Options, Value};

use crate::script::Version;

/// Something that accepts connections.
pub trait Target {
    /// Opens a connection that speaks RESP2.
    ///
    /// # Errors
    /// A sentence saying why not.
    fn connect(&mut self) -> Result<Box<dyn Connection>, String>;

    /// Lets that much time pass; a target with a clock of its own moves it and returns at once.
    fn sleep(&mut self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// One client's connection.
pub trait Connection {
    /// Delivers request bytes.
    ///
    /// # Errors
    /// A sentence when the connection is gone; a runner reads the replies that are left all the
    /// same.
    fn send(&mut self, bytes: &[u8]) -> Result<(), String>;

    /// The reply bytes that are there, waiting at most `patience` for the first of them. An
    /// in-process target, whose replies are all there when `send` returns, never waits.
    fn receive(&mut self, patience: Duration) -> Incoming;
}

/// What [`Connection::receive`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// Some reply bytes; at least one.
    Bytes(Vec<u8>),
    /// Nothing came in time.
    Quiet,
    /// The server closed the connection.
    Closed,
}

/// A server at an address.
#[derive(Clone, Debug)]
pub struct TcpTarget {
    address: Address,
}

impl TcpTarget {
    /// The server at `address`, which is connected to when a script needs it.
    pub fn new(address: Address) -> Self {
        TcpTarget { address }
    }
}

impl Target for TcpTarget {
    fn connect(&mut self) -> Result<Box<dyn Connection>, String> {
        match Client::connect(&self.address, &Options::default()) {
            Ok(client) => Ok(Box::new(client)),
            Err(error) => Err(format!("cannot connect to {}: {error}", self.address)),
        }
    }
}

impl Connection for Client {
    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.queue_raw(bytes);
        self.flush().map_err(|error| error.to_string())
    }

    fn receive(&mut self, patience: Duration) -> Incoming {
        if self.set_read_timeout(Some(patience.max(Duration::from_millis(1)))).is_err() {
            return Incoming::Closed;
        }
        match self.receive_raw() {
            Ok(bytes) => Incoming::Bytes(bytes),
            Err(Error::TimedOut) => Incoming::Quiet,
            Err(_) => Incoming::Closed,
        }
    }
}

/// What a target says about itself in `INFO server` and `COMMAND LIST`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `redis_version`.
    pub version: Version,
    /// Whether it is Ferrite.
    pub is_ferrite: bool,
    /// The names of its commands, in capitals.
    pub commands: BTreeSet<String>,
}

impl Identity {
    /// Reads the text of `INFO server`; `None` when it names no version.
    pub fn from_info(info: &str, commands: BTreeSet<String>) -> Option<Self> {
        let field =
            |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let version = Version::parse(field("redis_version")?)?;
        Some(Identity { version, is_ferrite: field("ferrite_version").is_some(), commands })
    }

    /// As [`Identity::from_info`], from the replies to `INFO server` and `COMMAND LIST`.
    pub fn from_replies(info: &Value, list: &Value) -> Option<Self> {
        let names = list.as_slice().unwrap_or_default().iter().filter_map(Value::as_bytes);
        let names = names.map(|name| String::from_utf8_lossy(name).to_ascii_uppercase());
        Self::from_info(std::str::from_utf8(info.as_bytes()?).ok()?, names.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_comes_from_info() {
        let none = BTreeSet::new;
        let other = Identity::from_info("# Server\r\nredis_version:7.0.15\r\n", none()).unwrap();
        assert_eq!((other.version, other.is_ferrite), (Version(7, 0, 15), false));
        let own = Identity::from_info("redis_version:8.8.0\r\nferrite_version:0.1.0\r\n", none())
            .unwrap();
        assert!(own.is_ferrite);
        assert_eq!(Identity::from_info("# Server", none()), None);
    }
}
