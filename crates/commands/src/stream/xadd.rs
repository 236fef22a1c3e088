//! `XADD`: adds an entry to a stream.
//!
//! The log has the id that the entry got, and an exact trim in place of an approximate one. What an
//! idempotent producer adds is told in two steps, the entry and whose it is, so that who reads the
//! log need not find out again whether it is a duplicate.

use collections::stream::{AppendError, Id, Limits, Removed, Stream, Trim, fingerprint};
use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use resp::Args;
use smallvec::SmallVec;
use store::effects::Propagation;
use store::{Absent, Change};

use super::id::{self, Text, Wanted};
use super::trimming::{self, Logged, Options};
use super::{event, limits, reply, retention};

/// `XADD key [NOMKSTREAM] [KEEPREF|DELREF|ACKED] [IDMPAUTO producer|IDMP producer id]
/// [MAXLEN|MINID [=|~] threshold [LIMIT count]] *|id field value [field value ...]`.
pub static XADD: DataCommand = DataCommand::new(
    Spec::new(
        "xadd",
        Group::Stream,
        "5.0.0",
        -5,
        "O(1) to add an entry, O(N) to trim where N is the number of removed entries.",
        "Adds an entry to a stream, which is created if there is none.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
    .acl(Categories::STREAM)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))
        .notes("UPDATE instead of INSERT because of the optional trimming feature")])
    .args(&[
        Arg::key("key", 0),
        Arg::word("nomkstream", "NOMKSTREAM").since("6.2.0").optional(),
        trimming::CONDITION,
        Arg::one_of(
            "idmp",
            &[
                Arg::block(
                    "idmpauto-with-pid",
                    &[Arg::word("idmpauto-token", "IDMPAUTO"), PRODUCER],
                ),
                Arg::block(
                    "idmp-with-pid-iid",
                    &[Arg::word("idmp-token", "IDMP"), PRODUCER, Arg::string("iid")],
                ),
            ],
        )
        .since("8.6.0")
        .optional(),
        Arg::block("trim", trimming::ARGS).optional(),
        Arg::one_of("id-selector", &[Arg::word("auto-id", "*"), Arg::string("id")]),
        Arg::block("data", &[Arg::string("field"), Arg::string("value")]).multiple(),
    ])
    .history(&[
        (
            "6.2.0",
            "Added the `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option.",
        ),
        ("7.0.0", "Added support for the `<ms>-*` explicit ID form."),
        ("8.2.0", "Added the `KEEPREF`, `DELREF` and `ACKED` options."),
    ])
    .tips(&["nondeterministic_output"]),
    run,
);

const PRODUCER: Arg = Arg::string("pid");
const EXHAUSTED: &str =
    "ERR The stream has exhausted the last possible ID, unable to add more items";
const NOT_ABOVE_LAST: &str =
    "ERR The ID specified in XADD is equal or smaller than the target stream top item";
const TWO_PRODUCERS: &str = "ERR syntax error, IDMP/IDMPAUTO specified multiple times";
const OWN_ID: &str = "ERR syntax error, IDMP/IDMPAUTO can be used only with auto-generated IDs";
const TOO_LARGE: &str = "ERR Elements are too large to be stored";
const ZERO: &str = "ERR The ID specified in XADD must be greater than 0-0";

/// What the command line says.
struct Request<'a> {
    key: &'a [u8],
    no_create: bool,
    producer: Option<Producer<'a>>,
    trim: Option<Trim>,
    wanted: Wanted,
    /// The fields and values by turns.
    data: Args<'a>,
}

/// Who adds the entry, and what it is to them.
struct Producer<'a> {
    name: &'a [u8],
    /// Their id for it; none if its contents tell.
    id: Option<&'a [u8]>,
}

impl Producer<'_> {
    /// Checks that a producer and its id for an entry have names.
    fn check(&self) -> Result<(), CommandError> {
        let option = if self.id.is_some() { "IDMP" } else { "IDMPAUTO" };
        let empty = if self.name.is_empty() {
            "producer"
        } else if self.id.is_some_and(<[u8]>::is_empty) {
            "idempotent"
        } else {
            return Ok(());
        };
        let text = format!("ERR syntax error, {option} requires a non-empty {empty} ID");
        Err(CommandError::request(text))
    }
}

