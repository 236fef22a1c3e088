//! `GETEX`: `GET` that also changes when the key expires.

use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};

use super::expiry::{self, EXPIRE, Expiry, PERSIST, expire_at_once};
use super::value;

/// `GETEX key [EX seconds | PX ms | EXAT unix-seconds | PXAT unix-ms | PERSIST]`.
pub static GETEX: DataCommand = DataCommand::new(
    Spec::new(
        "getex",
        Group::String,
        "6.2.0",
        -2,
        "O(1)",
        "Returns the string of a key and sets or removes the key's deadline.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::STRING)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))
        .notes("RW and UPDATE because it changes the TTL")])
    .args(&[Arg::key("key", 0), Arg::one_of("expiration", EXPIRATIONS).optional()]),
    run,
);

const EXPIRATIONS: &[Arg] = &expiry::documented(Arg::word("persist", "PERSIST"));

fn parse<'a>(mut reader: ArgReader<'a>) -> Result<Expiry<'a>, CommandError> {
    let mut expiry = Expiry::Unsaid;
    while reader.more() {
        if !expiry.take_time(&mut reader)
            && !expiry.take_word(&mut reader, "PERSIST", Expiry::Persist)
        {
            reader.unknown();
        }
    }
    reader.finish()?;
    Ok(expiry)
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    let expiry = parse(reader)?;
    let Some(entry) = cx.db.read(key) else {
        cx.reply.null();
        return Ok(());
    };
    value::reply(cx.reply, value::string(entry)?);
    let had_deadline = entry.deadline().is_some();
    if expiry == Expiry::Persist && had_deadline {
        cx.db.edit(key).set_deadline(None, PERSIST);
        cx.log(&[b"PERSIST", key]);
    }
    let Some(deadline) = expiry.deadline(cx)? else { return Ok(()) };
    if cx.db.is_due(deadline) {
        expire_at_once(cx, [key].into_iter());
        return Ok(());
    }
    cx.db.edit(key).set_deadline(Some(deadline), EXPIRE);
    let mut digits = value::Digits::new();
    cx.log(&[b"PEXPIREAT", key, digits.format(deadline).as_bytes()]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::{Bench, NOW};

    #[test]
    fn reads_only_without_option() {
        let mut bench = Bench::new();
        bench.run("SET k v EX 10");
        bench.clear();
        assert_eq!(bench.run("GETEX k"), "$1\r\nv\r\n");
        assert!(bench.log().is_empty() && bench.dirty() == 0);
        assert_eq!(bench.deadline("k"), Some(NOW + 10_000));
    }

    #[test]
    fn changes_the_deadline() {
        let mut bench = Bench::new();
        bench.run("SET k v");
        bench.clear();
        assert_eq!(bench.run("GETEX k EX 10 EX 20"), "$1\r\nv\r\n");
        assert_eq!(bench.deadline("k"), Some(NOW + 20_000));
        bench.run("GETEX k PERSIST");
        bench.run("GETEX k PERSIST");
        bench.run("GETEX k EXAT 1");
        assert_eq!(bench.run("GET k"), "$-1\r\n");
        let lines = [format!("PEXPIREAT k {}", NOW + 20_000), "PERSIST k".into(), "DEL k".into()];
        assert_eq!(bench.log(), lines);
        assert_eq!(bench.events(), ["expire k", "persist k", "del k"]);
    }

    #[test]
    fn a_missing_key_hides_a_bad_time_but_not_bad_syntax() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("GETEX k EX abc"), "$-1\r\n");
        assert_eq!(bench.run("GETEX k EX 1 PERSIST"), "-ERR syntax error\r\n");
        bench.run("SET k v");
        assert_eq!(bench.run("GETEX k PX 0"), "-ERR invalid expire time in 'getex' command\r\n");
    }
}
