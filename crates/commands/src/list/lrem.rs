//! `LREM`.

use collections::list::{End, List};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change};

/// `LREM key count element`.
pub static LREM: DataCommand = DataCommand::new(
    Spec::new(
        "lrem",
        Group::List,
        "1.0.0",
        4,
        "O(N+M) where N is the length of the list and M the number of elements removed.",
        "Removes elements with a given text from a list.",
    )
    .flags(Flags::WRITE)
    .acl(Categories::LIST)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::DELETE))])
    .args(&[Arg::key("key", 0), Arg::integer("count"), Arg::string("element")]),
    run,
);

/// A positive count removes so many from the front, a negative one from the back, zero all.
fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    let count = super::lpos::signed(&mut reader);
    let element = reader.bytes();
    reader.finish()?;
    let start = if count < 0 { End::Back } else { End::Front };
    let limit = match usize::try_from(count.unsigned_abs()) {
        Ok(0) | Err(_) => usize::MAX,
        Ok(limit) => limit,
    };
    let limits = super::limits(cx.config);
    let removed = cx.db.edit(key).update::<List, _>(Absent::Ignore, |list| {
        match list.remove_equal(element, start, limit, limits) {
            unchanged @ (0, _) => Change::none(unchanged),
            removed => Change::made(removed.0 as u64, super::event("lrem"), removed),
        }
    })?;
    let (removed, nodes) = removed.unwrap_or_default();
    cx.db.effects.discard_part(nodes);
    cx.reply.integer(removed as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn from_the_front_from_the_back_and_all() {
        let mut bench = Bench::new();
        bench.run("RPUSH k a 1 a 1 a 1");
        bench.clear();
        assert_eq!(bench.run("LREM k 1 a"), ":1\r\n");
        assert_eq!(bench.run("LREM k -2 1"), ":2\r\n");
        assert_eq!(bench.run("LREM k 0 none"), ":0\r\n");
        assert_eq!(bench.run("LRANGE k 0 -1"), "*3\r\n$1\r\n1\r\n$1\r\na\r\n$1\r\na\r\n");
        assert_eq!(bench.events(), ["lrem k", "lrem k"]);
        assert_eq!(bench.dirty(), 3);
        bench.clear();
        assert_eq!(bench.run("LREM k 0 a"), ":2\r\n");
        assert_eq!(bench.run("LREM k 5 1"), ":1\r\n");
        assert_eq!(bench.events(), ["lrem k", "lrem k", "del k"]);
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        bench.run("SET s x");
        assert!(bench.run("LREM s 0 a").starts_with("-WRONGTYPE "));
        assert_eq!(bench.run("LREM s x a"), "-ERR value is not an integer or out of range\r\n");
        assert_eq!(bench.run("LREM missing 0 a"), ":0\r\n");
    }
}
