//! Replies as values of Lua, by the rules that scripts know: see docs/scripts.md.
//!
//! The bytes come from the engine's own reply writer, so they are well formed. What is not is read
//! as nil and ends the reading.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};

use crate::stack::{push_bytes, set_raw_field};

/// Pushes the value that `bytes` begin with, and returns the rest. Raises if memory or stack are
/// short.
///
/// # Safety
/// Called by a function that has [`STATUS`] as upvalues, and no frame between here and the
/// protected call owns anything.
pub(crate) unsafe fn push_reply(state: *mut lua_State, bytes: &[u8]) -> &[u8] {
    // SAFETY: `luaL_checkstack` makes the room that is used below.
    unsafe {
        ffi::luaL_checkstack(state, 4, c"reply nested too deeply".as_ptr());
        let Some((marker, line, rest)) = split(bytes) else {
            ffi::lua_pushnil(state);
            return b"";
        };
        match marker {
            b'$' => push_bulk(state, number(line), rest),
            b':' => {
                ffi::lua_pushnumber(state, number(line) as f64);
                rest
            }
            b'+' => push_status(state, line, rest),
            b'-' => push_error(state, line, rest),
            b'*' => push_array(state, number(line), rest),
            b'%' => push_map(state, number(line), rest),
            b'~' => push_set(state, number(line), rest),
            b'>' => push_array(state, number(line), rest),
            b'|' => push_reply(state, skip_pairs(state, number(line), rest)),
            b'#' => {
                ffi::lua_pushboolean(state, c_int::from(line == b"t"));
                rest
            }
            b',' => {
                let value = stdx::num::parse_f64(line).unwrap_or(f64::NAN);
                ffi::lua_createtable(state, 0, 1);
                ffi::lua_pushnumber(state, value);
                set_raw_field(state, b"double");
                rest
            }
            b'(' => push_tagged(state, b"big_number", line, rest),
            b'=' => push_verbatim(state, number(line), rest),
            // `_`, and what is not known.
            _ => {
                ffi::lua_pushnil(state);
                rest
            }
        }
    }
}

/// The marker, the rest of its line, and what follows.
#[inline]
pub(crate) fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == b'\r')?;
    let rest = bytes.get(end + 2..)?;
    Some((*bytes.first()?, bytes.get(1..end)?, rest))
}

/// A length or an integer.
#[inline]
pub(crate) fn number(line: &[u8]) -> i64 {
    match line {
        [digit @ b'0'..=b'9'] => i64::from(digit - b'0'),
        _ => stdx::num::parse_i64(line).unwrap_or(-1),
    }
}

/// The payload of `len` bytes, and what follows its line end.
#[inline]
pub(crate) fn payload(len: i64, rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = usize::try_from(len).ok()?;
    Some((rest.get(..len)?, rest.get(len + 2..)?))
}

/// # Safety
/// As [`push_reply`], with room for the values; so for those below.
unsafe fn push_bulk(state: *mut lua_State, len: i64, rest: &[u8]) -> &[u8] {
    // SAFETY: as above.
    unsafe {
        let Some((bytes, rest)) = payload(len, rest) else {
            ffi::lua_pushboolean(state, 0);
            return rest;
        };
        push_bytes(state, bytes);
        rest
    }
}

/// Upvalues of the functions that call commands, from the second on: the field of a status, and
/// the status that most commands answer. Strings that are there already need not be looked up.
pub(crate) const STATUS: [&[u8]; 2] = [b"ok", b"OK"];

unsafe fn push_status<'b>(state: *mut lua_State, line: &[u8], rest: &'b [u8]) -> &'b [u8] {
    // SAFETY: as above; called in such a function.
    unsafe {
        ffi::lua_createtable(state, 0, 1);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(2));
        if line == STATUS[1] {
            ffi::lua_pushvalue(state, ffi::lua_upvalueindex(3));
        } else {
            push_bytes(state, line);
        }
        ffi::lua_rawset(state, -3);
        rest
    }
}

