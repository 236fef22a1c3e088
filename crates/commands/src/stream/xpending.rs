//! `XPENDING`: what a group was given and has not acknowledged.

use collections::stream::{Group as ConsumerGroup, Id, Pending, Stream};
use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use resp::Length;
use resp::Reply;

use super::{group, id, reply};

/// `XPENDING key group [[IDLE min-idle-time] start end count [consumer]]`.
pub static XPENDING: DataCommand = DataCommand::new(
    Spec::new(
        "xpending",
        Group::Stream,
        "5.0.0",
        -3,
        "O(N) where N is the number of returned records, or of consumers in the short form; with \
         IDLE, of the records that are looked at.",
        "Returns what is pending in a consumer group, in short or record by record.",
    )
    .flags(Flags::READONLY)
    .acl(Categories::STREAM)
    .keys(&[KeySpec::first(KeyFlags::RO.union(KeyFlags::ACCESS))])
    .args(&[
        Arg::key("key", 0),
        Arg::string("group"),
        Arg::block(
            "filters",
            &[
                Arg::integer("min-idle-time").token("IDLE").since("6.2.0").optional(),
                Arg::string("start"),
                Arg::string("end"),
                Arg::integer("count"),
                Arg::string("consumer").optional(),
            ],
        )
        .optional(),
    ])
    .history(&[("6.2.0", "Added the `IDLE` option and exclusive range intervals.")])
    .tips(&["nondeterministic_output"]),
    run,
);

/// What the long form asks for.
struct Filter<'a> {
    min_idle: u64,
    start: Id,
    end: Id,
    count: usize,
    consumer: Option<&'a [u8]>,
}

/// The long form's arguments. Their number is looked at first, and words too many are ignored, as
/// in Redis.
fn parse<'a>(cx: &Cx<'a>) -> Result<Option<Filter<'a>>, CommandError> {
    let args = cx.args.len();
    if args == 3 {
        return Ok(None);
    }
    if !(6..=9).contains(&args) {
        return Err(CommandError::SYNTAX);
    }
    let mut reader = ArgReader::new(cx.args, 3);
    let mut min_idle = 0;
    if reader.token("IDLE") {
        min_idle = u64::try_from(reader.integer()).unwrap_or(0);
        reader.check()?;
        if args < 8 {
            return Err(CommandError::SYNTAX);
        }
    }
    let (start, end) = (reader.bytes(), reader.bytes());
    let count = usize::try_from(reader.integer()).unwrap_or(0);
    reader.check()?;
    let (start, end) = (id::interval_start(start)?, id::interval_end(end)?);
    let consumer = reader.more().then(|| reader.bytes());
    Ok(Some(Filter { min_idle, start, end, count, consumer }))
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let filter = parse(cx)?;
    let (key, name, now) = (cx.arg(1)?, cx.arg(2)?, cx.db.now());
    let stream = cx.db.get::<Stream>(key)?;
    let group = stream.and_then(|stream| stream.group(name));
    let group = group.ok_or_else(|| group::no_key_or_group(key, name))?;
    let Some(filter) = filter else {
        summary(cx.reply, group);
        return Ok(());
    };
    let start = filter.start;
    match filter.consumer {
        None => records(cx.reply, group, &filter, now, group.pending_from(start)),
        Some(consumer) => match group.find_consumer(consumer) {
            None => cx.reply.array(0),
            Some(id) => records(cx.reply, group, &filter, now, group.pending_of(id, start)),
        },
    }
    Ok(())
}

/// The short form: how many, from where to where, and how many for each consumer that has some.
fn summary(reply: &mut Reply, group: &ConsumerGroup) {
    reply.array(4);
    reply::count(reply, group.pending_len() as u64);
    let Some((first, last)) = group.pending_bounds() else {
        reply.null();
        reply.null();
        return reply.null_array();
    };
    reply::id(reply, first);
    reply::id(reply, last);
    let busy = || group.consumers().filter(|consumer| consumer.pending_len() > 0);
    reply.array(busy().count());
    for consumer in busy() {
        reply.array(2);
        reply.bulk(consumer.name());
        reply.bulk_int(consumer.pending_len() as i64);
    }
}

