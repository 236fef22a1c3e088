//! Search indexes and queries.

use super::defrag::END as PREVIOUS;
use crate::choice::{Choices, QueryOomPolicy, QueryPolicy};
use crate::handle::{Bool, Choice, Int, Text};
use crate::row::{UINT_MAX, Unit, boolean, choice, int, text};

rows! {
    Search after PREVIOUS;

    SEARCH_THREADS: Int = int("search-threads", 20, 1, i64::MAX).immutable().unlisted().planned(),
        "Threads of the coordinator of a cluster.";
    SEARCH_WORKERS: Int = int("search-workers", 0, 0, 16).planned(),
        "Threads for queries and background work; 0 uses the event loops.";
    SEARCH_IO_THREADS: Int = int("search-io-threads", 1, 1, 64).immutable().unlisted().planned(),
        "Threads for the coordinator's connections to other shards.";
    SEARCH_MIN_OPERATION_WORKERS: Int = int("search-min-operation-workers", 4, 1, 16).planned(),
        "Threads while an index is built from a loaded dataset.";
    SEARCH_WORKERS_PRIORITY_BIAS_THRESHOLD: Int =
        int("search-workers-priority-bias-threshold", 1, 0, i64::MAX)
            .immutable().unlisted().planned(),
        "Urgent tasks run before others get a turn.";
    SEARCH_CONN_PER_SHARD: Int = int("search-conn-per-shard", 0, 0, UINT_MAX).planned(),
        "Connections from the coordinator to each shard; 0 chooses.";
    SEARCH_TOPOLOGY_VALIDATION_TIMEOUT: Int =
        int("search-topology-validation-timeout", 30_000, 0, i64::MAX)
            .unit(Unit::Milliseconds).planned(),
        "How long queries wait for the whole cluster to be known.";
    SEARCH_TIMEOUT: Int =
        int("search-timeout", 500, 1, i64::MAX).unit(Unit::Milliseconds).planned(),
        "Longest run of a query.";
    SEARCH_ON_TIMEOUT: Choice<QueryPolicy> =
        choice("search-on-timeout", QueryPolicy::WORDS, QueryPolicy::Return as i64).planned(),
        "What a query answers that ran too long.";
    SEARCH_ON_OOM: Choice<QueryOomPolicy> =
        choice("search-on-oom", QueryOomPolicy::WORDS, QueryOomPolicy::Return as i64).planned(),
        "What a query does when memory is exhausted.";
    SEARCH_DEFAULT_DIALECT: Int = int("search-default-dialect", 1, 1, 4).planned(),
        "Query dialect of requests that name none.";
    SEARCH_DEFAULT_SCORER: Text = text("search-default-scorer", "BM25STD").planned(),
        "Scoring function of requests that name none.";
    SEARCH_BM25STD_TANH_FACTOR: Int = int("search-bm25std-tanh-factor", 4, 1, 10_000).planned(),
        "Smoothing factor of the normalized BM25 score.";
    SEARCH_MAX_SEARCH_RESULTS: Int =
        int("search-max-search-results", 1_000_000, 0, 1 << 31).planned(),
        "Most results of FT.SEARCH.";
    SEARCH_MAX_AGGREGATE_RESULTS: Int =
        int("search-max-aggregate-results", 1 << 31, 0, 1 << 31).planned(),
        "Most results of FT.AGGREGATE.";
    SEARCH_MAX_PREFIX_EXPANSIONS: Int =
        int("search-max-prefix-expansions", 200, 1, i64::MAX).planned(),
        "Terms that a prefix in a query may stand for.";
    SEARCH_MAX_DOCTABLESIZE: Int =
        int("search-max-doctablesize", 1_000_000, 1, 100_000_000).immutable().unlisted().planned(),
        "Buckets of the table of documents.";
    SEARCH_MIN_PREFIX: Int = int("search-min-prefix", 2, 1, i64::MAX).planned(),
        "Shortest prefix that a query may expand.";
    SEARCH_MIN_STEM_LEN: Int = int("search-min-stem-len", 4, 2, UINT_MAX).planned(),
        "Shortest word that is stemmed.";
    SEARCH_MIN_PHONETIC_TERM_LEN: Int =
        int("search-min-phonetic-term-len", 3, 1, i64::MAX).planned(),
        "Shortest word that is compared by sound.";
    SEARCH_MULTI_TEXT_SLOP: Int =
        int("search-multi-text-slop", 100, 1, UINT_MAX).immutable().unlisted().planned(),
        "Distance between the texts of one array field.";
    SEARCH_UNION_ITERATOR_HEAP: Int = int("search-union-iterator-heap", 20, 1, i64::MAX).planned(),
        "Parts from which a union is merged by a heap.";
    SEARCH_CURSOR_MAX_IDLE: Int =
        int("search-cursor-max-idle", 300_000, 1, i64::MAX).unit(Unit::Milliseconds).planned(),
        "Idle time after which a cursor is dropped.";
    SEARCH_CURSOR_REPLY_THRESHOLD: Int =
        int("search-cursor-reply-threshold", 1, 1, i64::MAX).planned(),
        "Replies of shards that a cursor collects before it goes on.";
    SEARCH_INDEX_CURSOR_LIMIT: Int = int("search-index-cursor-limit", 128, 0, i64::MAX).planned(),
        "Open cursors for each index.";
    SEARCH_INDEXER_YIELD_EVERY_OPS: Int =
        int("search-indexer-yield-every-ops", 1000, 1, UINT_MAX).planned(),
        "Indexing steps between two looks at other work.";
    SEARCH_BG_INDEX_SLEEP_GAP: Int =
        int("search-bg-index-sleep-gap", 100, 1, UINT_MAX).immutable().unlisted().planned(),
        "Documents between two pauses of background indexing.";
    SEARCH_GC_SCAN_SIZE: Int =
        int("search-gc-scan-size", 100, 1, i64::MAX).immutable().unlisted().planned(),
        "Documents in one step of garbage collection.";
    SEARCH_FORK_GC_CLEAN_THRESHOLD: Int =
        int("search-fork-gc-clean-threshold", 100, 1, i64::MAX).planned(),
        "Deleted documents that start a garbage collection.";
    SEARCH_FORK_GC_RETRY_INTERVAL: Int =
        int("search-fork-gc-retry-interval", 5, 1, i64::MAX).unit(Unit::Seconds).planned(),
        "Pause after a failed garbage collection.";
    SEARCH_FORK_GC_RUN_INTERVAL: Int =
        int("search-fork-gc-run-interval", 30, 1, i64::MAX).unit(Unit::Seconds).planned(),
        "Pause between garbage collections.";
    SEARCH_FORK_GC_SLEEP_BEFORE_EXIT: Int =
        int("search-fork-gc-sleep-before-exit", 0, 0, i64::MAX).unit(Unit::Seconds).planned(),
        "Pause at the end of a garbage collection, for tests.";
    SEARCH_NO_GC: Bool = boolean("search-no-gc", false).immutable().unlisted().planned(),
        "Never collect garbage in indexes.";
    SEARCH_NO_MEM_POOLS: Bool =
        boolean("search-no-mem-pools", false).immutable().unlisted().planned(),
        "Allocate every object by itself.";
    SEARCH_PARTIAL_INDEXED_DOCS: Bool =
        boolean("search-partial-indexed-docs", false).immutable().unlisted().planned(),
        "Index only the fields of a hash that a command changed.";
    SEARCH_RAW_DOCID_ENCODING: Bool =
        boolean("search-raw-docid-encoding", false).immutable().unlisted().planned(),
        "Store document numbers without compression.";
    SEARCH_ENABLE_UNSTABLE_FEATURES: Bool =
        boolean("search-enable-unstable-features", false).planned(),
        "Offer features that may still change.";
    SEARCH_TIERED_HNSW_BUFFER_LIMIT: Int =
        int("search-tiered-hnsw-buffer-limit", 1024, 0, i64::MAX).immutable().unlisted().planned(),
        "Vectors that may wait to be inserted in the background.";
    SEARCH_VSS_MAX_RESIZE: Int =
        int("search-vss-max-resize", 0, 0, UINT_MAX).unit(Unit::Bytes).planned(),
        "Most memory by which a vector index grows at once; 0 for no limit.";
    SEARCH_EXT_LOAD: Text = text("search-ext-load", "").immutable().unlisted().planned(),
        "Extension to load, with scoring functions and expanders.";
    SEARCH_FRISO_INI: Text = text("search-friso-ini", "").immutable().unlisted().planned(),
        "Configuration of the Chinese tokenizer.";
    SEARCH_BG_INDEX_MEM_PCT_THR: Int =
        int("search-_bg-index-mem-pct-thr", 100, 0, 100).unit(Unit::Percent).planned(),
        "Share of memory at which background indexing stops.";
    SEARCH_BG_INDEX_OOM_PAUSE_TIME: Int =
        int("search-_bg-index-oom-pause-time", 0, 0, UINT_MAX).unit(Unit::Seconds).planned(),
        "Pause of background indexing when memory is exhausted.";
    SEARCH_FREE_RESOURCE_ON_THREAD: Bool =
        boolean("search-_free-resource-on-thread", true).planned(),
        "Free parts of indexes on a thread of their own.";
    SEARCH_NUMERIC_COMPRESS: Bool = boolean("search-_numeric-compress", false).planned(),
        "Store numbers with single precision where nothing is lost.";
    SEARCH_NUMERIC_RANGES_PARENTS: Int = int("search-_numeric-ranges-parents", 0, 0, 2).planned(),
        "Inner levels of a numeric index that keep ranges.";
    SEARCH_PRINT_PROFILE_CLOCK: Bool = boolean("search-_print-profile-clock", true).planned(),
        "Print times in FT.PROFILE.";
    SEARCH_PRIORITIZE_INTERSECT_UNION_CHILDREN: Bool =
        boolean("search-_prioritize-intersect-union-children", false).planned(),
        "Order the parts of an intersection by the size of their unions.";
}
