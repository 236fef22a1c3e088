//! The vocabulary every command is written in: its specification, the argument reader, the
//! execution context and the typed errors. This crate knows no particular command and no socket.
//!
//! Reading order: [`spec`] (what a command says of itself), [`reader`] (how it parses its
//! arguments), [`context`] (what its handler may touch), [`error`] (how it fails), [`keys`] (which
//! of its arguments are keys), [`help`] (what a container says of its subcommands).

pub mod context;
pub mod error;
pub mod help;
pub mod keys;
pub mod reader;
pub mod spec;

pub use context::Cx;
pub use error::CommandError;
pub use reader::ArgReader;
pub use spec::{Arg, Categories, Command, Flags, Group, KeyFlags, KeySpec, Spec};

/// What a data command's handler is: parse the arguments, touch the keys, write the reply.
///
/// On `Err` whatever the handler had written to the reply is rolled back and the error's text is
/// sent instead; keys already edited stay edited, as in Redis.
pub type Handler = fn(&mut Cx<'_>) -> Result<(), CommandError>;

/// A command of the data families: executed with its keys locked and no access to the session.
pub type DataCommand = Command<Handler>;
