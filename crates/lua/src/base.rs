//! What is replaced of Lua's own library, because it would let a script out of its bounds, or
//! because Redis has it otherwise.
//!
//! - `pcall`, `xpcall`, `coroutine.resume` do not catch the end of a script;
//! - `pcall` gives an error table's `err` in its place, as scripts for Redis expect;
//! - what reads and writes tables past their metatables knows sealed ones ([`seal`]);
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

use crate::call::raise_value;
use crate::host::{CODED, PLACED, Shared};
use crate::stack::{bytes, push_bytes, push_function, raise, raw_field, set_raw_field, shared};
use crate::stop::raise_stop;

const READONLY: &[u8] = b"Attempt to modify a readonly table";

/// The functions of this module, by the table that they belong to. Their second upvalue is the
/// table of sealed tables, their third the function that they replace.
const FUNCTIONS: &[(&str, &str, ffi::lua_CFunction)] = &[
    ("", "pcall", pcall),
    ("", "xpcall", xpcall),
    ("", "next", next),
    ("", "pairs", pairs),
    ("", "rawget", rawget),
    ("", "rawset", rawset),
    ("", "setmetatable", setmetatable),
    ("", "load", load),
    ("", "loadstring", loadstring),
    ("", "collectgarbage", collectgarbage),
    ("coroutine", "resume", resume),
    ("table", "insert", insert),
    ("table", "remove", remove),
    ("table", "sort", sort),
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

unsafe extern "C-unwind" fn refuse(state: *mut lua_State) -> c_int {
    // SAFETY: called by Lua, with room for a message.
    unsafe { raise(state, c"Attempt to modify a readonly table") }
}

/// Replaces a sealed table at `index` by what is behind it; whether it was one.
///
/// # Safety
/// Called from a function of [`FUNCTIONS`], with room for a value.
unsafe fn unseal(state: *mut lua_State, index: c_int) -> bool {
    // SAFETY: the second upvalue is the table of sealed tables.
    unsafe {
        if ffi::lua_type(state, index) != ffi::LUA_TTABLE {
            return false;
        }
        ffi::lua_pushvalue(state, index);
        ffi::lua_rawget_(state, ffi::lua_upvalueindex(2));
        let is_sealed = ffi::lua_type(state, -1) == ffi::LUA_TTABLE;
        if is_sealed {
            ffi::lua_replace(state, index);
        } else {
            ffi::lua_settop(state, -2);
        }
        is_sealed
    }
}

/// Raises an error if the first argument is a sealed table.
///
/// # Safety
/// As [`unseal`].
unsafe fn refuse_sealed(state: *mut lua_State) {
    // SAFETY: as above.
    unsafe {
        if unseal(state, 1) {
            push_bytes(state, READONLY);
            raise_value(state);
        }
    }
}

unsafe extern "C-unwind" fn next(state: *mut lua_State) -> c_int {
    // SAFETY: called by Lua; so for all functions below. `lua_next` raises for a key that is not
    // in the table.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        ffi::lua_settop(state, 2);
        unseal(state, 1);
        if ffi::lua_next(state, 1) != 0 { 2 } else { push_nil(state) }
    }
}

unsafe fn push_nil(state: *mut lua_State) -> c_int {
    // SAFETY: called by Lua, which makes room for twenty values.
    unsafe { ffi::lua_pushnil(state) };
    1
}