impl<'a> Request<'a> {
    fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone {
        self.data.pairs()
    }
}

fn parse<'a>(cx: &Cx<'a>) -> Result<Request<'a>, CommandError> {
    let (mut reader, mut options) = (cx.reader(), Options::default());
    let (key, mut no_create, mut producer) = (reader.bytes(), false, None);
    let wanted = loop {
        if reader.peek() == Some(b"*") {
            reader.bytes();
            break Wanted::Auto;
        }
        if reader.token("NOMKSTREAM") {
            no_create = true;
        } else if let Some(named) = take_producer(&mut reader) {
            if producer.is_some() {
                return Err(CommandError::request(TWO_PRODUCERS));
            }
            named.check()?;
            producer = Some(named);
        } else if !options.take(&mut reader)? {
            if !reader.more() {
                return Err(CommandError::arity(cx.name));
            }
            break id::wanted(reader.bytes())?;
        }
    };
    if producer.is_some() && wanted != Wanted::Auto {
        return Err(CommandError::request(OWN_ID));
    }
    let trim = options.finish(cx.config)?;
    let data = rest(cx, &reader);
    if data.len() < 2 || !data.len().is_multiple_of(2) {
        return Err(CommandError::arity(cx.name));
    }
    if wanted == Wanted::Exactly(Id::MIN) {
        return Err(CommandError::request(ZERO));
    }
    Ok(Request { key, no_create, producer, trim, wanted, data })
}

/// Takes `IDMP` or `IDMPAUTO` with its arguments if it is next.
fn take_producer<'a>(reader: &mut ArgReader<'a>) -> Option<Producer<'a>> {
    if reader.remaining() > 2 && reader.token("IDMP") {
        Some(Producer { name: reader.bytes(), id: Some(reader.bytes()) })
    } else if reader.option("IDMPAUTO") {
        Some(Producer { name: reader.bytes(), id: None })
    } else {
        None
    }
}

fn rest<'a>(cx: &Cx<'a>, reader: &ArgReader<'a>) -> Args<'a> {
    cx.args.tail(cx.args.len() - reader.remaining())
}

/// The id that the entry gets in a stream of which the last id is `last`.
fn choose(wanted: Wanted, last: Id, now: u64) -> Result<Id, CommandError> {
    let above = last.next().ok_or_else(|| CommandError::state(EXHAUSTED))?;
    let chosen = match wanted {
        Wanted::Auto if now > last.ms => Some(Id::new(now, 0)),
        Wanted::Auto => Some(above),
        Wanted::InMillisecond(ms) if ms == last.ms => Some(above).filter(|id| id.ms == ms),
        Wanted::InMillisecond(ms) => Some(Id::new(ms, 0)),
        Wanted::Exactly(id) => Some(id),
    };
    chosen.filter(|id| *id > last).ok_or_else(|| CommandError::state(NOT_ABOVE_LAST))
}

/// What the command did.
struct Added {
    id: Id,
    text: Text,
    /// How many entries were trimmed, and what is left of them.
    trimmed: (u64, Removed),
    logged: Option<Logged>,
}

fn add(
    request: &Request<'_>,
    stream: &mut Stream,
    now: u64,
    limits: Limits,
) -> Result<Added, CommandError> {
    let id = choose(request.wanted, stream.log().last_id(), now)?;
    stream.append(id, request.fields(), limits).map_err(|error| match error {
        AppendError::NotAboveLast => CommandError::state(NOT_ABOVE_LAST),
        AppendError::TooLarge => CommandError::request(TOO_LARGE),
    })?;
    let trimmed = request.trim.map(|trim| stream.trim(&trim)).unwrap_or_default();
    let logged = request.trim.map(|trim| Logged::of(&trim, stream.log()));
    Ok(Added { id, text: Text::of(id), trimmed, logged })
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let request = parse(cx)?;
    match &request.producer {
        None => run_plain(cx, &request),
        Some(producer) => run_idempotent(cx, &request, producer),
    }
}

