//! Commands that wait for a key: suspended, served, given up.
//!
//! A handler that finds nothing to take says what it waits for ([`store::effects::Wait`]) and
//! writes no reply. The command is then kept as a [`Suspended`], and its ticket stands in the
//! queues of its keys. Whoever changes such a key executes the command again on the client's
//! behalf, under the same locks and before anybody else can see the key: first come, first served,
//! whichever thread a client belongs to. The reply travels to the client's event loop as a message.
//!
//! Where time alone may bring what a command waits for (`XREADGROUP` with `CLAIM`), it says when,
//! and the client's event loop executes it again then.
//!
//! A wait ends once: by being served, by its time, by `CLIENT UNBLOCK` or with the connection.
//! Whoever ends it holds the wait's own small lock and finds it open; the others find it closed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use command::{CommandError, Cx};
use parking_lot::Mutex;
use resp::{OwnedArgs, Reply, Version};
use stdx::rng::Rng;
use store::effects::{Awaited, DbKey, Denied, Effects, Wait};
use store::tracked::Reader;
use store::waiting::Ticket;
use store::{Access, Held, HeldLong, Keyspace, Overdue, Scope, UnixMs};

use crate::admin::AdminCx;
use crate::call::{Call, log_verbatim, remembered_reader};
use crate::clients::{ClientFlags, ClientHandle};
use crate::command_log::Executed;
use crate::engine::Engine;
use crate::platform::Message;
use crate::registry::{Entry, Exec};
use crate::scripting::GivenUp;
use crate::session::{ReplyMode, Session};
use crate::thread::ThreadContext;

const UNBLOCKED: CommandError = CommandError::State(std::borrow::Cow::Borrowed(
    b"UNBLOCKED client unblocked via CLIENT UNBLOCK",
));

/// A command that waits.
#[derive(Debug)]
pub(crate) struct Suspended {
    number: u64,
    client: u64,
    /// The event loop that owns the client.
    thread: usize,
    entry: &'static Entry,
    args: OwnedArgs,
    db: usize,
    keys: Vec<Box<[u8]>>,
    on_loss: bool,
    version: Version,
    /// The number under which its reads are remembered, if they are.
    reader: Option<Reader>,
    /// Whether the client wants replies at all.
    replies: bool,
    /// When it is given up: monotonic nanoseconds.
    deadline_ns: Option<u64>,
    /// When it wants to be executed again even if no key has changed: monotonic nanoseconds,
    /// [`NEVER`] if it does not.
    again_ns: AtomicU64,
    /// What it answers when its time is over.
    timed_out: TimedOut,
    /// Whether nobody has ended it.
    open: Mutex<bool>,
    /// Whether its tickets stand in the queues.
    queued: AtomicBool,
}

/// What a command answers whose wait was in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimedOut {
    /// No array, as commands on keys.
    NullArray,
    /// The number of replicas that have what was logged: none.
    ReplicaWait,
    /// Whether the log is durable up to this position, and the number of replicas.
    LogWait(u64),
}

impl Suspended {
    /// Whether nobody has ended its wait.
    pub(crate) fn is_open(&self) -> bool {
        *self.open.lock()
    }

    /// The protocol of its client.
    pub(crate) fn version(&self) -> Version {
        self.version
    }
}

/// No time at all, as monotonic nanoseconds.
const NEVER: u64 = u64::MAX;

/// When a wait whose key's lock is held for long is looked after again, from now.
const BUSY_PAUSE_NS: u64 = 10_000_000;

/// All commands that wait, by ticket.
#[derive(Debug, Default)]
pub(crate) struct Suspensions {
    last: AtomicU64,
    all: Mutex<HashMap<u64, Arc<Suspended>>>,
}

impl Suspensions {
    fn find(&self, number: u64) -> Option<Arc<Suspended>> {
        self.all.lock().get(&number).cloned()
    }

    /// Number of keys that clients wait for, and of those where the key's end ends the wait.
    pub(crate) fn key_counts(&self) -> (usize, usize) {
        let all = self.all.lock();
        let keys = |wanted: &dyn Fn(&Suspended) -> bool| {
            let keys = all.values().filter(|s| wanted(s)).flat_map(|s| s.keys.iter());
            keys.collect::<std::collections::HashSet<_>>().len()
        };
        (keys(&|_| true), keys(&|suspended| suspended.on_loss))
    }
}

