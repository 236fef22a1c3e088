//! `SET` with all its options.

use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use store::{Deadline, Event, UnixMs};

use super::condition::Condition;
use super::expiry::{EXPIRE, Expiry, expire_at_once};
use super::value;

/// `SET key value [NX | XX | IFEQ v | IFNE v | IFDEQ d | IFDNE d] [GET] [EX | PX | EXAT | PXAT |
/// KEEPTTL]`.
pub static SET: DataCommand = DataCommand::new(
    Spec::new(
        "set",
        Group::String,
        "1.0.0",
        -3,
        "O(1)",
        "Sets a key to a string, whatever it held before.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM))
    .acl(Categories::STRING)
    .keys(&[KeySpec::first(
        KeyFlags::RW
            .union(KeyFlags::ACCESS)
            .union(KeyFlags::UPDATE)
            .union(KeyFlags::VARIABLE_FLAGS),
    )
    .notes("RW and ACCESS due to the optional `GET` argument")])
    .args(&[
        Arg::key("key", 0),
        Arg::string("value"),
        Arg::one_of("condition", CONDITIONS).since("2.6.12").optional(),
        Arg::word("get", "GET").since("6.2.0").optional(),
        Arg::one_of("expiration", EXPIRATIONS).optional(),
    ])
    .history(&[
        ("2.6.12", "Added the `EX`, `PX`, `NX` and `XX` options."),
        ("6.0.0", "Added the `KEEPTTL` option."),
        ("6.2.0", "Added the `GET`, `EXAT` and `PXAT` option."),
        ("7.0.0", "Allowed the `NX` and `GET` options to be used together."),
        ("8.4.0", "Added 'IFEQ', 'IFNE', 'IFDEQ', 'IFDNE' options."),
    ]),
    run,
);

const CONDITIONS: &[Arg] = &[
    Arg::word("nx", "NX"),
    Arg::word("xx", "XX"),
    Arg::string("ifeq-value").token("IFEQ").since("8.4.0"),
    Arg::string("ifne-value").token("IFNE").since("8.4.0"),
    Arg::string("ifdeq-digest").token("IFDEQ").since("8.4.0"),
    Arg::string("ifdne-digest").token("IFDNE").since("8.4.0"),
];

const EXPIRATIONS: &[Arg] = &[
    Arg::integer("seconds").token("EX").since("2.6.12"),
    Arg::integer("milliseconds").token("PX").since("2.6.12"),
    Arg::unix_time("unix-time-seconds").token("EXAT").since("6.2.0"),
    Arg::unix_time("unix-time-milliseconds").token("PXAT").since("6.2.0"),
    Arg::word("keepttl", "KEEPTTL").since("6.0.0"),
];

/// What every way of setting a string is called.
pub(super) const SET_EVENT: Event = Event::string("set");

/// When to set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum When<'a> {
    #[default]
    Always,
    /// `NX`.
    Absent,
    /// `XX`.
    Present,
    /// `IFEQ` and its siblings.
    Value(Condition<'a>),
}

#[derive(Debug, Default)]
struct Options<'a> {
    when: When<'a>,
    get: bool,
    expiry: Expiry<'a>,
}

impl<'a> Options<'a> {
    fn parse(mut reader: ArgReader<'a>) -> Result<Self, CommandError> {
        let mut options = Self::default();
        while reader.more() {
            if options.take_when(&mut reader)
                || options.expiry.take_time(&mut reader)
                || options.expiry.take_word(&mut reader, "KEEPTTL", Expiry::Keep)
            {
                continue;
            }
            if reader.token("GET") {
                options.get = true;
            } else {
                reader.unknown();
            }
        }
        reader.finish()?;
        Ok(options)
    }

