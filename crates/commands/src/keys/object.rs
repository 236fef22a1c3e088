//! `OBJECT`: what the server knows of a value besides the value: its encoding, its last use.
//!
//! Looking leaves no trace on the key: the access is not recorded, and a missing key sends no
//! event.

use command::help;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::access::Policy;
use store::encoding_name;

pub(super) static OBJECT: DataCommand = DataCommand::container(
    Spec::new(
        "object",
        Group::Generic,
        "2.2.3",
        -2,
        "Depends on the subcommand.",
        "Holds the commands that tell how a value is kept.",
    ),
    help::bare,
    &[&ENCODING, &FREQ, &HELP, &IDLETIME, &REFCOUNT],
);

static ENCODING: DataCommand = DataCommand::new(
    spec("encoding", "2.2.3", "Names the encoding in which a value is kept."),
    encoding,
);

static FREQ: DataCommand = DataCommand::new(
    spec("freq", "4.0.0", "Tells how often a key was used lately, on a logarithmic scale."),
    freq,
);

static IDLETIME: DataCommand = DataCommand::new(
    spec("idletime", "2.2.3", "Tells for how many seconds a key has not been used."),
    idletime,
);

static REFCOUNT: DataCommand =
    DataCommand::new(spec("refcount", "2.2.3", "Tells how many keys refer to a value."), refcount);

static HELP: DataCommand = DataCommand::new(
    Spec::new("help", Group::Generic, "6.2.0", 2, "O(1)", "Lists the subcommands of OBJECT.")
        .flags(Flags::LOADING.union(Flags::STALE))
        .acl(Categories::KEYSPACE),
    help,
);

const KEYS: &[KeySpec] = &[KeySpec::range(KeyFlags::RO, 2, 0, 1)];
const ARGS: &[Arg] = &[Arg::key("key", 0)];

const fn spec(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Generic, since, 3, "O(1)", summary)
        .flags(Flags::READONLY)
        .acl(Categories::KEYSPACE)
        .keys(KEYS)
        .args(ARGS)
        .tips(&["nondeterministic_output"])
}

fn encoding(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(2)?;
    match cx.db.examine(key) {
        Some(entry) => cx.reply.bulk(encoding_name(entry.value()).as_bytes()),
        None => cx.reply.null(),
    }
    Ok(())
}

fn freq(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, now, access) = (cx.arg(2)?, cx.db.now(), cx.db.scope.access);
    let Some(entry) = cx.db.examine(key) else {
        cx.reply.null();
        return Ok(());
    };
    if !matches!(access.policy, Policy::Lfu { .. }) {
        return Err(CommandError::state(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please \
             note that when switching between policies at runtime LRU and LFU data will take some \
             time to adjust.",
        ));
    }
    cx.reply.integer(i64::from(access.frequency(entry.clock(), now)));
    Ok(())
}

fn idletime(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, now, access) = (cx.arg(2)?, cx.db.now(), cx.db.scope.access);
    let Some(entry) = cx.db.examine(key) else {
        cx.reply.null();
        return Ok(());
    };
    if matches!(access.policy, Policy::Lfu { .. }) {
        return Err(CommandError::state(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that \
             when switching between policies at runtime LRU and LFU data will take some time to \
             adjust.",
        ));
    }
    cx.reply.integer(access.idle_seconds(entry.clock(), now) as i64);
    Ok(())
}

/// One, always: what copies share here is the payload and not the object, and small integers are
/// kept in their entries.
fn refcount(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(2)?;
    match cx.db.examine(key) {
        Some(_) => cx.reply.integer(1),
        None => cx.reply.null(),
    }
    Ok(())
}

const HELP_LINES: &[&str] = &[
    "ENCODING <key>",
    "    The name of the encoding in which the value of <key> is kept.",
    "FREQ <key>",
    "    How often <key> was used lately: a number that grows with the logarithm of the",
    "    uses. Only under an LFU policy.",
    "IDLETIME <key>",
    "    For how many seconds <key> has not been used. Not under an LFU policy.",
    "REFCOUNT <key>",
    "    How many references there are to the value of <key>.",
];

fn help(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    help::write(cx.reply, "OBJECT", HELP_LINES);
    Ok(())
}
