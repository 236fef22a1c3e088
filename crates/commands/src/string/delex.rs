//! `DELEX`: deletes a key if its string meets a condition.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::Event;

use super::condition::Condition;
use super::value;

/// `DELEX key [IFEQ value | IFNE value | IFDEQ digest | IFDNE digest]`.
pub static DELEX: DataCommand = DataCommand::new(
    Spec::new(
        "delex",
        Group::String,
        "8.4.0",
        -2,
        "O(1) for IFEQ/IFNE, O(N) for IFDEQ/IFDNE where N is the length of the string value.",
        "Deletes a key if its string, or the digest of it, compares as asked.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::STRING)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::DELETE).union(KeyFlags::VARIABLE_FLAGS))])
    .args(&[Arg::key("key", 0), Arg::one_of("condition", CONDITIONS).optional()]),
    run,
);

const CONDITIONS: &[Arg] = &[
    Arg::string("ifeq-value").token("IFEQ"),
    Arg::string("ifne-value").token("IFNE"),
    Arg::string("ifdeq-digest").token("IFDEQ"),
    Arg::string("ifdne-digest").token("IFDNE"),
];

const BAD_CONDITION: &str = "ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE";
const NOT_A_STRING: &str = "ERR Key should be of string type if conditions are specified";

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    if !matches!(cx.args.len(), 2 | 4) {
        return Err(CommandError::arity(cx.name));
    }
    let mut reader = cx.reader();
    let key = reader.bytes();
    let condition = reader.more().then(|| Condition::take(&mut reader));
    let mut edit = cx.db.edit(key);
    let met = match (edit.entry(), condition) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(entry), Some(condition)) => {
            let string = value::string(entry).map_err(|_| CommandError::state(NOT_A_STRING))?;
            condition.ok_or_else(|| CommandError::request(BAD_CONDITION))?.holds(string)?
        }
    };
    let deleted = met && edit.remove(Event::generic("del"));
    if deleted {
        cx.log(&[b"DEL", key]);
    }
    cx.reply.integer(i64::from(deleted));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn deletes_what_compares() {
        let mut bench = Bench::new();
        bench.run("MSET a 12345 b hello c \"Hello world\" d x");
        bench.clear();
        assert_eq!(bench.run("DELEX a IFEQ 1234"), ":0\r\n");
        assert_eq!(bench.run("DELEX a IFEQ 12345"), ":1\r\n");
        assert_eq!(bench.run("DELEX b IFNE hello"), ":0\r\n");
        assert_eq!(bench.run("DELEX b ifne world"), ":1\r\n");
        assert_eq!(bench.run("DELEX c IFDNE b6acb9d84a38ff74"), ":0\r\n");
        assert_eq!(bench.run("DELEX c IFDEQ B6ACB9D84A38FF74"), ":1\r\n");
        assert_eq!(bench.run("DELEX d"), ":1\r\n");
        assert_eq!(bench.run("DELEX d"), ":0\r\n");
        assert_eq!(bench.log(), ["DEL a", "DEL b", "DEL c", "DEL d"]);
        assert_eq!(bench.events(), ["del a", "del b", "del c", "del d"]);
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        let arity = "-ERR wrong number of arguments for 'delex' command\r\n";
        assert_eq!(bench.run("DELEX k IFEQ"), arity);
        assert_eq!(bench.run("DELEX k IFEQ a b"), arity);
        assert_eq!(bench.run("DELEX k IFDEQ 123"), ":0\r\n");
        bench.run("SET k v");
        assert_eq!(
            bench.run("DELEX k IFDEQ 123"),
            "-ERR must be exactly 16 hexadecimal characters\r\n"
        );
        assert_eq!(
            bench.run("DELEX k EQ v"),
            "-ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE\r\n"
        );
    }
}
