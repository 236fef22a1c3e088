//! `LINSERT`.

use std::ops::ControlFlow;

use collections::list::{End, List};
use collections::listpack::Needle;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change};

/// `LINSERT key BEFORE | AFTER pivot element`.
pub static LINSERT: DataCommand = DataCommand::new(
    Spec::new(
        "linsert",
        Group::List,
        "2.2.0",
        5,
        "O(N) where N is the number of elements up to the pivot.",
        "Adds an element before or after another one of a list.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM))
    .acl(Categories::LIST)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::INSERT))])
    .args(&[
        Arg::key("key", 0),
        Arg::one_of("where", &[Arg::word("before", "BEFORE"), Arg::word("after", "AFTER")]),
        Arg::string("pivot"),
        Arg::string("element"),
    ]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    let side = if reader.token("BEFORE") {
        End::Front
    } else if reader.token("AFTER") {
        End::Back
    } else {
        return Err(CommandError::SYNTAX);
    };
    let (pivot, element) = (reader.bytes(), reader.bytes());
    reader.finish()?;
    let limits = super::limits(cx.config);
    let len = cx.db.edit(key).update::<List, _>(Absent::Ignore, |list| {
        let Some(at) = find(list, pivot) else { return Change::none(-1) };
        list.insert(at, side, element, limits);
        Change::made(1, super::event("linsert"), list.len() as i64)
    })?;
    cx.reply.integer(len.unwrap_or(0));
    Ok(())
}

/// The first element with this text.
fn find(list: &List, text: &[u8]) -> Option<usize> {
    let (needle, mut at) = (Needle::new(text), 0);
    let found = list.visit(0, End::Front, &mut |item| {
        if needle.is(item) {
            return ControlFlow::Break(at);
        }
        at += 1;
        ControlFlow::Continue(())
    });
    found.break_value()
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn before_and_after_the_first_match() {
        let mut bench = Bench::new();
        bench.run("RPUSH k a 2 a");
        bench.clear();
        assert_eq!(bench.run("LINSERT k before a x"), ":4\r\n");
        assert_eq!(bench.run("LINSERT k AFTER 2 y"), ":5\r\n");
        assert_eq!(bench.run("LINSERT k AFTER none y"), ":-1\r\n");
        let all = "*5\r\n$1\r\nx\r\n$1\r\na\r\n$1\r\n2\r\n$1\r\ny\r\n$1\r\na\r\n";
        assert_eq!(bench.run("LRANGE k 0 -1"), all);
        assert_eq!(bench.events(), ["linsert k", "linsert k"]);
        assert_eq!(bench.dirty(), 2);
    }

    #[test]
    fn refusals_and_missing_keys() {
        let mut bench = Bench::new();
        bench.run("SET s x");
        assert_eq!(bench.run("LINSERT s BESIDE a x"), "-ERR syntax error\r\n");
        assert!(bench.run("LINSERT s BEFORE a x").starts_with("-WRONGTYPE "));
        assert_eq!(bench.run("LINSERT missing BEFORE a x"), ":0\r\n");
        assert_eq!(bench.run("EXISTS missing"), ":0\r\n");
    }
}
