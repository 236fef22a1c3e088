//! Arrays at work: what follows from changes, and the edges that scripts do not reach.

use crate::testing::Bench;

#[test]
fn changes_are_counted_told_and_logged() {
    let mut bench = Bench::new();
    for (line, reply, events, dirty) in [
        ("ARSET k 3 a b", ":2\r\n", &["new k", "arset k"][..], 2),
        ("ARSET k 4 c", ":0\r\n", &["arset k"], 1),
        ("ARMSET k 0 x 4 y", ":1\r\n", &["armset k"], 2),
        ("ARINSERT k p q", ":1\r\n", &["arinsert k"], 2),
        ("ARSEEK k 9", ":1\r\n", &["arseek k"], 1),
        ("ARRING k 12 r", ":9\r\n", &["arring k"], 1),
        ("ARDEL k 9 8 0", ":2\r\n", &["ardel k"], 2),
        ("ARDELRANGE k 2 3 1 3", ":2\r\n", &["ardelrange k"], 2),
        ("ARDEL k 4", ":1\r\n", &["ardel k", "del k"], 1),
    ] {
        bench.clear();
        assert_eq!(bench.run(line), reply, "{line}");
        assert_eq!(
            (bench.events(), bench.dirty()),
            (events.iter().map(ToString::to_string).collect(), dirty),
            "{line}"
        );
        assert_eq!(bench.log(), [line]);
    }
    bench.clear();
    for line in ["ARDEL k 1", "ARDELRANGE k 0 9", "ARSEEK k 5"] {
        assert_eq!(bench.run(line), ":0\r\n", "{line}");
    }
    assert_eq!((bench.dirty(), bench.log().len()), (0, 0), "nothing changed");
}

#[test]
fn a_copy_keeps_its_elements() {
    let mut bench = Bench::new();
    bench.run("ARSET k 0 a 1.25 seven-up 17");
    assert_eq!(bench.run("COPY k l"), ":1\r\n");
    bench.run("ARDELRANGE k 0 2");
    bench.run("ARINSERT l z");
    assert_eq!(bench.run("ARGETRANGE k 0 3"), "*4\r\n$-1\r\n$-1\r\n$-1\r\n$2\r\n17\r\n");
    assert_eq!(
        bench.run("ARGETRANGE l 3 0"),
        "*4\r\n$2\r\n17\r\n$8\r\nseven-up\r\n$4\r\n1.25\r\n$1\r\nz\r\n"
    );
    assert_eq!(bench.run("TYPE l"), "+array\r\n");
    assert_eq!(bench.encoding("l"), "sliced-array");
}

#[test]
fn numbers_beyond_signed_ones_are_texts() {
    let mut bench = Bench::new();
    bench.run("ARSET k 18446744073709551614 z");
    let length = "$20\r\n18446744073709551615\r\n";
    assert_eq!(bench.run("ARLEN k"), length);
    assert_eq!(bench.run("ARSCAN k 0 18446744073709551614"), {
        "*1\r\n*2\r\n$20\r\n18446744073709551614\r\n$1\r\nz\r\n"
    });
    assert_eq!(bench.run("ARSET k 18446744073709551614 a b"), "-ERR array index overflow\r\n");
    assert_eq!(bench.run("ARSET k 18446744073709551615 a"), "-ERR invalid array index\r\n");
    assert_eq!(bench.run("ARCOUNT k"), ":1\r\n");
}

#[test]
fn an_insertion_that_does_not_fit_changes_nothing() {
    let mut bench = Bench::new();
    bench.run("ARINSERT k a");
    bench.run("ARSEEK k 18446744073709551614");
    bench.clear();
    assert_eq!(bench.run("ARINSERT k b c"), "-ERR insert index overflow\r\n");
    assert_eq!((bench.run("ARCOUNT k"), bench.dirty()), (":1\r\n".into(), 0));
    assert_eq!(bench.run("ARINSERT k b"), "$20\r\n18446744073709551614\r\n");
    assert_eq!(bench.run("ARNEXT k"), "$-1\r\n");
}

#[test]
fn expressions_are_bounded() {
    let mut bench = Bench::new();
    bench.run("ARSET k 0 aaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
    assert_eq!(bench.run("ARGREP k - + RE (a|a)*(a|aa)+c"), "*0\r\n");
    for pattern in ["(", "[a", "a{1000}{1000}", "\\\\x{1"] {
        let reply = bench.run(&format!("ARGREP k - + RE \"{pattern}\""));
        assert!(reply.starts_with("-ERR invalid regular expression"), "{pattern}: {reply}");
    }
    bench.run(r#"ARSET b 0 "\xff\xfe" "\xc3\xa9""#);
    assert_eq!(bench.run(r#"ARGREP b - + RE "^\xff." RE "\xc3\xa9$""#), "*2\r\n:0\r\n:1\r\n");
    let nested = format!("ARGREP k - + RE {}{}", "(".repeat(1000), ")".repeat(1000));
    assert!(bench.run(&nested).starts_with("-ERR invalid regular expression"));
    assert_eq!(bench.run("ARGREP k - + RE \"^a.*b$\" RE \"(?s)x\""), "*1\r\n:0\r\n");
}

#[test]
fn the_parameters_shape_slices() {
    let mut bench = Bench::new();
    bench.config("array-slice-size", "64");
    bench.config("array-sparse-kmin", "0");
    bench.config("array-sparse-kmax", "1");
    bench.run("ARSET k 62 a b c");
    assert_eq!(
        bench.run("ARINFO k FULL"),
        "*24\r\n$5\r\ncount\r\n:3\r\n$3\r\nlen\r\n:65\r\n$17\r\nnext-insert-index\r\n:0\r\n\
         $6\r\nslices\r\n:2\r\n$14\r\ndirectory-size\r\n:2\r\n$17\r\nsuper-dir-entries\r\n:0\r\n\
         $10\r\nslice-size\r\n:64\r\n$12\r\ndense-slices\r\n:1\r\n$13\r\nsparse-slices\r\n:1\r\n\
         $14\r\navg-dense-size\r\n$2\r\n64\r\n$14\r\navg-dense-fill\r\n$7\r\n0.03125\r\n\
         $15\r\navg-sparse-size\r\n$1\r\n1\r\n"
    );
}
