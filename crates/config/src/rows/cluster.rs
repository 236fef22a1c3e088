//! Parameters of cluster mode.

use super::replication::END as PREVIOUS;
use crate::checks;
use crate::choice::{Choices, EndpointType, SLOT_STATS};
use crate::handle::{Bits, Bool, Bytes, Choice, Int, Text};
use crate::row::{BYTES_MAX, INT_MAX, Unit, boolean, bytes, choice, flags, int, text};

rows! {
    Cluster after PREVIOUS;

    CLUSTER_ENABLED: Bool = boolean("cluster-enabled", false).immutable().indispensable(),
        "Run as a node of a cluster.";
    CLUSTER_CONFIG_FILE: Text = text("cluster-config-file", "nodes.conf").immutable()
        .text_check(checks::cluster_config_file).planned(),
        "File in which the node keeps the state of the cluster; never edited by hand.";
    CLUSTER_PORT: Int = int("cluster-port", 0, 0, 65535).immutable().planned(),
        "Port of the cluster bus; 0 for the data port plus 10000.";
    CLUSTER_NODE_TIMEOUT: Int =
        int("cluster-node-timeout", 15_000, 0, i64::MAX).unit(Unit::Milliseconds).planned(),
        "Silence after which a node counts as failed.";
    CLUSTER_REPLICA_VALIDITY_FACTOR: Int =
        int("cluster-replica-validity-factor", 10, 0, INT_MAX)
            .aliases(&["cluster-slave-validity-factor"]).planned(),
        "How old the data of a replica may be, in node timeouts, for it to take over; 0 for any \
         age.";
    CLUSTER_MIGRATION_BARRIER: Int = int("cluster-migration-barrier", 1, 0, INT_MAX).planned(),
        "Replicas that a primary keeps when another one needs a replica.";
    CLUSTER_ALLOW_REPLICA_MIGRATION: Bool =
        boolean("cluster-allow-replica-migration", true).planned(),
        "Let replicas move to primaries that have none.";
    CLUSTER_REQUIRE_FULL_COVERAGE: Bool =
        boolean("cluster-require-full-coverage", true).planned(),
        "Stop serving when some slot has no node.";
    CLUSTER_REPLICA_NO_FAILOVER: Bool = boolean("cluster-replica-no-failover", false)
        .aliases(&["cluster-slave-no-failover"]).planned(),
        "Keep this replica from taking over by itself.";
    CLUSTER_ALLOW_READS_WHEN_DOWN: Bool =
        boolean("cluster-allow-reads-when-down", false).planned(),
        "Answer reads of own slots while the cluster is down.";
    CLUSTER_ALLOW_PUBSUBSHARD_WHEN_DOWN: Bool =
        boolean("cluster-allow-pubsubshard-when-down", true).planned(),
        "Serve sharded channels of own slots while the cluster is down.";
    CLUSTER_LINK_SENDBUF_LIMIT: Bytes =
        bytes("cluster-link-sendbuf-limit", 0, 0, u64::MAX).planned(),
        "Bytes that may wait for one node of the bus; 0 for no limit.";
    CLUSTER_ANNOUNCE_HOSTNAME: Text = text("cluster-announce-hostname", "")
        .text_check(checks::hostname).planned(),
        "Hostname that clients may use for this node.";
    CLUSTER_ANNOUNCE_HUMAN_NODENAME: Text = text("cluster-announce-human-nodename", "")
        .text_check(checks::node_name).planned(),
        "Name of this node in logs.";
    CLUSTER_PREFERRED_ENDPOINT_TYPE: Choice<EndpointType> =
        choice("cluster-preferred-endpoint-type", EndpointType::WORDS, 0).planned(),
        "What redirections name: address, hostname or nothing.";
    CLUSTER_ANNOUNCE_IP: Text = text("cluster-announce-ip", "")
        .text_check(checks::announced_address).planned(),
        "Address of this node as others see it.";
    CLUSTER_ANNOUNCE_CLIENT_IPV4: Text =
        text("cluster-announce-client-ipv4", "").text_check(checks::ipv4).planned(),
        "IPv4 address of this node for clients.";
    CLUSTER_ANNOUNCE_CLIENT_IPV6: Text =
        text("cluster-announce-client-ipv6", "").text_check(checks::ipv6).planned(),
        "IPv6 address of this node for clients.";
    CLUSTER_ANNOUNCE_PORT: Int = int("cluster-announce-port", 0, 0, 65535).planned(),
        "Data port of this node as others see it.";
    CLUSTER_ANNOUNCE_TLS_PORT: Int = int("cluster-announce-tls-port", 0, 0, 65535).planned(),
        "TLS port of this node as others see it.";
    CLUSTER_ANNOUNCE_BUS_PORT: Int = int("cluster-announce-bus-port", 0, 0, 65535).planned(),
        "Bus port of this node as others see it.";
    CLUSTER_BLACKLIST_TTL: Int =
        int("cluster-blacklist-ttl", 60, 0, i64::MAX).unit(Unit::Seconds).planned(),
        "How long a forgotten node cannot come back.";
    CLUSTER_PING_INTERVAL: Int =
        int("cluster-ping-interval", 0, 0, i64::MAX).unit(Unit::Milliseconds).hidden().planned(),
        "How often nodes ping each other; 0 derives it from the node timeout.";
    CLUSTER_SLOT_STATS_ENABLED: Bits =
        flags("cluster-slot-stats-enabled", SLOT_STATS, 0).planned(),
        "What to count for each slot beside its keys: yes for all, or cpu, net and mem.";
    CLUSTER_COMPATIBILITY_SAMPLE_RATIO: Int =
        int("cluster-compatibility-sample-ratio", 0, 0, 100).unit(Unit::Percent).planned(),
        "Share of commands checked for what a cluster would refuse.";
    CLUSTER_SLOT_MIGRATION_HANDOFF_MAX_LAG_BYTES: Bytes =
        bytes("cluster-slot-migration-handoff-max-lag-bytes", 1 << 20, 0, BYTES_MAX).planned(),
        "Remaining data at which a migrating slot is handed over.";
    CLUSTER_SLOT_MIGRATION_WRITE_PAUSE_TIMEOUT: Int =
        int("cluster-slot-migration-write-pause-timeout", 10_000, 0, i64::MAX)
            .unit(Unit::Milliseconds).planned(),
        "Longest pause of writes while a slot is handed over.";
    CLUSTER_SLOT_MIGRATION_MAX_ARCHIVED_TASKS: Int =
        int("cluster-slot-migration-max-archived-tasks", 32, 1, INT_MAX).hidden().planned(),
        "Finished slot migrations that are remembered.";
}
