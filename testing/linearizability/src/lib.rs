//! Linearizability: many clients, few keys, and a search for one order that explains every reply.
//!
//! [`recorder`] makes a history against a running server or an in-process one, [`checker`] decides
//! whether it is linearizable against the [`model`]; [`generate`] says what the clients send. A
//! violation is a proof that two threads saw different histories of the store.
//!
//! A history cannot be replayed from its seed, because the scheduler has a hand in it; the seed
//! replays what was sent. So a violation is reported with the operations themselves.

pub mod checker;
pub mod generate;
pub mod model;
pub mod recorder;

pub use checker::{Operation, Verdict, check};
pub use generate::Plan;
pub use recorder::{Opener, Session, connect, record};
