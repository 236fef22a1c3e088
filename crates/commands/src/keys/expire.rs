//! `EXPIRE`, `PEXPIRE`, `EXPIREAT` and `PEXPIREAT`: give a key a deadline.
//!
//! One command in four units. Replicas and the AOF see the absolute time in milliseconds, so that
//! the key's time comes everywhere at once; a time that has passed already is a deletion, and is
//! logged as one.

use std::cmp::Ordering;

use command::{Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};
use config::rows::LAZYFREE_LAZY_EXPIRE;
use store::{Event, Interest, UnixMs};

use super::ONE_UPDATED;

pub(super) static EXPIRE: DataCommand = DataCommand::new(
    spec("expire", "1.0.0", "Gives a key a time to live in seconds.").args(&[
        KEY,
        Arg::integer("seconds"),
        CONDITION,
    ]),
    |cx| run(cx, Unit { ms: 1000, relative: true }),
);

pub(super) static PEXPIRE: DataCommand = DataCommand::new(
    spec("pexpire", "2.6.0", "Gives a key a time to live in milliseconds.").args(&[
        KEY,
        Arg::integer("milliseconds"),
        CONDITION,
    ]),
    |cx| run(cx, Unit { ms: 1, relative: true }),
);

pub(super) static EXPIREAT: DataCommand = DataCommand::new(
    spec("expireat", "1.2.0", "Lets a key expire at a Unix time in seconds.").args(&[
        KEY,
        Arg::unix_time("unix-time-seconds"),
        CONDITION,
    ]),
    |cx| run(cx, Unit { ms: 1000, relative: false }),
);

pub(super) static PEXPIREAT: DataCommand = DataCommand::new(
    spec("pexpireat", "2.6.0", "Lets a key expire at a Unix time in milliseconds.").args(&[
        KEY,
        Arg::unix_time("unix-time-milliseconds"),
        CONDITION,
    ]),
    |cx| run(cx, Unit { ms: 1, relative: false }),
);

const KEY: Arg = Arg::key("key", 0);
const CONDITION: Arg = Condition::ARG.optional().since("7.0.0");

const fn spec(name: &'static str, since: &'static str, summary: &'static str) -> Spec {
    Spec::new(name, Group::Generic, since, -3, "O(1)", summary)
        .flags(Flags::WRITE.union(Flags::FAST))
        .acl(Categories::KEYSPACE)
        .keys(ONE_UPDATED)
        .history(&[("7.0.0", "Takes the conditions `NX`, `XX`, `GT` and `LT`.")])
}

/// What the number in the command counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unit {
    /// Milliseconds per unit.
    pub(crate) ms: i64,
    /// From now on, and not since 1970.
    pub(crate) relative: bool,
}

impl Unit {
    /// The deadline that `time` means, in milliseconds since 1970; it may have passed. `None` if
    /// it is beyond what can be counted.
    pub(crate) fn deadline(self, time: i64, now: UnixMs) -> Option<i64> {
        let base = if self.relative { i64::try_from(now).ok()? } else { 0 };
        time.checked_mul(self.ms)?.checked_add(base)
    }
}

/// What must hold of the deadline that the key has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Condition {
    /// `XX` (true): there is one. `NX` (false): there is none.
    present: Option<bool>,
    /// `GT`, `LT`: how the new one compares with it. No deadline is later than any.
    order: Option<Ordering>,
}

impl Condition {
    /// The documented argument.
    pub(crate) const ARG: Arg = Arg::one_of(
        "condition",
        &[
            Arg::word("nx", "NX"),
            Arg::word("xx", "XX"),
            Arg::word("gt", "GT"),
            Arg::word("lt", "LT"),
        ],
    );

    /// Takes the next word if it is a condition.
    pub(crate) fn take(reader: &mut ArgReader<'_>) -> Option<Self> {
        let words = [
            ("NX", Self { present: Some(false), order: None }),
            ("XX", Self { present: Some(true), order: None }),
            ("GT", Self { present: None, order: Some(Ordering::Greater) }),
            ("LT", Self { present: None, order: Some(Ordering::Less) }),
        ];
        words.into_iter().find_map(|(word, condition)| reader.token(word).then_some(condition))
    }

