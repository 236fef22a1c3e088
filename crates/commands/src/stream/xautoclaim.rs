//! `XAUTOCLAIM`: claims what has been pending for long, a stretch of the group's list at a time.

use collections::stream::{Group as ConsumerGroup, Id, Log, Pending, Stream};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use resp::Length;
use resp::Reply;
use store::{Absent, Change};

use super::group::{self, Journal};
use super::{event, id, reply};

/// `XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]`.
pub static XAUTOCLAIM: DataCommand = DataCommand::new(
    Spec::new(
        "xautoclaim",
        Group::Stream,
        "6.2.0",
        -6,
        "O(1) if COUNT is small.",
        "Claims entries that have been pending for long and returns them, with where to go on.",
    )
    .flags(Flags::WRITE.union(Flags::FAST))
    .acl(Categories::STREAM)
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::ACCESS).union(KeyFlags::DELETE))])
    .args(&[
        Arg::key("key", 0),
        Arg::string("group"),
        Arg::string("consumer"),
        Arg::string("min-idle-time"),
        Arg::string("start"),
        Arg::integer("count").token("COUNT").optional(),
        Arg::word("justid", "JUSTID").optional(),
    ])
    .history(&[(
        "7.0.0",
        "Added an element to the reply array, containing deleted entries the command cleared from \
         the PEL",
    )])
    .tips(&["nondeterministic_output"]),
    run,
);

const COUNT_DEFAULT: u64 = 100;
/// Records that are looked at for each that may be claimed.
const ATTEMPTS: u64 = 10;
const COUNT_MAX: i64 = i64::MAX / 16;

/// What the command line says behind the consumer.
struct Request {
    min_idle: u64,
    start: Id,
    count: u64,
    just_id: bool,
}

fn parse(mut reader: command::ArgReader<'_>) -> Result<Request, CommandError> {
    let wrong = "ERR Invalid min-idle-time argument for XAUTOCLAIM";
    let min_idle = reader.integer_or(CommandError::request(wrong));
    reader.check()?;
    let start = id::interval_start(reader.bytes())?;
    let (mut count, mut just_id) = (COUNT_DEFAULT, false);
    while reader.more() {
        if reader.option("COUNT") {
            let wrong = CommandError::request("ERR COUNT must be > 0");
            count = reader.integer_in(1..=COUNT_MAX, wrong) as u64;
        } else if reader.token("JUSTID") {
            just_id = true;
        } else {
            return Err(CommandError::SYNTAX);
        }
    }
    reader.finish()?;
    Ok(Request { min_idle: u64::try_from(min_idle).unwrap_or(0), start, count, just_id })
}

/// What is to happen to one record.
#[derive(Clone, Copy)]
enum Step {
    Claim,
    /// Its entry is gone.
    Forget,
}

/// The records to work on, and where the next call is to go on: 0-0 at the end.
fn select(
    log: &Log,
    group: &ConsumerGroup,
    request: &Request,
    now: u64,
) -> (Vec<(Id, Pending, Step)>, Id) {
    let mut left = request.count.saturating_mul(ATTEMPTS);
    let mut selected = Vec::new();
    for (id, pending) in group.pending_from(request.start) {
        if left == 0 || selected.len() as u64 == request.count {
            return (selected, id);
        }
        left -= 1;
        if !log.contains(id) {
            selected.push((id, *pending, Step::Forget));
        } else if now.saturating_sub(pending.delivered_at) >= request.min_idle {
            selected.push((id, *pending, Step::Claim));
        }
    }
    (selected, Id::MIN)
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (key, name, consumer) = (reader.bytes(), reader.bytes(), reader.bytes());
    let request = parse(reader)?;
    group::check(cx, key, name)?;
    let now = cx.db.now();
    let mut journal = Journal::new(cx.db.effects);
    let reply = &mut *cx.reply;
    let mut edit = cx.db.edit(key);
    let created = edit.update(Absent::Ignore, |stream: &mut Stream| {
        let Some((log, group)) = stream.group_mut(name) else { return Change::none(false) };
        let created = group::seen(group, consumer, now).1;
        let changes = claim(reply, log, group, consumer, &request, now, &mut journal);
        Change::quiet(changes + u64::from(created), created)
    })?;
    if created == Some(true) {
        edit.also(event("xgroup-createconsumer"));
    }
    journal.write(cx, key, name);
    Ok(())
}