/// A table with one field.
unsafe fn push_tagged<'b>(
    state: *mut lua_State,
    tag: &[u8],
    line: &[u8],
    rest: &'b [u8],
) -> &'b [u8] {
    // SAFETY: as above.
    unsafe {
        ffi::lua_createtable(state, 0, 1);
        push_bytes(state, line);
        set_raw_field(state, tag);
        rest
    }
}

/// An error that was counted where it arose.
unsafe fn push_error<'b>(state: *mut lua_State, line: &[u8], rest: &'b [u8]) -> &'b [u8] {
    // SAFETY: as above.
    unsafe {
        push_tagged(state, b"err", line, b"");
        ffi::lua_pushboolean(state, 1);
        set_raw_field(state, b"ignore_error_stats_update");
        rest
    }
}

unsafe fn push_array(state: *mut lua_State, len: i64, mut rest: &[u8]) -> &[u8] {
    // SAFETY: as above.
    unsafe {
        let Some(len) = c_int::try_from(len).ok().filter(|&len| len >= 0) else {
            ffi::lua_pushboolean(state, 0);
            return rest;
        };
        ffi::lua_createtable(state, len, 0);
        for index in 1..=len {
            rest = push_reply(state, rest);
            ffi::lua_rawseti_(state, -2, index);
        }
        rest
    }
}

unsafe fn push_map(state: *mut lua_State, len: i64, mut rest: &[u8]) -> &[u8] {
    // SAFETY: as above.
    unsafe {
        ffi::lua_createtable(state, 0, 1);
        ffi::lua_createtable(state, 0, c_int::try_from(len).unwrap_or(0));
        for _ in 0..len {
            rest = push_reply(state, rest);
            rest = push_reply(state, rest);
            set_pair(state);
        }
        set_raw_field(state, b"map");
        rest
    }
}

unsafe fn push_set(state: *mut lua_State, len: i64, mut rest: &[u8]) -> &[u8] {
    // SAFETY: as above.
    unsafe {
        ffi::lua_createtable(state, 0, 1);
        ffi::lua_createtable(state, 0, c_int::try_from(len).unwrap_or(0));
        for _ in 0..len {
            rest = push_reply(state, rest);
            ffi::lua_pushboolean(state, 1);
            set_pair(state);
        }
        set_raw_field(state, b"set");
        rest
    }
}

/// Sets a key and its value, both on top, in the table below. A key that no table takes is left
/// out.
unsafe fn set_pair(state: *mut lua_State) {
    // SAFETY: as above.
    unsafe {
        let is_nan =
            ffi::lua_type(state, -2) == ffi::LUA_TNUMBER && ffi::lua_tonumber(state, -2).is_nan();
        if ffi::lua_type(state, -2) == ffi::LUA_TNIL || is_nan {
            ffi::lua_settop(state, -3);
        } else {
            ffi::lua_rawset(state, -3);
        }
    }
}

/// Attributes are not shown to scripts.
unsafe fn skip_pairs(state: *mut lua_State, len: i64, mut rest: &[u8]) -> &[u8] {
    for _ in 0..len.saturating_mul(2) {
        // SAFETY: as above.
        unsafe {
            rest = push_reply(state, rest);
            ffi::lua_settop(state, -2);
        }
    }
    rest
}

unsafe fn push_verbatim(state: *mut lua_State, len: i64, rest: &[u8]) -> &[u8] {
    // SAFETY: as above.
    unsafe {
        let Some((bytes, rest)) = payload(len, rest) else {
            ffi::lua_pushnil(state);
            return b"";
        };
        let (format, text) = bytes.split_at_checked(4).unwrap_or((b"txt:", bytes));
        ffi::lua_createtable(state, 0, 1);
        ffi::lua_createtable(state, 0, 2);
        push_bytes(state, &format[..3]);
        set_raw_field(state, b"format");
        push_bytes(state, text);
        set_raw_field(state, b"string");
        set_raw_field(state, b"verbatim_string");
        rest
    }
}