    /// Takes a condition. One may be repeated, another one is refused.
    fn take_when(&mut self, reader: &mut ArgReader<'a>) -> bool {
        for (token, when) in [("NX", When::Absent), ("XX", When::Present)] {
            if (self.when == When::Always || self.when == when) && reader.token(token) {
                self.when = when;
                return true;
            }
        }
        if self.when != When::Always {
            return false;
        }
        let condition = Condition::take(reader);
        if let Some(condition) = condition {
            self.when = When::Value(condition);
        }
        condition.is_some()
    }
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, value) = (cx.arg(1)?, cx.arg(2)?);
    if cx.args.len() == 3 {
        cx.db.edit(key).set(value::encode(value), Deadline::Clear, SET_EVENT);
        cx.reply.ok();
        return Ok(());
    }
    let options = Options::parse(ArgReader::new(cx.args, 3))?;
    let deadline = options.expiry.deadline(cx)?;
    if options.get {
        match cx.db.read(key) {
            Some(entry) => value::reply(cx.reply, value::string(entry)?),
            None => cx.reply.null(),
        }
    }
    if !is_met(cx, key, options.when)? {
        if !options.get {
            cx.reply.null();
        }
        return Ok(());
    }
    store(cx, key, value, &options, deadline);
    if !options.get {
        cx.reply.ok();
    }
    Ok(())
}

fn is_met(cx: &mut Cx<'_>, key: &[u8], when: When<'_>) -> Result<bool, CommandError> {
    if when == When::Always {
        return Ok(true);
    }
    let edit = cx.db.edit(key);
    Ok(match (when, edit.entry()) {
        (When::Always, _) => true,
        (When::Absent, entry) => entry.is_none(),
        (When::Present, entry) => entry.is_some(),
        (When::Value(condition), Some(entry)) => condition.holds(value::string(entry)?)?,
        (When::Value(condition), None) => condition.holds_for_nothing(),
    })
}

fn store(
    cx: &mut Cx<'_>,
    key: &[u8],
    value: &[u8],
    options: &Options<'_>,
    deadline: Option<UnixMs>,
) {
    if let Some(deadline) = deadline {
        if cx.db.is_due(deadline) {
            expire_at_once(cx, [key].into_iter());
        } else {
            store_until(cx, key, value, deadline);
        }
        return;
    }
    let keep = options.expiry == Expiry::Keep;
    let life = if keep { Deadline::Keep } else { Deadline::Clear };
    cx.db.edit(key).set(value::encode(value), life, SET_EVENT);
    // Replicas need neither compare nor reply: what was decided here is decided.
    if options.get || matches!(options.when, When::Value(_)) {
        let line: [&[u8]; 4] = [b"SET", key, value, b"KEEPTTL"];
        cx.log(if keep { &line } else { &line[..3] });
    }
}

/// Sets a key that lives until `deadline`, which replicas see as an absolute time.
pub(super) fn store_until(cx: &mut Cx<'_>, key: &[u8], value: &[u8], deadline: UnixMs) {
    let mut edit = cx.db.edit(key);
    edit.set(value::encode(value), Deadline::At(deadline), SET_EVENT);
    edit.also(EXPIRE);
    let mut digits = value::Digits::new();
    cx.log(&[b"SET", key, value, b"PXAT", digits.format(deadline).as_bytes()]);
}

#[cfg(test)]
mod tests {
    use crate::testing::{Bench, NOW};

