//! What holds for deadlines of fields across commands: answers, events, log forms, forms of the
//! hash, and that no command sees a field whose time has come.

use crate::testing::{Bench, NOW};

/// A hash with field `a` due, `b` with a deadline and `c` without, after which nothing was told.
fn one_due() -> Bench {
    let mut bench = Bench::new();
    bench.run("HSET h a 1 b 2 c 3");
    bench.run("HPEXPIRE h 10 FIELDS 1 a");
    bench.run("HPEXPIRE h 10000 FIELDS 1 b");
    bench.at(NOW + 10);
    bench.clear();
    bench
}

#[test]
fn conditions_are_asked_field_by_field() {
    let mut bench = Bench::new();
    bench.run("HSET h a 1 b 2");
    assert_eq!(bench.run("HEXPIRE h 10 NX FIELDS 1 a"), "*1\r\n:1\r\n");
    assert_eq!(bench.run("HPEXPIRE h 20000 NX FIELDS 3 a b x"), "*3\r\n:0\r\n:1\r\n:-2\r\n");
    assert_eq!(bench.run("HPEXPIRE h 15000 GT FIELDS 2 a b"), "*2\r\n:1\r\n:0\r\n");
    assert_eq!(bench.run("HEXPIREAT h 1 XX FIELDS 1 none"), "*1\r\n:-2\r\n");
    let far = (NOW / 1000 + 50) as i64;
    assert_eq!(bench.run(&format!("HEXPIREAT h {far} LT FIELDS 1 a")), "*1\r\n:0\r\n");
    assert_eq!(bench.run("HTTL h FIELDS 3 a b x"), "*3\r\n:15\r\n:20\r\n:-2\r\n");
    assert_eq!(bench.run("HPTTL h FIELDS 1 a"), "*1\r\n:15000\r\n");
    let at = format!("*1\r\n:{}\r\n", NOW + 20_000);
    assert_eq!(bench.run("HPEXPIRETIME h FIELDS 1 b"), at);
    assert_eq!(bench.run("HEXPIRE none 10 FIELDS 1 a"), "*1\r\n:-2\r\n");
    assert_eq!(bench.events(), ["new h", "hset h", "hexpire h", "hexpire h", "hexpire h"]);
    let lines = [
        "HSET h a 1 b 2".to_owned(),
        format!("HPEXPIREAT h {} NX FIELDS 1 a", NOW + 10_000),
        format!("HPEXPIREAT h {} NX FIELDS 1 b", NOW + 20_000),
        format!("HPEXPIREAT h {} GT FIELDS 1 a", NOW + 15_000),
    ];
    assert_eq!(bench.log(), lines);
}

#[test]
fn a_deadline_that_has_passed_removes_the_field() {
    let mut bench = Bench::new();
    bench.run("HSET h a 1 b 2 c 3");
    bench.clear();
    assert_eq!(bench.run("HEXPIRE h 0 FIELDS 3 a x b"), "*3\r\n:2\r\n:-2\r\n:2\r\n");
    assert_eq!(bench.run("HGETEX h PXAT 1 FIELDS 2 c x"), "*2\r\n$1\r\n3\r\n$-1\r\n");
    assert_eq!(bench.run("EXISTS h"), ":0\r\n");
    assert_eq!(bench.log(), ["HDEL h a", "HDEL h b", "HDEL h c"]);
    assert_eq!(bench.events(), ["hdel h", "hdel h", "del h"]);
    bench.clear();
    assert_eq!(bench.run("HSETEX h PX 0 FIELDS 2 a 1 b 2"), ":1\r\n");
    assert_eq!(bench.log(), ["HDEL h a", "HDEL h b"]);
    assert_eq!(bench.run("EXISTS h"), ":0\r\n");
}

