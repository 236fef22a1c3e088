//! Making room: what happens when more memory is in use than `maxmemory` allows.
//!
//! It happens before a command takes its locks, and never inside a transaction or a script: what
//! they see stays. A thread evicts as much as memory is above the limit, or as long as
//! `maxmemory-eviction-tenacity` lets it; what is left then is the background's.
//!
//! Threads that find memory above the limit at the same moment share the work: all of them count
//! what they free together, and each is done when that is what it found to be too much. What
//! garbage holds that is still to be freed counts as free, so that nothing more goes because of it.
//! That is an estimate; the next command measures again.
//!
//! ```text
//!  in use       ├──────────────────────────────────────────────────────────┤
//!  not counted  ├ log ┤
//!  limit              ├───────────────────────────┤
//!  garbage                                        ├── being freed ──┤
//!  to be evicted, by all who see it                                 ├──────┤
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use command::Flags;
use config::{MaxmemoryPolicy, rows};
use resp::{Reply, Version};
use store::Effects;
use store::access::Access;
use store::effects::Garbage;
use store::eviction::{Order, Outcome, Rule};

use crate::call::Call;
use crate::dispatch::executes;
use crate::engine::Engine;
use crate::platform::LogLevel;
use crate::push::Push;
use crate::registry::Exec;
use crate::session::{ReplyMode, Session};
use crate::thread::ThreadContext;
use crate::tracking::{Invalidation, TrackingSession};

/// Less than this above the limit is each thread's own business: freeing it twice does no harm.
const SHARED_MIN: u64 = 4 << 10;
/// Keys that are evicted between two looks at the clock.
const KEYS_PER_LOOK: u64 = 16;

/// What the threads tell one another of the room that they make.
#[derive(Debug)]
pub(crate) struct Eviction {
    /// Bytes that evictions have freed, ever, where threads share the work.
    freed: AtomicU64,
    /// Bytes that garbage holds, about.
    pub(crate) pending: Arc<AtomicU64>,
    /// Since when memory is above its limit, in monotonic nanoseconds; 0 if it is not.
    above_since_ns: AtomicU64,
    /// For how long it was, before that.
    above_ns: AtomicU64,
    /// The number of changes, ever, when there was last nothing to evict: as long as nothing is
    /// changed there is nothing still. The largest number for never.
    barren_since: AtomicU64,
    /// The limit that is known.
    limit: AtomicU64,
}

impl Default for Eviction {
    fn default() -> Self {
        Self {
            freed: AtomicU64::new(0),
            pending: Arc::default(),
            above_since_ns: AtomicU64::new(0),
            above_ns: AtomicU64::new(0),
            barren_since: AtomicU64::new(u64::MAX),
            limit: AtomicU64::new(0),
        }
    }
}

impl Eviction {
    /// For how long memory has been above its limit, in nanoseconds: in all, and this time.
    pub(crate) fn above_limit_ns(&self, now_ns: u64) -> [u64; 2] {
        let since = self.above_since_ns.load(Ordering::Relaxed);
        let current = if since == 0 { 0 } else { now_ns.saturating_sub(since) };
        [self.above_ns.load(Ordering::Relaxed) + current, current]
    }

    /// `CONFIG RESETSTAT`.
    pub(crate) fn reset_stats(&self) {
        self.above_ns.store(0, Ordering::Relaxed);
        self.above_since_ns.store(0, Ordering::Relaxed);
    }

    /// Memory is below its limit.
    #[inline]
    fn note_below(&self, now_ns: impl FnOnce() -> u64) {
        if self.above_since_ns.load(Ordering::Relaxed) != 0 {
            let since = self.above_since_ns.swap(0, Ordering::Relaxed);
            if since != 0 {
                self.above_ns.fetch_add(now_ns().saturating_sub(since), Ordering::Relaxed);
            }
        }
    }

    /// So many bytes more are free: the sum.
    fn note_freed(&self, bytes: u64) -> u64 {
        self.freed.fetch_add(bytes, Ordering::AcqRel) + bytes
    }

