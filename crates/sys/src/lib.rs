//! The services of the machine that have no safe interface: the allocator and its figures, the
//! crash signal handlers, hints about files, the process title, the local time zone,
//! locales, the names of groups.
//!
//! Together with `collections` and `lua` this is the only crate that may write `unsafe`; every
//! function it exports is safe. It knows nothing of the store, of commands or of sockets: what a
//! crash report says about them comes from callbacks ([`crash::Hooks`]).
//!
//! Reading order: [`alloc`] (memory figures), [`crash`] (reports), [`title`] (`ps` output), [`tsc`]
//! (a cheap clock).

#![allow(unsafe_code)]

pub mod alloc;
pub mod crash;
pub mod file;
pub mod group;
pub mod local_time;
pub mod locale;
pub mod title;
pub mod tsc;
