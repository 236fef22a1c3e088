//! Conformance: scripts of commands and the replies they must get.
//!
//! A case is data. It runs in-process against the engine, over TCP against a built server, and
//! against a reference server, which is where its replies were recorded from. The same file thus
//! says what the reference does and holds Ferrite to it.
//!
//! Reading order: [`script`] (the file format), [`pattern`] (the reply notation), [`target`] (what
//! a script runs against), [`runner`], [`record`], [`catalog`] (the cases themselves).

pub mod catalog;
pub mod pattern;
pub mod record;
pub mod render;
pub mod runner;
pub mod script;
pub mod target;
pub mod words;

pub use catalog::{Case, cases_dir, covered_commands, load};
pub use pattern::{Pattern, Protocol};
pub use runner::{Failure, Report, run};
pub use script::{Script, Test, Version};
pub use target::{Connection, Identity, Incoming, Target, TcpTarget};
