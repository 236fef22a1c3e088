//! Configuration: every parameter that Redis 8 documents, in one table.
//!
//! What this crate must not know: who uses a parameter. It reads no file, opens no socket and
//! asks no system for anything; texts come in, values and texts go out.
//!
//! - [`mod@rows`]: the table, one constant for each parameter;
//! - [`Config`]: the live values, read by handle: `config.get(rows::PORT)`;
//! - [`Config::matching`], [`Config::set`], [`Config::rewrite`]: the `CONFIG` commands;
//! - [`Invocation`], [`Config::load`]: the command line and configuration files;
//! - [`sample_conf`]: the commented file that users start from.

mod checks;
mod choice;
mod command_line;
mod config;
mod file;
mod handle;
mod lists;
mod names;
mod rewrite;
mod row;
pub mod rows;
mod sample;
mod set;
mod value;

pub use checks::PROC_TITLE_VARIABLES;
pub use choice::*;
pub use command_line::{CommandLine, Invocation};
pub use config::{Config, Environment, ids};
pub use file::{Directive, Includes, LoadError, Loaded};
pub use handle::*;
pub use lists::{ClientClass, EventFlags, OutputLimit, SavePoint};
pub use names::find;
pub use rewrite::RewriteExtras;
pub use row::{Access, Kind, List, NumberCheck, Row, Section, TextCheck, Unit};
pub use sample::sample_conf;
pub use set::{Change, SetError, SetRules};
pub use value::Value;
