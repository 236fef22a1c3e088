//! Limits on clients.

use super::threads::END as PREVIOUS;
use crate::handle::{Bytes, BytesOrPercent, Int, OutputLimits};
use crate::row::{BYTES_MAX, Kind, List, Row, UINT_MAX, bytes, int, list};

rows! {
    Clients after PREVIOUS;

    MAXCLIENTS: Int = int("maxclients", 10_000, 1, UINT_MAX),
        "Connections at one time; more are refused.";
    MAXMEMORY_CLIENTS: BytesOrPercent =
        Row::new("maxmemory-clients", Kind::BytesOrPercent { default: 0 }),
        "Memory of all clients together, in bytes or percent of maxmemory, beyond which the \
         largest are closed; 0 for no limit.";
    CLIENT_QUERY_BUFFER_LIMIT: Bytes =
        bytes("client-query-buffer-limit", 1 << 30, 1 << 20, BYTES_MAX).debug(),
        "Input that one client may send without completing a command.";
    CLIENT_OUTPUT_BUFFER_LIMIT: OutputLimits = list(
        "client-output-buffer-limit",
        List::OutputLimits,
        "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
    ),
        "Output that a class of clients may leave unread: at once, and over so many seconds.";
    PROTO_MAX_BULK_LEN: Bytes =
        bytes("proto-max-bulk-len", 512 << 20, 1 << 20, BYTES_MAX).debug(),
        "Longest string in the protocol and in the dataset.";
    TRACKING_TABLE_MAX_KEYS: Int =
        int("tracking-table-max-keys", 1_000_000, 0, i64::MAX),
        "Keys remembered for client-side caching; 0 for no limit.";
}
