//! The older ways to say `SET` with an option: `SETNX`, `SETEX`, `PSETEX`, `GETSET`.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::Deadline;

use super::expiry::{Unit, deadline};
use super::set::{SET_EVENT, store_until};
use super::value;

const OVERWRITE: &[KeySpec] = &[KeySpec::first(KeyFlags::OW.union(KeyFlags::UPDATE))];

/// `SETNX key value`.
pub static SETNX: DataCommand = DataCommand::new(
    Spec::new(
        "setnx",
        Group::String,
        "1.0.0",
        3,
        "O(1)",
        "Sets a key to a string if the key does not exist.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
    .acl(Categories::STRING)
    .keys(&[KeySpec::first(KeyFlags::OW.union(KeyFlags::INSERT))])
    .args(&[Arg::key("key", 0), Arg::string("value")])
    .deprecated("2.6.12", "`SET` with the `NX` argument"),
    run_setnx,
);

/// `SETEX key seconds value`.
pub static SETEX: DataCommand = DataCommand::new(
    Spec::new(
        "setex",
        Group::String,
        "2.0.0",
        4,
        "O(1)",
        "Sets a key to a string that expires after some seconds.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM))
    .acl(Categories::STRING)
    .keys(OVERWRITE)
    .args(&[Arg::key("key", 0), Arg::integer("seconds"), Arg::string("value")])
    .deprecated("2.6.12", "`SET` with the `EX` argument"),
    |cx| run_setex(cx, Unit::Ex),
);

/// `PSETEX key milliseconds value`.
pub static PSETEX: DataCommand = DataCommand::new(
    Spec::new(
        "psetex",
        Group::String,
        "2.6.0",
        4,
        "O(1)",
        "Sets a key to a string that expires after some milliseconds.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM))
    .acl(Categories::STRING)
    .keys(OVERWRITE)
    .args(&[Arg::key("key", 0), Arg::integer("milliseconds"), Arg::string("value")])
    .deprecated("2.6.12", "`SET` with the `PX` argument"),
    |cx| run_setex(cx, Unit::Px),
);

/// `GETSET key value`.
pub static GETSET: DataCommand = DataCommand::new(
    Spec::new(
        "getset",
        Group::String,
        "1.0.0",
        3,
        "O(1)",
        "Sets a key to a string and returns the one it held.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
    .acl(Categories::STRING)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))])
    .args(&[Arg::key("key", 0), Arg::string("value")])
    .deprecated("6.2.0", "`SET` with the `!GET` argument"),
    run_getset,
);

fn run_setnx(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, value) = (cx.arg(1)?, cx.arg(2)?);
    let mut edit = cx.db.edit(key);
    let absent = !edit.exists();
    if absent {
        edit.set(value::encode(value), Deadline::Clear, SET_EVENT);
    }
    cx.reply.integer(i64::from(absent));
    Ok(())
}

fn run_setex(cx: &mut Cx<'_>, unit: Unit) -> Result<(), CommandError> {
    let (key, time, value) = (cx.arg(1)?, cx.arg(2)?, cx.arg(3)?);
    // A positive time from now is never in the past.
    let deadline = deadline(cx, unit, time)?;
    store_until(cx, key, value, deadline);
    cx.reply.ok();
    Ok(())
}

fn run_getset(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, value) = (cx.arg(1)?, cx.arg(2)?);
    match cx.db.read(key) {
        Some(entry) => value::reply(cx.reply, value::string(entry)?),
        None => cx.reply.null(),
    }
    cx.db.edit(key).set(value::encode(value), Deadline::Clear, SET_EVENT);
    cx.log(&[b"SET", key, value]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{Bench, NOW};

    #[test]
    fn setnx_sets_once() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("SETNX k a"), ":1\r\n");
        assert_eq!(bench.run("SETNX k b"), ":0\r\n");
        assert_eq!(bench.dirty(), 1);
        assert_eq!(bench.run("GETSET k 12"), "$1\r\na\r\n");
        assert_eq!(bench.log(), ["SETNX k a", "SET k 12"]);
        assert_eq!(bench.encoding("k"), "int");
        assert_eq!(bench.run("GETSET other v"), "$-1\r\n");
    }

    #[test]
    fn setex_is_a_set_with_an_absolute_time() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("SETEX k 10 v"), "+OK\r\n");
        assert_eq!(bench.run("PSETEX p 10 v"), "+OK\r\n");
        let lines =
            [format!("SET k v PXAT {}", NOW + 10_000), format!("SET p v PXAT {}", NOW + 10)];
        assert_eq!(bench.log(), lines);
        assert_eq!(bench.run("PSETEX k 0 v"), "-ERR invalid expire time in 'psetex' command\r\n");
        assert_eq!(bench.run("GETSET k w"), "$1\r\nv\r\n");
        assert_eq!(bench.deadline("k"), None);
    }
}
