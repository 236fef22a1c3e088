//! The command path, from an argument list to a reply, without sockets or files.
//!
//! A thread of the server hands the engine what a connection sent; the engine finds the command,
//! passes the gates (arity, authentication, memory, pause, `MULTI`), locks the keys' shards, runs
//! the handler, routes the effects and releases the locks. Reading order: [`registry`] (the one
//! command table), [`session`] and [`clients`] (who asks), [`dispatch`] (the gates), [`call`]
//! (locks and handler), [`transaction`], [`blocking`], [`pubsub`], `scripting`, [`loading`],
//! [`engine`] (what is shared), [`platform`] (what the server provides).

pub mod admin;
pub mod aof;
pub mod blocking;
mod call;
mod client_memory;
pub mod clients;
pub mod command_log;
pub mod dispatch;
mod ending;
pub mod engine;
pub mod errorstats;
mod eviction;
mod fieldsets;
mod garbage;
pub mod histogram;
mod latency;
pub mod loading;
mod monitor;
mod notifications;
mod pacing;
pub mod pause;
mod pipeline;
pub mod platform;
mod prefix_map;
pub mod pubsub;
mod push;
pub mod rates;
mod redaction;
pub mod registry;
pub mod report;
mod saving;
mod scripting;
pub mod session;
pub mod stats;
pub mod thread;
mod tracking;
pub mod transaction;

pub use call::Flow;
pub use clients::{ClientHandle, Endpoint};
pub use dispatch::Prepared;
pub use engine::{Engine, Parts};
pub use pipeline::{Pipeline, Ready};
pub use platform::{LogLevel, Message, Platform};
pub use push::Push;
pub use session::Session;
pub use thread::ThreadContext;
