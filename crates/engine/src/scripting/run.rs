//! Running a program: locks, the script itself, what follows from it.

use command::{CommandError, Flags};
use resp::{Args, Reply};
use script::{Failure, Host, Inputs, Limits, Place, RunError};
use store::effects::{Interest, Propagation};
use store::records::Mark;
use store::{Held, HeldLong, Keyspace, Position, UnixMs};

use super::Local;
use super::host::{Cause, ScriptHost};
use super::program::{Code, Prepare, Program, Ready};
use crate::admin::AdminCx;
use crate::call::{Call, Flow};
use crate::engine::{Engine, FERRITE_VERSION, REDIS_VERSION};
use crate::monitor::Origin;
use crate::session::Session;
use crate::thread::{ThreadContext, Times};

/// A script that came to so many shards without having declared them takes all locks from then on:
/// noting what it changes would cost more.
const STRAYS_MAX: usize = 32;

pub(super) const IDENTITY: script::api::Identity = script::api::Identity {
    redis_version: REDIS_VERSION,
    name: "ferrite",
    version: FERRITE_VERSION,
};

/// How a script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With a value.
    Well,
    /// With an error, which is in the reply, and counted.
    Failed,
}

/// How one attempt at a script ended.
pub(super) enum Attempt {
    Done(Ended),
    /// It must begin again under all locks.
    Again,
}

impl Engine {
    /// A command that needs the interpreter: runs and counts it.
    pub(crate) fn call_script(
        &self,
        call: Call<'_>,
        prepare: Prepare,
        session: &mut Session,
        reply: &mut Reply,
        thread: &mut ThreadContext,
    ) -> Flow {
        let (started_ns, mark, before) = (thread.tick_ns(), reply.mark(), reply.len());
        if session.debugged.is_some() && call.entry.full_name.starts_with("eval") {
            return self.begin_debugging(call, prepare, session).unwrap_or_else(|error| {
                self.fail(&error, reply, thread.index);
                Flow::Continue
            });
        }
        self.show_script(call, session);
        let outcome = self.run_script(call, prepare, session, reply, thread);
        self.after_script();
        let written = reply.len() - before;
        self.account_script(call, started_ns, &outcome, written, session, thread);
        if let Err(error) = outcome {
            reply.rollback(mark);
            self.fail(&error, reply, thread.index);
        }
        Flow::Continue
    }

    /// The same, as a part of a transaction.
    pub(crate) fn run_queued_script(
        &self,
        call: Call<'_>,
        prepare: Prepare,
        admin: &mut AdminCx<'_>,
        thread: &mut ThreadContext,
    ) {
        let (mark, before) = (admin.cx.reply.mark(), admin.cx.reply.len());
        let started_ns = thread.tick_ns();
        self.show_script(call, admin.session);
        let outcome = self.run_script_queued(prepare, admin, thread);
        let written = admin.cx.reply.len() - before;
        self.account_script(call, started_ns, &outcome, written, admin.session, thread);
        if let Err(error) = outcome {
            admin.cx.reply.rollback(mark);
            self.fail(&error, admin.cx.reply, thread.index);
        }
    }

    /// Counts a script with all that its commands took, which count besides.
    fn account_script(
        &self,
        call: Call<'_>,
        started_ns: u64,
        outcome: &Result<Ended, CommandError>,
        reply: usize,
        session: &Session,
        thread: &mut ThreadContext,
    ) {
        thread.lap(&*self.clock);
        let nanos = thread.tick_ns().saturating_sub(started_ns);
        self.stats.thread(thread.index).lock_nanos_max.max(nanos);
        let failed = *outcome != Ok(Ended::Well);
        self.account_for(call, nanos, failed, reply, session, thread.index);
    }

    /// Who monitors sees a script before its commands.
    pub(super) fn show_script(&self, call: Call<'_>, session: &Session) {
        if self.store.interest().wants(Interest::MONITOR) && !call.entry.has(Flags::ADMIN) {
            let by = Origin::Client(&session.handle.endpoint);
            self.show_line(call.entry, call.args, session.db(), by);
        }
    }

