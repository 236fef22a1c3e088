//! `APPEND`.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Deadline, Event};

use super::value;

/// `APPEND key value`.
pub static APPEND: DataCommand = DataCommand::new(
    Spec::new(
        "append",
        Group::String,
        "2.0.0",
        3,
        "O(1) amortized for short values: the room behind a string grows with its length.",
        "Appends bytes to a string. Creates the key if it does not exist.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
    .acl(Categories::STRING)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::INSERT))])
    .args(&[Arg::key("key", 0), Arg::string("value")]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, tail) = (cx.arg(1)?, cx.arg(2)?);
    let mut edit = cx.db.edit(key);
    let event = Event::string("append");
    let len = match edit.entry() {
        None => {
            edit.set(value::encode(tail), Deadline::Keep, event);
            tail.len()
        }
        Some(entry) => {
            let old_len = value::len(value::string(entry)?);
            let new_len = value::checked_end(cx.config, old_len, tail.len())?;
            edit.write_at(old_len, tail, event);
            new_len
        }
    };
    cx.reply.integer(len as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn appends_and_creates() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("APPEND k 12"), ":2\r\n");
        assert_eq!(bench.encoding("k"), "int");
        assert_eq!(bench.run("APPEND k 3"), ":3\r\n");
        assert_eq!(bench.encoding("k"), "raw");
        assert_eq!(bench.run("GET k"), "$3\r\n123\r\n");
        assert_eq!(bench.events(), ["new k", "append k", "append k"]);
    }

    #[test]
    fn grows_from_inline_to_shared_and_keeps_the_deadline() {
        let mut bench = Bench::new();
        bench.run("SET k x PXAT 4000000000000");
        for _ in 0..300 {
            bench.run("APPEND k y");
        }
        assert_eq!(bench.run("STRLEN k"), ":301\r\n");
        assert_eq!(bench.deadline("k"), Some(4_000_000_000_000));
        assert_eq!(bench.run("GETRANGE k 298 -1"), "$3\r\nyyy\r\n");
    }

    #[test]
    fn refuses_to_outgrow_the_limit() {
        let mut bench = Bench::new();
        bench.config("proto-max-bulk-len", "1048576");
        assert_eq!(bench.run("SETRANGE k 1048575 x"), ":1048576\r\n");
        let refused = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
        assert_eq!(bench.run("APPEND k y"), refused);
        assert_eq!(bench.run("APPEND k \"\""), ":1048576\r\n");
    }
}
