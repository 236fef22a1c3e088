//! From the command line to a server that serves.
//!
//! The order matters and follows what operators and tools expect of the log: complain about the
//! configuration before anything else, then become a daemon, then take resources (descriptors,
//! sockets, pid file), then start threads, and only then say that connections are accepted.

mod banner;
mod configuration;
mod signals;
mod system_check;
mod users;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use config::{Config, Invocation};
use engine::engine::{FERRITE_VERSION, REDIS_VERSION};
use engine::{Engine, Parts};
use persistence::{Mark, Storage};
use stdx::error::reason;
use store::Consumers;

use crate::background::{self, LazyFree};
use crate::host::{self, Host};
use crate::logging::{self, Role};
use crate::net::floor::{LISTENERS, Seat};
use crate::net::{EventLoop, Inbox, Listeners, SocketAccess, stand_in};
use crate::os::clock::SystemClock;
use crate::os::disk::Disk;
use crate::os::limits::{self, OpenFiles};
use crate::os::pid_file::PidFile;
use crate::os::supervisor::Supervisor;
use crate::os::{daemon, seed};
use crate::server::Shared;
use crate::title::ProcessTitle;
use crate::{crash, log_notice, log_warning, log_writer};
use configuration::Configured;

/// Where a daemon without `pidfile` writes its process id.
const DEFAULT_PID_FILE: &str = "/var/run/ferrite.pid";

/// How the program was called.
#[derive(Debug)]
pub struct Call<'a> {
    /// The arguments that follow the name of the program.
    pub options: &'a [Vec<u8>],
    /// All arguments, to start the program again.
    pub arguments: &'a [OsString],
    /// The process title.
    pub title: ProcessTitle,
}

/// Why the server does not start. What there was to say is in the log or on standard error.
#[derive(Debug)]
struct Refused;

/// Does what the command line asks for.
pub fn main(call: Call<'_>) -> ExitCode {
    match Invocation::parse(call.options) {
        Invocation::Version => {
            println!("{}", banner::version());
            ExitCode::SUCCESS
        }
        Invocation::Help => {
            print!("{}", banner::USAGE);
            ExitCode::SUCCESS
        }
        Invocation::TestMemory(_) => {
            eprintln!("Ferrite does not test memory; memtest86 and memtester do.");
            ExitCode::FAILURE
        }
        Invocation::CheckSystem => system_check::run(),
        Invocation::Serve(line) => match serve(&line, call) {
            Ok(never) => match never {},
            Err(Refused) => ExitCode::FAILURE,
        },
    }
}

fn serve(line: &config::CommandLine, call: Call<'_>) -> Result<std::convert::Infallible, Refused> {
    let _counted = sys::alloc::register_thread();
    let configured = configuration::load(line)?;
    let config = &configured.config;
    let (supervisor, complaint) = Supervisor::detect(config.get(config::rows::SUPERVISED));
    if let Some(complaint) = complaint {
        log_warning!("{complaint}");
    }
    let is_background = config.get(config::rows::DAEMONIZE) && !supervisor.is_some();
    if is_background {
        become_daemon(call.arguments, &configured)?;
    }
    crash::install();
    sys::crash::set_enabled(config.get(config::rows::CRASH_LOG_ENABLED));
    let _signal_stack = sys::crash::SignalStack::install();
    banner::starting(&configured);
    let signals = signals::Signals::new().map_err(|error| fatal("signal handlers", &error))?;
    let (shared, seats) = build(&configured, call, supervisor)?;
    logging::set_role(Role::Primary);
    write_pid_file(&shared.host, config, is_background);
    shared.host.show_title();
    banner::logo(config);
    open_listeners(&shared, config)?;
    let _mark = mark_directory();
    if !shared.engine.has_dataset() {
        start_threads(&shared, seats)?;
        log_notice!("Server initialized");
        announce(&shared);
        return signals.serve(&shared);
    }
    // Clients are answered while the dataset is loaded, with an error if they want some of it.
    shared.engine.begin_loading();
    start_threads(&shared, seats)?;
    log_notice!("Server initialized");
    let loader = Arc::clone(&shared);
    background::spawn("ferrite-load", move || load(&loader))
        .map_err(|error| fatal("threads", &error))?;
    signals.serve(&shared)
}

