//! How the dataset reaches the disk and comes back: snapshots, the append-only file, loading.
//!
//! Invariant: nothing here opens a file, reads a clock or starts a thread. The disk is the trait
//! [`Storage`], which the server implements with files and tests with a disk that fails and crashes
//! on purpose; who runs a step, and when, is decided above.

pub mod aof;
mod flush_ahead;
pub mod load;
pub mod save;
pub mod storage;

pub use storage::{Mark, Output, Source, Storage};
