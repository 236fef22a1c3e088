//! `TTL`, `PTTL`, `EXPIRETIME` and `PEXPIRETIME`: when a key's time comes.
//!
//! One question in four units: from now or since 1970, in seconds or milliseconds. Seconds are
//! rounded to the nearest. -1 stands for a key without a deadline, -2 for no key.

use command::{Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};
use store::UnixMs;

use super::ONE_READ;

pub(super) static TTL: DataCommand = DataCommand::new(
    spec("ttl", "1.0.0", "Tells how many seconds a key has to live.")
        .history(MISSING_IS_TOLD)
        .tips(CHANGES_BY_ITSELF),
    |cx| run(cx, |deadline, now| to_seconds(deadline - now)),
);

pub(super) static PTTL: DataCommand = DataCommand::new(
    spec("pttl", "2.6.0", "Tells how many milliseconds a key has to live.")
        .history(MISSING_IS_TOLD)
        .tips(CHANGES_BY_ITSELF),
    |cx| run(cx, |deadline, now| deadline - now),
);

pub(super) static EXPIRETIME: DataCommand = DataCommand::new(
    spec("expiretime", "7.0.0", "Tells when a key expires, as a Unix time in seconds."),
    |cx| run(cx, |deadline, _| to_seconds(deadline)),
);

pub(super) static PEXPIRETIME: DataCommand = DataCommand::new(
    spec("pexpiretime", "7.0.0", "Tells when a key expires, as a Unix time in milliseconds."),
    |cx| run(cx, |deadline, _| deadline),
);

const MISSING_IS_TOLD: &[(&str, &str)] = &[("2.8.0", "Answers -2 if there is no such key.")];
const ARGS: &[Arg] = &[Arg::key("key", 0)];
const CHANGES_BY_ITSELF: &[&str] = &["nondeterministic_output"];

const fn spec(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Generic, since, 2, "O(1)", summary)
        .flags(Flags::READONLY.union(Flags::FAST))
        .acl(Categories::KEYSPACE)
        .keys(ONE_READ)
        .args(ARGS)
}

/// Answers with the key's deadline, as `shape` makes it from the deadline and the time of now. A
/// key that is found has a deadline in the future.
fn run(cx: &mut Cx<'_>, shape: fn(UnixMs, UnixMs) -> u64) -> Result<(), CommandError> {
    let (key, now) = (cx.arg(1)?, cx.db.now());
    let answer = match cx.db.inspect(key).map(|entry| entry.deadline()) {
        None => -2,
        Some(None) => -1,
        Some(Some(deadline)) => i64::try_from(shape(deadline, now)).unwrap_or(i64::MAX),
    };
    cx.reply.integer(answer);
    Ok(())
}

const fn to_seconds(ms: u64) -> u64 {
    ms.saturating_add(500) / 1000
}
