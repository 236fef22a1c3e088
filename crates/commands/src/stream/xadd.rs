//! `XADD`: adds an entry to a stream.
//!
//! The log has the id that the entry got, and an exact trim in place of an approximate one.

use collections::stream::{AppendError, Id, Limits, Stream, Trim};
use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use resp::Args;
use store::{Absent, Change};

use super::id::{self, Text, Wanted};
use super::trimming::{self, Logged, Options};
use super::{event, limits, reply};

/// `XADD key [NOMKSTREAM] [KEEPREF|DELREF|ACKED] [MAXLEN|MINID [=|~] threshold [LIMIT count]]
/// *|id field value [field value ...]`.
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

const EXHAUSTED: &str =
    "ERR The stream has exhausted the last possible ID, unable to add more items";
const NOT_ABOVE_LAST: &str =
    "ERR The ID specified in XADD is equal or smaller than the target stream top item";
const TOO_LARGE: &str = "ERR Elements are too large to be stored";
const ZERO: &str = "ERR The ID specified in XADD must be greater than 0-0";

/// What the command line says.
struct Request<'a> {
    key: &'a [u8],
    no_create: bool,
    trim: Option<Trim>,
    wanted: Wanted,
    /// The fields and values by turns.
    data: Args<'a>,
}

fn parse<'a>(cx: &Cx<'a>) -> Result<Request<'a>, CommandError> {
    let (mut reader, mut options) = (cx.reader(), Options::default());
    let (key, mut no_create) = (reader.bytes(), false);
    let wanted = loop {
        if reader.peek() == Some(b"*") {
            reader.bytes();
            break Wanted::Auto;
        }
        if reader.token("NOMKSTREAM") {
            no_create = true;
        } else if !options.take(&mut reader)? {
            if !reader.more() {
                return Err(CommandError::arity(cx.name));
            }
            break id::wanted(reader.bytes())?;
        }
    };
    let trim = options.finish(cx.config)?;
    let data = rest(cx, &reader);
    if data.len() < 2 || !data.len().is_multiple_of(2) {
        return Err(CommandError::arity(cx.name));
    }
    if wanted == Wanted::Exactly(Id::MIN) {
        return Err(CommandError::request(ZERO));
    }
    Ok(Request { key, no_create, trim, wanted, data })
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
    trimmed: bool,
    logged: Option<Logged>,
}

fn add(
    request: &Request<'_>,
    stream: &mut Stream,
    now: u64,
    limits: Limits,
) -> Result<Added, CommandError> {
    let id = choose(request.wanted, stream.log().last_id(), now)?;
    let data = request.data.iter();
    let fields = data.clone().step_by(2).zip(data.skip(1).step_by(2));
    stream.append(id, fields, limits).map_err(|error| match error {
        AppendError::NotAboveLast => CommandError::state(NOT_ABOVE_LAST),
        AppendError::TooLarge => CommandError::request(TOO_LARGE),
    })?;
    let trimmed = request.trim.is_some_and(|trim| stream.trim(&trim) > 0);
    let logged = request.trim.map(|trim| Logged::of(&trim, stream.log()));
    Ok(Added { id, trimmed, logged })
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let request = parse(cx)?;
    let absent = if request.no_create { Absent::Ignore } else { Absent::Create };
    let (now, limits) = (cx.db.now(), limits(cx.config));
    let mut edit = cx.db.edit(request.key);
    let added = edit.update(absent, |stream| match add(&request, stream, now, limits) {
        Ok(added) => Change::made(1, event("xadd"), Ok(added)),
        Err(error) => Change::none(Err(error)),
    })?;
    let Some(added) = added.transpose()? else {
        cx.reply.null();
        return Ok(());
    };
    if added.trimmed {
        edit.also(event("xtrim"));
    }
    log(cx, &request, &added);
    reply::id(cx.reply, added.id);
    Ok(())
}

/// What replicas must see, where that differs from what the client sent.
fn log(cx: &mut Cx<'_>, request: &Request<'_>, added: &Added) {
    let approximate = request.trim.is_some_and(|trim| trim.whole_blocks);
    if matches!(request.wanted, Wanted::Exactly(_)) && !approximate {
        return;
    }
    let id = Text::of(added.id);
    let mut line: Vec<&[u8]> = vec![b"XADD", request.key];
    if request.no_create {
        line.push(b"NOMKSTREAM");
    }
    line.extend(added.logged.iter().flat_map(Logged::args));
    line.push(id.as_bytes());
    line.extend(request.data.iter());
    cx.log(&line);
}

#[cfg(test)]
mod tests {
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
        let mut bench = Bench::new();
        (1..=3).for_each(|ms| drop(bench.run(&format!("XADD s {ms} f v"))));
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
