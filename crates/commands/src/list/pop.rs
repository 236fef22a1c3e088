//! `LPOP` and `RPOP`.

use collections::list::{End, List, Removed};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change};

const KEYS: &[KeySpec] =
    &[KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE))];
const ARGS: &[Arg] = &[Arg::key("key", 0), Arg::integer("count").since("6.2.0").optional()];

const fn spec(name: &'static str, summary: &'static str) -> Spec {
    let complexity = "O(N) where N is the number of elements returned.";
    Spec::new(name, Group::List, "1.0.0", -2, complexity, summary)
        .flags(Flags::WRITE.union(Flags::FAST))
        .acl(Categories::LIST)
        .keys(KEYS)
        .args(ARGS)
        .history(&[("6.2.0", "Added the `count` argument.")])
}

/// `LPOP key [count]`.
pub static LPOP: DataCommand = DataCommand::new(
    spec("lpop", "Removes the first elements of a list and returns them."),
    |cx| pop(cx, End::Front),
);

/// `RPOP key [count]`.
pub static RPOP: DataCommand =
    DataCommand::new(spec("rpop", "Removes the last elements of a list and returns them."), |cx| {
        pop(cx, End::Back)
    });

fn pop(cx: &mut Cx<'_>, end: End) -> Result<(), CommandError> {
    if cx.args.len() > 3 {
        return Err(CommandError::arity(cx.name));
    }
    if cx.args.len() == 3 {
        return pop_many(cx, end);
    }
    let (key, limits, reply) = (cx.arg(1)?, super::limits(cx.config), &mut *cx.reply);
    let found = cx.db.edit(key).update::<List, _>(Absent::Ignore, |list| {
        list.pop(end, limits, |item| super::reply_item(reply, item));
        Change::made(1, super::popped(end), ())
    })?;
    if found.is_none() {
        cx.reply.null();
    }
    Ok(())
}

/// With a count, the reply is an array; a count of 0 is allowed and changes nothing.
fn pop_many(cx: &mut Cx<'_>, end: End) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    let count = reader.integer_in(0..=i64::MAX, CommandError::NOT_POSITIVE);
    reader.finish()?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let (limits, reply) = (super::limits(cx.config), &mut *cx.reply);
    let found = cx.db.edit(key).update::<List, _>(Absent::Ignore, |list| {
        let count = count.min(list.len());
        if count == 0 {
            reply.array(0);
            return Change::none(Removed::default());
        }
        let removed = super::reply_popped(reply, list, end, count, limits);
        Change::made(count as u64, super::popped(end), removed)
    })?;
    match found {
        Some(removed) => cx.db.effects.discard_part(removed),
        None => cx.reply.null_array(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn takes_from_both_ends_until_the_key_is_gone() {
        let mut bench = Bench::new();
        bench.run("RPUSH k a 2 c");
        bench.clear();
        assert_eq!(bench.run("LPOP k"), "$1\r\na\r\n");
        assert_eq!(bench.run("RPOP k"), "$1\r\nc\r\n");
        assert_eq!(bench.run("RPOP k"), "$1\r\n2\r\n");
        assert_eq!(bench.run("LPOP k"), "$-1\r\n");
        assert_eq!(bench.events(), ["lpop k", "rpop k", "rpop k", "del k"]);
        assert_eq!(bench.log(), ["LPOP k", "RPOP k", "RPOP k"]);
        assert_eq!(bench.dirty(), 3);
    }

    #[test]
    fn a_count_makes_an_array() {
        let mut bench = Bench::new();
        bench.run("RPUSH k a b c d");
        bench.clear();
        assert_eq!(bench.run("RPOP k 2"), "*2\r\n$1\r\nd\r\n$1\r\nc\r\n");
        assert_eq!(bench.run("LPOP k 0"), "*0\r\n");
        assert_eq!(bench.dirty(), 2);
        assert_eq!(bench.run("LPOP k 9223372036854775807"), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
        assert_eq!(bench.run("LPOP k 1"), "*-1\r\n");
        assert_eq!(bench.events(), ["rpop k", "lpop k", "del k"]);
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        bench.run("SET s x");
        assert!(bench.run("LPOP s").starts_with("-WRONGTYPE "));
        assert!(bench.run("RPOP s 1").starts_with("-WRONGTYPE "));
        for line in ["LPOP k -1", "LPOP k x"] {
            assert_eq!(bench.run(line), "-ERR value is out of range, must be positive\r\n");
        }
        assert_eq!(
            bench.run("RPOP k 1 2"),
            "-ERR wrong number of arguments for 'rpop' command\r\n"
        );
    }
}
