//! What commands on consumer groups have in common: errors, creating a consumer on its first
//! command, and the forms in which changes of pending entries are logged.
//!
//! Who is given an entry depends on the time and on who asked first, so replicas are told the
//! outcome: an `XCLAIM` for each record, with all its parts.

use collections::stream::{ConsumerId, Group, Id, Pending, Stream};
use command::{CommandError, Cx};
use store::Interest;
use store::effects::{Effects, Propagation};

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

/// The consumer `name`, seen now; created if it is new, which the second part tells.
pub(super) fn seen(group: &mut Group, name: &[u8], now: u64) -> (ConsumerId, bool) {
    if let Some(created) = group.create_consumer(name, now) {
        return (created, true);
    }
    let found = group.find_consumer(name).expect("what cannot be created exists");
    if let Some(consumer) = group.consumer_mut(found) {
        consumer.seen_at = now;
    }
    (found, false)
}

/// Notes that a consumer has got or claimed something.
pub(super) fn active(group: &mut Group, consumer: ConsumerId, now: u64) {
    if let Some(consumer) = group.consumer_mut(consumer) {
        consumer.active_at = Some(now);
    }
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
    /// The last id and the count of read entries, if they must be told.
    read: Option<(Id, Option<u64>)>,
    /// The consumer to create, where no claim names it.
    created: Option<Vec<u8>>,
}

impl Journal {
    /// An empty one for the effects of a command.
    pub(super) fn new(effects: &Effects) -> Self {
        let wanted = effects.interest.wants(Interest::LOG);
        Self { wanted, claims: Vec::new(), read: None, created: None }
    }

    /// A record as it is now, or as it was right before it was removed.
    pub(super) fn claim(&mut self, group: &Group, id: Id, pending: &Pending) {
        if self.wanted
            && let Some(consumer) = group.consumer(pending.consumer)
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

    /// The group's place.
    pub(super) fn read(&mut self, group: &Group) {
        self.read = Some((group.last_id, group.entries_read));
    }

    /// A new consumer.
    pub(super) fn created(&mut self, name: &[u8]) {
        self.created = Some(name.to_vec());
    }

    /// Whether no claim was noted, as far as notes are taken.
    pub(super) fn has_no_claims(&self) -> bool {
        self.claims.is_empty()
    }

    /// Writes everything to the log, in place of the command itself.
    pub(super) fn write(self, cx: &mut Cx<'_>, key: &[u8], group: &[u8]) {
        cx.db.effects.propagation = Propagation::Rewritten;
        if let Some(name) = &self.created {
            cx.log(&[b"XGROUP", b"CREATECONSUMER", key, group, name]);
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