    #[test]
    fn conditions_on_existence() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("SET k 1 XX"), "$-1\r\n");
        assert_eq!(bench.run("SET k 1 NX NX"), "+OK\r\n");
        assert_eq!(bench.run("SET k 2 NX"), "$-1\r\n");
        assert_eq!(bench.run("SET k 3 NX GET"), "$1\r\n1\r\n");
        assert_eq!(bench.run("SET k 4 GET XX"), "$1\r\n1\r\n");
        assert_eq!(bench.run("SET other 5 GET"), "$-1\r\n");
        assert_eq!(bench.run("MGET k other"), "*2\r\n$1\r\n4\r\n$1\r\n5\r\n");
    }

    #[test]
    fn conditions_on_the_value() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("SET k 1 IFEQ 0"), "$-1\r\n");
        assert_eq!(bench.run("SET k 12345 IFNE 0"), "+OK\r\n");
        assert_eq!(bench.run("SET k world IFEQ 12345"), "+OK\r\n");
        assert_eq!(bench.run("SET k x IFNE world GET"), "$5\r\nworld\r\n");
        assert_eq!(bench.run("SET k \"Hello world\" ifeq world"), "+OK\r\n");
        assert_eq!(bench.run("SET k x IFDNE B6ACB9D84A38FF74"), "$-1\r\n");
        assert_eq!(bench.run("SET k x IFDEQ b6acb9d84a38ff74"), "+OK\r\n");
        assert_eq!(
            bench.run("SET k x GET IFDEQ b6acb9d84a38ff7"),
            "-ERR must be exactly 16 hexadecimal characters\r\n"
        );
        assert_eq!(bench.run("SET missing x IFDEQ 1"), "$-1\r\n");
        assert_eq!(bench.run("SET missing x IFDNE 1"), "+OK\r\n");
    }

    #[test]
    fn contradictions_are_syntax_errors() {
        let mut bench = Bench::new();
        for options in [
            "NX XX",
            "NX IFEQ a",
            "IFEQ a NX",
            "IFEQ a IFNE b",
            "EX 10 PX 10",
            "EX 10 KEEPTTL",
            "KEEPTTL EX 10",
            "EX",
            "IFEQ",
            "PERSIST",
            "EX abc FOO",
        ] {
            assert_eq!(
                bench.run(&format!("SET k v {options}")),
                "-ERR syntax error\r\n",
                "{options}"
            );
        }
        assert_eq!(bench.run("SET k v EX 10 EX 20 GET GET"), "$-1\r\n");
    }

    #[test]
    fn deadlines_and_what_replicas_see() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("SET k v EX 100"), "+OK\r\n");
        assert_eq!(bench.deadline("k"), Some(NOW + 100_000));
        assert_eq!(bench.log(), [format!("SET k v PXAT {}", NOW + 100_000)]);
        assert_eq!(bench.events(), ["new k", "set k", "expire k"]);
        bench.clear();
        bench.run("SET k w KEEPTTL");
        assert_eq!(bench.deadline("k"), Some(NOW + 100_000));
        assert_eq!(bench.log(), ["SET k w KEEPTTL"]);
        bench.clear();
        bench.run("SET k w KEEPTTL IFEQ w GET");
        assert_eq!(bench.log(), ["SET k w KEEPTTL"]);
        bench.clear();
        bench.run("SET k w2 IFEQ w");
        assert_eq!(bench.log(), ["SET k w2"]);
        assert_eq!(bench.deadline("k"), None);
    }

    #[test]
    fn a_deadline_in_the_past_deletes() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("SET k v PXAT 1"), "+OK\r\n");
        assert!(bench.log().is_empty() && bench.dirty() == 0);
        bench.run("SET k v");
        bench.clear();
        assert_eq!(bench.run("SET k w EXAT 1 GET"), "$1\r\nv\r\n");
        assert_eq!((bench.log(), bench.events()), (vec!["DEL k".into()], vec!["del k".into()]));
        assert_eq!(bench.run("GET k"), "$-1\r\n");
        bench.config("lazyfree-lazy-expire", "yes");
        bench.run("SET k v");
        bench.clear();
        bench.run("SET k w EXAT 1");
        assert_eq!(bench.log(), ["UNLINK k"]);
    }

    #[test]
    fn expire_times_have_limits() {
        let mut bench = Bench::new();
        for time in ["EX 0", "PX -1", "EXAT 0", "EX 9223372036854775807", "PX 9223372036854775807"]
        {
            assert_eq!(
                bench.run(&format!("SET k v {time}")),
                "-ERR invalid expire time in 'set' command\r\n",
                "{time}"
            );
        }
        assert_eq!(bench.run("SET k v EX ten"), "-ERR value is not an integer or out of range\r\n");
    }
}
