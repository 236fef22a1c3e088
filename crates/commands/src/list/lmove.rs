//! `LMOVE`, and `RPOPLPUSH`, its special case of older days.

use collections::list::{End, List};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change};

const KEYS: &[KeySpec] = &[
    KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE)),
    KeySpec::range(KeyFlags::RW.union(KeyFlags::INSERT), 2, 0, 1),
];

const fn spec(name: &'static str, since: &'static str, arity: i16, summary: &'static str) -> Spec {
    Spec::new(name, Group::List, since, arity, "O(1)", summary)
        .flags(Flags::WRITE.union(Flags::DENYOOM))
        .acl(Categories::LIST)
        .keys(KEYS)
}

/// `LMOVE source destination LEFT | RIGHT LEFT | RIGHT`.
pub static LMOVE: DataCommand = DataCommand::new(
    spec("lmove", "6.2.0", 5, "Moves an element from an end of a list to an end of another one.")
        .args(&[
            Arg::key("source", 0),
            Arg::key("destination", 1),
            Arg::one_of("wherefrom", super::ENDS),
            Arg::one_of("whereto", super::ENDS),
        ]),
    lmove,
);

/// `RPOPLPUSH source destination`.
pub static RPOPLPUSH: DataCommand = DataCommand::new(
    spec("rpoplpush", "1.2.0", 3, "Moves the last element of a list to the front of another one.")
        .args(&[Arg::key("source", 0), Arg::key("destination", 1)])
        .deprecated("6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments"),
    |cx| {
        let (source, destination) = (cx.arg(1)?, cx.arg(2)?);
        let from = Place { key: source, end: End::Back };
        let found = move_element(cx, from, Place { key: destination, end: End::Front })?;
        reply_missing(cx, found);
        Ok(())
    },
);

/// An end of the list under a key.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) key: &'a [u8],
    pub(super) end: End,
}

fn lmove(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (source, destination) = (reader.bytes(), reader.bytes());
    let (from, to) = (super::end(&mut reader), super::end(&mut reader));
    reader.finish()?;
    let (from, to) = (Place { key: source, end: from }, Place { key: destination, end: to });
    let found = move_element(cx, from, to)?;
    reply_missing(cx, found);
    Ok(())
}

fn reply_missing(cx: &mut Cx<'_>, found: bool) {
    if !found {
        cx.reply.null();
    }
}

/// Moves an element and replies with it; false and no reply if there is no source.
///
/// # Errors
/// If one of the keys holds another type.
pub(super) fn move_element(
    cx: &mut Cx<'_>,
    from: Place<'_>,
    to: Place<'_>,
) -> Result<bool, CommandError> {
    let limits = super::limits(cx.config);
    let mut source = cx.db.edit(from.key);
    let Some(list) = source.get::<List>()? else { return Ok(false) };
    let outer = if from.end == End::Front { 0 } else { list.len() - 1 };
    let mut element = Vec::new();
    list.get(outer, |item| item.write_text(&mut element));
    if from.key == to.key {
        source.update::<List, _>(Absent::Ignore, |list| {
            list.pop(from.end, limits, |_| ());
            list.push(to.end, &element, limits);
            Change::made(1, super::pushed(to.end), ())
        })?;
        source.also(super::popped(from.end));
    } else {
        // The destination first: its type may refuse, and its event comes first. The move as a
        // whole counts once.
        cx.db.edit(to.key).update::<List, _>(Absent::Create, |list| {
            list.push(to.end, &element, limits);
            Change::made(0, super::pushed(to.end), ())
        })?;
        cx.db.edit(from.key).update::<List, _>(Absent::Ignore, |list| {
            list.pop(from.end, limits, |_| ());
            Change::made(1, super::popped(from.end), ())
        })?;
    }
    cx.reply.bulk(&element);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn between_all_ends() {
        let mut bench = Bench::new();
        bench.run("RPUSH a 1 2 3 4");
        bench.clear();
        assert_eq!(bench.run("LMOVE a b LEFT RIGHT"), "$1\r\n1\r\n");
        assert_eq!(bench.run("LMOVE a b right left"), "$1\r\n4\r\n");
        assert_eq!(bench.run("RPOPLPUSH a b"), "$1\r\n3\r\n");
        assert_eq!(bench.run("LRANGE b 0 -1"), "*3\r\n$1\r\n3\r\n$1\r\n4\r\n$1\r\n1\r\n");
        assert_eq!(bench.log(), ["LMOVE a b LEFT RIGHT", "LMOVE a b right left", "RPOPLPUSH a b"]);
        assert_eq!(bench.dirty(), 3);
        bench.clear();
        assert_eq!(bench.run("LMOVE a b LEFT LEFT"), "$1\r\n2\r\n");
        assert_eq!(bench.events(), ["lpush b", "lpop a", "del a"]);
        assert_eq!(bench.run("LMOVE a b LEFT LEFT"), "$-1\r\n");
    }

    #[test]
    fn a_list_is_rotated_in_itself() {
        let mut bench = Bench::new();
        bench.run("RPUSH k a b c");
        bench.run("SET s x");
        bench.clear();
        assert_eq!(bench.run("RPOPLPUSH k k"), "$1\r\nc\r\n");
        assert_eq!(bench.run("LRANGE k 0 -1"), "*3\r\n$1\r\nc\r\n$1\r\na\r\n$1\r\nb\r\n");
        bench.run("LPOP k 2");
        assert_eq!(bench.run("LMOVE k k LEFT RIGHT"), "$1\r\nb\r\n");
        assert_eq!(bench.run("LLEN k"), ":1\r\n");
        assert_eq!(bench.events(), ["lpush k", "rpop k", "lpop k", "rpush k", "lpop k"]);
    }

    #[test]
    fn refusals_leave_both_lists_alone() {
        let mut bench = Bench::new();
        bench.run("RPUSH k a");
        bench.run("SET s x");
        bench.clear();
        for line in ["LMOVE s k LEFT LEFT", "LMOVE k s LEFT LEFT", "RPOPLPUSH k s"] {
            assert!(bench.run(line).starts_with("-WRONGTYPE "));
        }
        assert_eq!(bench.run("LMOVE missing s LEFT LEFT"), "$-1\r\n");
        for line in ["LMOVE k d LEFT UP", "LMOVE k d UP LEFT"] {
            assert_eq!(bench.run(line), "-ERR syntax error\r\n");
        }
        assert_eq!(bench.run("LLEN k"), ":1\r\n");
        assert!(bench.events().is_empty() && bench.dirty() == 0);
    }
}
