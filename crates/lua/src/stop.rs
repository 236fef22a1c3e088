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
use crate::debug::{Pause, Paused, line_of_script};
use crate::host::{Host, Shared, Verdict};
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

/// As [`watch`], and before each line.
///
/// # Safety
/// The state is valid.
pub(crate) unsafe fn watch_lines(state: *mut lua_State) {
    // SAFETY: as above.
    unsafe {
        ffi::lua_sethook(state, Some(hook), ffi::LUA_MASKCOUNT | ffi::LUA_MASKLINE, STEPS);
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

unsafe extern "C-unwind" fn hook(state: *mut lua_State, at: *mut lua_Debug) {
    // SAFETY: Lua makes room for a hook's values; `register` put the machine's address there.
    unsafe {
        ffi::lua_pushlightuserdata(state, (&raw const KEY).cast_mut().cast());
        ffi::lua_rawget_(state, ffi::LUA_REGISTRYINDEX);
        let shared = ffi::lua_touserdata(state, -1).cast::<Shared>();
        ffi::lua_settop(state, -2);
        let Some(shared) = shared.as_ref() else { return };
        let is_line = (*at).event == ffi::LUA_HOOKLINE;
        let stops = (!is_line && must_stop(shared, |host| host.tick()))
            || (ffi::lua_gethookmask(state) & ffi::LUA_MASKLINE != 0
                && pause(state, shared, is_line));
        if stops {
            raise_stop(state, shared);
        }
    }
}

/// Lets who debugs the script look at it. True if it must end.
///
/// # Safety
/// Called in a hook of `state`.
unsafe fn pause(state: *mut lua_State, shared: &Shared, is_line: bool) -> bool {
    // SAFETY: as above.
    let Some(line) = (unsafe { line_of_script(state) }) else { return false };
    let why = if is_line { Pause::Line(line) } else { Pause::Steps(line) };
    // SAFETY: as above.
    let mut script = unsafe { Paused::new(state, shared) };
    must_stop(shared, |host| host.pause(why, &mut script))
}

/// Asks the host. Nothing here raises.
pub(crate) fn must_stop(shared: &Shared, ask: impl FnOnce(&mut dyn Host) -> Verdict) -> bool {
    if shared.stopping.get() {
        return true;
    }
    let Some(mut host) = shared.take_host() else { return false };
    // SAFETY: the host was lent for the run that this is part of, and taken above.
    let verdict = catch_unwind(AssertUnwindSafe(|| ask(unsafe { host.as_mut() })));
    shared.give_back(host);
    let stop = match verdict {
        // A text that a debugger has evaluated may have been stopped.
        Ok(verdict) => verdict == Verdict::Stop || shared.stopping.get(),
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
