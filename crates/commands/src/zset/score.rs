//! The scores of members: `ZSCORE`, `ZMSCORE`.

use collections::sorted_set::SortedSet;
use command::{Arg, CommandError, Cx, DataCommand};
use resp::{Args, Reply};

use super::{ONE_READ, READ_FAST, spec};
use crate::look_ahead::LookAhead;

/// `ZSCORE key member`.
pub static ZSCORE: DataCommand = DataCommand::new(
    spec("zscore", "1.2.0", 3, "O(1)", "Returns the score of a member.")
        .flags(READ_FAST)
        .keys(ONE_READ)
        .element(2)
        .args(&[Arg::key("key", 0), Arg::string("member")]),
    run_score,
);

/// `ZMSCORE key member [member ...]`.
pub static ZMSCORE: DataCommand = DataCommand::new(
    spec(
        "zmscore",
        "6.2.0",
        -3,
        "O(N) with the number N of members asked for.",
        "Returns the scores of several members, null for each that is not there.",
    )
    .flags(READ_FAST)
    .keys(ONE_READ)
    .element(2)
    .args(&[Arg::key("key", 0), Arg::string("member").multiple()]),
    run_scores,
);

fn write(reply: &mut Reply, score: Option<f64>) {
    match score {
        Some(score) => reply.double(score),
        None => reply.null(),
    }
}

fn run_score(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, member) = (cx.arg(1)?, cx.arg(2)?);
    let set = cx.db.get::<SortedSet>(key)?;
    write(cx.reply, set.and_then(|set| set.score(member)));
    Ok(())
}

fn run_scores(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, members) = (cx.arg(1)?, cx.args.tail(2));
    let set = cx.db.get::<SortedSet>(key)?;
    cx.reply.array(members.len());
    scores(set, members).for_each(|score| write(cx.reply, score));
    Ok(())
}

/// The score of each member, or none for one that is not there.
pub(crate) fn scores(
    set: Option<&SortedSet>,
    members: Args<'_>,
) -> impl Iterator<Item = Option<f64>> {
    let mut ahead = LookAhead::new(members.iter(), members.len());
    members.iter().map(move |member| {
        let set = set?;
        ahead.step(set);
        set.score(member)
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn scores_in_both_versions() {
        let mut bench = Bench::new();
        bench.run("ZADD z 1.5 a -0 b 1e21 c");
        assert_eq!(bench.run("ZSCORE z a"), "$3\r\n1.5\r\n");
        assert_eq!(bench.run("ZSCORE z x"), "$-1\r\n");
        assert_eq!(bench.run("ZSCORE none x"), "$-1\r\n");
        bench.resp3();
        assert_eq!(bench.run("ZMSCORE z a x b c"), "*4\r\n,1.5\r\n_\r\n,0\r\n,1e+21\r\n");
        assert_eq!(bench.run("ZMSCORE none x y"), "*2\r\n_\r\n_\r\n");
    }
}