/// Marks the working directory as in use, and says so if it is. Servers that share one are common
/// and do no harm if their files have other names, so that is all.
fn mark_directory() -> Option<Box<dyn Mark>> {
    let mark = Disk.mark_directory("");
    if matches!(mark, Ok(None)) {
        log_warning!(
            "WARNING Another server was started in this directory. Unless dbfilename differs, \
             each of them replaces what the other one has saved."
        );
    }
    mark.ok().flatten()
}

/// Loads the dataset, then serves it. What cannot be loaded whole is not served.
fn load(shared: &Shared) {
    if shared.engine.load_at_start().is_err() {
        log_warning!("Fatal error loading the DB, check server logs. Exiting.");
        std::process::exit(1);
    }
    announce(shared);
}

/// In the process that was started by the user: starts the daemon and ends. In the daemon:
/// detaches it.
fn become_daemon(arguments: &[OsString], configured: &Configured) -> Result<(), Refused> {
    if daemon::is_daemon() {
        daemon::detach();
        return Ok(());
    }
    daemon::start(arguments, configured.stdin.as_deref())
        .map_err(|error| fatal("running in the background", &error))?;
    std::process::exit(0)
}

/// Makes the parts and puts them together, starting nothing but the thread that frees memory.
fn build(
    configured: &Configured,
    call: Call<'_>,
    supervisor: Supervisor,
) -> Result<(Arc<Shared>, Vec<Seat>), Refused> {
    let config = &configured.config;
    limit_clients(config)?;
    if !host::has_locale(config) {
        log_warning!("Failed to configure LOCALE for invalid locale name.");
        return Err(Refused);
    }
    if let Err(error) = host::apply_oom_score(config) {
        log_warning!("Unable to write oom_score_adj: {error}");
    }
    let threads = usize::try_from(config.get(config::rows::IO_THREADS)).unwrap_or(1).max(1);
    let seats: io::Result<Vec<Seat>> = (0..threads).map(|_| Seat::new()).collect();
    let seats = seats.map_err(|error| fatal("event loops", &error))?;
    let inboxes: Vec<Arc<Inbox>> = seats.iter().map(|seat| Arc::clone(seat.inbox())).collect();
    let registry = seats[0].registry().try_clone().map_err(|error| fatal("epoll", &error))?;
    let listeners = Arc::new(Listeners::new(registry, LISTENERS));
    let lazy_free = LazyFree::start().map_err(|error| fatal("threads", &error))?;
    let host = Arc::new(Host::new(host::Parts {
        config: Arc::clone(config),
        inboxes: inboxes.clone(),
        listeners: Arc::clone(&listeners),
        lazy_free,
        title: call.title,
        config_file: configured.file.clone(),
        arguments: call.arguments.to_vec(),
        supervisor,
    }));
    let engine = Engine::new(Parts {
        config: Arc::clone(config),
        registry: configured.registry,
        platform: Arc::clone(&host) as Arc<dyn engine::Platform>,
        storage: Arc::new(Disk),
        clock: Arc::new(SystemClock::new()),
        consumers: Consumers::default(),
        threads,
        seed: seed::fresh(),
        run_id: seed::run_id(),
    })
    .share();
    host.introduce(&engine);
    crash::observe(&engine);
    let desks = seats.iter().map(|_| Default::default()).collect();
    Ok((Arc::new(Shared { engine, host, inboxes, listeners, desks }), seats))
}

/// Makes room for `maxclients` descriptors, or lowers it to what the system grants.
fn limit_clients(config: &Config) -> Result<(), Refused> {
    let wanted_clients = u64::try_from(config.get(config::rows::MAXCLIENTS)).unwrap_or(0);
    match limits::raise_open_files(wanted_clients) {
        OpenFiles::Enough => {}
        OpenFiles::Raised(files) => {
            log_notice!(
                "Increased maximum number of open files to {files} (it was originally set lower)."
            );
        }
        OpenFiles::Only { clients, files, wanted, reason } => {
            log_warning!(
                "You requested maxclients of {wanted_clients} requiring at least {wanted} max \
                 file descriptors."
            );
            log_warning!(
                "Server can't set maximum open files to {wanted} because of OS error: {reason}."
            );
            log_warning!(
                "Current maximum open files is {files}. maxclients has been reduced to {clients} \
                 to compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'."
            );
            config
                .assign(config::rows::MAXCLIENTS, clients.to_string().as_bytes())
                .expect("a positive number below the one wanted is in range");
        }
        OpenFiles::Nothing { files } => {
            log_warning!(
                "Your current 'ulimit -n' of {files} is not enough for the server to start. \
                 Please increase your open file limit to at least {}. Exiting.",
                limits::RESERVED_FILES + 1
            );
            return Err(Refused);
        }
    }
    Ok(())
}

