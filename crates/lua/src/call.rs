//! `redis.call` and `redis.pcall`: a script's arguments become a command, the reply a value.

use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

use mlua::ffi::{self, lua_State};
use resp::{ArgsBuffer, Reply};

use crate::host::Shared;
use crate::layout::is_statement;
use crate::returned::is_handed_on;
use crate::stack::{bytes, push_bytes, set_raw_field, shared};
use crate::stop::raise_stop;
use crate::to_lua::push_reply;

/// Bytes of arguments whose buffer is kept for the next command.
pub(crate) const KEPT_BYTES: usize = 64 * 1024;

/// How a call ended.
enum Outcome {
    /// The reply lies ready.
    Replied,
    /// There were no arguments.
    NoArguments,
    /// One was neither string nor number.
    BadArgument,
    /// The script must end.
    Stopped,
}

/// `redis.call`: an error that the command answers is raised.
pub(crate) unsafe extern "C-unwind" fn call(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this as the function that `push_function` made.
    unsafe { execute(state, true) }
}

/// `redis.pcall`: an error that the command answers is returned.
pub(crate) unsafe extern "C-unwind" fn pcall(state: *mut lua_State) -> c_int {
    // SAFETY: Lua calls this as the function that `push_function` made.
    unsafe { execute(state, false) }
}

/// # Safety
/// Called by Lua, with the machine in the first upvalue.
unsafe fn execute(state: *mut lua_State, raises: bool) -> c_int {
    // SAFETY: nothing here owns anything when Lua raises; the reply stays as it is until the next
    // command, which a value that is being pushed cannot begin.
    unsafe {
        let shared = shared(state);
        let is_error = match perform(shared, state) {
            Outcome::Replied => {
                let reply = &*shared.reply.get();
                let is_error = reply.chunks().next().is_some_and(|bytes| bytes[0] == b'-');
                if is_statement(state) && !(is_error && raises) {
                    return 0;
                }
                let bytes = contiguous(reply, &mut *shared.bytes.get());
                if is_handed_on(state, shared, bytes) {
                    shared.hands_on.set(true);
                    return 0;
                }
                // The arguments make room for the reply.
                ffi::lua_settop(state, 0);
                push_reply(state, bytes);
                is_error
            }
            Outcome::NoArguments => {
                let text = b"ERR Please specify at least one argument for this redis lib call";
                push_error(state, text)
            }
            Outcome::BadArgument => {
                let text = b"ERR Lua redis lib command arguments must be strings or integers";
                push_error(state, text)
            }
            Outcome::Stopped => return raise_stop(state, shared),
        };
        if raises && is_error {
            return raise_value(state);
        }
        1
    }
}

/// Raises the value on top.
///
/// # Safety
/// As for everything that raises.
pub(crate) unsafe fn raise_value(state: *mut lua_State) -> c_int {
    // SAFETY: the caller owns nothing.
    unsafe { ffi::lua_error(state) }
}

/// # Safety
/// As [`push_bytes`], with room for two values.
unsafe fn push_error(state: *mut lua_State, text: &[u8]) -> bool {
    // SAFETY: as above.
    unsafe {
        ffi::lua_createtable(state, 0, 1);
        push_bytes(state, text);
        set_raw_field(state, b"err");
    }
    true
}

/// Collects the arguments and has the host execute them. Nothing here raises: it may own what it
/// likes.
fn perform(shared: &Shared, state: *mut lua_State) -> Outcome {
    if shared.stopping.get() {
        return Outcome::Stopped;
    }
    // SAFETY: the buffers are used by one call at a time: the host is taken while they are.
    let (args, reply) = unsafe { (&mut *shared.args.get(), &mut *shared.reply.get()) };
    args.clear(KEPT_BYTES);
    match collect(state, args) {
        None => return Outcome::BadArgument,
        Some(0) => return Outcome::NoArguments,
        Some(_) => {}
    }
    let Some(mut host) = shared.take_host() else { return Outcome::Stopped };
    reply.clear();
    reply.set_version(shared.version.get());
    let result = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the host was lent for the run that this call is part of, and taken above.
        unsafe { host.as_mut() }.call(args.as_args(), reply)
    }));
    shared.give_back(host);
    match result {
        Ok(Ok(())) => Outcome::Replied,
        Ok(Err(_)) => {
            shared.stopping.set(true);
            Outcome::Stopped
        }
        Err(panic) => {
            shared.panic.set(Some(panic));
            shared.stopping.set(true);
            Outcome::Stopped
        }
    }
}

/// Copies the arguments; their number, or none if one has another type.
fn collect(state: *mut lua_State, args: &mut ArgsBuffer) -> Option<c_int> {
    // SAFETY: the indexes are those of the arguments; nothing called here raises, since only
    // strings are asked for their bytes.
    unsafe {
        let count = ffi::lua_gettop(state);
        for index in 1..=count {
            if let Some(bytes) = bytes(state, index) {
                args.push(bytes);
            } else if ffi::lua_type(state, index) == ffi::LUA_TNUMBER {
                let value = ffi::lua_tonumber(state, index);
                args.push_with(|out| write_number(out, value));
            } else {
                return None;
            }
        }
        Some(count)
    }
}

/// A number as commands get it: the shortest text that is read back as that number.
fn write_number(out: &mut Vec<u8>, value: f64) {
    if value == 0.0 {
        out.push(b'0');
    } else if value.is_nan() && value.is_sign_negative() {
        out.extend_from_slice(b"-nan");
    } else {
        stdx::num::write_f64(out, value);
    }
}

/// The reply in one piece.
fn contiguous<'r>(reply: &'r Reply, buffer: &'r mut Vec<u8>) -> &'r [u8] {
    let mut chunks = reply.chunks();
    let Some(first) = chunks.next() else { return b"" };
    let Some(second) = chunks.next() else { return first };
    buffer.clear();
    buffer.shrink_to(KEPT_BYTES);
    buffer.reserve(reply.len());
    [first, second].into_iter().chain(chunks).for_each(|piece| buffer.extend_from_slice(piece));
    buffer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_the_digits_that_they_need() {
        let text = |value: f64| {
            let mut out = Vec::new();
            write_number(&mut out, value);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(3.0), "3");
        assert_eq!(text(-0.0), "0");
        assert_eq!(text(0.1), "0.1");
        assert_eq!(text(1e15), "1000000000000000");
        assert_eq!(text(9_007_199_254_740_992.0), "9007199254740992");
        assert_eq!(text(1e17), "100000000000000000");
        assert_eq!(text(1.5e-7), "1.5e-7");
        assert_eq!(text(f64::INFINITY), "inf");
        assert_eq!(text(-f64::NAN), "-nan");
    }
}
