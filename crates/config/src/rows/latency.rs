//! The slow log, the latency monitor and latency tracking.

use super::scripting::END as PREVIOUS;
use crate::handle::{Bool, Int, Percentiles};
use crate::row::{List, UINT_MAX, Unit, boolean, int, list};

rows! {
    Latency after PREVIOUS;

    SLOWLOG_LOG_SLOWER_THAN: Int = int("slowlog-log-slower-than", 10_000, -1, i64::MAX)
        .foreign(&["commandlog-execution-slower-than"]).unit(Unit::Microseconds),
        "Execution time from which a command is logged; 0 logs all, -1 none.";
    SLOWLOG_MAX_LEN: Int = int("slowlog-max-len", 128, 0, i64::MAX)
        .foreign(&["commandlog-slow-execution-max-len"]),
        "Entries that the slow log keeps.";
    SLOWLOG_ENTRY_MAX_ARGC: Int = int("slowlog-entry-max-argc", 32, 2, UINT_MAX),
        "Arguments kept of a logged command, its name included.";
    SLOWLOG_ENTRY_MAX_STRING_LEN: Int =
        int("slowlog-entry-max-string-len", 128, 0, UINT_MAX).unit(Unit::Bytes),
        "Bytes kept of each argument of a logged command.";
    COMMANDLOG_REQUEST_LARGER_THAN: Int =
        int("commandlog-request-larger-than", 1 << 20, -1, i64::MAX).unit(Unit::Bytes),
        "Size from which a request is logged as large; -1 logs none.";
    COMMANDLOG_LARGE_REQUEST_MAX_LEN: Int =
        int("commandlog-large-request-max-len", 128, 0, i64::MAX),
        "Entries that the log of large requests keeps.";
    COMMANDLOG_REPLY_LARGER_THAN: Int =
        int("commandlog-reply-larger-than", 1 << 20, -1, i64::MAX).unit(Unit::Bytes),
        "Size from which a reply is logged as large; -1 logs none.";
    COMMANDLOG_LARGE_REPLY_MAX_LEN: Int =
        int("commandlog-large-reply-max-len", 128, 0, i64::MAX),
        "Entries that the log of large replies keeps.";
    LATENCY_MONITOR_THRESHOLD: Int =
        int("latency-monitor-threshold", 0, 0, i64::MAX).unit(Unit::Milliseconds),
        "Duration from which the latency monitor notes an event; 0 turns it off.";
    LATENCY_TRACKING: Bool = boolean("latency-tracking", true),
        "Keep a histogram of the execution times of each command.";
    LATENCY_TRACKING_INFO_PERCENTILES: Percentiles =
        list("latency-tracking-info-percentiles", List::Percentiles, "50 99 99.9"),
        "Percentiles that INFO prints of those histograms.";
}
