//! `XREADGROUP`: reads streams as one of a group of consumers, each entry going to one of them.
//!
//! With `>` a consumer gets what the group has not given to anybody, which becomes pending; with an
//! id it gets its own pending entries again. The log tells the outcome: `XCLAIM` for each record,
//! and where the group now is.

use collections::stream::{ConsumerId, Group as ConsumerGroup, Id, Log, Pending, Stream};
use command::spec::{Begin, Find};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use resp::Length;
use resp::Reply;
use store::effects::Propagation;
use store::{Absent, Change};

use super::group::{self, Journal};
use super::reading::{self, Request};
use super::{event, id, reply};

/// `XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key
/// [key ...] id [id ...]`.
pub static XREADGROUP: DataCommand = DataCommand::new(
    Spec::new(
        "xreadgroup",
        Group::Stream,
        "5.0.0",
        -7,
        "O(N) for each stream, where N is the number of returned entries; in the history of a \
         consumer, finding each is logarithmic.",
        "Returns new or pending entries for a consumer of a group, and may wait for new ones.",
    )
    .flags(Flags::WRITE.union(Flags::BLOCKING).union(Flags::MOVABLE_KEYS))
    .acl(Categories::STREAM)
    .keys(&[KeySpec {
        flags: KeyFlags::RO.union(KeyFlags::ACCESS),
        begin: Begin::Keyword { word: "STREAMS", from: 4 },
        find: Find::Range { last: -1, step: 1, limit: 2 },
        notes: None,
    }])
    .args(&[
        Arg::block("group-block", &[Arg::string("group"), Arg::string("consumer")]).token("GROUP"),
        Arg::integer("count").token("COUNT").optional(),
        Arg::integer("milliseconds").token("BLOCK").optional(),
        Arg::word("noack", "NOACK").optional(),
        Arg::block("streams", &[Arg::key("key", 0).multiple(), Arg::string("id").multiple()])
            .token("STREAMS"),
    ]),
    run,
);

/// What is read of a stream.
#[derive(Clone, Copy)]
enum Place {
    /// `>`: what was given to nobody.
    New,
    /// The consumer's own pending entries behind this id.
    History(Id),
}

fn place(text: &[u8]) -> Result<Place, CommandError> {
    match text {
        b">" => Ok(Place::New),
        b"$" | b"+" => {
            let symbol = char::from(text[0]);
            Err(CommandError::request(format!(
                "ERR The {symbol} ID is meaningless in the context of XREADGROUP: you want to read \
                 the history of this consumer by specifying a proper ID, or use the > ID to get \
                 new messages. The {symbol} ID would just return an empty result set."
            )))
        }
        _ => id::strict(text).map(|id| match id {
            Id::MAX => Place::New,
            id => Place::History(id),
        }),
    }
}

/// Checks all streams before any is read.
fn places(
    cx: &mut Cx<'_>,
    request: &Request<'_>,
    group: &[u8],
) -> Result<Vec<Place>, CommandError> {
    let mut places = Vec::with_capacity(request.streams.len());
    for &(key, text) in &request.streams {
        let found = cx.db.get::<Stream>(key)?.is_some_and(|stream| stream.group(group).is_some());
        if !found {
            return Err(group::nothing_to_read(key, group));
        }
        places.push(place(text)?);
    }
    Ok(places)
}

fn run(cx: &mut Cx<'_>) -> Result<(), CommandError> {
    let request = reading::parse(cx, true)?;
    let (group, consumer) = request.group.ok_or(CommandError::SYNTAX)?;
    let places = places(cx, &request, group)?;
    // Whatever happens is told by the journals of the streams.
    cx.db.effects.propagation = Propagation::Rewritten;
    let keys = request.streams.iter().map(|(key, _)| *key);
    let streams = keys.zip(places.iter().copied());
    let any = reading::reply(cx, streams, |cx, (key, place)| {
        let read = Read {
            key,
            place,
            consumer,
            limit: request.limit(),
            no_ack: request.no_ack,
            now: cx.db.now(),
        };
        read_stream(cx, group, &read)
    })?;
    if !any {
        reading::nothing(cx, &request, &[]);
    }
    Ok(())
}

/// A read of one stream.
struct Read<'a> {
    key: &'a [u8],
    place: Place,
    consumer: &'a [u8],
    limit: usize,
    no_ack: bool,
    now: u64,
}

/// Reads one stream; false if it had nothing.
fn read_stream(cx: &mut Cx<'_>, name: &[u8], read: &Read<'_>) -> Result<bool, CommandError> {
    let mut journal = Journal::new(cx.db.effects);
    let reply = &mut *cx.reply;
    let mut edit = cx.db.edit(read.key);
    let result = edit.update(Absent::Ignore, |stream: &mut Stream| {
        let Some((log, group)) = stream.group_mut(name) else {
            return Change::none((false, false));
        };
        let (consumer, created) = group::seen(group, read.consumer, read.now);
        let served = match read.place {
            Place::History(after) => {
                reading::name(reply, read.key);
                history(reply, log, group, consumer, after, read);
                true
            }
            Place::New => deliver(reply, log, group, consumer, read, &mut journal),
        };
        if created && journal.has_no_claims() {
            journal.created(read.consumer);
        }
        Change::quiet(u64::from(created) + u64::from(served), (served, created))
    })?;
    let (served, created) = result.unwrap_or_default();
    if created {
        edit.also(event("xgroup-createconsumer"));
    }
    journal.write(cx, read.key, name);
    Ok(served)
}

