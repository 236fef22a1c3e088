//! Whom a script calls: the host that is lent to it while it runs.

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_int;
use std::ptr::NonNull;
use std::rc::Rc;

use mlua::ffi::lua_State;
use resp::{Args, ArgsBuffer, Reply, Version};

use crate::call::KEPT_BYTES;
use crate::debug::{Debugger, Pause, Paused};

/// Shorter replies share nothing with the dataset.
const UNSHARED_BYTES: usize = 16 * 1024;

/// The script must end now, and nothing it does can prevent that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop;

/// What the host says when it is asked whether a script may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Continue,
    /// It must end.
    Stop,
}

/// What a script reaches of the world around it. What has a default does nothing where there is no
/// server.
pub trait Host {
    /// `redis.call`: executes a command and writes its reply, which may be an error.
    ///
    /// # Errors
    /// If the script must end.
    fn call(&mut self, args: Args<'_>, reply: &mut Reply) -> Result<(), Stop>;

    /// Called every [`STEPS`](crate::STEPS) instructions.
    fn tick(&mut self) -> Verdict;

    /// `os.clock`: seconds on a clock that only goes forward; 0 where there is none.
    fn seconds(&mut self) -> f64 {
        0.0
    }

    /// `redis.log`: a line for the server's log, its level from 0 (debug) to 3 (warning).
    fn log(&mut self, _level: u8, _line: &[u8]) {}

    /// `redis.set_repl`: whether what follows goes to the append-only file (bit 0) and to replicas
    /// (bit 1).
    fn set_propagation(&mut self, _targets: u8) {}

    /// `redis.acl_check_cmd`: whether the user may execute this.
    ///
    /// # Errors
    /// What the script is told if it is no command.
    fn is_allowed(&mut self, _args: Args<'_>) -> Result<bool, &'static str> {
        Err("Invalid command passed to redis.acl_check_cmd()")
    }

    /// Who debugs the script, if somebody does.
    fn debugger(&mut self) -> Option<&mut dyn Debugger> {
        None
    }

    /// A machine whose lines are watched
    /// ([`Machine::watch_lines`](crate::Machine::watch_lines)) is between two of them.
    fn pause(&mut self, _why: Pause, _script: &mut Paused<'_>) -> Verdict {
        Verdict::Continue
    }
}

/// An error that a library raises with a code, as commands do: scripts see a table with the text in
/// `err`. The text of any other error gets the place in the script instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodedError(pub String);

/// Tells a coded error from others in the text that Lua is given.
pub(crate) const CODED: u8 = 1;

impl std::fmt::Display for CodedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", char::from(CODED), self.0)
    }
}

impl std::error::Error for CodedError {}

/// An error that a library raises with the place in its text, or with none on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedError(pub String);

/// Tells a placed error from others in the text that Lua is given.
pub(crate) const PLACED: u8 = 2;

impl std::fmt::Display for PlacedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", char::from(PLACED), self.0)
    }
}

impl std::error::Error for PlacedError {}

