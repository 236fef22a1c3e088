//! `XDELEX`, `XACKDEL`: delete entries with regard to the groups that have them pending.

use collections::stream::{Deletion, Id, References, Stream};
use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use store::{Absent, Change};

use super::{event, id, trimming};

const COMPLEXITY: &str = "O(1) for each id, whatever the size of the stream.";
const IDS: Arg =
    Arg::block("ids", &[Arg::integer("numids"), Arg::string("id").multiple()]).token("IDS");

/// `XDELEX key [KEEPREF|DELREF|ACKED] IDS numids id [id ...]`.
pub static XDELEX: DataCommand = DataCommand::new(
    spec(
        "xdelex",
        -5,
        "Deletes entries with regard to the groups that have them pending.",
        &[KeySpec::first(DELETED_FROM)],
    )
    .args(&[Arg::key("key", 0), trimming::CONDITION, IDS]),
    run_xdelex,
);

/// `XACKDEL key group [KEEPREF|DELREF|ACKED] IDS numids id [id ...]`.
pub static XACKDEL: DataCommand = DataCommand::new(
    spec(
        "xackdel",
        -6,
        "Acknowledges entries in a group and deletes them.",
        &[KeySpec::first(DELETED_FROM.union(KeyFlags::UPDATE))],
    )
    .args(&[Arg::key("key", 0), Arg::string("group"), trimming::CONDITION, IDS]),
    run_xackdel,
);

const DELETED_FROM: KeyFlags = KeyFlags::RW.union(KeyFlags::DELETE);

const fn spec(
    name: &'static str,
    arity: i16,
    summary: &'static str,
    keys: &'static [KeySpec],
) -> Spec {
    Spec::new(name, Group::Stream, "8.2.0", arity, COMPLEXITY, summary)
        .flags(Flags::WRITE.union(Flags::FAST))
        .acl(Categories::STREAM)
        .keys(keys)
}

/// The codes in the reply, one for each id.
const MISSING: i64 = -1;
const DELETED: i64 = 1;
const REFERENCED: i64 = 2;

/// The options, and the ids as they are written: they are read only where there is something to
/// delete from.
fn parse<'a>(mut reader: ArgReader<'a>) -> Result<(References, Vec<&'a [u8]>), CommandError> {
    let (mut references, mut ids) = (None, None);
    while reader.more() {
        if let Some(said) = trimming::take_references(&mut reader) {
            if references.replace(said).is_some() {
                return Err(CommandError::SYNTAX);
            }
        } else if ids.is_none() && reader.option("IDS") {
            let wrong = "ERR Number of IDs must be a positive integer";
            let range = 1..=i64::from(i32::MAX);
            let count = reader.integer_in(range, CommandError::request(wrong));
            reader.check()?;
            let count = count as usize;
            if count > reader.remaining() {
                return Err(CommandError::request(
                    "ERR The `numids` parameter must match the number of arguments",
                ));
            }
            ids = Some((0..count).map(|_| reader.bytes()).collect());
        } else {
            return Err(CommandError::SYNTAX);
        }
    }
    reader.finish()?;
    Ok((references.unwrap_or_default(), ids.ok_or(CommandError::SYNTAX)?))
}

/// Deletes with `delete`, which gives the code of an id, and replies with the codes: all missing
/// where there is no stream that is `known`.
fn run(
    cx: &mut Cx<'_>,
    ids: &[&[u8]],
    known: impl Fn(&Stream) -> bool,
    mut delete: impl FnMut(&mut Stream, Id) -> Outcome,
) -> Result<(), CommandError> {
    let mut edit = cx.db.edit(cx.args.get(1).unwrap_or_default());
    if !edit.get::<Stream>()?.is_some_and(known) {
        cx.reply.array(ids.len());
        ids.iter().for_each(|_| cx.reply.integer(MISSING));
        return Ok(());
    }
    let ids: Vec<Id> = ids.iter().map(|id| id::strict(id)).collect::<Result<_, _>>()?;
    let codes = edit.update(Absent::Ignore, |stream: &mut Stream| {
        let (mut codes, mut deleted, mut changed) = (Vec::with_capacity(ids.len()), 0, 0);
        for &id in &ids {
            let outcome = delete(stream, id);
            codes.push(outcome.code);
            changed += u64::from(outcome.changed);
            deleted += u64::from(outcome.deleted);
        }
        match (deleted, changed) {
            (0, changed) => Change::quiet(changed, codes),
            _ => Change::made(changed, event("xdel"), codes),
        }
    })?;
    let codes = codes.unwrap_or_else(|| vec![MISSING; ids.len()]);
    cx.reply.array(codes.len());
    codes.into_iter().for_each(|code| cx.reply.integer(code));
    Ok(())
}

/// What became of one id.
struct Outcome {
    code: i64,
    /// Whether the entry was deleted.
    deleted: bool,
    /// Whether anything was.
    changed: bool,
}

