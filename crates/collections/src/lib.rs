//! The data structures under Ferrite, and the only crate (with `sys`) that may use `unsafe`.
//!
//! Invariant: nothing here knows a command, a socket, a clock or a random source. Positions
//! (hashes), times and random numbers arrive as arguments, so every structure is replayable.
//!
//! Reading order: [`size_class`] (what the allocator really hands out), [`bytes`] (shared string
//! values), [`listpack`] (many small strings in one blob), [`entry`] (one key with its value in one
//! allocation), [`table`] (the key table), [`sorted_set`] over [`ordered`] (the index of large
//! ones) and [`member_hash`],
//! [`prefetch`] (hints to the processor).

// The structures pack pointers into 48 bits and lay entries out by hand: that is where the
// product's memory figure comes from. Every block states the invariant that makes it sound.
#![allow(unsafe_code)]

pub mod bytes;
pub mod entry;
pub mod listpack;
pub mod member_hash;
pub mod ordered;
pub mod prefetch;
pub mod size_class;
pub mod sorted_set;
pub mod table;
