//! `XLEN`: how many entries a stream has.

use collections::stream::Stream;
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};

use super::reply;

/// `XLEN key`.
pub static XLEN: DataCommand = DataCommand::new(
    Spec::new("xlen", Group::Stream, "5.0.0", 2, "O(1)", "Returns the number of entries.")
        .flags(Flags::READONLY.union(Flags::FAST))
        .acl(Categories::STREAM)
        .keys(&[KeySpec::first(KeyFlags::RO)])
        .args(&[Arg::key("key", 0)]),
    run,
);

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    let len = cx.db.get::<Stream>(key)?.map_or(0, |stream| stream.log().len());
    reply::count(cx.reply, len);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn an_absent_stream_has_no_entries() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("XLEN s"), ":0\r\n");
        bench.run("XADD s 1 f v");
        assert_eq!(bench.run("XLEN s"), ":1\r\n");
        bench.run("SET k v");
        assert!(bench.run("XLEN k").starts_with("-WRONGTYPE"));
    }
}
