//! `XACK`: acknowledges entries, which ends their pending state.

use collections::stream::Stream;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change};

use super::{id, reply};

/// `XACK key group id [id ...]`.
pub static XACK: DataCommand = DataCommand::new(
    Spec::new(
        "xack",
        Group::Stream,
        "5.0.0",
        -4,
        "O(1) for each id.",
        "Acknowledges entries in a consumer group and returns how many of them were pending.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::STREAM)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))])
    .args(&[Arg::key("key", 0), Arg::string("group"), Arg::string("id").multiple()]),
    run,
);

/// As in Redis a missing group hides ids that are none.
fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (key, group) = (reader.bytes(), reader.bytes());
    let found = cx.db.get::<Stream>(key)?.is_some_and(|stream| stream.group(group).is_some());
    if !found {
        cx.reply.integer(0);
        return Ok(());
    }
    let ids = id::all(reader)?;
    let acknowledged = cx.db.edit(key).update(Absent::Ignore, |stream: &mut Stream| {
        let Some((_, group)) = stream.group_mut(group) else { return Change::none(0) };
        let count = ids.iter().filter(|id| group.acknowledge(**id)).count() as u64;
        Change::quiet(count, count)
    })?;
    reply::count(cx.reply, acknowledged.unwrap_or(0));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn acknowledges_what_is_pending_once() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("XACK s g x"), ":0\r\n");
        (1..=3).for_each(|ms| drop(bench.run(&format!("XADD s {ms} f v"))));
        assert_eq!(bench.run("XACK s g x"), ":0\r\n");
        bench.run("XGROUP CREATE s g 0");
        bench.run("XREADGROUP GROUP g c COUNT 2 STREAMS s >");
        assert!(bench.run("XACK s g 1 x").starts_with("-ERR Invalid stream ID"));
        bench.clear();
        assert_eq!(bench.run("XACK s g 1 1 2-0 3"), ":2\r\n");
        assert_eq!((bench.dirty(), bench.log()), (2, vec!["XACK s g 1 1 2-0 3".into()]));
        assert!(bench.events().is_empty());
        assert_eq!(bench.run("XACK s g 1"), ":0\r\n");
    }
}
