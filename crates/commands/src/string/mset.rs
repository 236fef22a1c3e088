//! Setting several keys at once: `MSET`, `MSETNX`.

use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::Deadline;

use super::set::SET_EVENT;
use super::value;

const COMPLEXITY: &str = "O(N) where N is the number of keys to set.";
const PAIRS: &[Arg] = &[Arg::block("data", &[Arg::key("key", 0), Arg::string("value")]).multiple()];

/// `MSET key value [key value ...]`.
pub static MSET: DataCommand = DataCommand::new(
    Spec::new("mset", Group::String, "1.0.1", -3, COMPLEXITY, "Sets several keys to strings.")
        .flags(Flags::WRITE.union(Flags::DENYOOM))
        .acl(Categories::STRING)
        .keys(&[KeySpec::range(KeyFlags::OW.union(KeyFlags::UPDATE), 1, -1, 2)])
        .args(PAIRS)
        .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"]),
    run_mset,
);

/// `MSETNX key value [key value ...]`.
pub static MSETNX: DataCommand = DataCommand::new(
    Spec::new(
        "msetnx",
        Group::String,
        "1.0.1",
        -3,
        COMPLEXITY,
        "Sets several keys to strings if none of the keys exists.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM))
    .acl(Categories::STRING)
    .keys(&[KeySpec::range(KeyFlags::OW.union(KeyFlags::INSERT), 1, -1, 2)])
    .args(PAIRS),
    run_msetnx,
);

/// The pairs of key and value.
///
/// # Errors
/// If the last key has no value.
fn pairs<'a>(
    cx: &Cx<'a>,
) -> Result<impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone + use<'a>, CommandError> {
    if cx.args.len().is_multiple_of(2) {
        return Err(CommandError::arity(cx.name));
    }
    Ok(cx.args.tail(1).pairs())
}

fn run_mset(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    for (key, value) in pairs(cx)? {
        cx.db.edit(key).set(value::encode(value), Deadline::Clear, SET_EVENT);
    }
    cx.reply.ok();
    Ok(())
}

fn run_msetnx(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let pairs = pairs(cx)?;
    let free = pairs.clone().all(|(key, _)| !cx.db.edit(key).exists());
    if free {
        for (key, value) in pairs {
            cx.db.edit(key).set(value::encode(value), Deadline::Clear, SET_EVENT);
        }
    }
    cx.reply.integer(i64::from(free));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn the_last_of_equal_keys_wins() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("MSET a 1 b 2 a 3"), "+OK\r\n");
        assert_eq!(bench.run("MGET a b"), "*2\r\n$1\r\n3\r\n$1\r\n2\r\n");
        assert_eq!(bench.events(), ["new a", "set a", "new b", "set b", "set a"]);
        assert_eq!(bench.log(), ["MSET a 1 b 2 a 3"]);
    }

    #[test]
    fn msetnx_sets_all_or_nothing() {
        let mut bench = Bench::new();
        bench.run("SET b 0");
        bench.clear();
        assert_eq!(bench.run("MSETNX a 1 b 2"), ":0\r\n");
        assert_eq!((bench.dirty(), bench.run("GET a")), (0, "$-1\r\n".into()));
        assert_eq!(bench.run("MSETNX a 1 c 2 a 3"), ":1\r\n");
        assert_eq!(bench.run("GET a"), "$1\r\n3\r\n");
    }

    #[test]
    fn pairs_must_be_complete() {
        let mut bench = Bench::new();
        for name in ["mset", "msetnx"] {
            assert_eq!(
                bench.run(&format!("{name} a 1 b")),
                format!("-ERR wrong number of arguments for '{name}' command\r\n")
            );
        }
    }
}
