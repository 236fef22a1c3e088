//! What holds for sets across commands: events, log forms, encodings, choices of algorithm.

use crate::testing::Bench;

/// The members in a reply, sorted.
fn sorted(reply: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = reply.split("\r\n").skip(1).collect();
    lines.retain(|line| !line.starts_with('$') && !line.is_empty());
    lines.sort_unstable();
    lines
}

#[test]
fn members_come_and_go_and_the_key_with_them() {
    let mut bench = Bench::new();
    assert_eq!(bench.run("SADD s a b a"), ":2\r\n");
    assert_eq!(bench.run("SADD s b"), ":0\r\n");
    assert_eq!(bench.run("SREM s x"), ":0\r\n");
    assert_eq!(bench.run("SREM s a b c"), ":2\r\n");
    assert_eq!(bench.run("SREM s a"), ":0\r\n");
    assert_eq!(bench.events(), ["new s", "sadd s", "srem s", "del s"]);
    assert_eq!(bench.log(), ["SADD s a b a", "SREM s a b c"]);
    assert_eq!(bench.dirty(), 4);
}

#[test]
fn encodings_follow_the_parameters() {
    let mut bench = Bench::new();
    bench.config("set-max-intset-entries", "3");
    bench.config("set-max-listpack-entries", "2");
    bench.run("SADD ints 1 2 3");
    bench.run("SADD many 1 2 3 3");
    bench.run("SADD texts a 2");
    bench.run("SADD more a b c");
    assert_eq!(bench.encoding("ints"), "intset");
    assert_eq!(bench.encoding("many"), "hashtable");
    assert_eq!(bench.encoding("texts"), "listpack");
    assert_eq!(bench.encoding("more"), "hashtable");
    bench.run("SADD ints 4");
    bench.run("SADD texts b");
    assert_eq!(bench.encoding("ints"), "hashtable");
    assert_eq!(bench.encoding("texts"), "hashtable");
}

#[test]
fn a_moved_member_is_two_changes() {
    let mut bench = Bench::new();
    bench.run("SADD a 1 2");
    bench.run("SADD b 2");
    bench.run("SET text x");
    bench.clear();
    assert_eq!(bench.run("SMOVE a b 1"), ":1\r\n");
    assert_eq!(bench.run("SMOVE a b 2"), ":1\r\n");
    assert_eq!(bench.run("SMOVE a b 2"), ":0\r\n");
    assert_eq!(bench.run("SMOVE b b 2"), ":1\r\n");
    assert_eq!(bench.run("SMOVE none text 2"), ":0\r\n");
    assert!(bench.run("SMOVE b text x").starts_with("-WRONGTYPE"));
    assert_eq!(bench.events(), ["srem a", "sadd b", "srem a", "del a"]);
    assert_eq!(bench.dirty(), 3);
}

#[test]
fn popping_is_logged_as_removal() {
    let mut bench = Bench::new();
    bench.run("SADD s a");
    assert_eq!(bench.run("SPOP s"), "$1\r\na\r\n");
    assert_eq!(bench.run("SPOP s"), "$-1\r\n");
    bench.run("SADD s a b c d");
    bench.clear();
    let reply = bench.run("SPOP s 3");
    let popped = sorted(&reply);
    assert_eq!(popped.len(), 3);
    let log = bench.log();
    let mut logged: Vec<&str> = log[0].strip_prefix("SREM s ").unwrap().split(' ').collect();
    logged.sort_unstable();
    assert_eq!(logged, popped);
    assert_eq!(bench.events(), ["spop s"]);
    bench.clear();
    assert_eq!(bench.run("SPOP s 0"), "*0\r\n");
    assert_eq!(bench.run("SPOP s 9").len(), "*1\r\n$1\r\na\r\n".len());
    assert_eq!((bench.log(), bench.dirty()), (vec!["DEL s".into()], 1));
    assert_eq!(bench.events(), ["spop s", "del s"]);
    assert_eq!(bench.run("SPOP s -1"), "-ERR value is out of range, must be positive\r\n");
}

