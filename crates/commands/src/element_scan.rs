//! What `HSCAN`, `SSCAN` and `ZSCAN` are, and what of it `SCAN` shares: a walk that keeps nothing
//! between the calls, since the cursor says where to go on.

use collections::entry::Stored;
use collections::listpack::Item;
use command::{
    Arg, ArgReader, Categories, CommandError, Cx, Flags, Group, KeyFlags, KeySpec, Spec,
};
use resp::Reply;
use store::UnixMs;

/// A walk shows what the key holds.
const KEYS: &[KeySpec] = &[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS))];
/// How many elements a call looks at unless it says otherwise.
const DEFAULT_COUNT: i64 = 10;

/// The arguments of a walk over the elements of a key.
const ARGS: &[Arg] = &[Arg::key("key", 0), CURSOR, MATCH, COUNT];
/// Where to go on.
pub(crate) const CURSOR: Arg = Arg::integer("cursor");
/// Which elements are shown.
pub(crate) const MATCH: Arg = Arg::pattern("pattern").token("MATCH").optional();
/// How many elements are looked at.
pub(crate) const COUNT: Arg = Arg::integer("count").token("COUNT").optional();

/// The specification of a walk over the elements of a key.
pub(crate) const fn spec(
    name: &'static str,
    group: Group,
    acl: Categories,
    complexity: &'static str,
    summary: &'static str,
) -> Spec {
    Spec::new(name, group, "2.8.0", -3, complexity, summary)
        .flags(Flags::READONLY)
        .acl(acl)
        .keys(KEYS)
        .args(ARGS)
        .tips(&["nondeterministic_output"])
}

/// A collection that can be walked over.
pub(crate) trait Scanned: Stored {
    /// Gives some elements to `each`, the name of each and what belongs to it, and returns the
    /// next cursor. Those that are not there at `now` have no name.
    fn visit(&self, cursor: u64, now: UnixMs, each: &mut Visit<'_>) -> u64;
}

/// What is done with an element, if it is there, and its value, if it has one.
pub(crate) type Visit<'v> = dyn FnMut(Option<Item<'_>>, Option<Item<'_>>) + 'v;

/// One call of a walk over the elements of a key. `bare` is the option that asks for names alone,
/// if the command has one.
pub(crate) fn run<T: Scanned>(cx: &mut Cx<'_>, bare: Option<&str>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let key = reader.bytes();
    let mut cursor = cursor(&mut reader)?;
    // As in Redis the options of a walk over nothing are not looked at.
    let Some(collection) = cx.db.get::<T>(key)?.cloned() else {
        Found::default().reply(cx.reply, 0);
        return Ok(());
    };
    let mut is_bare = false;
    let options = Options::parse(reader, |reader| {
        let taken = bare.is_some_and(|word| reader.token(word));
        is_bare |= taken;
        Ok(taken)
    })?;
    let now = cx.db.now();
    cx.db.release();
    let (mut found, mut seen) = (Found::default(), 0);
    loop {
        cursor = collection.visit(cursor, now, &mut |name, value| {
            seen += 1;
            if let Some(name) = name {
                found.push_matching(&options, name, value.filter(|_| !is_bare));
            }
        });
        if cursor == 0 || seen >= options.count {
            break;
        }
    }
    found.reply(cx.reply, cursor);
    Ok(())
}

/// The next argument as a cursor.
///
/// # Errors
/// If it is none.
pub(crate) fn cursor(reader: &mut ArgReader<'_>) -> Result<u64, CommandError> {
    stdx::num::parse_u64_lenient(reader.bytes())
        .ok_or_else(|| CommandError::request("ERR invalid cursor"))
}

/// The options of a walk.
#[derive(Debug)]
pub(crate) struct Options<'a> {
    pattern: Option<&'a [u8]>,
    /// How many elements are looked at, matching or not.
    pub(crate) count: usize,
}

impl<'a> Options<'a> {
    /// Reads the rest of the arguments. `own` takes the next option if it is the command's own,
    /// and says whether it did.
    ///
    /// # Errors
    /// A syntax error, a count that is no number, or what `own` finds wrong.
    pub(crate) fn parse(
        mut reader: ArgReader<'a>,
        mut own: impl FnMut(&mut ArgReader<'a>) -> Result<bool, CommandError>,
    ) -> Result<Self, CommandError> {
        let (mut pattern, mut count) = (None, DEFAULT_COUNT);
        while reader.more() {
            if reader.option("COUNT") {
                count = reader.integer();
                if count < 1 {
                    reader.fail(CommandError::SYNTAX);
                }
            } else if reader.option("MATCH") {
                pattern = Some(reader.bytes()).filter(|pattern| pattern != b"*");
            } else if own(&mut reader)? {
            } else if reader.token("NOVALUES") {
                let text = "ERR NOVALUES option can only be used in HSCAN";
                reader.fail(CommandError::request(text));
            } else if reader.token("NOSCORES") {
                let text = "ERR NOSCORES option can only be used in ZSCAN";
                reader.fail(CommandError::request(text));
            } else {
                reader.unknown();
            }
        }
        reader.finish()?;
        Ok(Self { pattern, count: usize::try_from(count).unwrap_or(usize::MAX) })
    }

    /// Whether an element of this name is shown.
    pub(crate) fn matches(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| stdx::glob::matches(pattern, name, false))
    }
}

/// What one call has found, which stands behind the cursor in the reply but is known before it: two
/// allocations for any number.
#[derive(Debug, Default)]
pub(crate) struct Found {
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Found {
    /// Adds a string.
    pub(crate) fn push(&mut self, item: Item<'_>) {
        item.write_text(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// Adds an element, and its value if it has one, if its name matches.
    fn push_matching(&mut self, options: &Options<'_>, name: Item<'_>, value: Option<Item<'_>>) {
        let start = self.bytes.len();
        name.write_text(&mut self.bytes);
        if !options.matches(&self.bytes[start..]) {
            return self.bytes.truncate(start);
        }
        self.ends.push(self.bytes.len());
        value.into_iter().for_each(|value| self.push(value));
    }

    /// Replies with the cursor and what was found.
    pub(crate) fn reply(&self, reply: &mut Reply, cursor: u64) {
        let mut text = Vec::new();
        stdx::num::write_u64(&mut text, cursor);
        reply.array(2);
        reply.bulk(&text);
        reply.array(self.ends.len());
        self.iter().for_each(|item| reply.bulk(item));
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| &self.bytes[std::mem::replace(&mut start, end)..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_comes_back_in_order() {
        let mut found = Found::default();
        [&b"one"[..], b"", b"three"].iter().for_each(|&text| found.push(Item::Bytes(text)));
        assert_eq!(found.iter().collect::<Vec<_>>(), [&b"one"[..], b"", b"three"]);
    }
}
