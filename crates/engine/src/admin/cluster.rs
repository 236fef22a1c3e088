//! The cluster family: every command says that the server is no part of a cluster, for there are
//! none yet. The commands are there for clients that ask, and know that answer.

use command::spec::Arg;
use command::{Categories, Command, CommandError, Flags, Group, Spec};

use super::{AdminCommand, AdminCx, AdminHandler, container};

/// The family's table.
pub const COMMANDS: &[&AdminCommand] = &[&ASKING, &CLUSTER, &READONLY, &READWRITE];

const CHANGES: Flags = Flags::ADMIN.union(Flags::NO_ASYNC_LOADING).union(Flags::STALE);
const ASKED: Flags = Flags::ADMIN.union(Flags::STALE);
const RESETS: Flags = ASKED.union(Flags::NOSCRIPT);
const ALWAYS: Flags = Flags::LOADING.union(Flags::STALE);

const fn spec(
    name: &'static str,
    since: &'static str,
    arity: i16,
    complexity: &'static str,
    summary: &'static str,
) -> Spec {
    Spec::new(name, Group::Cluster, since, arity, complexity, summary)
}

/// `ASKING`
pub static ASKING: AdminCommand = Command::new(
    spec("asking", "3.0.0", 1, "O(1)", "Announces a command about a slot that moves.")
        .flags(Flags::FAST)
        .acl(Categories::CONNECTION),
    disabled as AdminHandler,
);

/// `READONLY`
pub static READONLY: AdminCommand = Command::new(
    spec("readonly", "3.0.0", 1, "O(1)", "Lets the connection read from a replica.")
        .flags(ALWAYS.union(Flags::FAST))
        .acl(Categories::CONNECTION),
    disabled as AdminHandler,
);

/// `READWRITE`
pub static READWRITE: AdminCommand = Command::new(
    spec("readwrite", "3.0.0", 1, "O(1)", "Sends the connection's reads to masters again.")
        .flags(ALWAYS.union(Flags::FAST))
        .acl(Categories::CONNECTION),
    disabled as AdminHandler,
);

/// `CLUSTER subcommand ...`
pub static CLUSTER: AdminCommand = Command::container(
    spec("cluster", "3.0.0", -2, "Depends on subcommand.", "Holds the commands about the cluster."),
    container as AdminHandler,
    &[
        &ADDSLOTS,
        &ADDSLOTSRANGE,
        &BUMPEPOCH,
        &COUNT_FAILURE_REPORTS,
        &COUNTKEYSINSLOT,
        &DELSLOTS,
        &DELSLOTSRANGE,
        &FAILOVER,
        &FLUSHSLOTS,
        &FORGET,
        &GETKEYSINSLOT,
        &HELP,
        &INFO,
        &KEYSLOT,
        &LINKS,
        &MEET,
        &MIGRATION,
        &MYID,
        &MYSHARDID,
        &NODES,
        &REPLICAS,
        &REPLICATE,
        &RESET,
        &SAVECONFIG,
        &SET_CONFIG_EPOCH,
        &SETSLOT,
        &SHARDS,
        &SLAVES,
        &SLOT_STATS,
        &SLOTS,
    ],
);

static ADDSLOTS: AdminCommand = Command::new(
    spec(
        "addslots",
        "3.0.0",
        -3,
        "O(N) where N is the total number of hash slot arguments",
        "Gives this node hash slots.",
    )
    .flags(CHANGES)
    .args(&[Arg::integer("slot").multiple()]),
    disabled as AdminHandler,
);

static ADDSLOTSRANGE: AdminCommand = Command::new(
    spec(
        "addslotsrange",
        "7.0.0",
        -4,
        "O(N) where N is the number of slots in the ranges.",
        "Gives this node ranges of hash slots.",
    )
    .flags(CHANGES)
    .args(&[
        Arg::block("range", &[Arg::integer("start-slot"), Arg::integer("end-slot")]).multiple()
    ]),
    disabled as AdminHandler,
);

static BUMPEPOCH: AdminCommand = Command::new(
    spec(
        "bumpepoch",
        "3.0.0",
        2,
        "O(1)",
        "Advances this node's epoch of the cluster's configuration.",
    )
    .flags(CHANGES)
    .tips(&["nondeterministic_output"]),
    disabled as AdminHandler,
);

static COUNT_FAILURE_REPORTS: AdminCommand = Command::new(
    spec(
        "count-failure-reports",
        "3.0.0",
        3,
        "O(N) where N is the number of failure reports",
        "Counts the nodes that report another one as failed.",
    )
    .flags(ASKED)
    .args(&[Arg::string("node-id")])
    .tips(&["nondeterministic_output"]),
    disabled as AdminHandler,
);

static COUNTKEYSINSLOT: AdminCommand = Command::new(
    spec("countkeysinslot", "3.0.0", 3, "O(1)", "Counts the keys of a hash slot.")
        .flags(Flags::STALE)
        .args(&[Arg::integer("slot")]),
    disabled as AdminHandler,
);

