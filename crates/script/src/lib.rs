//! Lua 5.1 for scripts and functions: the interpreter, its sandbox, its libraries.
//!
//! A script is text that a client sent and that nobody trusts. It sees the tables that Redis offers
//! ([`libraries`], [`interpreter`]), reaches the dataset only through what the engine lends it, and
//! is bounded in memory and time.
//!
//! Invariant: nothing here knows sockets, sessions or the engine. Time, random numbers and limits
//! are arguments.

pub mod interpreter;
mod libraries;

pub use interpreter::{Interpreter, Limits};
