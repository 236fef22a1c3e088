//! `cargo xtask`: the developer's tool. One command checks everything, the others are its parts and
//! the measurements behind `docs/performance.md`.
//!
//! It is a program of the workspace rather than a folder of shell scripts, so that it is typed,
//! tested and formatted like the rest, and needs nothing but cargo to start.

mod ci;
mod compat;
mod docs;
mod fuzz;
mod server;
mod shell;
mod snapshots;
mod soak;
mod stalls;
mod versus;

use std::process::ExitCode;

use pico_args::Arguments;

/// Failure of a task: a sentence for the developer.
pub type Error = String;
/// What tasks return.
pub type Result<T = ()> = std::result::Result<T, Error>;

const HELP: &str = "\
cargo xtask COMMAND [OPTIONS]

Checks
  ci              everything below that a change must pass: fmt, clippy, tidy, tests, compat
  tidy            the house rules
  compat          redis-py, ioredis, node-redis and redis-rs, redis-cli and redis-benchmark,
                  queues of RQ, Celery, BullMQ and Sidekiq, libraries for locks, rate limits,
                  sessions and caches, the conformance scripts and a differential run against
                  a server
                  [--server COMMAND] [--reference COMMAND] [--only PART,PART] [--commands N]
  conformance     the conformance scripts against ferrite and redis-server
                  [--server COMMAND] [--reference COMMAND]
  differential    random commands against both, replies compared [--commands N] [--seed N]
                  [--server COMMAND] [--reference COMMAND]; `newer` as the reference is the
                  redis-server of Debian 13, installed below the target directory
  fuzz            each fuzz target in turn [--seconds N, 60] [--only TARGET]
  soak            crashes at length: losses of power, faults of the disk and kills on a
                  simulated one [--runs N] [--seed N]; the program killed under load [--kills N]

Measurements (each takes --help)
  versus          CPU per command and memory per element against a peer
  snapshots       saving and loading against a peer, and what a save does to everybody else
  stalls          latency of an unrelated client during growth, expiry and FLUSHALL

Generated files
  docs            writes ferrite.conf and docs/compatibility.md [--check]
";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_env();
    match dispatch(&mut arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &mut Arguments) -> Result {
    let command = arguments.subcommand().map_err(|e| e.to_string())?;
    match command.as_deref() {
        Some("ci") => finished(arguments).and_then(|()| ci::run()),
        Some("tidy") => finished(arguments).and_then(|()| ci::tidy()),
        Some("compat") => compat::run(arguments),
        Some("conformance") => compat::conformance(arguments),
        Some("differential") => compat::differential(arguments),
        Some("fuzz") => fuzz::run(arguments),
        Some("soak") => soak::run(arguments),
        Some("versus") => versus::run(arguments),
        Some("snapshots") => snapshots::run(arguments),
        Some("stalls") => stalls::run(arguments),
        Some("docs") => docs::run(arguments),
        Some(other) => Err(format!("unknown command `{other}`\n\n{HELP}")),
        None => {
            print!("{HELP}");
            Ok(())
        }
    }
}

/// Reads an option with a value, or `default` when it is absent.
fn option<T>(arguments: &mut Arguments, name: &'static str, default: T) -> Result<T>
where
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    arguments.opt_value_from_str(name).map(|v| v.unwrap_or(default)).map_err(|e| e.to_string())
}

/// Refuses arguments that no option has taken.
fn finished(arguments: &mut Arguments) -> Result {
    let rest = std::mem::replace(arguments, Arguments::from_vec(Vec::new())).finish();
    match rest.first() {
        None => Ok(()),
        Some(first) => Err(format!("unknown argument `{}`", first.to_string_lossy())),
    }
}
