//! The commands that wait for a member: `BZPOPMIN`, `BZPOPMAX`, `BZMPOP`. Each does what its
//! sibling without the `B` does, and says what it waits for where that would answer that there is
//! nothing. Replicas see the sibling.

use command::{Arg, CommandError, Cx, DataCommand, Flags, KeySpec};
use store::ValueType;

use crate::first_key;

use super::pop::{End, MULTI_ARGS, MULTI_COMPLEXITY, SORTED_SETS, pop};
use super::{TAKE, reply, spec};

const COMPLEXITY: &str = "O(log(N)) with the number N of members in the sorted set.";
const KEYS: &[KeySpec] = &[KeySpec::range(TAKE, 1, -2, 1)];
const ARGS: &[Arg] = &[Arg::key("key", 0).multiple(), Arg::double("timeout")];
const FLAGS: Flags = Flags::WRITE.union(Flags::FAST).union(Flags::BLOCKING);

/// `BZPOPMIN key [key ...] timeout`.
pub static BZPOPMIN: DataCommand = DataCommand::new(
    spec(
        "bzpopmin",
        "5.0.0",
        -3,
        COMPLEXITY,
        "Removes the member of lowest score, or waits for it.",
    )
    .flags(FLAGS)
    .keys(KEYS)
    .args(ARGS)
    .history(&[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")]),
    |cx| run(cx, End::Min),
);

/// `BZPOPMAX key [key ...] timeout`.
pub static BZPOPMAX: DataCommand = DataCommand::new(
    spec(
        "bzpopmax",
        "5.0.0",
        -3,
        COMPLEXITY,
        "Removes the member of highest score, or waits for it.",
    )
    .flags(FLAGS)
    .keys(KEYS)
    .args(ARGS)
    .history(&[("6.0.0", "`timeout` is interpreted as a double instead of an integer.")]),
    |cx| run(cx, End::Max),
);

/// `BZMPOP timeout numkeys key [key ...] <MIN | MAX> [COUNT count]`.
pub static BZMPOP: DataCommand = DataCommand::new(
    spec(
        "bzmpop",
        "7.0.0",
        -5,
        MULTI_COMPLEXITY,
        "Removes the lowest or highest members of the first key that has any, or waits for them.",
    )
    .flags(Flags::WRITE.union(Flags::BLOCKING).union(Flags::MOVABLE_KEYS))
    .keys(&[KeySpec::counted(TAKE, 2)])
    .args(&MULTI_ARGS),
    |cx| SORTED_SETS.run_waiting(cx),
);

fn run(cx: &mut Cx<'_>, end: End) -> Result<(), CommandError> {
    first_key::pop_or_wait(cx, ValueType::SortedSet, |cx, key| {
        let reply = &mut *cx.reply;
        let popped = pop(&mut cx.db.edit(key), end, 1, |elements| {
            reply.array(3);
            reply.bulk(key);
            elements.for_each(|element| reply::both(reply, element));
        })?;
        if popped > 0 {
            cx.log(&[end.command().to_ascii_uppercase().as_bytes(), key]);
        }
        Ok(popped > 0)
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn replicas_see_the_commands_that_do_not_wait() {
        let mut bench = Bench::new();
        bench.run("ZADD z 1 a 2 b 3 c 4 d");
        bench.clear();
        assert_eq!(bench.run("BZPOPMIN none z 0"), "*3\r\n$1\r\nz\r\n$1\r\na\r\n$1\r\n1\r\n");
        assert_eq!(bench.run("BZPOPMAX z 1"), "*3\r\n$1\r\nz\r\n$1\r\nd\r\n$1\r\n4\r\n");
        bench.run("BZMPOP 0 2 none z MAX COUNT 5");
        assert_eq!(bench.log(), ["ZPOPMIN z", "ZPOPMAX z", "ZPOPMAX z 2"]);
        assert_eq!(bench.run("BZPOPMIN none z 0"), "", "nothing is replied by who waits");
        assert_eq!(bench.run("BZMPOP 0 1 z MIN"), "");
        assert_eq!(bench.dirty(), 4);
    }
}
