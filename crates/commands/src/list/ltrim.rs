//! `LTRIM`.

use collections::list::List;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change};

/// `LTRIM key start stop`.
pub static LTRIM: DataCommand = DataCommand::new(
    Spec::new(
        "ltrim",
        Group::List,
        "1.0.0",
        4,
        "O(log N) where N is the length of the list; what is removed is freed in the background.",
        "Removes all elements of a list but those of a range.",
    )
    .flags(Flags::WRITE)
    .acl(Categories::LIST)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::DELETE))])
    .args(&[Arg::key("key", 0), Arg::integer("start"), Arg::integer("stop")]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (key, start, stop) = (reader.bytes(), reader.integer(), reader.integer());
    reader.finish()?;
    let limits = super::limits(cx.config);
    let removed = cx.db.edit(key).update::<List, _>(Absent::Ignore, |list| {
        let len = list.len();
        let kept = super::clamp(start, stop, len);
        let behind = list.remove_range(kept.end, len - kept.end, limits);
        let before = list.remove_range(0, kept.start, limits);
        // The event is sent, and watching clients hear of it, even when nothing was removed.
        Change::made((len - kept.len()) as u64, super::event("ltrim"), [before, behind])
    })?;
    for part in removed.into_iter().flatten() {
        cx.db.effects.discard_part(part);
    }
    cx.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn keeps_the_range() {
        let mut bench = Bench::new();
        bench.run("RPUSH k a b c d e");
        bench.clear();
        assert_eq!(bench.run("LTRIM k 1 -2"), "+OK\r\n");
        assert_eq!(bench.run("LRANGE k 0 -1"), "*3\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n");
        assert_eq!(bench.run("LTRIM k -100 100"), "+OK\r\n");
        assert_eq!((bench.dirty(), bench.log()), (2, vec!["LTRIM k 1 -2".to_string()]));
        assert_eq!(bench.run("LTRIM k 5 4"), "+OK\r\n");
        assert_eq!(bench.events(), ["ltrim k", "ltrim k", "ltrim k", "del k"]);
        assert_eq!(bench.run("LTRIM k 0 0"), "+OK\r\n");
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        bench.run("SET s x");
        assert!(bench.run("LTRIM s 0 1").starts_with("-WRONGTYPE "));
        assert_eq!(bench.run("LTRIM s 0 x"), "-ERR value is not an integer or out of range\r\n");
    }
}
