//! The engine's platform: what it may ask of the process and the operating system.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use config::{Change, Config, Parameter, RowId};
use engine::Engine;
use engine::platform::{
    CpuUse, Crash, LogLevel, MemoryUse, Message, Platform, ProcessInfo, ShutdownRequest,
};
use stdx::error::reason;

use crate::background::{self, LazyFree, Task};
use crate::log_writer::Bell;
use crate::logging::{self, Level};
use crate::net::listener::Wanted;
use crate::net::{Inbox, Listeners, Mail};
use crate::os::limits::{OpenFiles, raise_open_files};
use crate::os::pid_file::PidFile;
use crate::os::supervisor::Supervisor;
use crate::os::{oom_score, usage};
use crate::server::announce_parameters;
use crate::shutdown;
use crate::title::ProcessTitle;

/// What a host is made of.
#[derive(Debug)]
pub struct Parts {
    /// Parameters.
    pub config: Arc<Config>,
    /// Where letters for each event loop go.
    pub inboxes: Vec<Arc<Inbox>>,
    /// Where connections arrive.
    pub listeners: Arc<Listeners>,
    /// The thread that frees memory.
    pub lazy_free: LazyFree,
    /// The title to keep up to date.
    pub title: ProcessTitle,
    /// Absolute path of the configuration file, if there is one.
    pub config_file: Option<PathBuf>,
    /// The arguments of the process, the first its name.
    pub arguments: Vec<std::ffi::OsString>,
    /// Who to tell about readiness and the end.
    pub supervisor: Supervisor,
}

/// The process around the engine.
#[derive(Debug)]
pub struct Host {
    parts: Parts,
    pid_file: OnceLock<PidFile>,
    engine: OnceLock<Weak<Engine>>,
    log_bell: Arc<Bell>,
    stand_in_bell: Arc<Bell>,
    evictor_bell: Arc<Bell>,
}

impl Host {
    /// The process as far as it is set up.
    pub fn new(parts: Parts) -> Self {
        Self {
            parts,
            pid_file: OnceLock::new(),
            engine: OnceLock::new(),
            log_bell: Arc::default(),
            evictor_bell: Arc::default(),
            stand_in_bell: Arc::default(),
        }
    }

    /// Where to listen by the parameters of now.
    pub fn wanted(&self) -> Wanted {
        wanted(&self.parts.config)
    }

    /// Shows the process title that the parameters ask for.
    pub fn show_title(&self) {
        self.parts.title.show(&self.parts.config, &self.config_file_text());
    }

    /// Gets to know the engine that was made with this platform.
    pub fn introduce(&self, engine: &Arc<Engine>) {
        // There is one, and it is made once.
        let _ = self.engine.set(Arc::downgrade(engine));
    }

    /// The engine, while there is one.
    pub fn engine(&self) -> Option<Arc<Engine>> {
        self.engine.get()?.upgrade()
    }

    /// What wakes the thread that writes the log.
    pub fn log_bell(&self) -> &Arc<Bell> {
        &self.log_bell
    }

    /// What wakes the thread that stands in for held-up event loops.
    pub fn stand_in_bell(&self) -> &Arc<Bell> {
        &self.stand_in_bell
    }

    /// What wakes the thread that evicts keys.
    pub fn evictor_bell(&self) -> &Arc<Bell> {
        &self.evictor_bell
    }

    /// Remembers the pid file, to delete it at the end.
    pub fn keep_pid_file(&self, file: PidFile) {
        // It is written once, when the server starts.
        let _ = self.pid_file.set(file);
    }

    /// The pid file, if one was written.
    pub fn pid_file(&self) -> Option<&PidFile> {
        self.pid_file.get()
    }

    /// Who supervises the server.
    pub fn supervisor(&self) -> Supervisor {
        self.parts.supervisor
    }

    /// Whether the server listens at a unix socket.
    pub fn has_unix_socket(&self) -> bool {
        self.parts.listeners.has_unix()
    }

    /// Closes the listening sockets and removes the file of the unix socket.
    pub fn close_listeners(&self) {
        self.parts.listeners.close();
    }

    fn config_file_text(&self) -> String {
        let path = self.parts.config_file.as_deref();
        path.map_or_else(String::new, |path| path.display().to_string())
    }

