//! `XREADGROUP`: reads streams as one of a group of consumers, each entry going to one of them.
//!
//! With `>` a consumer gets what the group has not given to anybody, which becomes pending, and
//! before that, with `CLAIM`, what others have had pending for long; with an id it gets its own
//! pending entries again. The log tells the outcome: `XCLAIM` for each record,
//! and where the group now is.

use collections::stream::{Id, Pending, Stream};
use command::spec::{Begin, Find};
use command::{
    Arg, Categories, CommandError, Cx, DataCommand, Flags, Group, KeyFlags, KeySpec, Spec,
};
use resp::Length;
use store::effects::Propagation;

use super::group::{self, Acting, DELIVERIES_MAX};
use super::reading::{self, Request};
use super::{id, reply};

/// `XREADGROUP GROUP group consumer [COUNT count] [BLOCK milliseconds] [CLAIM min-idle-time]
/// [NOACK] STREAMS key [key ...] id [id ...]`.
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
        Arg::integer("min-idle-time").token("CLAIM").since("8.4.0").optional(),
        Arg::word("noack", "NOACK").optional(),
        Arg::block("streams", &[Arg::key("key", 0).multiple(), Arg::string("id").multiple()])
            .token("STREAMS"),
    ])
    .history(&[("8.4.0", "Added the `CLAIM` option.")]),
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
    let mut claimable_at = None;
    let any = reading::reply(cx, keys.zip(places), |cx, (key, place)| {
        let read =
            Read { key, limit: request.limit(), no_ack: request.no_ack, claim: request.claim };
        let (served, at) = group::act(cx, key, group, consumer, |acting| match place {
            Place::History(after) => {
                history(acting, after, &read);
                // When and how often something was delivered is not worth a save.
                (0, (true, None))
            }
            Place::New => {
                let (changes, served) = deliver(acting, &read);
                (changes, (served, request.claim.and_then(|idle| acting.group.claimable_at(idle))))
            }
        })?;
        claimable_at = claimable_at.into_iter().chain(at).min();
        Ok(served)
    })?;
    if !any {
        let again_ms = claimable_at.map(|at| at.saturating_sub(cx.db.now()).max(1));
        reading::nothing(cx, &request, &[], again_ms);
    }
    Ok(())
}

/// A read of one stream.
struct Read<'a> {
    key: &'a [u8],
    /// The most entries.
    limit: usize,
    no_ack: bool,
    /// See [`Request::claim`].
    claim: Option<u64>,
}

/// Gives a consumer what has been pending for long and then new entries. The number of changes, and
/// whether there was anything to give.
fn deliver(acting: &mut Acting<'_>, read: &Read<'_>) -> (u64, bool) {
    let (claimed, forgotten) = match read.claim {
        Some(min_idle) => claimable(acting, min_idle, read.limit),
        None => (Vec::new(), 0),
    };
    let log = acting.log;
    let new = acting.group.last_id.next().map(|start| log.range(start, Id::MAX));
    let mut new = new.into_iter().flatten().take(read.limit - claimed.len()).peekable();
    if claimed.is_empty() && new.peek().is_none() {
        return (forgotten, false);
    }
    reading::name(acting.reply, read.key);
    let (mark, mut len) = (acting.reply.begin_deferred(), claimed.len());
    for &(id, pending) in &claimed {
        let entry = log.first_in(id, id).expect("what is gone is not claimed");
        let idle = pending.idle(acting.now);
        reply::entry_with_past(acting.reply, entry, idle, pending.deliveries);
        acting.take(id, acting.now, pending.deliveries.saturating_add(1));
    }
    if new.peek().is_some() {
        for entry in new {
            acting.group.advance(log, entry.id);
            if !read.no_ack {
                acting.take(entry.id, acting.now, 1);
            }
            match read.claim {
                Some(_) => reply::entry_with_past(acting.reply, entry, 0, 0),
                None => reply::entry(acting.reply, entry),
            }
            len += 1;
        }
        acting.journal.read(acting.group);
    }
    acting.reply.end_deferred(mark, Length::Array, len);
    if !read.no_ack || !claimed.is_empty() {
        acting.active();
    }
    (forgotten + 1, true)
}

