//! `XSETID`: sets a stream's last id and its other marks, as replication and restoring need it.

use collections::stream::{Id, Stream};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change};

use super::{event, id};

/// `XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]`.
pub static XSETID: DataCommand = DataCommand::new(
    Spec::new("xsetid", Group::Stream, "5.0.0", -3, "O(1)", "Sets the last id of a stream.")
        .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
        .acl(Categories::STREAM)
        .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))])
        .args(&[
            Arg::key("key", 0),
            Arg::string("last-id"),
            Arg::integer("entries-added").token("ENTRIESADDED").since("7.0.0").optional(),
            Arg::string("max-deleted-id").token("MAXDELETEDID").since("7.0.0").optional(),
        ])
        .history(&[("7.0.0", "Added the `entries_added` and `max_deleted_entry_id` arguments.")]),
    run,
);

/// What the command line says.
#[derive(Clone, Copy)]
struct Marks {
    last: Id,
    added: Option<u64>,
    max_deleted: Option<Id>,
}

fn parse<'a>(cx: &Cx<'a>) -> Result<(&'a [u8], Marks), CommandError> {
    let mut reader = cx.reader();
    let (key, last) = (reader.bytes(), id::strict(reader.bytes())?);
    let mut marks = Marks { last, added: None, max_deleted: None };
    while reader.more() {
        if reader.option("ENTRIESADDED") {
            let added = reader.integer();
            reader.check()?;
            let negative = |_| CommandError::request("ERR entries_added must be positive");
            marks.added = Some(u64::try_from(added).map_err(negative)?);
        } else if reader.option("MAXDELETEDID") {
            let id = id::strict(reader.bytes())?;
            if last < id {
                return Err(CommandError::request(
                    "ERR The ID specified in XSETID is smaller than the provided \
                     max_deleted_entry_id",
                ));
            }
            marks.max_deleted = Some(id);
        } else {
            return Err(CommandError::SYNTAX);
        }
    }
    reader.finish()?;
    Ok((key, marks))
}

/// Whether the marks fit the stream.
fn check(stream: &Stream, marks: Marks) -> Result<(), CommandError> {
    let log = stream.log();
    if marks.last < log.max_deleted_id() {
        return Err(CommandError::state(
            "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id",
        ));
    }
    let Some(top) = log.range_back(Id::MIN, Id::MAX).next() else { return Ok(()) };
    if marks.last < top.id {
        return Err(CommandError::state(
            "ERR The ID specified in XSETID is smaller than the target stream top item",
        ));
    }
    if marks.added.is_some_and(|added| added < log.len()) {
        return Err(CommandError::state(
            "ERR The entries_added specified in XSETID is smaller than the target stream length",
        ));
    }
    Ok(())
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, marks) = parse(cx)?;
    let mut edit = cx.db.edit(key);
    let set = edit.update(Absent::Ignore, |stream: &mut Stream| {
        if let Err(error) = check(stream, marks) {
            return Change::none(Err(error));
        }
        stream.set_last_id(marks.last);
        if let Some(added) = marks.added {
            stream.set_entries_added(added);
        }
        if let Some(id) = marks.max_deleted.filter(|id| *id != Id::MIN) {
            stream.set_max_deleted_id(id);
        }
        Change::quiet(1, Ok(()))
    })?;
    set.ok_or(CommandError::NO_SUCH_KEY)??;
    edit.also(event("xsetid"));
    cx.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn the_marks_must_fit() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("XSETID s 1-1"), "-ERR no such key\r\n");
        (1..=3).for_each(|ms| drop(bench.run(&format!("XADD s {ms} f v"))));
        let starts = |reply: String, text: &str| assert!(reply.contains(text), "{reply}");
        starts(bench.run("XSETID s 2"), "smaller than the target stream top item");
        starts(bench.run("XSETID s 9 ENTRIESADDED 2"), "smaller than the target stream length");
        starts(bench.run("XSETID s 9 ENTRIESADDED -1"), "entries_added must be positive");
        starts(bench.run("XSETID s 9 MAXDELETEDID 10"), "the provided max_deleted_entry_id");
        starts(bench.run("XSETID s 9 MAXDELETEDID"), "syntax error");
        bench.clear();
        assert_eq!(bench.run("XSETID s 9 ENTRIESADDED 5 MAXDELETEDID 8"), "+OK\r\n");
        assert_eq!((bench.dirty(), bench.events()), (1, vec!["xsetid s".into()]));
        starts(bench.run("XSETID s 7"), "smaller than current max_deleted_entry_id");
        starts(bench.run("XADD s 9 f v"), "equal or smaller");
    }
}
