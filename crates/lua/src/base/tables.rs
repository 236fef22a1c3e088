//! The functions of Lua's library that read and write tables past their metatables, which know
//! sealed ones.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};

use crate::call::raise_value;
use crate::stack::{push_bytes, raise};

const READONLY: &[u8] = b"Attempt to modify a readonly table";

pub(super) unsafe extern "C-unwind" fn refuse(state: *mut lua_State) -> c_int {
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

pub(super) unsafe extern "C-unwind" fn next(state: *mut lua_State) -> c_int {
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

pub(super) unsafe extern "C-unwind" fn pairs(state: *mut lua_State) -> c_int {
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

pub(super) unsafe extern "C-unwind" fn rawget(state: *mut lua_State) -> c_int {
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

pub(super) unsafe extern "C-unwind" fn rawset(state: *mut lua_State) -> c_int {
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

/// A sealed table shows a metatable, which is sealed too, only if the table behind it has one.
pub(super) unsafe extern "C-unwind" fn getmetatable(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`.
    unsafe {
        ffi::luaL_checkany(state, 1);
        ffi::lua_settop(state, 1);
        ffi::lua_pushvalue(state, 1);
        if unseal(state, 2) && ffi::lua_getmetatable(state, 2) == 0 {
            return push_nil(state);
        }
        ffi::lua_settop(state, 1);
        if ffi::lua_getmetatable(state, 1) == 0 {
            return push_nil(state);
        }
        ffi::luaL_getmetafield_(state, 1, c"__metatable".as_ptr());
        1
    }
}

pub(super) unsafe extern "C-unwind" fn setmetatable(state: *mut lua_State) -> c_int {
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

pub(super) unsafe extern "C-unwind" fn insert(state: *mut lua_State) -> c_int {
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

pub(super) unsafe extern "C-unwind" fn remove(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        // A sealed table has no elements, so nothing is removed and nothing refused.
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

pub(super) unsafe extern "C-unwind" fn sort(state: *mut lua_State) -> c_int {
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

pub(super) unsafe extern "C-unwind" fn foreach(state: *mut lua_State) -> c_int {
    // SAFETY: see `next`; the third upvalue is the original, which only reads the table.
    unsafe {
        ffi::luaL_checktype(state, 1, ffi::LUA_TTABLE);
        ffi::luaL_checktype(state, 2, ffi::LUA_TFUNCTION);
        ffi::lua_settop(state, 2);
        unseal(state, 1);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(3));
        ffi::lua_insert(state, 1);
        ffi::lua_call(state, 2, 1);
        1
    }
}
