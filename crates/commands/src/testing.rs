//! A test bench for commands: one store, one session, no engine.
//!
//! `Bench::run` takes a command line as a person types it, does what the engine does around a
//! handler (arity, locks, rollback of a failed reply, propagation) and returns the bytes of the
//! reply. What followed from it can be asked for: events, log, dirty count.

use command::{CommandError, Cx, DataCommand, keys, keys::find_keys, spec::Reach};
use config::{Config, Environment, SetRules};
use resp::{Args, OwnedArgs, Reply, Version};
use stdx::rng::Rng;
use store::{
    Access, Effects, EventClass, Held, Interest, Keyspace, Overdue, Scope, Store,
    effects::Propagation,
};

/// The time of every command, unless [`Bench::at`] changes it.
pub(crate) const NOW: u64 = 1_800_000_000_000;

/// See the module page.
pub(crate) struct Bench {
    store: Store,
    config: Config,
    /// What followed from the commands since [`Bench::clear`].
    pub(crate) effects: Effects,
    rng: Rng,
    reply: Reply,
    /// What the commands run under: their database, their time, what they leave behind.
    pub(crate) scope: Scope,
    /// Whether they run under all locks, as within a transaction.
    pub(crate) in_transaction: bool,
}

impl Bench {
    /// An empty store at the time [`NOW`], RESP2, everybody interested in everything.
    pub(crate) fn new() -> Self {
        let environment = Environment { cores: 1, directory: b"/".to_vec() };
        let interest = Interest::EVENTS | Interest::TRACKING | Interest::LOG;
        Self {
            store: Store::new(16, [1, 2]),
            config: Config::new(&environment),
            effects: Effects { interest, ..Effects::default() },
            rng: Rng::seed(1),
            reply: Reply::default(),
            scope: Scope { db: 0, now: NOW, access: Access::default(), overdue: Overdue::Remove },
            in_transaction: false,
        }
    }

    /// Runs a command line and returns the reply. Bytes beyond ASCII show as Latin-1.
    pub(crate) fn run(&mut self, line: &str) -> String {
        let words = stdx::text::split_args(line.as_bytes()).expect("quotes are balanced");
        self.run_args(OwnedArgs::from_slices(&words).as_args())
    }

    /// As [`Bench::run`], for arguments that no command line can hold.
    pub(crate) fn run_args(&mut self, args: Args<'_>) -> String {
        let mark = self.reply.mark();
        if let Err(error) = self.execute(args) {
            self.reply.rollback(mark);
            self.reply.error(error.text());
        }
        self.reply.take_bytes().iter().map(|&byte| char::from(byte)).collect()
    }

    /// Runs a command line and leaves the reply where it is.
    pub(crate) fn run_unsent(&mut self, line: &str) {
        let words = stdx::text::split_args(line.as_bytes()).expect("quotes are balanced");
        self.execute(OwnedArgs::from_slices(&words).as_args()).expect("the command is right");
    }

    /// Whether the reply that was left was broken off.
    pub(crate) fn is_broken_off(&self) -> bool {
        self.reply.is_broken_off()
    }

    fn execute(&mut self, args: Args<'_>) -> Result<(), CommandError> {
        let (command, name) = find(args)?;
        if !command.spec.accepts(args.len()) {
            return Err(CommandError::arity(name));
        }
        let mut positions = Vec::new();
        let mut keys = Vec::new();
        // A command line that does not fit its key specs is refused by the handler.
        let _ = find_keys(&command.spec, args, |key| {
            positions.extend(args.get(key.index).map(|key| self.store.position(key)));
            keys.push(key.index);
        });
        let held = match keys::reach(&command.spec, args) {
            _ if self.in_transaction => Held::all(&self.store),
            Reach::Anywhere => Held::all(&self.store),
            Reach::Named if positions.is_empty() => Held::none(),
            Reach::Named => Held::keys(&self.store, positions),
        };
        let dirty = self.effects.dirty;
        self.effects.next_command();
        let (effects, rng) = (&mut self.effects, &mut self.rng);
        let db = Keyspace::new(&self.store, held, effects, self.scope, rng);
        let mut cx = Cx { args, reply: &mut self.reply, db, config: &self.config, name };
        let result = (command.run)(&mut cx);
        drop(cx);
        if self.effects.propagation == Propagation::Verbatim && self.effects.dirty != dirty {
            let line: Vec<&[u8]> = args.iter().collect();
            self.effects.log(self.scope.db, &line);
        }
        result
    }

