//! `LMPOP`, and what `BLMPOP` shares with it.

use collections::list::{End, List};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change, ValueType};

use crate::first_key::{self, Family};

pub(super) const COMPLEXITY: &str =
    "O(N+M) where N is the number of keys and M the number of elements returned.";
/// With the timeout of `BLMPOP` in front.
pub(super) static ARGS: [Arg; 5] = first_key::multi_args(super::ENDS);

/// `LMPOP numkeys key [key ...] LEFT | RIGHT [COUNT count]`.
pub static LMPOP: DataCommand = DataCommand::new(
    Spec::new(
        "lmpop",
        Group::List,
        "7.0.0",
        -4,
        COMPLEXITY,
        "Removes elements from an end of the first list that exists and returns them.",
    )
    .flags(Flags::WRITE.union(Flags::MOVABLE_KEYS))
    .acl(Categories::LIST)
    .keys(&[KeySpec::counted(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE), 1)])
    .args(first_key::without_timeout(&ARGS)),
    |cx| LISTS.run(cx),
);

/// Several elements of the first list that exists.
pub(super) static LISTS: Family<End> = Family { wanted: ValueType::List, end: super::end, take };

fn take(cx: &mut Cx<'_>, key: &[u8], end: End, at_most: usize) -> Result<bool, CommandError> {
    let (limits, reply) = (super::limits(cx.config), &mut *cx.reply);
    let popped = cx.db.edit(key).update::<List, _>(Absent::Ignore, |list| {
        let count = at_most.min(list.len());
        reply.array(2);
        reply.bulk(key);
        let removed = super::reply_popped(reply, list, end, count, limits);
        Change::made(count as u64, super::popped(end), (count, removed))
    })?;
    let Some((count, removed)) = popped else { return Ok(false) };
    cx.db.effects.discard_part(removed);
    // Replicas need not look for the list again.
    let name: &[u8] = if end == End::Front { b"LPOP" } else { b"RPOP" };
    cx.log(&[name, key, count.to_string().as_bytes()]);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn takes_from_the_first_list_that_exists() {
        let mut bench = Bench::new();
        bench.run("RPUSH k a b c");
        bench.clear();
        assert_eq!(bench.run("LMPOP 2 missing k LEFT"), "*2\r\n$1\r\nk\r\n*1\r\n$1\r\na\r\n");
        assert_eq!(
            bench.run("lmpop 1 k right count 10"),
            "*2\r\n$1\r\nk\r\n*2\r\n$1\r\nc\r\n$1\r\nb\r\n"
        );
        assert_eq!(bench.run("LMPOP 1 k LEFT"), "*-1\r\n");
        assert_eq!(bench.log(), ["LPOP k 1", "RPOP k 2"]);
        assert_eq!(bench.events(), ["lpop k", "rpop k", "del k"]);
        assert_eq!(bench.dirty(), 3);
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        bench.run("SET s x");
        assert!(bench.run("LMPOP 2 missing s LEFT").starts_with("-WRONGTYPE "));
        for (line, error) in [
            ("LMPOP 0 s LEFT", "numkeys should be greater than 0"),
            ("LMPOP x s LEFT", "numkeys should be greater than 0"),
            ("LMPOP 2 s LEFT", "syntax error"),
            ("LMPOP 9223372036854775807 s LEFT", "syntax error"),
            ("LMPOP 1 s UP", "syntax error"),
            ("LMPOP 1 s LEFT COUNT", "syntax error"),
            ("LMPOP 1 s LEFT COUNT 0", "count should be greater than 0"),
            ("LMPOP 1 s LEFT COUNT x", "count should be greater than 0"),
            ("LMPOP 1 s LEFT COUNT 1 COUNT 1", "syntax error"),
            ("LMPOP 1 s LEFT LIMIT 1", "syntax error"),
        ] {
            assert_eq!(bench.run(line), format!("-ERR {error}\r\n"), "{line}");
        }
    }
}
