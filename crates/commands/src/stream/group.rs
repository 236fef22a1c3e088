//! What commands on consumer groups have in common: errors, acting as a consumer, who is created by
//! its first command, and the forms in which changes of pending entries are logged.
//!
//! Who is given an entry depends on the time and on who asked first, so replicas are told the
//! outcome: an `XCLAIM` for each record, with all its parts, and an `XACK` for one that is gone.

use collections::stream::{ConsumerId, Group, Id, Log, Pending, Stream};
use command::{CommandError, Cx};
use resp::Reply;
use store::effects::{Effects, Propagation};
use store::{Absent, Change, Interest};

use super::event;
use super::id::Text;
use crate::string::value::Digits;

/// `NOGROUP` with a text in which `{}` stands for the key and the group, as far as their first NUL.
fn no_such(before: &str, first: &[u8], between: &str, second: &[u8], after: &str) -> CommandError {
    let shown = |word: &[u8]| word.split(|&byte| byte == 0).next().unwrap_or_default().to_vec();
    let (first, second) = (shown(first), shown(second));
    let parts = [before.as_bytes(), &first, between.as_bytes(), &second, after.as_bytes()];
    CommandError::State(parts.concat().into())
}

/// There is no such key, or no such group in it.
pub(super) fn no_key_or_group(key: &[u8], group: &[u8]) -> CommandError {
    no_such("NOGROUP No such key '", key, "' or consumer group '", group, "'")
}

/// As [`no_key_or_group`], in the words of `XREADGROUP`.
pub(super) fn nothing_to_read(key: &[u8], group: &[u8]) -> CommandError {
    let after = "' in XREADGROUP with GROUP option";
    no_such("NOGROUP No such key '", key, "' or consumer group '", group, after)
}

/// The key has no such group.
pub(super) fn no_group(key: &[u8], group: &[u8]) -> CommandError {
    no_such("NOGROUP No such consumer group '", group, "' for key name '", key, "'")
}

/// Checks that a key has a group.
///
/// # Errors
/// `NOGROUP` if it has not, `WRONGTYPE` if it is no stream.
pub(super) fn check(cx: &mut Cx<'_>, key: &[u8], name: &[u8]) -> Result<(), CommandError> {
    let found = cx.db.get::<Stream>(key)?.is_some_and(|stream| stream.group(name).is_some());
    if found { Ok(()) } else { Err(no_key_or_group(key, name)) }
}

/// What a command does as a consumer of a group: see [`act`].
pub(super) struct Acting<'a> {
    pub(super) reply: &'a mut Reply,
    pub(super) log: &'a Log,
    pub(super) group: &'a mut Group,
    pub(super) consumer: ConsumerId,
    /// The time of the command.
    pub(super) now: u64,
    pub(super) journal: &'a mut Journal,
}

impl Acting<'_> {
    /// Makes an entry pending at the consumer, as delivered at this time and so often.
    pub(super) fn take(&mut self, id: Id, delivered_at: u64, deliveries: u64) {
        // As far as the counter of Redis goes.
        let deliveries = deliveries.min(DELIVERIES_MAX);
        let pending = Pending::of(self.consumer, delivered_at, deliveries);
        self.group.set_pending(id, pending);
        self.journal.claim(self.group, id, &pending);
    }

    /// Ends the pending state of an entry that is gone.
    pub(super) fn forget(&mut self, id: Id) {
        self.group.acknowledge(id);
        self.journal.acknowledged(id);
    }

    /// Notes that the consumer has got or claimed something.
    pub(super) fn active(&mut self) {
        let now = self.now;
        if let Some(consumer) = self.group.consumer_mut(self.consumer) {
            consumer.active_at = Some(now);
        }
    }
}

/// The greatest number of deliveries.
pub(super) const DELIVERIES_MAX: u64 = i64::MAX as u64;

