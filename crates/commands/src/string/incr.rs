//! Integer counters: `INCR`, `DECR`, `INCRBY`, `DECRBY`.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use stdx::num::parse_i64;
use store::{Deadline, EntryRef, Event, NewValue, StringRef};

use super::value;

const KEYS: &[KeySpec] =
    &[KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))];

const fn spec(name: &'static str, arity: i16, args: &'static [Arg], summary: &'static str) -> Spec {
    Spec::new(name, Group::String, "1.0.0", arity, "O(1)", summary)
        .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
        .acl(Categories::STRING)
        .keys(KEYS)
        .args(args)
}

/// `INCR key`.
pub static INCR: DataCommand = DataCommand::new(
    spec("incr", 2, &[Arg::key("key", 0)], "Adds one to an integer. A missing key counts as 0."),
    |cx| add(cx, 1),
);

/// `DECR key`.
pub static DECR: DataCommand = DataCommand::new(
    spec(
        "decr",
        2,
        &[Arg::key("key", 0)],
        "Subtracts one from an integer. A missing key counts as 0.",
    ),
    |cx| add(cx, -1),
);

/// `INCRBY key increment`.
pub static INCRBY: DataCommand = DataCommand::new(
    spec(
        "incrby",
        3,
        &[Arg::key("key", 0), Arg::integer("increment")],
        "Adds a number to an integer. A missing key counts as 0.",
    ),
    |cx| {
        let increment = parse_i64(cx.arg(2)?).ok_or(CommandError::NOT_INTEGER)?;
        add(cx, increment)
    },
);

/// `DECRBY key decrement`.
pub static DECRBY: DataCommand = DataCommand::new(
    spec(
        "decrby",
        3,
        &[Arg::key("key", 0), Arg::integer("decrement")],
        "Subtracts a number from an integer. A missing key counts as 0.",
    ),
    |cx| {
        let decrement = parse_i64(cx.arg(2)?).ok_or(CommandError::NOT_INTEGER)?;
        let increment = decrement
            .checked_neg()
            .ok_or_else(|| CommandError::request("ERR decrement would overflow"))?;
        add(cx, increment)
    },
);

fn add(cx: &mut Cx<'_>, increment: i64) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    let mut edit = cx.db.edit(key);
    let old = edit.entry().map_or(Ok(0), integer)?;
    let new = old.checked_add(increment).ok_or(CommandError::OVERFLOW)?;
    edit.set(NewValue::Int(new), Deadline::Keep, Event::string("incrby"));
    cx.reply.integer(new);
    Ok(())
}

/// The integer that a key holds.
///
/// # Errors
/// If it holds another type, or a string that is no integer.
#[inline]
pub(super) fn integer(entry: EntryRef<'_>) -> Result<i64, CommandError> {
    match value::string(entry)? {
        StringRef::Int(number) => Ok(number),
        string => {
            let mut digits = value::Digits::new();
            parse_i64(value::bytes(string, &mut digits)).ok_or(CommandError::NOT_INTEGER)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn counts_and_keeps_the_deadline() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("INCR k"), ":1\r\n");
        bench.run("SET k 5 PXAT 4000000000000");
        bench.clear();
        assert_eq!(bench.run("INCRBY k 10"), ":15\r\n");
        assert_eq!(bench.run("DECR k"), ":14\r\n");
        assert_eq!(bench.run("DECRBY k -6"), ":20\r\n");
        assert_eq!(bench.deadline("k"), Some(4_000_000_000_000));
        assert_eq!(bench.log(), ["INCRBY k 10", "DECR k", "DECRBY k -6"]);
        assert_eq!(bench.events(), ["incrby k", "incrby k", "incrby k"]);
    }

    #[test]
    fn text_that_is_an_integer_counts_too() {
        let mut bench = Bench::new();
        bench.run("SETRANGE k 0 41");
        assert_eq!(bench.encoding("k"), "raw");
        assert_eq!(bench.run("INCR k"), ":42\r\n");
        assert_eq!(bench.encoding("k"), "int");
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        let overflow = "-ERR increment or decrement would overflow\r\n";
        bench.run("MSET max 9223372036854775807 min -9223372036854775808 text \" 1\"");
        bench.clear();
        assert_eq!(bench.run("INCR max"), overflow);
        assert_eq!(bench.run("DECR min"), overflow);
        assert_eq!(
            bench.run("DECRBY max -9223372036854775808"),
            "-ERR decrement would overflow\r\n"
        );
        for line in ["INCR text", "INCRBY max 1.5", "DECRBY max 9223372036854775808"] {
            assert_eq!(
                bench.run(line),
                "-ERR value is not an integer or out of range\r\n",
                "{line}"
            );
        }
        assert_eq!(bench.dirty(), 0);
    }
}