    fn note_above(&self, now_ns: u64) {
        let (old, new) = (0, now_ns.max(1));
        let order = Ordering::Relaxed;
        // Whoever was first has said so.
        let _known = self.above_since_ns.compare_exchange(old, new, order, order);
    }
}

/// What came of making room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    /// There is enough, or it is not the time to make more.
    Enough,
    /// This thread would have to go on.
    Unfinished,
    /// There is none to be had.
    Lacking,
}

/// The client for which room is made.
type Own<'o> = Option<(&'o Session, &'o mut Reply)>;

impl Engine {
    /// Makes room before a command, if more than `limit` is in use. Whether the command is to be
    /// refused: it could grow memory, and there is none.
    pub(crate) fn lacks_memory(
        &self,
        limit: u64,
        call: Call<'_>,
        session: &Session,
        reply: &mut Reply,
        thread: &mut ThreadContext,
    ) -> bool {
        let grows = executes(call, session, |entry, _| entry.has(Flags::DENYOOM));
        let runs_script = |exec: Exec| matches!(exec, Exec::Script(_));
        let asks = || grows || executes(call, session, |entry, _| runs_script(entry.exec));
        if self.config.get(rows::MAXMEMORY_POLICY) == MaxmemoryPolicy::Noeviction && !asks() {
            return false;
        }
        thread.lacks_memory = false;
        if self.platform.used_memory() <= limit {
            self.eviction.note_below(|| self.clock.monotonic_ns());
            return false;
        }
        let room = self.make_room(limit, Some((session, reply)), thread);
        thread.lacks_memory = room == Room::Lacking;
        grows && thread.lacks_memory
    }

    /// Whether memory is above its limit just now. Nothing is done about it.
    pub(crate) fn is_above_limit(&self) -> bool {
        let limit = self.config.get(rows::MAXMEMORY);
        limit > 0 && self.above_nearly(limit) > 0
    }

    /// Goes on with what commands have left over, in the background. Whether there is more to do.
    /// Called again and again by a thread of its own, from [`Platform::wake_evictor`] on.
    ///
    /// [`Platform::wake_evictor`]: crate::Platform::wake_evictor
    pub fn evict_in_background(&self, thread: &mut ThreadContext) -> bool {
        let limit = self.config.get(rows::MAXMEMORY);
        thread.begin(&*self.clock);
        let is_above = limit > 0 && self.platform.used_memory() > limit;
        is_above && self.make_room(limit, None, thread) == Room::Unfinished
    }

    /// Called after parameters changed: a lower limit is met at once.
    pub(crate) fn limit_changed(&self) {
        let limit = self.config.get(rows::MAXMEMORY);
        // Other keys may go by another policy.
        self.eviction.barren_since.store(u64::MAX, Ordering::Relaxed);
        if self.eviction.limit.swap(limit, Ordering::Relaxed) == limit {
            return;
        }
        if limit == 0 {
            return self.eviction.note_below(|| self.clock.monotonic_ns());
        }
        let used = self.platform.used_memory_now();
        if self.above(limit, || used) > 0 {
            let text = format!(
                "WARNING: the new limit on memory ({limit} bytes) is below what is in use ({used} \
                 bytes). Keys are evicted, or writes refused, as maxmemory-policy says."
            );
            self.platform.log(LogLevel::Warning, &text);
            self.platform.wake_evictor();
        }
    }

    /// Memory in use that the limit is not about: what evicting keys adds to the log, or tells
    /// clients that have cached them, would otherwise have more keys evicted; and what a snapshot
    /// takes is free when it ends.
    pub(crate) fn not_counted_bytes(&self) -> u64 {
        let told = self.trackers.bytes_under_way();
        self.aof.log.buffer_bytes() + told + self.store.snapshot_bytes()
    }

    /// How much of what is in use is above the limit; `used` measures it.
    fn above(&self, limit: u64, used: impl FnOnce() -> u64) -> u64 {
        // First, since what is freed meanwhile then counts twice and not never.
        let pending = self.eviction.pending.load(Ordering::Acquire);
        let not_counted = self.not_counted_bytes();
        used().saturating_sub(limit).saturating_sub(pending).saturating_sub(not_counted)
    }

