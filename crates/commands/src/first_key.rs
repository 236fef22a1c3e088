//! Commands that take from the first of several keys that has something to give, at once or after
//! a wait: `LMPOP`, `ZMPOP`, and with a `B` in front these and `BLPOP`, `BRPOP`, `BZPOPMIN`,
//! `BZPOPMAX`.
//!
//! Lists and sorted sets differ in what their ends are called and in what is taken, and in nothing
//! else: a [`Family`] has the difference.

use command::{Arg, ArgReader, CommandError, Cx};
use store::ValueType;
use store::effects::{Awaited, Denied, Wait};

/// A type of value that can be taken from at two ends.
pub(crate) struct Family<E> {
    /// The type.
    pub(crate) wanted: ValueType,
    /// Reads which end is meant, latching a syntax error if the word is none.
    pub(crate) end: fn(&mut ArgReader<'_>) -> E,
    /// Takes up to so many elements from an end of what the key holds, replies with the key and
    /// with them, and logs it; false and no reply if there are none.
    pub(crate) take: fn(&mut Cx<'_>, &[u8], E, usize) -> Result<bool, CommandError>,
}

/// The arguments of `LMPOP` and `ZMPOP`, with the words for the ends, behind those of the waiting
/// form.
pub(crate) const fn multi_args(ends: &'static [Arg]) -> [Arg; 5] {
    [
        Arg::double("timeout"),
        Arg::integer("numkeys"),
        Arg::key("key", 0).multiple(),
        Arg::one_of("where", ends),
        Arg::integer("count").token("COUNT").optional(),
    ]
}

/// The arguments of the form that does not wait.
pub(crate) const fn without_timeout(args: &'static [Arg; 5]) -> &'static [Arg] {
    args.split_at(1).1
}

impl<E: Copy> Family<E> {
    /// `LMPOP` and `ZMPOP`.
    pub(crate) fn run(&self, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        let request = self.parse(cx, 1)?;
        if !self.take_first(cx, &request)? {
            cx.reply.null_array();
        }
        Ok(())
    }

    /// `BLMPOP` and `BZMPOP`.
    pub(crate) fn run_waiting(&self, cx: &mut Cx<'_>) -> Result<(), CommandError> {
        // The timeout comes first and is judged last.
        let request = self.parse(cx, 2)?;
        let mut reader = cx.reader();
        let timeout_ms = reader.timeout();
        reader.check()?;
        if !self.take_first(cx, &request)? {
            wait(cx, self.wanted, request.keys, timeout_ms, Denied::NullArray);
        }
        Ok(())
    }

    /// Reads the number of keys, which is the argument `at`, and what follows it.
    fn parse<'a>(&self, cx: &Cx<'a>, at: usize) -> Result<Request<'a, E>, CommandError> {
        let mut reader = ArgReader::new(cx.args, at);
        let no_keys = CommandError::request("ERR numkeys should be greater than 0");
        let number = reader.integer_in(1..=i64::MAX, no_keys);
        reader.check()?;
        // The word for the end must follow the keys.
        let number = usize::try_from(number).ok().filter(|number| *number < reader.remaining());
        let number = number.ok_or(CommandError::SYNTAX)?;
        let keys = (0..number).map(|_| reader.bytes()).collect();
        let end = (self.end)(&mut reader);
        let mut count = None;
        while reader.more() {
            if count.is_none() && reader.option("COUNT") {
                let no_count = CommandError::request("ERR count should be greater than 0");
                count = Some(reader.integer_in(1..=i64::MAX, no_count));
            } else {
                reader.unknown();
            }
        }
        reader.finish()?;
        let at_most = usize::try_from(count.unwrap_or(1)).unwrap_or(usize::MAX);
        Ok(Request { keys, end, at_most })
    }

    fn take_first(&self, cx: &mut Cx<'_>, request: &Request<'_, E>) -> Result<bool, CommandError> {
        let mut take = |key: &&[u8]| (self.take)(cx, key, request.end, request.at_most);
        request.keys.iter().try_fold(false, |taken, key| Ok(taken || take(key)?))
    }
}

/// What a client asks for.
struct Request<'a, E> {
    keys: Vec<&'a [u8]>,
    end: E,
    at_most: usize,
}

/// `BLPOP` and its like: keys, then a timeout. `take` is as [`Family::take`], of one element.
pub(crate) fn pop_or_wait(
    cx: &mut Cx<'_>,
    wanted: ValueType,
    mut take: impl FnMut(&mut Cx<'_>, &[u8]) -> Result<bool, CommandError>,
) -> Result<(), CommandError> {
    let last = cx.args.len() - 1;
    let mut reader = ArgReader::new(cx.args, last);
    let timeout_ms = reader.timeout();
    reader.finish()?;
    for index in 1..last {
        let key = cx.arg(index)?;
        if take(cx, key)? {
            return Ok(());
        }
    }
    let keys: Vec<&[u8]> = cx.args.iter().take(last).skip(1).collect();
    wait(cx, wanted, keys, timeout_ms, Denied::NullArray);
    Ok(())
}

/// Waits until one of the keys holds a value of the type `wanted`.
pub(crate) fn wait<'k>(
    cx: &mut Cx<'_>,
    wanted: ValueType,
    keys: impl IntoIterator<Item = &'k [u8]>,
    timeout_ms: Option<u64>,
    denied: Denied,
) {
    let keys = keys.into_iter().map(Box::from).collect();
    cx.db.effects.wait = Some(Wait {
        keys,
        wanted,
        on_loss: false,
        timeout_ms,
        denied,
        args: None,
        awaited: Awaited::Keys,
    });
}
