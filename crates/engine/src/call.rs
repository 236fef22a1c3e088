//! Running a command: lock its shards, call the handler, route the effects, release the locks.

use command::{CommandError, Cx, Flags, Group};
use config::MaxmemoryPolicy;
use resp::{Args, Reply};
use stdx::rng::Rng;
use store::access::{Access, Policy};
use store::effects::{Counters, DbKey, Interest, Propagation};
use store::keyspace::Scope;
use store::records::Mark;
use store::tracked::Reader;
use store::{Effects, Held, HeldLong, Keyspace, Overdue, Position};

use crate::admin::AdminCx;
use crate::blocking::write_denied;
use crate::command_log::Executed;
use crate::engine::Engine;
use crate::monitor::Origin;
use crate::platform::LogLevel;
use crate::registry::{Entry, Exec, Locks};
use crate::session::Session;
use crate::thread::{EffectsApart, ThreadContext};
use crate::tracking::TrackingSession;
use crate::transaction::Queued;

/// What the event loop does with the connection after a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flow {
    /// Execute the next one.
    #[default]
    Continue,
    /// The command waits: execute nothing more until a [`Message::Resume`](crate::Message::Resume)
    /// brings its reply.
    Wait,
    /// The command was not executed: execute it again at the next
    /// [`Message::Resume`](crate::Message::Resume).
    Retry,
    /// The command began a debugging session: what comes from now on is for the debugger
    /// ([`Session::tell_debugger`]), until a [`Message::Kill`](crate::Message::Kill) ends the
    /// connection.
    Debug,
    /// Send what is in the reply buffer, then close.
    Close,
}

/// A command line and what it names.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) entry: &'static Entry,
    pub(crate) args: Args<'a>,
    /// Of the argument where the first key is, if the command has keys.
    pub(crate) position: Option<Position>,
}

impl<'a> Call<'a> {
    /// The first key and its position, if it is known.
    #[inline]
    pub(crate) fn first_key(&self) -> Option<(&'a [u8], Position)> {
        self.args.get(self.entry.first_key?).zip(self.position)
    }
}

impl Engine {
    /// Runs a command that has passed the gates. Errors become error replies.
    pub(crate) fn call(
        &self,
        call: Call<'_>,
        session: &mut Session,
        reply: &mut Reply,
        thread: &mut ThreadContext,
    ) -> Flow {
        let (mark, before) = (reply.mark(), reply.len());
        let outcome = match call.entry.exec {
            Exec::Script(prepare) => {
                return self.call_script(call, prepare, session, reply, thread);
            }
            Exec::Transaction => {
                let outcome = self.exec(call, session, reply, thread);
                if let Some(tracking) = session.tracking.as_deref_mut() {
                    tracking.next = false;
                }
                if self.store.interest().wants(Interest::MONITOR) {
                    let by = Origin::Client(&session.handle.endpoint);
                    self.show_command(call.entry, call.args, session.db(), by);
                }
                outcome
            }
            Exec::Data(_) | Exec::Admin(_) => self.run(call, session, reply, thread),
        };
        if session.suspended.is_some() {
            // It counts when its wait ends.
            thread.lap(&*self.clock);
            session.handle.count_commands(-1);
        } else {
            self.account(call, outcome.is_err(), reply.len() - before, session, thread);
        }
        outcome.unwrap_or_else(|error| {
            reply.rollback(mark);
            self.fail(&error, reply, thread.index);
            Flow::Continue
        })
    }

    /// Writes an error reply and counts it for an event loop.
    pub(crate) fn fail(&self, error: &CommandError, reply: &mut Reply, thread: usize) {
        reply.error(error.text());
        self.count_error(error.code(), thread);
    }

    /// Counts an execution and its duration, and writes down what is remarkable. `reply` is the
    /// size of the reply in bytes.
    #[inline]
    fn account(
        &self,
        call: Call<'_>,
        failed: bool,
        reply: usize,
        session: &Session,
        thread: &mut ThreadContext,
    ) {
        let nanos = thread.lap(&*self.clock);
        self.stats.thread(thread.index).lock_nanos_max.max(nanos);
        self.account_for(call, nanos, failed, reply, session, thread.index);
    }

    /// As `account`, for one that took so long.
    #[inline]
    pub(crate) fn account_for(
        &self,
        call: Call<'_>,
        nanos: u64,
        failed: bool,
        reply: usize,
        session: &Session,
        thread: usize,
    ) {
        let (entry, args) = (call.entry, call.args);
        self.count(entry, nanos, failed, thread);
        if self.thresholds.reached(nanos, args.request_len_max(), reply) {
            self.remark(&Executed { entry, args, nanos, reply }, &session.handle);
        }
    }