    /// Runs what `EVAL` and its kin name, with locks of its own.
    pub(crate) fn run_script(
        &self,
        call: Call<'_>,
        prepare: Prepare,
        session: &mut Session,
        reply: &mut Reply,
        thread: &mut ThreadContext,
    ) -> Result<Ended, CommandError> {
        let started_ns = thread.tick_ns();
        let mut local = self.interpreter(thread)?;
        let outcome =
            self.ready_line(prepare, &mut local, call.args).and_then(|ready| match ready {
                Ready::Run(program) => {
                    let above_limit = self.admit_script(&program, thread.lacks_memory)?;
                    let first = call.position.filter(|_| program.keys > 0);
                    let line =
                        Line { args: call.args, program: &program, first, above_limit, started_ns };
                    self.run_locked(&local, line, session, reply, thread)
                }
                Ready::Answer(text) => {
                    reply.bulk(&text);
                    Ok(Ended::Well)
                }
                Ready::Change(change) => {
                    self.change_libraries(change, call.args, session, reply, thread)
                }
            });
        self.scripting.note_memory(thread.index, &local.interpreter);
        thread.scripts = Some(local);
        outcome
    }

    fn ready_line(
        &self,
        prepare: Prepare,
        local: &mut Local,
        args: Args<'_>,
    ) -> Result<Ready, CommandError> {
        prepare(self, &mut local.interpreter, args)
    }

    /// The thread's interpreter, for as long as a script runs.
    pub(super) fn interpreter(
        &self,
        thread: &mut ThreadContext,
    ) -> Result<Box<Local>, CommandError> {
        let flushes = self.scripting.cache.flushes();
        let mut local = match thread.scripts.take().filter(|local| local.flushes == flushes) {
            Some(local) => local,
            None => {
                let interpreter = script::Interpreter::new(IDENTITY, thread.rng.next_u64());
                let interpreter = interpreter.map_err(|error| {
                    CommandError::state(format!("ERR cannot make an interpreter: {error}"))
                })?;
                Box::new(Local { interpreter, flushes })
            }
        };
        let memory = self.config.get(config::rows::LUA_MEMORY_LIMIT) as usize;
        local.interpreter.set_limits(Limits { memory });
        Ok(local)
    }

    /// Whether a program may run at all now. One that says nothing of itself may: its commands are
    /// judged. `lacks_memory` says whether there was no room when the command began. Returns
    /// whether memory is above its limit.
    pub(super) fn admit_script(
        &self,
        program: &Program,
        lacks_memory: bool,
    ) -> Result<bool, CommandError> {
        let above = lacks_memory && self.config.get(config::rows::MAXMEMORY) > 0;
        let flags = program.flags;
        let judged_alone = flags.has(script::Flags::COMPATIBLE);
        let may = program.read_only || flags.has(script::Flags::ALLOW_OOM) || judged_alone;
        if above && !may {
            return Err(CommandError::OUT_OF_MEMORY);
        }
        match self.write_refusal() {
            Some(refusal) if !program.read_only && !judged_alone => Err(refusal),
            _ => Ok(above),
        }
    }

    fn run_locked(
        &self,
        local: &Local,
        line: Line<'_>,
        session: &mut Session,
        reply: &mut Reply,
        thread: &mut ThreadContext,
    ) -> Result<Ended, CommandError> {
        let scope = self.scope(session, thread);
        let ThreadContext { index, rng, effects, times, replays, .. } = thread;
        let result = loop {
            let held = match self.lock_declared(line) {
                Ok(held) => held,
                Err(HeldLong) => break Err(self.scripting.busy.error()),
            };
            if self.is_loading() && !*replays {
                break Err(CommandError::LOADING);
            }
            effects.interest = self.store.interest();
            let mut keys = Keyspace::new(&self.store, held, effects, scope, rng);
            if !keys.is_all_locked() {
                keys.begin_undo();
            }
            let mut host = ScriptHost::new(self, line, session, (*index, times), keys);
            let attempt = attempt(local, &mut host, reply);
            let mut keys = host.finish();
            match attempt {
                Attempt::Done(result) => {
                    self.conclude_script(&mut keys, session.id(), *index);
                    break Ok(result);
                }
                Attempt::Again => {
                    keys.undo();
                    drop(keys);
                    // So it takes all locks now.
                    line.program.note_reach();
                }
            }
        };
        self.settle_script(scope.now, thread);
        result
    }

