//! `LMOVEM`: several elements at once from an end of a list to an end of another one. `BLMOVEM`
//! shares all but the wait.

use std::ops::ControlFlow;

use collections::list::{End, List, Removed};
use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use store::{Absent, Change};

use super::lmove::Place;

pub(super) const COMPLEXITY: &str = "O(N) where N is the number of elements moved.";
pub(super) const HOW_MANY: Arg = Arg::block(
    "how-many",
    &[Arg::one_of("selector", SELECTORS), Arg::one_of("ordering", ORDERINGS)],
)
.optional();
const SELECTORS: &[Arg] =
    &[Arg::integer("count").token("COUNT"), Arg::integer("exactly").token("EXACTLY")];
const ORDERINGS: &[Arg] = &[Arg::word("obo", "OBO"), Arg::word("bulk", "BULK")];

/// `LMOVEM source destination LEFT | RIGHT LEFT | RIGHT [COUNT | EXACTLY number OBO | BULK]`.
pub static LMOVEM: DataCommand = DataCommand::new(
    Spec::new(
        "lmovem",
        Group::List,
        "8.10.0",
        -5,
        COMPLEXITY,
        "Moves elements from an end of a list to an end of another one and returns them.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM))
    .acl(Categories::LIST)
    .keys(&[
        KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE)),
        KeySpec::range(KeyFlags::RW.union(KeyFlags::INSERT), 2, 0, 1),
    ])
    .args(&[
        Arg::key("source", 0),
        Arg::key("destination", 1),
        Arg::one_of("wherefrom", super::ENDS),
        Arg::one_of("whereto", super::ENDS),
        HOW_MANY,
    ]),
    run,
);

const NO_COUNT: &str = "ERR count should be greater than 0";

/// How many elements are moved, and how they are arranged.
pub(super) struct Selection {
    count: usize,
    /// Fewer than `count` are not moved.
    exactly: bool,
    /// They keep their order. Else each is moved by itself, on top of those before it.
    bulk: bool,
}

impl Selection {
    /// Reads what follows the ends: one element if nothing does.
    pub(super) fn parse(reader: &mut ArgReader<'_>) -> Self {
        if !reader.more() {
            return Self { count: 1, exactly: false, bulk: false };
        }
        let exactly = reader.token("EXACTLY");
        if !exactly && !reader.token("COUNT") {
            reader.unknown();
        }
        let count = reader.integer_in(1..=i64::MAX, CommandError::request(NO_COUNT));
        let bulk = reader.token("BULK");
        if !bulk && !reader.token("OBO") {
            reader.unknown();
        }
        Self { count: usize::try_from(count).unwrap_or(usize::MAX), exactly, bulk }
    }

    /// The word for how they are arranged.
    pub(super) fn ordering(&self) -> &'static [u8] {
        if self.bulk { b"BULK" } else { b"OBO" }
    }
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (source, destination) = (reader.bytes(), reader.bytes());
    let (from, to) = (super::end(&mut reader), super::end(&mut reader));
    let selection = Selection::parse(&mut reader);
    reader.finish()?;
    let (from, to) = (Place { key: source, end: from }, Place { key: destination, end: to });
    if move_elements(cx, from, to, &selection)?.is_none() {
        cx.reply.null_array();
    }
    Ok(())
}

/// Moves elements, replies with them and says how many; none and no reply if there are not enough.
///
/// # Errors
/// If one of the keys holds another type.
pub(super) fn move_elements(
    cx: &mut Cx<'_>,
    from: Place<'_>,
    to: Place<'_>,
    selection: &Selection,
) -> Result<Option<usize>, CommandError> {
    let Some(block) = select(cx, from, to, selection)? else { return Ok(None) };
    cx.reply.array(block.len());
    block.iter().for_each(|element| cx.reply.bulk(element));
    move_block(cx, from, to, &block)?;
    Ok(Some(block.len()))
}