    /// Counts a call that took so long, for an event loop.
    #[inline]
    pub(crate) fn count(&self, entry: &Entry, nanos: u64, failed: bool, thread: usize) {
        let stats = self.stats.thread(thread);
        stats.executed.add(1);
        let command = &stats.commands[entry.index];
        command.calls.add(1);
        command.nanos.add(nanos);
        if failed {
            command.failed.add(1);
        }
        if self.config.get(config::rows::LATENCY_TRACKING) {
            command.latency.get_or_init(Box::default).record(nanos);
        }
    }

    #[inline]
    pub(crate) fn run(
        &self,
        call: Call<'_>,
        session: &mut Session,
        reply: &mut Reply,
        thread: &mut ThreadContext,
    ) -> Result<Flow, CommandError> {
        let scope = self.scope(session, thread);
        let (effects, rng) = (&mut thread.effects, &mut thread.rng);
        let db = Keyspace::new(&self.store, Held::none(), effects, scope, rng);
        let (args, name) = (call.args, call.entry.full_name);
        let cx = Cx { args, reply, db, config: &self.config, name };
        let mut admin = AdminCx::new(self, session, thread.index, cx);
        lock(call, &mut admin.cx.db).map_err(|_| self.scripting.busy.error())?;
        // Asked under the locks: who waits for a key has said so under its lock.
        if self.store.waiters() > 0 && call.entry.has(Flags::WRITE) {
            let locked = admin.cx.db.lock_for_waiters();
            locked.map_err(|_| self.scripting.busy.error())?;
        }
        // Read under the locks that the command runs under: who begins to listen under all locks
        // misses nothing from then on.
        admin.cx.db.effects.interest = self.interest_of(thread.replays);
        if self.is_loading() && !thread.replays && !call.entry.has(Flags::LOADING) {
            return Err(CommandError::LOADING);
        }
        let result = invoke(call.entry, &mut admin);
        if admin.cx.db.effects.dirty > 0 {
            log_verbatim(admin.cx.db.effects, admin.cx.db.scope.db, call.args);
        }
        admin.cx.db.effects.records.join(Mark::default());
        if let Some(wait) = admin.cx.db.effects.wait.take() {
            self.suspend(wait, call, &mut admin);
            admin.flow = Flow::Wait;
        }
        let (flow, session) = (admin.flow, admin.session.id());
        if !admin.cx.db.effects.ready.is_empty() {
            self.serve_waiters(&mut admin.cx.db, thread.index);
        }
        self.route(admin.cx.db.effects, session);
        note_logged(&mut admin);
        // The locks are released here, before anything is freed.
        drop(admin);
        if !thread.effects.due.is_empty() {
            self.remove_due(scope, session, thread);
        }
        if !thread.effects.ready_later.is_empty() {
            self.serve_later(scope.now, &mut thread.effects, thread.index);
        }
        if thread.effects.interest.wants(Interest::TRACKING) {
            self.limit_tracked_keys();
        }
        self.settle(thread);
        result.map(|()| flow)
    }

    /// Removes what a walk found to be due, each key under its own lock.
    #[cold]
    fn remove_due(&self, scope: Scope, session: u64, thread: &mut ThreadContext) {
        for DbKey { db, key } in std::mem::take(&mut thread.effects.due) {
            let held = Held::one(&self.store, self.store.position(&key));
            let scope = Scope { db, ..scope };
            let (effects, rng) = (&mut thread.effects, &mut thread.rng);
            let mut keyspace = Keyspace::new(&self.store, held, effects, scope, rng);
            keyspace.effects.interest = self.interest_of(thread.replays);
            // Looking it up removes it, unless it was set anew meanwhile.
            let _removed = keyspace.peek(&key);
            keyspace.find_readers();
            self.serve_waiters(&mut keyspace, thread.index);
            self.route(keyspace.effects, session);
        }
    }

    /// Runs the queue of a transaction under locks already held.
    pub(crate) fn run_queue(
        &self,
        call: Call<'_>,
        session: &mut Session,
        reply: &mut Reply,
        thread: &mut ThreadContext,
        mut held: Held<'_>,
        queue: &[Queued],
    ) -> Result<Flow, CommandError> {
        reply.array(queue.len());
        let scope = self.scope(session, thread);
        let mut rng = Rng::seed(thread.rng.next_u64());
        let mut apart = thread.take_effects_apart();
        let EffectsApart { thread: beside, effects } = &mut apart;
        effects.interest = self.interest_of(beside.replays);
        let keyspace = Keyspace::new(&self.store, held.lend(), effects, scope, &mut rng);
        let cx = Cx { args: call.args, reply, db: keyspace, config: &self.config, name: "exec" };
        let mut admin = AdminCx::new(self, session, beside.index, cx);
        admin.in_transaction = true;
        admin.time_stands = true;
        for queued in queue {
            self.run_queued(queued, &mut admin, beside);
        }
        admin.cx.db.effects.records.join(Mark::default());
        let (flow, session) = (admin.flow, admin.session.id());
        self.serve_waiters(&mut admin.cx.db, beside.index);
        self.route(admin.cx.db.effects, session);
        note_logged(&mut admin);
        drop(admin);
        drop(held);
        self.forget_reads();
        drop(apart);
        if !thread.effects.ready_later.is_empty() {
            self.serve_later(scope.now, &mut thread.effects, thread.index);
        }
        self.settle(thread);
        Ok(flow)
    }

