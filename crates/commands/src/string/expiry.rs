//! The expire options that `SET`, `GETEX`, `MSETEX` and `INCREX` share, and what they do.

use command::spec::{Arg, ArgKind};
use command::{ArgReader, CommandError, Cx};
use config::rows::LAZYFREE_LAZY_EXPIRE;
use store::{Event, UnixMs};

/// How an expire time is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Seconds from now.
    Ex,
    /// Milliseconds from now.
    Px,
    /// Unix time in seconds.
    ExAt,
    /// Unix time in milliseconds.
    PxAt,
}

/// What a command line says about the key's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Expiry<'a> {
    /// Nothing.
    #[default]
    Unsaid,
    /// `KEEPTTL`.
    Keep,
    /// `PERSIST`.
    Persist,
    /// A time, not parsed yet: its errors come after those of the syntax.
    Time(Unit, &'a [u8]),
}

impl<'a> Expiry<'a> {
    /// Takes the next option if it is one of `EX`, `PX`, `EXAT`, `PXAT` with their argument. The
    /// same option may be repeated, another one is refused.
    pub(crate) fn take_time(&mut self, reader: &mut ArgReader<'a>) -> bool {
        let units =
            [("EX", Unit::Ex), ("PX", Unit::Px), ("EXAT", Unit::ExAt), ("PXAT", Unit::PxAt)];
        for (token, unit) in units {
            let allowed = match *self {
                Self::Unsaid => true,
                Self::Time(before, _) => before == unit,
                Self::Keep | Self::Persist => false,
            };
            if allowed && reader.option(token) {
                *self = Self::Time(unit, reader.bytes());
                return true;
            }
        }
        false
    }

    /// Takes the next option if it is the word `token`, which means `meaning`.
    pub(crate) fn take_word(
        &mut self,
        reader: &mut ArgReader<'a>,
        token: &str,
        meaning: Self,
    ) -> bool {
        let taken = (*self == Self::Unsaid || *self == meaning) && reader.token(token);
        if taken {
            *self = meaning;
        }
        taken
    }

    /// The deadline that a time given as an option means.
    ///
    /// # Errors
    /// If it is no integer, not positive, or beyond the clock's range.
    pub(crate) fn deadline(self, cx: &Cx<'_>) -> Result<Option<UnixMs>, CommandError> {
        match self {
            Self::Unsaid | Self::Keep | Self::Persist => Ok(None),
            Self::Time(unit, text) => deadline(cx, unit, text).map(Some),
        }
    }
}

/// The deadline that `text` means.
///
/// # Errors
/// If it is no integer, not positive, or beyond the clock's range.
pub(crate) fn deadline(cx: &Cx<'_>, unit: Unit, text: &[u8]) -> Result<UnixMs, CommandError> {
    let value = stdx::num::parse_i64(text).ok_or(CommandError::NOT_INTEGER)?;
    let in_range = || {
        let ms = match unit {
            Unit::Ex | Unit::ExAt => value.checked_mul(1000)?,
            Unit::Px | Unit::PxAt => value,
        };
        let base = match unit {
            Unit::Ex | Unit::Px => i64::try_from(cx.db.now()).ok()?,
            Unit::ExAt | Unit::PxAt => 0,
        };
        let deadline = ms.checked_add(base)?;
        if value > 0 { u64::try_from(deadline).ok() } else { None }
    };
    in_range().ok_or_else(|| CommandError::invalid_expire(cx.name))
}

/// Deletes `keys` because the deadline that they were given has passed already. Replicas see a
/// deletion, as the clock is the primary's.
pub(crate) fn expire_at_once<'k>(cx: &mut Cx<'_>, keys: impl Iterator<Item = &'k [u8]>) {
    let lazy = cx.config.get(LAZYFREE_LAZY_EXPIRE);
    let mut line: Vec<&[u8]> = vec![if lazy { b"UNLINK" } else { b"DEL" }];
    for key in keys {
        if cx.db.edit(key).remove(Event::generic("del")) {
            line.push(key);
        }
    }
    if line.len() > 1 {
        cx.log(&line);
    }
}

/// Name of the event of a new deadline.
pub(crate) const EXPIRE: Event = Event::generic("expire");
/// Name of the event of a removed deadline.
pub(crate) const PERSIST: Event = Event::generic("persist");

/// The documented `EX`, `PX`, `EXAT`, `PXAT` of a command that had them from its beginning, and a
/// fifth alternative.
pub(crate) const fn documented(last: Arg) -> [Arg; 5] {
    [
        Arg::integer("seconds").token("EX"),
        Arg::integer("milliseconds").token("PX"),
        Arg::unix_time("unix-time-seconds").token("EXAT"),
        Arg::new("unix-time-milliseconds", ArgKind::UnixTime).token("PXAT"),
        last,
    ]
}
