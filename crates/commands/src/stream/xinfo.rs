//! `XINFO`: what a stream, its groups and their consumers are like.

use collections::stream::{Group as ConsumerGroup, Id, Log, Producers, Retention, Stream};
use command::help;
use command::{
    Arg, ArgReader, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec,
    Spec,
};
use resp::Reply;

use super::xpending::name_of;
use super::{group, reply, retention, wrong_subcommand};

/// `XINFO subcommand ...`.
pub static XINFO: DataCommand = DataCommand::container(
    Spec::new(
        "xinfo",
        Group::Stream,
        "5.0.0",
        -2,
        "Depends on the subcommand.",
        "Holds the commands that describe streams and consumer groups.",
    ),
    command::help::bare,
    &[&CONSUMERS, &GROUPS, &HELP, &STREAM],
);

const KEYS: &[KeySpec] = &[KeySpec::range(KeyFlags::RO.union(KeyFlags::ACCESS), 2, 0, 1)];

static CONSUMERS: DataCommand = DataCommand::new(
    Spec::new(
        "consumers",
        Group::Stream,
        "5.0.0",
        4,
        "O(1)",
        "Describes the consumers of a group.",
    )
    .acl(Categories::STREAM)
    .flags(Flags::READONLY)
    .keys(KEYS)
    .args(&[Arg::key("key", 0), Arg::string("group")])
    .history(&[("7.2.0", "Added the `inactive` field, and changed the meaning of `idle`.")])
    .tips(&["nondeterministic_output"]),
    consumers,
);

static GROUPS: DataCommand = DataCommand::new(
    Spec::new(
        "groups",
        Group::Stream,
        "5.0.0",
        3,
        "O(1)",
        "Describes the consumer groups of a stream.",
    )
    .acl(Categories::STREAM)
    .flags(Flags::READONLY)
    .keys(KEYS)
    .args(&[Arg::key("key", 0)])
    .history(&[("7.0.0", "Added the `entries-read` and `lag` fields")]),
    groups,
);

static STREAM: DataCommand = DataCommand::new(
    Spec::new(
        "stream",
        Group::Stream,
        "5.0.0",
        -3,
        "O(1)",
        "Describes a stream; with FULL also its entries and groups.",
    )
    .acl(Categories::STREAM)
    .flags(Flags::READONLY)
    .keys(KEYS)
    .args(&[
        Arg::key("key", 0),
        Arg::block(
            "full-block",
            &[Arg::word("full", "FULL"), Arg::integer("count").token("COUNT").optional()],
        )
        .optional(),
    ])
    .history(&[
        ("6.0.0", "Added the `FULL` modifier."),
        (
            "7.0.0",
            "Added the `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, \
                 `entries-read` and `lag` fields",
        ),
        ("7.2.0", "Added the `active-time` field, and changed the meaning of `seen-time`."),
    ]),
    stream,
);

static HELP: DataCommand = DataCommand::new(
    Spec::new("help", Group::Stream, "5.0.0", 2, "O(1)", "Lists the subcommands of XINFO.")
        .acl(Categories::STREAM)
        .flags(Flags::LOADING.union(Flags::STALE)),
    help,
);

/// Of lists in the full form, so many elements are shown unless `COUNT` says otherwise.
const COUNT_DEFAULT: usize = 10;

fn number(reply: &mut Reply, field: &str, number: u64) {
    reply.bulk(field.as_bytes());
    reply::count(reply, number);
}

fn id(reply: &mut Reply, field: &str, id: Id) {
    reply.bulk(field.as_bytes());
    reply::id(reply, id);
}

fn number_or_null(reply: &mut Reply, field: &str, number: Option<i64>) {
    reply.bulk(field.as_bytes());
    match number {
        Some(number) => reply.integer(number),
        None => reply.null(),
    }
}

/// The key's stream.
fn get<'k>(cx: &'k mut Cx<'_>, key: &[u8]) -> Result<(&'k Stream, &'k mut Reply), CommandError> {
    let stream = cx.db.get::<Stream>(key)?.ok_or(CommandError::NO_SUCH_KEY)?;
    Ok((stream, cx.reply))
}

fn consumers(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let (key, name, now) = (cx.arg(2)?, cx.arg(3)?, cx.db.now());
    let (stream, reply) = get(cx, key)?;
    let group = stream.group(name).ok_or_else(|| group::no_group(key, name))?;
    reply.array(group.consumers_len());
    for consumer in group.consumers() {
        reply.map(4);
        reply.bulk(b"name");
        reply.bulk(consumer.name());
        number(reply, "pending", consumer.pending_len() as u64);
        number(reply, "idle", now.saturating_sub(consumer.seen_at));
        let inactive = consumer.active_at.map(|at| now.saturating_sub(at) as i64);
        reply.bulk(b"inactive");
        reply.integer(inactive.unwrap_or(-1));
    }
    Ok(())
}