/// The key's type is looked at before the options, as in Redis.
fn check_type(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(1)?;
    cx.db.edit(key).get::<Stream>()?;
    Ok(())
}

fn run_xdelex(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    check_type(cx)?;
    let mut reader = cx.reader();
    reader.bytes();
    let (references, ids) = parse(reader)?;
    run(
        cx,
        &ids,
        |_| true,
        |stream, id| {
            let pending =
                |stream: &Stream| stream.groups().map(|(_, g)| g.pending_len()).sum::<usize>();
            let before = pending(stream);
            let deletion = stream.delete_with(id, references);
            let code = match deletion {
                Deletion::Missing => MISSING,
                Deletion::Deleted => DELETED,
                Deletion::Referenced => REFERENCED,
            };
            let deleted = deletion == Deletion::Deleted;
            Outcome { code, deleted, changed: deleted || pending(stream) != before }
        },
    )
}

fn run_xackdel(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    check_type(cx)?;
    let mut reader = cx.reader();
    reader.bytes();
    let group = reader.bytes();
    let (references, ids) = parse(reader)?;
    run(
        cx,
        &ids,
        |stream| stream.group(group).is_some(),
        |stream, id| {
            let acknowledged =
                stream.group_mut(group).is_some_and(|(_, group)| group.acknowledge(id));
            if !acknowledged {
                return Outcome { code: MISSING, deleted: false, changed: false };
            }
            let deletion = stream.delete_with(id, references);
            let code = if deletion == Deletion::Referenced { REFERENCED } else { DELETED };
            Outcome { code, deleted: deletion == Deletion::Deleted, changed: true }
        },
    )
}

#[cfg(test)]
mod tests {
    use crate::stream::fixture;
    use crate::testing::Bench;

    /// Four entries; group `g` has read three of them and acknowledged the second, `h` has read
    /// all.
    fn filled() -> Bench {
        let mut bench = fixture::grouped(4);
        bench.run("XGROUP CREATE s h $");
        bench.run("XREADGROUP GROUP g c COUNT 3 STREAMS s >");
        bench.run("XACK s g 2");
        bench.clear();
        bench
    }

    #[test]
    fn xdelex_minds_who_needs_an_entry() {
        let mut bench = filled();
        assert_eq!(bench.run("XDELEX s ACKED IDS 4 1 2 4 9"), "*4\r\n:2\r\n:1\r\n:2\r\n:2\r\n");
        assert_eq!((bench.dirty(), bench.events()), (1, vec!["xdel s".into()]));
        assert_eq!(bench.run("XDELEX s IDS 1 1"), "*1\r\n:1\r\n");
        assert!(bench.run("XPENDING s g").starts_with("*4\r\n:2\r\n"));
        let outlived = bench.run("XDELEX s ACKED IDS 2 1 0-5");
        assert_eq!(outlived, "*2\r\n:2\r\n:-1\r\n", "a record needs it still");
        assert_eq!(bench.run("XDELEX s DELREF IDS 2 1 3"), "*2\r\n:-1\r\n:1\r\n");
        assert!(bench.run("XPENDING s g").starts_with("*4\r\n:0\r\n"), "records went too");
        assert_eq!(bench.run("XDELEX none IDS 2 1 3"), "*2\r\n:-1\r\n:-1\r\n");
    }

    #[test]
    fn xackdel_acknowledges_first() {
        let mut bench = filled();
        assert_eq!(bench.run("XACKDEL s g ACKED IDS 3 1 2 4"), "*3\r\n:1\r\n:-1\r\n:-1\r\n");
        bench.run("XGROUP SETID s h 0");
        assert_eq!(bench.run("XACKDEL s g ACKED IDS 1 3"), "*1\r\n:2\r\n");
        assert!(bench.run("XPENDING s g").starts_with("*4\r\n:0\r\n"));
        assert_eq!(bench.run("XLEN s"), ":3\r\n");
        assert_eq!(bench.run("XACKDEL s none IDS 1 3"), "*1\r\n:-1\r\n");
        assert_eq!(bench.run("XACKDEL none g IDS 1 3"), "*1\r\n:-1\r\n");
    }

    #[test]
    fn the_ids_are_counted() {
        let mut bench = Bench::new();
        let cases = [
            ("XDELEX s IDS 0 1", "-ERR Number of IDs must be a positive integer\r\n"),
            (
                "XDELEX s IDS 2 1",
                "-ERR The `numids` parameter must match the number of arguments\r\n",
            ),
            ("XDELEX s IDS 1 1 2", "-ERR syntax error\r\n"),
            ("XDELEX s KEEPREF ACKED IDS 1 1", "-ERR syntax error\r\n"),
            ("XACKDEL s g ACKED KEEPREF 1", "-ERR syntax error\r\n"),
        ];
        for (line, expected) in cases {
            assert_eq!(bench.run(line), expected, "{line}");
        }
    }
}