    /// Starts the program again in place of this process.
    fn restart(&self) {
        use std::os::unix::process::CommandExt;
        let mut command = std::process::Command::new(crate::os::daemon::program());
        if let Some((name, options)) = self.parts.arguments.split_first() {
            command.arg0(name).args(options);
        }
        let error = command.exec();
        crate::log_warning!("Restarting failed: {error}");
    }
}

/// Where to listen by the parameters.
pub fn wanted(config: &Config) -> Wanted {
    Wanted {
        addresses: config.get(config::rows::BIND),
        port: u16::try_from(config.get(config::rows::PORT)).unwrap_or(0),
        backlog: i32::try_from(config.get(config::rows::TCP_BACKLOG)).unwrap_or(i32::MAX),
    }
}

/// Applies `oom-score-adj` for a primary.
///
/// # Errors
/// When the kernel does not allow it.
pub fn apply_oom_score(config: &Config) -> std::io::Result<()> {
    let [primary, ..] = config.get(config::rows::OOM_SCORE_ADJ_VALUES);
    oom_score::apply(config.get(config::rows::OOM_SCORE_ADJ), primary)
}

/// Whether the system has the locale of `locale-collate`. Nothing is ordered by it, so that an
/// environment with a locale that is not installed does no harm.
pub fn has_locale(config: &Config) -> bool {
    let name = config.get(config::rows::LOCALE_COLLATE);
    name.is_empty() || sys::locale::can_collate(&name)
}

impl Platform for Host {
    fn send(&self, thread: usize, message: Message) {
        if let Some(inbox) = self.parts.inboxes.get(thread) {
            inbox.send(Mail::Engine(message));
        }
    }

    fn log(&self, level: LogLevel, text: &str) {
        let level = match level {
            LogLevel::Debug => Level::Debug,
            LogLevel::Verbose => Level::Verbose,
            LogLevel::Notice => Level::Notice,
            LogLevel::Warning => Level::Warning,
        };
        logging::write(level, text);
    }

    fn shutdown(&self, _request: ShutdownRequest) -> Result<(), String> {
        shutdown::run(self)
    }

    fn apply_config(&self, change: &Change) -> Result<(), String> {
        let config = &*self.parts.config;
        let is = |id: RowId| change.id == id;
        if is(config::rows::PORT.id()) {
            if !self.parts.listeners.listen_tcp(self.wanted()) {
                return Err("Unable to listen on this port. Check server logs.".to_owned());
            }
            self.show_title();
        } else if is(config::rows::BIND.id()) {
            if !self.parts.listeners.listen_tcp(self.wanted()) {
                return Err("Failed to bind to specified addresses.".to_owned());
            }
            self.show_title();
        } else if is(config::rows::LOGLEVEL.id()) {
            logging::set_level(config.get(config::rows::LOGLEVEL));
        } else if is(config::rows::MAXCLIENTS.id()) {
            can_serve(config)?;
        } else if is(config::rows::TIMEOUT.id())
            || is(config::rows::CLIENT_OUTPUT_BUFFER_LIMIT.id())
        {
            announce_parameters(&self.parts.inboxes);
        } else if is(config::rows::DIR.id()) {
            change_directory(config)?;
        } else if is(config::rows::OOM_SCORE_ADJ.id())
            || is(config::rows::OOM_SCORE_ADJ_VALUES.id())
        {
            apply_oom_score(config).map_err(|error| {
                crate::log_warning!("Unable to write oom_score_adj: {error}");
                "Failed to set current oom_score_adj. Check server logs.".to_owned()
            })?;
        } else if is(config::rows::LOCALE_COLLATE.id()) {
            if !has_locale(config) {
                return Err("Invalid locale name".to_owned());
            }
        } else if is(config::rows::PROC_TITLE_TEMPLATE.id()) {
            self.show_title();
        } else if is(config::rows::JEMALLOC_BG_THREAD.id()) {
            let on = config.get(config::rows::JEMALLOC_BG_THREAD);
            sys::alloc::set_background_thread(on).map_err(|error| error.to_string())?;
        } else if is(config::rows::CRASH_LOG_ENABLED.id()) {
            sys::crash::set_enabled(config.get(config::rows::CRASH_LOG_ENABLED));
        }
        Ok(())
    }

