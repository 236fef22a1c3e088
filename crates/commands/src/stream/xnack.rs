//! `XNACK`: gives pending entries back to their group, to be claimed by whoever asks first.

use collections::stream::{Group as ConsumerGroup, Id, Log, Pending, Stream};
use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use store::{Absent, Change};

use super::group::{self, DELIVERIES_MAX};
use super::{id, reply};

/// `XNACK key group SILENT|FAIL|FATAL IDS numids id [id ...] [RETRYCOUNT count] [FORCE]`.
pub static XNACK: DataCommand = DataCommand::new(
    Spec::new(
        "xnack",
        Group::Stream,
        "8.8.0",
        -7,
        "O(log N) for each id, where N is the number of pending entries of the group.",
        "Gives pending entries back to their group, to be claimed at once.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::STREAM)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))])
    .args(&[
        Arg::key("key", 0),
        Arg::string("group"),
        Arg::one_of(
            "mode",
            &[
                Arg::word("silent", "SILENT"),
                Arg::word("fail", "FAIL"),
                Arg::word("fatal", "FATAL"),
            ],
        ),
        Arg::block("ids", &[Arg::integer("numids"), Arg::string("id").multiple()]).token("IDS"),
        Arg::integer("count").token("RETRYCOUNT").optional(),
        Arg::word("force", "FORCE").optional(),
    ]),
    run,
);

/// What a release says of the delivery that it ends.
#[derive(Clone, Copy)]
enum Mode {
    /// It does not count.
    Silent,
    /// It failed, and another one may not.
    Fail,
    /// The entry is bad, and every other one will fail too.
    Fatal,
}

/// What the command line says behind the group.
struct Request {
    mode: Mode,
    ids: Vec<Id>,
    deliveries: Option<u64>,
    force: bool,
}

impl Request {
    /// How often an entry counts as delivered that was so often before.
    fn deliveries(&self, before: u64) -> u64 {
        self.deliveries.unwrap_or(match self.mode {
            Mode::Silent => before.saturating_sub(1),
            Mode::Fail => before,
            Mode::Fatal => DELIVERIES_MAX,
        })
    }
}

fn parse(mut reader: ArgReader<'_>) -> Result<Request, CommandError> {
    let modes = [("SILENT", Mode::Silent), ("FAIL", Mode::Fail), ("FATAL", Mode::Fatal)];
    let mode = modes.into_iter().find_map(|(word, mode)| reader.token(word).then_some(mode));
    let wrong = || CommandError::request("ERR mode must be SILENT, FAIL, or FATAL");
    let mode = mode.ok_or_else(wrong)?;
    let (mut ids, mut deliveries, mut force) = (None, None, false);
    while reader.more() {
        if reader.option("IDS") {
            ids = Some(listed(&mut reader)?);
        } else if reader.option("RETRYCOUNT") {
            let count = reader.integer();
            reader.check()?;
            let negative = |_| CommandError::request("ERR Invalid RETRYCOUNT value, must be >= 0");
            deliveries = Some(u64::try_from(count).map_err(negative)?);
        } else if reader.token("FORCE") {
            force = true;
        } else {
            let option = reader.bytes();
            return Err(CommandError::quoting("ERR Unrecognized XNACK option '", option, "'"));
        }
    }
    let missing = || CommandError::request("ERR syntax error, expected IDS keyword");
    let ids: Result<_, _> = ids.ok_or_else(missing)?.into_iter().map(id::strict).collect();
    Ok(Request { mode, ids: ids?, deliveries, force })
}

/// The arguments of `IDS`, which are read as ids once all options are known.
fn listed<'a>(reader: &mut ArgReader<'a>) -> Result<Vec<&'a [u8]>, CommandError> {
    let wrong = CommandError::request("ERR numids must be a positive integer");
    let count = reader.integer_in(1..=i64::from(i32::MAX), wrong);
    reader.check()?;
    let count = count as usize;
    if count > reader.remaining() {
        return Err(CommandError::request("ERR number of IDs doesn't match numids"));
    }
    Ok((0..count).map(|_| reader.bytes()).collect())
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (key, name) = (reader.bytes(), reader.bytes());
    group::check(cx, key, name)?;
    let request = parse(reader)?;
    let mut edit = cx.db.edit(key);
    let released = edit.update(Absent::Ignore, |stream: &mut Stream| {
        let Some((log, group)) = stream.group_mut(name) else { return Change::none(0) };
        let released = release(log, group, &request);
        Change::quiet(released, released)
    })?;
    let released = released.unwrap_or(0);
    if released > 0 {
        // Who waits to claim has something to claim.
        edit.wake();
    }
    reply::count(cx.reply, released);
    Ok(())
}

/// Releases the entries, and returns how many.
fn release(log: &Log, group: &mut ConsumerGroup, request: &Request) -> u64 {
    let mut released = 0;
    for &id in &request.ids {
        let before = match group.pending(id) {
            Some(pending) => pending.deliveries,
            None if request.force && log.contains(id) => 0,
            None => continue,
        };
        group.set_pending(id, Pending::released(request.deliveries(before)));
        released += 1;
    }
    released
}

