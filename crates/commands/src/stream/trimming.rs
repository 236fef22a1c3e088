//! The trimming options of `XADD` and `XTRIM`:
//! `MAXLEN|MINID [=|~] threshold [LIMIT count] [KEEPREF|DELREF|ACKED]`.
//!
//! An approximate trim removes whole blocks only, at most `LIMIT` entries. What it removed depends
//! on how the stream is cut into blocks, so the log has an exact trim with the same result.

use collections::stream::{Id, Log, References, Trim, TrimTo};
use command::{Arg, ArgReader, CommandError};
use config::Config;
use config::rows::STREAM_NODE_MAX_ENTRIES;

use super::id::{self, Text};
use crate::string::value::Digits;

/// Entries that an approximate trim removes without `LIMIT`: this many blocks full.
const DEFAULT_BLOCKS: i64 = 100;
/// The limit where a block has no bound, and the most that the default may be.
const DEFAULT_LIMIT: i64 = 10_000;
const DEFAULT_LIMIT_MAX: i64 = 1_000_000;

/// The options as `COMMAND DOCS` shows them.
pub(super) const ARGS: &[Arg] = &[
    Arg::one_of(
        "strategy",
        &[Arg::word("maxlen", "MAXLEN"), Arg::word("minid", "MINID").since("6.2.0")],
    ),
    Arg::one_of("operator", &[Arg::word("equal", "="), Arg::word("approximately", "~")]).optional(),
    Arg::string("threshold"),
    Arg::integer("count").token("LIMIT").since("6.2.0").optional(),
];

/// What becomes of pending records, as `COMMAND DOCS` shows it.
pub(super) const CONDITION: Arg = Arg::one_of(
    "condition",
    &[Arg::word("keepref", "KEEPREF"), Arg::word("delref", "DELREF"), Arg::word("acked", "ACKED")],
)
.since("8.2.0")
.optional();

/// The options as far as they are read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Options {
    to: Option<TrimTo>,
    approximate: bool,
    limit: Option<i64>,
    references: Option<References>,
}

impl Options {
    /// Takes one option if one is next.
    pub(super) fn take(&mut self, reader: &mut ArgReader<'_>) -> Result<bool, CommandError> {
        if reader.option("MAXLEN") {
            self.take_operator(reader)?;
            let len = reader.integer();
            reader.check()?;
            let len = u64::try_from(len)
                .map_err(|_| CommandError::request("ERR The MAXLEN argument must be >= 0."))?;
            self.to = Some(TrimTo::Len(len));
        } else if reader.option("MINID") {
            self.take_operator(reader)?;
            self.to = Some(TrimTo::Id(id::strict(reader.bytes())?));
        } else if reader.option("LIMIT") {
            let limit = reader.integer();
            reader.check()?;
            if limit < 0 {
                return Err(CommandError::request("ERR The LIMIT argument must be >= 0."));
            }
            self.limit = Some(limit);
        } else if let Some(references) = take_references(reader) {
            if self.references.replace(references).is_some() {
                return Err(CommandError::SYNTAX);
            }
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn take_operator(&mut self, reader: &mut ArgReader<'_>) -> Result<(), CommandError> {
        if self.to.is_some() {
            return Err(CommandError::request(
                "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
            ));
        }
        self.approximate = reader.option("~");
        if !self.approximate {
            reader.option("=");
        }
        Ok(())
    }

    /// How to trim, once all options are read; none if nothing was said of it.
    pub(super) fn finish(self, config: &Config) -> Result<Option<Trim>, CommandError> {
        if self.to.is_none() && self.limit.is_some_and(|limit| limit != 0) {
            return Err(CommandError::request(
                "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
            ));
        }
        if self.limit.is_some() && !self.approximate {
            return Err(CommandError::request(
                "ERR syntax error, LIMIT cannot be used without the special ~ option",
            ));
        }
        let limit = match self.limit {
            Some(limit) => limit,
            None if self.approximate => {
                match config.get(STREAM_NODE_MAX_ENTRIES).saturating_mul(DEFAULT_BLOCKS) {
                    0 => DEFAULT_LIMIT,
                    limit => limit.min(DEFAULT_LIMIT_MAX),
                }
            }
            None => 0,
        };
        Ok(self.to.map(|to| Trim {
            to,
            whole_blocks: self.approximate,
            limit: u64::try_from(limit).ok().filter(|&limit| limit > 0),
            references: self.references.unwrap_or_default(),
        }))
    }
}

/// Takes `KEEPREF`, `DELREF` or `ACKED` if it is next.
pub(super) fn take_references(reader: &mut ArgReader<'_>) -> Option<References> {
    [
        ("KEEPREF", References::Keep),
        ("DELREF", References::Delete),
        ("ACKED", References::Acknowledged),
    ]
    .into_iter()
    .find_map(|(word, references)| reader.token(word).then_some(references))
}

/// The options of an exact trim that does what `trim` has just done to `log`.
pub(super) struct Logged {
    strategy: &'static [u8],
    threshold: Vec<u8>,
    references: Option<&'static [u8]>,
}

impl Logged {
    /// The exact form. An approximate trim that had to leave entries where they are is told by the
    /// length it reached, since the first id says nothing of what was removed behind it.
    pub(super) fn of(trim: &Trim, log: &Log) -> Self {
        let length = |len: u64| Digits::new().format(len).as_bytes().to_vec();
        let text = |id: Id| Text::of(id).as_bytes().to_vec();
        let by_length = trim.references == References::Acknowledged;
        let (strategy, threshold): (&[u8], _) = match trim.to {
            _ if trim.whole_blocks && by_length => (b"MAXLEN", length(log.len())),
            TrimTo::Len(_) if trim.whole_blocks => (b"MAXLEN", length(log.len())),
            TrimTo::Id(_) if trim.whole_blocks => (b"MINID", text(log.first_id())),
            TrimTo::Len(len) => (b"MAXLEN", length(len)),
            TrimTo::Id(id) => (b"MINID", text(id)),
        };
        let references: Option<&[u8]> = match trim.references {
            References::Keep => None,
            References::Delete => Some(b"DELREF"),
            References::Acknowledged => Some(b"ACKED"),
        };
        Self { strategy, threshold, references }
    }

    /// The options.
    pub(super) fn args(&self) -> impl Iterator<Item = &[u8]> {
        [self.strategy, b"=", &self.threshold].into_iter().chain(self.references)
    }
}
