//! `XAUTOCLAIM`: claims what has been pending for long, a stretch of the group's list at a time.

use collections::stream::{Group as ConsumerGroup, Id, Log};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use resp::Length;

use super::group::{self, Acting};
use super::{id, reply};

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
    .keys(&[KeySpec::first(KeyFlags::RW.union(KeyFlags::DELETE))])
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

/// The records to work on, each with how often it was delivered, and where the next call is to go
/// on: 0-0 at the end. A record is worked on if it has been idle for long, or its entry is gone.
fn select(log: &Log, group: &ConsumerGroup, request: &Request, now: u64) -> (Vec<(Id, u64)>, Id) {
    let mut left = request.count.saturating_mul(ATTEMPTS);
    let mut selected = Vec::new();
    for (id, pending) in group.pending_from(request.start) {
        if left == 0 || selected.len() as u64 == request.count {
            return (selected, id);
        }
        left -= 1;
        if pending.idle(now) >= request.min_idle || !log.contains(id) {
            selected.push((id, pending.deliveries));
        }
    }
    (selected, Id::MIN)
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let mut reader = cx.reader();
    let (key, name, consumer) = (reader.bytes(), reader.bytes(), reader.bytes());
    let request = parse(reader)?;
    group::check(cx, key, name)?;
    group::act(cx, key, name, consumer, |acting| (claim(acting, &request), ()))
}

/// Claims, shows what was claimed and what is gone, and returns how many records changed.
fn claim(acting: &mut Acting<'_>, request: &Request) -> u64 {
    let (selected, next) = select(acting.log, acting.group, request, acting.now);
    acting.reply.array(3);
    reply::id(acting.reply, next);
    let (mark, mut claimed, mut gone) = (acting.reply.begin_deferred(), 0, Vec::new());
    for &(id, before) in &selected {
        let Some(entry) = acting.log.first_in(id, id) else {
            acting.forget(id);
            gone.push(id);
            continue;
        };
        let deliveries = before.saturating_add(u64::from(!request.just_id));
        acting.take(id, acting.now, deliveries);
        reply::claimed(acting.reply, entry, request.just_id);
        claimed += 1;
    }
    acting.reply.end_deferred(mark, Length::Array, claimed);
    if claimed > 0 {
        acting.active();
    }
    acting.reply.array(gone.len());
    gone.iter().for_each(|id| reply::id(acting.reply, *id));
    selected.len() as u64
}

#[cfg(test)]
mod tests {
    use crate::stream::fixture;
    use crate::testing::{Bench, NOW};

    fn filled() -> Bench {
        let mut bench = fixture::read_by("a", 5);
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
        let mut bench = fixture::read_by("a", 25);
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
