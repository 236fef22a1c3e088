//! What is replaced of Lua's own library, because it would let a script out of its bounds, or
//! because Redis has it otherwise.
//!
//! - `pcall`, `xpcall`, `coroutine.resume` do not catch the end of a script;
//! - `pcall` gives an error table's `err` in its place, as scripts for Redis expect;
//! - what reads and writes tables past their metatables knows sealed ones ([`seal`]);
//! - what matches patterns can be stopped while it does, and recurses only so deep ([`strings`]);
//! - `load`, `loadstring` take text only; `string.rep` looks at the size first; `collectgarbage`
//!   leaves the collector's pace alone; `math.random` is seeded for each interpreter.
//!
//! # Sealed tables
//! Lua 5.1 has no read-only tables. A sealed one is an empty table in front of the real one: reads
//! pass through its metatable, writes are refused there, and the functions here that could write
//! past a metatable ask whether the table is sealed. So nothing a script does stays behind in a
//! table that the next script sees.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};
use mlua::{Lua, Table, Value};

use crate::host::Shared;
use crate::stack::{bytes, push_bytes, push_function, raise, shared};

mod protected;
mod strings;
mod tables;

use protected::{pcall, resume, xpcall};
use strings::{find, gmatch, gsub, match_, rep};
use tables::{
    foreach, getmetatable, insert, next, pairs, rawget, rawset, refuse, remove, setmetatable, sort,
};

pub(crate) use protected::{name_error, to_text};

/// The functions of this module, by the table that they belong to. Their second upvalue is the
/// table of sealed tables, their third the function that they replace.
const FUNCTIONS: &[(&str, &str, ffi::lua_CFunction)] = &[
    ("", "pcall", pcall),
    ("", "xpcall", xpcall),
    ("", "next", next),
    ("", "pairs", pairs),
    ("", "rawget", rawget),
    ("", "rawset", rawset),
    ("", "getmetatable", getmetatable),
    ("", "setmetatable", setmetatable),
    ("", "load", load),
    ("", "loadstring", loadstring),
    ("", "collectgarbage", collectgarbage),
    ("coroutine", "resume", resume),
    ("table", "foreach", foreach),
    ("table", "insert", insert),
    ("table", "remove", remove),
    ("table", "sort", sort),
    ("string", "find", find),
    ("string", "gfind", gmatch),
    ("string", "gmatch", gmatch),
    ("string", "gsub", gsub),
    ("string", "match", match_),
    ("string", "rep", rep),
    ("math", "random", random),
    ("math", "randomseed", randomseed),
];

/// Puts the functions in place. Called with the interpreter's original globals.
pub(crate) fn install(lua: &Lua, shared: *const Shared, sealed: &Table) -> mlua::Result<()> {
    let globals = lua.globals();
    for &(library, name, function) in FUNCTIONS {
        let table = if library.is_empty() { globals.clone() } else { globals.get(library)? };
        let original: Value = table.raw_get(name)?;
        // SAFETY: the closure owns nothing, and the machine outlives the interpreter.
        let replacement: Value = unsafe {
            lua.exec_raw((sealed, original), |state| {
                push_function(state, shared, function, 2);
            })?
        };
        table.raw_set(name, replacement)?;
    }
    Ok(())
}

/// A read-only view of `table`, known as such by the functions above.
pub(crate) fn seal(lua: &Lua, sealed: &Table, table: &Table) -> mlua::Result<Table> {
    let (front, meta, shown) = (lua.create_table()?, lua.create_table()?, lua.create_table()?);
    // SAFETY: the closure owns nothing.
    let refuse: Value =
        unsafe { lua.exec_raw((), |state| ffi::lua_pushcclosure(state, refuse, 0))? };
    // What `getmetatable` shows is another sealed table, so that the real one stays hidden.
    let shown_meta = lua.create_table()?;
    shown_meta.raw_set("__newindex", refuse.clone())?;
    shown_meta.raw_set("__metatable", &shown)?;
    shown.set_metatable(Some(shown_meta))?;
    sealed.raw_set(&shown, lua.create_table()?)?;
    meta.raw_set("__index", table)?;
    meta.raw_set("__newindex", refuse)?;
    meta.raw_set("__metatable", shown)?;
    front.set_metatable(Some(meta))?;
    sealed.raw_set(&front, table)?;
    Ok(front)
}

/// The table behind a sealed one. What is not sealed but built like it is taken for it: whoever
/// reads through it sees what its index shows anyway.
pub fn behind_seal(front: &Table) -> Option<Table> {
    let meta = front.metatable()?;
    let shown: Table = meta.raw_get("__metatable").ok()?;
    let seal: Table = shown.metatable()?.raw_get("__metatable").ok()?;
    if seal != shown {
        return None;
    }
    meta.raw_get("__index").ok()
}

