//! Knobs for tests, mostly hidden.

use super::probabilistic::END as PREVIOUS;
use crate::handle::{Bool, Int, Text};
use crate::row::{INT_MAX, INT_MIN, Unit, boolean, int, text};

rows! {
    Debug after PREVIOUS;

    USE_EXIT_ON_PANIC: Bool = boolean("use-exit-on-panic", false).hidden(),
        "Exit instead of aborting after a failed assertion, so that no core file is written.";
    AOF_DISABLE_AUTO_GC: Bool = boolean("aof-disable-auto-gc", false),
        "Keep append-only files that are no longer needed.";
    ENABLE_DEBUG_ASSERT: Bool =
        boolean("enable-debug-assert", false).immutable().hidden().planned(),
        "Verify costly invariants while serving.";
    RDB_KEY_SAVE_DELAY: Int = int("rdb-key-save-delay", 0, INT_MIN, INT_MAX)
        .unit(Unit::Microseconds).hidden(),
        "Pause after each saved key; a negative number pauses once in so many keys.";
    KEY_LOAD_DELAY: Int = int("key-load-delay", 0, INT_MIN, INT_MAX)
        .unit(Unit::Microseconds).hidden(),
        "Pause before each loaded key; a negative number is none.";
    LOADING_PROCESS_EVENTS_INTERVAL_BYTES: Int =
        int("loading-process-events-interval-bytes", 2_097_152, 1024, INT_MAX)
            .unit(Unit::Bytes).hidden().planned(),
        "Loaded bytes between two looks at the sockets.";
    WATCHDOG_PERIOD: Int =
        int("watchdog-period", 0, 0, INT_MAX).unit(Unit::Milliseconds).hidden().planned(),
        "Log a stack trace when the server does not answer for this long; 0 never does.";
    DEBUG_CONTEXT: Text = text("debug-context", "").debug().hidden().planned(),
        "Text that is added to crash reports.";
    REQ_RES_LOGFILE: Text = text("req-res-logfile", "").immutable().hidden().planned(),
        "File to which every request and reply is written.";
    CLIENT_DEFAULT_RESP: Int = int("client-default-resp", 2, 2, 3).immutable().hidden().planned(),
        "Protocol version that a connection starts with.";
}
