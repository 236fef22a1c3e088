//! `LINDEX` and `LLEN`.

use collections::list::List;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};

/// `LINDEX key index`.
pub static LINDEX: DataCommand = DataCommand::new(
    Spec::new(
        "lindex",
        Group::List,
        "1.0.0",
        3,
        "O(log N) where N is the number of elements; O(1) at both ends.",
        "Returns the element of a list at an index.",
    )
    .flags(Flags::READONLY)
    .acl(Categories::LIST)
    .keys(&[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS))])
    .args(&[Arg::key("key", 0), Arg::integer("index")]),
    lindex,
);

/// `LLEN key`.
pub static LLEN: DataCommand = DataCommand::new(
    Spec::new("llen", Group::List, "1.0.0", 2, "O(1)", "Returns the length of a list.")
        .flags(Flags::READONLY.union(Flags::FAST))
        .acl(Categories::LIST)
        .keys(&[KeySpec::first(KeyFlags::RO)])
        .args(&[Arg::key("key", 0)]),
    llen,
);

/// The key is looked at before the index, as in Redis: a missing key answers null to any index.
fn lindex(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (key, index) = (reader.bytes(), reader.integer());
    let Some(list) = cx.db.get::<List>(key)? else {
        cx.reply.null();
        return Ok(());
    };
    reader.finish()?;
    let reply = &mut *cx.reply;
    let at = super::position(index, list.len());
    let shown = at.and_then(|at| list.get(at, |item| super::reply_item(reply, item)));
    if shown.is_none() {
        reply.null();
    }
    Ok(())
}

fn llen(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    let len = cx.db.get::<List>(key)?.map_or(0, List::len);
    cx.reply.integer(len as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn elements_and_length() {
        let mut bench = Bench::new();
        bench.run("RPUSH k a 22 c");
        for (index, expected) in
            [("0", "$1\r\na\r\n"), ("-2", "$2\r\n22\r\n"), ("3", "$-1\r\n"), ("-4", "$-1\r\n")]
        {
            assert_eq!(bench.run(&format!("LINDEX k {index}")), expected);
        }
        assert_eq!(bench.run("LLEN k"), ":3\r\n");
        assert_eq!(bench.run("LLEN missing"), ":0\r\n");
    }

    #[test]
    fn the_key_comes_before_the_index() {
        let mut bench = Bench::new();
        bench.run("SET s x");
        bench.run("RPUSH k a");
        assert_eq!(bench.run("LINDEX missing x"), "$-1\r\n");
        assert!(bench.run("LINDEX s x").starts_with("-WRONGTYPE "));
        assert!(bench.run("LLEN s").starts_with("-WRONGTYPE "));
        assert_eq!(bench.run("LINDEX k x"), "-ERR value is not an integer or out of range\r\n");
    }
}
