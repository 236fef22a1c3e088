//! `cjson`: JSON, by the rules and with the settings of lua-cjson 2.1.
//!
//! ```text
//!   Lua                                              JSON
//!   table with whole keys from 1, not too sparse  -> array
//!   any other table, the empty one too            -> object
//!   cjson.null, a null light userdata            <-> null
//!   tables, all keys strings                     <-  object
//! ```
//!
//! Settings belong to the table whose functions are called; `cjson.new()` makes another table with
//! settings of its own. The one that scripts share keeps what a script sets, as it always did.

mod decode;
mod encode;
mod settings;
mod token;

use std::cell::Cell;
use std::rc::Rc;

use mlua::{Lua, Table, Value};

use self::settings::Settings;
use super::function::{Arguments, Failure, add};

/// How deep values may nest whatever the settings say, so that an encoder, which calls itself,
/// stays within its stack. The default of the settings is as much.
const NESTING_MAX: i32 = 1_000;

/// Registers the library.
pub(crate) fn register(lua: &Lua) -> mlua::Result<()> {
    lua.globals().raw_set("cjson", library(lua, &lua.create_table()?)?)
}

/// A new table of the library with default settings. The metatable is that of arrays.
fn library(lua: &Lua, array_metatable: &Table) -> mlua::Result<Table> {
    let library = lua.create_table()?;
    let settings = Rc::new(Cell::new(Settings::default()));

    let (shared, arrays) = (Rc::clone(&settings), array_metatable.clone());
    add(lua, &library, "encode", move |call| {
        one_argument(call)?;
        encode::encode(call, &shared.get(), &arrays)
    })?;
    let (shared, arrays) = (Rc::clone(&settings), array_metatable.clone());
    add(lua, &library, "decode", move |call| {
        one_argument(call)?;
        decode::decode(call.lua, &call.string(1)?.as_bytes(), &shared.get(), &arrays)
    })?;
    settings::register(lua, &library, &settings)?;
    let arrays = array_metatable.clone();
    add(lua, &library, "new", move |call| Ok(self::library(call.lua, &arrays)?))?;

    library.raw_set("null", Value::NULL)?;
    library.raw_set("_NAME", "cjson")?;
    library.raw_set("_VERSION", "2.1.0")?;
    Ok(library)
}

fn one_argument(call: &Arguments<'_>) -> Result<(), Failure> {
    match call.len() {
        1 => Ok(()),
        _ => Err(Failure::argument(1, "expected 1 argument")),
    }
}
