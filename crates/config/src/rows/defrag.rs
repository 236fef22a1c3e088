//! Defragmentation and the allocator.

use super::encodings::END as PREVIOUS;
use crate::handle::{Bool, Bytes, Int};
use crate::row::{BYTES_MAX, Unit, boolean, bytes, int};

rows! {
    Defrag after PREVIOUS;

    ACTIVEDEFRAG: Bool = boolean("activedefrag", false).debug().planned(),
        "Move values while the server runs so that freed memory can be returned.";
    ACTIVE_DEFRAG_IGNORE_BYTES: Bytes =
        bytes("active-defrag-ignore-bytes", 100 << 20, 1, BYTES_MAX).planned(),
        "Wasted memory below which nothing is moved.";
    ACTIVE_DEFRAG_THRESHOLD_LOWER: Int =
        int("active-defrag-threshold-lower", 10, 0, 1000).unit(Unit::Percent).planned(),
        "Waste at which moving starts.";
    ACTIVE_DEFRAG_THRESHOLD_UPPER: Int =
        int("active-defrag-threshold-upper", 100, 0, 1000).unit(Unit::Percent).planned(),
        "Waste at which moving takes the most time.";
    ACTIVE_DEFRAG_CYCLE_MIN: Int =
        int("active-defrag-cycle-min", 1, 1, 99).unit(Unit::Percent).planned(),
        "Share of a core for moving at the lower threshold.";
    ACTIVE_DEFRAG_CYCLE_MAX: Int =
        int("active-defrag-cycle-max", 25, 1, 99).unit(Unit::Percent).planned(),
        "Share of a core for moving at the upper threshold.";
    ACTIVE_DEFRAG_MAX_SCAN_FIELDS: Int =
        int("active-defrag-max-scan-fields", 1000, 1, i64::MAX).planned(),
        "Elements beyond which a value is moved step by step.";
    JEMALLOC_BG_THREAD: Bool = boolean("jemalloc-bg-thread", true),
        "Let the allocator return memory to the system from threads of its own.";
}
