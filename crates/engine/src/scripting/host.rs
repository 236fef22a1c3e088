//! What a script's `redis.call` reaches: the commands, under the script's locks.

use std::sync::atomic::Ordering;

use command::{CommandError, Cx, Flags};
use resp::{Args, Reply};
use script::{Host, Stop, Verdict};
use store::effects::Interest;
use store::{Keyspace, Position};

use super::busy::{Listed, Running, RunningFunction};
use super::debugging::Waker;
use super::program::Program;
use crate::admin::AdminCx;
use crate::blocking::write_denied;
use crate::call::{Call, Flow, handle, log_verbatim, remember_reads};
use crate::engine::Engine;
use crate::monitor::Origin;
use crate::platform::LogLevel;
use crate::pubsub::Kind;
use crate::registry::{Entry, Exec, Locks};
use crate::session::Session;
use crate::thread::Times;

/// What a script is run with.
pub(super) struct ScriptHost<'r, 'k> {
    pub(super) engine: &'r Engine,
    pub(super) session: &'r mut Session,
    /// The number of the thread, and its clocks.
    pub(super) thread: usize,
    pub(super) times: &'r mut Times,
    /// The database that the session has outside.
    pub(super) db: usize,
    /// The locks, the effects, the time: frozen at the script's beginning.
    pub(super) keys: Keyspace<'k>,
    pub(super) program: &'r Program,
    /// The position of the first key that the program declares, if it is known.
    pub(super) first: Option<Position>,
    /// The command line that runs it.
    pub(super) args: Args<'r>,
    /// Memory was above its limit when the script began.
    pub(super) above_limit: bool,
    /// Whether the script has changed the dataset.
    pub(super) has_written: bool,
    /// Whether it has called a command that could: from then on it is let through to its end.
    pub(super) has_called_write: bool,
    /// What `redis.set_repl` chose: bit 0 the file, bit 1 replicas.
    pub(super) targets: u8,
    /// Shards that the script came to without having declared them.
    pub(super) strays: usize,
    /// The last command was not executed: for who debugs the script.
    pub(super) was_refused: bool,
    /// Why the script was stopped.
    pub(super) stopped: Option<Cause>,
    /// What is sent when the script has ended.
    pub(super) messages: Vec<Published>,
    pub(super) lines: Vec<(LogLevel, Vec<u8>)>,
    pub(super) started_ns: u64,
    /// It is listed among those that run.
    pub(super) running: Option<Listed<'r>>,
}

/// A message that a script publishes: of which kind, the channel, the text.
pub(super) type Published = (Kind, Box<[u8]>, Box<[u8]>);

/// Why the engine stopped a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// It needs locks that it cannot get where it is.
    MoreLocks,
    /// Somebody ended it.
    Killed,
    /// Who debugs it has had enough.
    Aborted,
}

const UNKNOWN: &str = "ERR Unknown Redis command called from script";
const ARITY: &str = "ERR Wrong number of args calling Redis command from script";
const FORBIDDEN: &str = "ERR This Redis command is not allowed from script";
const READ_ONLY: &str = "ERR Write commands are not allowed from read-only scripts.";

/// Administrative commands that change nothing that a script which begins again would change twice,
/// and need no locks.
const HARMLESS: &[&str] = &["echo", "ping", "publish", "select", "spublish", "time", "lastsave"];

impl Host for ScriptHost<'_, '_> {
    fn call(&mut self, args: Args<'_>, reply: &mut Reply) -> Result<(), Stop> {
        let Ok(entry) = self.engine.registry.resolve(args) else {
            self.refuse(None, &CommandError::state(UNKNOWN), reply);
            return Ok(());
        };
        if let Err(error) = self.check(entry, args) {
            self.refuse(Some(entry), &error, reply);
            return Ok(());
        }
        let Some(position) = self.reach(entry, args) else {
            self.stopped = Some(Cause::MoreLocks);
            return Err(Stop);
        };
        let is_write = entry.has(Flags::WRITE);
        if is_write && self.running.as_ref().is_some_and(|running| !running.begin_write()) {
            self.stopped = Some(Cause::Killed);
            return Err(Stop);
        }
        self.has_called_write |= is_write;
        match message_kind(entry) {
            Some(kind) => self.publish(entry, kind, args, reply),
            None => self.execute(entry, args, position, reply),
        }
        if is_write && !self.has_written {
            self.running.iter().for_each(|running| running.take_write_back());
        }
        Ok(())
    }

    fn tick(&mut self) -> Verdict {
        if self.running.is_none() {
            self.list(None);
        }
        if !self.is_overdue() {
            let elapsed_ns = self.engine.clock.monotonic_ns().saturating_sub(self.started_ns);
            let threshold_ns = self.engine.busy_threshold_ns();
            if threshold_ns.is_some_and(|threshold_ns| elapsed_ns >= threshold_ns) {
                self.begin_busy(elapsed_ns);
            }
        }
        if self.running.as_ref().is_some_and(|running| running.is_killed()) {
            self.stopped = Some(Cause::Killed);
            return Verdict::Stop;
        }
        Verdict::Continue
    }