/// What has been idle for so long, at most `limit` records, longest first. Records of entries that
/// are gone end here; the second part is how many did.
fn claimable(acting: &mut Acting<'_>, min_idle: u64, limit: usize) -> (Vec<(Id, Pending)>, u64) {
    let (mut claimed, mut gone) = (Vec::new(), Vec::new());
    for (id, pending) in acting.group.claimable(acting.now, min_idle) {
        if claimed.len() == limit {
            break;
        }
        if acting.log.contains(id) {
            claimed.push((id, *pending));
        } else {
            gone.push(id);
        }
    }
    gone.iter().for_each(|id| acting.forget(*id));
    (claimed, gone.len() as u64)
}

/// Shows a consumer its own pending entries again, which counts as another delivery. Of entries
/// that are gone only the id is left.
fn history(acting: &mut Acting<'_>, after: Id, read: &Read<'_>) {
    reading::name(acting.reply, read.key);
    let mark = acting.reply.begin_deferred();
    let start = after.next().unwrap_or(Id::MAX);
    let mine = acting.group.pending_of(acting.consumer, start).take(read.limit);
    let mine: Vec<(Id, u64)> = mine.map(|(id, pending)| (id, pending.deliveries)).collect();
    for &(id, deliveries) in &mine {
        match acting.log.first_in(id, id) {
            Some(entry) => {
                reply::entry(acting.reply, entry);
                let deliveries = deliveries.saturating_add(1).min(DELIVERIES_MAX);
                let pending = Pending::of(acting.consumer, acting.now, deliveries);
                acting.group.set_pending(id, pending);
            }
            None => reply::gone(acting.reply, id),
        }
    }
    acting.reply.end_deferred(mark, Length::Array, mine.len());
}

#[cfg(test)]
mod tests {
    use crate::stream::fixture;
    use crate::testing::{Bench, NOW};

    fn filled() -> Bench {
        let mut bench = fixture::grouped(3);
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
        assert_eq!(bench.dirty(), 0);
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
    fn what_was_idle_for_long_comes_first_with_its_past() {
        let mut bench = filled();
        bench.run("XREADGROUP GROUP g a COUNT 2 STREAMS s >");
        bench.run("XDEL s 1");
        bench.at(NOW + 50);
        bench.clear();
        assert!(ids(&bench.run("XREADGROUP GROUP g b CLAIM 51 COUNT 0 STREAMS s 0")).is_empty());
        let entry = |id: u64, idle: u64, deliveries: u64| {
            format!(
                "*4\r\n$3\r\n{id}-0\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n:{idle}\r\n:{deliveries}\r\n"
            )
        };
        let expected =
            format!("*1\r\n*2\r\n$1\r\ns\r\n*2\r\n{}{}", entry(2, 50, 1), entry(3, 0, 0));
        assert_eq!(bench.run("XREADGROUP GROUP g b CLAIM 50 STREAMS s >"), expected);
        let at = NOW + 50;
        let claim = |id: u64, deliveries: u64, last: u64| {
            format!(
                "XCLAIM s g b 0 {id}-0 TIME {at} RETRYCOUNT {deliveries} FORCE JUSTID LASTID \
                 {last}-0"
            )
        };
        let lines = ["XACK s g 1-0".into(), claim(2, 2, 2), claim(3, 1, 3)];
        assert_eq!(bench.log()[1..4], lines);
        assert_eq!(bench.run("XREADGROUP GROUP g a CLAIM 50 STREAMS s >"), "*-1\r\n");
        bench.at(at + 50);
        assert_eq!(
            ids(&bench.run("XREADGROUP GROUP g a NOACK COUNT 1 CLAIM 50 STREAMS s >")),
            ["2-0"]
        );
        assert!(bench.run("XPENDING s g").starts_with("*4\r\n:2\r\n"), "NOACK is of new entries");
    }

    #[test]
    fn a_claim_says_how_idle() {
        let mut bench = filled();
        let run = |bench: &mut Bench, option: &str| {
            bench.run(&format!("XREADGROUP GROUP g c {option} STREAMS s >"))
        };
        let none = "-ERR min-idle-time is not an integer\r\n";
        assert_eq!(run(&mut bench, "CLAIM x"), none);
        assert_eq!(run(&mut bench, "CLAIM 10 CLAIM"), none);
        let negative = "-ERR min-idle-time must be a positive integer\r\n";
        assert_eq!(run(&mut bench, "CLAIM -1"), negative);
        assert_eq!(
            bench.run("XREAD CLAIM 10 STREAMS s 0"),
            "-ERR The CLAIM option is only supported by XREADGROUP. You called XREAD instead.\r\n"
        );
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