#[test]
fn no_reader_sees_a_field_that_is_due() {
    for (line, reply) in [
        ("HGET h a", "$-1\r\n"),
        ("HMGET h a c", "*2\r\n$-1\r\n$1\r\n3\r\n"),
        ("HEXISTS h a", ":0\r\n"),
        ("HSTRLEN h a", ":0\r\n"),
        ("HGETEX h FIELDS 2 a c", "*2\r\n$-1\r\n$1\r\n3\r\n"),
        ("HGETDEL h FIELDS 1 a", "*1\r\n$-1\r\n"),
        ("HRANDFIELD h 9", "*2\r\n$1\r\nb\r\n$1\r\nc\r\n"),
        ("HEXPIRE h 10 FIELDS 1 a", "*1\r\n:-2\r\n"),
        ("HPERSIST h FIELDS 1 a", "*1\r\n:-2\r\n"),
        ("HSETEX h FXX FIELDS 1 a 7", ":0\r\n"),
    ] {
        let mut bench = one_due();
        assert_eq!(bench.run(line), reply, "{line}");
        assert_eq!(bench.log(), ["HDEL h a"], "{line}");
        assert_eq!(bench.events(), ["hexpired h"], "{line}");
        assert_eq!(bench.run("HLEN h"), ":2\r\n", "{line}");
    }
    for (line, reply) in [
        ("HGETALL h", "*4\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\nc\r\n$1\r\n3\r\n"),
        ("HKEYS h", "*2\r\n$1\r\nb\r\n$1\r\nc\r\n"),
        ("HVALS h", "*2\r\n$1\r\n2\r\n$1\r\n3\r\n"),
        ("HSCAN h 0 NOVALUES", "*2\r\n$1\r\n0\r\n*2\r\n$1\r\nb\r\n$1\r\nc\r\n"),
        ("HTTL h FIELDS 2 a c", "*2\r\n:-2\r\n:-1\r\n"),
        ("HLEN h", ":3\r\n"),
        ("HDEL h a", ":1\r\n"),
        ("HSET h a 9", ":0\r\n"),
    ] {
        let mut bench = one_due();
        assert_eq!(bench.run(line), reply, "{line}");
        assert!(!bench.events().contains(&"hexpired h".to_owned()), "{line}");
    }
}

#[test]
fn a_walk_counts_what_it_does_not_show() {
    let mut bench = Bench::new();
    bench.config("hash-max-listpack-entries", "1");
    for number in 0..500 {
        bench.run(&format!("HSETEX h PX 5 FIELDS 1 {number} x"));
    }
    bench.at(NOW + 5);
    let first = bench.run("HSCAN h 0 COUNT 10");
    assert!(first.ends_with("*0\r\n") && !first.contains("\r\n0\r\n"), "{first}");
}

#[test]
fn paused_writes_leave_what_is_due_unseen() {
    let mut bench = one_due();
    bench.keep_expired(true);
    assert_eq!(bench.run("HGET h a"), "$-1\r\n");
    assert_eq!(bench.run("HRANDFIELD h 9"), "*2\r\n$1\r\nb\r\n$1\r\nc\r\n");
    assert_eq!(bench.run("HLEN h"), ":3\r\n");
    assert!(bench.log().is_empty());
}

#[test]
fn the_key_goes_with_the_last_field_that_expires() {
    let mut bench = Bench::new();
    bench.run("HSETEX h PX 5 FIELDS 2 a 1 b 2");
    bench.at(NOW + 5);
    bench.clear();
    assert_eq!(bench.run("HMGET h a b"), "*2\r\n$-1\r\n$-1\r\n");
    assert_eq!(bench.events(), ["hexpired h", "del h"]);
    assert_eq!(bench.log(), ["HDEL h a", "HDEL h b"]);
    assert_eq!(bench.run("EXISTS h"), ":0\r\n");
}

#[test]
fn values_that_come_unconditionally_cover_what_is_due() {
    let mut bench = Bench::new();
    for (line, log) in [
        ("HSETEX h FIELDS 1 a 2", vec!["HSETEX h FIELDS 1 a 2"]),
        ("HSETEX h PXAT 1 FIELDS 1 a 2", vec!["HDEL h a"]),
        ("HSETEX h FNX FIELDS 1 a 2", vec!["HDEL h a", "HSETEX h FNX FIELDS 1 a 2"]),
    ] {
        bench.at(NOW);
        bench.run("DEL h");
        bench.run("HSETEX h PX 5 FIELDS 1 a 1");
        bench.at(NOW + 5);
        bench.clear();
        assert_eq!(bench.run(line), ":1\r\n", "{line}");
        assert_eq!(bench.log(), log, "{line}");
        let events = bench.events();
        assert_eq!(events.contains(&"hexpired h".to_owned()), line.contains("FNX"), "{line}");
    }
}

