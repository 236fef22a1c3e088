//! `GETRANGE`, and `SUBSTR` by its old name.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::StringRef;

use super::value;

const COMPLEXITY: &str =
    "O(N) where N is the number of bytes returned; a large part is not copied and costs O(1).";

const KEYS: &[KeySpec] = &[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS))];
const ARGS: &[Arg] = &[Arg::key("key", 0), Arg::integer("start"), Arg::integer("end")];

const fn spec(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::String, since, 4, COMPLEXITY, summary)
        .flags(Flags::READONLY)
        .acl(Categories::STRING)
        .keys(KEYS)
        .args(ARGS)
}

/// `GETRANGE key start end`.
pub static GETRANGE: DataCommand =
    DataCommand::new(spec("getrange", "2.4.0", "Returns a part of a string."), run);

/// `SUBSTR key start end`.
pub static SUBSTR: DataCommand = DataCommand::new(
    spec("substr", "1.0.0", "Returns a part of a string.").deprecated("2.0.0", "`GETRANGE`"),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (key, start, end) = (reader.bytes(), reader.integer(), reader.integer());
    reader.finish()?;
    let Some(entry) = cx.db.read(key) else {
        cx.reply.bulk(b"");
        return Ok(());
    };
    let string = value::string(entry)?;
    let (start, len) = value::clamp_range(start, end, value::len(string));
    if let StringRef::Shared { bytes, .. } = string {
        value::reply_part(cx.reply, bytes, start, len);
    } else {
        let mut digits = value::Digits::new();
        cx.reply.bulk(&value::bytes(string, &mut digits)[start..start + len]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn parts_of_every_form_of_string() {
        let mut bench = Bench::new();
        bench.run("SET text \"Hello World\"");
        bench.run("SET number 1234");
        let large = "y".repeat(50_000);
        bench.run(&format!("SET large {large}"));
        assert_eq!(bench.run("GETRANGE text -5 -1"), "$5\r\nWorld\r\n");
        assert_eq!(bench.run("SUBSTR number 0 2"), "$3\r\n123\r\n");
        assert_eq!(bench.run("GETRANGE number 2 1"), "$0\r\n\r\n");
        assert_eq!(
            bench.run("GETRANGE large 1 20000"),
            format!("$20000\r\n{}\r\n", &large[1..20_001])
        );
        assert_eq!(bench.run("GETRANGE missing 0 -1"), "$0\r\n\r\n");
        assert_eq!(
            bench.run("GETRANGE missing 0 x"),
            "-ERR value is not an integer or out of range\r\n"
        );
    }
}
