//! `ZRANDMEMBER`.

use std::collections::HashSet;

use collections::sorted_set::{Element, SortedSet};
use command::{Arg, CommandError, Cx, DataCommand, Flags};
use resp::Version;
use stdx::rng::Rng;

use super::{ONE_READ, reply, spec};

/// `ZRANDMEMBER key [count [WITHSCORES]]`.
pub static ZRANDMEMBER: DataCommand = DataCommand::new(
    spec(
        "zrandmember",
        "6.2.0",
        -2,
        "O(N*log(M)) with the number N of members returned and the number M of members in the \
         sorted set.",
        "Returns members chosen at random.",
    )
    .flags(Flags::READONLY)
    .keys(ONE_READ)
    .args(&[
        Arg::key("key", 0),
        Arg::block(
            "options",
            &[Arg::integer("count"), Arg::word("withscores", "WITHSCORES").optional()],
        )
        .optional(),
    ])
    .tips(&["nondeterministic_output"]),
    run,
);

const COUNT_RANGE: &str = "ERR value is out of range, value must between -9223372036854775807 and \
                           9223372036854775807";

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    if reader.remaining() == 0 {
        return one(cx, key);
    }
    let count = reader.integer();
    if count == i64::MIN {
        reader.fail(CommandError::request(COUNT_RANGE));
    }
    reader.check()?;
    let with_scores = reader.token("WITHSCORES");
    reader.finish()?;
    if with_scores && count.unsigned_abs() > i64::MAX.unsigned_abs() / 2 {
        return Err(CommandError::OUT_OF_RANGE);
    }
    let Some(set) = cx.db.get::<SortedSet>(key)?.cloned() else {
        cx.reply.array(0);
        return Ok(());
    };
    if count >= 0 {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let ranks = different(cx.db.rng(), set.len(), count);
        cx.db.release();
        let elements = ranks.into_iter().map(|rank| nth(&set, rank));
        reply::elements(cx.reply, elements, with_scores);
    } else {
        with_repetitions(cx, &set, count.unsigned_abs(), with_scores);
    }
    Ok(())
}

fn one(cx: &mut Cx<'_>, key: &[u8]) -> Result<(), CommandError> {
    let Some(set) = cx.db.get::<SortedSet>(key)?.cloned() else {
        cx.reply.null();
        return Ok(());
    };
    let rank = cx.db.rng().index(set.len());
    reply::member(cx.reply, nth(&set, rank).member);
    Ok(())
}

/// Each of `count` members is drawn from all.
fn with_repetitions(cx: &mut Cx<'_>, set: &SortedSet, count: u64, with_scores: bool) {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let in_pairs = cx.reply.version() == Version::Resp3;
    // The random numbers are this thread's own, so the locks can go first.
    cx.db.release();
    cx.reply.array(if with_scores && !in_pairs { 2 * count } else { count });
    crate::random::repeat(cx, count, |cx| {
        let rank = cx.db.rng().index(set.len());
        let element = nth(set, rank);
        if !with_scores {
            return reply::member(cx.reply, element.member);
        }
        if in_pairs {
            cx.reply.array(2);
        }
        reply::both(cx.reply, element);
    });
}

fn nth(set: &SortedSet, rank: usize) -> Element<'_> {
    set.nth(rank).expect("a random rank is below the length")
}

/// Up to `count` different ranks, each set of them equally likely.
fn different(rng: &mut Rng, len: usize, count: usize) -> Vec<usize> {
    if count >= len {
        return (0..len).collect();
    }
    if count > len / 3 {
        let mut ranks: Vec<_> = (0..len).collect();
        for at in 0..count {
            ranks.swap(at, at + rng.index(len - at));
        }
        ranks.truncate(count);
        return ranks;
    }
    // Floyd's method: a rank that is taken already is replaced by the highest one in the draw,
    // which no earlier draw could give.
    let mut taken = HashSet::with_capacity(count);
    let mut ranks = Vec::with_capacity(count);
    for highest in len - count..len {
        let rank = rng.index(highest + 1);
        let rank = if taken.insert(rank) { rank } else { highest };
        taken.insert(rank);
        ranks.push(rank);
    }
    rng.shuffle(&mut ranks);
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn ranks_are_different_and_evenly_drawn() {
        let seed = 0x2a9d;
        println!("seed {seed}");
        let mut rng = Rng::seed(seed);
        for (len, count) in [(10, 2), (10, 3), (10, 7), (40, 1)] {
            let (mut seen, rounds) = (vec![0u32; len], 20_000);
            for _ in 0..rounds {
                let ranks = different(&mut rng, len, count);
                let distinct: HashSet<_> = ranks.iter().collect();
                assert_eq!((ranks.len(), distinct.len()), (count, count));
                ranks.iter().for_each(|&rank| seen[rank] += 1);
            }
            // Chi-square against the even spread; with at most 39 degrees of freedom a value
            // above 90 has a probability below one in a million.
            let expected = f64::from(rounds) * count as f64 / len as f64;
            let deviation = |n: &u32| (f64::from(*n) - expected).powi(2) / expected;
            let chi_square: f64 = seen.iter().map(deviation).sum();
            assert!(chi_square < 90.0, "{chi_square} for {count} of {len}: {seen:?}");
        }
        assert_eq!(different(&mut rng, 3, 9), [0, 1, 2]);
        assert!(different(&mut rng, 3, 0).is_empty());
    }

    #[test]
    fn forms_of_the_reply() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("ZRANDMEMBER none"), "$-1\r\n");
        assert_eq!(bench.run("ZRANDMEMBER none 2"), "*0\r\n");
        bench.run("ZADD z 1 a");
        assert_eq!(bench.run("ZRANDMEMBER z"), "$1\r\na\r\n");
        assert_eq!(bench.run("ZRANDMEMBER z 5"), "*1\r\n$1\r\na\r\n");
        assert_eq!(bench.run("ZRANDMEMBER z -2"), "*2\r\n$1\r\na\r\n$1\r\na\r\n");
        assert_eq!(bench.run("ZRANDMEMBER z 0"), "*0\r\n");
        assert_eq!(bench.run("ZRANDMEMBER z -1 WITHSCORES"), "*2\r\n$1\r\na\r\n$1\r\n1\r\n");
        bench.resp3();
        assert_eq!(bench.run("ZRANDMEMBER z -1 WITHSCORES"), "*1\r\n*2\r\n$1\r\na\r\n,1\r\n");
        assert_eq!(bench.run("ZRANDMEMBER z 1 WITH"), "-ERR syntax error\r\n");
        assert_eq!(
            bench.run("ZRANDMEMBER z 9223372036854775807 WITHSCORES"),
            "-ERR value is out of range\r\n"
        );
    }
}
