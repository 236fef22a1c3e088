//! Scripts that a client debugs: `SCRIPT DEBUG`, and the `EVAL` after it.
//!
//! ```text
//!   event loop of the client                         a thread of the session's own
//!
//!   EVAL ----------------------- spawn ------------> the script, line by line
//!   each command that comes ---- `Said::Line` -----> the debugger, while the script stands still
//!   the client is gone --------- end of channel ---> it stops nowhere any more
//!   output <-------------------- `Push::Debugger` -- what the debugger has to say
//!   output, then close <-------- `Message::Kill` --- the script's reply
//! ```
//!
//! The script runs under all locks. With `YES` its changes are noted ([`store::undo`]): while it
//! stands still they are set aside and the locks are free, so that it keeps nobody waiting, and at
//! the end they are undone. With `SYNC` it keeps the locks, other clients are told that the server
//! is busy from its first line on, and its changes stay.

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError};
use std::sync::{Arc, Weak};

use command::{CommandError, Flags};
use resp::{Args, OwnedArgs, Reply};
use script::debugger::{Debugger, Next, Target};
use script::{Debugs, Host, Pause, Paused, Stop, Verdict};
use store::effects::Interest;
use store::{Held, HeldLong, Keyspace};

use super::host::{Cause, ScriptHost};
use super::program::{Prepare, Ready};
use super::run::{Line, Runs, attempt};
use crate::call::{Call, Flow};
use crate::engine::Engine;
use crate::platform::{LogLevel, Message};
use crate::push::Push;
use crate::registry::Locks;
use crate::session::Session;
use crate::stats::Aside;
use crate::thread::ThreadContext;

/// Commands of a client that the debugger has not got to.
const AHEAD_MAX: usize = 1024;

/// Only so many changes are set aside while the script is running, for others to get the locks.
const SET_ASIDE_MAX: usize = 1000;

/// What becomes of the changes of a debugged script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `SCRIPT DEBUG YES`: they are undone, and nobody sees them.
    Undone,
    /// `SCRIPT DEBUG SYNC`: they stay, and nobody else gets at the dataset meanwhile.
    Kept,
}

/// A session whose scripts are debugged.
#[derive(Debug)]
pub(crate) struct Debugged {
    pub(crate) mode: Mode,
    /// Where its commands go, once a script has begun.
    said: Option<Arc<SyncSender<Said>>>,
}

impl Debugged {
    pub(crate) const fn new(mode: Mode) -> Self {
        Self { mode, said: None }
    }
}

/// What a debugger hears.
#[derive(Debug)]
pub(super) enum Said {
    /// A command of its client.
    Line(OwnedArgs),
    /// Somebody has ended the script.
    Killed,
}

/// Wakes a debugger whose script has been ended.
pub(super) type Waker = Weak<SyncSender<Said>>;

impl Session {
    /// Whether the session's commands are those of a debugger.
    #[must_use]
    pub fn is_debugging(&self) -> bool {
        self.debugged.as_ref().is_some_and(|debugged| debugged.said.is_some())
    }

    /// Hands a command to the debugger. False if that is impossible: its script is over, or so many
    /// wait for it that the client cannot mean them.
    #[must_use]
    pub fn tell_debugger(&self, args: Args<'_>) -> bool {
        let said = self.debugged.as_ref().and_then(|debugged| debugged.said.as_ref());
        said.is_some_and(|said| said.try_send(Said::Line(args.to_owned())).is_ok())
    }

    /// The client is gone: its debugger stops nowhere any more.
    pub fn leave_debugger(&mut self) {
        self.debugged = None;
    }
}

/// The client of a debugger, as its thread sees it.
#[derive(Debug)]
struct Client {
    /// Its number, and that of its event loop.
    id: u64,
    thread: usize,
    said: Receiver<Said>,
    /// What was taken from there too early.
    ahead: VecDeque<Said>,
    is_gone: bool,
}

impl Client {
    /// Waits for what is said next; none if the client is gone.
    fn wait(&mut self) -> Option<Said> {
        let next = self.ahead.pop_front().or_else(|| self.said.recv().ok());
        self.is_gone = next.is_none();
        next
    }

    /// Looks whether the client is gone.
    fn look(&mut self) {
        if self.ahead.is_empty() {
            match self.said.try_recv() {
                Ok(said) => self.ahead.push_back(said),
                Err(TryRecvError::Disconnected) => self.is_gone = true,
                Err(TryRecvError::Empty) => {}
            }
        }
    }

    fn tell(&self, engine: &Engine, bytes: Vec<u8>) {
        let push = Push::Debugger(bytes.into());
        let clients = Arc::new(vec![self.id]);
        engine.platform.send(self.thread, Message::Push { clients, push });
    }
}

/// One script that is debugged.
struct Sitting {
    mode: Mode,
    client: Client,
    waker: Waker,
    /// Lent to itself while it executes a command of the client.
    debugger: Option<Debugger>,
    /// When the script last went on: monotonic time.
    since_ns: u64,
}

