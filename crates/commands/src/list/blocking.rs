//! The commands that wait for elements: `BLPOP`, `BRPOP`, `BLMOVE`, `BLMOVEM`, `BRPOPLPUSH`,
//! `BLMPOP`.
//!
//! Each does what its sibling without the `B` does. Where that would answer that there is nothing,
//! it says what it waits for instead; when a list is there the engine executes it again. Replicas
//! see the sibling.

use collections::list::{End, List};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::effects::Denied;
use store::{Absent, Change, ValueType};

use crate::first_key;

use super::lmove::{Place, move_element};
use super::lmovem::{self, Selection};
use super::lmpop;

const TAKEN: KeyFlags = KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE);
const MOVED: &[KeySpec] =
    &[KeySpec::first(TAKEN), KeySpec::range(KeyFlags::RW.union(KeyFlags::INSERT), 2, 0, 1)];

const fn spec(
    name: &'static str,
    since: &'static str,
    arity: i16,
    complexity: &'static str,
    summary: &'static str,
) -> Spec {
    Spec::new(name, Group::List, since, arity, complexity, summary)
        .flags(Flags::WRITE.union(Flags::BLOCKING))
        .acl(Categories::LIST)
        .history(&[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")])
}

const POP_COMPLEXITY: &str = "O(N) where N is the number of keys.";
const POP_ARGS: &[Arg] = &[Arg::key("key", 0).multiple(), Arg::double("timeout")];

/// `BLPOP key [key ...] timeout`.
pub static BLPOP: DataCommand = DataCommand::new(
    spec(
        "blpop",
        "2.0.0",
        -3,
        POP_COMPLEXITY,
        "Removes the first element of the first list that has one, or waits for it.",
    )
    .keys(&[KeySpec::range(TAKEN, 1, -2, 1)])
    .args(POP_ARGS),
    |cx| pop(cx, End::Front),
);

/// `BRPOP key [key ...] timeout`.
pub static BRPOP: DataCommand = DataCommand::new(
    spec(
        "brpop",
        "2.0.0",
        -3,
        POP_COMPLEXITY,
        "Removes the last element of the first list that has one, or waits for it.",
    )
    .keys(&[KeySpec::range(TAKEN, 1, -2, 1)])
    .args(POP_ARGS),
    |cx| pop(cx, End::Back),
);

/// Those of `BLMOVEM`; `BLMOVE` has all but the last.
const MOVE_ARGS: &[Arg] = &[
    Arg::key("source", 0),
    Arg::key("destination", 1),
    Arg::one_of("wherefrom", super::ENDS),
    Arg::one_of("whereto", super::ENDS),
    Arg::double("timeout"),
    lmovem::HOW_MANY,
];

/// `BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout`.
pub static BLMOVE: DataCommand = DataCommand::new(
    Spec::new(
        "blmove",
        Group::List,
        "6.2.0",
        6,
        "O(1)",
        "Moves an element from an end of a list to an end of another one, or waits for it.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::BLOCKING))
    .acl(Categories::LIST)
    .keys(MOVED)
    .args(MOVE_ARGS.split_at(MOVE_ARGS.len() - 1).0),
    blmove,
);

/// `BLMOVEM source destination LEFT | RIGHT LEFT | RIGHT timeout [COUNT | EXACTLY number OBO |
/// BULK]`.
pub static BLMOVEM: DataCommand = DataCommand::new(
    Spec::new(
        "blmovem",
        Group::List,
        "8.10.0",
        -6,
        lmovem::COMPLEXITY,
        "Moves elements from an end of a list to an end of another one, or waits for them.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::BLOCKING))
    .acl(Categories::LIST)
    .keys(MOVED)
    .args(MOVE_ARGS),
    blmovem,
);

/// `BRPOPLPUSH source destination timeout`.
pub static BRPOPLPUSH: DataCommand = DataCommand::new(
    spec(
        "brpoplpush",
        "2.2.0",
        4,
        "O(1)",
        "Moves the last element of a list to the front of another one, or waits for it.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::BLOCKING))
    .keys(MOVED)
    .args(&[Arg::key("source", 0), Arg::key("destination", 1), Arg::double("timeout")])
    .deprecated("6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments"),
    brpoplpush,
);

/// `BLMPOP timeout numkeys key [key ...] LEFT | RIGHT [COUNT count]`.
pub static BLMPOP: DataCommand = DataCommand::new(
    Spec::new(
        "blmpop",
        Group::List,
        "7.0.0",
        -5,
        lmpop::COMPLEXITY,
        "Removes elements from an end of the first list that has some, or waits for them.",
    )
    .flags(Flags::WRITE.union(Flags::BLOCKING).union(Flags::MOVABLE_KEYS))
    .acl(Categories::LIST)
    .keys(&[KeySpec::counted(TAKEN, 2)])
    .args(&lmpop::ARGS),
    |cx| lmpop::LISTS.run_waiting(cx),
);

fn pop(cx: &mut Cx<'_>, end: End) -> Result<(), CommandError> {
    let limits = super::limits(cx.config);
    first_key::pop_or_wait(cx, ValueType::List, |cx, key| {
        let reply = &mut *cx.reply;
        let popped = cx.db.edit(key).update::<List, _>(Absent::Ignore, |list| {
            reply.array(2);
            reply.bulk(key);
            list.pop(end, limits, |item| super::reply_item(reply, item));
            Change::made(1, super::popped(end), ())
        })?;
        if popped.is_some() {
            let name: &[u8] = if end == End::Front { b"LPOP" } else { b"RPOP" };
            cx.log(&[name, key]);
        }
        Ok(popped.is_some())
    })
}

/// Waits for a list to move an element from.
fn wait_for_source(cx: &mut Cx<'_>, source: &[u8], timeout_ms: Option<u64>) {
    first_key::wait(cx, ValueType::List, [source], timeout_ms, Denied::Null);
}

fn blmove(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (source, destination) = (reader.bytes(), reader.bytes());
    let (from, to) = (super::end(&mut reader), super::end(&mut reader));
    let timeout_ms = reader.timeout();
    reader.finish()?;
    let words = [cx.arg(3)?, cx.arg(4)?];
    let (from, to) = (Place { key: source, end: from }, Place { key: destination, end: to });
    if move_element(cx, from, to)? {
        cx.log(&[b"LMOVE", source, destination, words[0], words[1]]);
    } else {
        wait_for_source(cx, source, timeout_ms);
    }
    Ok(())
}

/// With `EXACTLY` it waits until there are as many: every push executes it again, which is a look
/// at the length. Replicas see how many were moved.
fn blmovem(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (source, destination) = (reader.bytes(), reader.bytes());
    let (from, to) = (super::end(&mut reader), super::end(&mut reader));
    let timeout_ms = reader.timeout();
    let selection = Selection::parse(&mut reader);
    reader.finish()?;
    let ends = [cx.arg(3)?, cx.arg(4)?];
    let (from, to) = (Place { key: source, end: from }, Place { key: destination, end: to });
    if let Some(moved) = lmovem::move_elements(cx, from, to, &selection)? {
        let (moved, ordering) = (moved.to_string(), selection.ordering());
        let (moved, exactly) = (moved.as_bytes(), &b"EXACTLY"[..]);
        cx.log(&[b"LMOVEM", source, destination, ends[0], ends[1], exactly, moved, ordering]);
    } else {
        first_key::wait(cx, ValueType::List, [source], timeout_ms, Denied::NullArray);
    }
    Ok(())
}

fn brpoplpush(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (source, destination) = (reader.bytes(), reader.bytes());
    let timeout_ms = reader.timeout();
    reader.finish()?;
    let from = Place { key: source, end: End::Back };
    if move_element(cx, from, Place { key: destination, end: End::Front })? {
        cx.log(&[b"RPOPLPUSH", source, destination]);
    } else {
        wait_for_source(cx, source, timeout_ms);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn replicas_see_the_commands_that_do_not_wait() {
        let mut bench = Bench::new();
        bench.run("RPUSH k 1 2 3 4 5 6");
        bench.clear();
        assert_eq!(bench.run("BLPOP a k 0"), "*2\r\n$1\r\nk\r\n$1\r\n1\r\n");
        assert_eq!(bench.run("BRPOP k 1.5"), "*2\r\n$1\r\nk\r\n$1\r\n6\r\n");
        assert_eq!(bench.run("BLMOVE k l LEFT RIGHT 1"), "$1\r\n2\r\n");
        assert_eq!(bench.run("BRPOPLPUSH k l 0"), "$1\r\n5\r\n");
        assert_eq!(
            bench.run("BLMPOP 0 1 k LEFT COUNT 9"),
            "*2\r\n$1\r\nk\r\n*2\r\n$1\r\n3\r\n$1\r\n4\r\n"
        );
        let expected = ["LPOP k", "RPOP k", "LMOVE k l LEFT RIGHT", "RPOPLPUSH k l", "LPOP k 2"];
        assert_eq!(bench.log(), expected);
        assert_eq!(bench.dirty(), 6);
        bench.clear();
        let moved = "*2\r\n$1\r\n5\r\n$1\r\n2\r\n";
        assert_eq!(bench.run("BLMOVEM l m LEFT RIGHT 0 exactly 2 BULK"), moved);
        assert_eq!(bench.run("BLMOVEM m l RIGHT LEFT 1"), "*1\r\n$1\r\n2\r\n");
        assert_eq!(bench.run("BLMOVEM l m LEFT LEFT 0 COUNT 9 obo"), "*1\r\n$1\r\n2\r\n");
        let expected = [
            "LMOVEM l m LEFT RIGHT EXACTLY 2 BULK",
            "LMOVEM m l RIGHT LEFT EXACTLY 1 OBO",
            "LMOVEM l m LEFT LEFT EXACTLY 1 OBO",
        ];
        assert_eq!(bench.log(), expected);
    }

    #[test]
    fn where_there_is_nothing_no_reply_is_written() {
        let mut bench = Bench::new();
        bench.run("RPUSH few 1 2");
        bench.clear();
        for line in [
            "BLPOP a b 0",
            "BLMOVE a b LEFT LEFT 3",
            "BRPOPLPUSH a b 1",
            "BLMPOP 1 1 a LEFT",
            "BLMOVEM a b LEFT LEFT 0",
            "BLMOVEM a b LEFT LEFT 0 COUNT 2 OBO",
            "BLMOVEM few b LEFT LEFT 0 EXACTLY 3 OBO",
        ] {
            assert_eq!(bench.run(line), "", "{line}");
        }
        assert_eq!(bench.dirty(), 0);
    }
}
