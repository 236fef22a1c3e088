//! The commands of the algebra: `ZUNION`, `ZINTER`, `ZDIFF`, their forms that store the result, and
//! `ZINTERCARD`.

use collections::sorted_set::{Element, Member};
use command::{Arg, ArgReader, CommandError, Cx, DataCommand, Flags, KeySpec};

use super::combine::{
    Aggregate, Input, Scored, Source, difference, intersection, intersection_len, sort, union,
};
use super::{GROW, OVERWRITE, READ_DATA, range, reply, spec};

const SUMMED: &str = "O(N)+O(M*log(M)) with the number N of members of all inputs together and the \
                      number M of members of the result.";
const MULTIPLIED: &str = "O(N*K)+O(M*log(M)) with the number N of members of the smallest input, \
                          the number K of inputs and the number M of members of the result.";
const SUBTRACTED: &str = "O(L + (N-K)log(N)) at worst, with the number L of members of all inputs \
                          together, the number N of members of the first input and the number K \
                          of members of the result.";

const READ: Flags = Flags::READONLY.union(Flags::MOVABLE_KEYS);
const WRITE: Flags = GROW.union(Flags::MOVABLE_KEYS);
const SOURCES: &[KeySpec] = &[KeySpec::counted(READ_DATA, 1)];
const DESTINATION_AND_SOURCES: &[KeySpec] =
    &[KeySpec::first(OVERWRITE), KeySpec::counted(READ_DATA, 2)];

const DESTINATION: Arg = Arg::key("destination", 0);
const NUMBER: Arg = Arg::integer("numkeys");
const KEYS: Arg = Arg::key("key", 0).multiple();
const STORED_KEYS: Arg = Arg::key("key", 1).multiple();
const WEIGHTS: Arg = Arg::integer("weight").token("WEIGHTS").optional().multiple();
const AGGREGATE: Arg = Arg::one_of(
    "aggregate",
    &[
        Arg::word("sum", "SUM"),
        Arg::word("min", "MIN"),
        Arg::word("max", "MAX"),
        Arg::word("count", "COUNT").since("8.8.0"),
    ],
)
.token("AGGREGATE")
.optional();
const WITH_SCORES: Arg = Arg::word("withscores", "WITHSCORES").optional();

/// `ZUNION numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE how] [WITHSCORES]`.
pub static ZUNION: DataCommand = DataCommand::new(
    spec("zunion", "6.2.0", -3, SUMMED, "Returns the members of several sorted sets together.")
        .flags(READ)
        .keys(SOURCES)
        .args(&[NUMBER, KEYS, WEIGHTS, AGGREGATE, WITH_SCORES]),
    |cx| show(cx, Operation::Union),
);

/// `ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE how]`.
pub static ZUNIONSTORE: DataCommand = DataCommand::new(
    spec("zunionstore", "2.0.0", -4, SUMMED, "Stores the union of sorted sets in a key.")
        .flags(WRITE)
        .keys(DESTINATION_AND_SOURCES)
        .args(&[DESTINATION, NUMBER, STORED_KEYS, WEIGHTS, AGGREGATE]),
    |cx| store(cx, Operation::Union, "zunionstore"),
);

/// `ZINTER numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE how] [WITHSCORES]`.
pub static ZINTER: DataCommand = DataCommand::new(
    spec(
        "zinter",
        "6.2.0",
        -3,
        MULTIPLIED,
        "Returns the members that all of several sorted sets have.",
    )
    .flags(READ)
    .keys(SOURCES)
    .args(&[NUMBER, KEYS, WEIGHTS, AGGREGATE, WITH_SCORES]),
    |cx| show(cx, Operation::Intersection),
);

/// `ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE how]`.
pub static ZINTERSTORE: DataCommand = DataCommand::new(
    spec(
        "zinterstore",
        "2.0.0",
        -4,
        MULTIPLIED,
        "Stores the intersection of sorted sets in a key.",
    )
    .flags(WRITE)
    .keys(DESTINATION_AND_SOURCES)
    .args(&[DESTINATION, NUMBER, STORED_KEYS, WEIGHTS, AGGREGATE]),
    |cx| store(cx, Operation::Intersection, "zinterstore"),
);

/// `ZINTERCARD numkeys key [key ...] [LIMIT limit]`.
pub static ZINTERCARD: DataCommand = DataCommand::new(
    spec(
        "zintercard",
        "7.0.0",
        -3,
        "O(N*K) at worst, with the number N of members of the smallest input and the number K of \
         inputs.",
        "Returns how many members all of several sorted sets have.",
    )
    .flags(READ)
    .keys(SOURCES)
    .args(&[NUMBER, KEYS, Arg::integer("limit").token("LIMIT").optional()]),
    run_card,
);

