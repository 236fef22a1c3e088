//! Parameters of RDB snapshots.

use super::lazyfree::END as PREVIOUS;
use crate::checks;
use crate::choice::{Choices, RdbVersionCheck, SanitizeDumpPayload};
use crate::handle::{Bool, Choice, Int, SavePoints, Text};
use crate::row::{List, boolean, choice, int, list, text};

rows! {
    Snapshotting after PREVIOUS;

    SAVE: SavePoints =
        list("save", List::SavePoints, "3600 1 300 100 60 10000"),
        "Take a snapshot after so many seconds if at least so many changes were made; empty never \
         does.";
    STOP_WRITES_ON_BGSAVE_ERROR: Bool = boolean("stop-writes-on-bgsave-error", true),
        "Refuse writes after a snapshot failed, so that somebody notices.";
    RDBCOMPRESSION: Bool = boolean("rdbcompression", true),
        "Compress long strings in snapshots.";
    RDBCHECKSUM: Bool = boolean("rdbchecksum", true).immutable(),
        "End snapshots with a checksum.";
    SANITIZE_DUMP_PAYLOAD: Choice<SanitizeDumpPayload> =
        choice("sanitize-dump-payload", SanitizeDumpPayload::WORDS, 0).debug(),
        "Accepted for compatibility: every RESTORE payload is verified in full, whatever it says.";
    RDB_VERSION: Int = int("rdb-version", 10, 10, 11),
        "RDB format that DUMP writes: 10 is read by Redis 7.0 and later, 11 by 7.2 and later.";
    RDB_VERSION_CHECK: Choice<RdbVersionCheck> =
        choice("rdb-version-check", RdbVersionCheck::WORDS, 0).planned(),
        "Whether to try files of formats that came later: those are refused, whatever it says.";
    DBFILENAME: Text = text("dbfilename", "dump.rdb").protected().text_check(checks::dbfilename),
        "File name of the snapshot.";
    RDB_DEL_SYNC_FILES: Bool = boolean("rdb-del-sync-files", false).planned(),
        "Delete snapshots that only replication needed.";
    RDB_SAVE_INCREMENTAL_FSYNC: Bool = boolean("rdb-save-incremental-fsync", true),
        "Flush a snapshot to disk bit by bit instead of once at its end.";
}
