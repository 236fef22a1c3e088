//! Functions: code that stays in the server, in named libraries.
//!
//! A library is a text ([`library`]). Loading it runs it once, in an environment where it can do
//! nothing but register functions ([`loader`]). The server keeps the text and what it registered
//! ([`registry`]); each thread's interpreter loads a library by itself when it first needs one
//! of its functions, so local variables of a library are those of a thread.

pub(crate) mod environment;
pub mod library;
pub(crate) mod loader;
pub mod registry;

pub use library::{Function, Header, HeaderError, Library};
pub use loader::{LoadError, Watch};
pub use registry::{Clash, Figures, Policy, Registry};

#[cfg(test)]
mod tests;
