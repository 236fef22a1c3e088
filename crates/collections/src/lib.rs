//! The data structures under Ferrite. With `sys` and `lua` the only crate that may use `unsafe`.
//!
//! Invariant: nothing here knows a command, a socket, a clock or a random source. Positions
//! (hashes), times and random numbers arrive as arguments, so every structure is replayable.
//!
//! Reading order: [`size_class`] (what the allocator really hands out), [`bytes`] (shared string
//! values), [`entry`] (one key with its value in one allocation), [`table`] (the key table),
//! [`prefetch`] (hints to the processor). Then the values: [`listpack`] and [`intset`] (small
//! collections in one block), [`list`], [`hash_table`] (large hashes and sets), [`set`], [`hash`],
//! [`ordered`] (large sorted sets), [`sorted_set`], [`array`] (sparse, by index), [`stream`] (the
//! log with its consumer groups), [`hyperloglog`] (sketches inside strings).

// The structures pack pointers into 48 bits and lay entries out by hand: that is where the
// product's memory figure comes from. Every block states the invariant that makes it sound.
#![allow(unsafe_code)]

pub mod array;
pub mod block;
mod byte_match;
pub mod bytes;
mod compact;
pub mod entry;
pub mod hash;
pub mod hash_table;
pub mod hyperloglog;
pub mod intset;
mod keyed_hash;
pub mod list;
pub mod listpack;
pub mod ordered;
mod pieces;
pub mod prefetch;
pub mod set;
pub mod size_class;
pub mod sorted_set;
pub mod stream;
pub mod table;
mod tree;
mod unique;
mod word;

pub use pieces::Pieces;
