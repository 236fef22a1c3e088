//! Configuration: every parameter that Redis 8 documents, in one table.
//!
//! What this crate must not know: who uses a parameter. It reads no file, opens no socket and
//! asks no system for anything; texts come in, values and texts go out.
//!
//! - [`mod@rows`]: the table, one constant for each parameter;
//! - [`Config`]: the live values, read by handle: `config.get(rows::PORT)`;
//! - [`Config::matching`], [`Config::set`]: `CONFIG GET` and `CONFIG SET`;

mod checks;
mod choice;
mod config;
mod handle;
mod lists;
mod names;
mod row;
pub mod rows;
mod set;
mod value;

pub use checks::PROC_TITLE_VARIABLES;
pub use choice::*;
pub use config::{Config, Environment, ids};
pub use handle::*;
pub use lists::{ClientClass, EventFlags, OutputLimit, SavePoint};
pub use names::find;
pub use row::{Access, Kind, List, NumberCheck, Row, Section, TextCheck, Unit};
pub use set::{Change, SetError, SetRules};
pub use value::Value;