unsafe extern "C-unwind" fn pairs(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`. The third upvalue of `pairs` is the original `pairs`, whose first
    // upvalue is the original `next`: the quick one, for a table that is not sealed.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        ffi::lua_settop(state, 1);
        ffi::lua_pushvalue(state, 1);
        if unseal(state, 2) {
            ffi::lua_pushvalue(state, ffi::lua_upvalueindex(1));
            ffi::lua_pushvalue(state, ffi::lua_upvalueindex(2));
            ffi::lua_pushcclosure(state, next, 2);
        } else {
            ffi::lua_getupvalue(state, ffi::lua_upvalueindex(3), 1);
        }
        ffi::lua_pushvalue(state, 1);
        ffi::lua_pushnil(state);
        3
    }
}

unsafe extern "C-unwind" fn rawget(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        ffi::luaL_checkany(state, 2);
        ffi::lua_settop(state, 2);
        unseal(state, 1);
        ffi::lua_rawget_(state, 1);
        1
    }
}

unsafe extern "C-unwind" fn rawset(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        ffi::luaL_checkany(state, 2);
        ffi::luaL_checkany(state, 3);
        ffi::lua_settop(state, 3);
        refuse_sealed(state);
        ffi::lua_rawset(state, 1);
        1
    }
}

unsafe extern "C-unwind" fn setmetatable(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        let kind = ffi::lua_type(state, 2);
        let fits = kind == ffi::LUA_TNIL || kind == ffi::LUA_TTABLE;
        ffi::luaL_argcheck(state, c_int::from(fits), 2, c"nil or table expected".as_ptr());
        ffi::lua_settop(state, 2);
        refuse_sealed(state);
        if ffi::luaL_getmetafield_(state, 1, c"__metatable".as_ptr()) != 0 {
            return raise(state, c"cannot change a protected metatable");
        }
        ffi::lua_setmetatable(state, 1);
        1
    }
}

unsafe extern "C-unwind" fn insert(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        let top = ffi::lua_gettop(state);
        refuse_sealed(state);
        let mut end = ffi::lua_objlen(state, 1) as c_int + 1;
        let at = match top {
            2 => end,
            3 => {
                let at = ffi::luaL_checkinteger(state, 2) as c_int;
                end = end.max(at);
                for index in (at.saturating_add(1)..=end).rev() {
                    ffi::lua_rawgeti_(state, 1, index - 1);
                    ffi::lua_rawseti_(state, 1, index);
                }
                at
            }
            _ => return raise(state, c"wrong number of arguments to 'insert'"),
        };
        ffi::lua_rawseti_(state, 1, at);
        0
    }
}

unsafe extern "C-unwind" fn remove(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        refuse_sealed(state);
        let end = ffi::lua_objlen(state, 1) as c_int;
        let at = ffi::luaL_optinteger(state, 2, end.into()) as c_int;
        if !(1..=end).contains(&at) {
            return 0;
        }
        ffi::lua_rawgeti_(state, 1, at);
        for index in at..end {
            ffi::lua_rawgeti_(state, 1, index + 1);
            ffi::lua_rawseti_(state, 1, index);
        }
        ffi::lua_pushnil(state);
        ffi::lua_rawseti_(state, 1, end);
        1
    }
}

unsafe extern "C-unwind" fn sort(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`; the third upvalue is the original. A sealed table has no elements.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        ffi::lua_settop(state, 2);
        if ffi::lua_type(state, 2) > ffi::LUA_TNIL {
            ffi::luaL_checktype(state, 2, ffi::LUA_TFUNCTION);
        }
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(3));
        ffi::lua_insert(state, 1);
        ffi::lua_call(state, 2, 0);
        0
    }
}

unsafe extern "C-unwind" fn rep(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`; the third upvalue is the original.
    unsafe {
        let mut len = 0;
        ffi::luaL_checklstring(state, 1, &raw mut len);
        let count = ffi::luaL_checkinteger(state, 2);
        if len == 0 || count <= 0 {
            push_bytes(state, b"");
            return 1;
        }
        let total = (len as u64).checked_mul(count.unsigned_abs());
        if total.is_none_or(|total| total > c_int::MAX as u64 || total > memory_max(state)) {
            return raise(state, c"not enough memory");
        }
        ffi::lua_settop(state, 2);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(3));
        ffi::lua_insert(state, 1);
        ffi::lua_call(state, 2, 1);
        1
    }
}

/// The most bytes that a string may have here: what the limit leaves is found out when it is made.
unsafe fn memory_max(state: *mut lua_State) -> u64 {
    // SAFETY: called from a function of `FUNCTIONS`.
    let limit = unsafe { shared(state) }.memory_limit.get() as u64;
    if limit == 0 { u64::MAX } else { limit }
}

unsafe extern "C-unwind" fn collectgarbage(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`.
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
    // SAFETY: see `next`. The text stays on the stack while it is compiled.
    unsafe {
        let mut len = 0;
        let text = ffi::luaL_checklstring(state, 1, &raw mut len);
        let name = ffi::luaL_optlstring(state, 2, text, std::ptr::null_mut());
        compile(state, std::slice::from_raw_parts(text.cast(), len), name)
    }
}

unsafe extern "C-unwind" fn load(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`. The pieces become one string on the stack.
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
    // SAFETY: see `next`; compiling does not raise, it returns a status.
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

unsafe extern "C-unwind" fn pcall(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`. The handler is below the function that is called.
    unsafe {
        ffi::luaL_checkany(state, 1);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(1));
        ffi::lua_pushcclosure(state, name_error, 1);
        ffi::lua_insert(state, 1);
        let arguments = ffi::lua_gettop(state) - 2;
        let status = ffi::lua_pcall(state, arguments, ffi::LUA_MULTRET, 1);
        finish_call(state, status, true)
    }
}

