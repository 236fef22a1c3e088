//! What the program says about itself.

use config::Config;

use super::configuration::Configured;
use super::{FERRITE_VERSION, REDIS_VERSION};
use crate::logging::{self, Syslog};
use crate::{log_notice, log_warning};

/// The text of `--help`.
pub(super) const USAGE: &str = "\
Usage: ferrite [server] [/path/to/ferrite.conf] [options] [-]
       ferrite [server] - (read the configuration from standard input)
       ferrite [server] -v or --version
       ferrite [server] -h or --help
       ferrite [server] --test-memory <megabytes>
       ferrite [server] --check-system

Every directive of the configuration file is an option as well:
       ferrite --port 7777
       ferrite --port 7777 --maxmemory 1gb --maxmemory-policy allkeys-lru
       ferrite /etc/ferrite.conf --loglevel verbose
       echo 'maxmemory 128mb' | ferrite -
       ferrite /etc/ferrite.conf --loglevel verbose -

Called as redis-server or valkey-server it takes the same options.
";

/// The line of `--version`, in the form that tools take apart: `v=` is the version of Redis whose
/// commands and formats this server has.
pub(super) fn version() -> String {
    format!(
        "Ferrite server v={REDIS_VERSION} ferrite={FERRITE_VERSION} sha=00000000:0 malloc={} \
         bits={} build={:x}",
        sys::alloc::name(),
        usize::BITS,
        stdx::crc::crc64(0, FERRITE_VERSION.as_bytes()),
    )
}

/// The first lines of the log.
pub(super) fn starting(configured: &Configured) {
    let pid = std::process::id();
    log_notice!("oO0OoO0OoO0Oo Ferrite is starting oO0OoO0OoO0Oo");
    log_notice!(
        "Ferrite version={FERRITE_VERSION}, compatible with Redis version={REDIS_VERSION}, \
         bits={}, pid={pid}, just started",
        usize::BITS
    );
    if configured.is_default {
        log_warning!(
            "Warning: no config file specified, using the default config. In order to specify a \
             config file use ferrite /path/to/ferrite.conf"
        );
    } else {
        log_notice!("Configuration loaded");
        complain(&configured.config);
    }
}

/// What the configuration asks for in vain.
fn complain(config: &Config) {
    let ignored = config.ignored();
    if !ignored.is_empty() {
        log_warning!("WARNING This version has no use for: {}", ignored.join(", "));
    }
}

/// A picture with port and process id, where somebody is there to see it; one line otherwise.
pub(super) fn logo(config: &Config) {
    let port = match config.get(config::rows::PORT) {
        0 => config.get(config::rows::TLS_PORT),
        port => port,
    };
    let is_watched = config.get(config::rows::LOGFILE).is_empty()
        && !config.get(config::rows::SYSLOG_ENABLED)
        && rustix::termios::isatty(rustix::stdio::stdout());
    if !is_watched && !config.get(config::rows::ALWAYS_SHOW_LOGO) {
        log_notice!("Running mode=standalone, port={port}.");
        return;
    }
    let pid = std::process::id();
    let bits = usize::BITS;
    let picture = format!(
        r"
          ________
        /   Fe    /\        Ferrite {FERRITE_VERSION} {bits} bit
       /_________/  \
      |         |   |       Running in standalone mode
      |   26    |   |       Port: {port}
      |         |   /       PID: {pid}
      |_________|  /
       \_________\/         Speaks Redis {REDIS_VERSION}

"
    );
    logging::raw(picture.as_bytes());
}

/// Sends the log where the parameters say.
pub(super) fn open_syslog(config: &Config) {
    if config.get(config::rows::SYSLOG_ENABLED) {
        let ident = String::from_utf8_lossy(&config.get(config::rows::SYSLOG_IDENT)).into_owned();
        let facility = config.get(config::rows::SYSLOG_FACILITY);
        logging::set_syslog(Some(Syslog::new(ident, facility)));
    }
}