fn absent(request: &Request<'_>) -> Absent {
    if request.no_create { Absent::Ignore } else { Absent::Create }
}

fn run_plain(cx: &mut Cx<'_>, request: &Request<'_>) -> Result<(), CommandError> {
    let (now, limits) = (cx.db.now(), limits(cx.config));
    let mut edit = cx.db.edit(request.key);
    let added = edit.update(absent(request), |stream| match add(request, stream, now, limits) {
        Ok(added) => Change::made(1, event("xadd"), Ok(added)),
        Err(error) => Change::none(Err(error)),
    })?;
    let Some(added) = added.transpose()? else {
        cx.reply.null();
        return Ok(());
    };
    log(cx, request, &added);
    finish(cx, request, added);
    Ok(())
}

/// What follows when an entry was added: a further event, garbage, the reply.
fn finish(cx: &mut Cx<'_>, request: &Request<'_>, added: Added) {
    let (trimmed, removed) = added.trimmed;
    if trimmed > 0 {
        cx.db.edit(request.key).also(event("xtrim"));
        cx.db.effects.discard_part(removed);
    }
    cx.reply.bulk(added.text.as_bytes());
}

/// What replicas must see, where that differs from what the client sent.
fn log(cx: &mut Cx<'_>, request: &Request<'_>, added: &Added) {
    let approximate = request.trim.is_some_and(|trim| trim.whole_blocks);
    if matches!(request.wanted, Wanted::Exactly(_)) && !approximate {
        return;
    }
    let mut head: SmallVec<[&[u8]; 8]> = SmallVec::new();
    head.extend([b"XADD", request.key]);
    if request.no_create {
        head.push(b"NOMKSTREAM");
    }
    head.extend(added.logged.iter().flat_map(Logged::args));
    head.push(added.text.as_bytes());
    cx.log_parts(&head, request.data.iter());
}

fn run_idempotent(
    cx: &mut Cx<'_>,
    request: &Request<'_>,
    producer: &Producer<'_>,
) -> Result<(), CommandError> {
    let (now, limits, terms) = (cx.db.now(), limits(cx.config), retention(cx.config));
    let contents;
    let idempotent_id = match producer.id {
        Some(id) => id,
        None => {
            contents = fingerprint(request.fields());
            &contents[..]
        }
    };
    let mut edit = cx.db.edit(request.key);
    let done = edit.update(absent(request), |stream: &mut Stream| {
        let known = stream.producers().and_then(|p| p.find(producer.name, idempotent_id, now));
        if let Some(id) = known {
            stream.producers_mut(terms).count_duplicate();
            return Change::quiet(1, Ok((id, None)));
        }
        match add(request, stream, now, limits) {
            Ok(added) => {
                let producers = stream.producers_mut(terms);
                producers.record(producer.name, idempotent_id, added.id, now);
                Change::made(1, event("xadd"), Ok((added.id, Some(added))))
            }
            Err(error) => Change::none(Err(error)),
        }
    })?;
    match done.transpose()? {
        None => cx.reply.null(),
        Some((id, None)) => {
            // Of a duplicate the log need not know.
            cx.db.effects.propagation = Propagation::Rewritten;
            reply::id(cx.reply, id);
        }
        Some((_, Some(added))) => {
            log_idempotent(cx, request, (producer.name, idempotent_id), &added);
            finish(cx, request, added);
        }
    }
    Ok(())
}

/// As [`log`]; the trim comes last, since it may remove the new entry.
fn log_idempotent(
    cx: &mut Cx<'_>,
    request: &Request<'_>,
    (name, idempotent_id): (&[u8], &[u8]),
    added: &Added,
) {
    let id = added.text.as_bytes();
    cx.log_parts(&[b"XADD", request.key, id], request.data.iter());
    cx.log(&[b"XIDMPRECORD", request.key, name, idempotent_id, id]);
    if added.trimmed.0 > 0
        && let Some(logged) = &added.logged
    {
        let line = [&b"XTRIM"[..], request.key].into_iter().chain(logged.args());
        cx.log(&line.collect::<Vec<_>>());
    }
}

