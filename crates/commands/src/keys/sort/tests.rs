//! `SORT` at work: orders, patterns, what is stored and what follows from that.

use crate::testing::Bench;

/// The reply with these bulk strings; `-` is a null.
fn bulks(items: &[&str]) -> String {
    let bulk = |item: &&str| match *item {
        "-" => "$-1\r\n".to_owned(),
        item => format!("${}\r\n{item}\r\n", item.len()),
    };
    format!("*{}\r\n{}", items.len(), items.iter().map(bulk).collect::<String>())
}

#[test]
fn numbers_texts_and_both_directions() {
    let mut bench = Bench::new();
    bench.run("RPUSH l 10 9 -inf 2.5 1e1");
    assert_eq!(bench.run("SORT l"), bulks(&["-inf", "2.5", "9", "10", "1e1"]));
    assert_eq!(bench.run("SORT_RO l DESC"), bulks(&["1e1", "10", "9", "2.5", "-inf"]));
    assert_eq!(bench.run("SORT l ALPHA"), bulks(&["-inf", "10", "1e1", "2.5", "9"]));
    assert_eq!(bench.run("SORT l LIMIT 1 2"), bulks(&["2.5", "9"]));
    assert_eq!(bench.run("SORT l LIMIT 3 9 DESC"), bulks(&["2.5", "-inf"]));
    bench.run("RPUSH l x");
    let refused = "-ERR One or more scores can't be converted into double\r\n";
    assert_eq!(bench.run("SORT l"), refused);
    assert_eq!(bench.run("SORT missing"), bulks(&[]));
    assert_eq!(bench.encoding("l"), "listpack", "a sort leaves the value as it is");
}

#[test]
fn weights_and_values_of_other_keys() {
    let mut bench = Bench::new();
    bench.run("SADD s a b c");
    bench.run("MSET w_a 3 w_b 1 v_a A v_c C");
    bench.run("HSET h_a f x");
    bench.run("HSET h_b f y");
    assert_eq!(bench.run("SORT s BY w_*"), bulks(&["c", "b", "a"]), "no weight is 0");
    assert_eq!(
        bench.run("SORT s BY w_* DESC GET # GET v_* GET h_*->f GET name"),
        bulks(&["a", "A", "x", "-", "b", "-", "y", "-", "c", "C", "-", "-"])
    );
    assert_eq!(bench.run("SORT s BY h_*->f ALPHA"), bulks(&["c", "a", "b"]));
    assert_eq!(bench.run("SORT s ALPHA GET h_* LIMIT 0 1"), bulks(&["-"]), "of another type");
    assert!(bench.run("SORT s BY v_*").starts_with("-ERR One or more"));
}

#[test]
fn elements_as_they_are() {
    let mut bench = Bench::new();
    bench.run("RPUSH l 3 1 2");
    bench.run("ZADD z 1 c 2 b 3 a");
    for (line, expected) in [
        ("SORT l BY nosort", &["3", "1", "2"][..]),
        ("SORT l BY nosort DESC LIMIT 0 2", &["2", "1"]),
        ("SORT l BY nosort BY w_* LIMIT 1 1", &["1"]),
        ("SORT z BY nosort", &["c", "b", "a"]),
        ("SORT z BY nosort DESC", &["a", "b", "c"]),
        ("SORT z BY nosort LIMIT 1 5", &["b", "a"]),
        ("SORT z BY nosort DESC LIMIT 1 1", &["b"]),
        ("SORT z BY nosort LIMIT 3 1", &[]),
        ("SORT z ALPHA", &["a", "b", "c"]),
    ] {
        assert_eq!(bench.run(line), bulks(expected), "{line}");
    }
    bench.run("SADD s b 10 9 a");
    bench.run("SORT s BY nosort STORE d DESC");
    assert_eq!(bench.run("LRANGE d 0 -1"), bulks(&["b", "a", "9", "10"]));
}

#[test]
fn storing() {
    let mut bench = Bench::new();
    bench.run("RPUSH l 3 1 2");
    bench.run("SET v_1 one");
    bench.clear();
    assert_eq!(bench.run("SORT l STORE d"), ":3\r\n");
    assert_eq!(bench.events(), ["new d", "sortstore d"]);
    assert_eq!((bench.dirty(), bench.log()), (3, vec!["SORT l STORE d".to_owned()]));
    assert_eq!(bench.run("SORT l GET v_* GET # STORE d"), ":6\r\n");
    assert_eq!(bench.run("LRANGE d 0 -1"), bulks(&["one", "1", "", "2", "", "3"]));
    bench.clear();
    assert_eq!(bench.run("SORT missing STORE d"), ":0\r\n");
    assert_eq!((bench.events(), bench.dirty()), (vec!["del d".to_owned()], 1));
    assert_eq!(bench.run("SORT missing STORE d"), ":0\r\n");
    assert_eq!(bench.dirty(), 1);
    assert_eq!(bench.run("SORT l STORE l"), ":3\r\n");
    assert_eq!(bench.run("LRANGE l 0 -1"), bulks(&["1", "2", "3"]));
}

#[test]
fn refusals() {
    let mut bench = Bench::new();
    bench.run("RPUSH l 1");
    bench.run("SET s x");
    for line in ["SORT l LIMIT 1", "SORT l BY", "SORT l GET", "SORT l STORE", "SORT_RO l STORE d"] {
        assert_eq!(bench.run(line), "-ERR syntax error\r\n", "{line}");
    }
    for line in ["SORT l LIMIT a 1", "SORT s LIMIT 0 b", "SORT l LIMIT x y FOO"] {
        assert_eq!(bench.run(line), "-ERR value is not an integer or out of range\r\n", "{line}");
    }
    assert!(bench.run("SORT s").starts_with("-WRONGTYPE "));
}
