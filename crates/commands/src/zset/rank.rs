//! The place of a member in the order: `ZRANK`, `ZREVRANK`.

use collections::sorted_set::SortedSet;
use command::{Arg, CommandError, Cx, DataCommand};

use super::{ONE_READ, READ_FAST, spec};

const COMPLEXITY: &str = "O(log(N)) with the number N of members in the sorted set.";
const ARGS: &[Arg] = &[
    Arg::key("key", 0),
    Arg::string("member"),
    Arg::word("withscore", "WITHSCORE").optional().since("7.2.0"),
];
const HISTORY: &[(&str, &str)] = &[("7.2.0", "Takes the option `WITHSCORE`.")];

/// `ZRANK key member [WITHSCORE]`.
pub static ZRANK: DataCommand = DataCommand::new(
    spec("zrank", "2.0.0", -3, COMPLEXITY, "Returns the rank of a member, the lowest being 0.")
        .flags(READ_FAST)
        .keys(ONE_READ)
        .element(2)
        .args(ARGS)
        .history(HISTORY),
    |cx| run(cx, false),
);

/// `ZREVRANK key member [WITHSCORE]`.
pub static ZREVRANK: DataCommand = DataCommand::new(
    spec("zrevrank", "2.0.0", -3, COMPLEXITY, "Returns the rank of a member, the highest being 0.")
        .flags(READ_FAST)
        .keys(ONE_READ)
        .element(2)
        .args(ARGS)
        .history(HISTORY),
    |cx| run(cx, true),
);

fn run(cx: &mut Cx<'_>, from_above: bool) -> Result<(), CommandError> {
    if cx.args.len() > 4 {
        return Err(CommandError::arity(cx.name));
    }
    let mut reader = cx.reader();
    let (key, member) = (reader.bytes(), reader.bytes());
    let with_score = reader.token("WITHSCORE");
    reader.finish()?;
    let set = cx.db.get::<SortedSet>(key)?;
    let found = set.and_then(|set| {
        let (rank, score) = set.rank(member)?;
        Some((if from_above { set.len() - 1 - rank } else { rank }, score))
    });
    match found {
        Some((rank, score)) if with_score => {
            cx.reply.array(2);
            cx.reply.integer(rank as i64);
            cx.reply.double(score);
        }
        Some((rank, _)) => cx.reply.integer(rank as i64),
        None if with_score => cx.reply.null_array(),
        None => cx.reply.null(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn ranks_from_both_ends() {
        for entries in ["128", "0"] {
            let mut bench = Bench::new();
            bench.config("zset-max-listpack-entries", entries);
            bench.run("ZADD z 1 a 2 c 2 b");
            assert_eq!(bench.run("ZRANK z c"), ":2\r\n");
            assert_eq!(bench.run("ZREVRANK z a"), ":2\r\n");
            assert_eq!(bench.run("ZRANK z b WITHSCORE"), "*2\r\n:1\r\n$1\r\n2\r\n");
            assert_eq!(bench.run("ZRANK z x WITHSCORE"), "*-1\r\n");
            assert_eq!(bench.run("ZREVRANK none x"), "$-1\r\n");
            assert_eq!(bench.run("ZRANK z a WITH"), "-ERR syntax error\r\n");
            let arity = "-ERR wrong number of arguments for 'zrank' command\r\n";
            assert_eq!(bench.run("ZRANK z a WITHSCORE x"), arity);
        }
    }
}
