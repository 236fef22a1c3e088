//! The server: everything between the operating system and the engine.
//!
//! The only crate of the server's stack that knows sockets, files, clocks, threads and signals.
//! It composes the parts: reads the configuration, opens the listeners, makes the engine, starts
//! the threads, and implements the engine's [`Platform`](engine::Platform).
//!
//! Reading order: [`program`] (which of the programs in the binary is meant), [`start`] (from the
//! command line to a serving process), [`server`] (what the threads share), [`net`] (event loops),
//! [`host`] (the engine's platform), [`background`] (the other threads), [`shutdown`]; and the
//! tools, [`check_rdb`] and [`check_aof`].

pub mod background;
pub mod check_aof;
pub mod check_rdb;
pub mod crash;
pub mod host;
pub mod log_writer;
pub mod logging;
pub mod net;
pub mod os;
pub mod program;
pub mod server;
pub mod shutdown;
pub mod start;
pub mod title;