impl Engine {
    /// Begins to debug what `EVAL` brought, on a thread of its own.
    #[cold]
    pub(super) fn begin_debugging(
        &self,
        call: Call<'_>,
        prepare: Prepare,
        session: &mut Session,
    ) -> Result<Flow, CommandError> {
        if call.entry.full_name.starts_with("evalsha") {
            let text = "ERR Please use EVAL instead of EVALSHA for debugging";
            return Err(CommandError::state(text));
        }
        let (Some(engine), Some(debugged)) = (self.shared(), session.debugged.as_deref_mut())
        else {
            return Err(CommandError::state("ERR this server has no threads"));
        };
        let mode = debugged.mode;
        let (sender, said) = mpsc::sync_channel(AHEAD_MAX);
        let sender = Arc::new(sender);
        let (id, thread) = (session.handle.id, session.handle.thread);
        let client = Client { id, thread, said, ahead: VecDeque::new(), is_gone: false };
        let debugger = Some(Debugger::new(call.args.get(1).unwrap_or_default()));
        let waker = Arc::downgrade(&sender);
        let sitting = Sitting { mode, client, waker, debugger, since_ns: 0 };
        let mut own = Session::new(session.handle.clone(), true);
        (own.db, own.version) = (session.db, session.version);
        let (entry, line) = (call.entry, call.args.to_owned());
        let task = move || {
            let call = Call { entry, args: line.as_args(), position: None };
            engine.debug(call, prepare, own, sitting);
        };
        self.platform.spawn("ferrite-debug", Box::new(task)).map_err(|reason| {
            CommandError::state(format!("ERR cannot begin a debugging session: {reason}"))
        })?;
        debugged.said = Some(sender);
        Ok(Flow::Debug)
    }

    /// A debugging session, from the script's first line to the end of the connection.
    fn debug(&self, call: Call<'_>, prepare: Prepare, mut session: Session, mut sitting: Sitting) {
        self.platform.log(LogLevel::Notice, "A client begins to debug a script.");
        let counts = self.stats.number(Aside::Debugger);
        let mut thread = ThreadContext::new(counts, self.clock.unix_us());
        thread.begin(&*self.clock);
        sitting.since_ns = thread.tick_ns();
        let mut reply = Reply::new(session.version);
        let result =
            self.debug_script(call, prepare, &mut session, &mut sitting, &mut reply, &mut thread);
        if let Err(error) = result {
            self.fail(&error, &mut reply, thread.index);
        }
        let Sitting { client, debugger, .. } = sitting;
        let mut debugger = debugger.expect(AT_HOME);
        debugger.end();
        client.tell(self, [debugger.take_lines(), reply.take_bytes()].concat());
        let last = Message::Kill { client: client.id, flush: true };
        self.platform.send(client.thread, last);
        self.platform.log(LogLevel::Notice, "The script is over that a client has debugged.");
    }

    fn debug_script(
        &self,
        call: Call<'_>,
        prepare: Prepare,
        session: &mut Session,
        sitting: &mut Sitting,
        reply: &mut Reply,
        thread: &mut ThreadContext,
    ) -> Result<(), CommandError> {
        let started_ns = thread.tick_ns();
        let mut local = self.interpreter(thread)?;
        local.interpreter.watch_lines();
        let Ready::Run(program) = prepare(self, &mut local.interpreter, call.args)? else {
            unreachable!("`EVAL` runs a program");
        };
        let above_limit = self.admit_script(&program, self.is_above_limit())?;
        let line =
            Line { args: call.args, program: &program, first: None, above_limit, started_ns };
        let (scope, id) = (self.scope(session, thread), session.id());
        let ThreadContext { index, rng, effects, times, .. } = thread;
        let held = Held::all_soon(&self.store);
        let held = held.map_err(|HeldLong| self.scripting.busy.error())?;
        let is_kept = sitting.mode == Mode::Kept;
        effects.interest = if is_kept { self.store.interest() } else { Interest::NONE };
        let mut keys = Keyspace::new(&self.store, held, effects, scope, rng);
        if is_kept {
            self.show_script(call, session);
        } else {
            keys.begin_undo();
        }
        let mut script = ScriptHost::new(self, line, session, (*index, times), keys);
        if is_kept {
            script.list(Some(sitting.waker.clone()));
            script.hold_long();
        }
        let _ended = attempt(&local, &mut Observed { script: &mut script, sitting }, reply);
        if !is_kept {
            script.messages.clear();
        }
        let mut keys = script.finish();
        if is_kept {
            self.conclude_script(&mut keys, id, *index);
        } else {
            keys.undo();
        }
        drop(keys);
        self.settle_script(scope.now, thread);
        self.after_script();
        Ok(())
    }
}

const AT_HOME: &str = "a debugger is lent to its own commands only";