    /// As [`Engine::above`], cheaply if it is little.
    fn above_nearly(&self, limit: u64) -> u64 {
        match self.above(limit, || self.platform.used_memory()) {
            above @ ..SHARED_MIN => above,
            SHARED_MIN.. => self.above(limit, || self.platform.used_memory_now()),
        }
    }

    #[cold]
    fn make_room(&self, limit: u64, own: Own<'_>, thread: &mut ThreadContext) -> Room {
        let paused = self.pause.possible() && self.writes_paused(thread.now_ms());
        if paused || thread.replays || self.is_loading() || self.store.is_held_long() {
            return Room::Enough;
        }
        let now_ns = self.clock.monotonic_ns();
        let room = match self.rule(thread) {
            None if self.above_nearly(limit) > 0 => Room::Lacking,
            None => Room::Enough,
            Some(_) if self.is_nothing_new(limit) => Room::Lacking,
            Some(rule) => self.evict(&rule, limit, own, thread),
        };
        match room {
            Room::Enough => self.eviction.note_below(|| self.clock.monotonic_ns()),
            Room::Unfinished | Room::Lacking => self.eviction.note_above(now_ns),
        }
        room
    }

    /// How keys are chosen; none if no key may go.
    fn rule(&self, thread: &ThreadContext) -> Option<Rule> {
        use MaxmemoryPolicy as Policy;
        let (only_expiring, order) = match self.config.get(rows::MAXMEMORY_POLICY) {
            Policy::Noeviction => return None,
            Policy::AllkeysLru | Policy::AllkeysLfu | Policy::AllkeysLrm => (false, Order::Access),
            Policy::AllkeysRandom => (false, Order::Chance),
            Policy::VolatileLru | Policy::VolatileLfu | Policy::VolatileLrm => {
                (true, Order::Access)
            }
            Policy::VolatileRandom => (true, Order::Chance),
            Policy::VolatileTtl => (true, Order::Deadline),
        };
        Some(Rule {
            only_expiring,
            order,
            samples: self.config.get(rows::MAXMEMORY_SAMPLES).unsigned_abs() as usize,
            access: Access { policy: self.access_policy(), touch: false },
            now: thread.now_ms(),
            unlinks: self.config.get(rows::LAZYFREE_LAZY_EVICTION),
        })
    }

    /// Evicts keys until memory is below `limit`, or as many as there is time for.
    fn evict(&self, rule: &Rule, limit: u64, mut own: Own<'_>, thread: &mut ThreadContext) -> Room {
        // First, since others go on freeing while memory is measured.
        let freed_before = self.eviction.freed.load(Ordering::Acquire);
        let above = self.above_nearly(limit);
        if above == 0 {
            return Room::Enough;
        }
        let (began_ns, patience_ns) = (self.clock.monotonic_ns(), self.patience_ns());
        let (mut keys, mut freed, mut changes) = (0, 0, None);
        let room = loop {
            match self.evict_key(rule, &mut own, thread) {
                Outcome::Removed(bytes) => {
                    keys += 1;
                    freed = match above {
                        ..SHARED_MIN => freed + bytes,
                        SHARED_MIN.. => self.eviction.note_freed(bytes) - freed_before,
                    };
                    if freed >= above {
                        break Room::Enough;
                    }
                }
                Outcome::Busy => break Room::Unfinished,
                Outcome::Nothing if changes.is_some() => break Room::Lacking,
                // Once more, to know what the changes were that far.
                Outcome::Nothing => changes = Some(self.changes()),
            }
            let spent = || self.clock.monotonic_ns().saturating_sub(began_ns);
            if keys % KEYS_PER_LOOK == 0 && spent() > patience_ns {
                break Room::Unfinished;
            }
        };
        match (room, changes) {
            (Room::Unfinished, _) => self.platform.wake_evictor(),
            (Room::Lacking, Some(changes)) => {
                self.eviction.barren_since.store(changes, Ordering::Relaxed);
            }
            _ => {}
        }
        if !thread.effects.ready_later.is_empty() {
            self.serve_later(rule.now, &mut thread.effects, thread.index);
        }
        self.settle(thread);
        let spent_ns = self.clock.monotonic_ns().saturating_sub(began_ns);
        self.note_latency("eviction-cycle", spent_ns);
        // Keys that went may have been what was above, though less than they seemed to be.
        let lacks = room == Room::Lacking && self.above_nearly(limit) > 0;
        if room == Room::Lacking && !lacks { Room::Enough } else { room }
    }