    /// All keys, locked.
    pub(crate) fn keyspace(&mut self) -> Keyspace<'_> {
        let (held, rng) = (Held::all(&self.store), &mut self.rng);
        Keyspace::new(&self.store, held, &mut self.effects, self.scope, rng)
    }

    /// The time of the commands from now on.
    pub(crate) fn at(&mut self, now: u64) {
        self.scope.now = now;
    }

    /// Whether writes are paused, so that nothing expires.
    pub(crate) fn keep_expired(&mut self, keep: bool) {
        self.scope.overdue = if keep { Overdue::Hide } else { Overdue::Remove };
    }

    /// Replies in RESP3 from now on.
    pub(crate) fn resp3(&mut self) {
        self.reply.set_version(Version::Resp3);
    }

    /// Changes a parameter.
    pub(crate) fn config(&mut self, name: &str, value: &str) {
        let rules = SetRules { protected_allowed: true, loading: false };
        let pair = (name.as_bytes(), value.as_bytes());
        self.config.set(&[pair], rules, &mut |_| Ok(())).expect("the test sets what exists");
    }

    /// Forgets what followed from the commands so far.
    pub(crate) fn clear(&mut self) {
        let interest = self.effects.interest;
        self.effects = Effects { interest, ..Effects::default() };
    }

    /// The keyspace events since [`Bench::clear`], each as `name key`.
    pub(crate) fn events(&self) -> Vec<String> {
        let shown = self.effects.events.iter().filter(|e| e.event.class != EventClass::Miss);
        shown.map(|e| format!("{} {}", e.event.name, String::from_utf8_lossy(&e.key))).collect()
    }

    /// What the log was fed since [`Bench::clear`], a line for each command.
    pub(crate) fn log(&self) -> Vec<String> {
        self.effects.records.lines().into_iter().map(|(_, line)| line).collect()
    }

    /// The number of changes since [`Bench::clear`].
    pub(crate) fn dirty(&self) -> u64 {
        self.effects.dirty
    }

    /// The deadline of a key of the selected database.
    pub(crate) fn deadline(&mut self, key: &str) -> Option<u64> {
        self.look(key, |entry| entry.deadline())
    }

    /// The encoding of a value as `OBJECT ENCODING` calls it.
    pub(crate) fn encoding(&mut self, key: &str) -> &'static str {
        self.look(key, |entry| store::encoding_name(entry.value()))
    }

    fn look<R>(&mut self, key: &str, look: impl FnOnce(store::EntryRef<'_>) -> R) -> R {
        look(self.keyspace().peek(key.as_bytes()).expect("the test made the key"))
    }
}

/// The command that a line names, and its full name for error texts.
fn find(args: Args<'_>) -> Result<(&'static DataCommand, &'static str), CommandError> {
    let command = crate::all()
        .find(|c| c.spec.name.as_bytes().eq_ignore_ascii_case(args.name()))
        .expect("the test names a command");
    if command.subcommands.is_empty() {
        return Ok((command, command.spec.name));
    }
    let sub = args.get(1).unwrap_or_default();
    let found =
        command.subcommands.iter().find(|c| c.spec.name.as_bytes().eq_ignore_ascii_case(sub));
    Ok(found.map_or((command, command.spec.name), |sub| (*sub, sub.spec.name)))
}
