//! How a script is ended from outside: it is asked to every so many instructions, and once it has
//! been told, nothing that it catches helps it.
//!
//! Lua calls a hook every [`STEPS`] instructions. The hook asks the host; if that says stop, it
//! raises an error, and goes on raising one for every further instruction. `pcall`, `xpcall` and
//! `coroutine.resume` ([`base`](crate::base)) pass it on instead of catching it. A handler of
//! `xpcall` is not called for it, since hooks are silent while one runs.

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

use mlua::ffi::{self, lua_Debug, lua_State};

use crate::call::raise_value;
use crate::host::{Shared, Verdict};
use crate::stack::push_bytes;

/// Instructions between two questions to the host: some 50 microseconds.
pub const STEPS: c_int = 10_000;

/// Its address is the key of the machine in Lua's registry.
static KEY: u8 = 0;

/// Sets the hook of a thread of Lua's, which those inherit that it makes.
///
/// # Safety
/// The state is valid.
pub(crate) unsafe fn watch(state: *mut lua_State, steps: c_int) {
    // SAFETY: as above.
    unsafe {
        ffi::lua_sethook(state, Some(hook), ffi::LUA_MASKCOUNT, steps);
    }
}

/// Lets the hook find the machine. Raises if memory is short.
///
/// # Safety
/// As [`push_bytes`], with room for two values; the machine outlives the Lua state.
pub(crate) unsafe fn register(state: *mut lua_State, shared: *const Shared) {
    // SAFETY: as above.
    unsafe {
        ffi::lua_pushlightuserdata(state, (&raw const KEY).cast_mut().cast());
        ffi::lua_pushlightuserdata(state, shared.cast_mut().cast());
        ffi::lua_rawset(state, ffi::LUA_REGISTRYINDEX);
    }
}

unsafe extern "C-unwind" fn hook(state: *mut lua_State, _: *mut lua_Debug) {
    // SAFETY: Lua makes room for a hook's values; `register` put the machine's address there.
    unsafe {
        ffi::lua_pushlightuserdata(state, (&raw const KEY).cast_mut().cast());
        ffi::lua_rawget_(state, ffi::LUA_REGISTRYINDEX);
        let shared = ffi::lua_touserdata(state, -1).cast::<Shared>();
        ffi::lua_settop(state, -2);
        if let Some(shared) = shared.as_ref()
            && must_stop(shared)
        {
            raise_stop(state, shared);
        }
    }
}

/// Asks the host. Nothing here raises.
fn must_stop(shared: &Shared) -> bool {
    if shared.stopping.get() {
        return true;
    }
    let Some(mut host) = shared.take_host() else { return false };
    // SAFETY: the host was lent for the run that this is part of, and taken above.
    let verdict = catch_unwind(AssertUnwindSafe(|| unsafe { host.as_mut() }.tick()));
    shared.give_back(host);
    let stop = match verdict {
        Ok(verdict) => verdict == Verdict::Stop,
        Err(panic) => {
            shared.panic.set(Some(panic));
            true
        }
    };
    shared.stopping.set(stop);
    stop
}

/// Raises the error that ends the script, now and at each further instruction.
///
/// # Safety
/// As for everything that raises.
pub(crate) unsafe fn raise_stop(state: *mut lua_State, shared: &Shared) -> c_int {
    shared.stopping.set(true);
    // SAFETY: the caller owns nothing.
    unsafe {
        watch(state, 1);
        push_bytes(state, b"the script was stopped");
        raise_value(state)
    }
}
