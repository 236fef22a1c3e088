//! The end of the process, in order.

use std::sync::atomic::{AtomicBool, Ordering};

use config::{Config, ShutdownFlags};
use engine::platform::ShutdownRequest;

use crate::host::Host;
use crate::{log_notice, log_warning};

/// Set by the first thread that ends the process; the others leave it to that one.
static ENDING: AtomicBool = AtomicBool::new(false);

/// What `shutdown-on-sigterm` or `shutdown-on-sigint` asks for.
pub fn request_of(flags: ShutdownFlags) -> ShutdownRequest {
    ShutdownRequest {
        save: flags.save(),
        no_save: flags.nosave(),
        now: flags.now(),
        force: flags.force(),
    }
}

/// The parameter that says how to react to a signal.
pub fn on_signal(config: &Config, is_interrupt: bool) -> ShutdownRequest {
    let parameter = if is_interrupt {
        config::rows::SHUTDOWN_ON_SIGINT
    } else {
        config::rows::SHUTDOWN_ON_SIGTERM
    };
    request_of(config.get(parameter))
}

/// Closes what others could stumble over and ends the process with status 0.
pub fn run(host: &Host) -> ! {
    if ENDING.swap(true, Ordering::AcqRel) {
        // Another thread is at it and will end this one too.
        loop {
            std::thread::park();
        }
    }
    host.supervisor().stopping();
    if let Some(engine) = host.engine()
        && let Err(reason) = engine.finish_log()
    {
        log_warning!("Writing the AOF at the end failed: {reason}");
    }
    if let Some(pid_file) = host.pid_file() {
        log_notice!("Removing the pid file.");
        pid_file.remove();
    }
    if host.has_unix_socket() {
        log_notice!("Removing the unix socket file.");
    }
    host.close_listeners();
    log_warning!("Ferrite is now ready to exit, bye bye...");
    std::process::exit(0)
}
