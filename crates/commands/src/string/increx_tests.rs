//! `INCREX`: bounds, saturation, deadlines, refusals, and what replicas see.

use crate::testing::{Bench, NOW};

/// Runs `INCREX k` with `options` on the value `start` (none for a missing key) and returns the two
/// numbers of the reply, or the error.
fn increx(start: Option<&str>, options: &str) -> String {
    let mut bench = Bench::new();
    if let Some(start) = start {
        bench.run(&format!("SET k {start}"));
    }
    let reply = bench.run(&format!("INCREX k {options}"));
    match reply.strip_prefix("*2\r\n:") {
        Some(numbers) => numbers.replace("\r\n:", " ").trim().to_owned(),
        None => reply.trim().to_owned(),
    }
}

#[test]
fn integers_within_bounds() {
    for (start, options, expected) in [
        (None, "", "1 1"),
        (Some("10"), "BYINT -5", "5 -5"),
        (Some("10"), "BYINT 5 UBOUND 15", "15 5"),
        (Some("10"), "BYINT 5 UBOUND 14", "10 0"),
        (Some("10"), "BYINT -5 LBOUND 8", "10 0"),
        (Some("10"), "BYINT 5 LBOUND 20", "10 0"),
        (Some("50"), "BYINT -25 UBOUND 30", "25 -25"),
        (None, "UBOUND 0", "0 0"),
        (Some("9223372036854775807"), "", "9223372036854775807 0"),
        (Some("-10"), "BYINT -9223372036854775807 LBOUND -100", "-10 0"),
    ] {
        assert_eq!(increx(start, options), expected, "{start:?} {options}");
    }
}

#[test]
fn integers_saturate() {
    for (start, options, expected) in [
        (Some("50"), "BYINT 100 UBOUND 80 SATURATE", "80 30"),
        (Some("10"), "SATURATE BYINT 5 UBOUND 5", "5 -5"),
        (Some("10"), "BYINT -5 LBOUND 20 SATURATE", "20 10"),
        (None, "LBOUND 5 SATURATE", "5 5"),
        (None, "UBOUND 0 SATURATE", "0 0"),
        (Some("9223372036854775800"), "BYINT 10 SATURATE", "9223372036854775807 7"),
        (Some("-9223372036854775800"), "BYINT -10 SATURATE", "-9223372036854775808 -8"),
        (Some("10"), "BYINT 9223372036854775807 UBOUND 100 SATURATE", "100 90"),
        (
            Some("9223372036854775800"),
            "BYINT 1 SATURATE UBOUND -9223372036854775808",
            "-ERR applied increment would overflow",
        ),
    ] {
        assert_eq!(increx(start, options), expected, "{start:?} {options}");
    }
}

#[test]
fn floats_in_both_protocols() {
    let mut bench = Bench::new();
    bench.run("SET k 1.5");
    assert_eq!(bench.run("INCREX k BYFLOAT 0.25"), "*2\r\n$4\r\n1.75\r\n$4\r\n0.25\r\n");
    bench.resp3();
    assert_eq!(bench.run("INCREX k BYFLOAT 100 UBOUND 42.5"), "*2\r\n,1.75\r\n,0\r\n");
    assert_eq!(bench.run("INCREX k BYFLOAT 100 UBOUND 42.5 SATURATE"), "*2\r\n,42.5\r\n,40.75\r\n");
    bench.run("SET k inf");
    assert_eq!(bench.run("INCREX k BYFLOAT 1"), "-ERR value cannot be Infinity\r\n");
    bench.run("SET k 10");
    for bound in ["lbound -inf ubound -inf", "lbound inf ubound inf"] {
        assert_eq!(bench.run(&format!("INCREX k BYFLOAT 1 {bound}")), "*2\r\n,10\r\n,0\r\n");
        assert_eq!(
            bench.run(&format!("INCREX k BYFLOAT 1 {bound} SATURATE")),
            "-ERR applied increment would be Infinity\r\n"
        );
    }
}