    fn parse(mut reader: ArgReader<'_>) -> Result<Self, CommandError> {
        let (mut nx, mut xx, mut gt, mut lt) = (false, false, false, false);
        while reader.more() {
            match () {
                () if reader.token("NX") => nx = true,
                () if reader.token("XX") => xx = true,
                () if reader.token("GT") => gt = true,
                () if reader.token("LT") => lt = true,
                () => {
                    let word = reader.bytes();
                    return Err(CommandError::quoting("ERR Unsupported option ", word, ""));
                }
            }
        }
        if nx && (xx || gt || lt) {
            return Err(CommandError::request(
                "ERR NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        let order = match (gt, lt) {
            (false, false) => None,
            (true, false) => Some(Ordering::Greater),
            (false, true) => Some(Ordering::Less),
            (true, true) => {
                return Err(CommandError::request(
                    "ERR GT and LT options at the same time are not compatible",
                ));
            }
        };
        let present = if nx { Some(false) } else { xx.then_some(true) };
        Ok(Self { present, order })
    }

    /// Whether a key, or a field, with the deadline `present` may get the deadline `new`.
    pub(crate) fn allows(self, present: Option<UnixMs>, new: i64) -> bool {
        if self.present.is_some_and(|wanted| wanted != present.is_some()) {
            return false;
        }
        let Some(order) = self.order else { return true };
        let compared = match present {
            // A time before 1970 is before every deadline.
            Some(present) => u64::try_from(new).map_or(Ordering::Less, |new| new.cmp(&present)),
            None => Ordering::Less,
        };
        compared == order
    }
}

fn run(cx: &mut Cx<'_>, unit: Unit) -> Result<(), CommandError> {
    let condition = Condition::parse(ArgReader::new(cx.args, 3))?;
    let mut reader = cx.reader();
    let (key, time) = (reader.bytes(), reader.integer());
    reader.check()?;
    let now = cx.db.now();
    let deadline = unit.deadline(time, now).ok_or_else(|| CommandError::invalid_expire(cx.name))?;
    let scope = cx.db.scope;

    let mut edit = cx.db.edit(key);
    let allowed = edit.entry().is_some_and(|entry| condition.allows(entry.deadline(), deadline));
    if !allowed {
        cx.reply.integer(0);
        return Ok(());
    }
    match u64::try_from(deadline).ok().filter(|&at| !scope.is_due(at)) {
        Some(at) => {
            edit.set_deadline(Some(at), Event::generic("expire"));
            log_deadline(cx, unit, deadline);
        }
        None => {
            edit.remove(Event::generic("del"));
            let lazy = cx.config.get(LAZYFREE_LAZY_EXPIRE);
            cx.log(&[if lazy { b"UNLINK" } else { b"DEL" }, key]);
        }
    }
    cx.reply.integer(1);
    Ok(())
}

/// Logs the command as `PEXPIREAT`, its conditions included. `PEXPIREAT` itself goes as it came.
fn log_deadline(cx: &mut Cx<'_>, unit: Unit, deadline: i64) {
    let as_sent = unit.ms == 1 && !unit.relative;
    if as_sent || !cx.db.effects.interest.wants(Interest::LOG) {
        return;
    }
    let mut time = Vec::new();
    stdx::num::write_i64(&mut time, deadline);
    let mut args: Vec<&[u8]> = cx.args.iter().collect();
    args[0] = b"PEXPIREAT";
    args[2] = &time;
    cx.log(&args);
}

#[cfg(test)]
mod tests {
    use resp::OwnedArgs;

    use super::*;

    fn parse(words: &[&str]) -> Result<Condition, CommandError> {
        Condition::parse(ArgReader::new(OwnedArgs::from_slices(words).as_args(), 0))
    }

    #[test]
    fn conditions_that_exclude_each_other_are_refused() {
        assert_eq!(parse(&[]), Ok(Condition::default()));
        assert!(parse(&["nx", "NX"]).is_ok() && parse(&["xx", "gt"]).is_ok());
        let text = |words| parse(words).unwrap_err().to_string();
        let nx = "ERR NX and XX, GT or LT options at the same time are not compatible";
        assert_eq!(text(&["nx", "xx"]), nx);
        assert_eq!(text(&["nx", "gt", "lt"]), nx);
        let both = "ERR GT and LT options at the same time are not compatible";
        assert_eq!(text(&["gt", "lt"]), both);
        assert_eq!(text(&["nx", "foo", "xx"]), "ERR Unsupported option foo");
    }

    #[test]
    fn a_key_without_deadline_lives_longer_than_any() {
        let [nx, xx, gt, lt] = ["nx", "xx", "gt", "lt"].map(|word| parse(&[word]).unwrap());
        let table = [
            (nx, None, 5, true),
            (nx, Some(9), 5, false),
            (xx, None, 5, false),
            (xx, Some(9), 5, true),
            (gt, None, i64::MAX, false),
            (gt, Some(9), 9, false),
            (gt, Some(9), 10, true),
            (lt, None, i64::MAX, true),
            (lt, Some(9), 9, false),
            (lt, Some(9), -1, true),
        ];
        for (condition, present, new, allowed) in table {
            assert_eq!(condition.allows(present, new), allowed, "{condition:?} {present:?} {new}");
        }
    }

    #[test]
    fn deadlines_do_not_overflow() {
        let seconds = Unit { ms: 1000, relative: true };
        assert_eq!(seconds.deadline(2, 500), Some(2500));
        assert_eq!(seconds.deadline(-2, 500), Some(-1500));
        assert_eq!(seconds.deadline(i64::MAX / 1000, 1_000), None);
        assert_eq!(seconds.deadline(i64::MIN, 500), None);
        let absolute_ms = Unit { ms: 1, relative: false };
        assert_eq!(absolute_ms.deadline(i64::MAX, 500), Some(i64::MAX));
    }
}
