//! Sizes at which values change their encoding.

use super::events::END as PREVIOUS;
use crate::checks;
use crate::handle::{Bytes, Int};
use crate::row::{BYTES_MAX, INT_MAX, INT_MIN, UINT_MAX, Unit, bytes, int};

rows! {
    Encodings after PREVIOUS;

    HASH_MAX_LISTPACK_ENTRIES: Int = int("hash-max-listpack-entries", 512, 0, i64::MAX)
        .aliases(&["hash-max-ziplist-entries"]),
        "Fields up to which a hash is one packed block.";
    HASH_MAX_LISTPACK_VALUE: Bytes = bytes("hash-max-listpack-value", 64, 0, BYTES_MAX)
        .aliases(&["hash-max-ziplist-value"]),
        "Longest field or value in a packed hash.";
    LIST_MAX_LISTPACK_SIZE: Int = int("list-max-listpack-size", -2, INT_MIN, INT_MAX)
        .aliases(&["list-max-ziplist-size"]),
        "Elements in a node of a list; -1 to -5 limit it to 4, 8, 16, 32 or 64 kB instead.";
    LIST_COMPRESS_DEPTH: Int = int("list-compress-depth", 0, 0, INT_MAX).debug(),
        "Nodes at each end of a list that stay uncompressed; 0 compresses none.";
    SET_MAX_INTSET_ENTRIES: Int = int("set-max-intset-entries", 512, 0, i64::MAX),
        "Members up to which a set of numbers is one sorted array.";
    SET_MAX_LISTPACK_ENTRIES: Int = int("set-max-listpack-entries", 128, 0, i64::MAX),
        "Members up to which a set is one packed block.";
    SET_MAX_LISTPACK_VALUE: Int =
        int("set-max-listpack-value", 64, 0, i64::MAX).unit(Unit::Bytes),
        "Longest member of a packed set.";
    ZSET_MAX_LISTPACK_ENTRIES: Int = int("zset-max-listpack-entries", 128, 0, i64::MAX)
        .aliases(&["zset-max-ziplist-entries"]),
        "Members up to which a sorted set is one packed block.";
    ZSET_MAX_LISTPACK_VALUE: Bytes = bytes("zset-max-listpack-value", 64, 0, BYTES_MAX)
        .aliases(&["zset-max-ziplist-value"]),
        "Longest member of a packed sorted set.";
    HLL_SPARSE_MAX_BYTES: Bytes = bytes("hll-sparse-max-bytes", 3000, 0, BYTES_MAX),
        "Size up to which a HyperLogLog is sparse.";
    STREAM_NODE_MAX_BYTES: Bytes = bytes("stream-node-max-bytes", 4096, 0, BYTES_MAX),
        "Size of a node of a stream; 0 for no limit.";
    STREAM_NODE_MAX_ENTRIES: Int = int("stream-node-max-entries", 100, 0, i64::MAX),
        "Entries in a node of a stream; 0 for no limit.";
    STREAM_IDMP_DURATION: Int =
        int("stream-idmp-duration", 100, 1, 86_400).unit(Unit::Seconds),
        "How long a stream remembers the ids of idempotent producers.";
    STREAM_IDMP_MAXSIZE: Int = int("stream-idmp-maxsize", 100, 1, 10_000),
        "Ids that a stream remembers of each idempotent producer.";
    ARRAY_SLICE_SIZE: Int =
        int("array-slice-size", 4096, 1, UINT_MAX).number_check(checks::power_of_two),
        "Positions in a slice of an array, a power of two.";
    ARRAY_SPARSE_KMAX: Int = int("array-sparse-kmax", 10, 0, UINT_MAX),
        "Elements beyond which a slice of an array becomes dense; 0 makes every slice dense.";
    ARRAY_SPARSE_KMIN: Int = int("array-sparse-kmin", 5, 0, UINT_MAX),
        "Elements below which a slice of an array becomes sparse again; 0 never does.";
}