    fn run_queued<'a>(
        &self,
        queued: &'a Queued,
        admin: &mut AdminCx<'a>,
        thread: &mut ThreadContext,
    ) {
        let dirty = admin.cx.db.effects.dirty;
        let (mark, before) = (admin.cx.reply.mark(), admin.cx.reply.len());
        admin.cx.args = queued.args.as_args();
        admin.cx.name = queued.entry.full_name;
        admin.cx.db.effects.next_command();
        let db = admin.session.db();
        self.refresh(queued, admin, thread);
        if let Exec::Script(prepare) = queued.entry.exec {
            let call = Call { entry: queued.entry, args: admin.cx.args, position: None };
            return self.run_queued_script(call, prepare, admin, thread);
        }
        let result = invoke(queued.entry, admin);
        if let Some(wait) = admin.cx.db.effects.wait.take() {
            write_denied(admin.cx.reply, wait.denied);
        }
        if admin.cx.db.effects.dirty > dirty {
            log_verbatim(admin.cx.db.effects, db, admin.cx.args);
        }
        let call = Call { entry: queued.entry, args: admin.cx.args, position: None };
        let written = admin.cx.reply.len() - before;
        self.account(call, result.is_err(), written, admin.session, thread);
        if let Err(error) = result {
            admin.cx.reply.rollback(mark);
            self.fail(&error, admin.cx.reply, thread.index);
        }
    }

    /// Lets a command of a queue find what those before it set: the configuration, the session's
    /// modes, who listens. Events of those before it go out before it may change who hears them.
    fn refresh(&self, queued: &Queued, admin: &mut AdminCx<'_>, thread: &ThreadContext) {
        let now = admin.cx.db.now();
        admin.cx.db.scope = Scope { now, ..self.scope(admin.session, thread) };
        if queued.entry.locks == Locks::None {
            self.consumers.route_events(admin.cx.db.effects);
        }
        self.listen_amid(&mut admin.cx.db.effects.interest, thread.replays);
    }

    /// Who listens to a command. What is replayed from a log was heard when it happened.
    #[inline]
    pub(crate) fn interest_of(&self, replays: bool) -> Interest {
        if replays { Interest::NONE } else { self.store.interest() }
    }

    /// Who has begun to listen by an earlier command of the same transaction listens from now on.
    /// The log does so between transactions.
    fn listen_amid(&self, interest: &mut Interest, replays: bool) {
        let amid = Interest::EVENTS | Interest::SUBKEYS | Interest::TRACKING;
        let now = self.interest_of(replays).bits() & amid.bits();
        *interest = interest.without(amid) | Interest::from_bits(now);
    }

    /// What a command of this session runs under, now.
    #[inline]
    pub(crate) fn scope(&self, session: &Session, thread: &ThreadContext) -> Scope {
        let access = Access { policy: self.access_policy(), touch: !session.no_touch };
        let paused = self.pause.possible() && self.writes_paused(thread.now_ms());
        let overdue = match paused {
            _ if thread.replays => Overdue::Show,
            true => Overdue::Hide,
            false => Overdue::Remove,
        };
        Scope { db: session.db(), now: thread.now_ms(), access, overdue }
    }

    /// Which clock the keys carry.
    pub(crate) fn access_policy(&self) -> Policy {
        match self.config.get(config::rows::MAXMEMORY_POLICY) {
            MaxmemoryPolicy::AllkeysLfu | MaxmemoryPolicy::VolatileLfu => Policy::Lfu {
                log_factor: self.config.get(config::rows::LFU_LOG_FACTOR) as u32,
                decay_minutes: self.config.get(config::rows::LFU_DECAY_TIME) as u32,
            },
            MaxmemoryPolicy::AllkeysLrm | MaxmemoryPolicy::VolatileLrm => Policy::Lrm,
            _ => Policy::Lru,
        }
    }

    /// Hands the effects to their consumers. Called while the locks are held.
    #[inline]
    pub(crate) fn route(&self, effects: &mut Effects, session: u64) {
        if effects.pending() {
            self.consumers.route(effects, session);
        }
    }

    /// After the locks: folds the counters, frees the garbage.
    #[inline]
    pub(crate) fn settle(&self, thread: &mut ThreadContext) {
        let effects = &mut thread.effects;
        if thread.replays {
            // It was counted when it was executed for the first time.
            (effects.counters, effects.dirty) = (Counters::default(), 0);
        }
        let stats = self.stats.thread(thread.index);
        let counters = std::mem::take(&mut effects.counters);
        stats.hits.add(counters.hits);
        stats.misses.add(counters.misses);
        if counters.expired > 0 {
            stats.expired.add(counters.expired);
        }
        if counters.evicted > 0 {
            stats.evicted.add(counters.evicted);
        }
        if counters.expired_fields > 0 {
            stats.expired_fields.add(counters.expired_fields);
        }
        if counters.sanitized > 0 {
            stats.sanitized.add(counters.sanitized);
        }
        if effects.dirty > 0 {
            stats.dirty.add(effects.dirty);
            effects.dirty = 0;
        }
        effects.changing = false;
        effects.next_command();
        for note in effects.notes.drain(..) {
            self.platform.log(LogLevel::Warning, &note);
        }
        if !effects.garbage.is_empty() {
            self.free(effects.take_garbage());
        }
    }
}

