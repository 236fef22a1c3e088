//! Taking members from either end: `ZPOPMIN`, `ZPOPMAX`, `ZMPOP`.

use collections::sorted_set::SortedSet;
use command::{Arg, ArgReader, CommandError, Cx, DataCommand, Flags, KeySpec};
use resp::{Reply, Version};
use store::{Absent, Change, Edit, ValueType, WrongType};

use crate::first_key::{self, Family};

use super::range::Walk;
use super::{ONE_TAKEN, TAKE, WRITE_FAST, event, reply, spec};

const COMPLEXITY: &str = "O(log(N)*M) with the number N of members in the sorted set and the \
                          number M of members popped.";
const ARGS: &[Arg] = &[Arg::key("key", 0), Arg::integer("count").optional()];

pub(super) const MULTI_COMPLEXITY: &str = "O(K) + O(M*log(N)) with the number K of keys, the \
                                           number N of members in the sorted set and the number M \
                                           of members popped.";
/// With the timeout of `BZMPOP` in front.
pub(super) static MULTI_ARGS: [Arg; 5] =
    first_key::multi_args(&[Arg::word("min", "MIN"), Arg::word("max", "MAX")]);

/// `ZPOPMIN key [count]`.
pub static ZPOPMIN: DataCommand = DataCommand::new(
    spec("zpopmin", "5.0.0", -2, COMPLEXITY, "Removes and returns the members of lowest score.")
        .flags(WRITE_FAST)
        .keys(ONE_TAKEN)
        .args(ARGS),
    |cx| run_pop(cx, End::Min),
);

/// `ZPOPMAX key [count]`.
pub static ZPOPMAX: DataCommand = DataCommand::new(
    spec("zpopmax", "5.0.0", -2, COMPLEXITY, "Removes and returns the members of highest score.")
        .flags(WRITE_FAST)
        .keys(ONE_TAKEN)
        .args(ARGS),
    |cx| run_pop(cx, End::Max),
);

/// `ZMPOP numkeys key [key ...] <MIN | MAX> [COUNT count]`.
pub static ZMPOP: DataCommand = DataCommand::new(
    spec(
        "zmpop",
        "7.0.0",
        -4,
        MULTI_COMPLEXITY,
        "Removes and returns the lowest or highest members of the first key that has any.",
    )
    .flags(Flags::WRITE.union(Flags::MOVABLE_KEYS))
    .keys(&[KeySpec::counted(TAKE, 1)])
    .args(first_key::without_timeout(&MULTI_ARGS)),
    |cx| SORTED_SETS.run(cx),
);

/// Several members of the first sorted set that exists.
pub(super) static SORTED_SETS: Family<End> =
    Family { wanted: ValueType::SortedSet, end: End::parse, take };

/// An end of a sorted set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Min,
    Max,
}

impl End {
    /// The command that pops from this end, which is also the name of the event.
    pub(super) const fn command(self) -> &'static str {
        match self {
            Self::Min => "zpopmin",
            Self::Max => "zpopmax",
        }
    }

    /// Takes the word `MIN` or `MAX`; a syntax error if it is neither.
    fn parse(reader: &mut ArgReader<'_>) -> Self {
        if reader.token("MIN") {
            return Self::Min;
        }
        if !reader.token("MAX") {
            reader.fail(CommandError::SYNTAX);
        }
        Self::Max
    }
}

/// Removes up to `count` members and lets `write` show them; returns how many they were.
pub(super) fn pop(
    edit: &mut Edit<'_>,
    end: End,
    count: usize,
    write: impl FnOnce(Walk<'_>),
) -> Result<usize, WrongType> {
    let popped = edit.update::<SortedSet, _>(Absent::Ignore, |set| {
        let len = set.len();
        let count = count.min(len);
        if count == 0 {
            return Change::none((0, None));
        }
        let ranks = match end {
            End::Min => 0..count,
            End::Max => len - count..len,
        };
        write(Walk::new(set, ranks.clone(), end == End::Max));
        let removed = set.remove_range(ranks);
        Change::made(count as u64, event(end.command()), (count, removed))
    })?;
    let (count, removed) = popped.unwrap_or_default();
    edit.effects().discard_part(removed);
    Ok(count)
}

fn run_pop(cx: &mut Cx<'_>, end: End) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    if reader.remaining() > 1 {
        return Err(CommandError::SYNTAX);
    }
    let count = match reader.remaining() {
        0 => None,
        _ => Some(reader.integer_in(0..=i64::MAX, CommandError::NOT_POSITIVE)),
    };
    reader.finish()?;
    let at_most = usize::try_from(count.unwrap_or(1)).unwrap_or(usize::MAX);
    let reply = &mut *cx.reply;
    // Without a count the only member is no array of one pair, in RESP3 neither.
    let in_pairs = count.is_some() && reply.version() == Version::Resp3;
    let popped = pop(&mut cx.db.edit(key), end, at_most, |elements| {
        if in_pairs { reply::pairs(reply, elements) } else { flat(reply, elements) }
    })?;
    if popped == 0 {
        cx.reply.array(0);
    }
    Ok(())
}