#[cfg(test)]
mod tests {
    use crate::stream::fixture;
    use crate::testing::{Bench, NOW};

    #[test]
    fn ids_are_made_from_the_time_or_from_the_last_one() {
        let mut bench = Bench::new();
        let bulk = |id: String| format!("${}\r\n{id}\r\n", id.len());
        assert_eq!(bench.run("XADD s * f v"), bulk(format!("{NOW}-0")));
        assert_eq!(bench.run("XADD s * f v"), bulk(format!("{NOW}-1")));
        bench.at(NOW - 5);
        assert_eq!(bench.run("XADD s * f v"), bulk(format!("{NOW}-2")));
        let next = NOW + 9;
        assert_eq!(bench.run(&format!("XADD s {next}-* f v")), bulk(format!("{next}-0")));
        assert_eq!(bench.run(&format!("XADD s {next}-* f v")), bulk(format!("{next}-1")));
        assert!(bench.run("XADD s 5-* f v").contains("equal or smaller"));
        let lines = [
            format!("XADD s {NOW}-0 f v"),
            format!("XADD s {NOW}-1 f v"),
            format!("XADD s {NOW}-2 f v"),
            format!("XADD s {next}-0 f v"),
            format!("XADD s {next}-1 f v"),
        ];
        assert_eq!(bench.log(), lines);
        assert_eq!(bench.events()[..3], ["new s", "xadd s", "xadd s"]);
    }

    #[test]
    fn the_last_id_is_the_end() {
        let mut bench = Bench::new();
        bench.run("XADD s 5-18446744073709551615 f v");
        assert!(bench.run("XADD s 5-* f v").contains("equal or smaller"));
        bench.run("XADD s 18446744073709551615-18446744073709551615 f v");
        assert!(bench.run("XADD s * f v").starts_with("-ERR The stream has exhausted"));
        assert!(bench.run("XADD t 0-0 f v").contains("must be greater than 0-0"));
        assert_eq!(bench.run("XADD t 0-* f v"), "$3\r\n0-1\r\n");
        assert_eq!(bench.run("EXISTS u"), ":0\r\n");
        assert!(bench.run("XADD u 0 f v").starts_with("-ERR"));
        assert_eq!(bench.run("EXISTS u"), ":0\r\n");
    }

    #[test]
    fn trims_with_the_same_command() {
        let mut bench = fixture::filled(3);
        bench.clear();
        assert_eq!(bench.run("XADD s MAXLEN 2 4 f v"), "$3\r\n4-0\r\n");
        assert_eq!(bench.run("XADD s MAXLEN ~ 2 LIMIT 9 5 f v"), "$3\r\n5-0\r\n");
        assert_eq!(bench.run("XADD s NOMKSTREAM MINID 6 DELREF 6-* f v"), "$3\r\n6-0\r\n");
        let lines = [
            "XADD s MAXLEN 2 4 f v",
            "XADD s MAXLEN = 3 5-0 f v",
            "XADD s NOMKSTREAM MINID = 6-0 DELREF 6-0 f v",
        ];
        assert_eq!(bench.log(), lines);
        assert_eq!(bench.events(), ["xadd s", "xtrim s", "xadd s", "xadd s", "xtrim s"]);
        assert_eq!((bench.dirty(), bench.run("XLEN s")), (3, ":1\r\n".into()));
        assert_eq!(bench.run("XADD s MAXLEN 0 * f v").len(), 22);
        assert_eq!(bench.run("XLEN s"), ":0\r\n");
    }