impl Engine {
    /// Makes a session wait whose command found nothing, while the command's locks are held.
    #[cold]
    pub(crate) fn suspend(&self, wait: Wait, call: Call<'_>, admin: &mut AdminCx<'_>) {
        let number = self.suspensions.last.fetch_add(1, Ordering::Relaxed) + 1;
        let session = &mut *admin.session;
        let args = match &wait.args {
            Some(args) => OwnedArgs::from_slices(args),
            None => call.args.to_owned(),
        };
        let timeout_ns = wait.timeout_ms.map(|ms| ms.saturating_mul(1_000_000));
        let suspended = Arc::new(Suspended {
            number,
            client: session.id(),
            thread: session.handle.thread,
            entry: call.entry,
            args,
            db: session.db(),
            keys: wait.keys,
            on_loss: wait.on_loss,
            version: session.version,
            reader: remembered_reader(call.entry, session),
            replies: session.reply_mode == ReplyMode::On,
            deadline_ns: timeout_ns.map(|ns| self.clock.monotonic_ns().saturating_add(ns)),
            again_ns: AtomicU64::new(self.ns_after(admin.cx.db.effects.wait_again_ms)),
            timed_out: match wait.awaited {
                Awaited::Keys => TimedOut::NullArray,
                Awaited::Replicas => TimedOut::ReplicaWait,
                Awaited::Log { position, .. } => TimedOut::LogWait(position),
            },
            open: Mutex::new(true),
            queued: AtomicBool::new(true),
        });
        session.handle.set_flag(ClientFlags::BLOCKED, true);
        self.suspensions.all.lock().insert(number, suspended.clone());
        *session.handle.waits.lock() = Some(number);
        if session.handle.killed.load(Ordering::Acquire) {
            // Whoever killed it may have looked before the line above.
            self.give_up(&suspended);
        }
        let wide = self.store.are_apart(|each| call.entry.keys(suspended.args.as_args(), each));
        let (wanted, on_loss) = (wait.wanted, wait.on_loss);
        admin.cx.db.wait_for(&suspended.keys, Ticket { number, wanted, wide, on_loss });
        session.suspended = Some(suspended.clone());
        if let Awaited::Log { position, replicas: false } = wait.awaited {
            self.wait_for_log(position, suspended);
        }
    }

    /// The monotonic time in so many milliseconds.
    fn ns_after(&self, ms: Option<u64>) -> u64 {
        let ns = |ms: u64| self.clock.monotonic_ns().saturating_add(ms.saturating_mul(1_000_000));
        ms.map_or(NEVER, ns)
    }

    /// Serves those who wait for keys that the command with these locks has changed, in the order
    /// of the changes and of the waits. `thread` is the number of the executing event loop.
    #[cold]
    pub(crate) fn serve_waiters(&self, keys: &mut Keyspace<'_>, thread: usize) {
        if keys.effects.ready.is_empty() {
            return;
        }
        // A transaction sees one moment; who waits is served now, and not by what is due by now.
        keys.scope.now = keys.scope.now.max(self.clock.unix_ms());
        // What is served may make further keys ready: they come behind.
        while !keys.effects.ready.is_empty() {
            for ready in std::mem::take(&mut keys.effects.ready) {
                self.serve_key(&ready, keys, thread);
            }
        }
    }

    fn serve_key(&self, ready: &DbKey, keys: &mut Keyspace<'_>, thread: usize) {
        let mut from = 0;
        while let Some((at, ticket)) = keys.next_waiter(ready.db, &ready.key, from) {
            let suspended = self.suspensions.find(ticket.number);
            let served = match &suspended {
                Some(suspended) if self.covers(suspended, keys) => {
                    self.serve(suspended, keys, thread)
                }
                Some(_) => {
                    keys.effects.ready_later.push(ready.clone());
                    false
                }
                // Its wait has ended, and its owner will take the ticket back.
                None => false,
            };
            // Who was served has left the queue.
            from = at + usize::from(!served);
        }
    }

    /// Serves those who wait for keys that came to be ready under locks that were too few for it.
    /// Nothing is held.
    #[cold]
    pub(crate) fn serve_later(&self, now: UnixMs, effects: &mut Effects, thread: usize) {
        let ready = std::mem::take(&mut effects.ready_later);
        let scope = Scope { db: 0, now, access: Access::default(), overdue: Overdue::Remove };
        // What is served draws no random numbers: any will do.
        let mut rng = Rng::seed(0);
        let mut keys = Keyspace::new(&self.store, Held::all(&self.store), effects, scope, &mut rng);
        keys.effects.interest = self.store.interest();
        keys.effects.ready.extend(ready);
        self.serve_waiters(&mut keys, thread);
        self.route(keys.effects, 0);
    }

