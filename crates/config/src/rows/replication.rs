//! Parameters of replication.

use super::aof::END as PREVIOUS;
use crate::choice::{Choices, PropagationError, ReplDisklessLoad};
use crate::handle::{Bool, Bytes, Choice, Int, Primary, Text};
use crate::row::{BYTES_MAX, INT_MAX, List, Unit, boolean, bytes, choice, int, list, text};

rows! {
    Replication after PREVIOUS;

    REPLICAOF: Primary =
        list("replicaof", List::Primary, "").aliases(&["slaveof"]).immutable().indispensable(),
        "Host and port of the primary to copy; empty for a primary.";
    MASTERAUTH: Text =
        text("masterauth", "").foreign(&["primaryauth"]).sensitive().planned(),
        "Password for the primary.";
    MASTERUSER: Text =
        text("masteruser", "").foreign(&["primaryuser"]).sensitive().planned(),
        "User name for the primary.";
    REPLICA_SERVE_STALE_DATA: Bool = boolean("replica-serve-stale-data", true)
        .aliases(&["slave-serve-stale-data"]).planned(),
        "Answer reads while the primary is out of reach.";
    REPLICA_READ_ONLY: Bool =
        boolean("replica-read-only", true).aliases(&["slave-read-only"]).debug().planned(),
        "Refuse writes on a replica.";
    REPLICA_LAZY_FLUSH: Bool =
        boolean("replica-lazy-flush", false).aliases(&["slave-lazy-flush"]).planned(),
        "Free the old data of a replica in the background before a full synchronization.";
    REPLICA_PRIORITY: Int =
        int("replica-priority", 100, 0, INT_MAX).aliases(&["slave-priority"]).planned(),
        "Order in which replicas are promoted, lowest first; 0 never.";
    REPLICA_ANNOUNCED: Bool = boolean("replica-announced", true).planned(),
        "Let sentinels and replicas of this replica know of it.";
    REPLICA_ANNOUNCE_IP: Text =
        text("replica-announce-ip", "").aliases(&["slave-announce-ip"]).planned(),
        "Address that the primary shows for this replica.";
    REPLICA_ANNOUNCE_PORT: Int =
        int("replica-announce-port", 0, 0, 65535).aliases(&["slave-announce-port"]).planned(),
        "Port that the primary shows for this replica.";
    REPLICA_IGNORE_DISK_WRITE_ERRORS: Bool =
        boolean("replica-ignore-disk-write-errors", false).planned(),
        "Go on when a replica cannot write its own files.";
    REPLICA_FULL_SYNC_BUFFER_LIMIT: Bytes =
        bytes("replica-full-sync-buffer-limit", 0, 0, BYTES_MAX).planned(),
        "Replication data that a replica buffers during a full synchronization; 0 follows the \
         primary's output limit.";
    REPL_DISKLESS_SYNC: Bool = boolean("repl-diskless-sync", true).debug().planned(),
        "Send a full synchronization straight from memory.";
    REPL_DISKLESS_SYNC_DELAY: Int =
        int("repl-diskless-sync-delay", 5, 0, INT_MAX).unit(Unit::Seconds).planned(),
        "How long a full synchronization waits for more replicas to join.";
    REPL_DISKLESS_SYNC_MAX_REPLICAS: Int =
        int("repl-diskless-sync-max-replicas", 0, 0, INT_MAX).planned(),
        "Replicas that make a full synchronization start without waiting; 0 always waits.";
    REPL_DISKLESS_LOAD: Choice<ReplDisklessLoad> =
        choice("repl-diskless-load", ReplDisklessLoad::WORDS, 0).debug().frozen_while_loading()
            .planned(),
        "Load a full synchronization without a file.";
    REPL_RDB_CHANNEL: Bool = boolean("repl-rdb-channel", true)
        .foreign(&["dual-channel-replication-enabled"]).hidden().planned(),
        "Send the snapshot of a full synchronization over a second connection.";
    REPL_DISABLE_TCP_NODELAY: Bool = boolean("repl-disable-tcp-nodelay", false).planned(),
        "Send fewer and larger packets to replicas, later.";
    REPL_BACKLOG_SIZE: Bytes = bytes("repl-backlog-size", 1 << 20, 1, BYTES_MAX)
        .clamped(16 << 10, i64::MAX).planned(),
        "Writes kept for replicas that reconnect.";
    REPL_BACKLOG_TTL: Int =
        int("repl-backlog-ttl", 3600, 0, i64::MAX).unit(Unit::Seconds).planned(),
        "How long those writes are kept without any replica; 0 for ever.";
    REPL_TIMEOUT: Int = int("repl-timeout", 60, 1, INT_MAX).unit(Unit::Seconds).planned(),
        "Silence after which a replication connection is given up.";
    REPL_PING_REPLICA_PERIOD: Int = int("repl-ping-replica-period", 10, 1, INT_MAX)
        .aliases(&["repl-ping-slave-period"]).unit(Unit::Seconds).planned(),
        "How often a primary pings its replicas.";
    MIN_REPLICAS_TO_WRITE: Int =
        int("min-replicas-to-write", 0, 0, INT_MAX).aliases(&["min-slaves-to-write"]).planned(),
        "Replicas that must be in touch for writes to be accepted.";
    MIN_REPLICAS_MAX_LAG: Int = int("min-replicas-max-lag", 10, 0, INT_MAX)
        .aliases(&["min-slaves-max-lag"]).unit(Unit::Seconds).planned(),
        "Lag up to which a replica counts as in touch.";
    PROPAGATION_ERROR_BEHAVIOR: Choice<PropagationError> =
        choice("propagation-error-behavior", PropagationError::WORDS, 0).planned(),
        "What happens when a command from the primary or the append-only file fails.";
}
