//! Values of Lua as replies, by the rules that scripts know: see docs/scripts.md.
//!
//! Metatables are left out of account: what a script returns is read, not asked.

use std::ffi::c_int;

use mlua::ffi::{self, lua_State};
use resp::{Length, Reply, Version};

use crate::stack::{bytes, raw_field};

/// Tables in tables are followed until they take so many places on Lua's stack, two each.
const SLOTS_MAX: c_int = 2000;

/// Writes the value on top of the stack and pops it; `version` is what the script chose. Errors
/// that the value itself is, are told to `errors`. Raises if memory is short.
///
/// # Safety
/// No frame between here and the protected call owns anything.
pub(crate) unsafe fn write_value(
    state: *mut lua_State,
    reply: &mut Reply,
    version: Version,
    errors: &mut dyn FnMut(&[u8], bool),
) {
    // SAFETY: `lua_checkstack` makes the room that is used below, and what is pushed is popped.
    unsafe {
        if ffi::lua_gettop(state) > SLOTS_MAX || ffi::lua_checkstack(state, 8) == 0 {
            let text = b"ERR reached lua stack limit";
            reply.error(text);
            errors(text, false);
            ffi::lua_settop(state, -2);
            return;
        }
        match ffi::lua_type(state, -1) {
            ffi::LUA_TSTRING => {
                if let Some(bytes) = bytes(state, -1) {
                    reply.bulk(bytes);
                }
            }
            ffi::LUA_TBOOLEAN => {
                let value = ffi::lua_toboolean(state, -1) != 0;
                match (version, value) {
                    (Version::Resp3, value) => reply.boolean(value),
                    (Version::Resp2, true) => reply.integer(1),
                    (Version::Resp2, false) => reply.null(),
                }
            }
            ffi::LUA_TNUMBER => reply.integer(truncate(ffi::lua_tonumber(state, -1))),
            ffi::LUA_TTABLE => write_table(state, reply, version, errors),
            _ => reply.null(),
        }
        ffi::lua_settop(state, -2);
    }
}

/// As a processor converts: what does not fit, or is no number, becomes the smallest integer.
fn truncate(value: f64) -> i64 {
    let fits = value >= i64::MIN as f64 && value < -(i64::MIN as f64);
    if fits { value as i64 } else { i64::MIN }
}

/// # Safety
/// A table is on top, and there is room for eight values; otherwise as [`write_value`]. So for
/// those below. The table stays.
unsafe fn write_table(
    state: *mut lua_State,
    reply: &mut Reply,
    version: Version,
    errors: &mut dyn FnMut(&[u8], bool),
) {
    // SAFETY: as above; what a step pushes it pops.
    unsafe {
        let table = ffi::lua_gettop(state);
        if raw_field(state, table, b"err") == ffi::LUA_TSTRING {
            let text = line(bytes(state, -1).unwrap_or_default());
            reply.error(text);
            raw_field(state, table, b"ignore_error_stats_update");
            errors(text, ffi::lua_toboolean(state, -1) != 0);
        } else if raw_field(state, table, b"ok") == ffi::LUA_TSTRING {
            reply.simple_bytes(line(bytes(state, -1).unwrap_or_default()));
        } else if raw_field(state, table, b"double") == ffi::LUA_TNUMBER {
            reply.double(ffi::lua_tonumber(state, -1));
        } else {
            // The three probes above.
            ffi::lua_settop(state, table);
            write_aggregate(state, table, reply, version, errors);
        }
        ffi::lua_settop(state, table);
    }
}

unsafe fn write_aggregate(
    state: *mut lua_State,
    table: c_int,
    reply: &mut Reply,
    version: Version,
    errors: &mut dyn FnMut(&[u8], bool),
) {
    // SAFETY: as above.
    unsafe {
        if raw_field(state, table, b"map") == ffi::LUA_TTABLE {
            return write_pairs(state, Length::Map, reply, version, errors);
        }
        if raw_field(state, table, b"set") == ffi::LUA_TTABLE {
            return write_pairs(state, Length::Set, reply, version, errors);
        }
        ffi::lua_settop(state, table);
        if raw_field(state, table, b"big_number") == ffi::LUA_TSTRING {
            return write_big_number(bytes(state, -1).unwrap_or_default(), reply);
        }
        if raw_field(state, table, b"verbatim_string") == ffi::LUA_TTABLE {
            let inner = ffi::lua_gettop(state);
            let is_text = raw_field(state, inner, b"string") == ffi::LUA_TSTRING;
            if is_text && raw_field(state, inner, b"format") == ffi::LUA_TSTRING {
                let text = bytes(state, -2).unwrap_or_default();
                return write_verbatim(bytes(state, -1).unwrap_or_default(), text, reply);
            }
        }
        ffi::lua_settop(state, table);
        let mark = reply.begin_deferred();
        let mut len = 0;
        loop {
            ffi::lua_rawgeti_(state, table, len + 1);
            if ffi::lua_type(state, -1) == ffi::LUA_TNIL {
                break;
            }
            write_value(state, reply, version, errors);
            len += 1;
        }
        reply.end_deferred(mark, Length::Array, len as usize);
    }
}

/// The pairs of the table on top, or their keys for a set.
unsafe fn write_pairs(
    state: *mut lua_State,
    kind: Length,
    reply: &mut Reply,
    version: Version,
    errors: &mut dyn FnMut(&[u8], bool),
) {
    // SAFETY: as above; `lua_next` finds the key that it left.
    unsafe {
        let mark = reply.begin_deferred();
        let (pairs, mut len) = (ffi::lua_gettop(state), 0);
        ffi::lua_pushnil(state);
        while ffi::lua_next(state, pairs) != 0 {
            ffi::lua_pushvalue(state, -2);
            write_value(state, reply, version, errors);
            if kind == Length::Map {
                write_value(state, reply, version, errors);
            } else {
                ffi::lua_settop(state, -2);
            }
            len += 1;
        }
        reply.end_deferred(mark, kind, len);
    }
}

/// The part of a text that a line shows: Redis reads it as a C string, so that it ends before the
/// first NUL.
pub(crate) fn line(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Line breaks, which would end it, become spaces.
fn write_big_number(digits: &[u8], reply: &mut Reply) {
    let clean: Vec<u8> = digits.iter().map(|&byte| no_break(byte)).collect();
    reply.big_number(&clean);
}

const fn no_break(byte: u8) -> u8 {
    if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }
}

/// Of the format the first three bytes are told, filled up with spaces.
fn write_verbatim(format: &[u8], text: &[u8], reply: &mut Reply) {
    let byte = |index: usize| line(format).get(index).copied().map_or(b' ', no_break);
    reply.verbatim(&[byte(0), byte(1), byte(2)], text);
}