#[inline]
fn lock<'a>(call: Call<'a>, db: &mut Keyspace<'a>) -> Result<(), HeldLong> {
    match call.entry.locks {
        Locks::One(_) => match call.first_key() {
            Some((key, position)) => db.lock_key(key, position),
            None => Ok(()),
        },
        Locks::None => Ok(()),
        Locks::Reach if call.entry.reaches_anywhere(call.args) => db.lock_all(),
        Locks::Keys | Locks::Reach => {
            db.lock_keys(call.first_key(), |each| call.entry.keys(call.args, each))
        }
        Locks::All => db.lock_all(),
    }
}

#[inline]
fn invoke(entry: &Entry, admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    if admin.cx.db.effects.interest.wants_any(Interest::OBSERVED) {
        return invoke_observed(entry, admin);
    }
    handle(entry, admin)
}

/// As [`invoke`], while somebody listens to more than the changes of keys.
#[cold]
fn invoke_observed(entry: &Entry, admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    remember_reads(entry, admin);
    let result = handle(entry, admin);
    admin.cx.db.find_readers();
    if admin.cx.db.effects.interest.wants(Interest::MONITOR) {
        let by = Origin::Client(&admin.session.handle.endpoint);
        admin.engine.show_command(entry, admin.cx.args, admin.session.db(), by);
    }
    let (in_multi, in_transaction) = (admin.session.in_multi(), admin.in_transaction);
    if let Some(tracking) = admin.session.tracking.as_deref_mut()
        && !(in_multi || in_transaction || entry.full_name.starts_with("client|"))
    {
        tracking.next = false;
    }
    result
}

/// Remembers the keys that a command is about to read, if the client may cache them. Before it
/// reads them: a long read gives the locks back on its way.
pub(crate) fn remember_reads(entry: &Entry, admin: &mut AdminCx<'_>) {
    if let Some(reader) = remembered_reader(entry, admin.session) {
        let args = admin.cx.args;
        entry.keys(args, |key| admin.cx.db.remember(key, reader));
    }
}

/// The number under which a session's reads by this command are remembered, if they are. A script
/// reads nothing itself; its commands do.
pub(crate) fn remembered_reader(entry: &Entry, session: &Session) -> Option<Reader> {
    let reads = entry.has(Flags::READONLY) && entry.spec.group != Group::Scripting;
    session.tracking.as_deref().filter(|_| reads).and_then(TrackingSession::reader)
}

/// Calls the handler.
#[inline]
pub(crate) fn handle(entry: &Entry, admin: &mut AdminCx<'_>) -> Result<(), CommandError> {
    match entry.exec {
        Exec::Data(run) => run(&mut admin.cx),
        Exec::Admin(run) => run(admin),
        Exec::Transaction | Exec::Script(_) => {
            Err(CommandError::state("ERR EXEC inside MULTI is not allowed"))
        }
    }
}

/// Remembers how far the log reaches that has the session's last change.
#[inline]
fn note_logged(admin: &mut AdminCx<'_>) {
    let logged = std::mem::take(&mut admin.cx.db.effects.logged);
    if logged > 0 {
        admin.session.logged = logged;
    }
}

/// The log form of a command that nobody rewrote: as the client sent it.
pub(crate) fn log_verbatim(effects: &mut Effects, db: usize, args: Args<'_>) {
    if effects.interest.wants(Interest::LOG) && effects.propagation == Propagation::Verbatim {
        effects.log_request(db, args);
    }
}
