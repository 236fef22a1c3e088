//! `XTRIM`: removes entries from the front of a stream.

use collections::stream::{Stream, Trim};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use store::{Absent, Change};

use super::trimming::{self, Logged, Options};
use super::{event, reply};

/// `XTRIM key MAXLEN|MINID [=|~] threshold [LIMIT count] [KEEPREF|DELREF|ACKED]`.
pub static XTRIM: DataCommand = DataCommand::new(
    Spec::new(
        "xtrim",
        Group::Stream,
        "5.0.0",
        -4,
        "O(N) where N is the number of removed entries, with a small constant: blocks are removed \
         as a whole.",
        "Removes the oldest entries.",
    )
    .flags(Flags::WRITE)
    .acl(Categories::STREAM)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::DELETE))])
    .args(&[Arg::key("key", 0), Arg::block("trim", trimming::ARGS), trimming::CONDITION])
    .history(&[
        ("6.2.0", "Added the `MINID` trimming strategy and the `LIMIT` option."),
        ("8.2.0", "Added the `KEEPREF`, `DELREF` and `ACKED` options."),
    ])
    .tips(&["nondeterministic_output"]),
    run,
);

fn parse<'a>(cx: &Cx<'a>) -> Result<(&'a [u8], Trim), CommandError> {
    let (mut reader, mut options) = (cx.reader(), Options::default());
    let key = reader.bytes();
    while reader.more() {
        if !options.take(&mut reader)? {
            return Err(CommandError::SYNTAX);
        }
    }
    reader.finish()?;
    let trim = options.finish(cx.config)?.ok_or_else(|| {
        let text = "ERR syntax error, XTRIM must be called with a trimming strategy";
        CommandError::request(text)
    })?;
    Ok((key, trim))
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, trim) = parse(cx)?;
    let trimmed = cx.db.edit(key).update(Absent::Ignore, |stream: &mut Stream| {
        let (count, removed) = stream.trim(&trim);
        if count == 0 {
            return Change::none(None);
        }
        let logged = trim.whole_blocks.then(|| Logged::of(&trim, stream.log()));
        Change::made(count, event("xtrim"), Some((count, removed, logged)))
    })?;
    let Some((count, removed, logged)) = trimmed.flatten() else {
        cx.reply.integer(0);
        return Ok(());
    };
    cx.db.effects.discard_part(removed);
    if let Some(logged) = logged {
        let line: Vec<&[u8]> = [&b"XTRIM"[..], key].into_iter().chain(logged.args()).collect();
        cx.log(&line);
    }
    reply::count(cx.reply, count);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::stream::fixture;
    use crate::testing::Bench;

    fn filled(len: u64) -> Bench {
        let mut bench = fixture::filled(len);
        bench.clear();
        bench
    }

    #[test]
    fn exact_trims_go_to_the_log_as_they_are() {
        let mut bench = filled(10);
        assert_eq!(bench.run("XTRIM s MAXLEN 8"), ":2\r\n");
        assert_eq!(bench.run("XTRIM s MINID = 5"), ":2\r\n");
        assert_eq!(bench.run("XTRIM s MINID 5"), ":0\r\n");
        assert_eq!(bench.log(), ["XTRIM s MAXLEN 8", "XTRIM s MINID = 5"]);
        assert_eq!((bench.dirty(), bench.events()), (4, vec!["xtrim s".into(), "xtrim s".into()]));
        assert_eq!(bench.run("XTRIM none MAXLEN 0"), ":0\r\n");
    }

    #[test]
    fn approximate_trims_remove_blocks_and_are_logged_exactly() {
        let mut bench = filled(250);
        assert_eq!(bench.run("XTRIM s MAXLEN ~ 101"), ":100\r\n");
        assert_eq!(bench.run("XTRIM s MINID ~ 150"), ":0\r\n");
        assert_eq!(bench.run("XTRIM s MINID ~ 220 LIMIT 50"), ":0\r\n");
        assert_eq!(bench.run("XTRIM s MINID ~ 220 LIMIT 100"), ":100\r\n");
        assert_eq!(bench.log(), ["XTRIM s MAXLEN = 150", "XTRIM s MINID = 201-0"]);
        assert_eq!(bench.run("XLEN s"), ":50\r\n");
    }

    #[test]
    fn pending_entries_stay_with_acked_and_go_with_delref() {
        let mut bench = filled(4);
        bench.run("XGROUP CREATE s g 0");
        bench.run("XREADGROUP GROUP g c COUNT 3 STREAMS s >");
        bench.run("XACK s g 2");
        assert_eq!(bench.run("XTRIM s MAXLEN 0 ACKED"), ":1\r\n");
        assert_eq!(bench.run("XLEN s"), ":3\r\n");
        assert_eq!(bench.run("XTRIM s MAXLEN 2 DELREF"), ":1\r\n");
        assert!(bench.run("XPENDING s g").starts_with("*4\r\n:1\r\n$3\r\n3-0\r\n"));
        assert_eq!(bench.run("XTRIM s MAXLEN 0"), ":2\r\n");
        assert!(bench.run("XPENDING s g").starts_with("*4\r\n:1\r\n$3\r\n3-0\r\n"));
    }

    #[test]
    fn bad_options_are_refused() {
        let mut bench = Bench::new();
        let cases = [
            ("XTRIM s FOO 1", "-ERR syntax error\r\n"),
            ("XTRIM s MAXLEN -1", "-ERR The MAXLEN argument must be >= 0.\r\n"),
            ("XTRIM s MAXLEN x", "-ERR value is not an integer or out of range\r\n"),
            ("XTRIM s MAXLEN ~ 1 LIMIT -1", "-ERR The LIMIT argument must be >= 0.\r\n"),
            ("XTRIM s MAXLEN 1 KEEPREF ACKED", "-ERR syntax error\r\n"),
            (
                "XTRIM s MAXLEN 1 LIMIT 1",
                "-ERR syntax error, LIMIT cannot be used without the special ~ option\r\n",
            ),
            (
                "XTRIM s LIMIT 1",
                "-ERR syntax error, LIMIT cannot be used without specifying a trimming \
                 strategy\r\n",
            ),
            (
                "XTRIM s MAXLEN 1 MINID 1",
                "-ERR syntax error, MAXLEN and MINID options at the same time are not \
                 compatible\r\n",
            ),
        ];
        for (line, expected) in cases {
            let got = bench.run(line);
            let short = line == "XTRIM s LIMIT 1";
            assert!(got == expected || short, "{line}: {got}");
        }
    }
}
