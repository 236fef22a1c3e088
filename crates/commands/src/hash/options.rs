//! The options of `HGETEX` and `HSETEX`, which stand before and behind the fields in any order.

use command::{ArgReader, CommandError, Cx};
use store::UnixMs;

use super::fields::{self, TIMES};

/// Which of the two commands: what it does not have is refused after all the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Get,
    Set,
}

impl Kind {
    /// How many words a field takes.
    const fn width(self) -> usize {
        match self {
            Self::Get => 1,
            Self::Set => 2,
        }
    }

    const fn second_time(self) -> &'static str {
        match self {
            Self::Get => "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified",
            Self::Set => "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified",
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Options<'a> {
    /// `FXX` (true): all fields are there. `FNX` (false): none is.
    pub present: Option<bool>,
    pub keep: bool,
    pub persist: bool,
    pub deadline: Option<UnixMs>,
    /// Where the option that gives the time stands among the arguments.
    pub time_at: usize,
    /// The fields, each with its value if there are values.
    pub words: Vec<&'a [u8]>,
}

/// All arguments after the key.
///
/// # Errors
/// If an option is unknown, comes twice or contradicts another one, or the fields are not as many
/// as their number says.
pub(super) fn parse<'a>(cx: &Cx<'a>, kind: Kind) -> Result<Options<'a>, CommandError> {
    let mut reader = cx.reader();
    reader.bytes();
    let mut options = Options::default();
    while reader.more() {
        let place = cx.args.len() - reader.remaining();
        if reader.token("FIELDS") {
            take_fields(cx, &mut reader, kind, &mut options)?;
        } else if let Some((_, unit)) = TIMES.into_iter().find(|(token, _)| reader.token(token)) {
            let twice = options.deadline.is_some() || options.keep || options.persist;
            refuse(twice, kind.second_time())?;
            refuse(!reader.more(), "ERR missing expire time")?;
            options.deadline = Some(fields::deadline(cx, unit, reader.bytes())?);
            options.time_at = place;
        } else if reader.token("PERSIST") {
            refuse(options.deadline.is_some() || options.persist, kind.second_time())?;
            options.persist = true;
        } else if reader.token("KEEPTTL") {
            refuse(options.deadline.is_some() || options.keep, kind.second_time())?;
            options.keep = true;
        } else if let Some(present) = condition(&mut reader) {
            let twice = options.present.replace(present).is_some();
            refuse(twice, "ERR Only one of FXX or FNX arguments can be specified")?;
        } else {
            return Err(CommandError::quoting("ERR unknown argument: ", reader.bytes(), ""));
        }
    }
    refuse(options.words.is_empty(), "ERR missing FIELDS argument")?;
    let foreign = match kind {
        Kind::Get => options.keep || options.present.is_some(),
        Kind::Set => options.persist,
    };
    refuse(foreign, "ERR unknown argument")?;
    Ok(options)
}

fn condition(reader: &mut ArgReader<'_>) -> Option<bool> {
    let words = [("FXX", true), ("FNX", false)];
    words.into_iter().find_map(|(word, present)| reader.token(word).then_some(present))
}

/// A number and so many fields, behind the word `FIELDS`.
fn take_fields<'a>(
    cx: &Cx<'_>,
    reader: &mut ArgReader<'a>,
    kind: Kind,
    options: &mut Options<'a>,
) -> Result<(), CommandError> {
    refuse(!options.words.is_empty(), "ERR FIELDS keyword specified multiple times")?;
    if !reader.more() {
        return Err(CommandError::arity(cx.name));
    }
    let invalid = CommandError::request("ERR invalid number of fields");
    options.words = fields::take(reader, kind.width(), invalid)?;
    Ok(())
}

fn refuse(when: bool, text: &'static str) -> Result<(), CommandError> {
    if when { Err(CommandError::request(text)) } else { Ok(()) }
}