    fn seconds(&mut self) -> f64 {
        self.engine.clock.monotonic_ns() as f64 / 1e9
    }

    fn log(&mut self, level: u8, line: &[u8]) {
        self.lines.push((LogLevel::of_script(level), line.to_vec()));
    }

    fn set_propagation(&mut self, targets: u8) {
        self.targets = targets;
    }

    fn is_allowed(&mut self, args: Args<'_>) -> Result<bool, &'static str> {
        match self.engine.registry.resolve(args) {
            Ok(entry) if entry.spec.accepts(args.len()) => Ok(true),
            Ok(_) => Err("Wrong number of args for redis.acl_check_cmd()"),
            Err(_) => Err("Invalid command passed to redis.acl_check_cmd()"),
        }
    }
}

impl ScriptHost<'_, '_> {
    /// Whether the script may call the command now.
    fn check(&self, entry: &Entry, args: Args<'_>) -> Result<(), CommandError> {
        if !entry.spec.accepts(args.len()) {
            return Err(CommandError::state(ARITY));
        }
        let scripting = &self.engine.scripting;
        if entry.has(Flags::NOSCRIPT) && !scripting.allows_all.load(Ordering::Relaxed) {
            return Err(CommandError::state(FORBIDDEN));
        }
        if matches!(entry.exec, Exec::Transaction | Exec::Script(_)) {
            return Err(CommandError::state(FORBIDDEN));
        }
        let writes = entry.spec.flags.intersects(Flags::WRITE | Flags::MAY_REPLICATE);
        if self.program.read_only && writes {
            return Err(CommandError::state(READ_ONLY));
        }
        if entry.has(Flags::WRITE)
            && !self.has_called_write
            && let Some(refusal) = self.engine.write_refusal()
        {
            return Err(refusal);
        }
        let judged = !self.program.flags.has(script::Flags::ALLOW_OOM) && !self.has_called_write;
        if self.above_limit && judged && entry.has(Flags::DENYOOM) {
            return Err(CommandError::OUT_OF_MEMORY);
        }
        if !self.engine.config.get(config::rows::LUA_UNDECLARED_KEYS) {
            self.check_declared(entry, args)?;
        }
        Ok(())
    }

    /// Refuses a key that the script has not declared.
    #[cold]
    fn check_declared(&self, entry: &Entry, args: Args<'_>) -> Result<(), CommandError> {
        let declared =
            |key: &[u8]| (0..self.program.keys).any(|i| self.program.key(self.args, i) == key);
        let mut undeclared = None;
        entry.keys(args, |key| {
            if !declared(key) {
                undeclared.get_or_insert(key);
            }
        });
        let reaches = entry.locks == Locks::All
            || entry.has(Flags::KEYSPACE_WALK)
            || entry.reaches_anywhere(args);
        match undeclared {
            Some(key) => {
                let before = "ERR Script attempted to access a key that it did not declare: '";
                Err(CommandError::quoting(before, key, "'"))
            }
            None if reaches => {
                let text = "ERR Script attempted to access keys that it did not declare";
                Err(CommandError::state(text))
            }
            None => Ok(()),
        }
    }

    /// Locks what the command needs and the script does not hold: the position of its only key, if
    /// it had to be found out. None if that cannot be done without waiting.
    fn reach(&mut self, entry: &Entry, args: Args<'_>) -> Option<Option<Position>> {
        if self.keys.is_all_locked() {
            return Some(None);
        }
        let wants_all = entry.locks == Locks::All
            || entry.has(Flags::KEYSPACE_WALK)
            || entry.reaches_anywhere(args)
            || (matches!(entry.exec, Exec::Admin(_)) && !HARMLESS.contains(&entry.full_name));
        if wants_all {
            return None;
        }
        let (keys, strays, store) = (&mut self.keys, &mut self.strays, &self.engine.store);
        let (mut free, mut only) = (true, None);
        let declared = self.first.map(|position| (self.program.key(self.args, 0), position));
        let mut reach = |key| {
            let known = declared.filter(|(declared, _)| *declared == key);
            let position = known.map_or_else(|| store.position(key), |(_, position)| position);
            if free && !keys.covers(position) {
                *strays += 1;
                free = keys.try_lock(position);
            }
            position
        };
        match entry.locks {
            Locks::One(index) => only = args.get(index).map(&mut reach),
            _ => entry.keys(args, |key| {
                reach(key);
            }),
        }
        let waits = free && store.waiters() > 0 && entry.has(Flags::WRITE);
        (free && !(waits && self.keys.has_wide_waiters())).then_some(only)
    }

