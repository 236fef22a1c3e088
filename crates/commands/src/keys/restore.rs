//! `RESTORE`: a key from the payload of `DUMP`, of this server or of any Redis.
//!
//! The payload is a stranger's. It is verified in full before anything of it is used, in every
//! mode of `sanitize-dump-payload`.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use config::rows::LAZYFREE_LAZY_SERVER_DEL;
use format::dump::{self, Checksum, DumpError};
use format::rdb::Decoded;
use store::{Event, Interest, NewValue, UnixMs};

use crate::string::value;

pub(super) static RESTORE: DataCommand = DataCommand::new(
    spec("restore", Group::Generic, "2.6.0", "Creates a key from the bytes that DUMP returned.")
        .flags(Flags::WRITE.union(Flags::DENYOOM)),
    run,
);

/// What `MIGRATE` sends to a node that is taking over the slot.
pub(super) static RESTORE_ASKING: DataCommand = DataCommand::new(
    spec(
        "restore-asking",
        Group::Server,
        "3.0.0",
        "Creates a key while its slot is on its way to this node.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::ASKING))
    .system(),
    run,
);

const fn spec(
    name: &'static str,
    group: Group,
    since: &'static str,
    summary: &'static str,
) -> Spec {
    let complexity = "O(N) where N is the number of bytes of the value, times log(N) for a large \
                      sorted set.";
    Spec::new(name, group, since, -4, complexity, summary)
        .acl(Categories::KEYSPACE.union(Categories::DANGEROUS))
        .keys(KEYS)
        .args(ARGS)
        .history(&[
            ("3.0.0", "Takes the option `REPLACE`."),
            ("5.0.0", "Takes the option `ABSTTL`."),
            ("5.0.0", "Takes the options `IDLETIME` and `FREQ`."),
        ])
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

fn decode<'a>(cx: &mut Cx<'a>, payload: &'a [u8]) -> Result<Decoded<'a>, CommandError> {
    let skip = cx.db.store().ignores_checksums();
    let checksum = if skip { Checksum::Ignored } else { Checksum::Verified };
    let limits = crate::encoding_limits(cx.config, cx.db.rng().next_u64());
    let decoded = dump::read(payload, checksum, &limits).map_err(|error| match error {
        DumpError::Footer => {
            CommandError::request("ERR DUMP payload version or checksum are wrong")
        }
        DumpError::Value(reason) => {
            // A checksum that is right over a value that is wrong: somebody should look at that.
            cx.db.effects.notes.push(format!("RESTORE refused a payload: {reason}"));
            CommandError::request("ERR Bad data format")
        }
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
        // Beyond the clock's range the key stays, as in Redis 8; Redis 7.0 takes it for over.
        (ttl, false) => Some(ttl.saturating_add(now as i64)),
    };
    let live = |at: &UnixMs| !cx.db.is_due(*at);
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

#[cfg(test)]
mod tests {
    use resp::OwnedArgs;

    use crate::testing::{Bench, NOW};

    /// The payload of a key.
    fn dump(bench: &mut Bench, key: &str) -> Vec<u8> {
        let reply = bench.run(&format!("DUMP {key}"));
        let (_, payload) = reply.split_once("\r\n").expect("a bulk string has a header");
        let payload = payload.strip_suffix("\r\n").expect("it has an end");
        payload.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect()
    }

    fn restore(
        bench: &mut Bench,
        key: &str,
        ttl: &str,
        payload: &[u8],
        options: &[&str],
    ) -> String {
        let head = [&b"RESTORE"[..], key.as_bytes(), ttl.as_bytes(), payload];
        let words: Vec<&[u8]> =
            head.into_iter().chain(options.iter().map(|o| o.as_bytes())).collect();
        bench.run_args(OwnedArgs::from_slices(&words).as_args())
    }

    /// One value of each type and form.
    const VALUES: &[(&str, &str)] = &[
        ("s", "SET s text"),
        ("n", "SET n 12"),
        ("l", "RPUSH l a b 3"),
        ("i", "SADD i 1 2 3"),
        ("m", "SADD m a b 3"),
        ("h", "HSET h f v g w"),
        ("z", "ZADD z 1 a 2 b"),
        ("x", "XADD x 1-1 f v"),
    ];

    #[test]
    fn every_type_comes_back_in_its_encoding() {
        for version in ["10", "11"] {
            for (key, command) in VALUES {
                let mut bench = Bench::new();
                bench.config("rdb-version", version);
                bench.run(command);
                let payload = dump(&mut bench, key);
                let encoding = bench.encoding(key);
                assert_eq!(restore(&mut bench, "copy", "0", &payload, &[]), "+OK\r\n");
                assert_eq!(bench.encoding("copy"), encoding);
                assert_eq!(dump(&mut bench, "copy"), payload);
                assert!(restore(&mut bench, "copy", "0", &payload, &[]).starts_with("-BUSYKEY "));
            }
        }
    }

    #[test]
    fn limits_of_this_server_decide_the_encoding() {
        let mut bench = Bench::new();
        bench.run("HSET h f v g w");
        let payload = dump(&mut bench, "h");
        bench.config("hash-max-listpack-entries", "1");
        restore(&mut bench, "t", "0", &payload, &[]);
        assert_eq!(bench.encoding("t"), "hashtable");
    }

    #[test]
    fn replicas_are_told_when_it_ends() {
        let mut bench = Bench::new();
        bench.run("SET s v");
        let payload = dump(&mut bench, "s");
        bench.clear();
        restore(&mut bench, "a", "1000", &payload, &["IDLETIME", "5"]);
        assert_eq!(bench.deadline("a"), Some(NOW + 1000));
        assert_eq!(bench.events(), ["new a", "restore a"]);
        assert!(bench.log()[0].ends_with("IDLETIME 5 ABSTTL"));
        assert!(bench.log()[0].starts_with(&format!("RESTORE a {} ", NOW + 1000)));
        let at = (NOW + 5).to_string();
        restore(&mut bench, "b", &at, &payload, &["ABSTTL"]);
        assert!(bench.log()[1].starts_with(&format!("RESTORE b {at} ")));
        assert_eq!(bench.dirty(), 2);
    }

    #[test]
    fn a_time_that_is_over_deletes_what_is_replaced() {
        let mut bench = Bench::new();
        bench.run("SET s v");
        let payload = dump(&mut bench, "s");
        bench.clear();
        assert_eq!(restore(&mut bench, "s", "5", &payload, &["ABSTTL", "REPLACE"]), "+OK\r\n");
        assert_eq!((bench.events(), bench.log()), (vec!["del s".into()], vec!["DEL s".into()]));
        bench.clear();
        assert_eq!(restore(&mut bench, "s", "5", &payload, &["ABSTTL"]), "+OK\r\n");
        assert_eq!((bench.dirty(), bench.run("EXISTS s")), (0, ":0\r\n".into()));
    }

    #[test]
    fn a_time_beyond_the_range_of_the_clock_never_comes() {
        let mut bench = Bench::new();
        bench.run("SET s v");
        let payload = dump(&mut bench, "s");
        let longest = i64::MAX.to_string();
        assert_eq!(restore(&mut bench, "s", &longest, &payload, &["REPLACE"]), "+OK\r\n");
        assert_eq!(bench.deadline("s"), Some(i64::MAX as u64));
    }

    #[test]
    fn another_type_in_its_place_is_told() {
        let mut bench = Bench::new();
        bench.run("SET s v");
        let payload = dump(&mut bench, "s");
        bench.run("RPUSH l a");
        bench.clear();
        restore(&mut bench, "l", "0", &payload, &["REPLACE"]);
        assert_eq!(bench.events(), ["new l", "restore l", "overwritten l", "type_changed l"]);
    }

    #[test]
    fn a_refused_payload_leaves_the_key() {
        let mut bench = Bench::new();
        bench.run("SET s v");
        let mut payload = dump(&mut bench, "s");
        payload[0] = 99;
        let refusal = "-ERR DUMP payload version or checksum are wrong\r\n";
        assert_eq!(restore(&mut bench, "s", "0", &payload, &["REPLACE"]), refusal);
        let body = payload.len() - 8;
        let checksum = stdx::crc::crc64(0, &payload[..body]);
        payload[body..].copy_from_slice(&checksum.to_le_bytes());
        let refusal = "-ERR Bad data format\r\n";
        assert_eq!(restore(&mut bench, "s", "0", &payload, &["REPLACE"]), refusal);
        assert_eq!(bench.run("GET s"), "$1\r\nv\r\n");
    }
}
