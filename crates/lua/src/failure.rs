//! How a script failed: the message and the place of an error that it raised.

use std::ffi::{CStr, c_int};

use mlua::ffi::{self, lua_State};

use crate::base;
use crate::from_lua::line;
use crate::stack::{bytes, push_bytes, raw_field, set_raw_field};

/// A place in a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The name of the chunk, as `@user_script`.
    pub source: Vec<u8>,
    /// Its line.
    pub line: i64,
}

/// An error that a script raised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// Code and message, as a reply has them.
    pub message: Vec<u8>,
    /// Where it was raised.
    pub place: Option<Place>,
    /// It was counted where it arose.
    pub counted: bool,
}

/// The message handler of a script: makes any error a table with message and place.
pub(crate) unsafe extern "C-unwind" fn describe(state: *mut lua_State) -> c_int {
    // SAFETY: called by Lua with the error; the table is made on the stack.
    unsafe {
        ffi::lua_settop(state, 1);
        let mut place = std::mem::zeroed::<ffi::lua_Debug>();
        let mut known = inspect(state, 1, &mut place);
        if known && CStr::from_ptr(place.what).to_bytes() == b"C" {
            known = inspect(state, 2, &mut place);
        }
        base::to_text(state);
        ffi::lua_createtable(state, 0, 4);
        push_message(state);
        set_raw_field(state, b"err");
        if ffi::lua_type(state, 1) == ffi::LUA_TTABLE {
            raw_field(state, 1, b"ignore_error_stats_update");
            set_raw_field(state, b"ignore_error_stats_update");
        }
        if known {
            push_bytes(state, CStr::from_ptr(place.source).to_bytes());
            set_raw_field(state, b"source");
            ffi::lua_pushnumber(state, f64::from(place.currentline));
            set_raw_field(state, b"line");
        }
        1
    }
}

/// Asks Lua about the function at `level`.
///
/// # Safety
/// Called by Lua.
unsafe fn inspect(state: *mut lua_State, level: c_int, place: &mut ffi::lua_Debug) -> bool {
    // SAFETY: as above; the second call gets what the first has filled in.
    unsafe {
        ffi::lua_getstack(state, level, place) != 0
            && ffi::lua_getinfo(state, c"Sl".as_ptr(), place) != 0
    }
}

/// Pushes the message of the error at the bottom.
///
/// # Safety
/// As [`push_bytes`], with room for four values.
unsafe fn push_message(state: *mut lua_State) {
    // SAFETY: as above. A number that is converted in place is the error itself, which is ours.
    unsafe {
        match ffi::lua_type(state, 1) {
            ffi::LUA_TTABLE => {
                if raw_field(state, 1, b"err") != ffi::LUA_TSTRING {
                    ffi::lua_settop(state, -2);
                    push_bytes(state, b"ERR unknown error");
                }
            }
            ffi::LUA_TSTRING | ffi::LUA_TNUMBER => {
                push_bytes(state, b"ERR ");
                ffi::lua_pushvalue(state, 1);
                ffi::lua_concat(state, 2);
            }
            ffi::LUA_TBOOLEAN if ffi::lua_toboolean(state, 1) != 0 => {
                push_bytes(state, b"ERR true");
            }
            ffi::LUA_TBOOLEAN => push_bytes(state, b"ERR false"),
            kind => {
                push_bytes(state, b"ERR ");
                push_bytes(state, CStr::from_ptr(ffi::lua_typename(state, kind)).to_bytes());
                ffi::lua_concat(state, 2);
            }
        }
    }
}

/// Reads what [`describe`] made, or Lua's own message where it could not be called: a function of
/// the error and of the address of the [`Failure`] to fill in.
pub(crate) unsafe extern "C-unwind" fn read_failure(state: *mut lua_State) -> c_int {
    // SAFETY: `Machine::run` calls this with a failure in its own frame, outside the protected
    // call.
    unsafe {
        let failure = &mut *ffi::lua_touserdata(state, 2).cast::<Failure>();
        if ffi::lua_type(state, 1) != ffi::LUA_TTABLE {
            failure.message = bytes(state, 1).unwrap_or(b"execution failure").to_vec();
            return 0;
        }
        raw_field(state, 1, b"err");
        failure.message = line(bytes(state, -1).unwrap_or(b"ERR unknown error")).to_vec();
        raw_field(state, 1, b"ignore_error_stats_update");
        failure.counted = ffi::lua_toboolean(state, -1) != 0;
        if raw_field(state, 1, b"source") == ffi::LUA_TSTRING {
            let source = bytes(state, -1).unwrap_or_default();
            raw_field(state, 1, b"line");
            let line = ffi::lua_tonumber(state, -1) as i64;
            failure.place = Some(Place { source: source.to_vec(), line });
        }
        0
    }
}