/// Gives new entries to a consumer; false if there are none.
fn deliver(
    reply: &mut Reply,
    log: &Log,
    group: &mut ConsumerGroup,
    consumer: ConsumerId,
    read: &Read<'_>,
    journal: &mut Journal,
) -> bool {
    let Some(start) = group.last_id.next() else { return false };
    let mut entries = log.range(start, Id::MAX).take(read.limit).peekable();
    if entries.peek().is_none() {
        return false;
    }
    reading::name(reply, read.key);
    reply::entries(
        reply,
        entries.inspect(|entry| {
            group.advance(log, entry.id);
            if !read.no_ack {
                let pending = Pending { consumer, delivered_at: read.now, deliveries: 1 };
                group.set_pending(entry.id, pending);
                journal.claim(group, entry.id, &pending);
            }
        }),
    );
    if !read.no_ack {
        group::active(group, consumer, read.now);
    }
    journal.read(group);
    true
}

/// Shows a consumer its own pending entries again, which counts as another delivery. Of entries
/// that are gone only the id is left.
fn history(
    reply: &mut Reply,
    log: &Log,
    group: &mut ConsumerGroup,
    consumer: ConsumerId,
    after: Id,
    read: &Read<'_>,
) {
    let mark = reply.begin_deferred();
    let start = after.next().unwrap_or(Id::MAX);
    let mine: Vec<(Id, Pending)> = group
        .pending_of(consumer, start)
        .take(read.limit)
        .map(|(id, pending)| (id, *pending))
        .collect();
    for &(id, mut pending) in &mine {
        match log.first_in(id, id) {
            Some(entry) => {
                reply::entry(reply, entry);
                pending.delivered_at = read.now;
                pending.deliveries = pending.deliveries.saturating_add(1);
                group.set_pending(id, pending);
            }
            None => reply::gone(reply, id),
        }
    }
    reply.end_deferred(mark, Length::Array, mine.len());
}

#[cfg(test)]
mod tests {
    use crate::testing::{Bench, NOW};

    fn filled() -> Bench {
        let mut bench = Bench::new();
        (1..=3).for_each(|ms| drop(bench.run(&format!("XADD s {ms} f v"))));
        bench.run("XGROUP CREATE s g 0");
        bench.clear();
        bench
    }

    fn ids(reply: &str) -> Vec<&str> {
        reply.split("\r\n").filter(|line| line.contains("-0")).collect()
    }

    #[test]
    fn each_entry_goes_to_one_consumer_and_the_log_has_the_outcome() {
        let mut bench = filled();
        assert_eq!(ids(&bench.run("XREADGROUP GROUP g a COUNT 2 STREAMS s >")), ["1-0", "2-0"]);
        assert_eq!(ids(&bench.run("XREADGROUP GROUP g b STREAMS s >")), ["3-0"]);
        assert_eq!(bench.run("XREADGROUP GROUP g b STREAMS s >"), "*-1\r\n");
        let claim = |consumer: &str, id: u64| {
            format!(
                "XCLAIM s g {consumer} 0 {id}-0 TIME {NOW} RETRYCOUNT 1 FORCE JUSTID LASTID {id}-0"
            )
        };
        let place = |id: u64| format!("XGROUP SETID s g {id}-0 ENTRIESREAD {id}");
        assert_eq!(bench.log(), [claim("a", 1), claim("a", 2), place(2), claim("b", 3), place(3)]);
        assert_eq!(bench.events(), ["xgroup-createconsumer s"; 2]);
        assert_eq!(bench.dirty(), 4);
    }

    #[test]
    fn history_is_ones_own_and_shows_what_is_gone() {
        let mut bench = filled();
        bench.run("XREADGROUP GROUP g a COUNT 2 STREAMS s >");
        bench.run("XDEL s 1");
        bench.clear();
        let history = "*1\r\n*2\r\n$1\r\ns\r\n*2\r\n*2\r\n$3\r\n1-0\r\n*-1\r\n\
                       *2\r\n$3\r\n2-0\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n";
        assert_eq!(bench.run("XREADGROUP GROUP g a STREAMS s 0"), history);
        assert!(bench.run("XREADGROUP GROUP g b STREAMS s 0").ends_with("s\r\n*0\r\n"));
        assert_eq!(bench.log(), ["XGROUP CREATECONSUMER s g b"]);
        assert!(bench.run("XPENDING s g 2 2 1").ends_with(":0\r\n:2\r\n"));
    }

    #[test]
    fn without_ack_nothing_is_pending() {
        let mut bench = filled();
        assert_eq!(ids(&bench.run("XREADGROUP GROUP g a NOACK STREAMS s >")).len(), 3);
        assert!(bench.run("XPENDING s g").starts_with("*4\r\n:0\r\n"));
        let lines = ["XGROUP CREATECONSUMER s g a", "XGROUP SETID s g 3-0 ENTRIESREAD 3"];
        assert_eq!(bench.log(), lines);
    }

    #[test]
    fn missing_groups_and_bad_places_are_refused() {
        let mut bench = filled();
        assert_eq!(
            bench.run("XREADGROUP GROUP no c STREAMS s >"),
            "-NOGROUP No such key 's' or consumer group 'no' in XREADGROUP with GROUP option\r\n"
        );
        assert!(bench.run("XREADGROUP GROUP g c STREAMS none >").starts_with("-NOGROUP"));
        assert!(bench.run("XREADGROUP GROUP g c STREAMS s $").starts_with("-ERR The $ ID is"));
        assert!(bench.run("XREADGROUP GROUP g c STREAMS s +").starts_with("-ERR The + ID is"));
        assert_eq!(
            bench.run("XREADGROUP NOACK NOACK NOACK STREAMS s >"),
            "-ERR Missing GROUP option for XREADGROUP\r\n"
        );
        assert_eq!(
            bench.run("XREADGROUP GROUP g c STREAMS s t >"),
            "-ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must \
             be specified.\r\n"
        );
    }
}
