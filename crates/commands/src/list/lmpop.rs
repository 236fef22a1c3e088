//! `LMPOP`.

use std::ops::Range;

use collections::list::{End, List};
use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use store::{Absent, Change};

/// `LMPOP numkeys key [key ...] LEFT | RIGHT [COUNT count]`.
pub static LMPOP: DataCommand = DataCommand::new(
    Spec::new(
        "lmpop",
        Group::List,
        "7.0.0",
        -4,
        "O(N+M) where N is the number of keys and M the number of elements returned.",
        "Removes elements from an end of the first list that exists and returns them.",
    )
    .flags(Flags::WRITE.union(Flags::MOVABLE_KEYS))
    .acl(Categories::LIST)
    .keys(&[KeySpec::counted(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE), 1)])
    .args(&[
        Arg::integer("numkeys"),
        Arg::key("key", 0).multiple(),
        Arg::one_of("where", super::ENDS),
        Arg::integer("count").token("COUNT").optional(),
    ]),
    run,
);

const NO_KEYS: &str = "ERR numkeys should be greater than 0";
const NO_COUNT: &str = "ERR count should be greater than 0";

/// What follows the keys.
pub(super) struct Options {
    end: End,
    count: usize,
}

impl Options {
    fn parse(mut reader: ArgReader<'_>) -> Result<Self, CommandError> {
        let end = super::end(&mut reader);
        let mut count = None;
        while reader.more() {
            if count.is_none() && reader.option("COUNT") {
                let refusal = CommandError::request(NO_COUNT);
                count = Some(reader.integer_in(1..=i64::MAX, refusal));
            } else {
                reader.unknown();
            }
        }
        reader.finish()?;
        let count = usize::try_from(count.unwrap_or(1)).unwrap_or(usize::MAX);
        Ok(Self { end, count })
    }
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (keys, options) = parse(cx, 1)?;
    if !pop_first(cx, keys, &options)? {
        cx.reply.null_array();
    }
    Ok(())
}

/// Parses the number of keys, which is the argument `at`, and what follows it: the arguments that
/// are keys, and the options.
///
/// # Errors
/// Of syntax and of numbers.
pub(super) fn parse(cx: &Cx<'_>, at: usize) -> Result<(Range<usize>, Options), CommandError> {
    let mut reader = ArgReader::new(cx.args, at);
    let keys = reader.integer_in(1..=i64::MAX, CommandError::request(NO_KEYS));
    reader.check()?;
    let keys = usize::try_from(keys).unwrap_or(usize::MAX);
    // The word for the end must follow the keys.
    if keys >= reader.remaining() {
        return Err(CommandError::SYNTAX);
    }
    let first = at + 1;
    let options = Options::parse(ArgReader::new(cx.args, first + keys))?;
    Ok((first..first + keys, options))
}

/// Takes elements from the first list that exists and replies with them; false and no reply if
/// there is none.
///
/// # Errors
/// If a key before it holds another type.
pub(super) fn pop_first(
    cx: &mut Cx<'_>,
    mut keys: Range<usize>,
    options: &Options,
) -> Result<bool, CommandError> {
    keys.try_fold(false, |found, index| Ok(found || pop(cx, index, options)?))
}

/// Takes elements from the list under the key with this argument number, if there is one.
fn pop(cx: &mut Cx<'_>, index: usize, options: &Options) -> Result<bool, CommandError> {
    let (key, limits, reply) = (cx.arg(index)?, super::limits(cx.config), &mut *cx.reply);
    let end = options.end;
    let popped = cx.db.edit(key).update::<List, _>(Absent::Ignore, |list| {
        let count = options.count.min(list.len());
        reply.array(2);
        reply.bulk(key);
        let removed = super::reply_popped(reply, list, end, count, limits);
        Change::made(count as u64, super::popped(end), (count, removed))
    })?;
    let Some((count, removed)) = popped else { return Ok(false) };
    super::discard(cx, removed);
    // Replicas need not look for the list again.
    let name: &[u8] = if end == End::Front { b"LPOP" } else { b"RPOP" };
    cx.log(&[name, key, count.to_string().as_bytes()]);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use crate::testing::Bench;

    #[test]
    fn takes_from_the_first_list_that_exists() {
        let mut bench = Bench::new();
        bench.run("RPUSH k a b c");
        bench.clear();
        assert_eq!(bench.run("LMPOP 2 missing k LEFT"), "*2\r\n$1\r\nk\r\n*1\r\n$1\r\na\r\n");
        assert_eq!(
            bench.run("lmpop 1 k right count 10"),
            "*2\r\n$1\r\nk\r\n*2\r\n$1\r\nc\r\n$1\r\nb\r\n"
        );
        assert_eq!(bench.run("LMPOP 1 k LEFT"), "*-1\r\n");
        assert_eq!(bench.log(), ["LPOP k 1", "RPOP k 2"]);
        assert_eq!(bench.events(), ["lpop k", "rpop k", "del k"]);
        assert_eq!(bench.dirty(), 3);
    }

    #[test]
    fn refusals() {
        let mut bench = Bench::new();
        bench.run("SET s x");
        assert!(bench.run("LMPOP 2 missing s LEFT").starts_with("-WRONGTYPE "));
        for (line, error) in [
            ("LMPOP 0 s LEFT", "numkeys should be greater than 0"),
            ("LMPOP x s LEFT", "numkeys should be greater than 0"),
            ("LMPOP 2 s LEFT", "syntax error"),
            ("LMPOP 9223372036854775807 s LEFT", "syntax error"),
            ("LMPOP 1 s UP", "syntax error"),
            ("LMPOP 1 s LEFT COUNT", "syntax error"),
            ("LMPOP 1 s LEFT COUNT 0", "count should be greater than 0"),
            ("LMPOP 1 s LEFT COUNT x", "count should be greater than 0"),
            ("LMPOP 1 s LEFT COUNT 1 COUNT 1", "syntax error"),
            ("LMPOP 1 s LEFT LIMIT 1", "syntax error"),
        ] {
            assert_eq!(bench.run(line), format!("-ERR {error}\r\n"), "{line}");
        }
    }
}
