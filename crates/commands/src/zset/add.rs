//! `ZADD` and `ZINCRBY`.

use collections::sorted_set::{Limits, SortedSet};
use command::{Arg, ArgReader, CommandError, Cx, DataCommand, Flags, KeyFlags, KeySpec};
use store::{Absent, Change};

use super::{GROW, event, limits, spec};
use crate::look_ahead::LookAhead;

/// `ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]`.
pub static ZADD: DataCommand = DataCommand::new(
    spec(
        "zadd",
        "1.2.0",
        -4,
        "O(log(N)) for each member, with the number N of members in the sorted set.",
        "Adds members to a sorted set, or changes their scores. Creates the key if there is none.",
    )
    .flags(GROW.union(Flags::FAST))
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))])
    .element(3)
    .args(&[
        Arg::key("key", 0),
        Arg::one_of("condition", &[Arg::word("nx", "NX"), Arg::word("xx", "XX")])
            .optional()
            .since("3.0.2"),
        Arg::one_of("comparison", &[Arg::word("gt", "GT"), Arg::word("lt", "LT")])
            .optional()
            .since("6.2.0"),
        Arg::word("change", "CH").optional().since("3.0.2"),
        Arg::word("increment", "INCR").optional().since("3.0.2"),
        Arg::block("data", &[Arg::double("score"), Arg::string("member")]).multiple(),
    ])
    .history(&[
        ("2.4.0", "Takes several members."),
        ("3.0.2", "Takes the options `XX`, `NX`, `CH` and `INCR`."),
        ("6.2.0", "Takes the options `GT` and `LT`."),
    ]),
    run_add,
);

/// `ZINCRBY key increment member`.
pub static ZINCRBY: DataCommand = DataCommand::new(
    spec(
        "zincrby",
        "1.2.0",
        4,
        "O(log(N)) with the number N of members in the sorted set.",
        "Adds a number to the score of a member. A missing member counts as 0.",
    )
    .flags(GROW.union(Flags::FAST))
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))])
    .element(3)
    .args(&[Arg::key("key", 0), Arg::integer("increment"), Arg::string("member")]),
    run_increment,
);

const BOTH_CONDITIONS: &str = "ERR XX and NX options at the same time are not compatible";
const COMPARISONS: &str = "ERR GT, LT, and/or NX options at the same time are not compatible";
const ONE_INCREMENT: &str = "ERR INCR option supports a single increment-element pair";
const NOT_A_NUMBER: &str = "ERR resulting score is not a number (NaN)";

/// What a member must fulfil to be added or changed, and what the numbers mean.
#[derive(Clone, Copy, Debug, Default)]
struct Options {
    only_new: bool,
    only_present: bool,
    only_greater: bool,
    only_less: bool,
    /// Count changed scores too.
    changed: bool,
    /// The number is added to the score.
    increment: bool,
}

/// What a command has done so far.
#[derive(Debug, Default)]
struct Outcome {
    added: u64,
    updated: u64,
    /// The score of the member that was treated last; none if an option kept it out.
    score: Option<f64>,
}

impl Options {
    /// Adds the options that come next to those that the command's name implies.
    fn parse(self, reader: &mut ArgReader<'_>) -> Self {
        let mut options = self;
        loop {
            let option = match () {
                () if reader.token("NX") => &mut options.only_new,
                () if reader.token("XX") => &mut options.only_present,
                () if reader.token("CH") => &mut options.changed,
                () if reader.token("INCR") => &mut options.increment,
                () if reader.token("GT") => &mut options.only_greater,
                () if reader.token("LT") => &mut options.only_less,
                () => return options,
            };
            *option = true;
        }
    }

    /// Checks the options against each other and the number of arguments that follow.
    fn check(self, arguments: usize) -> Result<(), CommandError> {
        if arguments == 0 || !arguments.is_multiple_of(2) {
            return Err(CommandError::SYNTAX);
        }
        if self.only_new && self.only_present {
            return Err(CommandError::request(BOTH_CONDITIONS));
        }
        let comparisons = u8::from(self.only_greater) + u8::from(self.only_less);
        if comparisons + u8::from(self.only_new) > 1 {
            return Err(CommandError::request(COMPARISONS));
        }
        if self.increment && arguments > 2 {
            return Err(CommandError::request(ONE_INCREMENT));
        }
        Ok(())
    }

    /// The score that a member with the score `old` gets; none if an option keeps it as it is.
    fn decide(self, old: Option<f64>, number: f64) -> Result<Option<f64>, CommandError> {
        let Some(old) = old else { return Ok((!self.only_present).then_some(number)) };
        if self.only_new {
            return Ok(None);
        }
        let new = if self.increment { old + number } else { number };
        if new.is_nan() {
            return Err(CommandError::state(NOT_A_NUMBER));
        }
        let kept_out = self.only_less && new >= old || self.only_greater && new <= old;
        Ok((!kept_out).then_some(new))
    }

    /// Treats one member.
    fn apply(
        self,
        set: &mut SortedSet,
        member: &[u8],
        number: f64,
        limits: Limits,
        outcome: &mut Outcome,
    ) -> Result<(), CommandError> {
        let mut result = Ok(());
        set.update(member, limits, |old| match self.decide(old, number) {
            Ok(new) => {
                outcome.score = new;
                outcome.added += u64::from(old.is_none() && new.is_some());
                outcome.updated += u64::from(old.is_some() && new.is_some() && old != new);
                new
            }
            Err(error) => {
                result = Err(error);
                None
            }
        });
        result
    }
}

fn run_add(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    run(cx, Options::default())
}