/// What the forms of `XINFO GROUPS` and `XINFO STREAM FULL` have in common: how far a group is.
fn progress(reply: &mut Reply, log: &Log, group: &ConsumerGroup) {
    id(reply, "last-delivered-id", group.last_id);
    number_or_null(reply, "entries-read", group.entries_read.map(|read| read as i64));
    number_or_null(reply, "lag", group.lag(log));
}

fn groups(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(2)?;
    let (stream, reply) = get(cx, key)?;
    reply.array(stream.groups_len());
    for (name, group) in stream.groups() {
        reply.map(6);
        reply.bulk(b"name");
        reply.bulk(name);
        number(reply, "consumers", group.consumers_len() as u64);
        number(reply, "pending", group.pending_len() as u64);
        progress(reply, stream.log(), group);
    }
    Ok(())
}

/// None for the short form, else how many elements of each list to show.
fn full_count(cx: &Cx<'_>) -> Result<Option<usize>, CommandError> {
    let mut reader = ArgReader::new(cx.args, 3);
    if !reader.more() {
        return Ok(None);
    }
    let is_full = matches!(reader.remaining(), 1 | 3) && reader.token("FULL");
    if !is_full || (reader.more() && !reader.token("COUNT")) {
        return Err(wrong_subcommand(cx.arg(1)?, "XINFO"));
    }
    if !reader.more() {
        return Ok(Some(COUNT_DEFAULT));
    }
    let count = reader.integer();
    reader.finish()?;
    Ok(Some(match count {
        0 => usize::MAX,
        count => usize::try_from(count).unwrap_or(COUNT_DEFAULT),
    }))
}

/// What a stream remembers of idempotent producers at `now`: without what it has yet to sweep up.
fn producers_at(stream: &Stream, terms: Retention, now: u64) -> Producers {
    let mut producers = stream.producers().cloned().unwrap_or_else(|| Producers::new(terms));
    producers.forget_old(now, usize::MAX);
    producers
}

fn producers(reply: &mut Reply, producers: &Producers) {
    let Retention { seconds, per_producer } = producers.retention();
    number(reply, "idmp-duration", seconds.into());
    number(reply, "idmp-maxsize", per_producer.into());
    number(reply, "pids-tracked", producers.len() as u64);
    number(reply, "iids-tracked", producers.ids_len() as u64);
    number(reply, "iids-added", producers.added());
    number(reply, "iids-duplicates", producers.duplicates());
}

fn stream(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let key = cx.arg(2)?;
    let stream = cx.db.get::<Stream>(key)?.ok_or(CommandError::NO_SUCH_KEY)?.clone();
    let (full, terms, now) = (full_count(cx)?, retention(cx.config), cx.db.now());
    if full.is_some_and(|count| count > COUNT_DEFAULT) || stream.producers().is_some() {
        cx.db.release();
    }
    let (log, reply) = (stream.log(), &mut *cx.reply);
    reply.map(if full.is_some() { 15 } else { 16 });
    number(reply, "length", log.len());
    number(reply, "radix-tree-keys", log.blocks() as u64);
    // A tree of Redis has a root besides; what is in between is not counted here.
    number(reply, "radix-tree-nodes", log.blocks() as u64 + 1);
    id(reply, "last-generated-id", log.last_id());
    id(reply, "max-deleted-entry-id", log.max_deleted_id());
    reply.bulk(b"entries-added");
    // Beyond the largest integer it goes on with the smallest, as in Redis.
    reply.integer(log.entries_added() as i64);
    id(reply, "recorded-first-entry-id", log.first_id());
    producers(reply, &producers_at(&stream, terms, now));
    match full {
        None => {
            number(reply, "groups", stream.groups_len() as u64);
            reply.bulk(b"first-entry");
            reply::entry_or_null(reply, log.range(Id::MIN, Id::MAX).next());
            reply.bulk(b"last-entry");
            reply::entry_or_null(reply, log.range_back(Id::MIN, Id::MAX).next());
        }
        Some(count) => {
            reply.bulk(b"entries");
            reply::entries(reply, log.range(Id::MIN, Id::MAX).take(count));
            reply.bulk(b"groups");
            reply.array(stream.groups_len());
            stream.groups().for_each(|(name, group)| full_group(reply, log, name, group, count));
        }
    }
    Ok(())
}

