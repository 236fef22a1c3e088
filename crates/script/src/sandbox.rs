//! What a script sees: an allowed part of Lua's own library, our libraries, nothing it can change.
//!
//! All global tables are sealed ([`lua::Machine::seal`]), and so is the table of globals itself: a
//! script that sets a global, or one that is not there, gets an error. The interpreter may serve
//! any number of scripts of any number of clients, one after another, and none leaves anything
//! behind.

use lua::Machine;
use mlua::{Table, Value};

/// Functions and values of Lua's own that scripts have.
const VALUES: &[&str] = &[
    "_VERSION",
    "assert",
    "collectgarbage",
    "error",
    "gcinfo",
    "getmetatable",
    "ipairs",
    "load",
    "loadstring",
    "next",
    "pairs",
    "pcall",
    "rawequal",
    "rawget",
    "rawset",
    "select",
    "setmetatable",
    "tonumber",
    "tostring",
    "type",
    "unpack",
    "xpcall",
];

/// Lua's own libraries that scripts have.
const LIBRARIES: &[&str] = &["coroutine", "math", "string", "table"];

/// The globals of scripts before they were sealed, and the metatable that refuses unknown names.
pub(crate) struct Inner {
    pub(crate) own: Table,
    pub(crate) missing: Table,
}

/// Builds the globals of scripts from the interpreter's: `libraries` are the tables that scripts
/// see beside Lua's own, by name.
pub(crate) fn close(machine: &mut Machine, libraries: &[(&str, Table)]) -> mlua::Result<Inner> {
    let lua = machine.lua().clone();
    let (original, own) = (lua.globals(), lua.create_table()?);
    for &name in VALUES {
        own.raw_set(name, original.raw_get::<Value>(name)?)?;
    }
    for &name in LIBRARIES {
        let table: Table = original.raw_get(name)?;
        own.raw_set(name, machine.seal(&table)?)?;
    }
    for (name, table) in libraries {
        own.raw_set(*name, machine.seal(table)?)?;
    }
    seal_strings(machine, &own)?;
    let missing = lua.create_table()?;
    missing.raw_set("__index", lua.create_function(missing_global)?)?;
    own.set_metatable(Some(missing.clone()))?;
    let shown = machine.seal(&own)?;
    own.raw_set("_G", &shown)?;
    machine.set_globals(&shown, &own)?;
    Ok(Inner { own, missing })
}

/// The metatable that all strings share is out of reach too, and shows the sealed library.
fn seal_strings(machine: &Machine, own: &Table) -> mlua::Result<()> {
    let lua = machine.lua();
    let shown = lua.create_table()?;
    shown.raw_set("__index", own.raw_get::<Table>("string")?)?;
    let shown = machine.seal(&shown)?;
    let meta: Table = lua.load("return getmetatable('')").eval()?;
    meta.raw_set("__metatable", shown)
}

fn missing_global(_: &mlua::Lua, (_, name): (Value, Value)) -> mlua::Result<Value> {
    let name = match &name {
        Value::String(name) => name.to_string_lossy(),
        other => other.to_string()?,
    };
    let text = format!("Script attempted to access nonexistent global variable '{name}'");
    Err(mlua::Error::RuntimeError(text))
}