/// Claims, shows what was claimed and what is gone, and returns how many records changed.
fn claim(
    reply: &mut Reply,
    log: &Log,
    group: &mut ConsumerGroup,
    name: &[u8],
    request: &Request,
    now: u64,
    journal: &mut Journal,
) -> u64 {
    let Some(consumer) = group.find_consumer(name) else { return 0 };
    let (selected, next) = select(log, group, request, now);
    reply.array(3);
    reply::id(reply, next);
    let (mark, mut claimed, mut gone) = (reply.begin_deferred(), 0, Vec::new());
    for &(id, before, step) in &selected {
        let entry = match step {
            Step::Claim => log.first_in(id, id),
            Step::Forget => None,
        };
        let Some(entry) = entry else {
            journal.claim(group, id, &before);
            group.acknowledge(id);
            gone.push(id);
            continue;
        };
        let deliveries = before.deliveries.saturating_add(u64::from(!request.just_id));
        let pending = Pending { consumer, delivered_at: now, deliveries };
        group.set_pending(id, pending);
        journal.claim(group, id, &pending);
        if request.just_id {
            reply::id(reply, id);
        } else {
            reply::entry(reply, entry);
        }
        claimed += 1;
    }
    reply.end_deferred(mark, Length::Array, claimed);
    if claimed > 0 {
        group::active(group, consumer, now);
    }
    reply.array(gone.len());
    gone.iter().for_each(|id| reply::id(reply, *id));
    selected.len() as u64
}

#[cfg(test)]
mod tests {
    use crate::testing::{Bench, NOW};

    fn filled() -> Bench {
        let mut bench = Bench::new();
        (1..=5).for_each(|ms| drop(bench.run(&format!("XADD s {ms} f v"))));
        bench.run("XGROUP CREATE s g 0");
        bench.run("XREADGROUP GROUP g a STREAMS s >");
        bench.at(NOW + 1000);
        bench.clear();
        bench
    }

    fn words(reply: &str) -> String {
        reply.replace("\r\n", " ")
    }

    #[test]
    fn claims_a_stretch_and_says_where_to_go_on() {
        let mut bench = filled();
        let first = "*3 $3 3-0 *2 $3 1-0 $3 2-0 *0 ";
        assert_eq!(words(&bench.run("XAUTOCLAIM s g b 0 - COUNT 2 JUSTID")), first);
        let rest = "*3 $3 0-0 *3 $3 3-0 $3 4-0 $3 5-0 *0 ";
        assert_eq!(words(&bench.run("XAUTOCLAIM s g b 500 (2 JUSTID")), rest);
        assert_eq!(words(&bench.run("XAUTOCLAIM s g b 1 0")), "*3 $3 0-0 *0 *0 ");
        assert_eq!(bench.log().len(), 5);
        assert!(bench.log()[4].starts_with("XCLAIM s g b 0 5-0 TIME"));
        assert_eq!((bench.dirty(), bench.events().len()), (6, 1));
    }

    #[test]
    fn records_of_deleted_entries_are_cleared_and_told() {
        let mut bench = filled();
        bench.run("XDEL s 1 3");
        let reply = words(&bench.run("XAUTOCLAIM s g b 0 0 COUNT 3 JUSTID"));
        assert_eq!(reply, "*3 $3 4-0 *1 $3 2-0 *2 $3 1-0 $3 3-0 ");
        assert!(bench.run("XPENDING s g").starts_with("*4\r\n:3\r\n"));
    }

    #[test]
    fn at_most_ten_records_are_looked_at_for_each() {
        let mut bench = Bench::new();
        (1..=25).for_each(|ms| drop(bench.run(&format!("XADD s {ms} f v"))));
        bench.run("XGROUP CREATE s g 0");
        bench.run("XREADGROUP GROUP g a STREAMS s >");
        assert_eq!(words(&bench.run("XAUTOCLAIM s g b 1 0 COUNT 1")), "*3 $4 11-0 *0 *0 ");
    }

    #[test]
    fn bad_lines_are_refused_before_the_key() {
        let mut bench = Bench::new();
        let cases = [
            ("XAUTOCLAIM s g b x 0", "-ERR Invalid min-idle-time argument for XAUTOCLAIM\r\n"),
            ("XAUTOCLAIM s g b 0 0 COUNT 0", "-ERR COUNT must be > 0\r\n"),
            ("XAUTOCLAIM s g b 0 0 FOO", "-ERR syntax error\r\n"),
            ("XAUTOCLAIM s g b 0 0", "-NOGROUP No such key 's' or consumer group 'g'\r\n"),
        ];
        for (line, expected) in cases {
            assert_eq!(bench.run(line), expected, "{line}");
        }
    }
}