fn full_group(reply: &mut Reply, log: &Log, name: &[u8], group: &ConsumerGroup, count: usize) {
    reply.map(8);
    reply.bulk(b"name");
    reply.bulk(name);
    progress(reply, log, group);
    number(reply, "pel-count", group.pending_len() as u64);
    number(reply, "nacked-count", group.released_len() as u64);
    reply.bulk(b"pending");
    reply.array(group.pending_len().min(count));
    for (id, pending) in group.pending_from(Id::MIN).take(count) {
        reply.array(4);
        reply::id(reply, id);
        reply.bulk(name_of(group, pending));
        reply::count(reply, pending.delivered_at);
        reply::count(reply, pending.deliveries);
    }
    reply.bulk(b"consumers");
    reply.array(group.consumers_len());
    for consumer in group.consumers() {
        reply.map(5);
        reply.bulk(b"name");
        reply.bulk(consumer.name());
        number(reply, "seen-time", consumer.seen_at);
        reply.bulk(b"active-time");
        reply.integer(consumer.active_at.map_or(-1, |at| at as i64));
        number(reply, "pel-count", consumer.pending_len() as u64);
        reply.bulk(b"pending");
        reply.array(consumer.pending_len().min(count));
        let number = group.find_consumer(consumer.name());
        let pending = number.into_iter().flat_map(|id| group.pending_of(id, Id::MIN));
        for (id, pending) in pending.take(count) {
            reply.array(3);
            reply::id(reply, id);
            reply::count(reply, pending.delivered_at);
            reply::count(reply, pending.deliveries);
        }
    }
}

const HELP_LINES: &[&str] = &[
    "CONSUMERS <key> <group>",
    "    The consumers of <group>: what they have pending, when they were last seen.",
    "GROUPS <key>",
    "    The consumer groups of a stream: how far they are, what is pending.",
    "STREAM <key> [FULL [COUNT <count>]]",
    "    The stream itself; FULL shows entries, groups and consumers too, <count> of each",
    "    list, 0 for all.",
];

fn help(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    help::write(cx.reply, "XINFO", HELP_LINES);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::stream::fixture;
    use crate::testing::{Bench, NOW};

    fn filled() -> Bench {
        let mut bench = fixture::grouped(3);
        bench.run("XREADGROUP GROUP g a COUNT 2 STREAMS s >");
        bench.run("XGROUP CREATECONSUMER s g b");
        bench.at(NOW + 100);
        bench
    }

    fn words(reply: &str) -> String {
        let is_word = |line: &&str| !line.starts_with('$') || *line == "$-1";
        reply.split("\r\n").filter(is_word).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_stream_in_short() {
        let mut bench = filled();
        let expected = "*32 length :3 radix-tree-keys :1 radix-tree-nodes :2 last-generated-id 3-0 \
                        max-deleted-entry-id 0-0 entries-added :3 recorded-first-entry-id 1-0 \
                        idmp-duration :100 idmp-maxsize :100 pids-tracked :0 iids-tracked :0 \
                        iids-added :0 iids-duplicates :0 groups :1 first-entry *2 1-0 *2 f v \
                        last-entry *2 3-0 *2 f v ";
        assert_eq!(words(&bench.run("XINFO STREAM s")), expected);
        bench.run("XTRIM s MAXLEN 0");
        let empty = words(&bench.run("XINFO STREAM s"));
        assert!(empty.ends_with("groups :1 first-entry $-1 last-entry $-1 "), "{empty}");
        assert_eq!(bench.run("XINFO STREAM none"), "-ERR no such key\r\n");
    }

    #[test]
    fn a_stream_in_full() {
        let mut bench = filled();
        bench.resp3();
        let full = words(&bench.run("XINFO STREAM s FULL COUNT 1"));
        let entries = "entries *1 *2 1-0 *2 f v groups *1 %8 name g last-delivered-id 2-0 \
                       entries-read :2 lag :1 pel-count :2 nacked-count :0";
        assert!(full.contains(entries), "{full}");
        let pending = format!(
            "pending *1 *4 1-0 a :{NOW} :1 consumers *2 %5 name a seen-time :{NOW} active-time \
             :{NOW} pel-count :2 pending *1 *3 1-0 :{NOW} :1 %5 name b seen-time :{NOW} \
             active-time :-1 pel-count :0 pending *0 "
        );
        assert!(full.ends_with(&pending), "{full}");
        let unknown = "-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try \
                       XINFO HELP.\r\n";
        assert_eq!(bench.run("XINFO STREAM s FULL COUNT"), unknown);
        assert_eq!(bench.run("XINFO STREAM s FOO"), unknown);
    }

    #[test]
    fn groups_and_consumers() {
        let mut bench = filled();
        assert_eq!(
            words(&bench.run("XINFO GROUPS s")),
            "*1 *12 name g consumers :2 pending :2 last-delivered-id 2-0 entries-read :2 lag :1 "
        );
        assert_eq!(
            words(&bench.run("XINFO CONSUMERS s g")),
            "*2 *8 name a pending :2 idle :100 inactive :100 *8 name b pending :0 idle :100 \
             inactive :-1 "
        );
        bench.run("XDEL s 3");
        assert!(words(&bench.run("XINFO GROUPS s")).ends_with("entries-read :2 lag $-1 "));
        assert_eq!(
            bench.run("XINFO CONSUMERS s no"),
            "-NOGROUP No such consumer group 'no' for key name 's'\r\n"
        );
        assert!(bench.run("XINFO HELP").starts_with("*10\r\n"));
    }
}