    /// Executes a command that waited. False if it still finds nothing.
    fn serve(&self, suspended: &Suspended, keys: &mut Keyspace<'_>, thread: usize) -> bool {
        let mut open = suspended.open.lock();
        if !*open {
            return false;
        }
        let started = self.clock.monotonic_ns();
        let args = suspended.args.as_args();
        let mut reply = Reply::new(suspended.version);
        let db = keys.lend(suspended.db);
        let (dirty, mark) = (db.effects.dirty, db.effects.records.mark());
        db.effects.next_command();
        let name = suspended.entry.full_name;
        let mut cx = Cx { args, reply: &mut reply, db, config: &self.config, name };
        if let Some(reader) = suspended.reader {
            suspended.entry.keys(args, |key| cx.db.remember(key, reader));
        }
        let result = match suspended.entry.exec {
            Exec::Data(run) => run(&mut cx),
            Exec::Admin(_) | Exec::Transaction | Exec::Script(_) => {
                Err(CommandError::state("ERR only commands on data wait for keys"))
            }
        };
        cx.db.find_readers();
        if result.is_ok() && cx.db.effects.wait.take().is_some() {
            let again_ns = self.ns_after(cx.db.effects.wait_again_ms);
            if suspended.again_ns.swap(again_ns, Ordering::Relaxed) > again_ns {
                let message = Message::Rearm { client: suspended.client };
                self.platform.send(suspended.thread, message);
            }
            return false;
        }
        if cx.db.effects.dirty > dirty {
            log_verbatim(cx.db.effects, suspended.db, args);
        }
        cx.db.effects.records.join(mark);
        suspended.queued.store(false, Ordering::Relaxed);
        cx.db.end_wait(suspended.db, &suspended.keys, suspended.number);
        drop(cx);
        *open = false;
        let nanos = self.clock.monotonic_ns().saturating_sub(started);
        self.count(suspended.entry, nanos, result.is_err(), thread);
        if self.thresholds.reached(nanos, args.request_len_max(), reply.len())
            && let Some(client) = self.clients.get(suspended.client)
        {
            let done = Executed { entry: suspended.entry, args, nanos, reply: reply.len() };
            self.remark(&done, &client);
        }
        if let Err(error) = &result {
            reply.clear();
            self.fail(error, &mut reply, thread);
        }
        self.resume_suspended(suspended, reply.take_bytes());
        true
    }

    /// Whether all keys of a command are locked. They are if the command that holds the locks
    /// writes, since it began again under all locks where others would be missing.
    fn covers(&self, suspended: &Suspended, keys: &Keyspace<'_>) -> bool {
        let mut covered = true;
        suspended
            .entry
            .keys(suspended.args.as_args(), |key| covered &= keys.covers(self.store.position(key)));
        covered
    }

    /// Tells a client that its wait is over.
    fn resume_suspended(&self, suspended: &Suspended, reply: Vec<u8>) {
        self.suspensions.all.lock().remove(&suspended.number);
        if let Some(handle) = self.clients.get(suspended.client) {
            handle.count_commands(1);
            handle.set_flag(ClientFlags::BLOCKED, false);
            *handle.waits.lock() = None;
        }
        let reply = suspended.replies.then_some(reply);
        let message = Message::Resume { client: suspended.client, reply };
        self.platform.send(suspended.thread, message);
    }

    /// Answers a command that waited for something else than a key. False if its wait has ended.
    pub(crate) fn serve_suspended(&self, suspended: &Suspended, mut reply: Reply) -> bool {
        if !self.give_up(suspended) {
            return false;
        }
        self.resume_suspended(suspended, reply.take_bytes());
        true
    }

    /// What a command answers whose wait was in vain.
    fn write_timed_out(&self, suspended: &Suspended, reply: &mut Reply) {
        match suspended.timed_out {
            TimedOut::NullArray => reply.null_array(),
            TimedOut::ReplicaWait => reply.integer(0),
            TimedOut::LogWait(position) => self.write_log_wait(position, reply),
        }
    }

    /// Ends a wait without having served it. False if somebody else has ended it. The tickets stay
    /// until the owner takes them back: who calls this may hold locks.
    fn give_up(&self, suspended: &Suspended) -> bool {
        if !std::mem::replace(&mut *suspended.open.lock(), false) {
            return false;
        }
        self.suspensions.all.lock().remove(&suspended.number);
        true
    }

    /// Ends the wait of a client that is being killed, so that nothing is given to it any more.
    pub(crate) fn forsake(&self, handle: &ClientHandle) {
        let number = *handle.waits.lock();
        if let Some(suspended) = number.and_then(|number| self.suspensions.find(number)) {
            self.give_up(&suspended);
        }
    }