fn run_increment(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    run(cx, Options { increment: true, ..Options::default() })
}

/// Both commands take the same line: `ZINCRBY key NX member` misses a number, as in Redis.
fn run(cx: &mut Cx<'_>, named: Options) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    let options = named.parse(&mut reader);
    options.check(reader.remaining())?;
    // Most lines have one pair, the number of which is not worth parsing twice.
    let first = reader.double();
    let members = reader.clone();
    reader.bytes();
    while reader.more() {
        reader.double();
        reader.bytes();
    }
    reader.finish()?;
    add(cx, key, options, first, members)
}

/// Treats the pairs of number and member, all of which are sound; `members` stands behind the
/// number of the first.
fn add(
    cx: &mut Cx<'_>,
    key: &[u8],
    options: Options,
    first: f64,
    mut members: ArgReader<'_>,
) -> Result<(), CommandError> {
    let limits = limits(cx);
    let absent = if options.only_present { Absent::Ignore } else { Absent::Create };
    let name = if options.increment { "zincr" } else { "zadd" };
    let names = cx.args.iter().skip(cx.args.len() - members.remaining()).step_by(2);
    let mut ahead = LookAhead::new(names, members.remaining().div_ceil(2));
    let mut edit = cx.db.edit(key);
    let outcome = edit.update::<SortedSet, _>(absent, |set| {
        let (mut outcome, mut number) = (Outcome::default(), first);
        loop {
            ahead.step(set);
            // Only an increment fails, and it has but one member: nothing has changed then.
            if let Err(error) = options.apply(set, members.bytes(), number, limits, &mut outcome) {
                return Change::none(Err(error));
            }
            if !members.more() {
                break;
            }
            number = members.double();
        }
        match outcome.added + outcome.updated {
            0 => Change::none(Ok(outcome)),
            count => Change::made(count, event(name), Ok(outcome)),
        }
    })?;
    let outcome = outcome.transpose()?.unwrap_or_default();
    if !options.increment {
        let counted = if options.changed { outcome.updated } else { 0 };
        cx.reply.integer((outcome.added + counted) as i64);
        return Ok(());
    }
    match outcome.score {
        Some(score) => cx.reply.double(score),
        None => cx.reply.null(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn counts_what_was_added_or_changed() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("ZADD z 1 a 2 b 1 a"), ":2\r\n");
        assert_eq!((bench.dirty(), bench.events()), (2, vec!["new z".into(), "zadd z".into()]));
        bench.clear();
        assert_eq!(bench.run("ZADD z CH 1 a 5 b 7 c"), ":2\r\n");
        assert_eq!(bench.run("ZADD z 1 a"), ":0\r\n");
        assert_eq!((bench.dirty(), bench.log()), (2, vec!["ZADD z CH 1 a 5 b 7 c".into()]));
    }

    #[test]
    fn conditions_and_comparisons() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("ZADD z XX 1 a"), ":0\r\n");
        assert_eq!(bench.run("ZADD z XX INCR 1 a"), "$-1\r\n");
        assert_eq!(bench.run("ZCARD z"), ":0\r\n");
        bench.run("ZADD z 5 a");
        assert_eq!(bench.run("ZADD z NX 6 a 1 b"), ":1\r\n");
        assert_eq!(bench.run("ZADD z GT CH 4 a 6 b 1 c"), ":2\r\n");
        assert_eq!(bench.run("ZADD z LT INCR 1 a"), "$-1\r\n");
        assert_eq!(bench.run("ZADD z GT INCR 0 a"), "$-1\r\n");
        assert_eq!(bench.run("ZADD z INCR -1.5 a"), "$3\r\n3.5\r\n");
        assert_eq!(bench.run("ZMSCORE z a b c"), "*3\r\n$3\r\n3.5\r\n$1\r\n6\r\n$1\r\n1\r\n");
    }

    #[test]
    fn increments() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("ZINCRBY z inf a"), "$3\r\ninf\r\n");
        bench.clear();
        assert_eq!(bench.run("ZINCRBY z -inf a"), "-ERR resulting score is not a number (NaN)\r\n");
        assert_eq!(bench.run("ZINCRBY z 0 a"), "$3\r\ninf\r\n");
        assert_eq!((bench.dirty(), bench.log().len()), (0, 0));
        bench.resp3();
        assert_eq!(bench.run("ZINCRBY z 2.5 b"), ",2.5\r\n");
        assert_eq!(bench.events(), ["zincr z"]);
    }

    #[test]
    fn the_encoding_follows_the_limits() {
        let mut bench = Bench::new();
        bench.config("zset-max-listpack-entries", "2");
        bench.run("ZADD z 1 a 2 b");
        assert_eq!(bench.encoding("z"), "listpack");
        bench.run("ZADD z 1 c");
        assert_eq!(bench.encoding("z"), "skiplist");
        bench.run("ZREM z c b");
        assert_eq!(bench.encoding("z"), "skiplist");
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        bench.run("SET s x");
        for (line, error) in [
            ("ZADD z NX XX 1 a", "ERR XX and NX options at the same time are not compatible"),
            ("ZADD z NX 1", "ERR syntax error"),
            ("ZADD z CH NX", "ERR syntax error"),
            ("ZADD z 1 a nan b", "ERR value is not a valid float"),
            ("ZADD s x a", "ERR value is not a valid float"),
            ("ZADD s 1 a", "WRONGTYPE Operation against a key holding the wrong kind of value"),
        ] {
            assert_eq!(bench.run(line), format!("-{error}\r\n"), "{line}");
        }
    }
}