#[test]
fn sums_beyond_the_largest_float_saturate() {
    let mut bench = Bench::new();
    let large = "1e4932";
    assert_eq!(
        bench.run("INCREX k BYFLOAT 1e4932 UBOUND 100 SATURATE"),
        "*2\r\n$3\r\n100\r\n$3\r\n100\r\n"
    );
    bench.run(&format!("SET k {large}"));
    let refused = bench.run(&format!("INCREX k BYFLOAT {large}"));
    assert!(refused.ends_with("$1\r\n0\r\n"));
    let saturated = bench.run(&format!("INCREX k BYFLOAT {large} SATURATE"));
    assert!(saturated.starts_with("*2\r\n$4933\r\n118973149535723176502126385303097020516906"));
}

#[test]
fn deadlines_and_the_log() {
    let mut bench = Bench::new();
    bench.run("INCREX k EX 100 ENX");
    bench.run("INCREX k EX 200 ENX");
    assert_eq!(bench.deadline("k"), Some(NOW + 100_000));
    bench.run("INCREX k PX 5");
    bench.run("INCREX k BYFLOAT 0.5");
    bench.run("INCREX k BYFLOAT 0.5 PERSIST");
    assert_eq!(bench.deadline("k"), None);
    bench.run("INCREX k BYINT 1 UBOUND 4 EX 7");
    bench.run("INCREX k EXAT 1");
    bench.run("INCREX k EXAT 1");
    assert_eq!(
        bench.log(),
        [
            format!("SET k 1 PXAT {}", NOW + 100_000),
            "SET k 2 KEEPTTL".into(),
            format!("SET k 3 PXAT {}", NOW + 5),
            "SET k 3.5 KEEPTTL".into(),
            "SET k 4".into(),
            "DEL k".into(),
        ]
    );
    assert_eq!(
        bench.events(),
        [
            "new k",
            "incrby k",
            "expire k",
            "incrby k",
            "incrby k",
            "expire k",
            "incrbyfloat k",
            "incrbyfloat k",
            "persist k",
            "del k",
        ]
    );
}

#[test]
fn refusals() {
    for (options, error) in [
        ("FOO", "syntax error"),
        ("BYINT 1 BYFLOAT 1", "syntax error"),
        ("BYINT 1 BYINT 2", "syntax error"),
        ("LBOUND 0 LBOUND 1", "syntax error"),
        ("LBOUND", "syntax error"),
        ("SATURATE SATURATE", "syntax error"),
        ("ENX ENX EX 10", "syntax error"),
        ("EX 10 EX 20", "syntax error"),
        ("EX 10 PERSIST", "syntax error"),
        ("PERSIST PERSIST", "syntax error"),
        ("PERSIST ENX", "syntax error"),
        ("ENX PERSIST", "syntax error"),
        ("ENX", "ENX flag requires an expiration"),
        ("BYINT 1.5", "Increment is not an integer or out of range"),
        ("BYFLOAT abc", "Increment is not a valid float"),
        ("BYFLOAT 1e99999", "Increment is not a valid float"),
        ("BYFLOAT -inf", "BYFLOAT increment cannot be Infinity"),
        ("UBOUND 12.5", "UBOUND is not an integer or out of range"),
        ("BYFLOAT 1 LBOUND x", "LBOUND is not a valid float"),
        ("LBOUND 10 UBOUND 5", "LBOUND can't be greater than UBOUND"),
        ("BYFLOAT 1 UBOUND -inf", "LBOUND can't be greater than UBOUND"),
        ("EX 0", "invalid expire time in 'increx' command"),
    ] {
        assert_eq!(increx(Some("10"), options), format!("-ERR {error}"), "{options}");
    }
    assert_eq!(increx(Some("1.5"), ""), "-ERR value is not an integer or out of range");
    assert_eq!(increx(Some("x"), "BYFLOAT 1"), "-ERR value is not a valid float");
}
