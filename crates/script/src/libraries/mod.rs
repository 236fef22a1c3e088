//! The libraries beside Lua's own, in the order in which they are registered.
//!
//! Each is a module with `register`, which makes the library's table and sets it as a global of the
//! interpreter. The sandbox then seals all tables that are globals, so a library needs no guard of
//! its own.

mod bit;
mod cast;
mod cjson;
mod cmsgpack;
mod function;
mod output;
mod structs;

/// What puts a library into an interpreter.
pub(crate) type Register = fn(&mlua::Lua) -> mlua::Result<()>;

/// All libraries.
pub(crate) const LIBRARIES: &[Register] =
    &[bit::register, cjson::register, cmsgpack::register, structs::register];

#[cfg(test)]
mod tests;
