//! Collecting the configuration: file, standard input, command line, included files.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use config::{CommandLine, Config, Environment, LoadError, Loaded};
use engine::registry::Registry;
use stdx::error::reason;

use super::{REDIS_VERSION, Refused, banner, path_of, users};
use crate::logging;
use crate::os::files;
use crate::{log_warning, os};

/// A configuration that is in force.
#[derive(Debug)]
pub(super) struct Configured {
    /// The values.
    pub(super) config: Arc<Config>,
    /// Absolute path of the configuration file.
    pub(super) file: Option<PathBuf>,
    /// What standard input held, if it was asked for.
    pub(super) stdin: Option<Vec<u8>>,
    /// Whether there was neither a file nor anything else.
    pub(super) is_default: bool,
    /// The commands, called what `rename-command` says.
    pub(super) registry: &'static Registry,
}

/// Reads everything, and applies what concerns the log and the working directory.
pub(super) fn load(line: &CommandLine) -> Result<Configured, Refused> {
    let file = line.file.as_deref().map(absolute).transpose()?;
    let text = match &file {
        Some(path) => std::fs::read(path).map_err(|error| {
            let (path, reason) = (path.display(), reason(&error));
            log_warning!("Fatal error, can't open config file '{path}': {reason}");
            Refused
        })?,
        None => Vec::new(),
    };
    let stdin = if line.reads_stdin { Some(read_stdin()?) } else { None };
    let is_default = file.is_none() && stdin.is_none() && line.options.is_empty();
    let config = Arc::new(Config::new(&environment()));
    let whole = line.assemble(&text, stdin.as_deref().unwrap_or_default());
    let outcome = config
        .load(&whole, &mut |pattern, config| include(pattern, config))
        .and_then(|loaded| apply(&config, &loaded).and_then(|()| registry(&loaded)));
    match outcome {
        Ok(registry) => Ok(Configured { config, file, stdin, is_default, registry }),
        Err(error) => {
            eprint!("{}", error.report(&format!("Redis {REDIS_VERSION}")));
            Err(Refused)
        }
    }
}

fn absolute(path: &[u8]) -> Result<PathBuf, Refused> {
    std::path::absolute(path_of(path)).map_err(|error| {
        log_warning!("Fatal error, can't open config file: {}", reason(&error));
        Refused
    })
}

fn read_stdin() -> Result<Vec<u8>, Refused> {
    let mut text = Vec::new();
    match std::io::stdin().read_to_end(&mut text) {
        Ok(_) => Ok(text),
        Err(error) => {
            log_warning!("Fatal error, can't read standard input: {}", reason(&error));
            Err(Refused)
        }
    }
}

fn environment() -> Environment {
    use std::os::unix::ffi::OsStringExt;
    let directory = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    Environment {
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        directory: directory.into_os_string().into_vec(),
    }
}

/// The texts of the files that match `pattern`, relative to the working directory the server will
/// have.
fn include(pattern: &[u8], config: &Config) -> Result<Vec<Vec<u8>>, String> {
    let directory = path_of(&config.get(config::rows::DIR));
    let paths = os::wildcard::expand(&directory, pattern);
    let unreadable = |path: &std::path::Path, error: &std::io::Error| {
        format!("can't open config file '{}': {}", path.display(), reason(error))
    };
    paths.iter().map(|path| std::fs::read(path).map_err(|error| unreadable(path, &error))).collect()
}

/// Applies what must be in force before the first line is logged. Directories and files that
/// cannot be used are reported like lines that cannot be parsed.
fn apply(config: &Config, loaded: &Loaded) -> Result<(), LoadError> {
    let unmet = config.unmet().and_then(|id| loaded.origin_of(id));
    let users = loaded.users.iter().filter(|line| !users::adopt_default_user(line, config));
    let mut beyond = users.chain(&loaded.modules).chain(unmet);
    if let Some(directive) = beyond.next() {
        return Err(directive.error("This directive is not supported by this version"));
    }
    let at = |origin: Option<&config::Directive>, text: String| match origin {
        Some(directive) => directive.error(text),
        None => LoadError::Whole { reason: text },
    };
    let directory = path_of(&config.get(config::rows::DIR));
    std::env::set_current_dir(&directory).map_err(|error| {
        let text = format!("Can't chdir to '{}': {}", directory.display(), reason(&error));
        at(loaded.origin(config::rows::DIR), text)
    })?;
    if let Ok(absolute) = std::env::current_dir() {
        let text = files::bytes(&absolute);
        config
            .assign(config::rows::DIR, &text)
            .map_err(|text| at(loaded.origin(config::rows::DIR), text))?;
    }
    logging::set_level(config.get(config::rows::LOGLEVEL));
    let file = config.get(config::rows::LOGFILE);
    if !file.is_empty() {
        logging::set_file(Some(&path_of(&file))).map_err(|error| {
            let text = format!("Can't open the log file: {}", reason(&error));
            at(loaded.origin(config::rows::LOGFILE), text)
        })?;
    }
    banner::open_syslog(config);
    Ok(())
}

/// The table of commands with `rename-command` applied.
fn registry(loaded: &Loaded) -> Result<&'static Registry, LoadError> {
    if loaded.renamed_commands.is_empty() {
        return Ok(Registry::get());
    }
    let mut registry = Registry::new();
    for directive in &loaded.renamed_commands {
        let (old, new) = (&directive.args[0], &directive.args[1]);
        registry.rename(old, new).map_err(|error| directive.error(error.text()))?;
    }
    // The table lives as long as the process.
    Ok(Box::leak(Box::new(registry)))
}