    /// Notes a message, to be sent when the script has ended: it may begin again before.
    fn publish(&mut self, entry: &'static Entry, kind: Kind, args: Args<'_>, reply: &mut Reply) {
        let (channel, text, before) = (&args[1], &args[2], reply.len());
        reply.integer(self.engine.pubsub.reach(kind, channel) as i64);
        self.messages.push((kind, channel.into(), text.into()));
        if self.keys.effects.interest.wants_any(Interest::MONITOR) {
            self.engine.show_command(entry, args, self.session.db(), Origin::Script);
        }
        self.tally(entry, args, false, reply.len() - before);
    }

    fn execute(
        &mut self,
        entry: &'static Entry,
        args: Args<'_>,
        position: Option<Position>,
        reply: &mut Reply,
    ) {
        let (db, thread, is_overdue) = (self.session.db(), self.thread, self.is_overdue());
        let effects = &mut *self.keys.effects;
        let (dirty, interest) = (effects.dirty, effects.interest);
        effects.next_command();
        if self.targets == 0 {
            effects.interest = interest.without(Interest::LOG);
        }
        effects.in_script = true;
        let (mark, before) = (reply.mark(), reply.len());
        let config = &self.engine.config;
        let mut admin = AdminCx {
            engine: self.engine,
            session: self.session,
            thread,
            cx: Cx { args, reply, db: self.keys.lend(db), config, name: entry.full_name },
            flow: Flow::Continue,
            in_transaction: true,
            // A script that waits for a later moment would never end if time stood still for it.
            time_stands: !is_overdue,
        };
        if let (Locks::One(index), Some(position)) = (entry.locks, position) {
            admin.cx.db.note_position(&args[index], position);
        }
        // Who may have cached what it changes is found at the end: the script may begin again.
        if admin.cx.db.effects.interest.wants(Interest::TRACKING) {
            remember_reads(entry, &mut admin);
        }
        let result = handle(entry, &mut admin);
        if admin.cx.db.effects.interest.wants_any(Interest::MONITOR) {
            self.engine.show_command(entry, args, db, Origin::Script);
        }
        if let Some(wait) = admin.cx.db.effects.wait.take() {
            write_denied(admin.cx.reply, wait.denied);
        }
        let effects = &mut *admin.cx.db.effects;
        let changed = effects.dirty > dirty;
        if changed {
            log_verbatim(effects, db, args);
        }
        effects.interest = interest;
        effects.in_script = false;
        drop(admin);
        self.has_written |= changed;
        self.tally(entry, args, result.is_err(), reply.len() - before);
        if let Err(error) = result {
            reply.rollback(mark);
            self.engine.fail(&error, reply, thread);
        }
    }

    /// Counts a command, and writes down what is remarkable of it, as for a client's own.
    fn tally(&mut self, entry: &'static Entry, args: Args<'_>, failed: bool, written: usize) {
        let nanos = self.times.lap(&*self.engine.clock);
        let call = Call { entry, args, position: None };
        self.engine.account_for(call, nanos, failed, written, self.session, self.thread);
        self.session.handle.count_commands(1);
    }

    /// Answers and counts a command that is not executed.
    #[cold]
    pub(super) fn refuse(
        &mut self,
        entry: Option<&Entry>,
        error: &CommandError,
        reply: &mut Reply,
    ) {
        self.was_refused = true;
        if let Some(entry) = entry {
            self.engine.stats.thread(self.thread).commands[entry.index].rejected.add(1);
        }
        self.engine.fail(error, reply, self.thread);
    }

    /// Whether others are told of the script.
    fn is_overdue(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.is_overdue())
    }

    /// From now on other clients are told that the server is busy.
    #[cold]
    fn begin_busy(&mut self, elapsed_ns: u64) {
        let text = format!(
            "Slow script detected: still in execution after {} milliseconds. You can try killing \
             the script using the {} command. Script name is: {}.",
            elapsed_ns / 1_000_000,
            if self.program.is_function() { "FUNCTION KILL" } else { "SCRIPT KILL" },
            String::from_utf8_lossy(&self.program.name()),
        );
        self.engine.platform.log(LogLevel::Warning, &text);
        self.hold_long();
    }

    /// From now on others may end the script. `waker` wakes it where it stands still, when somebody
    /// does.
    #[cold]
    pub(super) fn list(&mut self, waker: Option<Waker>) {
        let function = self.program.is_function().then(|| RunningFunction {
            name: self.program.name(),
            command: self.args.iter().map(<[u8]>::to_vec).collect(),
            started_ns: self.started_ns,
        });
        let running = Running::new(self.has_written, function, waker);
        self.running = Some(Listed::new(self.engine, running));
    }

    /// From now on who waits for the script's locks is told that it keeps them. It is listed.
    #[cold]
    pub(super) fn hold_long(&self) {
        if let Some(running) = &self.running {
            running.is_overdue.store(true, Ordering::Release);
            self.engine.store.begin_long_hold();
            self.engine.platform.stand_in();
        }
    }
}

/// What kind of channel a command publishes to, if it does.
fn message_kind(entry: &Entry) -> Option<Kind> {
    match entry.full_name {
        "publish" => Some(Kind::Channel),
        "spublish" => Some(Kind::Shard),
        _ => None,
    }
}
