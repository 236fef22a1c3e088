//! `XRANGE`, `XREVRANGE`: the entries of an interval of ids.

use collections::stream::{Id, Stream};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};

use super::{id, reply};

const COMPLEXITY: &str = "O(N) where N is the number of returned entries; O(1) with a small COUNT.";

/// `XRANGE key start end [COUNT count]`.
pub static XRANGE: DataCommand = DataCommand::new(
    spec("xrange", "Returns the entries of an interval of ids.").args(&[
        Arg::key("key", 0),
        Arg::string("start"),
        Arg::string("end"),
        Arg::integer("count").token("COUNT").optional(),
    ]),
    |cx| run(cx, false),
);

/// `XREVRANGE key end start [COUNT count]`.
pub static XREVRANGE: DataCommand = DataCommand::new(
    spec("xrevrange", "Returns the entries of an interval of ids, the last one first.").args(&[
        Arg::key("key", 0),
        Arg::string("end"),
        Arg::string("start"),
        Arg::integer("count").token("COUNT").optional(),
    ]),
    |cx| run(cx, true),
);

const KEYS: &[KeySpec] = &[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS))];

const fn spec(name: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Stream, "5.0.0", -4, COMPLEXITY, summary)
        .flags(Flags::READONLY)
        .acl(Categories::STREAM)
        .keys(KEYS)
        .history(&[("6.2.0", "Added exclusive ranges.")])
}

/// What the command line says.
struct Request<'a> {
    key: &'a [u8],
    start: Id,
    end: Id,
    /// The most entries to return.
    count: Option<usize>,
}

fn parse<'a>(cx: &Cx<'a>, reverse: bool) -> Result<Request<'a>, CommandError> {
    let mut reader = cx.reader();
    let (key, first, second) = (reader.bytes(), reader.bytes(), reader.bytes());
    let (start, end) = if reverse { (second, first) } else { (first, second) };
    let start = id::interval_start(start)?;
    let end = id::interval_end(end)?;
    let mut count = None;
    while reader.more() {
        if !reader.option("COUNT") {
            return Err(CommandError::SYNTAX);
        }
        count = Some(usize::try_from(reader.integer()).unwrap_or(0));
    }
    reader.finish()?;
    Ok(Request { key, start, end, count })
}

fn run(cx: &mut Cx<'_>, reverse: bool) -> Result<(), CommandError> {
    let Request { key, start, end, count } = parse(cx, reverse)?;
    let Some(stream) = cx.db.get::<Stream>(key)?.cloned() else {
        cx.reply.array(0);
        return Ok(());
    };
    if count == Some(0) {
        cx.reply.null_array();
        return Ok(());
    }
    let (log, count) = (stream.log(), count.unwrap_or(usize::MAX));
    if reply::is_long(log, count) {
        cx.db.release();
    }
    if reverse {
        reply::entries(cx.reply, log.range_back(start, end).take(count));
    } else {
        reply::entries(cx.reply, log.range(start, end).take(count));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::stream::fixture;
    use crate::testing::Bench;

    fn ids(reply: &str) -> Vec<&str> {
        reply.split("\r\n").filter(|line| line.contains('-')).collect()
    }

    #[test]
    fn both_ways_with_and_without_the_ends() {
        let mut bench = fixture::filled(5);
        assert_eq!(
            bench.run("XRANGE s 2 2"),
            "*1\r\n*2\r\n$3\r\n2-0\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n"
        );
        assert_eq!(ids(&bench.run("XRANGE s - + COUNT 2")), ["1-0", "2-0"]);
        assert_eq!(ids(&bench.run("XREVRANGE s + - COUNT 2")), ["5-0", "4-0"]);
        assert_eq!(ids(&bench.run("XRANGE s (2-0 (4-0")), ["3-0"]);
        assert_eq!(ids(&bench.run("XREVRANGE s (4-0 (2-0")), ["3-0"]);
        assert_eq!(bench.run("XRANGE s 4 2"), "*0\r\n");
        assert_eq!(bench.run("XREVRANGE s 2 4"), "*0\r\n");
    }

    #[test]
    fn nothing_has_three_shapes() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("XRANGE s - + COUNT 0"), "*0\r\n");
        bench.run("XADD s 1 f v");
        assert_eq!(bench.run("XRANGE s - + COUNT 0"), "*-1\r\n");
        assert_eq!(bench.run("XRANGE s - + COUNT -5"), "*-1\r\n");
        assert_eq!(bench.run("XRANGE s 2 + COUNT 5"), "*0\r\n");
    }

    #[test]
    fn bad_intervals_are_refused_before_the_key() {
        let mut bench = Bench::new();
        bench.run("SET k v");
        assert!(bench.run("XRANGE k x +").starts_with("-ERR Invalid stream ID"));
        assert_eq!(bench.run("XRANGE k - + COUNT"), "-ERR syntax error\r\n");
        assert_eq!(bench.run("XREVRANGE k (0-0 -"), "-ERR invalid end ID for the interval\r\n");
        assert!(bench.run("XRANGE k - +").starts_with("-WRONGTYPE"));
    }
}