#[cfg(test)]
mod tests {
    use crate::stream::fixture;
    use crate::testing::{Bench, NOW};

    /// Three entries, all read by consumer `a`.
    fn filled() -> Bench {
        let mut bench = fixture::read_by("a", 3);
        bench.clear();
        bench
    }

    fn pending(bench: &mut Bench, args: &str) -> String {
        bench.run(&format!("XPENDING s g - + 10{args}")).replace("\r\n", " ")
    }

    #[test]
    fn entries_go_back_to_the_group() {
        let mut bench = filled();
        assert_eq!(bench.run("XNACK s g FAIL IDS 3 3 9 1"), ":2\r\n");
        assert_eq!((bench.dirty(), bench.events().len()), (2, 0));
        assert_eq!(bench.log(), ["XNACK s g FAIL IDS 3 3 9 1"]);
        let free = |id: u64| format!("*4 $3 {id}-0 $0  :-1 :1 ");
        let all = format!("*3 {}*4 $3 2-0 $1 a :0 :1 {}", free(1), free(3));
        assert_eq!(pending(&mut bench, ""), all);
        assert_eq!(pending(&mut bench, " a"), "*1 *4 $3 2-0 $1 a :0 :1 ");
        assert_eq!(bench.run("XGROUP DELCONSUMER s g a"), ":1\r\n");
        assert_eq!(bench.run("XACK s g 1 3"), ":2\r\n");
    }

    #[test]
    fn modes_and_counts() {
        let mut bench = filled();
        let mut last = |line: &str| {
            assert_eq!(bench.run(line), ":1\r\n", "{line}");
            let shown = pending(&mut bench, "");
            shown.split("-1 :").nth(1).map(|count| count.split(' ').next().unwrap().to_owned())
        };
        let max = i64::MAX.to_string();
        for (line, deliveries) in [
            ("XNACK s g silent IDS 1 1", "0"),
            ("XNACK s g SILENT IDS 1 1", "0"),
            ("XNACK s g FATAL RETRYCOUNT 7 IDS 1 1", "7"),
            ("XNACK s g SILENT IDS 1 1", "6"),
            ("XNACK s g FATAL IDS 1 1", &max),
            ("XNACK s g FAIL IDS 1 1 FORCE", &max),
        ] {
            assert_eq!(last(line).as_deref(), Some(deliveries), "{line}");
        }
        bench.run("XCLAIM s g b 99999 1");
        assert!(pending(&mut bench, " b").ends_with(&format!(":{max} ")), "it does not overflow");
    }

    #[test]
    fn force_needs_the_entry() {
        let mut bench = fixture::grouped(2);
        assert_eq!(bench.run("XNACK s g FAIL IDS 1 1"), ":0\r\n");
        assert_eq!(bench.run("XNACK s g FAIL FORCE IDS 2 1 9"), ":1\r\n");
        assert_eq!(pending(&mut bench, ""), "*1 *4 $3 1-0 $0  :-1 :0 ");
    }

    #[test]
    fn released_entries_are_claimed_first_in_the_order_of_release() {
        let mut bench = filled();
        bench.run("XNACK s g FAIL IDS 2 3 1");
        bench.run("XNACK s g FAIL IDS 1 3");
        let read = "XREADGROUP GROUP g b COUNT 1 CLAIM 0 STREAMS s >";
        bench.at(NOW + 1);
        for id in ["1-0", "3-0", "2-0"] {
            assert!(bench.run(read).contains(id), "{id}");
        }
    }

    #[test]
    fn bad_lines_are_refused() {
        let mut bench = filled();
        let cases = [
            ("XNACK s no FAIL IDS 1 1", "-NOGROUP No such key 's' or consumer group 'no'\r\n"),
            ("XNACK s g NONE IDS 1 1", "-ERR mode must be SILENT, FAIL, or FATAL\r\n"),
            ("XNACK s g FAIL FATAL IDS 1 1", "-ERR Unrecognized XNACK option 'FATAL'\r\n"),
            ("XNACK s g FAIL IDS 1 1 2", "-ERR Unrecognized XNACK option '2'\r\n"),
            (
                "XNACK s g FAIL IDS 1 1 RETRYCOUNT",
                "-ERR Unrecognized XNACK option 'RETRYCOUNT'\r\n",
            ),
            ("XNACK s g FAIL FORCE RETRYCOUNT 5", "-ERR syntax error, expected IDS keyword\r\n"),
            ("XNACK s g FAIL IDS 0 1", "-ERR numids must be a positive integer\r\n"),
            ("XNACK s g FAIL IDS 2 1", "-ERR number of IDs doesn't match numids\r\n"),
            (
                "XNACK s g FAIL IDS 1 1 RETRYCOUNT x",
                "-ERR value is not an integer or out of range\r\n",
            ),
            (
                "XNACK s g FAIL IDS 1 1 RETRYCOUNT -1",
                "-ERR Invalid RETRYCOUNT value, must be >= 0\r\n",
            ),
            (
                "XNACK s g FAIL IDS 1 x",
                "-ERR Invalid stream ID specified as stream command argument\r\n",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(bench.run(line), expected, "{line}");
        }
        assert!(bench.log().is_empty());
    }
}