unsafe extern "C-unwind" fn collectgarbage(state: *mut lua_State) -> c_int {
    // SAFETY: called by Lua; so for all functions below.
    unsafe {
        match bytes(state, 1) {
            None | Some(b"collect") => {
                ffi::lua_gc(state, ffi::LUA_GCCOLLECT, 0);
                ffi::lua_pushinteger(state, 0);
            }
            Some(b"count") => {
                let bytes = ffi::lua_gc(state, ffi::LUA_GCCOUNTB, 0);
                let kib = ffi::lua_gc(state, ffi::LUA_GCCOUNT, 0);
                ffi::lua_pushnumber(state, f64::from(kib) + f64::from(bytes) / 1024.0);
            }
            Some(b"step") => ffi::lua_pushboolean(state, 1),
            Some(b"stop" | b"restart" | b"setpause" | b"setstepmul") => {
                ffi::lua_pushinteger(state, 0);
            }
            Some(_) => {
                return ffi::luaL_argerror(state, 1, c"invalid option".as_ptr());
            }
        }
        1
    }
}

unsafe extern "C-unwind" fn loadstring(state: *mut lua_State) -> c_int {
    // SAFETY: see `collectgarbage`. The text stays on the stack while it is compiled.
    unsafe {
        let mut len = 0;
        let text = ffi::luaL_checklstring(state, 1, &raw mut len);
        let name = ffi::luaL_optlstring(state, 2, text, std::ptr::null_mut());
        compile(state, std::slice::from_raw_parts(text.cast(), len), name)
    }
}

unsafe extern "C-unwind" fn load(state: *mut lua_State) -> c_int {
    // SAFETY: see `collectgarbage`. The pieces become one string on the stack.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TFUNCTION);
        let name = ffi::luaL_optlstring(state, 2, c"=(load)".as_ptr(), std::ptr::null_mut());
        ffi::lua_settop(state, 2);
        push_bytes(state, b"");
        loop {
            ffi::lua_pushvalue(state, 1);
            ffi::lua_call(state, 0, 1);
            match (ffi::lua_type(state, -1), bytes(state, -1)) {
                (ffi::LUA_TNIL, _) | (_, Some(b"")) => break,
                (_, Some(_)) => ffi::lua_concat(state, 2),
                _ => return raise(state, c"reader function must return a string"),
            }
        }
        compile(state, bytes(state, 3).unwrap_or_default(), name)
    }
}

/// Pushes the function that a text is, or nil and why it is none.
unsafe fn compile(state: *mut lua_State, text: &[u8], name: *const std::ffi::c_char) -> c_int {
    // SAFETY: see `collectgarbage`; compiling does not raise, it returns a status.
    unsafe {
        if text.first() == Some(&b'\x1b') {
            ffi::lua_pushnil(state);
            push_bytes(state, b"only text can be loaded");
            return 2;
        }
        if ffi::luaL_loadbuffer(state, text.as_ptr().cast(), text.len(), name) == 0 {
            return 1;
        }
        ffi::lua_pushnil(state);
        ffi::lua_insert(state, -2);
        2
    }
}

/// The state of the generator after seeding, as C's `srand48` sets it.
pub(crate) const fn seeded(seed: u64) -> u64 {
    ((seed & 0xffff_ffff) << 16) | 0x330e
}

/// The next number of 31 bits, as C's `lrand48` draws it.
fn draw(shared: &Shared) -> u64 {
    const MASK: u64 = (1 << 48) - 1;
    let next = (shared.random.get().wrapping_mul(0x5_deec_e66d) + 0xb) & MASK;
    shared.random.set(next);
    next >> 17
}

unsafe extern "C-unwind" fn random(state: *mut lua_State) -> c_int {
    // SAFETY: see `collectgarbage`.
    unsafe {
        const MAX: u64 = 0x7fff_ffff;
        let part = (draw(shared(state)) % MAX) as f64 / MAX as f64;
        let empty = c"interval is empty".as_ptr();
        let value = match ffi::lua_gettop(state) {
            0 => part,
            1 => {
                let high = ffi::luaL_checkinteger(state, 1);
                ffi::luaL_argcheck(state, c_int::from(high >= 1), 1, empty);
                (part * high as f64).floor() + 1.0
            }
            2 => {
                let (low, high) =
                    (ffi::luaL_checkinteger(state, 1), ffi::luaL_checkinteger(state, 2));
                ffi::luaL_argcheck(state, c_int::from(low <= high), 2, empty);
                (part * (high as f64 - low as f64 + 1.0)).floor() + low as f64
            }
            _ => return raise(state, c"wrong number of arguments"),
        };
        ffi::lua_pushnumber(state, value);
        1
    }
}

unsafe extern "C-unwind" fn randomseed(state: *mut lua_State) -> c_int {
    // SAFETY: see `collectgarbage`.
    unsafe {
        let seed = ffi::luaL_checkinteger(state, 1);
        shared(state).random.set(seeded(seed as u64));
        0
    }
}
