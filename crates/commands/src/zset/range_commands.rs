//! The commands that show or store a range: `ZRANGE`, `ZRANGESTORE`, and those that `ZRANGE`
//! replaces.

use command::{Arg, CommandError, Cx, DataCommand, Flags, KeySpec};

use super::bounds::By;
use super::range::{Named, Request};
use super::{GROW, ONE_READ, OVERWRITE, READ_DATA, spec};

const COMPLEXITY: &str = "O(log(N)+M) with the number N of members in the sorted set and the \
                          number M of members returned.";
const SORT_BY: &[Arg] = &[Arg::word("byscore", "BYSCORE"), Arg::word("bylex", "BYLEX")];
const LIMIT: Arg =
    Arg::block("limit", &[Arg::integer("offset"), Arg::integer("count")]).token("LIMIT").optional();
const WITH_SCORES: Arg = Arg::word("withscores", "WITHSCORES").optional();

/// `ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]`.
pub static ZRANGE: DataCommand = DataCommand::new(
    spec(
        "zrange",
        "1.2.0",
        -4,
        COMPLEXITY,
        "Returns the members in a range of ranks, scores or members, from either end.",
    )
    .flags(Flags::READONLY)
    .keys(ONE_READ)
    .args(&[
        Arg::key("key", 0),
        Arg::string("start"),
        Arg::string("stop"),
        Arg::one_of("sortby", SORT_BY).optional().since("6.2.0"),
        Arg::word("rev", "REV").optional().since("6.2.0"),
        LIMIT.since("6.2.0"),
        WITH_SCORES,
    ])
    .history(&[("6.2.0", "Takes the options `REV`, `BYSCORE`, `BYLEX` and `LIMIT`.")]),
    |cx| show(cx, Named::default()),
);

/// `ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]`.
pub static ZRANGESTORE: DataCommand = DataCommand::new(
    spec(
        "zrangestore",
        "6.2.0",
        -5,
        COMPLEXITY,
        "Stores the members in a range, with their scores, in another key.",
    )
    .flags(GROW)
    .keys(&[KeySpec::first(OVERWRITE), KeySpec::range(READ_DATA, 2, 0, 1)])
    .args(&[
        Arg::key("dst", 0),
        Arg::key("src", 1),
        Arg::string("min"),
        Arg::string("max"),
        Arg::one_of("sortby", SORT_BY).optional(),
        Arg::word("rev", "REV").optional(),
        LIMIT,
    ]),
    run_store,
);

/// `ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]`.
pub static ZRANGEBYSCORE: DataCommand = DataCommand::new(
    spec(
        "zrangebyscore",
        "1.0.5",
        -4,
        COMPLEXITY,
        "Returns the members whose scores are in a range, the lowest first.",
    )
    .flags(Flags::READONLY)
    .keys(ONE_READ)
    .args(&[
        Arg::key("key", 0),
        Arg::double("min"),
        Arg::double("max"),
        WITH_SCORES.since("2.0.0"),
        LIMIT,
    ])
    .history(&[("2.0.0", "Takes the option `WITHSCORES`.")])
    .deprecated("6.2.0", "`ZRANGE` with the `BYSCORE` argument"),
    |cx| show(cx, fixed(By::Score, false)),
);

/// `ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]`.
pub static ZREVRANGEBYSCORE: DataCommand = DataCommand::new(
    spec(
        "zrevrangebyscore",
        "2.2.0",
        -4,
        COMPLEXITY,
        "Returns the members whose scores are in a range, the highest first.",
    )
    .flags(Flags::READONLY)
    .keys(ONE_READ)
    .args(&[Arg::key("key", 0), Arg::double("max"), Arg::double("min"), WITH_SCORES, LIMIT])
    .history(&[("2.1.6", "Takes bounds that are left out.")])
    .deprecated("6.2.0", "`ZRANGE` with the `REV` and `BYSCORE` arguments"),
    |cx| show(cx, fixed(By::Score, true)),
);

/// `ZRANGEBYLEX key min max [LIMIT offset count]`.
pub static ZRANGEBYLEX: DataCommand = DataCommand::new(
    spec(
        "zrangebylex",
        "2.8.9",
        -4,
        COMPLEXITY,
        "Returns a range of members, which all have the same score, the lowest first.",
    )
    .flags(Flags::READONLY)
    .keys(ONE_READ)
    .args(&[Arg::key("key", 0), Arg::string("min"), Arg::string("max"), LIMIT])
    .deprecated("6.2.0", "`ZRANGE` with the `BYLEX` argument"),
    |cx| show(cx, fixed(By::Member, false)),
);

/// `ZREVRANGEBYLEX key max min [LIMIT offset count]`.
pub static ZREVRANGEBYLEX: DataCommand = DataCommand::new(
    spec(
        "zrevrangebylex",
        "2.8.9",
        -4,
        COMPLEXITY,
        "Returns a range of members, which all have the same score, the highest first.",
    )
    .flags(Flags::READONLY)
    .keys(ONE_READ)
    .args(&[Arg::key("key", 0), Arg::string("max"), Arg::string("min"), LIMIT])
    .deprecated("6.2.0", "`ZRANGE` with the `REV` and `BYLEX` arguments"),
    |cx| show(cx, fixed(By::Member, true)),
);

