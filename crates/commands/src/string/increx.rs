//! `INCREX`: a counter with bounds and a deadline in one step, made for rate limits.
//!
//! A result out of bounds is refused, which leaves the key and its deadline alone and says so with
//! an applied increment of 0, or with `SATURATE` brought to the nearest bound.

use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use resp::{Reply, Version};
use stdx::num::{LongDouble, parse_i64};
use store::{Deadline, Event, NewValue, UnixMs};

use super::expiry::{self, EXPIRE, Expiry, PERSIST, expire_at_once};
use super::incr::integer;
use super::incrbyfloat::float;
use super::value;

/// `INCREX key [BYFLOAT n | BYINT n] [LBOUND n] [UBOUND n] [SATURATE] [EX | PX | EXAT | PXAT |
/// PERSIST] [ENX]`.
pub static INCREX: DataCommand = DataCommand::new(
    Spec::new(
        "increx",
        Group::String,
        "8.8.0",
        -2,
        "O(1)",
        "Adds to a number within bounds and sets the key's deadline. A missing key counts as 0.",
    )
    .flags(Flags::WRITE.union(Flags::DENYOOM).union(Flags::FAST))
    .acl(Categories::STRING)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::UPDATE))])
    .args(&[
        Arg::key("key", 0),
        Arg::one_of(
            "increment",
            &[Arg::double("float").token("BYFLOAT"), Arg::integer("integer").token("BYINT")],
        )
        .optional(),
        Arg::word("saturate", "SATURATE").optional(),
        Arg::string("lowerbound").token("LBOUND").optional(),
        Arg::string("upperbound").token("UBOUND").optional(),
        Arg::one_of("expiration", EXPIRATIONS).optional(),
        Arg::word("enx", "ENX").optional(),
    ]),
    run,
);

const EXPIRATIONS: &[Arg] = &expiry::documented(Arg::word("persist", "PERSIST"));
const BOUNDS_CROSSED: &str = "ERR LBOUND can't be greater than UBOUND";

/// The arguments as they stand; their numbers are parsed once their kind is known.
#[derive(Debug, Default)]
struct Words<'a> {
    /// Whether it is a floating point number, and the increment.
    increment: Option<(bool, &'a [u8])>,
    lower: Option<&'a [u8]>,
    upper: Option<&'a [u8]>,
    saturate: bool,
    expiry: Expiry<'a>,
    only_without_deadline: bool,
}

impl<'a> Words<'a> {
    fn parse(mut reader: ArgReader<'a>) -> Result<Self, CommandError> {
        let mut words = Self::default();
        while reader.more() {
            if !words.take_number(&mut reader) && !words.take_word(&mut reader) {
                reader.unknown();
            }
        }
        reader.finish()?;
        let timed = matches!(words.expiry, Expiry::Time(..));
        if words.only_without_deadline && !timed {
            return Err(CommandError::request("ERR ENX flag requires an expiration"));
        }
        Ok(words)
    }

    fn take_number(&mut self, reader: &mut ArgReader<'a>) -> bool {
        for (token, is_float) in [("BYFLOAT", true), ("BYINT", false)] {
            if self.increment.is_none() && reader.option(token) {
                self.increment = Some((is_float, reader.bytes()));
                return true;
            }
        }
        for (token, bound) in [("LBOUND", &mut self.lower), ("UBOUND", &mut self.upper)] {
            if bound.is_none() && reader.option(token) {
                *bound = Some(reader.bytes());
                return true;
            }
        }
        false
    }

    /// Unlike other commands this one refuses any option given twice.
    fn take_word(&mut self, reader: &mut ArgReader<'a>) -> bool {
        if !self.saturate && reader.token("SATURATE") {
            self.saturate = true;
            return true;
        }
        if !self.only_without_deadline && self.expiry != Expiry::Persist && reader.token("ENX") {
            self.only_without_deadline = true;
            return true;
        }
        if self.expiry != Expiry::Unsaid {
            return false;
        }
        self.expiry.take_time(reader)
            || !self.only_without_deadline
                && self.expiry.take_word(reader, "PERSIST", Expiry::Persist)
    }
}

