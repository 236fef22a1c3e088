//! How many results the caller of the running function wants: nothing of Lua's interface says so.
//!
//! A script that calls `redis.call('set', ...)` as a statement has no use for the reply, and a
//! table made of it would cost as much as the command. Where a state keeps the number is told by
//! the compiler of Lua itself (`lua_config.h`), when the first state is made.

use std::ffi::c_int;
use std::sync::atomic::{AtomicUsize, Ordering};

use mlua::ffi::lua_State;

/// Bytes from a state to the pointer to the frame of its running function.
static FRAME: AtomicUsize = AtomicUsize::new(0);

/// Bytes from a frame to the number of results that its caller wants.
static WANTED: AtomicUsize = AtomicUsize::new(0);

/// Called by Lua's own code for each state that is made, always with the same numbers.
#[unsafe(no_mangle)]
extern "C" fn ferrite_lua_layout(frame: usize, wanted: usize) {
    FRAME.store(frame, Ordering::Relaxed);
    WANTED.store(wanted, Ordering::Relaxed);
}

/// Whether the caller of the running function drops what it returns.
///
/// # Safety
/// Called in a function that Lua called on this state.
pub(crate) unsafe fn is_statement(state: *mut lua_State) -> bool {
    let (frame, wanted) = (FRAME.load(Ordering::Relaxed), WANTED.load(Ordering::Relaxed));
    // SAFETY: the state exists, so Lua has said where it has its frame, and while a function runs
    // there is one. Both offsets are those of fields of these types, aligned as such.
    unsafe {
        let frame = *state.cast::<u8>().add(frame).cast::<*const u8>();
        *frame.add(wanted).cast::<c_int>() == 0
    }
}
