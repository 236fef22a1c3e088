//! Lua 5.1 with a short way in and out: how a script is entered, how it calls back, and how its
//! values become replies and replies its values.
//!
//! `mlua` is the interpreter and its safe interface, and the libraries of scripts are written
//! against that. Each of its calls guards itself against errors that Lua raises, which costs some
//! hundred nanoseconds where a call of `redis.call` may cost that much as a whole
//! (docs/decisions/0008 has the figures). The few functions on that path are written against Lua's
//! own stack here, behind a safe interface: [`Machine::run`] and the [`Host`] that it calls.
//!
//! # How an error travels
//! Lua raises an error by a jump to the last protected call, over all frames in between. Rust
//! allows that for frames that hold nothing to be dropped. So everything here that may raise is
//! written in two halves: one that works with buffers, locks and clocks, and never calls what
//! raises; and one that pushes values, and owns nothing. Panics do not cross Lua's frames: they are
//! caught where Lua calls in, and go on where the script was entered.
//!
//! Reading order: [`host`], [`machine`], [`failure`], [`call`], [`to_lua`], [`layout`],
//! [`returned`], [`from_lua`], [`base`] (what is replaced of Lua's own library), [`stop`] (how a
//! script is ended from outside), [`debug`] (what a debugger sees). How Lua itself is compiled:
//! `build.rs` and `lua_config.h`.
//!
//! Invariant: nothing here knows what a command is, or a sandbox.

#![allow(unsafe_code)]

mod base;
mod call;
pub mod debug;
pub mod failure;
mod from_lua;
pub mod host;
mod layout;
pub mod machine;
mod patterns;
mod returned;
mod stack;
mod stop;
mod to_lua;

pub use base::behind_seal;
pub use debug::{Debugger, Frame, Pause, Paused};
pub use failure::{Failure, Place};
pub use host::{Access, CodedError, Host, PlacedError, Stop, Verdict};
pub use machine::{Chunk, CompileError, Inputs, Machine, RunError};
pub use stop::STEPS;
