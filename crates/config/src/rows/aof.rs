//! Parameters of the append-only file.

use super::snapshotting::END as PREVIOUS;
use crate::checks;
use crate::choice::{AppendFsync, Choices};
use crate::handle::{Bool, Bytes, Choice, Int, Text};
use crate::row::{BYTES_MAX, INT_MAX, Unit, boolean, bytes, choice, int, text};

rows! {
    Aof after PREVIOUS;

    APPENDONLY: Bool = boolean("appendonly", false),
        "Log every write to a file that is replayed at start.";
    APPENDFILENAME: Text = text("appendfilename", "appendonly.aof").immutable()
        .text_check(checks::appendfilename),
        "First part of the names of the append-only files.";
    APPENDDIRNAME: Text = text("appenddirname", "appendonlydir").immutable()
        .text_check(checks::appenddirname),
        "Directory of the append-only files, inside dir.";
    APPENDFSYNC: Choice<AppendFsync> =
        choice("appendfsync", AppendFsync::WORDS, AppendFsync::Everysec as i64),
        "When logged writes reach the disk.";
    NO_APPENDFSYNC_ON_REWRITE: Bool = boolean("no-appendfsync-on-rewrite", false),
        "Leave flushing to the kernel while a rewrite or snapshot runs.";
    AUTO_AOF_REWRITE_PERCENTAGE: Int =
        int("auto-aof-rewrite-percentage", 100, 0, INT_MAX).unit(Unit::Percent),
        "Growth since the last rewrite that starts the next; 0 never does.";
    AUTO_AOF_REWRITE_MIN_SIZE: Bytes =
        bytes("auto-aof-rewrite-min-size", 64 << 20, 0, BYTES_MAX),
        "Smallest file that is rewritten by itself.";
    AOF_LOAD_TRUNCATED: Bool = boolean("aof-load-truncated", true),
        "Load a file whose end is missing, as a power failure leaves it.";
    AOF_LOAD_CORRUPT_TAIL_MAX_SIZE: Int =
        int("aof-load-corrupt-tail-max-size", 0, 0, i64::MAX).unit(Unit::Bytes),
        "Damaged bytes at the end of a file that are cut off at start; 0 refuses any.";
    AOF_USE_RDB_PREAMBLE: Bool = boolean("aof-use-rdb-preamble", true),
        "Rewrite into the snapshot format, which is smaller and loads faster.";
    AOF_TIMESTAMP_ENABLED: Bool = boolean("aof-timestamp-enabled", false),
        "Note the time in the file, so that it can be cut at a point in time.";
    AOF_REWRITE_INCREMENTAL_FSYNC: Bool = boolean("aof-rewrite-incremental-fsync", true),
        "Flush a rewrite to disk bit by bit instead of once at its end.";
}