    fn read_config_file(&self) -> Result<Option<String>, String> {
        let Some(path) = &self.parts.config_file else { return Ok(None) };
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(text)),
            // The file was deleted: it is written anew.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Some(String::new())),
            Err(error) => Err(error.to_string()),
        }
    }

    fn write_config_file(&self, text: &str) -> Result<(), String> {
        let Some(path) = &self.parts.config_file else {
            return Err("The server is running without a config file".to_owned());
        };
        crate::os::files::replace(path, text.as_bytes()).map_err(|error| error.to_string())
    }

    fn memory(&self) -> MemoryUse {
        usage::memory()
    }

    fn used_memory(&self) -> u64 {
        sys::alloc::used_nearly()
    }

    fn used_memory_now(&self) -> u64 {
        sys::alloc::used_now()
    }

    fn wake_evictor(&self) {
        self.evictor_bell.ring();
    }

    fn allocator_report(&self) -> String {
        sys::alloc::report()
    }

    fn purge_memory(&self) {
        // The names involved exist in every build of the allocator.
        let purged = sys::alloc::purge();
        debug_assert_eq!(purged, Ok(()));
    }

    fn cpu(&self) -> CpuUse {
        usage::cpu()
    }

    fn process(&self) -> ProcessInfo {
        let name = rustix::system::uname();
        let part = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
        let executable = std::env::current_exe().unwrap_or_default();
        ProcessInfo {
            pid: std::process::id(),
            os: [part(name.sysname()), part(name.release()), part(name.machine())].join(" "),
            executable: executable.display().to_string(),
            config_file: self.config_file_text(),
            supervised: self.parts.supervisor.name().to_owned(),
            compiler: "0.0.0".to_owned(),
            allocator: sys::alloc::name(),
            multiplexing: "epoll",
        }
    }

    fn background(&self, task: Task) {
        self.parts.lazy_free.send(task);
    }

    fn background_pending(&self) -> usize {
        self.parts.lazy_free.pending()
    }

    fn spawn(&self, name: &str, task: Task) -> Result<(), String> {
        background::spawn(name, task).map_err(|error| reason(&error))
    }

    fn wake_log_writer(&self) {
        self.log_bell.ring();
    }

    fn stand_in(&self) {
        self.stand_in_bell.ring();
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn in_parallel(&self, work: &(dyn Fn() + Sync)) {
        background::in_parallel(work);
    }

    fn abort(&self) {
        std::process::exit(1);
    }

    fn crash(&self, how: Crash) {
        let fail = |headline: &[&str]| {
            sys::crash::fail(headline, self.parts.config.get(config::rows::USE_EXIT_ON_PANIC))
        };
        match how {
            Crash::Segfault => sys::crash::segfault(),
            Crash::OutOfMemory => fail(&["Out Of Memory allocating on request"]),
            Crash::Assert => {
                fail(&["=== ASSERTION FAILED ===", "==> DEBUG ASSERT '1 == 2' is not true"])
            }
            Crash::Panic => fail(&[
                "------------------------------------------------",
                "!!! Software Failure. Press left mouse button to continue",
                "Guru Meditation: called by DEBUG PANIC",
                "------------------------------------------------",
            ]),
            Crash::Restart { graceful } => {
                if graceful {
                    crate::log_warning!("DEBUG RESTART: restarting after an orderly end");
                }
                self.close_listeners();
                self.restart();
            }
        }
    }
}

fn change_directory(config: &Config) -> Result<(), String> {
    use std::os::unix::ffi::OsStrExt;
    let directory = config.get(config::rows::DIR);
    std::env::set_current_dir(std::ffi::OsStr::from_bytes(&directory))
        .map_err(|error| reason(&error))
}

/// Refuses a `maxclients` that the system has no descriptors for.
fn can_serve(config: &Config) -> Result<(), String> {
    let wanted = u64::try_from(config.get(config::rows::MAXCLIENTS)).unwrap_or(0);
    let clients = match raise_open_files(wanted) {
        OpenFiles::Enough | OpenFiles::Raised(_) => return Ok(()),
        OpenFiles::Only { clients, .. } => clients,
        OpenFiles::Nothing { .. } => 0,
    };
    Err(format!(
        "The operating system is not able to handle the specified number of clients, try with \
         {clients}"
    ))
}
