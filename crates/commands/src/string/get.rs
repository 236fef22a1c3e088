//! Reading whole strings: `GET`, `MGET`, `GETDEL`, `STRLEN`.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::Event;

use super::value;

/// `GET key`.
pub static GET: DataCommand = DataCommand::new(
    Spec::new("get", Group::String, "1.0.0", 2, "O(1)", "Returns the string of a key.")
        .flags(Flags::READONLY.union(Flags::FAST))
        .acl(Categories::STRING)
        .keys(&[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS))])
        .args(&[Arg::key("key", 0)]),
    run_get,
);

/// `MGET key [key ...]`.
pub static MGET: DataCommand = DataCommand::new(
    Spec::new(
        "mget",
        Group::String,
        "1.0.0",
        -2,
        "O(N) where N is the number of keys to retrieve.",
        "Returns the strings of several keys, null for each that has none.",
    )
    .flags(Flags::READONLY.union(Flags::FAST))
    .acl(Categories::STRING)
    .keys(&[KeySpec::range(KeyFlags::RO.union(KeyFlags::ACCESS), 1, -1, 1)])
    .args(&[Arg::key("key", 0).multiple()])
    .tips(&["request_policy:multi_shard"]),
    run_mget,
);

/// `GETDEL key`.
pub static GETDEL: DataCommand = DataCommand::new(
    Spec::new(
        "getdel",
        Group::String,
        "6.2.0",
        2,
        "O(1)",
        "Returns the string of a key and deletes the key.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::STRING)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE))])
    .args(&[Arg::key("key", 0)]),
    run_getdel,
);

/// `STRLEN key`.
pub static STRLEN: DataCommand = DataCommand::new(
    Spec::new(
        "strlen",
        Group::String,
        "2.2.0",
        2,
        "O(1)",
        "Returns the length of a string in bytes.",
    )
    .flags(Flags::READONLY.union(Flags::FAST))
    .acl(Categories::STRING)
    .keys(&[KeySpec::first(KeyFlags::RO)])
    .args(&[Arg::key("key", 0)]),
    run_strlen,
);

fn run_get(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    match cx.db.read(cx.args.get(1).ok_or(CommandError::SYNTAX)?) {
        Some(entry) => value::reply(cx.reply, value::string(entry)?),
        None => cx.reply.null(),
    }
    Ok(())
}

fn run_mget(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let keys = cx.args.tail(1);
    cx.reply.array(keys.len());
    for key in keys {
        match cx.db.read(key).map(value::string) {
            Some(Ok(string)) => value::reply(cx.reply, string),
            // A key of another type is as good as none.
            Some(Err(_)) | None => cx.reply.null(),
        }
    }
    Ok(())
}

fn run_getdel(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    let Some(entry) = cx.db.read(key) else {
        cx.reply.null();
        return Ok(());
    };
    value::reply(cx.reply, value::string(entry)?);
    cx.db.edit(key).remove(Event::generic("del"));
    cx.log(&[b"DEL", key]);
    Ok(())
}

fn run_strlen(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let len = match cx.db.read(cx.args.get(1).ok_or(CommandError::SYNTAX)?) {
        Some(entry) => value::len(value::string(entry)?),
        None => 0,
    };
    cx.reply.integer(len as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{Bench, NOW};

    #[test]
    fn nothing_is_null_in_both_protocols() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("GET k"), "$-1\r\n");
        bench.run("SET k -7");
        assert_eq!(bench.run("MGET k missing k"), "*3\r\n$2\r\n-7\r\n$-1\r\n$2\r\n-7\r\n");
        assert_eq!(bench.run("STRLEN k"), ":2\r\n");
        bench.resp3();
        assert_eq!(bench.run("GET missing"), "_\r\n");
        assert_eq!(bench.run("MGET missing"), "*1\r\n_\r\n");
    }

    #[test]
    fn getdel_is_a_deletion_to_replicas() {
        let mut bench = Bench::new();
        bench.run("SET k v");
        bench.clear();
        assert_eq!(bench.run("GETDEL k"), "$1\r\nv\r\n");
        assert_eq!(bench.log(), ["DEL k"]);
        assert_eq!(bench.events(), ["del k"]);
        bench.clear();
        assert_eq!(bench.run("GETDEL k"), "$-1\r\n");
        assert!(bench.log().is_empty() && bench.dirty() == 0);
    }

    #[test]
    fn a_key_whose_time_has_come_is_gone() {
        let mut bench = Bench::new();
        bench.run("SET k v PX 10");
        bench.clear();
        bench.at(NOW + 9);
        assert_eq!(bench.run("STRLEN k"), ":1\r\n");
        bench.at(NOW + 10);
        assert_eq!(bench.run("GET k"), "$-1\r\n");
        assert_eq!(bench.events(), ["expired k"]);
        assert_eq!(bench.run("APPEND k w"), ":1\r\n");
    }

    #[test]
    fn large_values_are_shared_with_the_reply() {
        let mut bench = Bench::new();
        let large = "x".repeat(100_000);
        bench.run(&format!("SET k {large}"));
        assert_eq!(bench.run("GET k"), format!("$100000\r\n{large}\r\n"));
        assert_eq!(bench.run("GETDEL k"), format!("$100000\r\n{large}\r\n"));
    }
}
