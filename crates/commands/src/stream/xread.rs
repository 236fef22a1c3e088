//! `XREAD`: what came after an id, from several streams.

use collections::stream::{Id, Stream};
use command::spec::{Begin, Find};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};

use super::reading::{self, Request};
use super::{id, reply};

/// `XREAD [COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]`.
pub static XREAD: DataCommand = DataCommand::new(
    Spec::new(
        "xread",
        Group::Stream,
        "5.0.0",
        -4,
        "O(N) for each stream, where N is the number of returned entries.",
        "Returns entries with greater ids than given from several streams, and may wait for them.",
    )
    .flags(Flags::READONLY.union(Flags::BLOCKING).union(Flags::MOVABLE_KEYS))
    .acl(Categories::STREAM)
    .keys(&[KeySpec {
        flags: KeyFlags::RO.union(KeyFlags::ACCESS),
        begin: Begin::Keyword { word: "STREAMS", from: 1 },
        find: Find::Range { last: -1, step: 1, limit: 2 },
        notes: None,
    }])
    .args(&[
        Arg::integer("count").token("COUNT").optional(),
        Arg::integer("milliseconds").token("BLOCK").optional(),
        Arg::block("streams", &[Arg::key("key", 0).multiple(), Arg::string("id").multiple()])
            .token("STREAMS"),
    ]),
    run,
);

const GROUP_ONLY: &str = "ERR The > ID can be specified only when calling XREADGROUP using the \
                          GROUP <group> <consumer> option.";

/// Where to go on in a stream, which may be absent: behind this id.
fn place(stream: Option<&Stream>, text: &[u8]) -> Result<Id, CommandError> {
    match text {
        b"$" => Ok(stream.map_or(Id::MIN, |stream| stream.log().last_id())),
        // The last entry, wherever the last id is.
        b"+" => {
            let last = stream.and_then(|stream| stream.log().range_back(Id::MIN, Id::MAX).next());
            Ok(last.and_then(|entry| entry.id.previous()).unwrap_or(Id::MIN))
        }
        b">" => Err(CommandError::request(GROUP_ONLY)),
        _ => id::strict(text),
    }
}

/// The places in all streams, and the streams that have something behind them.
fn look<'a>(cx: &mut Cx<'_>, request: &Request<'a>) -> Result<Found<'a>, CommandError> {
    let mut found = Found { places: Vec::new(), served: Vec::new() };
    for &(key, text) in &request.streams {
        let stream = cx.db.get::<Stream>(key)?;
        let after = place(stream, text)?;
        found.places.push((text == b"$").then_some(after));
        let next = after.next().and_then(|start| {
            let stream = stream?;
            stream.log().first_in(start, Id::MAX).map(|_| (key, stream.clone(), start))
        });
        found.served.extend(next);
    }
    Ok(found)
}

struct Found<'a> {
    /// Of each stream the place that the client asked for as `$`.
    places: Vec<Option<Id>>,
    /// The key, the entries and the first id to return.
    served: Vec<(&'a [u8], Stream, Id)>,
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let request = reading::parse(cx, false)?;
    let found = look(cx, &request)?;
    let limit = request.limit();
    if found.served.iter().any(|(_, stream, _)| reply::is_long(stream.log(), limit)) {
        cx.db.release();
    }
    let any = reading::reply(cx, found.served, |cx, (key, stream, start)| {
        reading::name(cx.reply, key);
        reply::entries(cx.reply, stream.log().range(start, Id::MAX).take(limit));
        Ok(true)
    })?;
    if !any {
        reading::nothing(cx, &request, &found.places, None);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::stream::fixture;
    use crate::testing::Bench;

    fn filled() -> Bench {
        let mut bench = fixture::filled(3);
        bench.run("XADD t 5 a b");
        bench
    }

    #[test]
    fn reads_behind_an_id_from_all_streams_that_have_some() {
        let mut bench = filled();
        let entry = "*2\r\n$3\r\n5-0\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n";
        let t = format!("*1\r\n*2\r\n$1\r\nt\r\n*1\r\n{entry}");
        assert_eq!(bench.run("XREAD STREAMS s none t 3 0 4"), t);
        assert_eq!(bench.run("XREAD COUNT 1 STREAMS t +"), t);
        assert_eq!(bench.run("XREAD STREAMS s t 3 5-0"), "*-1\r\n");
        assert_eq!(bench.run("XREAD STREAMS s t $ $"), "*-1\r\n");
        assert_eq!(bench.run("XREAD COUNT 2 STREAMS s 0").matches("\r\nf\r\n").count(), 2);
        assert_eq!(bench.run("XREAD COUNT 0 STREAMS s 0").matches("\r\nf\r\n").count(), 3);
        bench.resp3();
        let t = format!("%1\r\n$1\r\nt\r\n*1\r\n{entry}");
        assert_eq!(bench.run("XREAD STREAMS s t 3 4"), t);
        assert_eq!(bench.run("XREAD STREAMS s t 3 5"), "_\r\n");
    }

    #[test]
    fn the_last_entry_may_be_below_the_last_id() {
        let mut bench = filled();
        bench.run("XDEL s 3");
        assert!(bench.run("XREAD STREAMS s +").contains("2-0"));
        bench.run("XTRIM s MAXLEN 0");
        assert_eq!(bench.run("XREAD STREAMS s +"), "*-1\r\n");
    }

    #[test]
    fn bad_lines_are_refused() {
        let mut bench = filled();
        let cases = [
            (
                "XREAD STREAMS s t 0",
                "-ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' \
                 must be specified.\r\n",
            ),
            (
                "XREAD GROUP g c STREAMS s 0",
                "-ERR The GROUP option is only supported by XREADGROUP. You called XREAD \
                 instead.\r\n",
            ),
            ("XREAD COUNT x STREAMS s 0", "-ERR value is not an integer or out of range\r\n"),
            ("XREAD BLOCK -1 STREAMS s 0", "-ERR timeout is negative\r\n"),
            ("XREAD BLOCK x STREAMS s 0", "-ERR timeout is not an integer or out of range\r\n"),
            ("XREAD COUNT 1 BLOCK 2", "-ERR syntax error\r\n"),
            ("XREAD FOO STREAMS s 0", "-ERR syntax error\r\n"),
        ];
        for (line, expected) in cases {
            assert_eq!(bench.run(line), expected, "{line}");
        }
        assert!(bench.run("XREAD STREAMS s >").starts_with("-ERR The > ID can be specified only"));
        assert!(bench.run("XREAD STREAMS s x").starts_with("-ERR Invalid stream ID"));
    }
}
