//! `PFMERGE`.

use collections::hyperloglog::{Encoding, Registers, Sketch};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use config::rows::HLL_SPARSE_MAX_BYTES;
use store::Deadline;

use super::{ADDED, corrupted, stored, view};

/// `PFMERGE destkey [sourcekey ...]`.
pub(super) static PFMERGE: DataCommand = DataCommand::new(
    Spec::new(
        "pfmerge",
        Group::HyperLogLog,
        "2.8.9",
        -2,
        "O(N) with N the number of keys, each taking microseconds.",
        "Adds to a HyperLogLog all that others have seen.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM))
    .acl(Categories::HYPERLOGLOG)
    .keys(&[
        KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::INSERT)),
        KeySpec::range(KeyFlags::RO.union(KeyFlags::ACCESS), 2, -1, 1),
    ])
    .args(&[Arg::key("destkey", 0), Arg::key("sourcekey", 1).optional().multiple()]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut union = Registers::default();
    // One dense sketch makes the result dense, even where a sparse one could hold it.
    let mut dense = false;
    for key in cx.args.tail(1) {
        let Some(entry) = cx.db.read(key) else { continue };
        let view = view(entry)?;
        dense |= view.encoding() == Encoding::Dense;
        union.merge(view).map_err(corrupted)?;
    }
    let sparse_bytes_max = cx.config.get(HLL_SPARSE_MAX_BYTES);
    let target = cx.arg(1)?;
    let mut edit = cx.db.edit(target);
    let mut sketch = match edit.entry() {
        Some(entry) => Sketch::copy_of(view(entry)?),
        None => Sketch::new(),
    };
    sketch.merge(&union, dense, sparse_bytes_max).map_err(corrupted)?;
    edit.set(stored(sketch), Deadline::Keep, ADDED);
    cx.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn merges_into_the_target_and_keeps_its_deadline() {
        let mut bench = Bench::new();
        bench.run("PFADD a 1 2 3");
        bench.run("PFADD b 3 4");
        bench.run("PFADD d 9");
        bench.run("PEXPIREAT d 4000000000000");
        bench.clear();
        assert_eq!(bench.run("PFMERGE d a missing b"), "+OK\r\n");
        assert_eq!(bench.events(), ["pfadd d"]);
        assert_eq!(bench.log(), ["PFMERGE d a missing b"]);
        assert_eq!(bench.deadline("d"), Some(4_000_000_000_000));
        assert_eq!(bench.run("PFCOUNT d"), ":5\r\n");
        assert_eq!(bench.run("PFDEBUG ENCODING d"), "+sparse\r\n");
    }

    #[test]
    fn a_missing_target_is_created() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("PFMERGE d"), "+OK\r\n");
        assert_eq!(bench.events(), ["new d", "pfadd d"]);
        assert_eq!((bench.dirty(), bench.encoding("d")), (1, "raw"));
        assert_eq!(bench.run("PFCOUNT d"), ":0\r\n");
    }

    #[test]
    fn one_dense_source_makes_the_target_dense() {
        let mut bench = Bench::new();
        bench.run("PFADD a 1");
        bench.run("PFADD d 2");
        bench.run("PFDEBUG TODENSE a");
        bench.run("PFMERGE d a");
        assert_eq!(bench.run("PFDEBUG ENCODING d"), "+dense\r\n");
        bench.run("PFMERGE new d");
        assert_eq!(bench.run("PFCOUNT new"), ":2\r\n");
        assert_eq!(bench.run("STRLEN new"), ":12304\r\n");
    }

    #[test]
    fn nothing_changes_if_a_source_is_no_sketch() {
        let mut bench = Bench::new();
        bench.run("PFADD a 1");
        bench.run("SET s hello");
        bench.run("COPY a broken");
        bench.run("APPEND broken hello");
        bench.clear();
        let refused = "-WRONGTYPE Key is not a valid HyperLogLog string value.\r\n";
        assert_eq!(bench.run("PFMERGE d a s"), refused);
        assert_eq!(bench.run("PFMERGE s a"), refused);
        let broken = "-INVALIDOBJ Corrupted HLL object detected\r\n";
        assert_eq!(bench.run("PFMERGE d a broken"), broken);
        assert_eq!(bench.run("PFMERGE broken a"), broken);
        assert_eq!((bench.run("EXISTS d"), bench.dirty()), (":0\r\n".to_owned(), 0));
    }
}