/// What the functions of one machine share. They find it by its address.
pub(crate) struct Shared {
    /// The host of the script that runs now; its lifetime is that of the run.
    host: Cell<Option<NonNull<dyn Host>>>,
    /// The arguments of the command that is being called.
    pub(crate) args: UnsafeCell<ArgsBuffer>,
    /// Its reply.
    pub(crate) reply: UnsafeCell<Reply>,
    /// The reply as one string of bytes, where it is in several pieces.
    pub(crate) bytes: UnsafeCell<Vec<u8>>,
    /// The protocol whose values the script sees.
    pub(crate) version: Cell<Version>,
    /// The protocol of the client that it answers.
    pub(crate) client_version: Cell<Version>,
    /// The state in which the script was entered, and how deep.
    pub(crate) entered: Cell<(*mut lua_State, usize)>,
    /// The script's value is the reply above, as it is.
    pub(crate) hands_on: Cell<bool>,
    /// The script must end.
    pub(crate) stopping: Cell<bool>,
    /// What a panic of the host carries, to go on where the script was entered.
    pub(crate) panic: Cell<Option<Box<dyn std::any::Any + Send>>>,
    /// What the interpreter may take in bytes; no limit if zero.
    pub(crate) memory_limit: Cell<usize>,
    /// In the registry: the table where `KEYS` and `ARGV` are set.
    pub(crate) globals: Cell<c_int>,
    /// The tables that they are now, by address; null if there is none yet.
    pub(crate) inputs: [Cell<*const u8>; 2],
    /// The hash part of tables that have none.
    pub(crate) no_hash: Cell<*const u8>,
    /// In the registry: the function that answers a debugger's questions.
    pub(crate) guard: Cell<c_int>,
    /// State of the generator behind `math.random`, 48 bits.
    pub(crate) random: Cell<u64>,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            host: Cell::new(None),
            args: UnsafeCell::default(),
            reply: UnsafeCell::default(),
            bytes: UnsafeCell::default(),
            version: Cell::new(Version::Resp2),
            client_version: Cell::new(Version::Resp2),
            entered: Cell::new((std::ptr::null_mut(), 0)),
            hands_on: Cell::new(false),
            stopping: Cell::new(false),
            panic: Cell::new(None),
            memory_limit: Cell::new(0),
            globals: Cell::new(0),
            inputs: [const { Cell::new(std::ptr::null()) }; 2],
            no_hash: Cell::new(std::ptr::null()),
            guard: Cell::new(0),
            random: Cell::new(0),
        }
    }

    /// Takes the host for one call; `None` if no script runs, or if the host is being called just
    /// now. To be given back.
    pub(crate) fn take_host(&self) -> Option<NonNull<dyn Host>> {
        self.host.take()
    }

    pub(crate) fn give_back(&self, host: NonNull<dyn Host>) {
        self.host.set(Some(host));
    }

    /// Runs `work` on the host of the script that runs now; `None` if none does.
    pub(crate) fn with_host<R>(&self, work: impl FnOnce(&mut dyn Host) -> R) -> Option<R> {
        let mut host = self.take_host()?;
        let restore = Restore { shared: self, host };
        // SAFETY: `Lent` keeps the pointer valid, and it was taken, so that nobody else has it.
        let result = work(unsafe { host.as_mut() });
        drop(restore);
        Some(result)
    }

    /// Behind a run: gives back what only a large command needed, and lets go of the values that
    /// its reply shares with the dataset, which whoever changes them would have to copy.
    pub(crate) fn trim(&self) {
        // SAFETY: the buffers are used while a command is called, and none is.
        let (args, reply, bytes) =
            unsafe { (&mut *self.args.get(), &mut *self.reply.get(), &mut *self.bytes.get()) };
        if args.memory_size() > KEPT_BYTES {
            args.clear(KEPT_BYTES);
        }
        if bytes.capacity() > KEPT_BYTES {
            *bytes = Vec::new();
        }
        if reply.len() >= UNSHARED_BYTES {
            reply.clear();
        }
    }

    /// Runs `work` on who debugs the script that runs now, if somebody does.
    pub(crate) fn with_debugger<R>(&self, work: impl FnOnce(&mut dyn Debugger) -> R) -> Option<R> {
        self.with_host(|host| host.debugger().map(work)).flatten()
    }
}

/// Lends a host for as long as this value lives.
pub(crate) struct Lent<'h> {
    shared: &'h Shared,
    before: Option<NonNull<dyn Host>>,
}

impl<'h> Lent<'h> {
    pub(crate) fn new(shared: &'h Shared, host: &'h mut (dyn Host + '_)) -> Self {
        let host: NonNull<dyn Host + '_> = NonNull::from(host);
        // SAFETY: only the lifetime is erased, and the pointer is taken back when this value is
        // dropped, before that lifetime ends.
        let host: NonNull<dyn Host + 'static> = unsafe { std::mem::transmute(host) };
        Self { shared, before: shared.host.replace(Some(host)) }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.shared.host.set(self.before);
    }
}

/// The machine's side of a script, for functions of libraries that need the host too.
#[derive(Clone)]
pub struct Access(pub(crate) Rc<Shared>);

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Access")
    }
}

impl Access {
    /// Runs `work` on the host of the script that runs now; `None` if none does.
    pub fn host<R>(&self, work: impl FnOnce(&mut dyn Host) -> R) -> Option<R> {
        self.0.with_host(work)
    }

    /// The protocol whose values the script sees.
    #[must_use]
    pub fn version(&self) -> Version {
        self.0.version.get()
    }

    /// `redis.setresp`: changes it until the script ends.
    pub fn set_version(&self, version: Version) {
        self.0.version.set(version);
    }

    /// Seeds `math.random`.
    pub fn seed(&self, seed: u64) {
        self.0.random.set(crate::base::seeded(seed));
    }
}

/// Gives the host back, also when a panic passes.
struct Restore<'s> {
    shared: &'s Shared,
    host: NonNull<dyn Host>,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        self.shared.give_back(self.host);
    }
}
