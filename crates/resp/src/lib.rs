//! The Redis serialization protocol, versions 2 and 3, as pure state machines over byte slices.
//!
//! Three parts: [`RequestParser`] turns the bytes that clients send into zero-copy argument views
//! ([`Args`]); [`Reply`] collects the bytes that go back; [`ReplyParser`] is the other end of the
//! wire, for clients, tests and replicas. Nothing here knows a socket, a session or a command.

mod args;
mod command_line;
mod output;
mod reply;
mod request;
mod value;

pub use args::{Args, ArgsBuffer, Iter, OwnedArgs};
pub use command_line::{encode_argument, encode_command, encode_command_header, encode_request};
pub use output::{Chunks, Mark, SharedBytes};
pub use reply::{Length, Reply};
pub use request::{Limits, ProtocolError, RequestParser, Step};
pub use value::{ReplyError, ReplyParser, ReplyStep, Value};

/// The version of the protocol that a connection speaks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub enum Version {
    /// Five types; what a connection starts with.
    #[default]
    Resp2,
    /// Adds maps, sets, doubles, booleans, pushes and more; chosen with `HELLO 3`.
    Resp3,
}

impl Version {
    /// The number that `HELLO` reads and prints.
    pub fn number(self) -> i64 {
        match self {
            Self::Resp2 => 2,
            Self::Resp3 => 3,
        }
    }
}