/// `ZREVRANGE key start stop [WITHSCORES]`.
pub static ZREVRANGE: DataCommand = DataCommand::new(
    spec(
        "zrevrange",
        "1.2.0",
        -4,
        COMPLEXITY,
        "Returns the members in a range of ranks, the highest being 0.",
    )
    .flags(Flags::READONLY)
    .keys(ONE_READ)
    .args(&[Arg::key("key", 0), Arg::integer("start"), Arg::integer("stop"), WITH_SCORES])
    .deprecated("6.2.0", "`ZRANGE` with the `REV` argument"),
    |cx| show(cx, fixed(By::Rank, true)),
);

const fn fixed(by: By, reverse: bool) -> Named {
    Named { by: Some(by), reverse: Some(reverse), stored: false }
}

fn show(cx: &mut Cx<'_>, named: Named) -> Result<(), CommandError> {
    Request::parse(&mut cx.reader(), named)?.show(cx)
}

fn run_store(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let destination = reader.bytes();
    let named = Named { stored: true, ..Named::default() };
    Request::parse(&mut reader, named)?.store(cx, destination, "zrangestore")
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    /// The members of a reply to `line`, in one string.
    fn members(bench: &mut Bench, line: &str) -> String {
        let reply = bench.run(line);
        assert!(reply.starts_with('*'), "{line}: {reply}");
        reply.split("\r\n").skip(2).step_by(2).collect()
    }

    #[test]
    fn ranges_of_all_kinds_in_both_encodings() {
        for entries in ["128", "0"] {
            let mut bench = Bench::new();
            bench.config("zset-max-listpack-entries", entries);
            bench.run("ZADD z 1 a 2 b 3 c 4 d 5 e");
            bench.run("ZADD l 0 a 0 b 0 c 0 d 0 e");
            for (line, expected) in [
                ("ZRANGE z 0 -1", "abcde"),
                ("ZRANGE z 0 1 REV", "ed"),
                ("ZREVRANGE z 0 -2", "edcb"),
                ("ZRANGE z 2 (4 BYSCORE", "bc"),
                ("ZRANGE z (4 2 BYSCORE REV", "cb"),
                ("ZRANGE z 2 4 BYSCORE REV", ""),
                ("ZRANGEBYSCORE z -inf +inf LIMIT 1 2", "bc"),
                ("ZREVRANGEBYSCORE z +inf -inf LIMIT 1 2", "dc"),
                ("ZRANGEBYSCORE z -inf +inf LIMIT -1 2", ""),
                ("ZRANGEBYSCORE z -inf +inf LIMIT 3 -1", "de"),
                ("ZRANGEBYSCORE z -inf +inf LIMIT 0 0", ""),
                ("ZRANGE l [b (d BYLEX", "bc"),
                ("ZRANGE l (d [b BYLEX REV LIMIT 0 1", "c"),
                ("ZRANGEBYLEX l - + LIMIT 1 3", "bcd"),
                ("ZREVRANGEBYLEX l + [d", "ed"),
                ("ZRANGE none 0 -1", ""),
                ("ZRANGE z 0 1 LIMIT 1 -1", "ab"),
                ("ZRANGE z 1 1 WITHSCORES", "b2"),
            ] {
                assert_eq!(members(&mut bench, line), expected, "{line}");
            }
        }
    }

    #[test]
    fn scores_are_pairs_in_resp3() {
        let mut bench = Bench::new();
        bench.run("ZADD z 1.5 a 2 b");
        bench.resp3();
        let pairs = "*2\r\n*2\r\n$1\r\nb\r\n,2\r\n*2\r\n$1\r\na\r\n,1.5\r\n";
        assert_eq!(bench.run("ZREVRANGE z 0 -1 WITHSCORES"), pairs);
    }

    #[test]
    fn a_long_range_is_complete() {
        let mut bench = Bench::new();
        for number in 0..3000 {
            bench.run(&format!("ZADD z {number} m{number}"));
        }
        let reply = bench.run("ZRANGE z 0 -1 REV");
        assert!(reply.starts_with("*3000\r\n$5\r\nm2999\r\n") && reply.ends_with("m0\r\n"));
    }

    #[test]
    fn a_stored_range_replaces_the_destination() {
        let mut bench = Bench::new();
        bench.run("ZADD z 1 a 2 b 3 c");
        bench.run("SET dst text");
        bench.clear();
        assert_eq!(bench.run("ZRANGESTORE dst z 1 -1"), ":2\r\n");
        assert_eq!(bench.run("ZRANGE dst 0 -1"), "*2\r\n$1\r\nb\r\n$1\r\nc\r\n");
        assert_eq!(bench.events().first().map(String::as_str), Some("zrangestore dst"));
        assert_eq!(bench.run("ZRANGESTORE z z 9 9"), ":0\r\n");
        assert_eq!(bench.events().last().map(String::as_str), Some("del z"));
        assert_eq!((bench.run("EXISTS z"), bench.dirty()), (":0\r\n".into(), 2));
        assert_eq!(bench.run("ZRANGESTORE none z 0 -1"), ":0\r\n");
        assert_eq!(bench.dirty(), 2);
        assert_eq!(bench.run("ZRANGESTORE d dst 0 1 WITHSCORES"), "-ERR syntax error\r\n");
    }
}
