//! `cmsgpack`: MessagePack, as lua-cmsgpack 0.4 speaks it: the specification of before there were
//! binary strings and extensions, which are refused.

mod pack;
mod unpack;

use mlua::Lua;

use super::function::{Arguments, Failure, add};

/// Registers the library.
pub(crate) fn register(lua: &Lua) -> mlua::Result<()> {
    let library = lua.create_table()?;
    add(lua, &library, "pack", pack::pack)?;
    add(lua, &library, "unpack", unpack::unpack)?;
    add(lua, &library, "unpack_one", unpack::unpack_one)?;
    add(lua, &library, "unpack_limit", unpack::unpack_limit)?;
    library.raw_set("_NAME", "cmsgpack")?;
    library.raw_set("_VERSION", "lua-cmsgpack 0.4.0")?;
    library.raw_set("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo")?;
    library.raw_set("_DESCRIPTION", "MessagePack C implementation for Lua")?;
    lua.globals().raw_set("cmsgpack", library)
}
