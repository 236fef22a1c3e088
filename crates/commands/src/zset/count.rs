//! How many members there are: `ZCARD`, `ZCOUNT`, `ZLEXCOUNT`.

use collections::sorted_set::SortedSet;
use command::{Arg, CommandError, Cx, DataCommand, KeyFlags, KeySpec};

use super::bounds::{Bounds, By};
use super::{ONE_READ, READ_FAST, spec};

/// `ZCARD key`.
pub static ZCARD: DataCommand = DataCommand::new(
    spec("zcard", "1.2.0", 2, "O(1)", "Returns the number of members of a sorted set.")
        .flags(READ_FAST)
        .keys(&[KeySpec::first(KeyFlags::RO)])
        .args(&[Arg::key("key", 0)]),
    run_card,
);

/// `ZCOUNT key min max`.
pub static ZCOUNT: DataCommand = DataCommand::new(
    spec(
        "zcount",
        "2.0.0",
        4,
        "O(log(N)) with the number N of members in the sorted set.",
        "Returns the number of members whose scores are in a range.",
    )
    .flags(READ_FAST)
    .keys(ONE_READ)
    .args(&[Arg::key("key", 0), Arg::double("min"), Arg::double("max")]),
    |cx| run_count(cx, By::Score),
);

/// `ZLEXCOUNT key min max`.
pub static ZLEXCOUNT: DataCommand = DataCommand::new(
    spec(
        "zlexcount",
        "2.8.9",
        4,
        "O(log(N)) with the number N of members in the sorted set.",
        "Returns the number of members in a range of members, which all have the same score.",
    )
    .flags(READ_FAST)
    .keys(ONE_READ)
    .args(&[Arg::key("key", 0), Arg::string("min"), Arg::string("max")]),
    |cx| run_count(cx, By::Member),
);

fn run_card(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let set = cx.db.get::<SortedSet>(cx.arg(1)?)?;
    cx.reply.integer(set.map_or(0, SortedSet::len) as i64);
    Ok(())
}

fn run_count(cx: &mut Cx<'_>, by: By) -> Result<(), CommandError> {
    let bounds = Bounds::parse(by, cx.arg(2)?, cx.arg(3)?)?;
    let set = cx.db.get::<SortedSet>(cx.arg(1)?)?;
    cx.reply.integer(set.map_or(0, |set| bounds.ranks(set).len()) as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn counts_in_both_encodings() {
        for entries in ["128", "0"] {
            let mut bench = Bench::new();
            bench.config("zset-max-listpack-entries", entries);
            bench.run("ZADD z 1 a 2 b 2 c 3 d");
            for (line, count) in [
                ("ZCARD z", 4),
                ("ZCARD none", 0),
                ("ZCOUNT z -inf +inf", 4),
                ("ZCOUNT z 2 2", 2),
                ("ZCOUNT z (2 3", 1),
                ("ZCOUNT z (2 (3", 0),
                ("ZCOUNT z 3 1", 0),
                ("ZCOUNT none 0 1", 0),
            ] {
                assert_eq!(bench.run(line), format!(":{count}\r\n"), "{line}");
            }
            bench.run("ZADD l 0 a 0 b 0 c 0 7");
            for (line, count) in [
                ("ZLEXCOUNT l - +", 4),
                ("ZLEXCOUNT l + -", 0),
                ("ZLEXCOUNT l [a (c", 2),
                ("ZLEXCOUNT l (7 +", 3),
                ("ZLEXCOUNT l [c [a", 0),
            ] {
                assert_eq!(bench.run(line), format!(":{count}\r\n"), "{line}");
            }
        }
    }
}