/// What the arithmetic needs.
#[derive(Clone, Copy, Debug)]
struct Step<N> {
    increment: N,
    lower: N,
    upper: N,
    saturate: bool,
}

/// What it comes to: the new value and what was added, or a refusal.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome<N> {
    Applied(N, N),
    Refused,
}

impl<N: PartialOrd + Copy> Step<N> {
    fn contains(&self, value: N) -> bool {
        self.lower <= value && value <= self.upper
    }

    fn clamp(&self, value: N) -> N {
        if value < self.lower {
            self.lower
        } else if value > self.upper {
            self.upper
        } else {
            value
        }
    }
}

impl Step<i64> {
    fn parse(words: &Words<'_>) -> Result<Self, CommandError> {
        let number = |text: Option<&[u8]>, name: &str, unsaid: i64| match text {
            None => Ok(unsaid),
            Some(text) => parse_i64(text).ok_or_else(|| {
                CommandError::request(format!("ERR {name} is not an integer or out of range"))
            }),
        };
        let step = Self {
            increment: number(words.increment.map(|(_, text)| text), "Increment", 1)?,
            lower: number(words.lower, "LBOUND", i64::MIN)?,
            upper: number(words.upper, "UBOUND", i64::MAX)?,
            saturate: words.saturate,
        };
        step.checked()
    }

    fn apply(&self, old: i64) -> Result<Outcome<i64>, CommandError> {
        let sum = old.checked_add(self.increment);
        if let Some(sum) = sum.filter(|&sum| self.contains(sum)) {
            return Ok(Outcome::Applied(sum, self.increment));
        }
        if !self.saturate {
            return Ok(Outcome::Refused);
        }
        let new = self.clamp(old.saturating_add(self.increment));
        let applied = new
            .checked_sub(old)
            .ok_or_else(|| CommandError::state("ERR applied increment would overflow"))?;
        Ok(Outcome::Applied(new, applied))
    }
}

impl Step<LongDouble> {
    fn parse(words: &Words<'_>) -> Result<Self, CommandError> {
        let number = |text: Option<&[u8]>, name: &str, unsaid: LongDouble| match text {
            None => Ok(unsaid),
            Some(text) => LongDouble::parse(text)
                .ok_or_else(|| CommandError::request(format!("ERR {name} is not a valid float"))),
        };
        let one = LongDouble::from_i64(1);
        let increment = number(words.increment.map(|(_, text)| text), "Increment", one)?;
        if increment.is_infinite() {
            return Err(CommandError::request("ERR BYFLOAT increment cannot be Infinity"));
        }
        let step = Self {
            increment,
            lower: number(words.lower, "LBOUND", -LongDouble::largest())?,
            upper: number(words.upper, "UBOUND", LongDouble::largest())?,
            saturate: words.saturate,
        };
        step.checked()
    }

    fn apply(&self, old: LongDouble) -> Result<Outcome<LongDouble>, CommandError> {
        if old.is_infinite() {
            return Err(CommandError::state("ERR value cannot be Infinity"));
        }
        let sum = old + self.increment;
        if !sum.is_infinite() && self.contains(sum) {
            return Ok(Outcome::Applied(sum, self.increment));
        }
        if !self.saturate {
            return Ok(Outcome::Refused);
        }
        // A sum beyond the largest number is that number, before the bounds are looked at.
        let largest = LongDouble::largest();
        let finite = Step { lower: -largest, upper: largest, ..*self }.clamp(sum);
        let new = self.clamp(finite);
        let applied = new - old;
        if applied.is_infinite() {
            return Err(CommandError::state("ERR applied increment would be Infinity"));
        }
        Ok(Outcome::Applied(new, applied))
    }
}

