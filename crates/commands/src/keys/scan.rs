//! `SCAN`: the keys of the database, a few with every call.
//!
//! A cursor is a place in the order of all keys, which tables that grow or shrink keep, so the
//! server remembers nothing between the calls and every key that stays is shown.

use command::{Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, Spec};
use store::{EntryRef, ValueType};

pub(super) static SCAN: DataCommand = DataCommand::new(
    Spec::new(
        "scan",
        Group::Generic,
        "2.8.0",
        -2,
        "O(1) for a call, O(N) for all calls until the cursor is 0 again, with the number N of \
         keys in the database.",
        "Walks over the keys of the database, some with every call.",
    )
    .flags(Flags::READONLY.union(Flags::KEYSPACE_WALK))
    .acl(Categories::KEYSPACE)
    .args(&[
        Arg::integer("cursor"),
        Arg::pattern("pattern").token("MATCH").optional(),
        Arg::integer("count").token("COUNT").optional(),
        Arg::string("type").token("TYPE").optional().since("6.0.0"),
    ])
    .history(&[("6.0.0", "Takes the option `TYPE`.")])
    .tips(&["nondeterministic_output", "request_policy:special", "response_policy:special"]),
    run,
);

/// How many keys a call shows unless it says otherwise.
const DEFAULT_COUNT: i64 = 10;

struct Request<'a> {
    cursor: u64,
    pattern: Option<&'a [u8]>,
    value_type: Option<ValueType>,
    count: usize,
}

fn parse<'a>(mut reader: ArgReader<'a>) -> Result<Request<'a>, CommandError> {
    let cursor = stdx::num::parse_u64_lenient(reader.bytes())
        .ok_or_else(|| CommandError::request("ERR invalid cursor"))?;
    let (mut pattern, mut value_type, mut count) = (None, None, DEFAULT_COUNT);
    while reader.more() {
        if reader.option("COUNT") {
            count = reader.integer();
            if count < 1 {
                reader.fail(CommandError::SYNTAX);
            }
        } else if reader.option("MATCH") {
            pattern = Some(reader.bytes()).filter(|pattern| pattern != b"*");
        } else if reader.option("TYPE") {
            value_type = Some(parse_type(reader.bytes())?);
        } else if reader.token("NOVALUES") {
            let text = "ERR NOVALUES option can only be used in HSCAN";
            reader.fail(CommandError::request(text));
        } else {
            reader.unknown();
        }
    }
    reader.finish()?;
    Ok(Request { cursor, pattern, value_type, count: usize::try_from(count).unwrap_or(usize::MAX) })
}

fn parse_type(name: &[u8]) -> Result<ValueType, CommandError> {
    ValueType::from_name(name)
        .ok_or_else(|| CommandError::quoting("ERR unknown type name '", name, "'"))
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let Request { cursor, pattern, value_type, count } = parse(cx.reader())?;
    // The keys stand behind the cursor in the reply but are known before it.
    let mut keys = Found::default();
    let wanted = |entry: EntryRef<'_>| {
        pattern.is_none_or(|pattern| stdx::glob::matches(pattern, entry.key(), false))
            && value_type.is_none_or(|wanted| ValueType::of(entry.value()) == wanted)
    };
    let next = cx.db.scan(cursor, count, wanted, |key| keys.push(key));
    let mut text = Vec::new();
    stdx::num::write_u64(&mut text, next);
    cx.reply.array(2);
    cx.reply.bulk(&text);
    cx.reply.array(keys.ends.len());
    keys.iter().for_each(|key| cx.reply.bulk(key));
    Ok(())
}

/// The keys of one call, one behind the other: two allocations for any number.
#[derive(Default)]
struct Found {
    bytes: Vec<u8>,
    /// Where each key ends.
    ends: Vec<usize>,
}

impl Found {
    fn push(&mut self, key: &[u8]) {
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
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
    fn found_keys_come_back_in_order() {
        let mut found = Found::default();
        [&b"one"[..], b"", b"three"].iter().for_each(|key| found.push(key));
        assert_eq!(found.iter().collect::<Vec<_>>(), [&b"one"[..], b"", b"three"]);
    }
}
