//! What the engine asks of the program around it: waking threads, the log, files, the process.
//!
//! The server implements it with the operating system, tests with a recorder. Nothing here is on
//! the path of an ordinary command.

use std::sync::Arc;
use std::time::Duration;

use config::Change;

use crate::push::Push;

/// Severity of a log line, in Redis's four levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// `.`
    Debug,
    /// `-`
    Verbose,
    /// `*`
    Notice,
    /// `#`
    Warning,
}

impl LogLevel {
    /// The level of a script's `redis.log`, by its number there.
    pub(crate) const fn of_script(level: u8) -> Self {
        match level {
            0 => Self::Debug,
            1 => Self::Verbose,
            2 => Self::Notice,
            _ => Self::Warning,
        }
    }
}

/// What one thread tells the event loop that owns a connection.
#[derive(Debug)]
pub enum Message {
    /// Close the connection, after what is already in its output if `flush`.
    Kill {
        /// The client's id.
        client: u64,
        /// Whether replies already written are sent first.
        flush: bool,
    },
    /// Hand a message to those of these clients that it is still for
    /// ([`Session::receive`](crate::Session::receive)).
    Push {
        /// The clients' ids.
        clients: Arc<Vec<u64>>,
        /// The message.
        push: Push,
    },
    /// The reason why the session waits is over: append the reply, if any, and go on executing.
    Resume {
        /// The client's id.
        client: u64,
        /// The reply of the command that waited; none if the client wants none, or if the command
        /// is to be executed again.
        reply: Option<Vec<u8>>,
    },
    /// The log has got further: replies that waited for it may be free to leave.
    LogAdvanced,
    /// The scripts that the thread has compiled are forgotten: give their interpreter back
    /// ([`Engine::drop_old_interpreter`](crate::Engine::drop_old_interpreter)).
    ScriptsForgotten,
    /// The time at which the session's wait is to be looked after has changed: ask for it again.
    Rearm {
        /// The client's id.
        client: u64,
    },
}

/// What `SHUTDOWN` asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShutdownRequest {
    /// `SAVE`: write a snapshot even without save points.
    pub save: bool,
    /// `NOSAVE`: write none.
    pub no_save: bool,
    /// `NOW`: do not wait for replicas.
    pub now: bool,
    /// `FORCE`: ignore errors.
    pub force: bool,
}

/// What the allocator and the kernel say about memory, all in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// Allocated by the program and not freed.
    pub allocated: u64,
    /// In pages that hold allocations.
    pub active: u64,
    /// Mapped and resident, as the allocator sees it.
    pub resident: u64,
    /// Kept by the allocator for later.
    pub retained: u64,
    /// Freed but not yet returned: muzzy pages.
    pub muzzy: u64,
    /// The allocator's own.
    pub metadata: u64,
    /// Resident set size of the process.
    pub rss: u64,
    /// Memory of the machine.
    pub system_total: u64,
}

/// Processor time in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuUse {
    /// System time of the process.
    pub system_us: u64,
    /// User time of the process.
    pub user_us: u64,
    /// System time of waited-for children.
    pub children_system_us: u64,
    /// User time of waited-for children.
    pub children_user_us: u64,
    /// System time of the calling thread.
    pub thread_system_us: u64,
    /// User time of the calling thread.
    pub thread_user_us: u64,
}

/// What does not change while the process lives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Process id.
    pub pid: u32,
    /// `uname`: system, release and machine, separated by spaces.
    pub os: String,
    /// Absolute path of the executable.
    pub executable: String,
    /// Absolute path of the configuration file, empty if none.
    pub config_file: String,
    /// `systemd`, `upstart`, or `no`.
    pub supervised: String,
    /// Version of the compiler, as `INFO` prints it in `gcc_version`.
    pub compiler: String,
    /// Allocator name and version, for example `jemalloc-5.3.0`.
    pub allocator: String,
    /// The event notification in use, `epoll`.
    pub multiplexing: &'static str,
}

/// How `DEBUG` wants the process to die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Access memory that is not there.
    Segfault,
    /// Panic.
    Panic,
    /// Fail an assertion.
    Assert,
    /// Run out of memory.
    OutOfMemory,
    /// Start again, as if the process had been replaced; graceful if the flag is set.
    Restart {
        /// Save and close first.
        graceful: bool,
    },
}

/// The program around the engine.
pub trait Platform: Send + Sync {
    /// Delivers a message to event loop `thread` and wakes it.
    fn send(&self, thread: usize, message: Message);

    /// Writes a log line.
    fn log(&self, level: LogLevel, text: &str);

    /// Ends the process in an orderly way. Everything is saved that is to be saved.
    ///
    /// # Errors
    /// Why the server cannot shut down now.
    fn shutdown(&self, request: ShutdownRequest) -> Result<(), String>;

    /// Applies a parameter that concerns the operating system (listeners, log file, directory...).
    ///
    /// # Errors
    /// Why it cannot be done; the parameter is then set back, and those applied before it are
    /// applied again with their old values.
    fn apply_config(&self, change: &Change) -> Result<(), String>;

    /// The text of the configuration file, if the server was started with one.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read_config_file(&self) -> Result<Option<String>, String>;

    /// Replaces the configuration file atomically.
    ///
    /// # Errors
    /// Why it cannot be written.
    fn write_config_file(&self, text: &str) -> Result<(), String>;

    /// Memory figures; costs tens of microseconds.
    fn memory(&self) -> MemoryUse;

    /// Bytes allocated by the program and not freed, cheap enough to ask before every command.
    fn used_memory(&self) -> u64 {
        self.memory().allocated
    }

    /// As [`Platform::used_memory`], with all that other threads have done by now: at a higher
    /// price.
    fn used_memory_now(&self) -> u64 {
        self.used_memory()
    }

    /// Has the background call [`Engine::evict_in_background`] until there is nothing more to do.
    ///
    /// [`Engine::evict_in_background`]: crate::Engine::evict_in_background
    fn wake_evictor(&self) {}

    /// The allocator's own report, in its own format.
    fn allocator_report(&self) -> String;

    /// Returns free pages to the system.
    fn purge_memory(&self);

    /// Processor time.
    fn cpu(&self) -> CpuUse;

    /// The process.
    fn process(&self) -> ProcessInfo;

    /// Runs a task on the background thread that frees memory.
    fn background(&self, task: Box<dyn FnOnce() + Send>);

    /// Tasks given to [`Platform::background`] that have not ended.
    fn background_pending(&self) -> usize;

    /// Runs a long task, a snapshot say, on a thread of its own, named for debuggers.
    ///
    /// # Errors
    /// Why there is no thread for it; the task is dropped.
    fn spawn(&self, name: &str, task: Box<dyn FnOnce() + Send>) -> Result<(), String>;

    /// Runs `work` on the calling thread and on as many others as there are processors for, and
    /// returns when all are done.
    fn in_parallel(&self, work: &(dyn Fn() + Sync)) {
        work();
    }

    /// Has the thread that writes the log call [`Engine::write_log`](crate::Engine::write_log).
    /// Called under the locks of commands: it must be quick.
    fn wake_log_writer(&self);

    /// A script takes long ([`Engine::is_busy`](crate::Engine::is_busy)): has the clients of event
    /// loops that are held up heard until it is over.
    fn stand_in(&self) {}

    /// Suspends the calling thread, for `DEBUG SLEEP`.
    fn sleep(&self, duration: Duration);

    /// Ends the process at once with status 1: the log has said why it must not go on.
    fn abort(&self);

    /// Dies on purpose. Returns only if that is not possible here.
    fn crash(&self, how: Crash);
}