/// The long form.
fn records<'g>(
    reply: &mut Reply,
    group: &ConsumerGroup,
    filter: &Filter<'_>,
    now: u64,
    pending: impl Iterator<Item = (Id, &'g Pending)>,
) {
    let shown = pending
        .take_while(|(id, _)| *id <= filter.end)
        .filter(|(_, pending)| pending.idle(now) >= filter.min_idle)
        .take(filter.count);
    let (mark, mut len) = (reply.begin_deferred(), 0);
    for (id, pending) in shown {
        reply.array(4);
        reply::id(reply, id);
        reply.bulk(name_of(group, pending));
        match pending.consumer {
            Some(_) => reply::count(reply, pending.idle(now)),
            None => reply.integer(-1),
        }
        reply::count(reply, pending.deliveries);
        len += 1;
    }
    reply.end_deferred(mark, Length::Array, len);
}

/// The name of the consumer that has an entry pending; empty if nobody has it.
pub(super) fn name_of<'g>(group: &'g ConsumerGroup, pending: &Pending) -> &'g [u8] {
    let consumer = pending.consumer.and_then(|consumer| group.consumer(consumer));
    consumer.map_or(&[], |consumer| consumer.name())
}

#[cfg(test)]
mod tests {
    use crate::stream::fixture;
    use crate::testing::{Bench, NOW};

    fn filled() -> Bench {
        let mut bench = fixture::grouped(4);
        bench.run("XREADGROUP GROUP g b COUNT 2 STREAMS s >");
        bench.at(NOW + 100);
        bench.run("XREADGROUP GROUP g a STREAMS s >");
        bench.at(NOW + 150);
        bench
    }

    fn words(reply: &str) -> String {
        reply.replace("\r\n", " ")
    }

    #[test]
    fn in_short() {
        let mut bench = filled();
        assert_eq!(
            words(&bench.run("XPENDING s g")),
            "*4 :4 $3 1-0 $3 4-0 *2 *2 $1 a $1 2 *2 $1 b $1 2 "
        );
        bench.run("XACK s g 1 2 3 4");
        assert_eq!(words(&bench.run("XPENDING s g")), "*4 :0 $-1 $-1 *-1 ");
    }

    #[test]
    fn record_by_record() {
        let mut bench = filled();
        let (b, a) = ("*4 $3 2-0 $1 b :150 :1 ", "*4 $3 3-0 $1 a :50 :1 ");
        assert_eq!(words(&bench.run("XPENDING s g 2 3 9")), format!("*2 {b}{a}"));
        assert_eq!(words(&bench.run("XPENDING s g (1 + 1")), format!("*1 {b}"));
        assert_eq!(words(&bench.run("XPENDING s g - + 1 a")), format!("*1 {a}"));
        assert_eq!(words(&bench.run("XPENDING s g IDLE 100 2 + 9")), format!("*1 {b}"));
        assert_eq!(words(&bench.run("XPENDING s g IDLE 100 - + 9 a")), "*0 ");
        assert_eq!(words(&bench.run("XPENDING s g - + 9 nobody")), "*0 ");
        assert_eq!(words(&bench.run("XPENDING s g - + 0")), "*0 ");
    }

    #[test]
    fn bad_lines_are_refused_before_the_key() {
        let mut bench = Bench::new();
        let no_group = "-NOGROUP No such key 's' or consumer group 'g'\r\n";
        assert_eq!(bench.run("XPENDING s g"), no_group);
        assert_eq!(bench.run("XPENDING s g - +"), "-ERR syntax error\r\n");
        assert_eq!(bench.run("XPENDING s g IDLE 1 - +"), "-ERR syntax error\r\n");
        let not_integer = "-ERR value is not an integer or out of range\r\n";
        assert_eq!(bench.run("XPENDING s g - + x"), not_integer);
        assert!(bench.run("XPENDING s g x + 1").starts_with("-ERR Invalid stream ID"));
    }
}
