//! The engine in a test's own process: no sockets, no files, and a clock that the test moves.
//!
//! [`InProcess`] is an engine with everything around it replaced: [`TestPlatform`] for the program,
//! a [`TestClock`], a [`Recorder`] for the consumers of effects. [`Connection`] is a client of it:
//! request bytes go in, reply bytes come out, as on a socket. On these two stand the conformance
//! target ([`InProcessTarget`]), the sessions of the linearizability test, the load generator
//! ([`load`]) and the checker of snapshots ([`point_in_time`]). The engine's own tests are in
//! `tests/`.

mod clock;
mod connection;
pub mod crash;
mod in_process;
// What is tested and measured here runs with the server's allocator.
use sys as _;

pub mod load;
mod platform;
pub mod point_in_time;
mod recorder;
mod target;

pub use clock::TestClock;
pub use connection::{Connection, State};
pub use in_process::{InProcess, Setup};
pub use platform::{Background, Inbox, TestPlatform};
pub use recorder::{Heard, Recorder};
pub use target::InProcessTarget;
