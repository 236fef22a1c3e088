//! `INCRBYFLOAT`.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use stdx::num::LongDouble;
use store::{Deadline, EntryRef, Event, NewValue, StringRef};

use super::value;

/// `INCRBYFLOAT key increment`.
pub static INCRBYFLOAT: DataCommand = DataCommand::new(
    Spec::new(
        "incrbyfloat",
        Group::String,
        "2.6.0",
        3,
        "O(1)",
        "Adds a number to a floating point number. A missing key counts as 0.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
    .acl(Categories::STRING)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))])
    .args(&[Arg::key("key", 0), Arg::double("increment")]),
    run,
);

const NOT_FINITE: &str = "ERR increment would produce NaN or Infinity";

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, increment) = (cx.arg(1)?, cx.arg(2)?);
    let mut edit = cx.db.edit(key);
    let old = edit.entry().map_or_else(|| Ok(LongDouble::from_i64(0)), float)?;
    let increment = LongDouble::parse(increment).ok_or(CommandError::NOT_FLOAT)?;
    let sum = old + increment;
    if sum.is_nan() || sum.is_infinite() {
        return Err(CommandError::state(NOT_FINITE));
    }
    let mut text = Vec::new();
    sum.write(&mut text);
    edit.set(NewValue::Bytes(&text), Deadline::Keep, Event::string("incrbyfloat"));
    cx.reply.bulk(&text);
    // Another machine may add differently: replicas take the result.
    cx.log(&[b"SET", key, &text, b"KEEPTTL"]);
    Ok(())
}

/// The floating point number that a key holds.
///
/// # Errors
/// If it holds another type, or a string that is no number.
pub(super) fn float(entry: EntryRef<'_>) -> Result<LongDouble, CommandError> {
    match value::string(entry)? {
        StringRef::Int(number) => Ok(LongDouble::from_i64(number)),
        string => {
            let mut digits = value::Digits::new();
            LongDouble::parse(value::bytes(string, &mut digits)).ok_or(CommandError::NOT_FLOAT)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn adds_with_extended_precision() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("INCRBYFLOAT k 0.1"), "$3\r\n0.1\r\n");
        assert_eq!(bench.run("INCRBYFLOAT k 0.2"), "$3\r\n0.3\r\n");
        assert_eq!(bench.run("INCRBYFLOAT k -3e-1"), "$1\r\n0\r\n");
        assert_eq!(bench.encoding("k"), "embstr");
        assert_eq!(bench.log().last().map(String::as_str), Some("SET k 0 KEEPTTL"));
        bench.run("SET n 3");
        assert_eq!(bench.run("INCRBYFLOAT n 1e17"), "$18\r\n100000000000000003\r\n");
        assert_eq!(bench.run("INCR n"), ":100000000000000004\r\n");
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        bench.run("SET text \" 1\"");
        for line in ["INCRBYFLOAT text 1", "INCRBYFLOAT k 1x", "INCRBYFLOAT k nan"] {
            assert_eq!(bench.run(line), "-ERR value is not a valid float\r\n", "{line}");
        }
        assert_eq!(
            bench.run("INCRBYFLOAT k inf"),
            "-ERR increment would produce NaN or Infinity\r\n"
        );
        assert_eq!(bench.run("GET k"), "$-1\r\n");
    }
}
