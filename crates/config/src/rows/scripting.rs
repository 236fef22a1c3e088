//! Parameters of scripts and functions.

use super::cluster::END as PREVIOUS;
use crate::handle::{Bool, Int};
use crate::row::{Unit, boolean, int};

rows! {
    Scripting after PREVIOUS;

    BUSY_REPLY_THRESHOLD: Int = int("busy-reply-threshold", 5000, 0, i64::MAX)
        .aliases(&["lua-time-limit"]).unit(Unit::Milliseconds).planned(),
        "How long a script runs before other clients are told that the server is busy.";
    LUA_ENABLE_DEPRECATED_API: Bool =
        boolean("lua-enable-deprecated-api", false).immutable().hidden().planned(),
        "Offer functions that were taken away from scripts.";
}