/// A script with somebody who looks at it.
struct Observed<'a, 'r, 'k> {
    script: &'a mut ScriptHost<'r, 'k>,
    sitting: &'a mut Sitting,
}

impl<'r, 'k> Runs<'r, 'k> for Observed<'_, 'r, 'k> {
    fn script(&self) -> &ScriptHost<'r, 'k> {
        self.script
    }
}

impl Target for Observed<'_, '_, '_> {
    fn was_refused(&self) -> bool {
        self.script.was_refused
    }
}

impl Observed<'_, '_, '_> {
    fn is_undone(&self) -> bool {
        self.sitting.mode == Mode::Undone
    }

    /// Whether a command changes what cannot be undone: more than the keys that it names.
    fn is_final(&self, args: Args<'_>) -> bool {
        let entry = self.script.engine.registry.resolve(args);
        entry.is_ok_and(|entry| entry.has(Flags::WRITE) && entry.locks == Locks::All)
    }

    /// Whether the script has run so long without a stop that it may never end.
    fn is_long(&self) -> bool {
        let engine = self.script.engine;
        let elapsed_ns = engine.clock.monotonic_ns().saturating_sub(self.sitting.since_ns);
        engine.busy_threshold_ns().is_some_and(|threshold_ns| elapsed_ns >= threshold_ns)
    }

    /// Sends what the debugger has said, and waits for the client. The locks are free meanwhile if
    /// the changes are not to stay.
    fn ask(&mut self, debugger: &mut Debugger) -> Option<Said> {
        self.sitting.client.tell(self.script.engine, debugger.take_lines());
        if self.is_undone() {
            self.script.keys.set_aside();
        }
        let said = self.sitting.client.wait();
        if self.is_undone() {
            self.script.keys.take_up();
        }
        said
    }

    /// The script stands still until the client lets it go.
    fn stand(&mut self, debugger: &mut Debugger, script: &mut Paused<'_>) -> Verdict {
        loop {
            let next = match self.ask(debugger) {
                Some(Said::Line(words)) => debugger.command(words.as_args(), script, self),
                Some(Said::Killed) => return self.tick(),
                None => return self.tick(),
            };
            match next {
                Next::Stay => {}
                Next::Go => return Verdict::Continue,
                Next::Abort => {
                    self.script.stopped = Some(Cause::Aborted);
                    return Verdict::Stop;
                }
            }
        }
    }
}

impl Host for Observed<'_, '_, '_> {
    fn call(&mut self, args: Args<'_>, reply: &mut Reply) -> Result<(), Stop> {
        self.script.was_refused = false;
        if self.is_undone() && self.is_final(args) {
            let text = "ERR This command cannot be undone: debug the script with SYNC";
            self.script.refuse(None, &CommandError::state(text), reply);
        } else {
            self.script.call(args, reply)?;
        }
        let debugger = self.sitting.debugger.as_mut();
        if let Some(debugger) = debugger.filter(|debugger| debugger.shows_commands()) {
            let bytes: Vec<u8> = reply.chunks().flatten().copied().collect();
            debugger.note_call(args, &bytes, self.script.was_refused);
        }
        Ok(())
    }

    fn tick(&mut self) -> Verdict {
        self.sitting.client.look();
        match self.sitting.mode {
            Mode::Kept => self.script.tick(),
            // Nobody will see what it comes to.
            Mode::Undone if self.sitting.client.is_gone => {
                self.script.stopped = Some(Cause::Killed);
                Verdict::Stop
            }
            Mode::Undone => {
                let keys = &mut self.script.keys;
                if keys.noted_changes() <= SET_ASIDE_MAX {
                    keys.set_aside();
                    keys.take_up();
                }
                Verdict::Continue
            }
        }
    }

    fn seconds(&mut self) -> f64 {
        self.script.seconds()
    }

    fn log(&mut self, level: u8, line: &[u8]) {
        self.script.log(level, line);
    }

    fn set_propagation(&mut self, targets: u8) {
        self.script.set_propagation(targets);
    }

    fn is_allowed(&mut self, args: Args<'_>) -> Result<bool, &'static str> {
        self.script.is_allowed(args)
    }

    fn debugger(&mut self) -> Option<&mut dyn Debugs> {
        self.sitting.debugger.as_mut().map(|debugger| debugger as &mut dyn Debugs)
    }

    fn pause(&mut self, why: Pause, script: &mut Paused<'_>) -> Verdict {
        if self.sitting.client.is_gone {
            return Verdict::Continue;
        }
        let is_long = matches!(why, Pause::Steps(_)) && self.is_long();
        let mut debugger = self.sitting.debugger.take().expect(AT_HOME);
        let mut verdict = Verdict::Continue;
        if debugger.stops_at(why, is_long) {
            verdict = self.stand(&mut debugger, script);
            self.sitting.since_ns = self.script.engine.clock.monotonic_ns();
        }
        self.sitting.debugger = Some(debugger);
        verdict
    }
}
