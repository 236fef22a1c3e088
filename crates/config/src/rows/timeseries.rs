//! Defaults of new time series.

use super::search::END as PREVIOUS;
use crate::checks;
use crate::choice::{ChunkEncoding, Choices, DuplicatePolicy};
use crate::handle::{Choice, Int, Text};
use crate::row::{Unit, choice, int, text};

rows! {
    TimeSeries after PREVIOUS;

    TS_CHUNK_SIZE_BYTES: Int = int("ts-chunk-size-bytes", 4096, 48, 1_048_576)
        .unit(Unit::Bytes).number_check(checks::multiple_of_eight).planned(),
        "Size of a new chunk of samples, a multiple of 8.";
    TS_COMPACTION_POLICY: Text = text("ts-compaction-policy", "").planned(),
        "Compaction rules of series that TS.ADD and its kin create.";
    TS_DUPLICATE_POLICY: Choice<DuplicatePolicy> =
        choice("ts-duplicate-policy", DuplicatePolicy::WORDS, 0).planned(),
        "What becomes of a second sample at the same time.";
    TS_ENCODING: Choice<ChunkEncoding> = choice("ts-encoding", ChunkEncoding::WORDS, 0).planned(),
        "How the chunks of a new series are stored.";
    TS_IGNORE_MAX_TIME_DIFF: Int =
        int("ts-ignore-max-time-diff", 0, 0, i64::MAX).unit(Unit::Milliseconds).planned(),
        "Time since the last sample within which an equal sample is dropped.";
    TS_IGNORE_MAX_VAL_DIFF: Text =
        text("ts-ignore-max-val-diff", "0").text_check(checks::non_negative).planned(),
        "Difference up to which a sample counts as equal.";
    TS_NUM_THREADS: Int = int("ts-num-threads", 3, 1, 16).immutable().unlisted().planned(),
        "Threads for queries over many series of a cluster.";
    TS_RETENTION_POLICY: Int =
        int("ts-retention-policy", 0, 0, i64::MAX).unit(Unit::Milliseconds).planned(),
        "Age at which samples of a new series are dropped; 0 keeps them.";
}
