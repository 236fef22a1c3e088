//! Small steps on Lua's stack that several modules take.
//!
//! None of these functions owns anything that would have to be dropped, so Lua may jump over them.

use std::ffi::{CStr, c_int};
use std::rc::Rc;

use mlua::ffi::{self, lua_State};

use crate::host::Shared;

/// The bytes of the string at `index`; none if it is no string. A number is not converted.
///
/// # Safety
/// `index` is valid, and the value stays on the stack while the bytes are used.
pub(crate) unsafe fn bytes<'b>(state: *mut lua_State, index: c_int) -> Option<&'b [u8]> {
    // SAFETY: the caller vouches for the index; `lua_tolstring` of a string allocates nothing.
    unsafe {
        if ffi::lua_type(state, index) != ffi::LUA_TSTRING {
            return None;
        }
        let mut len = 0;
        let start = ffi::lua_tolstring(state, index, &raw mut len);
        Some(std::slice::from_raw_parts(start.cast(), len))
    }
}

/// Pushes a string. Raises if memory is short.
///
/// # Safety
/// The stack has room for one value, and no frame between here and the protected call owns
/// anything.
pub(crate) unsafe fn push_bytes(state: *mut lua_State, bytes: &[u8]) {
    // SAFETY: as above; Lua copies the bytes.
    unsafe {
        ffi::lua_pushlstring_(state, bytes.as_ptr().cast(), bytes.len());
    }
}

/// Pushes the field `name` of the table at `index`, without its metatable. Raises if memory is
/// short.
///
/// # Safety
/// There is a table at `index`, which is no pseudo-index and counted from the bottom; otherwise as
/// [`push_bytes`].
pub(crate) unsafe fn raw_field(state: *mut lua_State, index: c_int, name: &[u8]) -> c_int {
    // SAFETY: as above.
    unsafe {
        push_bytes(state, name);
        ffi::lua_rawget_(state, index);
        ffi::lua_type(state, -1)
    }
}

/// Sets the field `name` of the table below the top to the value on top, and pops that. Raises if
/// memory is short.
///
/// # Safety
/// As [`raw_field`], with a table below the top.
pub(crate) unsafe fn set_raw_field(state: *mut lua_State, name: &[u8]) {
    // SAFETY: as above: the name goes below the value, and both are popped.
    unsafe {
        push_bytes(state, name);
        ffi::lua_insert(state, -2);
        ffi::lua_rawset(state, -3);
    }
}

/// Raises `message` as C functions do, with the place in the script that called.
///
/// # Safety
/// As [`push_bytes`].
pub(crate) unsafe fn raise(state: *mut lua_State, message: &CStr) -> c_int {
    // SAFETY: the message has no directives, being one itself.
    unsafe { ffi::luaL_error(state, c"%s".as_ptr(), message.as_ptr()) }
}

/// What the machine's functions share.
///
/// # Safety
/// Called by a function that [`push_function`] made, while its machine exists.
pub(crate) unsafe fn shared<'s>(state: *mut lua_State) -> &'s Shared {
    // SAFETY: the first upvalue is the address that `push_function` put there.
    unsafe { &*ffi::lua_touserdata(state, ffi::lua_upvalueindex(1)).cast::<Shared>() }
}

/// Pushes a function that finds the machine in its first upvalue, and the `extra` values that are
/// on top of the stack in the next ones. Raises if memory is short.
///
/// # Safety
/// The machine outlives the Lua state; otherwise as [`push_bytes`].
pub(crate) unsafe fn push_function(
    state: *mut lua_State,
    shared: *const Shared,
    function: ffi::lua_CFunction,
    extra: c_int,
) {
    // SAFETY: as above.
    unsafe {
        ffi::lua_pushlightuserdata(state, shared.cast_mut().cast());
        if extra > 0 {
            ffi::lua_insert(state, -1 - extra);
        }
        ffi::lua_pushcclosure(state, function, 1 + extra);
    }
}

/// The address under which the machine's functions find what they share.
pub(crate) fn address(shared: &Rc<Shared>) -> *const Shared {
    Rc::as_ptr(shared)
}
