//! `XCLAIM`: makes pending entries those of another consumer.
//!
//! It is also the form in which the log tells every change of a pending entry; `FORCE`, `TIME`,
//! `RETRYCOUNT` and `LASTID` are there to repeat one exactly.

use collections::stream::Id;
use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use resp::Length;

use super::group::{self, Acting};
use super::{id, reply};

/// `XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-ms]
/// [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID id]`.
pub static XCLAIM: DataCommand = DataCommand::new(
    Spec::new(
        "xclaim",
        Group::Stream,
        "5.0.0",
        -6,
        "O(log N) for each id, where N is the number of pending entries of the group.",
        "Makes pending entries those of another consumer and returns them.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::STREAM)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::UPDATE))])
    .args(&[
        Arg::key("key", 0),
        Arg::string("group"),
        Arg::string("consumer"),
        Arg::string("min-idle-time"),
        Arg::string("id").multiple(),
        Arg::integer("ms").token("IDLE").optional(),
        Arg::unix_time("unix-time-milliseconds").token("TIME").optional(),
        Arg::integer("count").token("RETRYCOUNT").optional(),
        Arg::word("force", "FORCE").optional(),
        Arg::word("justid", "JUSTID").optional(),
        Arg::string("lastid").token("LASTID").optional(),
    ])
    .tips(&["nondeterministic_output"]),
    run,
);

/// What the command line says behind the consumer.
struct Request {
    min_idle: u64,
    ids: Vec<Id>,
    delivered_at: u64,
    deliveries: Option<u64>,
    force: bool,
    just_id: bool,
    last_id: Id,
}

/// The next argument as an integer, named in the error if it is none.
fn named(reader: &mut ArgReader<'_>, what: &str) -> Result<i64, CommandError> {
    let text = format!("ERR Invalid {what} argument for XCLAIM");
    let number = reader.integer_or(CommandError::request(text));
    reader.check()?;
    Ok(number)
}

fn parse(mut reader: ArgReader<'_>, now: u64) -> Result<Request, CommandError> {
    let min_idle = u64::try_from(named(&mut reader, "min-idle-time")?).unwrap_or(0);
    let mut ids = Vec::with_capacity(reader.remaining());
    // What is no id begins the options.
    while let Some(id) = reader.peek().and_then(|arg| id::strict(arg).ok()) {
        reader.bytes();
        ids.push(id);
    }
    let signed_now = i64::try_from(now).unwrap_or(i64::MAX);
    let (mut time, mut deliveries) = (signed_now, None);
    let (mut force, mut just_id, mut last_id) = (false, false, Id::MIN);
    while reader.more() {
        if reader.token("FORCE") {
            force = true;
        } else if reader.token("JUSTID") {
            just_id = true;
        } else if reader.option("IDLE") {
            time = signed_now.saturating_sub(named(&mut reader, "IDLE option")?);
        } else if reader.option("TIME") {
            time = named(&mut reader, "TIME option")?;
        } else if reader.option("RETRYCOUNT") {
            deliveries = u64::try_from(named(&mut reader, "RETRYCOUNT option")?).ok();
        } else if reader.option("LASTID") {
            last_id = id::strict(reader.bytes())?;
        } else {
            let option = reader.bytes();
            return Err(CommandError::quoting("ERR Unrecognized XCLAIM option '", option, "'"));
        }
    }
    reader.finish()?;
    // A time in the future, or before all time, comes from a wrong clock: now is meant.
    let delivered_at = u64::try_from(time).ok().filter(|&time| time <= now).unwrap_or(now);
    Ok(Request { min_idle, ids, delivered_at, deliveries, force, just_id, last_id })
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (key, name, consumer) = (reader.bytes(), reader.bytes(), reader.bytes());
    group::check(cx, key, name)?;
    let request = parse(reader, cx.db.now())?;
    let changes = group::act(cx, key, name, consumer, |acting| {
        let moved = request.last_id > acting.group.last_id;
        if moved {
            acting.group.last_id = request.last_id;
        }
        let changes = claim(acting, &request);
        if changes == 0 && moved {
            // Otherwise the claims tell it.
            acting.journal.read(acting.group);
        }
        let changes = changes.max(u64::from(moved));
        (changes, changes)
    })?;
    if changes > 0 {
        // Who waits to claim may have less time to wait.
        cx.db.edit(key).wake();
    }
    Ok(())
}

/// Claims the entries, shows those that were claimed, and returns how many records changed.
fn claim(acting: &mut Acting<'_>, request: &Request) -> u64 {
    let (mark, mut claimed, mut forgotten) = (acting.reply.begin_deferred(), 0, 0);
    for &id in &request.ids {
        let before = acting.group.pending(id).copied();
        let Some(entry) = acting.log.first_in(id, id) else {
            // The entry is gone, and so is its record.
            if before.is_some() {
                acting.forget(id);
                forgotten += 1;
            }
            continue;
        };
        let deliveries = match before {
            Some(before) if before.idle(acting.now) < request.min_idle => continue,
            Some(before) => before.deliveries,
            None if request.force => 1,
            None => continue,
        };
        let next = deliveries.saturating_add(u64::from(!request.just_id));
        acting.take(id, request.delivered_at, request.deliveries.unwrap_or(next));
        reply::claimed(acting.reply, entry, request.just_id);
        claimed += 1;
    }
    acting.reply.end_deferred(mark, Length::Array, claimed);
    if claimed > 0 {
        acting.active();
    }
    claimed as u64 + forgotten
}

#[cfg(test)]
mod tests {
    use crate::stream::fixture;
    use crate::testing::{Bench, NOW};

    fn filled() -> Bench {
        let mut bench = fixture::grouped(4);
        bench.run("XREADGROUP GROUP g a COUNT 3 STREAMS s >");
        bench.at(NOW + 1000);
        bench.clear();
        bench
    }

    fn pending(bench: &mut Bench, id: u64) -> String {
        bench.run(&format!("XPENDING s g {id} {id} 1")).replace("\r\n", " ")
    }

    #[test]
    fn entries_change_hands() {
        let mut bench = filled();
        assert_eq!(bench.run("XCLAIM s g b 2000 1"), "*0\r\n");
        assert_eq!(bench.log(), ["XGROUP CREATECONSUMER s g b"]);
        let entry = "*1\r\n*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n";
        assert_eq!(bench.run("XCLAIM s g b 1000 1 9"), entry);
        assert_eq!(pending(&mut bench, 1), "*1 *4 $3 1-0 $1 b :0 :2 ");
        assert_eq!(bench.run("XCLAIM s g b 0 2 JUSTID IDLE 500"), "*1\r\n$3\r\n2-0\r\n");
        assert_eq!(pending(&mut bench, 2), "*1 *4 $3 2-0 $1 b :500 :1 ");
        let claim = |id: u64, time: u64, count: u64| {
            let tail = "FORCE JUSTID LASTID 3-0";
            format!("XCLAIM s g b 0 {id}-0 TIME {time} RETRYCOUNT {count} {tail}")
        };
        assert_eq!(bench.log()[1..], [claim(1, NOW + 1000, 2), claim(2, NOW + 500, 1)]);
        assert_eq!((bench.dirty(), bench.events()), (3, vec!["xgroup-createconsumer s".into()]));
    }

    #[test]
    fn force_makes_a_record_and_what_is_gone_loses_it() {
        let mut bench = filled();
        assert_eq!(bench.run("XCLAIM s g b 0 4"), "*0\r\n");
        let forced = "XCLAIM s g b 999 4-0 TIME 77 RETRYCOUNT 5 FORCE JUSTID LASTID 4-0";
        assert_eq!(bench.run(forced), "*1\r\n$3\r\n4-0\r\n");
        bench.run("XDEL s 3");
        bench.clear();
        assert_eq!(bench.run("XCLAIM s g b 0 3"), "*0\r\n");
        assert_eq!(bench.log(), ["XACK s g 3-0"]);
        assert_eq!(pending(&mut bench, 3), "*0 ");
    }

    #[test]
    fn the_last_id_alone_is_logged_as_such() {
        let mut bench = filled();
        assert_eq!(bench.run("XCLAIM s g a 0 9 LASTID 8"), "*0\r\n");
        assert_eq!(bench.log(), ["XGROUP SETID s g 8-0 ENTRIESREAD 3"]);
    }

    #[test]
    fn bad_lines_are_refused() {
        let mut bench = filled();
        let cases = [
            ("XCLAIM s no b 0 1", "-NOGROUP No such key 's' or consumer group 'no'\r\n"),
            ("XCLAIM s g b x 1", "-ERR Invalid min-idle-time argument for XCLAIM\r\n"),
            ("XCLAIM s g b 0 1 IDLE x", "-ERR Invalid IDLE option argument for XCLAIM\r\n"),
            ("XCLAIM s g b 0 1 foo", "-ERR Unrecognized XCLAIM option 'foo'\r\n"),
            ("XCLAIM s g b 0 1 IDLE", "-ERR Unrecognized XCLAIM option 'IDLE'\r\n"),
        ];
        for (line, expected) in cases {
            assert_eq!(bench.run(line), expected, "{line}");
        }
    }
}