/// Writes the pid file that was asked for, or that a daemon has.
fn write_pid_file(host: &Host, config: &Config, is_background: bool) {
    let named = config.get(config::rows::PIDFILE);
    if named.is_empty() && !is_background {
        return;
    }
    let path = if named.is_empty() { PathBuf::from(DEFAULT_PID_FILE) } else { path_of(&named) };
    match PidFile::write(&path) {
        Ok(file) => host.keep_pid_file(file),
        Err(error) => log_warning!("Failed to write PID file: {}", reason(&error)),
    }
}

fn open_listeners(shared: &Shared, config: &Config) -> Result<(), Refused> {
    let wanted = shared.host.wanted();
    let (port, backlog) = (wanted.port, wanted.backlog);
    if !shared.listeners.listen_tcp(wanted) {
        log_warning!("Failed listening on port {port} (TCP), aborting.");
        return Err(Refused);
    }
    let path = config.get(config::rows::UNIXSOCKET);
    if !path.is_empty() {
        let access = unix_socket_access(config)?;
        if let Err(error) = shared.listeners.listen_unix(&path_of(&path), access, backlog) {
            log_warning!("Failed opening Unix socket: {error}");
            return Err(Refused);
        }
    }
    if shared.listeners.is_empty() {
        log_warning!("Configured to not listen anywhere, exiting.");
        return Err(Refused);
    }
    Ok(())
}

/// Who may use the unix socket.
fn unix_socket_access(config: &Config) -> Result<SocketAccess, Refused> {
    let mode = u32::try_from(config.get(config::rows::UNIXSOCKETPERM)).unwrap_or(0);
    let name = config.get(config::rows::UNIXSOCKETGROUP);
    if name.is_empty() {
        return Ok(SocketAccess { mode, group: None });
    }
    let refuse = |why: &str| {
        let name = String::from_utf8_lossy(&name);
        log_warning!("Failed opening Unix socket: getgrnam error for group '{name}': {why}");
        Refused
    };
    match sys::group::id_of(&name) {
        Ok(Some(id)) => Ok(SocketAccess { mode, group: Some(id) }),
        Ok(None) => Err(refuse("no such group")),
        Err(error) => Err(refuse(&reason(&error))),
    }
}

fn start_threads(shared: &Arc<Shared>, seats: Vec<Seat>) -> Result<(), Refused> {
    background::start(&shared.engine).map_err(|error| fatal("threads", &error))?;
    log_writer::start(&shared.engine, shared.host.log_bell())
        .map_err(|error| fatal("threads", &error))?;
    background::start_evictor(&shared.engine, shared.host.evictor_bell())
        .map_err(|error| fatal("threads", &error))?;
    stand_in::start(shared, shared.host.stand_in_bell())
        .map_err(|error| fatal("threads", &error))?;
    for (index, seat) in seats.into_iter().enumerate() {
        let shared = Arc::clone(shared);
        background::spawn(&format!("ferrite-io-{index}"), move || {
            // Made where it runs: it owns an interpreter, which never leaves its thread.
            if let Err(error) = EventLoop::new(index, seat, shared).run() {
                // Connections of this loop would hang without a word.
                sys::crash::fail(&[&format!("Waiting for events failed: {error}")], true);
            }
        })
        .map_err(|error| fatal("threads", &error))?;
    }
    Ok(())
}

fn announce(shared: &Shared) {
    if shared.listeners.has_tcp() {
        log_notice!("Ready to accept connections tcp");
    }
    if shared.listeners.has_unix() {
        log_notice!("Ready to accept connections unix");
    }
    shared.host.supervisor().ready();
}

/// Logs what could not be had.
fn fatal(what: &str, error: &io::Error) -> Refused {
    log_warning!("Fatal error, can't set up {what}: {}", reason(error));
    Refused
}

/// A path from a parameter.
fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(bytes)).to_owned()
}