    /// What follows from a script, under its locks.
    pub(super) fn conclude_script(&self, keys: &mut Keyspace<'_>, session: u64, thread: usize) {
        keys.end_undo();
        keys.find_readers();
        keys.effects.records.join(Mark::default());
        self.serve_waiters(keys, thread);
        self.route(keys.effects, session);
    }

    /// What follows after the locks.
    pub(super) fn settle_script(&self, now: UnixMs, thread: &mut ThreadContext) {
        if !thread.effects.ready_later.is_empty() {
            self.serve_later(now, &mut thread.effects, thread.index);
        }
        self.settle(thread);
    }

    /// Locks what a program declares, or everything if that is known to be too little.
    fn lock_declared(&self, line: Line<'_>) -> Result<Held<'_>, HeldLong> {
        let Line { args, program, first, .. } = line;
        if program.reaches() {
            return Held::all_soon(&self.store);
        }
        let position = |index| {
            let known = first.filter(|_| index == 0);
            known.unwrap_or_else(|| self.store.position(program.key(args, index)))
        };
        let held = match program.keys {
            0 => Held::none(),
            1 => Held::one_soon(&self.store, position(0))?,
            count => Held::keys_soon(&self.store, (0..count).map(position))?,
        };
        if self.store.waiters() > 0 && held.has_wide_waiters() {
            drop(held);
            return Held::all_soon(&self.store);
        }
        Ok(held)
    }

    /// Runs a program inside a transaction, which holds all locks.
    fn run_script_queued(
        &self,
        prepare: Prepare,
        admin: &mut AdminCx<'_>,
        thread: &mut ThreadContext,
    ) -> Result<Ended, CommandError> {
        let started_ns = thread.tick_ns();
        let mut local = self.interpreter(thread)?;
        let args = admin.cx.args;
        let outcome = self.ready_line(prepare, &mut local, args).and_then(|ready| match ready {
            Ready::Run(program) => {
                let above_limit = self.admit_script(&program, thread.lacks_memory)?;
                let line = Line { args, program: &program, first: None, above_limit, started_ns };
                let keys = admin.cx.db.lend(admin.session.db());
                let clocks = (thread.index, &mut thread.times);
                let mut host = ScriptHost::new(self, line, admin.session, clocks, keys);
                let attempt = attempt(&local, &mut host, admin.cx.reply);
                host.finish().find_readers();
                match attempt {
                    Attempt::Done(ended) => Ok(ended),
                    Attempt::Again => unreachable!("a transaction with a script holds all locks"),
                }
            }
            Ready::Answer(text) => {
                admin.cx.reply.bulk(&text);
                Ok(Ended::Well)
            }
            Ready::Change(change) => {
                let line = (args, admin.session.db());
                change.apply_queued(self, line, &mut admin.cx.db, admin.cx.reply)
            }
        });
        self.scripting.note_memory(thread.index, &local.interpreter);
        thread.scripts = Some(local);
        // What the script's commands log is in its place already.
        admin.cx.db.effects.propagation = Propagation::Rewritten;
        outcome
    }
}

/// A command line that runs a program.
#[derive(Clone, Copy)]
pub(super) struct Line<'r> {
    pub(super) args: Args<'r>,
    pub(super) program: &'r Program,
    /// The position of the first key that it declares, if it is known.
    pub(super) first: Option<Position>,
    pub(super) above_limit: bool,
    pub(super) started_ns: u64,
}