impl<N: PartialOrd> Step<N> {
    fn checked(self) -> Result<Self, CommandError> {
        if self.lower > self.upper {
            return Err(CommandError::request(BOUNDS_CROSSED));
        }
        Ok(self)
    }
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    let words = Words::parse(reader)?;
    if matches!(words.increment, Some((true, _))) {
        run_float(cx, key, &words)
    } else {
        run_int(cx, key, &words)
    }
}

fn run_int(cx: &mut Cx<'_>, key: &[u8], words: &Words<'_>) -> Result<(), CommandError> {
    let step = Step::<i64>::parse(words)?;
    let deadline = words.expiry.deadline(cx)?;
    let old = cx.db.edit(key).entry().map_or(Ok(0), integer)?;
    let outcome = step.apply(old)?;
    if let Outcome::Applied(new, _) = outcome {
        let mut digits = value::Digits::new();
        let text = digits.format(new).as_bytes();
        let change = Change { value: NewValue::Int(new), text, event: Event::string("incrby") };
        change.store(cx, key, words, deadline);
    }
    let (new, applied) = match outcome {
        Outcome::Applied(new, applied) => (new, applied),
        Outcome::Refused => (old, 0),
    };
    cx.reply.array(2);
    cx.reply.integer(new);
    cx.reply.integer(applied);
    Ok(())
}

fn run_float(cx: &mut Cx<'_>, key: &[u8], words: &Words<'_>) -> Result<(), CommandError> {
    let step = Step::<LongDouble>::parse(words)?;
    let deadline = words.expiry.deadline(cx)?;
    let zero = LongDouble::from_i64(0);
    let old = cx.db.edit(key).entry().map_or(Ok(zero), float)?;
    let (new, applied) = match step.apply(old)? {
        Outcome::Applied(new, applied) => {
            let mut text = Vec::new();
            new.write(&mut text);
            let event = Event::string("incrbyfloat");
            let change = Change { value: NewValue::Bytes(&text), text: &text, event };
            change.store(cx, key, words, deadline);
            (new, applied)
        }
        Outcome::Refused => (old, zero),
    };
    cx.reply.array(2);
    reply_float(cx.reply, new);
    reply_float(cx.reply, applied);
    Ok(())
}

/// A double in the digits in which it is stored, which are more than a `f64` has.
fn reply_float(reply: &mut Reply, number: LongDouble) {
    let mut text = Vec::new();
    number.write(&mut text);
    match reply.version() {
        Version::Resp2 => reply.bulk(&text),
        Version::Resp3 => {
            reply.raw(b",");
            reply.raw(&text);
            reply.raw(b"\r\n");
        }
    }
}

/// A new value, with its text for the log.
struct Change<'v> {
    value: NewValue<'v>,
    text: &'v [u8],
    event: Event,
}

impl Change<'_> {
    fn store(self, cx: &mut Cx<'_>, key: &[u8], words: &Words<'_>, deadline: Option<UnixMs>) {
        let is_due = deadline.is_some_and(|at| cx.db.is_due(at));
        let mut edit = cx.db.edit(key);
        let had_deadline = edit.entry().is_some_and(|entry| entry.deadline().is_some());
        let deadline = deadline.filter(|_| !(words.only_without_deadline && had_deadline));
        if deadline.is_some() && is_due {
            return expire_at_once(cx, [key].into_iter());
        }
        let mut digits = value::Digits::new();
        if let Some(deadline) = deadline {
            edit.set(self.value, Deadline::At(deadline), self.event);
            edit.also(EXPIRE);
            let deadline = digits.format(deadline).as_bytes();
            cx.log(&[b"SET", key, self.text, b"PXAT", deadline]);
        } else if words.expiry == Expiry::Persist {
            edit.set(self.value, Deadline::Clear, self.event);
            if had_deadline {
                edit.also(PERSIST);
            }
            cx.log(&[b"SET", key, self.text]);
        } else {
            edit.set(self.value, Deadline::Keep, self.event);
            cx.log(&[b"SET", key, self.text, b"KEEPTTL"]);
        }
    }
}

#[cfg(test)]
#[path = "increx_tests.rs"]
mod tests;
