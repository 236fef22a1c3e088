//! `LPOS`.

use std::ops::ControlFlow;

use collections::list::{End, List};
use collections::listpack::Needle;
use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};

/// `LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]`.
pub static LPOS: DataCommand = DataCommand::new(
    Spec::new(
        "lpos",
        Group::List,
        "6.0.6",
        -3,
        "O(N) where N is the number of elements compared, at most MAXLEN.",
        "Returns the indexes of the elements of a list that have a given text.",
    )
    .flags(Flags::READONLY)
    .acl(Categories::LIST)
    .keys(&[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS))])
    .args(&[
        Arg::key("key", 0),
        Arg::string("element"),
        Arg::integer("rank").token("RANK").optional(),
        Arg::integer("num-matches").token("COUNT").optional(),
        Arg::integer("len").token("MAXLEN").optional(),
    ]),
    run,
);

const RANK_ZERO: &str = "ERR RANK can't be zero: use 1 to start from the first match, 2 from the \
     second ... or use negative to start from the end of the list";
const COUNT_NEGATIVE: &str = "ERR COUNT can't be negative";
const MAXLEN_NEGATIVE: &str = "ERR MAXLEN can't be negative";
const OUTSIDE: &str = "ERR value is out of range, value must between -9223372036854775807 and \
     9223372036854775807";

/// More elements than this are not compared under a lock.
const LONG_READ_MIN: usize = 4096;

/// An integer whose negative is one too.
pub(super) fn signed(reader: &mut ArgReader<'_>) -> i64 {
    let value = reader.integer();
    if value == i64::MIN {
        reader.fail(CommandError::request(OUTSIDE));
    }
    value
}

/// Which matches are wanted. Zero means all where a number is optional.
struct Search {
    start: End,
    /// How many matches are passed over.
    skip: u64,
    /// Given only if an array is asked for.
    count: Option<u64>,
    compared_max: u64,
}

impl Search {
    fn parse(mut reader: ArgReader<'_>) -> Result<Self, CommandError> {
        let (mut rank, mut count, mut compared_max) = (1, None, 0);
        while reader.more() {
            if reader.option("RANK") {
                rank = signed(&mut reader);
                if rank == 0 {
                    reader.fail(CommandError::request(RANK_ZERO));
                }
            } else if reader.option("COUNT") {
                let refusal = CommandError::request(COUNT_NEGATIVE);
                count = Some(reader.integer_in(0..=i64::MAX, refusal).unsigned_abs());
            } else if reader.option("MAXLEN") {
                let refusal = CommandError::request(MAXLEN_NEGATIVE);
                compared_max = reader.integer_in(0..=i64::MAX, refusal).unsigned_abs();
            } else {
                reader.unknown();
            }
        }
        reader.finish()?;
        let start = if rank < 0 { End::Back } else { End::Front };
        Ok(Self { start, skip: rank.unsigned_abs() - 1, count, compared_max })
    }

    /// Shows the indexes of the matches, in the order of the search.
    fn run(&self, list: &List, element: &[u8], mut found: impl FnMut(usize)) {
        let (needle, len) = (Needle::new(element), list.len());
        let wanted = match self.count {
            None => 1,
            Some(0) => u64::MAX,
            Some(count) => count,
        };
        let (mut compared, mut matches) = (0usize, 0u64);
        let from = if self.start == End::Front { 0 } else { len.saturating_sub(1) };
        let _ = list.visit::<()>(from, self.start, &mut |item| {
            if needle.is(item) {
                matches += 1;
                if matches > self.skip {
                    found(if self.start == End::Front { compared } else { len - 1 - compared });
                    if matches - self.skip == wanted {
                        return ControlFlow::Break(());
                    }
                }
            }
            compared += 1;
            if compared as u64 == self.compared_max {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
    }
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (key, element) = (reader.bytes(), reader.bytes());
    let search = Search::parse(reader)?;
    let mut indexes = Vec::new();
    if let Some(list) = cx.db.get::<List>(key)? {
        let found = |index| indexes.push(index);
        if list.len() < LONG_READ_MIN {
            search.run(list, element, found);
        } else {
            let list = list.clone();
            cx.db.release();
            search.run(&list, element, found);
        }
    }
    match (search.count, indexes.first()) {
        (Some(_), _) => {
            cx.reply.array(indexes.len());
            indexes.iter().for_each(|&index| cx.reply.integer(index as i64));
        }
        (None, Some(&index)) => cx.reply.integer(index as i64),
        (None, None) => cx.reply.null(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn ranks_counts_and_lengths() {
        let mut bench = Bench::new();
        bench.run("RPUSH k a b c 1 2 3 c c");
        for (args, expected) in [
            ("a", ":0\r\n"),
            ("c", ":2\r\n"),
            ("1", ":3\r\n"),
            ("x", "$-1\r\n"),
            ("c RANK 2", ":6\r\n"),
            ("c RANK -1", ":7\r\n"),
            ("c RANK -4", "$-1\r\n"),
            ("c COUNT 0", "*3\r\n:2\r\n:6\r\n:7\r\n"),
            ("c COUNT 2", "*2\r\n:2\r\n:6\r\n"),
            ("c RANK -1 COUNT 2", "*2\r\n:7\r\n:6\r\n"),
            ("c RANK 2 COUNT 0", "*2\r\n:6\r\n:7\r\n"),
            ("c COUNT 0 MAXLEN 7", "*2\r\n:2\r\n:6\r\n"),
            ("c MAXLEN 2", "$-1\r\n"),
            ("c MAXLEN 3", ":2\r\n"),
            ("c RANK -1 COUNT 0 MAXLEN 2", "*2\r\n:7\r\n:6\r\n"),
            ("x COUNT 1", "*0\r\n"),
        ] {
            assert_eq!(bench.run(&format!("LPOS k {args}")), expected, "{args}");
        }
        assert_eq!(bench.run("LPOS missing a"), "$-1\r\n");
        assert_eq!(bench.run("LPOS missing a COUNT 1"), "*0\r\n");
    }

    #[test]
    fn long_lists_are_searched_too() {
        let mut bench = Bench::new();
        for n in 0..50 {
            let elements: Vec<_> = (0..100).map(|m| format!("{}", n * 100 + m)).collect();
            bench.run(&format!("RPUSH k {}", elements.join(" ")));
        }
        assert_eq!(bench.run("LPOS k 4321"), ":4321\r\n");
        assert_eq!(bench.run("LPOS k 4321 RANK -1 COUNT 0"), "*1\r\n:4321\r\n");
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        bench.run("SET s x");
        assert!(bench.run("LPOS s x").starts_with("-WRONGTYPE "));
        for (args, error) in [
            ("RANK 0", super::RANK_ZERO),
            ("COUNT -1", super::COUNT_NEGATIVE),
            ("COUNT x", super::COUNT_NEGATIVE),
            ("MAXLEN -1", super::MAXLEN_NEGATIVE),
            ("RANK x", "ERR value is not an integer or out of range"),
            ("RANK -9223372036854775808", super::OUTSIDE),
            ("RANK", "ERR syntax error"),
            ("FIRST", "ERR syntax error"),
        ] {
            assert_eq!(bench.run(&format!("LPOS s x {args}")), format!("-{error}\r\n"), "{args}");
        }
    }
}