    /// `CLIENT UNBLOCK`: ends a client's wait as if its time were over, or with an error. False if
    /// it does not wait for a key. `thread` is the number of the executing event loop.
    pub(crate) fn unblock(&self, client: u64, with_error: bool, thread: usize) -> bool {
        let Some(handle) = self.clients.get(client) else { return false };
        let number = *handle.waits.lock();
        let Some(suspended) = number.and_then(|number| self.suspensions.find(number)) else {
            return false;
        };
        if !self.give_up(&suspended) {
            return false;
        }
        let mut reply = Reply::new(suspended.version);
        self.count(suspended.entry, 0, with_error, thread);
        if with_error {
            self.fail(&UNBLOCKED, &mut reply, thread);
        } else {
            self.write_timed_out(&suspended, &mut reply);
        }
        self.resume_suspended(&suspended, reply.take_bytes());
        true
    }

    /// When the session's wait is to be looked after, by [`Engine::wait_again`] and
    /// [`Engine::wait_timed_out`]: monotonic nanoseconds. Never if somebody has ended it: the
    /// message that says so is under way, and a time that is over would have its loop look after
    /// it again and again, before it comes to read the message.
    #[must_use]
    pub fn wait_deadline_ns(&self, session: &Session) -> Option<u64> {
        let suspended = session.suspended.as_ref().filter(|suspended| suspended.is_open())?;
        let again_ns = suspended.again_ns.load(Ordering::Relaxed);
        suspended.deadline_ns.into_iter().chain(Some(again_ns).filter(|&ns| ns != NEVER)).min()
    }

    /// Executes the command that waits again if it wanted that by now: time alone may have brought
    /// what it waits for. Its reply then comes as a message. Called by the event loop that owns the
    /// session.
    pub fn wait_again(&self, session: &mut Session, thread: &mut ThreadContext) {
        let Some(suspended) = session.suspended.clone() else { return };
        if suspended.again_ns.load(Ordering::Relaxed) > self.clock.monotonic_ns() {
            return;
        }
        suspended.again_ns.store(NEVER, Ordering::Relaxed);
        thread.begin(&*self.clock);
        let scope = self.scope(session, thread);
        let (effects, rng) = (&mut thread.effects, &mut thread.rng);
        let mut keys = Keyspace::new(&self.store, Held::none(), effects, scope, rng);
        let locked =
            keys.lock_keys(None, |each| suspended.entry.keys(suspended.args.as_args(), each));
        if locked.and_then(|()| keys.lock_for_waiters()).is_err() {
            let later_ns = self.clock.monotonic_ns() + BUSY_PAUSE_NS;
            suspended.again_ns.store(later_ns, Ordering::Relaxed);
            return;
        }
        keys.effects.interest = self.store.interest();
        self.serve(&suspended, &mut keys, thread.index);
        self.serve_waiters(&mut keys, thread.index);
        self.route(keys.effects, suspended.client);
        drop(keys);
        if !thread.effects.ready_later.is_empty() {
            self.serve_later(scope.now, &mut thread.effects, thread.index);
        }
        self.settle(thread);
    }

    /// Gives up the session's wait if its time is over: true if the reply says so. Called by the
    /// event loop that owns the session.
    pub fn wait_timed_out(&self, session: &mut Session, reply: &mut Reply) -> bool {
        let now = self.clock.monotonic_ns();
        let Some(suspended) = &session.suspended else { return false };
        if suspended.deadline_ns.is_none_or(|at| at > now) || !self.give_up(suspended) {
            return false;
        }
        self.count(suspended.entry, 0, false, session.handle.thread);
        session.handle.count_commands(1);
        if suspended.replies {
            self.write_timed_out(suspended, reply);
        }
        self.wait_ended(session);
        true
    }

    /// The session's wait is over: to be called by its owner before its next command.
    pub fn wait_ended(&self, session: &mut Session) {
        let Some(suspended) = session.suspended.take() else { return };
        self.give_up(&suspended);
        session.handle.set_flag(ClientFlags::BLOCKED, false);
        *session.handle.waits.lock() = None;
        let is_queued = suspended.queued.swap(false, Ordering::Relaxed);
        if is_queued && self.leave_queues(&suspended).is_err() {
            self.take_back_later(GivenUp::Wait(suspended));
        }
    }

    /// Takes the tickets of a wait that has ended out of the queues. No lock is held.
    pub(crate) fn leave_queues(&self, suspended: &Suspended) -> Result<(), HeldLong> {
        self.store.end_wait(suspended.db, &suspended.keys, suspended.number)
    }
}

/// What a client gets that must not wait.
pub(crate) fn write_denied(reply: &mut Reply, denied: Denied) {
    match denied {
        Denied::Null => reply.null(),
        Denied::NullArray => reply.null_array(),
    }
}
