//! What holds for hashes across commands: events, log forms, encodings, random fields.

use crate::testing::Bench;

#[test]
fn fields_come_and_go_and_the_key_with_them() {
    let mut bench = Bench::new();
    assert_eq!(bench.run("HSET h a 1 b 2 a 3"), ":2\r\n");
    assert_eq!(bench.run("HSET h a 1"), ":0\r\n");
    assert_eq!(bench.run("HMSET h c 4"), "+OK\r\n");
    assert_eq!(bench.run("HSETNX h c 5"), ":0\r\n");
    assert_eq!(bench.run("HSETNX h d 5"), ":1\r\n");
    assert_eq!(bench.dirty(), 6);
    assert_eq!(bench.run("HDEL h x"), ":0\r\n");
    assert_eq!(bench.run("HDEL h a b c d e"), ":4\r\n");
    assert_eq!(bench.dirty(), 10);
    let events = ["new h", "hset h", "hset h", "hset h", "hset h", "hdel h", "del h"];
    assert_eq!(bench.events(), events);
    let arity = "-ERR wrong number of arguments for 'hmset' command\r\n";
    assert_eq!(bench.run("HMSET h a 1 b"), arity);
}

#[test]
fn encodings_follow_the_parameters() {
    let mut bench = Bench::new();
    bench.config("hash-max-listpack-entries", "2");
    bench.config("hash-max-listpack-value", "4");
    bench.run("HSET h a 1 b 2");
    assert_eq!(bench.encoding("h"), "listpack");
    bench.run("HSET same a 1 a 2 a 3");
    assert_eq!(bench.encoding("same"), "hashtable");
    bench.run("HSET long abcde 1");
    assert_eq!(bench.encoding("long"), "hashtable");
    bench.run("HINCRBYFLOAT h a 1000.5");
    assert_eq!(bench.encoding("h"), "hashtable");
    assert_eq!(bench.run("HGET h a"), "$6\r\n1001.5\r\n");
}

#[test]
fn counters_refuse_what_is_no_number() {
    let mut bench = Bench::new();
    bench.run("HSET h text abc max 9223372036854775807 inf inf");
    bench.clear();
    assert_eq!(bench.run("HINCRBY h text 1"), "-ERR hash value is not an integer\r\n");
    let overflow = "-ERR increment or decrement would overflow\r\n";
    assert_eq!(bench.run("HINCRBY h max 1"), overflow);
    assert_eq!(bench.run("HINCRBYFLOAT h text 1"), "-ERR hash value is not a float\r\n");
    assert_eq!(bench.run("HINCRBYFLOAT h n nan"), "-ERR value is not a valid float\r\n");
    assert_eq!(bench.run("HINCRBYFLOAT h n inf"), "-ERR value is NaN or Infinity\r\n");
    let sum = "-ERR increment would produce NaN or Infinity\r\n";
    assert_eq!(bench.run("HINCRBYFLOAT h inf 1"), sum);
    assert!(bench.events().is_empty() && bench.dirty() == 0);
    assert_eq!(bench.run("HINCRBY h n -5"), ":-5\r\n");
    assert_eq!(bench.run("HINCRBYFLOAT h n 0.5"), "$4\r\n-4.5\r\n");
    assert_eq!(bench.events(), ["hincrby h", "hincrbyfloat h"]);
    assert_eq!(bench.log(), ["HINCRBY h n -5", "HSET h n -4.5"]);
}

#[test]
fn long_values_come_back_whole() {
    let mut bench = Bench::new();
    let long = "x".repeat(20_000);
    bench.run(&format!("HSET h long {long} short y"));
    assert_eq!(bench.run("HGET h long"), format!("$20000\r\n{long}\r\n"));
    assert_eq!(bench.run("HSTRLEN h long"), ":20000\r\n");
    assert_eq!(bench.run("HMGET h short none"), "*2\r\n$1\r\ny\r\n$-1\r\n");
}

#[test]
fn getdel_is_logged_as_removal() {
    let mut bench = Bench::new();
    bench.run("HSET h a 1 b 2");
    bench.clear();
    assert_eq!(bench.run("HGETDEL h FIELDS 2 a x"), "*2\r\n$1\r\n1\r\n$-1\r\n");
    assert_eq!(bench.run("HGETDEL h FIELDS 1 x"), "*1\r\n$-1\r\n");
    assert_eq!(bench.run("HGETDEL h FIELDS 2 b b"), "*2\r\n$1\r\n2\r\n$-1\r\n");
    assert_eq!(bench.run("HGETDEL h FIELDS 1 b"), "*1\r\n$-1\r\n");
    assert_eq!(bench.log(), ["HDEL h a", "HDEL h b"]);
    assert_eq!(bench.events(), ["hdel h", "hdel h", "del h"]);
    bench.run("SET text x");
    assert!(bench.run("HGETDEL text bad 0 x").starts_with("-WRONGTYPE"));
}

#[test]
fn random_fields_have_their_values() {
    let mut bench = Bench::new();
    assert_eq!(bench.run("HRANDFIELD h"), "$-1\r\n");
    assert_eq!(bench.run("HRANDFIELD h 3 WITHVALUES"), "*0\r\n");
    bench.run("HSET h a a b b c c");
    assert_eq!(bench.run("HRANDFIELD h 9"), "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n");
    let pairs = bench.run("HRANDFIELD h -20 WITHVALUES");
    let words: Vec<&str> = pairs.split("\r\n").filter(|word| word.len() == 1).collect();
    assert_eq!(words.len(), 40);
    assert!(words.chunks(2).all(|pair| pair[0] == pair[1]));
    bench.resp3();
    let pairs = bench.run("HRANDFIELD h 2 WITHVALUES");
    assert!(pairs.starts_with("*2\r\n*2\r\n$1\r\n"));
    let max = "4611686018427387904";
    let refused = "-ERR value is out of range\r\n";
    assert_eq!(bench.run(&format!("HRANDFIELD h -{max} WITHVALUES")), refused);
}

#[test]
fn a_scan_shows_every_field() {
    let mut bench = Bench::new();
    for number in 0..600 {
        bench.run(&format!("HSET h f{number} v{number}"));
    }
    let (mut cursor, mut seen) = ("0".to_owned(), Vec::new());
    loop {
        let reply = bench.run(&format!("HSCAN h {cursor} NOVALUES COUNT 70"));
        let lines: Vec<&str> = reply.split("\r\n").collect();
        lines[2].clone_into(&mut cursor);
        seen.extend(lines[4..].iter().filter(|l| l.starts_with('f')).map(|l| l.to_string()));
        assert!(!lines.iter().any(|line| line.starts_with('v')));
        if cursor == "0" {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 600);
    assert!(bench.run("HSCAN h 0 MATCH f599 COUNT 10000").contains("v599"));
}
