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

/// All libraries, with the names of the globals that they set.
pub(crate) const LIBRARIES: &[(&[&str], Register)] = &[
    (&["bit"], bit::register),
    (&["cjson"], cjson::register),
    (&["cmsgpack"], cmsgpack::register),
    (&["struct"], structs::register),
];

#[cfg(test)]
mod tests;
