//! `XDEL`: deletes entries by their ids.

use collections::stream::Stream;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change};

use super::{event, id, reply};

/// `XDEL key id [id ...]`.
pub static XDEL: DataCommand = DataCommand::new(
    Spec::new(
        "xdel",
        Group::Stream,
        "5.0.0",
        -3,
        "O(N) where N is the number of ids: finding one is logarithmic.",
        "Deletes entries; pending records of them stay.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::STREAM)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::DELETE))])
    .args(&[Arg::key("key", 0), Arg::string("id").multiple()]),
    run,
);

/// As in Redis a missing key hides ids that are none.
fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let mut edit = cx.db.edit(reader.bytes());
    if edit.get::<Stream>()?.is_none() {
        cx.reply.integer(0);
        return Ok(());
    }
    let ids = id::all(reader)?;
    let deleted = edit.update(Absent::Ignore, |stream: &mut Stream| {
        match ids.iter().filter(|id| stream.delete(**id)).count() as u64 {
            0 => Change::none(0),
            deleted => Change::made(deleted, event("xdel"), deleted),
        }
    })?;
    reply::count(cx.reply, deleted.unwrap_or(0));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn deletes_what_is_there_once() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("XDEL s x"), ":0\r\n");
        (1..=3).for_each(|ms| drop(bench.run(&format!("XADD s {ms} f v"))));
        bench.clear();
        assert_eq!(
            bench.run("XDEL s 1 x"),
            format!("-{}\r\n", "ERR Invalid stream ID specified as stream command argument")
        );
        assert_eq!(bench.run("XDEL s 9"), ":0\r\n");
        assert!(bench.log().is_empty() && bench.events().is_empty());
        assert_eq!(bench.run("XDEL s 1 2-0 2 7"), ":2\r\n");
        assert_eq!((bench.dirty(), bench.events()), (2, vec!["xdel s".into()]));
        assert_eq!(bench.log(), ["XDEL s 1 2-0 2 7"]);
        assert_eq!(bench.run("XDEL s 3"), ":1\r\n");
        assert_eq!(bench.run("EXISTS s"), ":1\r\n", "an empty stream stays");
    }
}
