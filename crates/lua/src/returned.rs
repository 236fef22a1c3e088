//! Replies that are a script's value as they are.
//!
//! Many scripts end with `return redis.call(...)`. Where the value that Lua would have of the reply
//! is written with the same bytes, it is not made: the reply goes on to the client.

use mlua::ffi::lua_State;
use resp::{Reply, Version};

use crate::host::Shared;
use crate::layout::is_returned_to;
use crate::to_lua::{number, payload, split};

/// Digits of integers that numbers of Lua hold exactly, whatever they are.
const EXACT_DIGITS: usize = 15;

/// Whether the script's value is the reply `bytes` of the function that runs, and is written so.
///
/// # Safety
/// Called in a function that Lua called on this state.
#[inline]
pub(crate) unsafe fn is_handed_on(state: *mut lua_State, shared: &Shared, bytes: &[u8]) -> bool {
    let (entered, depth) = shared.entered.get();
    // SAFETY: as above.
    entered == state
        && unsafe { is_returned_to(state, depth) }
        && survives(bytes, shared.client_version.get())
}

/// Writes the reply that is the script's value.
///
/// # Safety
/// No command is being called.
pub(crate) unsafe fn hand_on(shared: &Shared, reply: &mut Reply) {
    // SAFETY: the buffer is that of a command that has been called, and nobody reads it again.
    reply.append(unsafe { &mut *shared.reply.get() });
}

/// Whether replies become values that are written with the same bytes, for a client of `version`.
fn survives(mut bytes: &[u8], version: Version) -> bool {
    while let Some((marker, line, rest)) = split(bytes) {
        bytes = match marker {
            // A status ends before a NUL.
            b'+' if !line.contains(&0) => rest,
            b':' if line.len() <= EXACT_DIGITS => rest,
            // False, which RESP3 has another null for.
            b'$' if line == b"-1" && version == Version::Resp2 => rest,
            b'$' => match payload(number(line), rest) {
                Some((_, rest)) => rest,
                None => return false,
            },
            // The absence of an array is false too.
            b'*' if line != b"-1" => rest,
            _ => return false,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_value_would_change_does_not_survive() {
        let (two, three) = (Version::Resp2, Version::Resp3);
        for same in ["$3\r\na\r\n\r\n", ":-5\r\n", "+OK\r\n", "*2\r\n$0\r\n\r\n*0\r\n"] {
            assert!(survives(same.as_bytes(), two) && survives(same.as_bytes(), three), "{same}");
        }
        assert!(survives(b"*1\r\n$-1\r\n", two) && !survives(b"*1\r\n$-1\r\n", three));
        for other in [
            ":9007199254740993\r\n",
            "*-1\r\n",
            "*1\r\n*-1\r\n",
            "-ERR\r\n",
            "+a\0b\r\n",
            "*1\r\n-ERR\r\n",
            "_\r\n",
            "%0\r\n",
            "~0\r\n",
            ",1\r\n",
            "#t\r\n",
            "(1\r\n",
            "=5\r\ntxt:a\r\n",
            ">0\r\n",
            "|0\r\n:1\r\n",
            "$5\r\nabc\r\n",
        ] {
            assert!(
                !survives(other.as_bytes(), two) && !survives(other.as_bytes(), three),
                "{other}"
            );
        }
    }
}
