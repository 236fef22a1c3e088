//! `ZSCAN`: the members of a sorted set, some with every call.

use collections::entry::Collection;
use collections::sorted_set::{Element, SortedSet};
use command::{Arg, CommandError, Cx, DataCommand, Flags};
use stdx::{glob, num};

use super::{ONE_READ, reply, spec};

/// `ZSCAN key cursor [MATCH pattern] [COUNT count]`.
pub static ZSCAN: DataCommand = DataCommand::new(
    spec(
        "zscan",
        "2.8.0",
        -3,
        "O(1) for a call, O(N) for all calls until the cursor is 0 again, with the number N of \
         members.",
        "Walks over the members of a sorted set and their scores, some with every call.",
    )
    .flags(Flags::READONLY)
    .keys(ONE_READ)
    .args(&[
        Arg::key("key", 0),
        Arg::integer("cursor"),
        Arg::pattern("pattern").token("MATCH").optional(),
        Arg::integer("count").token("COUNT").optional(),
    ])
    .tips(&["nondeterministic_output"]),
    run,
);

/// How many members a call visits unless it says otherwise.
const DEFAULT_COUNT: i64 = 10;

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    let cursor = num::parse_u64_lenient(reader.bytes())
        .ok_or_else(|| CommandError::request("ERR invalid cursor"))?;
    // A missing key hides what is wrong with the options.
    let Some(set) = cx.db.get::<SortedSet>(key)?.cloned() else {
        cx.reply.array(2);
        cx.reply.bulk(b"0");
        cx.reply.array(0);
        return Ok(());
    };
    let (mut pattern, mut count) = (None, DEFAULT_COUNT);
    while reader.more() {
        if reader.option("COUNT") {
            count = reader.integer();
            if count < 1 {
                reader.fail(CommandError::SYNTAX);
            }
        } else if reader.option("MATCH") {
            pattern = Some(reader.bytes()).filter(|pattern| pattern != b"*");
        } else if reader.token("NOVALUES") {
            let text = "ERR NOVALUES option can only be used in HSCAN";
            reader.fail(CommandError::request(text));
        } else {
            reader.unknown();
        }
    }
    reader.finish()?;
    cx.db.release();
    let (next, found) = visit(&set, cursor, usize::try_from(count).unwrap_or(usize::MAX), pattern);
    cx.reply.array(2);
    let mut text = Vec::new();
    num::write_u64(&mut text, next);
    cx.reply.bulk(&text);
    cx.reply.array(2 * found.len());
    // Scores are strings in RESP3 too, and those of large sets are printed with 17 digits.
    let is_small = set.encoding() == "listpack";
    for element in found {
        reply::member(cx.reply, element.member);
        text.clear();
        match is_small {
            true => num::write_f64(&mut text, element.score),
            false => num::write_f64_17g(&mut text, element.score),
        }
        cx.reply.bulk(&text);
    }
    Ok(())
}

/// Visits `count` members or a few more from the cursor on; returns the next cursor and those that
/// match.
fn visit<'a>(
    set: &'a SortedSet,
    cursor: u64,
    count: usize,
    pattern: Option<&[u8]>,
) -> (u64, Vec<Element<'a>>) {
    let (mut cursor, mut visited, mut found) = (cursor, 0, Vec::new());
    let mut digits = itoa::Buffer::new();
    loop {
        cursor = set.scan(cursor, |element| {
            visited += 1;
            let text = element.member.text(&mut digits);
            if pattern.is_none_or(|pattern| glob::matches(pattern, text, false)) {
                found.push(element);
            }
        });
        if cursor == 0 || visited >= count {
            return (cursor, found);
        }
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