/// Lets `work` act as a consumer, who is created if new, on a group that exists, and tells the
/// outcome in the log in place of the command. `work` returns how many changes it made, and what
/// this returns.
pub(super) fn act<R: Default>(
    cx: &mut Cx<'_>,
    key: &[u8],
    name: &[u8],
    consumer: &[u8],
    work: impl FnOnce(&mut Acting<'_>) -> (u64, R),
) -> Result<R, CommandError> {
    let (now, mut journal) = (cx.db.now(), Journal::new(cx.db.effects));
    let reply = &mut *cx.reply;
    let mut edit = cx.db.edit(key);
    let done = edit.update(Absent::Ignore, |stream: &mut Stream| {
        let Some((log, group)) = stream.group_mut(name) else {
            return Change::none((R::default(), false));
        };
        let (id, created) = seen(group, consumer, now);
        let journal = &mut journal;
        let (changes, result) = work(&mut Acting { reply, log, group, consumer: id, now, journal });
        if created && journal.claims.is_empty() {
            journal.created = Some(consumer.to_vec());
        }
        Change::quiet(changes + u64::from(created), (result, created))
    })?;
    let (result, created) = done.unwrap_or_default();
    if created {
        edit.also(event("xgroup-createconsumer"));
    }
    journal.write(cx, key, name);
    Ok(result)
}

/// The consumer `name`, seen now; created if it is new, which the second part tells.
fn seen(group: &mut Group, name: &[u8], now: u64) -> (ConsumerId, bool) {
    if let Some(created) = group.create_consumer(name, now) {
        return (created, true);
    }
    let found = group.find_consumer(name).expect("what cannot be created exists");
    if let Some(consumer) = group.consumer_mut(found) {
        consumer.seen_at = now;
    }
    (found, false)
}

/// A record as the log is to show it.
pub(super) struct Claim {
    id: Id,
    consumer: Vec<u8>,
    delivered_at: u64,
    deliveries: u64,
    last_id: Id,
}

/// The changes of one group that the log must have. Collects nothing while nobody wants it.
pub(super) struct Journal {
    wanted: bool,
    claims: Vec<Claim>,
    /// Entries of which the record went with them.
    acknowledged: Vec<Id>,
    /// The last id and the count of read entries, if they must be told.
    read: Option<(Id, Option<u64>)>,
    /// The consumer to create, where no claim names it.
    created: Option<Vec<u8>>,
}

impl Journal {
    /// An empty one for the effects of a command.
    fn new(effects: &Effects) -> Self {
        let wanted = effects.interest.wants(Interest::LOG);
        Self { wanted, claims: Vec::new(), acknowledged: Vec::new(), read: None, created: None }
    }

    /// A record of a consumer as it is now.
    fn claim(&mut self, group: &Group, id: Id, pending: &Pending) {
        if self.wanted
            && let Some(consumer) = pending.consumer.and_then(|id| group.consumer(id))
        {
            self.claims.push(Claim {
                id,
                consumer: consumer.name().to_vec(),
                delivered_at: pending.delivered_at,
                deliveries: pending.deliveries,
                last_id: group.last_id,
            });
        }
    }

    /// A record that is no more.
    fn acknowledged(&mut self, id: Id) {
        if self.wanted {
            self.acknowledged.push(id);
        }
    }

    /// The group's place.
    pub(super) fn read(&mut self, group: &Group) {
        self.read = Some((group.last_id, group.entries_read));
    }

    /// Writes everything to the log, in place of the command itself.
    fn write(self, cx: &mut Cx<'_>, key: &[u8], group: &[u8]) {
        cx.db.effects.propagation = Propagation::Rewritten;
        if let Some(name) = &self.created {
            cx.log(&[b"XGROUP", b"CREATECONSUMER", key, group, name]);
        }
        for id in &self.acknowledged {
            cx.log(&[b"XACK", key, group, Text::of(*id).as_bytes()]);
        }
        for claim in &self.claims {
            let (id, last_id) = (Text::of(claim.id), Text::of(claim.last_id));
            let (mut time, mut count) = (Digits::new(), Digits::new());
            cx.log(&[
                b"XCLAIM",
                key,
                group,
                &claim.consumer,
                b"0",
                id.as_bytes(),
                b"TIME",
                time.format(claim.delivered_at).as_bytes(),
                b"RETRYCOUNT",
                count.format(claim.deliveries).as_bytes(),
                b"FORCE",
                b"JUSTID",
                b"LASTID",
                last_id.as_bytes(),
            ]);
        }
        if let Some((last_id, read)) = self.read {
            let (id, mut digits) = (Text::of(last_id), Digits::new());
            let read = read.map_or(-1, |read| i64::try_from(read).unwrap_or(i64::MAX));
            let read = digits.format(read).as_bytes();
            cx.log(&[b"XGROUP", b"SETID", key, group, id.as_bytes(), b"ENTRIESREAD", read]);
        }
    }
}
