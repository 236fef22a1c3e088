//! The file formats, as pure transforms between bytes and values.
//!
//! Invariant: nothing here knows a file, a socket, a key's lock or a command. An encoder writes
//! into a [`Sink`], piece by piece, so that the same code fills a reply, a file or a replica's
//! socket; a decoder reads a byte slice and trusts nothing in it.
//!
//! Reading order: [`sink`], then [`rdb`] (the values of RDB files), then [`dump`] (one value with
//! a footer, the payload of `DUMP` and `RESTORE`).

pub mod dump;
pub mod rdb;
pub mod sink;

pub use sink::Sink;
