//! `PFCOUNT`: a read that may write, because it keeps its result in the value.

use collections::hyperloglog::{Registers, set_cached};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use resp::Args;

use super::{corrupted, is_raw, view};

/// `PFCOUNT key [key ...]`.
pub(super) static PFCOUNT: DataCommand = DataCommand::new(
    Spec::new(
        "pfcount",
        Group::HyperLogLog,
        "2.8.9",
        -2,
        "O(1) for one key whose count is known; O(N) with N the number of keys otherwise, each \
         taking microseconds.",
        "Estimates how many distinct elements a HyperLogLog, or several together, have seen.",
    )
    .flags(Flags::READONLY.union(Flags::MAY_REPLICATE))
    .acl(Categories::HYPERLOGLOG)
    .keys(&[KeySpec::range(KeyFlags::RW.union(KeyFlags::ACCESS), 1, -1, 1).notes(
        "RW because it may change the internal representation of the key, and propagate \
                to replicas",
    )])
    .args(&[Arg::key("key", 0).multiple()]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let keys = cx.args.tail(1);
    let count = if keys.len() == 1 { count_one(cx)? } else { count_union(cx, keys)? };
    // Every count fits: the highest bit is the one that marks it stale.
    cx.reply.integer(count as i64);
    Ok(())
}

/// The count of one key, from the value if it is known there, else put there. Replicas count too:
/// their values must stay the same as here.
fn count_one(cx: &mut Cx<'_>) -> Result<u64, CommandError> {
    let key = cx.arg(1)?;
    let Some(entry) = cx.db.read(key) else { return Ok(0) };
    let (view, is_raw) = (view(entry)?, is_raw(entry));
    if let Some(count) = view.cached() {
        if !is_raw {
            cx.db.edit(key).make_raw();
        }
        return Ok(count);
    }
    let count = view.count().map_err(corrupted)?;
    cx.db.edit(key).annotate_bytes(|value| set_cached(value, count));
    Ok(count)
}

/// The count of all keys together, which is kept nowhere.
fn count_union(cx: &mut Cx<'_>, keys: Args<'_>) -> Result<u64, CommandError> {
    let mut union = Registers::default();
    for key in keys {
        let Some(entry) = cx.db.read(key) else { continue };
        union.merge(view(entry)?).map_err(corrupted)?;
    }
    Ok(union.count())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn the_count_is_kept_and_propagated_once() {
        let mut bench = Bench::new();
        bench.run("PFADD k a b c d e");
        bench.clear();
        assert_eq!(bench.run("PFCOUNT k"), ":5\r\n");
        assert_eq!(bench.run("PFCOUNT k"), ":5\r\n");
        assert_eq!((bench.log(), bench.dirty()), (vec!["PFCOUNT k".to_owned()], 1));
        assert!(bench.events().is_empty());
        let value = bench.run("GET k");
        assert!(value.contains("\x05\0\0\0\0\0\0\0"), "{value:?}");
        bench.run("PFADD k a");
        bench.clear();
        bench.run("PFCOUNT k");
        assert_eq!(bench.dirty(), 0);
        bench.run("PFADD k f");
        assert_eq!(bench.run("PFCOUNT k"), ":6\r\n");
    }

    #[test]
    fn unions_are_counted_and_leave_no_trace() {
        let mut bench = Bench::new();
        bench.run("PFADD a 1 2 3");
        bench.config("hll-sparse-max-bytes", "0");
        bench.run("PFADD b 3 4 5");
        bench.clear();
        assert_eq!(bench.run("PFCOUNT a missing b"), ":5\r\n");
        assert_eq!(bench.run("PFCOUNT a a"), ":3\r\n");
        assert_eq!(bench.run("PFCOUNT missing nothing"), ":0\r\n");
        assert_eq!(bench.run("PFCOUNT missing"), ":0\r\n");
        assert_eq!((bench.dirty(), bench.events().len()), (0, 0));
    }

    #[test]
    fn a_copied_value_becomes_a_sketch_again() {
        let mut bench = Bench::new();
        bench.run(r#"SET k "HYLL\x01\x00\x00\x00\x2a\x00\x00\x00\x00\x00\x00\x00\x7f\xff""#);
        bench.clear();
        assert_eq!(bench.encoding("k"), "embstr");
        assert_eq!(bench.run("PFCOUNT k"), ":42\r\n");
        assert_eq!((bench.encoding("k"), bench.dirty()), ("raw", 0));
    }

    #[test]
    fn what_is_no_sketch_is_refused() {
        let mut bench = Bench::new();
        bench.run("PFADD k a");
        bench.run("SET s hello");
        let refused = "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n";
        assert_eq!(bench.run("PFCOUNT s"), refused);
        assert_eq!(bench.run("PFCOUNT k s"), refused);
        bench.run("APPEND k hello");
        let broken = "-INVALIDOBJ Corrupted HLL object detected\r\n";
        assert_eq!(bench.run("PFCOUNT k"), broken);
        assert_eq!(bench.run("PFCOUNT missing k"), broken);
    }
}