    #[test]
    fn a_producer_adds_an_entry_once() {
        let mut bench = Bench::new();
        let first = bench.run("XADD s IDMP p i * f v");
        let id = format!("{NOW}-0");
        assert_eq!(first, format!("${}\r\n{id}\r\n", id.len()));
        assert_eq!(bench.log(), [format!("XADD s {id} f v"), format!("XIDMPRECORD s p i {id}")]);
        bench.clear();
        assert_eq!(bench.run("XADD s idmp p i MAXLEN 0 * g w"), first);
        assert_eq!((bench.dirty(), bench.log().len(), bench.events().len()), (1, 0, 0));
        assert_ne!(bench.run("XADD s IDMP q i * f v"), first);
        assert_ne!(bench.run("XADD s IDMP p j * f v"), first);
        assert_eq!(bench.run("XLEN s"), ":3\r\n");
        bench.run("COPY s t");
        assert_eq!(bench.run("XADD t IDMP p i * f v"), first);
        bench.at(NOW + 100_000);
        assert_ne!(bench.run("XADD s IDMP p i * f v"), first);
    }

    #[test]
    fn contents_tell_entries_apart() {
        let mut bench = Bench::new();
        let first = bench.run("XADD s IDMPAUTO p * f v g w");
        assert_eq!(bench.run("XADD s IDMPAUTO p * g w f v"), first);
        assert_ne!(bench.run("XADD s IDMPAUTO p * g w f x"), first);
        assert_eq!(bench.run("XADD t NOMKSTREAM IDMPAUTO p * f v"), "$-1\r\n");
        assert_eq!(bench.run("XLEN s"), ":2\r\n");
    }

    #[test]
    fn the_trim_of_a_producer_is_logged_behind_the_record() {
        let mut bench = Bench::new();
        bench.run("XADD s IDMP p i MAXLEN ~ 0 LIMIT 0 * f v");
        assert_eq!(bench.log().len(), 3, "{:?}", bench.log());
        assert_eq!(bench.log()[2], "XTRIM s MAXLEN = 0");
        assert_eq!(bench.events(), ["new s", "xadd s", "xtrim s"]);
        let first = bench.run("XADD s IDMP p i * f v");
        assert_eq!(bench.run("XLEN s"), ":0\r\n", "{first}: it was added, and trimmed");
    }

    #[test]
    fn producers_are_named_once_and_give_no_ids() {
        let mut bench = Bench::new();
        let twice = "-ERR syntax error, IDMP/IDMPAUTO specified multiple times\r\n";
        let cases = [
            ("XADD s IDMPAUTO p IDMP p i * f v", twice),
            ("XADD s IDMP p i IDMPAUTO p * f v", twice),
            (
                "XADD s IDMP p i 1-1 f v",
                "-ERR syntax error, IDMP/IDMPAUTO can be used only with auto-generated IDs\r\n",
            ),
            (
                "XADD s IDMP '' i * f v",
                "-ERR syntax error, IDMP requires a non-empty producer ID\r\n",
            ),
            (
                "XADD s IDMP p '' * f v",
                "-ERR syntax error, IDMP requires a non-empty idempotent ID\r\n",
            ),
            (
                "XADD s IDMPAUTO '' * f v",
                "-ERR syntax error, IDMPAUTO requires a non-empty producer ID\r\n",
            ),
            (
                "XADD s IDMP p * f v",
                "-ERR Invalid stream ID specified as stream command argument\r\n",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(bench.run(line), expected, "{line}");
        }
        assert_eq!(bench.run("EXISTS s"), ":0\r\n");
    }

    #[test]
    fn nothing_is_created_without_leave_or_reason() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("XADD s NOMKSTREAM * f v"), "$-1\r\n");
        let arity = "-ERR wrong number of arguments for 'xadd' command\r\n";
        assert_eq!(bench.run("XADD s 1 f v g"), arity);
        assert_eq!(bench.run("XADD s NOMKSTREAM MAXLEN 1 1"), arity);
        assert_eq!(bench.run("EXISTS s"), ":0\r\n");
        bench.run("SET k v");
        assert!(bench.run("XADD k * f v").starts_with("-WRONGTYPE"));
    }
}