#[test]
fn random_members_are_members() {
    let mut bench = Bench::new();
    assert_eq!(bench.run("SRANDMEMBER s"), "$-1\r\n");
    assert_eq!(bench.run("SRANDMEMBER s -5"), "*0\r\n");
    bench.run("SADD s 1 2 3 4 5");
    assert_eq!(sorted(&bench.run("SRANDMEMBER s 5")), ["1", "2", "3", "4", "5"]);
    let mut three = bench.run("SRANDMEMBER s 3");
    let mut members = sorted(&three);
    members.dedup();
    assert_eq!(members.len(), 3);
    three = bench.run("SRANDMEMBER s -40");
    assert_eq!(sorted(&three).len(), 40);
    assert!(bench.log().len() == 1, "reading leaves no trace");
}

/// Sets of several shapes under the keys `a`, `b` and `c`.
fn shapes() -> [[&'static str; 3]; 4] {
    [
        ["1 2 3 4", "2 3 4 5", "3 4 9"],
        ["1 2 x", "2 3 x y", "x 2 z"],
        ["1 2 3 4 5 6 7 8", "2", "7 q"],
        ["one two three four five", "five six seven eight nine", "one two six"],
    ]
}

#[test]
fn combining_agrees_with_ordered_sets() {
    use std::collections::BTreeSet;
    for limit in ["0", "512"] {
        for shape in shapes() {
            let mut bench = Bench::new();
            bench.config("set-max-intset-entries", limit);
            bench.config("set-max-listpack-entries", if limit == "0" { "4" } else { "128" });
            let sets: Vec<BTreeSet<&str>> =
                shape.iter().map(|members| members.split(' ').collect()).collect();
            for (key, members) in ["a", "b", "c"].into_iter().zip(shape) {
                bench.run(&format!("SADD {key} {members}"));
            }
            let [a, b, c] = [&sets[0], &sets[1], &sets[2]];
            let inter: BTreeSet<&str> = a.iter().copied().filter(|m| b.contains(m)).collect();
            let inter: Vec<&str> = inter.into_iter().filter(|m| c.contains(m)).collect();
            let union: BTreeSet<&str> = a.iter().chain(b).chain(c).copied().collect();
            let union: Vec<&str> = union.into_iter().collect();
            let diff = |m: &&&str| !b.contains(**m) && !c.contains(**m);
            let diff: Vec<&str> = a.iter().filter(diff).copied().collect();
            for (name, expected) in [("SINTER", inter), ("SUNION", union), ("SDIFF", diff)] {
                assert_eq!(sorted(&bench.run(&format!("{name} a b c"))), expected, "{name}");
                let stored = bench.run(&format!("{name}STORE b a b c"));
                assert_eq!(stored, format!(":{}\r\n", expected.len()), "{name}STORE");
                assert_eq!(sorted(&bench.run("SMEMBERS b")), expected);
                bench.run("DEL b");
                bench.run(&format!("SADD b {}", shape[1]));
                assert_eq!(bench.run(&format!("{name}CARD 3 a b c")), stored);
                let limited = bench.run(&format!("{name}CARD 3 a b c LIMIT 1"));
                assert_eq!(limited, format!(":{}\r\n", expected.len().min(1)));
            }
        }
    }
}

#[test]
fn a_large_difference_takes_out_of_a_copy() {
    let mut bench = Bench::new();
    let members: Vec<String> = (0..200).map(|number| format!("m{number}")).collect();
    bench.run(&format!("SADD a {}", members.join(" ")));
    for key in ["b", "c", "d", "e", "f"] {
        bench.run(&format!("SADD {key} {key} m1 m{}", key.len()));
    }
    assert_eq!(bench.run("SDIFFCARD 6 a b c d e f"), ":199\r\n");
    assert_eq!(bench.run("SDIFFCARD 2 none a"), ":0\r\n");
    assert_eq!(bench.run("SDIFFCARD 7 a b c d e f a"), ":0\r\n");
}

#[test]
fn storing_nothing_deletes_the_destination() {
    let mut bench = Bench::new();
    bench.run("SADD a 1");
    bench.run("SET d text");
    bench.clear();
    assert_eq!(bench.run("SINTERSTORE d a none"), ":0\r\n");
    assert_eq!(bench.run("SDIFFSTORE d none a"), ":0\r\n");
    assert_eq!((bench.events(), bench.dirty()), (vec!["del d".into()], 1));
    assert_eq!(bench.run("SUNIONSTORE d a a"), ":1\r\n");
    assert_eq!(bench.events(), ["del d", "new d", "sunionstore d"]);
}

#[test]
fn a_scan_shows_every_member() {
    let mut bench = Bench::new();
    let members: Vec<String> = (0..1000).map(|number| format!("m{number:04}")).collect();
    bench.run(&format!("SADD s {}", members.join(" ")));
    let (mut cursor, mut seen) = ("0".to_owned(), Vec::new());
    loop {
        let reply = bench.run(&format!("SSCAN s {cursor} COUNT 50 MATCH m*"));
        let lines: Vec<&str> = reply.split("\r\n").collect();
        lines[2].clone_into(&mut cursor);
        seen.extend(lines[4..].iter().filter(|l| l.starts_with('m')).map(|l| l.to_string()));
        if cursor == "0" {
            break;
        }
    }
    seen.sort();
    assert_eq!(seen, members);
    assert_eq!(bench.run("SSCAN none 0 BAD"), "*2\r\n$1\r\n0\r\n*0\r\n");
    assert_eq!(bench.run("SSCAN s x"), "-ERR invalid cursor\r\n");
    assert_eq!(bench.run("SSCAN s 0 COUNT 0"), "-ERR syntax error\r\n");
}

#[test]
fn large_sets_are_combined_as_small_ones() {
    let mut bench = Bench::new();
    // Tables beyond a batch of look-ups, an intset, a listpack, and integers in a table.
    let line = |name: &str, members: &mut dyn Iterator<Item = String>| {
        format!("SADD {name} {}", members.collect::<Vec<_>>().join(" "))
    };
    bench.run(&line("a", &mut (0..6000).map(|n| format!("m{n}"))));
    bench.run(&line("b", &mut (3000..9000).map(|n| format!("m{n}"))));
    bench.run(&line("c", &mut (0..40).map(|n| format!("{n}"))));
    bench.run(&line("d", &mut (20..60).map(|n| format!("{n}")).chain(["m1".to_owned()])));
    bench.run(&line("e", &mut (30..5000).map(|n| format!("{n}"))));
    let counts = |bench: &mut Bench, sets: &str| {
        ["SINTERCARD", "SUNIONCARD", "SDIFFCARD"].map(|command| {
            let number = sets.split(' ').count();
            bench.run(&format!("{command} {number} {sets}")).trim().to_owned()
        })
    };
    assert_eq!(counts(&mut bench, "a b"), [":3000", ":9000", ":3000"]);
    assert_eq!(counts(&mut bench, "c d"), [":20", ":61", ":20"]);
    assert_eq!(counts(&mut bench, "c e"), [":10", ":5000", ":30"]);
    assert_eq!(counts(&mut bench, "d a"), [":1", ":6040", ":40"]);
    assert_eq!(counts(&mut bench, "a b c d e"), [":0", ":14000", ":2999"]);
    // So many sets that the members of the union are gathered.
    assert_eq!(counts(&mut bench, "a b a b a b a b a"), [":3000", ":9000", ":0"]);
    assert_eq!(bench.run("SINTERCARD 2 a b LIMIT 17"), ":17\r\n");
    assert_eq!(sorted(&bench.run("SINTER a b")).len(), 3000);
    assert_eq!(sorted(&bench.run("SUNION a e d")).len(), 6000 + 4970 + 10);
}
