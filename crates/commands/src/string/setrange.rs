//! `SETRANGE`.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::Event;

use super::value;

/// `SETRANGE key offset value`.
pub static SETRANGE: DataCommand = DataCommand::new(
    Spec::new(
        "setrange",
        Group::String,
        "2.2.0",
        4,
        "O(1) for a short value within the string; O(M) with M the length of the value, or of the \
         zeros before it.",
        "Overwrites a part of a string from an offset on. Creates the key if it does not exist.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM))
    .acl(Categories::STRING)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))])
    .args(&[Arg::key("key", 0), Arg::integer("offset"), Arg::string("value")]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (key, offset, part) = (reader.bytes(), reader.integer(), reader.bytes());
    reader.finish()?;
    let offset =
        usize::try_from(offset).map_err(|_| CommandError::request("ERR offset is out of range"))?;
    let mut edit = cx.db.edit(key);
    let old_len = match edit.entry() {
        Some(entry) => value::len(value::string(entry)?),
        None => 0,
    };
    // Writing nothing changes nothing: no key appears and the string does not grow.
    if part.is_empty() {
        cx.reply.integer(old_len as i64);
        return Ok(());
    }
    let end = value::checked_end(cx.config, offset, part.len())?;
    edit.write_at(offset, part, Event::string("setrange"));
    cx.reply.integer(old_len.max(end) as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn overwrites_and_pads_with_zeros() {
        let mut bench = Bench::new();
        bench.run("SET k 1234");
        assert_eq!(bench.run("SETRANGE k 1 3"), ":4\r\n");
        assert_eq!(bench.run("GET k"), "$4\r\n1334\r\n");
        assert_eq!(bench.encoding("k"), "raw");
        assert_eq!(bench.run("SETRANGE k 5 2"), ":6\r\n");
        assert_eq!(bench.run("GET k"), "$6\r\n1334\x002\r\n");
        assert_eq!(bench.run("SETRANGE new 2 x"), ":3\r\n");
        assert_eq!(bench.run("GET new"), "$3\r\n\0\0x\r\n");
    }

    #[test]
    fn an_empty_value_does_nothing() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("SETRANGE k 536870912 \"\""), ":0\r\n");
        bench.run("SET k 12");
        bench.clear();
        assert_eq!(bench.run("SETRANGE k 9 \"\""), ":2\r\n");
        assert_eq!((bench.encoding("k"), bench.dirty()), ("int", 0));
    }

    #[test]
    fn offsets_have_limits() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("SETRANGE k -1 x"), "-ERR offset is out of range\r\n");
        for offset in ["536870912", "9223372036854775807"] {
            assert_eq!(
                bench.run(&format!("SETRANGE k {offset} x")),
                "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n"
            );
        }
        assert_eq!(bench.run("GET k"), "$-1\r\n");
    }
}
