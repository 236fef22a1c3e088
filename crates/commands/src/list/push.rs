//! `LPUSH` and `RPUSH`, and their forms `LPUSHX` and `RPUSHX` that need an existing list.

use collections::list::{End, List};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change};

const COMPLEXITY: &str = "O(N) where N is the number of elements added.";
const MANY_SINCE_2_4: &[(&str, &str)] = &[("2.4.0", "Accepts multiple `element` arguments.")];
const MANY_SINCE_4_0: &[(&str, &str)] = &[("4.0.0", "Accepts multiple `element` arguments.")];

const KEYS: &[KeySpec] = &[KeySpec::first(KeyFlags::RW.union(KeyFlags::INSERT))];
const ARGS: &[Arg] = &[Arg::key("key", 0), Arg::string("element").multiple()];

const fn spec(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::List, since, -3, COMPLEXITY, summary)
        .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
        .acl(Categories::LIST)
        .keys(KEYS)
        .args(ARGS)
}

/// `LPUSH key element [element ...]`.
pub static LPUSH: DataCommand = DataCommand::new(
    spec(
        "lpush",
        "1.0.0",
        "Adds elements in front of a list, one by one. Creates the key if it does not exist.",
    )
    .history(MANY_SINCE_2_4),
    |cx| push(cx, End::Front, Absent::Create),
);

/// `LPUSHX key element [element ...]`.
pub static LPUSHX: DataCommand = DataCommand::new(
    spec("lpushx", "2.2.0", "Adds elements in front of a list only if it exists.")
        .history(MANY_SINCE_4_0),
    |cx| push(cx, End::Front, Absent::Ignore),
);

/// `RPUSH key element [element ...]`.
pub static RPUSH: DataCommand = DataCommand::new(
    spec(
        "rpush",
        "1.0.0",
        "Adds elements at the end of a list. Creates the key if it does not exist.",
    )
    .history(MANY_SINCE_2_4),
    |cx| push(cx, End::Back, Absent::Create),
);

/// `RPUSHX key element [element ...]`.
pub static RPUSHX: DataCommand = DataCommand::new(
    spec("rpushx", "2.2.0", "Adds elements at the end of a list only if it exists.")
        .history(MANY_SINCE_4_0),
    |cx| push(cx, End::Back, Absent::Ignore),
);

fn push(cx: &mut Cx<'_>, end: End, absent: Absent) -> Result<(), CommandError> {
    let (key, args, limits) = (cx.arg(1)?, cx.args, super::limits(cx.config));
    let elements = || args.iter().skip(2);
    let len = cx.db.edit(key).update::<List, _>(absent, |list| {
        list.prepare(elements(), limits);
        elements().for_each(|element| list.push(end, element, limits));
        Change::made(elements().count() as u64, super::pushed(end), list.len())
    })?;
    cx.reply.integer(len.unwrap_or(0) as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn adds_in_order_at_both_ends() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("RPUSH k c 4"), ":2\r\n");
        assert_eq!(bench.run("LPUSH k b a"), ":4\r\n");
        assert_eq!(
            bench.run("LRANGE k 0 -1"),
            "*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\n4\r\n"
        );
        assert_eq!(bench.events(), ["new k", "rpush k", "lpush k"]);
        assert_eq!(bench.dirty(), 4);
    }

    #[test]
    fn the_x_forms_need_a_list() {
        let mut bench = Bench::new();
        assert_eq!(bench.run("LPUSHX k a"), ":0\r\n");
        assert_eq!(bench.run("RPUSHX k a"), ":0\r\n");
        assert_eq!(bench.run("EXISTS k"), ":0\r\n");
        assert!(bench.events().is_empty() && bench.dirty() == 0);
        bench.run("RPUSH k b");
        assert_eq!(bench.run("LPUSHX k a"), ":2\r\n");
        assert_eq!(bench.run("RPUSHX k c d"), ":4\r\n");
    }

    #[test]
    fn refuses_other_types_and_keeps_the_deadline() {
        let mut bench = Bench::new();
        bench.run("SET s x");
        for name in ["LPUSH", "RPUSH", "LPUSHX", "RPUSHX"] {
            assert!(bench.run(&format!("{name} s a")).starts_with("-WRONGTYPE "));
        }
        bench.run("RPUSH k a");
        bench.run("PEXPIREAT k 4000000000000");
        bench.run("RPUSH k b");
        assert_eq!(bench.deadline("k"), Some(4_000_000_000_000));
    }

    #[test]
    fn all_elements_together_decide_about_the_encoding() {
        let mut bench = Bench::new();
        bench.config("list-max-listpack-size", "3");
        bench.run("RPUSH k 1 2 3");
        assert_eq!(bench.encoding("k"), "listpack");
        bench.run("RPUSH k 4");
        assert_eq!(bench.encoding("k"), "quicklist");
        bench.run("LPOP k 3");
        assert_eq!(bench.encoding("k"), "listpack");
    }
}
