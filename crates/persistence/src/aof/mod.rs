//! The append-only file: the log of all changes, kept as a base and the changes since.
//!
//! ```text
//!  commands ──append──> EffectLog ──take──> Writer ──> appendonly.aof.7.incr.aof
//!  (under their locks)   (memory)          (a thread)           ^
//!                                                               | cut at a position
//!  BGREWRITEAOF ── snapshot at the cut ──> appendonly.aof.7.base.rdb ──> manifest
//! ```
//!
//! [`EffectLog`] takes what commands did, in an order that all shards agree on, and says how far it
//! reaches: a position in bytes. [`Writer`] brings it to the disk and says how far that reaches.
//! The [`Manifest`] names the files that make up the dataset, and [`Reader`] takes a file of
//! commands apart again. Names and formats are those of Redis 7, so that either can start where the
//! other has stopped.

mod base;
mod commands;
mod log;
mod manifest;
mod reader;
mod writer;

pub use base::{BaseFormat, CommandBase, write_base};
pub use commands::Commands;
pub use log::{EffectLog, Segment, Surroundings};
pub use manifest::{FileInfo, FileKind, Manifest, ManifestError, Names};
pub use reader::{End, Item, Reader, is_torn};
pub use writer::{Failure, Fsync, Rest, Writer, WriterSettings};
