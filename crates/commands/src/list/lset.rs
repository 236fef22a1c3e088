//! `LSET`.

use collections::list::List;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change};

/// `LSET key index element`.
pub static LSET: DataCommand = DataCommand::new(
    Spec::new(
        "lset",
        Group::List,
        "1.0.0",
        4,
        "O(log N) where N is the number of elements; O(1) at both ends.",
        "Replaces the element of a list at an index.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM))
    .acl(Categories::LIST)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))])
    .args(&[Arg::key("key", 0), Arg::integer("index"), Arg::string("element")]),
    run,
);

const INDEX_OUT_OF_RANGE: &str = "ERR index out of range";

/// The key is looked at before the index, as in Redis.
fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (key, index, element) = (reader.bytes(), reader.integer(), reader.bytes());
    let limits = super::limits(cx.config);
    let mut edit = cx.db.edit(key);
    let len = edit.get::<List>()?.ok_or(CommandError::NO_SUCH_KEY)?.len();
    reader.finish()?;
    let at = super::position(index, len).ok_or(CommandError::state(INDEX_OUT_OF_RANGE))?;
    edit.update::<List, _>(Absent::Ignore, |list| {
        list.set(at, element, limits);
        Change::made(1, super::event("lset"), ())
    })?;
    cx.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn replaces_from_both_ends() {
        let mut bench = Bench::new();
        bench.run("RPUSH k a b c");
        bench.clear();
        assert_eq!(bench.run("LSET k 0 4"), "+OK\r\n");
        assert_eq!(bench.run("LSET k -1 six"), "+OK\r\n");
        assert_eq!(bench.run("LRANGE k 0 -1"), "*3\r\n$1\r\n4\r\n$1\r\nb\r\n$3\r\nsix\r\n");
        assert_eq!(bench.events(), ["lset k", "lset k"]);
        assert_eq!(bench.dirty(), 2);
    }

    #[test]
    fn a_large_element_makes_and_a_small_one_ends_a_chain() {
        let mut bench = Bench::new();
        bench.run("RPUSH k a b");
        bench.run(&format!("LSET k 1 {}", "x".repeat(9_000)));
        assert_eq!(bench.encoding("k"), "quicklist");
        bench.run("LPOP k");
        bench.run("LSET k 0 small");
        assert_eq!(bench.encoding("k"), "listpack");
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        bench.run("SET s x");
        bench.run("RPUSH k a");
        assert_eq!(bench.run("LSET missing x v"), "-ERR no such key\r\n");
        assert!(bench.run("LSET s x v").starts_with("-WRONGTYPE "));
        assert_eq!(bench.run("LSET k x v"), "-ERR value is not an integer or out of range\r\n");
        for index in ["1", "-2"] {
            assert_eq!(bench.run(&format!("LSET k {index} v")), "-ERR index out of range\r\n");
        }
    }
}
