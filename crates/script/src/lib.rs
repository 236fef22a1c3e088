//! Lua 5.1 for scripts and functions: the interpreter, its sandbox, its libraries.
//!
//! A script is text that a client sent and that nobody trusts. It sees the tables that Redis offers
//! ([`sandbox`], [`api`], [`libraries`]), reaches the dataset only through what the engine lends
//! it ([`lua::Host`]), and is bounded in memory and time. Reading order: [`script`] (a text and
//! what its first line says), [`cache`] (the texts that the server knows), [`interpreter`].
//!
//! Invariant: nothing here knows sockets, sessions or the engine. Time, random numbers and limits
//! are arguments.

pub mod api;
pub mod cache;
pub mod debugger;
pub mod functions;
pub mod interpreter;
mod libraries;
mod sandbox;
pub mod script;
mod shebang;

pub use cache::{Origin, ScriptCache};
pub use interpreter::{Compiled, Interpreter, Limits};
pub use lua::Debugger as Debugs;
pub use lua::{Failure, Host, Inputs, Pause, Paused, Place, RunError, Stop, Verdict};
pub use script::{Flags, Script, Sha};
pub use shebang::ShebangError;
