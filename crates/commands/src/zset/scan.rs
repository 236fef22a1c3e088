//! `ZSCAN`: the members of a sorted set, some with every call.

use collections::entry::Collection;
use collections::listpack::Item;
use collections::sorted_set::SortedSet;
use command::{Arg, Categories, DataCommand, Group};
use stdx::num;
use store::UnixMs;

use crate::element_scan::{self, COUNT, CURSOR, MATCH, Scanned, Visit};

/// `ZSCAN key cursor [MATCH pattern] [COUNT count] [NOSCORES]`; the last option is Valkey's.
pub static ZSCAN: DataCommand = DataCommand::new(
    element_scan::spec(
        "zscan",
        Group::SortedSet,
        Categories::SORTEDSET,
        "O(1) for a call, O(N) for all calls until the cursor is 0 again, with the number N of \
         members.",
        "Walks over the members of a sorted set and their scores, some with every call.",
    )
    .args(&[
        Arg::key("key", 0),
        CURSOR,
        MATCH,
        COUNT,
        Arg::word("noscores", "NOSCORES").optional(),
    ]),
    |cx| element_scan::run::<SortedSet>(cx, Some("NOSCORES")),
);

impl Scanned for SortedSet {
    fn visit(&self, cursor: u64, _: UnixMs, each: &mut Visit<'_>) -> u64 {
        // Scores are strings in RESP3 too, and those of large sets are printed with 17 digits.
        let is_small = self.encoding() == "listpack";
        let mut text = Vec::new();
        self.scan(cursor, |element| {
            text.clear();
            match is_small {
                true => num::write_f64(&mut text, element.score),
                false => num::write_f64_17g(&mut text, element.score),
            }
            each(Some(element.member), Some(Item::Bytes(&text)));
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::testing::Bench;

    #[test]
    fn a_small_set_comes_at_once() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("ZSCAN none 5 COUNT 0"), "*2\r\n$1\r\n0\r\n*0\r\n");
        bench.run("ZADD z 0.1 a 2 7");
        let all = "*2\r\n$1\r\n0\r\n*4\r\n$1\r\na\r\n$3\r\n0.1\r\n$1\r\n7\r\n$1\r\n2\r\n";
        assert_eq!(bench.run("ZSCAN z 0"), all);
        bench.resp3();
        let some = "*2\r\n$1\r\n0\r\n*2\r\n$1\r\n7\r\n$1\r\n2\r\n";
        assert_eq!(bench.run("ZSCAN z 0 MATCH [0-9] COUNT 1"), some);
        let bare = "*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$1\r\n7\r\n";
        assert_eq!(bench.run("ZSCAN z 0 NOSCORES"), bare);
        assert_eq!(bench.run("ZSCAN z 0 COUNT 0"), "-ERR syntax error\r\n");
        assert_eq!(bench.run("ZSCAN z x"), "-ERR invalid cursor\r\n");
    }

    #[test]
    fn a_large_set_comes_in_pieces() {
        let mut bench = Bench::new();
        for number in 0..2000 {
            bench.run(&format!("ZADD z {number}.1 m{number}"));
        }
        let (mut cursor, mut seen, mut calls) = ("0".to_owned(), BTreeSet::new(), 0);
        loop {
            let reply = bench.run(&format!("ZSCAN z {cursor} COUNT 20"));
            let mut words = reply.split("\r\n").skip(2).step_by(2);
            cursor = words.next().unwrap().to_owned();
            let words: Vec<_> = reply.split("\r\n").skip(5).step_by(2).collect();
            seen.extend(words.iter().filter(|word| word.starts_with('m')).map(|w| w.to_string()));
            calls += 1;
            if cursor == "0" {
                break;
            }
        }
        assert_eq!(seen.len(), 2000);
        assert!(calls > 20, "{calls} calls");
        let seven = bench.run("ZSCAN z 0 MATCH m7 COUNT 9999");
        assert!(seven.ends_with("$18\r\n7.0999999999999996\r\n"), "{seven}");
    }
}