/// `ZDIFF numkeys key [key ...] [WITHSCORES]`.
pub static ZDIFF: DataCommand = DataCommand::new(
    spec(
        "zdiff",
        "6.2.0",
        -3,
        SUBTRACTED,
        "Returns the members of the first of several sorted sets that no other has.",
    )
    .flags(READ)
    .keys(SOURCES)
    .args(&[NUMBER, KEYS, WITH_SCORES]),
    |cx| show(cx, Operation::Difference),
);

/// `ZDIFFSTORE destination numkeys key [key ...]`.
pub static ZDIFFSTORE: DataCommand = DataCommand::new(
    spec("zdiffstore", "6.2.0", -4, SUBTRACTED, "Stores the difference of sorted sets in a key.")
        .flags(WRITE)
        .keys(DESTINATION_AND_SOURCES)
        .args(&[DESTINATION, NUMBER, STORED_KEYS]),
    |cx| store(cx, Operation::Difference, "zdiffstore"),
);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

impl Operation {
    /// The result in order.
    fn run(self, sources: &[Source], aggregate: Aggregate) -> Vec<Scored<'_>> {
        let mut members = match self {
            Self::Union => union(sources, aggregate),
            Self::Intersection => intersection(sources, aggregate),
            Self::Difference => difference(sources),
        };
        sort(&mut members);
        members
    }
}

/// Reads the number of keys and the values of the keys. A key of another type is refused before the
/// options behind it are looked at.
fn read_sources(cx: &mut Cx<'_>, reader: &mut ArgReader<'_>) -> Result<Vec<Source>, CommandError> {
    let number = reader.integer();
    reader.check()?;
    if number < 1 {
        let text = format!("ERR at least 1 input key is needed for '{}' command", cx.name);
        return Err(CommandError::request(text));
    }
    let number = usize::try_from(number).ok().filter(|number| *number <= reader.remaining());
    let mut sources = Vec::new();
    for _ in 0..number.ok_or(CommandError::SYNTAX)? {
        sources.push(Source { input: Input::read(cx, reader.bytes())?, weight: 1.0 });
    }
    Ok(sources)
}

/// Takes `WEIGHTS` or `AGGREGATE`, if that is what comes next.
fn take_option(reader: &mut ArgReader<'_>, sources: &mut [Source], how: &mut Aggregate) -> bool {
    if reader.remaining() > sources.len() && reader.token("WEIGHTS") {
        for source in sources {
            let weight = stdx::num::parse_f64(reader.bytes());
            source.weight = weight.unwrap_or_else(|| {
                reader.fail(CommandError::request("ERR weight value is not a float"));
                1.0
            });
        }
        return true;
    }
    if reader.option("AGGREGATE") {
        *how = match () {
            () if reader.token("SUM") => Aggregate::Sum,
            () if reader.token("MIN") => Aggregate::Min,
            () if reader.token("MAX") => Aggregate::Max,
            () if reader.token("COUNT") => Aggregate::Count,
            () => return false,
        };
        return true;
    }
    false
}

fn show(cx: &mut Cx<'_>, operation: Operation) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let mut sources = read_sources(cx, &mut reader)?;
    let (mut aggregate, mut with_scores) = (Aggregate::default(), false);
    while reader.more() {
        if reader.token("WITHSCORES") {
            with_scores = true;
        } else if operation == Operation::Difference
            || !take_option(&mut reader, &mut sources, &mut aggregate)
        {
            reader.unknown();
        }
    }
    reader.finish()?;
    cx.db.release();
    let members = operation.run(&sources, aggregate);
    let elements = members
        .iter()
        .map(|(member, score)| Element { member: Member::Bytes(member), score: *score });
    reply::elements(cx.reply, elements, with_scores);
    Ok(())
}

fn store(cx: &mut Cx<'_>, operation: Operation, name: &'static str) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let destination = reader.bytes();
    let mut sources = read_sources(cx, &mut reader)?;
    let mut aggregate = Aggregate::default();
    while reader.more() {
        if operation == Operation::Difference
            || !take_option(&mut reader, &mut sources, &mut aggregate)
        {
            reader.unknown();
        }
    }
    reader.finish()?;
    let members = operation.run(&sources, aggregate);
    range::store(cx, destination, &members, name);
    Ok(())
}

