//! Parameters of scripts and functions.

use super::cluster::END as PREVIOUS;
use crate::handle::{Bool, Bytes, Int};
use crate::row::{Unit, boolean, bytes, int};

rows! {
    Scripting after PREVIOUS;

    BUSY_REPLY_THRESHOLD: Int = int("busy-reply-threshold", 5000, 0, i64::MAX)
        .aliases(&["lua-time-limit"]).unit(Unit::Milliseconds),
        "How long a script runs before other clients are told that the server is busy.";
    LUA_MEMORY_LIMIT: Bytes = bytes("lua-memory-limit", 4 << 30, 0, 1 << 46),
        "How many bytes all values of one thread's scripts may take together; 0 is no limit.";
    LUA_UNDECLARED_KEYS: Bool = boolean("lua-undeclared-keys", true),
        "Let scripts touch keys that they were not given as such.";
    LUA_ENABLE_DEPRECATED_API: Bool =
        boolean("lua-enable-deprecated-api", false).immutable().hidden().planned(),
        "Offer functions that were taken away from scripts.";
}
