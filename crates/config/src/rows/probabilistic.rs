//! Defaults of new Bloom and cuckoo filters, and vector sets.

use super::timeseries::END as PREVIOUS;
use crate::checks;
use crate::handle::{Bool, Int, Text};
use crate::row::{boolean, int, text};

rows! {
    Probabilistic after PREVIOUS;

    BF_ERROR_RATE: Text = text("bf-error-rate", "0.01").text_check(checks::error_rate).planned(),
        "Share of false positives of a new Bloom filter, above 0 and below 1.";
    BF_EXPANSION_FACTOR: Int = int("bf-expansion-factor", 2, 0, 32_768).planned(),
        "How much larger each further layer of a Bloom filter is; 0 forbids further layers.";
    BF_INITIAL_SIZE: Int = int("bf-initial-size", 100, 1, 1 << 30).planned(),
        "Items that a new Bloom filter is made for.";
    CF_BUCKET_SIZE: Int = int("cf-bucket-size", 2, 1, 255).planned(),
        "Items in a bucket of a new cuckoo filter.";
    CF_EXPANSION_FACTOR: Int = int("cf-expansion-factor", 1, 0, 32_768).planned(),
        "How much larger each further layer of a cuckoo filter is; 0 forbids further layers.";
    CF_INITIAL_SIZE: Int = int("cf-initial-size", 1024, 2, 1 << 30).planned(),
        "Items that a new cuckoo filter is made for.";
    CF_MAX_EXPANSIONS: Int = int("cf-max-expansions", 32, 1, 65_536).planned(),
        "Layers that a cuckoo filter may have.";
    CF_MAX_ITERATIONS: Int = int("cf-max-iterations", 20, 1, 65_535).planned(),
        "Moves that an insertion into a cuckoo filter tries before it adds a layer.";
    VSET_FORCE_SINGLE_THREADED_EXECUTION: Bool =
        boolean("vset-force-single-threaded-execution", false).planned(),
        "Run every vector set command on the thread that received it.";
}