#[test]
fn values_set_anew_lose_their_deadline_and_counters_keep_it() {
    let mut bench = Bench::new();
    bench.run("HSETEX h EX 10 FIELDS 4 a 1 b 1 c 1 d 1");
    assert_eq!(bench.encoding("h"), "listpackex");
    bench.run("HSET h a 2");
    bench.run("HINCRBY h b 1");
    bench.run("HINCRBYFLOAT h c 0.5");
    bench.run("HSETEX h KEEPTTL FIELDS 1 d 5");
    assert_eq!(bench.run("HTTL h FIELDS 4 a b c d"), "*4\r\n:-1\r\n:10\r\n:10\r\n:10\r\n");
    let log = bench.log();
    assert_eq!(log[0], format!("HSETEX h PXAT {} FIELDS 4 a 1 b 1 c 1 d 1", NOW + 10_000));
    assert_eq!(log[3], "HSETEX h KEEPTTL FIELDS 1 c 1.5");
    bench.at(NOW + 10_000);
    assert_eq!(bench.run("HINCRBY h b 1"), ":1\r\n");
    assert_eq!(bench.run("HPTTL h FIELDS 1 b"), "*1\r\n:-1\r\n");
    assert_eq!(bench.run("HSETNX h c new"), ":1\r\n");
}

#[test]
fn copies_and_new_names_keep_the_deadlines() {
    let mut bench = Bench::new();
    bench.run("HSETEX h PX 50 FIELDS 1 a 1");
    bench.run("HSET h b 2");
    bench.run("COPY h copy");
    bench.run("RENAME h name");
    bench.at(NOW + 49);
    assert_eq!(bench.run("HPTTL copy FIELDS 1 a"), "*1\r\n:1\r\n");
    assert_eq!(bench.run("HPTTL name FIELDS 1 a"), "*1\r\n:1\r\n");
    bench.at(NOW + 50);
    assert_eq!(bench.run("HKEYS copy"), "*1\r\n$1\r\nb\r\n");
    bench.run("HGET name a");
    assert_eq!(bench.run("HLEN copy"), ":2\r\n");
    assert_eq!(bench.run("HLEN name"), ":1\r\n");
}

#[test]
fn hsetex_sets_all_or_nothing() {
    let mut bench = Bench::new();
    assert_eq!(bench.run("HSETEX h FXX FIELDS 1 a 1"), ":0\r\n");
    assert_eq!(bench.run("HSETEX h FNX FIELDS 2 a 1 b 2"), ":1\r\n");
    assert_eq!(bench.run("HSETEX h FNX EX 5 FIELDS 2 c 3 b 9"), ":0\r\n");
    assert_eq!(bench.run("HSETEX h PX 700 FXX FIELDS 2 a 5 b 6"), ":1\r\n");
    assert_eq!(bench.run("HPTTL h FIELDS 2 a b"), "*2\r\n:700\r\n:700\r\n");
    assert_eq!(bench.events(), ["new h", "hset h", "hset h", "hexpire h"]);
    assert_eq!(bench.run("HGETEX h PERSIST FIELDS 2 a x"), "*2\r\n$1\r\n5\r\n$-1\r\n");
    assert_eq!(bench.run("HGETEX h PERSIST FIELDS 1 a"), "*1\r\n$1\r\n5\r\n");
    assert_eq!(bench.run("HGETEX h EX 9 FIELDS 1 a"), "*1\r\n$1\r\n5\r\n");
    let last = [format!("HPEXPIREAT h {} FIELDS 1 a", NOW + 9000)];
    assert_eq!(
        bench.log()[2..],
        [vec!["HPERSIST h FIELDS 1 a".to_owned()], last.to_vec()].concat()
    );
    bench.run("SET text x");
    assert!(bench.run("HSETEX text FIELDS 1 a 1").starts_with("-WRONGTYPE"));
    assert!(bench.run("HSETEX text FXX FIELDS 1 a 1").starts_with("-WRONGTYPE"));
}

#[test]
fn nobody_hears_of_the_end_of_a_hash_that_is_filled_again() {
    for (line, events, log) in [
        ("HSETEX h FNX FIELDS 2 a 7 b 8", &["hexpired h", "hset h"][..], &["HDEL h a"][..]),
        ("HSETEX h KEEPTTL FIELDS 1 a 7", &["hexpired h", "hset h"], &["HDEL h a"]),
        ("HSETEX h FXX FIELDS 1 a 7", &["hexpired h", "del h"], &["HDEL h a"]),
        ("HSETEX h FXX FIELDS 2 b 7 a 8", &[], &[]),
    ] {
        let mut bench = Bench::new();
        bench.run("HSETEX h PX 5 FIELDS 1 a 1");
        bench.at(NOW + 5);
        bench.clear();
        bench.run(line);
        assert_eq!(bench.events(), events, "{line}");
        assert_eq!(bench.log()[..log.len()], *log, "{line}");
    }
}