fn flat(reply: &mut Reply, elements: Walk<'_>) {
    reply.array(2 * elements.len());
    elements.for_each(|element| reply::both(reply, element));
}

fn take(cx: &mut Cx<'_>, key: &[u8], end: End, at_most: usize) -> Result<bool, CommandError> {
    let reply = &mut *cx.reply;
    let popped = pop(&mut cx.db.edit(key), end, at_most, |elements| {
        reply.array(2);
        reply.bulk(key);
        reply::pairs(reply, elements);
    })?;
    if popped > 0 {
        // Replicas need not look for the key that had members.
        let name = end.command().to_ascii_uppercase();
        cx.log(&[name.as_bytes(), key, popped.to_string().as_bytes()]);
    }
    Ok(popped > 0)
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn pops_from_either_end_until_the_key_is_gone() {
        for entries in ["128", "0"] {
            let mut bench = Bench::new();
            bench.config("zset-max-listpack-entries", entries);
            bench.run("ZADD z 1 a 2 b 3 c 4 d");
            bench.clear();
            assert_eq!(bench.run("ZPOPMIN z"), "*2\r\n$1\r\na\r\n$1\r\n1\r\n");
            let two = "*4\r\n$1\r\nd\r\n$1\r\n4\r\n$1\r\nc\r\n$1\r\n3\r\n";
            assert_eq!(bench.run("ZPOPMAX z 2"), two);
            assert_eq!(bench.run("ZPOPMAX z 0"), "*0\r\n");
            assert_eq!(bench.dirty(), 3);
            bench.resp3();
            assert_eq!(bench.run("ZPOPMIN z 5"), "*1\r\n*2\r\n$1\r\nb\r\n,2\r\n");
            assert_eq!(bench.run("ZPOPMIN z 5"), "*0\r\n");
            assert_eq!(bench.events(), ["zpopmin z", "zpopmax z", "zpopmin z", "del z"]);
        }
    }

    #[test]
    fn the_first_key_with_members_is_popped_and_logged_alone() {
        let mut bench = Bench::new();
        bench.run("ZADD z 1 a 2 b");
        bench.clear();
        let reply = "*2\r\n$1\r\nz\r\n*1\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n";
        assert_eq!(bench.run("ZMPOP 2 none z MAX"), reply);
        bench.run("ZMPOP 2 none z MIN COUNT 10");
        assert_eq!(bench.log(), ["ZPOPMAX z 1", "ZPOPMIN z 1"]);
        assert_eq!(bench.run("ZMPOP 2 none z MIN COUNT 10"), "*-1\r\n");
        bench.run("SET s x");
        for (line, error) in [
            ("ZMPOP 0 k MIN", "ERR numkeys should be greater than 0"),
            ("ZMPOP 2 k MIN", "ERR syntax error"),
            ("ZMPOP 1 k MIN COUNT 0", "ERR count should be greater than 0"),
            ("ZMPOP 1 k MIN COUNT 1 COUNT 1", "ERR syntax error"),
            ("ZPOPMIN k -1", "ERR value is out of range, must be positive"),
            ("ZPOPMIN k 1 1", "ERR syntax error"),
            ("ZPOPMIN s 0", "WRONGTYPE Operation against a key holding the wrong kind of value"),
        ] {
            assert_eq!(bench.run(line), format!("-{error}\r\n"), "{line}");
        }
    }
}