/// Puts what `pcall` and `xpcall` say first below their results; passes the end of a script on.
unsafe fn finish_call(state: *mut lua_State, status: c_int, unwraps: bool) -> c_int {
    // SAFETY: see `next`; the handler is at the bottom.
    unsafe {
        let shared = shared(state);
        if status != 0 && shared.stopping.get() {
            return raise_stop(state, shared);
        }
        if status != 0 && unwraps && ffi::lua_type(state, -1) == ffi::LUA_TTABLE {
            let table = ffi::lua_gettop(state);
            if raw_field(state, table, b"err") == ffi::LUA_TSTRING {
                ffi::lua_replace(state, table);
            } else {
                ffi::lua_settop(state, table);
            }
        }
        ffi::lua_pushboolean(state, c_int::from(status == 0));
        ffi::lua_replace(state, 1);
        ffi::lua_gettop(state)
    }
}

/// Gives an error that comes from a library of ours the form of those of Lua's own: text, with the
/// place in the script that called.
unsafe extern "C-unwind" fn name_error(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`.
    unsafe {
        to_text(state);
        1
    }
}

/// Replaces an error object of the interpreter's binding at the bottom by its text, or by a table
/// if it is a coded one.
///
/// # Safety
/// Called in a message handler, with the error at the bottom of the stack.
pub(crate) unsafe fn to_text(state: *mut lua_State) {
    // SAFETY: as above; `__tostring` of the binding's errors gives their text.
    unsafe {
        if ffi::lua_type(state, 1) != ffi::LUA_TUSERDATA
            || ffi::luaL_callmeta(state, 1, c"__tostring".as_ptr()) == 0
        {
            return;
        }
        let text = bytes(state, -1).unwrap_or_default();
        let end = text.windows(17).position(|part| part == b"\nstack traceback:");
        let text = &text[..end.unwrap_or(text.len())];
        if let Some(text) = text.strip_prefix(&[CODED]) {
            ffi::lua_createtable(state, 0, 1);
            push_bytes(state, text);
            set_raw_field(state, b"err");
            ffi::lua_replace(state, 1);
            ffi::lua_settop(state, 1);
            return;
        }
        if let Some(text) = text.strip_prefix(&[PLACED]) {
            push_bytes(state, text);
        } else {
            ffi::luaL_where(state, 2);
            push_bytes(state, text.strip_prefix(b"runtime error: ".as_slice()).unwrap_or(text));
            ffi::lua_concat(state, 2);
        }
        ffi::lua_replace(state, 1);
        ffi::lua_settop(state, 1);
    }
}

unsafe extern "C-unwind" fn xpcall(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`. The guarded handler goes below the function.
    unsafe {
        ffi::luaL_checkany(state, 2);
        ffi::lua_settop(state, 2);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(1));
        ffi::lua_pushvalue(state, 2);
        ffi::lua_pushcclosure(state, handle_error, 2);
        ffi::lua_replace(state, 2);
        ffi::lua_insert(state, 1);
        let status = ffi::lua_pcall(state, 0, ffi::LUA_MULTRET, 1);
        finish_call(state, status, false)
    }
}

/// The handler of an `xpcall`, which is not called for the end of a script: it would run with hooks
/// silent, and could go on for ever.
unsafe extern "C-unwind" fn handle_error(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`; the second upvalue is the script's handler.
    unsafe {
        if shared(state).stopping.get() {
            return 1;
        }
        to_text(state);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(2));
        ffi::lua_insert(state, 1);
        ffi::lua_call(state, ffi::lua_gettop(state) - 1, 1);
        1
    }
}

unsafe extern "C-unwind" fn resume(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`; the third upvalue is the original.
    unsafe {
        if ffi::lua_type(state, 1) != ffi::LUA_TTHREAD {
            return ffi::luaL_argerror(state, 1, c"coroutine expected".as_ptr());
        }
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(3));
        ffi::lua_insert(state, 1);
        ffi::lua_call(state, ffi::lua_gettop(state) - 1, ffi::LUA_MULTRET);
        let shared = shared(state);
        if shared.stopping.get() {
            return raise_stop(state, shared);
        }
        ffi::lua_gettop(state)
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
    // SAFETY: see `next`.
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
    // SAFETY: see `next`.
    unsafe {
        let seed = ffi::luaL_checkinteger(state, 1);
        shared(state).random.set(seeded(seed as u64));
        0
    }
}
