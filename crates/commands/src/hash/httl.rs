//! `HTTL`, `HPTTL`, `HEXPIRETIME` and `HPEXPIRETIME`: when fields of a hash expire.

use collections::hash::Hash;
use command::{Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};
use store::UnixMs;

use super::READ;
use super::fields::{self, KEY_AND_FIELDS, NO_DEADLINE, NO_FIELD};

/// `HTTL key FIELDS numfields field [field ...]`.
pub(super) static HTTL: DataCommand = DataCommand::new(
    spec("httl", "Returns in how many seconds fields of a hash expire.")
        .tips(&["nondeterministic_output"]),
    |cx| run(cx, |deadline, now| deadline.saturating_sub(now).div_ceil(1000)),
);

/// `HPTTL key FIELDS numfields field [field ...]`.
pub(super) static HPTTL: DataCommand = DataCommand::new(
    spec("hpttl", "Returns in how many milliseconds fields of a hash expire.")
        .tips(&["nondeterministic_output"]),
    |cx| run(cx, |deadline, now| deadline.saturating_sub(now)),
);

/// `HEXPIRETIME key FIELDS numfields field [field ...]`.
pub(super) static HEXPIRETIME: DataCommand = DataCommand::new(
    spec("hexpiretime", "Returns the Unix times in seconds at which fields of a hash expire."),
    |cx| run(cx, |deadline, _| deadline.div_ceil(1000)),
);

/// `HPEXPIRETIME key FIELDS numfields field [field ...]`.
pub(super) static HPEXPIRETIME: DataCommand = DataCommand::new(
    spec(
        "hpexpiretime",
        "Returns the Unix times in milliseconds at which fields of a hash expire.",
    ),
    |cx| run(cx, |deadline, _| deadline),
);

const fn spec(name: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Hash, "7.4.0", -5, "O(N) for N fields.", summary)
        .flags(Flags::READONLY.union(Flags::FAST))
        .acl(Categories::HASH)
        .keys(READ)
        .args(KEY_AND_FIELDS)
}

fn run(cx: &mut Cx<'_>, shown: impl Fn(UnixMs, UnixMs) -> u64) -> Result<(), CommandError> {
    let (key, now) = (cx.arg(1)?, cx.db.now());
    let hash = cx.db.get::<Hash>(key)?;
    let mut reader = command::ArgReader::new(cx.args, 1);
    reader.bytes();
    let fields = fields::named(reader)?;
    cx.reply.array(fields.len());
    for field in fields {
        let field = hash.and_then(|hash| hash.find(field)).filter(|field| !field.is_due(now));
        cx.reply.integer(match field.map(|field| field.deadline) {
            None => NO_FIELD,
            Some(None) => NO_DEADLINE,
            Some(Some(deadline)) => i64::try_from(shown(deadline, now)).unwrap_or(i64::MAX),
        });
    }
    Ok(())
}
