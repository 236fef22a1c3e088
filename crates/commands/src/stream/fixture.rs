//! Streams for tests to begin with.

use crate::testing::Bench;

/// The stream `s` with the entries 1-0 to `len`-0.
pub(super) fn filled(len: u64) -> Bench {
    let mut bench = Bench::new();
    (1..=len).for_each(|ms| drop(bench.run(&format!("XADD s {ms} f v"))));
    bench
}

/// As [`filled`], with a group `g` that has read nothing.
pub(super) fn grouped(len: u64) -> Bench {
    let mut bench = filled(len);
    bench.run("XGROUP CREATE s g 0");
    bench
}

/// As [`grouped`], where one consumer has read everything.
pub(super) fn read_by(consumer: &str, len: u64) -> Bench {
    let mut bench = grouped(len);
    bench.run(&format!("XREADGROUP GROUP g {consumer} STREAMS s >"));
    bench
}