static DELSLOTS: AdminCommand = Command::new(
    spec(
        "delslots",
        "3.0.0",
        -3,
        "O(N) where N is the total number of hash slot arguments",
        "Takes hash slots away from their nodes, as this one sees them.",
    )
    .flags(CHANGES)
    .args(&[Arg::integer("slot").multiple()]),
    disabled as AdminHandler,
);

static DELSLOTSRANGE: AdminCommand = Command::new(
    spec(
        "delslotsrange",
        "7.0.0",
        -4,
        "O(N) where N is the number of slots in the ranges.",
        "Takes ranges of hash slots away from their nodes, as this one sees them.",
    )
    .flags(CHANGES)
    .args(&[
        Arg::block("range", &[Arg::integer("start-slot"), Arg::integer("end-slot")]).multiple()
    ]),
    disabled as AdminHandler,
);

static FAILOVER: AdminCommand = Command::new(
    spec("failover", "3.0.0", -2, "O(1)", "Lets a replica take its master's place.")
        .flags(CHANGES)
        .args(&[Arg::one_of(
            "options",
            &[Arg::word("force", "FORCE"), Arg::word("takeover", "TAKEOVER")],
        )
        .optional()]),
    disabled as AdminHandler,
);

static FLUSHSLOTS: AdminCommand = Command::new(
    spec("flushslots", "3.0.0", 2, "O(1)", "Takes all hash slots away from this node.")
        .flags(CHANGES),
    disabled as AdminHandler,
);

static FORGET: AdminCommand = Command::new(
    spec("forget", "3.0.0", 3, "O(1)", "Removes a node from this one's table.")
        .flags(CHANGES)
        .args(&[Arg::string("node-id")]),
    disabled as AdminHandler,
);

static GETKEYSINSLOT: AdminCommand = Command::new(
    spec(
        "getkeysinslot",
        "3.0.0",
        4,
        "O(N) where N is the number of requested keys",
        "Returns keys of a hash slot.",
    )
    .flags(Flags::STALE)
    .args(&[Arg::integer("slot"), Arg::integer("count")])
    .tips(&["nondeterministic_output"]),
    disabled as AdminHandler,
);

static HELP: AdminCommand = Command::new(
    spec("help", "5.0.0", 2, "O(1)", "Shows the subcommands.").flags(ALWAYS),
    disabled as AdminHandler,
);

static INFO: AdminCommand = Command::new(
    spec("info", "3.0.0", 2, "O(1)", "Tells of the state of the cluster, as this node sees it.")
        .flags(Flags::STALE)
        .tips(&["nondeterministic_output"]),
    disabled as AdminHandler,
);

static KEYSLOT: AdminCommand = Command::new(
    spec(
        "keyslot",
        "3.0.0",
        3,
        "O(N) where N is the number of bytes in the key",
        "Returns the hash slot of a key.",
    )
    .flags(Flags::STALE)
    .args(&[Arg::string("key")]),
    disabled as AdminHandler,
);

static LINKS: AdminCommand = Command::new(
    spec(
        "links",
        "7.0.0",
        2,
        "O(N) where N is the total number of Cluster nodes",
        "Lists the connections of this node with others.",
    )
    .flags(Flags::STALE)
    .tips(&["nondeterministic_output"]),
    disabled as AdminHandler,
);

static MEET: AdminCommand = Command::new(
    spec("meet", "3.0.0", -4, "O(1)", "Introduces another node to this one.")
        .flags(CHANGES)
        .history(&[("4.0.0", "Added the optional `cluster_bus_port` argument.")])
        .args(&[
            Arg::string("ip"),
            Arg::integer("port"),
            Arg::integer("cluster-bus-port").since("4.0.0").optional(),
        ]),
    disabled as AdminHandler,
);

static MIGRATION: AdminCommand = Command::new(
    spec(
        "migration",
        "8.4.0",
        -4,
        "O(N) where N is the number of slots in the ranges.",
        "Moves ranges of hash slots, and tells of it.",
    )
    .flags(CHANGES)
    .args(&[Arg::one_of(
        "subcommand",
        &[
            Arg::block("import", &[Arg::integer("start-slot"), Arg::integer("end-slot")])
                .token("IMPORT")
                .multiple(),
            Arg::one_of("cancel", &[Arg::string("task-id").token("ID"), Arg::word("all", "ALL")])
                .token("CANCEL"),
            Arg::one_of(
                "status",
                &[
                    Arg::string("task-id").token("ID").optional(),
                    Arg::word("all", "ALL").optional(),
                ],
            )
            .token("STATUS"),
        ],
    )]),
    disabled as AdminHandler,
);

static MYID: AdminCommand = Command::new(
    spec("myid", "3.0.0", 2, "O(1)", "Returns this node's id.").flags(Flags::STALE),
    disabled as AdminHandler,
);

static MYSHARDID: AdminCommand = Command::new(
    spec("myshardid", "7.2.0", 2, "O(1)", "Returns the id of this node's shard.")
        .flags(Flags::STALE)
        .tips(&["nondeterministic_output"]),
    disabled as AdminHandler,
);

