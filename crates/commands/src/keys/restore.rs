//! `RESTORE`: a key from the payload of `DUMP`, of this server or of any Redis.
//!
//! The payload is a stranger's. It is verified in full before anything of it is used, in every
//! mode of `sanitize-dump-payload`.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use config::rows::LAZYFREE_LAZY_SERVER_DEL;
use format::dump::{self, Checksum, DumpError};
use format::rdb::{Decoded, Limits};
use store::{Event, Interest, NewValue, UnixMs};

use crate::string::value;

pub(super) static RESTORE: DataCommand = DataCommand::new(
    spec("restore", "2.6.0", "Creates a key from the bytes that DUMP returned.")
        .flags(Flags::WRITE.union(Flags::DENYOOM)),
    run,
);

/// What `MIGRATE` sends to a node that is taking over the slot.
pub(super) static RESTORE_ASKING: DataCommand = DataCommand::new(
    spec("restore-asking", "3.0.0", "Creates a key while its slot is on its way to this node.")
        .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::ASKING))
        .system(),
    run,
);

const fn spec(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    let complexity = "O(N) where N is the number of bytes of the value, times log(N) for a large \
                      sorted set.";
    Spec::new(name, Group::Generic, since, -4, complexity, summary)
        .acl(Categories::KEYSPACE.union(Categories::DANGEROUS))
        .keys(KEYS)
        .args(ARGS)
}

const KEYS: &[KeySpec] = &[KeySpec::first(KeyFlags::OW.union(KeyFlags::UPDATE))];

const ARGS: &[Arg] = &[
    Arg::key("key", 0),
    Arg::integer("ttl"),
    Arg::string("serialized-value"),
    Arg::word("replace", "REPLACE").since("3.0.0").optional(),
    Arg::word("absttl", "ABSTTL").since("5.0.0").optional(),
    Arg::integer("seconds").token("IDLETIME").since("5.0.0").optional(),
    Arg::integer("frequency").token("FREQ").since("5.0.0").optional(),
];

#[derive(Default)]
struct Choices {
    replace: bool,
    absolute: bool,
    idle_seconds: Option<u64>,
    frequency: Option<u8>,
}

fn parse(cx: &Cx<'_>) -> Result<Choices, CommandError> {
    let mut reader = cx.reader();
    (0..3).for_each(|_| _ = reader.bytes());
    let mut choices = Choices::default();
    while reader.more() {
        if reader.token("REPLACE") {
            choices.replace = true;
        } else if reader.token("ABSTTL") {
            choices.absolute = true;
        } else if choices.frequency.is_none() && reader.option("IDLETIME") {
            let seconds = reader.integer();
            choices.idle_seconds = u64::try_from(seconds).ok();
            if seconds < 0 {
                reader.fail(CommandError::request("ERR Invalid IDLETIME value, must be >= 0"));
            }
        } else if choices.idle_seconds.is_none() && reader.option("FREQ") {
            let count = reader.integer();
            choices.frequency = u8::try_from(count).ok();
            if choices.frequency.is_none() {
                let text = "ERR Invalid FREQ value, must be >= 0 and <= 255";
                reader.fail(CommandError::request(text));
            }
        } else {
            reader.unknown();
        }
    }
    reader.finish().map(|()| choices)
}

fn limits(cx: &mut Cx<'_>) -> Limits {
    Limits {
        list: crate::list::limits(cx.config),
        set: crate::set::limits(cx),
        hash: crate::hash::limits(cx),
        sorted_set: crate::zset::limits(cx),
    }
}

fn decode<'a>(cx: &mut Cx<'a>, payload: &'a [u8]) -> Result<Decoded<'a>, CommandError> {
    let skip = cx.db.store().ignores_checksums();
    let checksum = if skip { Checksum::Ignored } else { Checksum::Verified };
    let limits = limits(cx);
    let decoded = dump::read(payload, checksum, &limits).map_err(|error| {
        CommandError::request(match error {
            DumpError::Footer => "ERR DUMP payload version or checksum are wrong",
            DumpError::Value(_) => "ERR Bad data format",
        })
    })?;
    cx.db.effects.counters.sanitized += u64::from(matches!(decoded, Decoded::Object(_)));
    Ok(decoded)
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let choices = parse(cx)?;
    let mut reader = cx.reader();
    let key = reader.bytes();
    if !choices.replace && cx.db.edit(key).exists() {
        return Err(CommandError::state("BUSYKEY Target key name already exists."));
    }
    let ttl = reader.integer();
    reader.check()?;
    if ttl < 0 {
        return Err(CommandError::request("ERR Invalid TTL value, must be >= 0"));
    }
    let decoded = decode(cx, reader.bytes())?;
    let now = cx.db.now();
    let deadline = match (ttl, choices.absolute) {
        (0, _) => None,
        (at, true) => Some(at),
        // Beyond the clock's range it wraps, and is over, as in Redis.
        (ttl, false) => Some(ttl.wrapping_add(now as i64)),
    };
    let live = |at: &UnixMs| *at > now;
    match deadline.map(|at| u64::try_from(at).ok().filter(live)) {
        Some(None) => drop_expired(cx, key),
        Some(Some(at)) => {
            place(cx, key, decoded, Some(at), &choices);
            log_deadline(cx, at, &choices);
        }
        None => place(cx, key, decoded, None, &choices),
    }
    cx.reply.ok();
    Ok(())
}

/// A value whose time is over replaces another one by nothing.
fn drop_expired(cx: &mut Cx<'_>, key: &[u8]) {
    if cx.db.edit(key).remove(Event::generic("del")) {
        let lazy = cx.config.get(LAZYFREE_LAZY_SERVER_DEL);
        cx.log(&[if lazy { b"UNLINK" } else { b"DEL" }, key]);
    }
}

fn place(
    cx: &mut Cx<'_>,
    key: &[u8],
    decoded: Decoded<'_>,
    deadline: Option<UnixMs>,
    choices: &Choices,
) {
    let (now, access) = (cx.db.now(), cx.db.scope.access);
    let clock = access.restored(now, choices.idle_seconds, choices.frequency);
    let event = Event::generic("restore");
    match decoded {
        Decoded::String(text) => {
            cx.db.restore_value(key, value::encode(&text), deadline, clock, event);
        }
        Decoded::Object(object) => {
            cx.db.restore_value(key, NewValue::Object(object), deadline, clock, event);
        }
    }
}

/// Replicas are told when the key ends, not how long it has.
fn log_deadline(cx: &mut Cx<'_>, at: UnixMs, choices: &Choices) {
    if choices.absolute || !cx.db.effects.interest.wants(Interest::LOG) {
        return;
    }
    let at = at.to_string();
    let mut args: Vec<&[u8]> = cx.args.iter().collect();
    args[2] = at.as_bytes();
    args.push(b"ABSTTL");
    cx.log(&args);
}