/// The elements to move, in the order in which they stand in the destination; none if there are
/// not enough.
///
/// # Errors
/// If one of the keys holds another type.
fn select(
    cx: &mut Cx<'_>,
    from: Place<'_>,
    to: Place<'_>,
    selection: &Selection,
) -> Result<Option<Vec<Vec<u8>>>, CommandError> {
    let len = cx.db.edit(from.key).get::<List>()?.map_or(0, List::len);
    let count = selection.count.min(len);
    if count == 0 {
        return Ok(None);
    }
    cx.db.edit(to.key).get::<List>()?;
    if selection.exactly && count < selection.count {
        return Ok(None);
    }
    // One by one, the last one moved is outermost; in bulk they stand as they stood.
    let reversed = if selection.bulk { from.end == End::Back } else { to.end == End::Front };
    let mut block = Vec::with_capacity(count);
    let source = cx.db.edit(from.key);
    if let Some(list) = source.get::<List>()? {
        let outer = if from.end == End::Front { 0 } else { len - 1 };
        let _ = list.visit::<()>(outer, from.end, &mut |item| {
            let mut element = Vec::with_capacity(item.text_len());
            item.write_text(&mut element);
            block.push(element);
            if block.len() < count { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
    }
    if reversed {
        block.reverse();
    }
    Ok(Some(block))
}

/// Takes as many elements as `block` has from the source, and puts `block` into the destination.
/// The events are those of `LMOVE`, in its order.
fn move_block(
    cx: &mut Cx<'_>,
    from: Place<'_>,
    to: Place<'_>,
    block: &[Vec<u8>],
) -> Result<(), CommandError> {
    let limits = super::limits(cx.config);
    let take = |list: &mut List| {
        let first = if from.end == End::Front { 0 } else { list.len() - block.len() };
        list.remove_range(first, block.len(), limits)
    };
    let put = |list: &mut List| {
        list.prepare(block.iter().map(Vec::as_slice), limits);
        match to.end {
            End::Front => block.iter().rev().for_each(|e| list.push(End::Front, e, limits)),
            End::Back => block.iter().for_each(|e| list.push(End::Back, e, limits)),
        }
    };
    let count = block.len() as u64;
    let removed: Option<Removed> = if from.key == to.key {
        let mut edit = cx.db.edit(from.key);
        let removed = edit.update::<List, _>(Absent::Ignore, |list| {
            let removed = take(list);
            put(list);
            Change::made(count, super::pushed(to.end), removed)
        })?;
        edit.also(super::popped(from.end));
        removed
    } else {
        cx.db.edit(to.key).update::<List, _>(Absent::Create, |list| {
            put(list);
            Change::made(0, super::pushed(to.end), ())
        })?;
        cx.db.edit(from.key).update::<List, _>(Absent::Ignore, |list| {
            let removed = take(list);
            Change::made(count, super::popped(from.end), removed)
        })?
    };
    cx.db.effects.discard_part(removed.unwrap_or_default());
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    fn array(words: &str) -> String {
        let words: Vec<_> = words.split_ascii_whitespace().collect();
        let items: String = words.iter().map(|w| format!("${}\r\n{w}\r\n", w.len())).collect();
        format!("*{}\r\n{items}", words.len())
    }

    #[test]
    fn arranges_one_by_one_or_in_bulk() {
        for (args, moved, left, there) in [
            ("LEFT LEFT COUNT 2 OBO", "2 1", "3 4", "2 1 5 6"),
            ("LEFT LEFT COUNT 2 BULK", "1 2", "3 4", "1 2 5 6"),
            ("LEFT RIGHT COUNT 2 OBO", "1 2", "3 4", "5 6 1 2"),
            ("LEFT RIGHT EXACTLY 2 BULK", "1 2", "3 4", "5 6 1 2"),
            ("RIGHT LEFT COUNT 2 OBO", "3 4", "1 2", "3 4 5 6"),
            ("RIGHT RIGHT COUNT 2 OBO", "4 3", "1 2", "5 6 4 3"),
            ("RIGHT RIGHT COUNT 2 BULK", "3 4", "1 2", "5 6 3 4"),
            ("right left exactly 4 bulk", "1 2 3 4", "", "1 2 3 4 5 6"),
            ("LEFT RIGHT COUNT 9 OBO", "1 2 3 4", "", "5 6 1 2 3 4"),
            ("RIGHT LEFT", "4", "1 2 3", "4 5 6"),
        ] {
            let mut bench = Bench::new();
            bench.run("RPUSH a 1 2 3 4");
            bench.run("RPUSH b 5 6");
            assert_eq!(bench.run(&format!("LMOVEM a b {args}")), array(moved), "{args}");
            assert_eq!(bench.run("LRANGE a 0 -1"), array(left), "{args}");
            assert_eq!(bench.run("LRANGE b 0 -1"), array(there), "{args}");
        }
    }

    #[test]
    fn a_list_into_itself() {
        for (args, moved, all) in [
            ("LEFT LEFT EXACTLY 2 OBO", "b a", "b a c"),
            ("LEFT LEFT EXACTLY 2 BULK", "a b", "a b c"),
            ("LEFT RIGHT COUNT 2 BULK", "a b", "c a b"),
            ("RIGHT RIGHT COUNT 9 OBO", "c b a", "c b a"),
        ] {
            let mut bench = Bench::new();
            bench.run("RPUSH k a b c");
            bench.clear();
            assert_eq!(bench.run(&format!("LMOVEM k k {args}")), array(moved), "{args}");
            assert_eq!(bench.run("LRANGE k 0 -1"), array(all), "{args}");
            assert_eq!(bench.events().len(), 2, "{args}");
        }
    }

    #[test]
    fn too_few_elements_and_missing_keys() {
        let mut bench = Bench::new();
        bench.run("RPUSH k a b");
        bench.clear();
        assert_eq!(bench.run("LMOVEM k l LEFT LEFT EXACTLY 3 OBO"), "*-1\r\n");
        assert_eq!(bench.run("LMOVEM none l LEFT LEFT EXACTLY 1 OBO"), "*-1\r\n");
        assert_eq!(bench.run("LMOVEM none l LEFT LEFT COUNT 1 OBO"), "*-1\r\n");
        assert_eq!(bench.run("LMOVEM none l LEFT LEFT"), "*-1\r\n");
        assert!(bench.events().is_empty() && bench.dirty() == 0);
        bench.run("LMOVEM k l LEFT RIGHT COUNT 5 BULK");
        assert_eq!(bench.events(), ["new l", "rpush l", "lpop k", "del k"]);
        assert_eq!(bench.log(), ["LMOVEM k l LEFT RIGHT COUNT 5 BULK"]);
        assert_eq!(bench.dirty(), 2);
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        bench.run("SET s x");
        bench.run("RPUSH k a");
        for line in ["LMOVEM s k LEFT LEFT", "LMOVEM k s LEFT LEFT EXACTLY 5 OBO"] {
            assert!(bench.run(line).starts_with("-WRONGTYPE "), "{line}");
        }
        for (args, error) in [
            ("LEFT UP", "syntax error"),
            ("LEFT LEFT COUNT 1", "syntax error"),
            ("LEFT LEFT COUNT 1 ANY", "syntax error"),
            ("LEFT LEFT OBO", "syntax error"),
            ("LEFT LEFT COUNT 1 OBO EXACTLY 1 OBO", "syntax error"),
            ("LEFT LEFT COUNT 0 OBO", "count should be greater than 0"),
            ("LEFT LEFT EXACTLY x BULK", "count should be greater than 0"),
        ] {
            assert_eq!(bench.run(&format!("LMOVEM k l {args}")), format!("-ERR {error}\r\n"));
        }
        assert_eq!(bench.run("LLEN k"), ":1\r\n");
    }
}