static NODES: AdminCommand = Command::new(
    spec(
        "nodes",
        "3.0.0",
        2,
        "O(N) where N is the total number of Cluster nodes",
        "Lists the nodes that this one knows.",
    )
    .flags(Flags::STALE)
    .tips(&["nondeterministic_output"]),
    disabled as AdminHandler,
);

static REPLICAS: AdminCommand = Command::new(
    spec(
        "replicas",
        "5.0.0",
        3,
        "O(N) where N is the number of replicas.",
        "Lists the replicas of a master.",
    )
    .flags(ASKED)
    .args(&[Arg::string("node-id")])
    .tips(&["nondeterministic_output"]),
    disabled as AdminHandler,
);

static REPLICATE: AdminCommand = Command::new(
    spec("replicate", "3.0.0", 3, "O(1)", "Makes this node the replica of another.")
        .flags(CHANGES)
        .args(&[Arg::string("node-id")]),
    disabled as AdminHandler,
);

static RESET: AdminCommand = Command::new(
    spec(
        "reset",
        "3.0.0",
        -2,
        "O(N) where N is the number of known nodes; it may flush all keys.",
        "Lets this node forget the cluster.",
    )
    .flags(RESETS)
    .args(&[Arg::one_of(
        "reset-type",
        &[Arg::word("hard", "HARD"), Arg::word("soft", "SOFT")],
    )
    .optional()]),
    disabled as AdminHandler,
);

static SAVECONFIG: AdminCommand = Command::new(
    spec("saveconfig", "3.0.0", 2, "O(1)", "Writes this node's configuration to disk.")
        .flags(CHANGES),
    disabled as AdminHandler,
);

static SET_CONFIG_EPOCH: AdminCommand = Command::new(
    spec(
        "set-config-epoch",
        "3.0.0",
        3,
        "O(1)",
        "Sets the epoch of the configuration of a new node.",
    )
    .flags(CHANGES)
    .args(&[Arg::integer("config-epoch")]),
    disabled as AdminHandler,
);

static SETSLOT: AdminCommand = Command::new(
    spec("setslot", "3.0.0", -4, "O(1)", "Binds a hash slot to a node, or says that it moves.")
        .flags(CHANGES)
        .args(&[
            Arg::integer("slot"),
            Arg::one_of(
                "subcommand",
                &[
                    Arg::string("importing").token("IMPORTING").display("node-id"),
                    Arg::string("migrating").token("MIGRATING").display("node-id"),
                    Arg::string("node").token("NODE").display("node-id"),
                    Arg::word("stable", "STABLE"),
                ],
            ),
        ]),
    disabled as AdminHandler,
);

static SHARDS: AdminCommand = Command::new(
    spec(
        "shards",
        "7.0.0",
        2,
        "O(N) where N is the total number of cluster nodes",
        "Lists the shards with their slots and nodes.",
    )
    .flags(ALWAYS)
    .tips(&["nondeterministic_output"]),
    disabled as AdminHandler,
);

static SLAVES: AdminCommand = Command::new(
    spec(
        "slaves",
        "3.0.0",
        3,
        "O(N) where N is the number of replicas.",
        "Lists the replicas of a master.",
    )
    .flags(ASKED)
    .deprecated("5.0.0", "`CLUSTER REPLICAS`")
    .args(&[Arg::string("node-id")])
    .tips(&["nondeterministic_output"]),
    disabled as AdminHandler,
);

static SLOT_STATS: AdminCommand = Command::new(
    spec(
        "slot-stats",
        "8.2.0",
        -4,
        "O(N) where N is the number of slots, O(N*log(N)) with ORDERBY.",
        "Tells what hash slots cost.",
    )
    .flags(ALWAYS)
    .args(&[Arg::one_of(
        "filter",
        &[
            Arg::block("slotsrange", &[Arg::integer("start-slot"), Arg::integer("end-slot")])
                .token("SLOTSRANGE"),
            Arg::block(
                "orderby",
                &[
                    Arg::string("metric"),
                    Arg::integer("limit").token("LIMIT").optional(),
                    Arg::one_of("order", &[Arg::word("asc", "ASC"), Arg::word("desc", "DESC")])
                        .optional(),
                ],
            )
            .token("ORDERBY"),
        ],
    )])
    .tips(&["nondeterministic_output", "request_policy:all_shards"]),
    disabled as AdminHandler,
);

static SLOTS: AdminCommand = Command::new(
    spec(
        "slots",
        "3.0.0",
        2,
        "O(N) where N is the total number of Cluster nodes",
        "Lists the ranges of hash slots with their nodes.",
    )
    .flags(ALWAYS)
    .deprecated("7.0.0", "`CLUSTER SHARDS`")
    .history(&[
        ("4.0.0", "Added node IDs."),
        ("7.0.0", "Added additional networking metadata field."),
    ])
    .tips(&["nondeterministic_output"]),
    disabled as AdminHandler,
);

fn disabled(_: &mut AdminCx<'_>) -> Result<(), CommandError> {
    Err(CommandError::request("ERR This instance has cluster support disabled"))
}
