//! Removing members: by name, by rank, by score, by range of members.

use collections::sorted_set::{Removed, SortedSet};
use command::{Arg, CommandError, Cx, DataCommand, Flags};
use store::{Absent, Change};

use super::bounds::{Bounds, By};
use super::{ONE_TRIMMED, WRITE_FAST, event, spec};
use crate::look_ahead::LookAhead;

const COMPLEXITY: &str = "O(log(N)*M) with the number N of members in the sorted set and the \
                          number M of members that go.";

/// `ZREM key member [member ...]`.
pub static ZREM: DataCommand = DataCommand::new(
    spec(
        "zrem",
        "1.2.0",
        -3,
        COMPLEXITY,
        "Removes members from a sorted set. Deletes the key with the last one.",
    )
    .flags(WRITE_FAST)
    .keys(ONE_TRIMMED)
    .element(2)
    .args(&[Arg::key("key", 0), Arg::string("member").multiple()])
    .history(&[("2.4.0", "Takes several members.")]),
    run_members,
);

/// `ZREMRANGEBYLEX key min max`.
pub static ZREMRANGEBYLEX: DataCommand = DataCommand::new(
    spec(
        "zremrangebylex",
        "2.8.9",
        4,
        COMPLEXITY,
        "Removes the members in a range of members, which all have the same score.",
    )
    .flags(Flags::WRITE)
    .keys(ONE_TRIMMED)
    .args(&[Arg::key("key", 0), Arg::string("min"), Arg::string("max")]),
    |cx| run_range(cx, By::Member, "zremrangebylex"),
);

/// `ZREMRANGEBYRANK key start stop`.
pub static ZREMRANGEBYRANK: DataCommand = DataCommand::new(
    spec("zremrangebyrank", "2.0.0", 4, COMPLEXITY, "Removes the members in a range of ranks.")
        .flags(Flags::WRITE)
        .keys(ONE_TRIMMED)
        .args(&[Arg::key("key", 0), Arg::integer("start"), Arg::integer("stop")]),
    |cx| run_range(cx, By::Rank, "zremrangebyrank"),
);

/// `ZREMRANGEBYSCORE key min max`.
pub static ZREMRANGEBYSCORE: DataCommand = DataCommand::new(
    spec(
        "zremrangebyscore",
        "1.2.0",
        4,
        COMPLEXITY,
        "Removes the members whose scores are in a range.",
    )
    .flags(Flags::WRITE)
    .keys(ONE_TRIMMED)
    .args(&[Arg::key("key", 0), Arg::double("min"), Arg::double("max")]),
    |cx| run_range(cx, By::Score, "zremrangebyscore"),
);

fn run_members(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, args) = (cx.arg(1)?, cx.args);
    let mut ahead = LookAhead::new(args.iter().skip(2), args.len() - 2);
    remove(cx, key, "zrem", |set| {
        let was_there = |member: &&[u8]| {
            ahead.step(set);
            set.remove(member).is_some()
        };
        (args.iter().skip(2).filter(was_there).count(), None)
    })
}

fn run_range(cx: &mut Cx<'_>, by: By, name: &'static str) -> Result<(), CommandError> {
    let bounds = Bounds::parse(by, cx.arg(2)?, cx.arg(3)?)?;
    remove(cx, cx.arg(1)?, name, |set| {
        let ranks = bounds.ranks(set);
        match ranks.len() {
            0 => (0, None),
            count => (count, set.remove_range(ranks)),
        }
    })
}

/// Lets `change` remove members and replies how many they were. What it hands over is freed after
/// the locks.
fn remove(
    cx: &mut Cx<'_>,
    key: &[u8],
    name: &'static str,
    change: impl FnOnce(&mut SortedSet) -> (usize, Option<Removed>),
) -> Result<(), CommandError> {
    let mut edit = cx.db.edit(key);
    let removed = edit.update::<SortedSet, _>(Absent::Ignore, |set| match change(set) {
        (0, _) => Change::none((0, None)),
        (count, removed) => Change::made(count as u64, event(name), (count, removed)),
    })?;
    let (count, removed) = removed.unwrap_or_default();
    edit.effects().discard_part(removed);
    cx.reply.integer(count as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn members_and_ranges_go_and_the_last_takes_the_key_along() {
        for entries in ["128", "0"] {
            let mut bench = Bench::new();
            bench.config("zset-max-listpack-entries", entries);
            bench.run("ZADD z 0 a 0 b 0 c 1 d 2 e 3 f 4 g");
            bench.clear();
            assert_eq!(bench.run("ZREM z x a a"), ":1\r\n");
            assert_eq!(bench.run("ZREM z x"), ":0\r\n");
            assert_eq!(bench.run("ZREMRANGEBYRANK z -1 -1"), ":1\r\n");
            assert_eq!(bench.run("ZREMRANGEBYSCORE z (1 2"), ":1\r\n");
            assert_eq!(bench.run("ZREMRANGEBYSCORE z 7 2"), ":0\r\n");
            assert_eq!(bench.run("ZREMRANGEBYLEX z - (c"), ":1\r\n");
            assert_eq!(bench.run("ZRANGE z 0 -1"), "*3\r\n$1\r\nc\r\n$1\r\nd\r\n$1\r\nf\r\n");
            assert_eq!(bench.dirty(), 4);
            assert_eq!(bench.run("ZREMRANGEBYRANK z 0 -1"), ":3\r\n");
            let last = ["zremrangebyrank z", "del z"];
            assert_eq!(bench.events()[4..], last);
            assert_eq!(bench.run("EXISTS z"), ":0\r\n");
            assert_eq!(bench.run("ZREM z a"), ":0\r\n");
        }
    }
}
