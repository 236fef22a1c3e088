//! The functions of Lua's library that catch errors. None catches the end of a script.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};

use crate::host::{CODED, PLACED};
use crate::stack::{bytes, push_bytes, raw_field, set_raw_field, shared};
use crate::stop::raise_stop;

pub(super) unsafe extern "C-unwind" fn pcall(state: *mut lua_State) -> c_int {
    // SAFETY: called by Lua; so for all functions below. The handler is below the
    // function that is called.
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
    // SAFETY: see `pcall`; the handler is at the bottom.
    unsafe {
        // Results may fill the stack to what this frame was promised.
        ffi::luaL_checkstack(state, 2, c"too many results".as_ptr());
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
pub(crate) unsafe extern "C-unwind" fn name_error(state: *mut lua_State) -> c_int {
    // SAFETY: see `pcall`.
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

pub(super) unsafe extern "C-unwind" fn xpcall(state: *mut lua_State) -> c_int {
    // SAFETY: see `pcall`. The guarded handler goes below the function.
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
    // SAFETY: see `pcall`; the second upvalue is the script's handler.
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

pub(super) unsafe extern "C-unwind" fn resume(state: *mut lua_State) -> c_int {
    // SAFETY: see `pcall`; the third upvalue is the original.
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
