//! `LRANGE`.

use collections::Pieces;
use collections::list::{End, List};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};

/// `LRANGE key start stop`.
pub static LRANGE: DataCommand = DataCommand::new(
    Spec::new(
        "lrange",
        Group::List,
        "1.0.0",
        4,
        "O(log N + M) where N is the length of the list and M the number of elements returned.",
        "Returns a range of the elements of a list.",
    )
    .flags(Flags::READONLY)
    .acl(Categories::LIST)
    .keys(&[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS))])
    .args(&[Arg::key("key", 0), Arg::integer("start"), Arg::integer("stop")]),
    run,
);

/// From so many elements of a long list on, the reply is written from a reference without locks.
const LONG_READ_MIN: usize = 64;

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (key, start, stop) = (reader.bytes(), reader.integer(), reader.integer());
    reader.finish()?;
    let Some(list) = cx.db.get::<List>(key)? else {
        cx.reply.array(0);
        return Ok(());
    };
    let range = super::clamp(start, stop, list.len());
    if range.len() < LONG_READ_MIN || list.pieces() == 1 {
        super::reply_items(cx.reply, list, range.start, End::Front, range.len());
    } else {
        let list = list.clone();
        cx.db.release();
        super::reply_items(cx.reply, &list, range.start, End::Front, range.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn ranges() {
        let mut bench = Bench::new();
        bench.run("RPUSH k a 2 c");
        let all = "*3\r\n$1\r\na\r\n$1\r\n2\r\n$1\r\nc\r\n";
        assert_eq!(bench.run("LRANGE k 0 -1"), all);
        assert_eq!(bench.run("LRANGE k -100 100"), all);
        assert_eq!(bench.run("LRANGE k 1 1"), "*1\r\n$1\r\n2\r\n");
        for line in ["LRANGE k 2 1", "LRANGE k 3 9", "LRANGE missing 0 -1", "LRANGE k 0 -4"] {
            assert_eq!(bench.run(line), "*0\r\n");
        }
    }

    #[test]
    fn long_lists_are_read_whole() {
        let mut bench = Bench::new();
        bench.config("list-max-listpack-size", "10");
        let elements: Vec<_> = (0..500).map(|n| format!("element:{n}")).collect();
        bench.run(&format!("RPUSH k {}", elements.join(" ")));
        let expected: String =
            elements[5..].iter().map(|e| format!("${}\r\n{e}\r\n", e.len())).collect();
        assert_eq!(bench.run("LRANGE k 5 -1"), format!("*495\r\n{expected}"));
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        bench.run("SET s x");
        assert!(bench.run("LRANGE s 0 1").starts_with("-WRONGTYPE "));
        for line in ["LRANGE s x 1", "LRANGE missing 0 1.5"] {
            assert_eq!(bench.run(line), "-ERR value is not an integer or out of range\r\n");
        }
    }
}