fn run_card(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let sources = read_sources(cx, &mut reader)?;
    let mut limit = 0;
    while reader.more() {
        if reader.option("LIMIT") {
            let negative = CommandError::request("ERR LIMIT can't be negative");
            limit = reader.integer_in(0..=i64::MAX, negative);
        } else {
            reader.unknown();
        }
    }
    reader.finish()?;
    cx.db.release();
    // No limit is written as 0.
    let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    cx.reply.integer(intersection_len(&sources, limit) as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    /// The words of a flat array in one string.
    fn words(bench: &mut Bench, line: &str) -> String {
        let reply = bench.run(line);
        assert!(reply.starts_with('*'), "{line}: {reply}");
        reply.split("\r\n").skip(2).step_by(2).collect::<Vec<_>>().join(" ").trim_end().to_owned()
    }

    #[test]
    fn the_algebra_in_both_encodings() {
        for entries in ["128", "0"] {
            let mut bench = Bench::new();
            bench.config("zset-max-listpack-entries", entries);
            bench.run("ZADD x 1 a 2 b 3 c");
            bench.run("ZADD y 10 b 20 c 30 7");
            for (line, expected) in [
                ("ZUNION 2 x y WITHSCORES", "a 1 b 12 c 23 7 30"),
                ("ZUNION 3 x none y", "a b c 7"),
                ("ZUNION 2 x y WEIGHTS 2 -1 WITHSCORES", "7 -30 c -14 b -6 a 2"),
                ("ZUNION 2 x y AGGREGATE MAX WITHSCORES", "a 1 b 10 c 20 7 30"),
                ("ZUNION 2 x y AGGREGATE COUNT WITHSCORES", "7 1 a 1 b 2 c 2"),
                ("ZUNION 2 x x WITHSCORES", "a 2 b 4 c 6"),
                ("ZINTER 2 x y WITHSCORES", "b 12 c 23"),
                ("ZINTER 2 x y AGGREGATE MIN WITHSCORES", "b 2 c 3"),
                ("ZINTER 2 x none", ""),
                ("ZDIFF 2 x y WITHSCORES", "a 1"),
                ("ZDIFF 4 x y y y", "a"),
                ("ZDIFF 2 none x", ""),
                ("ZDIFF 1 x", "a b c"),
            ] {
                assert_eq!(words(&mut bench, line), expected, "{line}");
            }
            assert_eq!(bench.run("ZINTERCARD 2 x y"), ":2\r\n");
            assert_eq!(bench.run("ZINTERCARD 2 x y LIMIT 1"), ":1\r\n");
            assert_eq!(bench.run("ZINTERCARD 2 x y LIMIT 0"), ":2\r\n");
        }
    }

    #[test]
    fn opposite_infinities_and_zero_times_infinity_are_zero() {
        let mut bench = Bench::new();
        bench.run("ZADD x inf a");
        bench.run("ZADD y -inf a");
        assert_eq!(words(&mut bench, "ZUNION 2 x y WITHSCORES"), "a 0");
        assert_eq!(words(&mut bench, "ZUNION 1 x WEIGHTS 0 WITHSCORES"), "a 0");
        assert_eq!(words(&mut bench, "ZINTER 2 x y WEIGHTS 0 0 WITHSCORES"), "a 0");
    }

    #[test]
    fn a_stored_result_replaces_the_destination() {
        let mut bench = Bench::new();
        bench.run("ZADD x 1 a 2 b");
        bench.run("ZADD y 1 a");
        bench.clear();
        assert_eq!(bench.run("ZUNIONSTORE x 2 x y"), ":2\r\n");
        assert_eq!(words(&mut bench, "ZRANGE x 0 -1 WITHSCORES"), "a 2 b 2");
        assert_eq!(bench.run("ZINTERSTORE d 2 x y WEIGHTS 1 2"), ":1\r\n");
        assert_eq!(bench.run("ZDIFFSTORE d 2 y x"), ":0\r\n");
        assert_eq!(bench.run("EXISTS d"), ":0\r\n");
        let events = ["zunionstore x", "new d", "zinterstore d", "del d"];
        assert_eq!(bench.events(), events);
        assert_eq!(bench.dirty(), 3);
    }

    #[test]
    fn refusals_come_in_the_order_of_the_reference() {
        let mut bench = Bench::new();
        bench.run("SET s x");
        for (line, error) in [
            ("ZUNION 0 k", "ERR at least 1 input key is needed for 'zunion' command"),
            ("ZUNION x k", "ERR value is not an integer or out of range"),
            ("ZUNION 2 k", "ERR syntax error"),
            (
                "ZUNION 1 s WEIGHTS",
                "WRONGTYPE Operation against a key holding the wrong kind of value",
            ),
            ("ZUNION 1 k WEIGHTS", "ERR syntax error"),
            ("ZUNION 1 k WEIGHTS x", "ERR weight value is not a float"),
            ("ZUNION 1 k AGGREGATE foo", "ERR syntax error"),
            ("ZDIFF 1 k WEIGHTS 1", "ERR syntax error"),
            ("ZUNIONSTORE d 1 k WITHSCORES", "ERR syntax error"),
            ("ZINTERCARD 1 k LIMIT -1", "ERR LIMIT can't be negative"),
            ("ZINTERCARD 1 k WITHSCORES", "ERR syntax error"),
        ] {
            assert_eq!(bench.run(line), format!("-{error}\r\n"), "{line}");
        }
    }
}