    /// Evicts one key: how many bytes that frees, now or soon.
    fn evict_key(&self, rule: &Rule, own: &mut Own<'_>, thread: &mut ThreadContext) -> Outcome {
        let measures = self.config.get(rows::LATENCY_MONITOR_THRESHOLD) > 0;
        let began_ns = if measures { self.clock.monotonic_ns() } else { 0 };
        let ThreadContext { effects, rng, pool, .. } = thread;
        let outcome = self.store.evict(rule, pool, effects, rng, |effects| {
            if let Some((session, reply)) = own {
                tell_itself(effects, session, reply);
            }
            self.route(effects, 0);
        });
        effects.changing = false;
        if measures {
            let spent_ns = self.clock.monotonic_ns().saturating_sub(began_ns);
            self.note_latency("eviction-del", spent_ns);
        }
        let Outcome::Removed(mut bytes) = outcome else { return outcome };
        if !effects.garbage.is_empty() {
            let garbage = effects.take_garbage();
            bytes += garbage.iter().map(Garbage::bytes_nearly).sum::<u64>();
            self.free(garbage);
        }
        Outcome::Removed(bytes)
    }

    /// Whether there was nothing to evict, and nothing was changed since.
    fn is_nothing_new(&self, limit: u64) -> bool {
        let barren_since = self.eviction.barren_since.load(Ordering::Relaxed);
        barren_since != u64::MAX && barren_since == self.changes() && self.above_nearly(limit) > 0
    }

    /// How long one command may be held up by evictions, in nanoseconds.
    fn patience_ns(&self) -> u64 {
        patience_ns(self.config.get(rows::MAXMEMORY_EVICTION_TENACITY))
    }
}

/// Writes the invalidations that are for the session itself in front of its reply; those for others
/// go their usual way.
fn tell_itself(effects: &mut Effects, session: &Session, reply: &mut Reply) {
    let number = session.tracking.as_deref().and_then(TrackingSession::told_itself);
    let Some(number) = number else { return };
    if session.version != Version::Resp3 || session.reply_mode != ReplyMode::On {
        return;
    }
    for modified in &mut effects.modified {
        if modified.readers.as_mut().is_some_and(|readers| readers.remove(number)) {
            let push = Push::Invalidated(Arc::new(Invalidation::of(&[&modified.key.key])));
            if let Some(bytes) = session.receive(&push) {
                reply.raw_shared(bytes);
            }
        }
    }
}

/// How long one command may be held up, by `maxmemory-eviction-tenacity`: up to half a millisecond
/// by default, 15 % more for each step beyond that.
fn patience_ns(tenacity: i64) -> u64 {
    match tenacity {
        ..=10 => 50_000 * tenacity.unsigned_abs(),
        11..100 => (500_000.0 * 1.15f64.powi(tenacity as i32 - 10)) as u64,
        _ => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_grows_with_tenacity() {
        let known = [(0, 0), (1, 50_000), (10, 500_000), (100, u64::MAX)];
        assert!(known.iter().all(|(tenacity, ns)| patience_ns(*tenacity) == *ns));
        assert!((11..100).all(|tenacity| patience_ns(tenacity) > patience_ns(tenacity - 1)));
        assert!((100_000_000_000..140_000_000_000).contains(&patience_ns(99)));
    }

    #[test]
    fn times_above_the_limit_add_up() {
        let eviction = Eviction::default();
        eviction.note_below(|| unreachable!("it was not above"));
        eviction.note_above(100);
        eviction.note_above(150);
        assert_eq!(eviction.above_limit_ns(170), [70, 70]);
        eviction.note_below(|| 200);
        assert_eq!(eviction.above_limit_ns(300), [100, 0]);
        eviction.note_above(400);
        assert_eq!(eviction.above_limit_ns(450), [150, 50]);
        eviction.reset_stats();
        assert_eq!(eviction.above_limit_ns(500), [0, 0]);
    }
}
