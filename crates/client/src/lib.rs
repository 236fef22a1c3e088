//! A small blocking client: what the command-line tools, the benchmark and the test bench use to
//! talk to any server that speaks RESP2 or RESP3.
//!
//! It knows sockets and bytes, not commands: arguments are byte strings, replies are
//! [`Value`]s. There is no pool, no reconnection and no retry, because a tool or a test that
//! loses its connection must say so and not paper over it.
//!
//! ```no_run
//! use client::{Address, Client, Options};
//!
//! let mut client = Client::connect(&Address::tcp("127.0.0.1", 6379), &Options::default())?;
//! client.command(&["SET", "greeting", "hello"])?;
//! let replies = client.pipeline([vec!["GET", "greeting"], vec!["DBSIZE"]])?;
//! # Ok::<(), client::Error>(())
//! ```

mod address;
mod connection;
mod reply;

pub use address::{Address, AddressError};
pub use connection::{Client, Error, Options, encode_command};
pub use reply::Decoder;
pub use resp::{ReplyError, Value};