impl<'r, 'k> ScriptHost<'r, 'k> {
    pub(super) fn new(
        engine: &'r Engine,
        line: Line<'r>,
        session: &'r mut Session,
        (thread, times): (usize, &'r mut Times),
        keys: Keyspace<'k>,
    ) -> Self {
        Self {
            engine,
            db: session.db(),
            session,
            thread,
            times,
            keys,
            program: line.program,
            first: line.first,
            args: line.args,
            above_limit: line.above_limit,
            has_written: false,
            has_called_write: false,
            targets: 3,
            strays: 0,
            was_refused: false,
            stopped: None,
            messages: Vec::new(),
            lines: Vec::new(),
            started_ns: line.started_ns,
            running: None,
        }
    }

    /// The script is over: what it said is sent, unless it begins again; the session has its
    /// database back.
    pub(super) fn finish(self) -> Keyspace<'k> {
        drop(self.running);
        if self.session.db() != self.db {
            self.session.select(self.db);
        }
        if self.stopped != Some(Cause::MoreLocks) {
            for (kind, channel, text) in &self.messages {
                let (publisher, to) = (self.session.id(), (*kind, &**channel));
                self.engine.pubsub.publish(&*self.engine.platform, publisher, to, text);
            }
            for (level, line) in &self.lines {
                self.engine.platform.log(*level, &String::from_utf8_lossy(line));
            }
            if self.strays > STRAYS_MAX {
                self.program.note_reach();
            }
        }
        self.keys
    }
}

/// What runs a program: the host of its script, or who stands before that.
pub(super) trait Runs<'r, 'k>: Host {
    /// The host of its script.
    fn script(&self) -> &ScriptHost<'r, 'k>;
}

impl<'r, 'k> Runs<'r, 'k> for ScriptHost<'r, 'k> {
    fn script(&self) -> &ScriptHost<'r, 'k> {
        self
    }
}

/// Runs a program once.
pub(super) fn attempt<'r, 'k>(
    local: &Local,
    host: &mut impl Runs<'r, 'k>,
    reply: &mut Reply,
) -> Attempt
where
    'k: 'r,
{
    let ScriptHost { engine, program, args, thread, .. } = *host.script();
    let as_globals = !program.is_function();
    let inputs = Inputs { args, first: program.first, keys: program.keys, as_globals };
    let mut failed = false;
    let mut errors = |text: &[u8], counted: bool| {
        failed = true;
        if !counted {
            engine.count_error(code_of(text), thread);
        }
    };
    let interpreter = &local.interpreter;
    let result = match &program.code {
        Code::Script(compiled) => interpreter.run(compiled, inputs, host, reply, &mut errors),
        Code::Function(library, index) => {
            interpreter.call(library, *index, inputs, host, reply, &mut errors)
        }
    };
    match result {
        Ok(()) if !failed => Attempt::Done(Ended::Well),
        Ok(()) => Attempt::Done(Ended::Failed),
        Err(RunError::Stopped(_)) if host.script().stopped == Some(Cause::MoreLocks) => {
            Attempt::Again
        }
        Err(error) => {
            let (text, counted) = describe(program, error, host.script().stopped);
            reply.error(&text);
            if !counted {
                engine.count_error(code_of(&text), thread);
            }
            Attempt::Done(Ended::Failed)
        }
    }
}

/// The first word of an error.
fn code_of(text: &[u8]) -> &str {
    let word = text.split(|&byte| byte == b' ').next().unwrap_or_default();
    std::str::from_utf8(word).unwrap_or("ERR")
}

/// What the client is told, and whether the error was counted where it arose.
fn describe(program: &Program, error: RunError, cause: Option<Cause>) -> (Vec<u8>, bool) {
    let name = program.name();
    let failure = match error {
        RunError::Raised(failure) => failure,
        RunError::Stopped(place) => {
            let message: &[u8] = match cause {
                Some(Cause::Aborted) => b"ERR script aborted for user request",
                _ => b"ERR Script killed by user with SCRIPT KILL...",
            };
            Failure { message: message.to_vec(), place, counted: false }
        }
        RunError::Broken(message) => {
            let parts = [&b"ERR Error running script "[..], &name, b", ", &message];
            return (parts.concat(), false);
        }
    };
    let mut text = failure.message;
    if let Some(Place { source, line }) = failure.place {
        text.extend_from_slice(b" script: ");
        text.extend_from_slice(&name);
        text.extend_from_slice(b", on ");
        text.extend_from_slice(&source);
        text.extend_from_slice(format!(":{line}.").as_bytes());
    }
    (text, failure.counted)
}
