//! What the standard library lacks and every layer of Ferrite shares.
//!
//! These are small pure functions and types: number text as the Redis protocol has it, glob
//! patterns, checksums, command-line style quoting, the words of errors, a seeded random generator
//! and the clock trait.
//! Nothing here knows a command, and nothing here reads the time, draws entropy or does IO:
//! both time and randomness are arguments below the server, so that any run can be replayed.

pub mod clock;
pub mod crc;
pub mod error;
pub mod geo;
pub mod glob;
pub mod lzf;
pub mod num;
pub mod rng;
pub mod size;
pub mod text;
