//! The server as real programs see it: four client libraries, redis-cli and redis-benchmark, four
//! job queues, libraries for locks, rate limits, sessions and caches, the conformance scripts,
//! values and files carried to redis-server and back, and a bounded differential run; the last
//! four once more with a newer redis-server than the distribution's; and configuration files
//! carried to redis-server and back.
//!
//! Everything it needs it installs below the target directory or with apt. What cannot be
//! installed is skipped with its reason, and named again at the end, so that a machine without a
//! network still runs the rest and nobody mistakes a skip for a pass.

mod clients;
mod files;
pub mod install;
mod libraries;
mod newer;
mod payloads;
mod programs;
mod queues;
mod scripts;
mod swap;
mod tools;

use std::process::Command;
use std::time::Instant;

use pico_args::Arguments;

use crate::server::{Launch, Server};
use crate::{Result, finished, option, shell};

pub use scripts::{conformance, differential};

/// Commands of the differential run that is part of every change.
const DIFFERENTIAL_COMMANDS: u64 = 200_000;

/// How a part ended, if it did not fail.
pub enum Outcome {
    /// It ran and passed.
    Passed,
    /// It could not run here, for that reason.
    Skipped(String),
}

/// One part of the compatibility run.
type Part = (&'static str, fn(&Bench) -> Result<Outcome>);

const PARTS: &[Part] = &[
    ("redis-py", clients::redis_py),
    ("ioredis", clients::ioredis),
    ("node-redis", clients::node_redis),
    ("redis-rs", clients::redis_rs),
    ("tools", tools::tools),
    ("swap", swap::part),
    ("rq", queues::rq),
    ("celery", queues::celery),
    ("bullmq", queues::bullmq),
    ("sidekiq", queues::sidekiq),
    ("pottery", libraries::pottery),
    ("redlock", libraries::redlock),
    ("limits", libraries::limits),
    ("rate-limiter-flexible", libraries::rate_limiter_flexible),
    ("flask-session", libraries::flask_session),
    ("connect-redis", libraries::connect_redis),
    ("redis-py-cache", libraries::redis_py_cache),
    ("node-redis-cache", libraries::node_redis_cache),
    ("conformance", scripts::conformance_part),
    ("payloads", payloads::part),
    ("rdb", files::rdb_part),
    ("log", files::log_part),
    ("differential", scripts::differential_part),
    ("newer-reference", scripts::newer_part),
];

/// The server under test, the reference where there is one, and how long to compare them.
pub struct Bench {
    /// The server under test.
    pub subject: Server,
    /// A running redis-server, or the reason why there is none.
    pub reference: std::result::Result<Server, String>,
    /// Commands of the differential run.
    pub commands: u64,
    /// Its first seed.
    pub seed: u64,
}

/// The scripts use `DEBUG`, which is off unless asked for.
const DEBUG: &str = "--enable-debug-command yes";

/// The command lines of servers, where others are wanted than ferrite and the redis-server of the
/// distribution.
#[derive(Default)]
pub struct Wanted {
    subject: Option<String>,
    reference: Option<String>,
}

impl Wanted {
    /// Takes the options from a command line.
    ///
    /// # Errors
    /// An option without a value.
    pub fn take(arguments: &mut Arguments) -> Result<Wanted> {
        let mut value = |option| {
            arguments.opt_value_from_str(option).map_err(|e: pico_args::Error| e.to_string())
        };
        Ok(Wanted { subject: value("--server")?, reference: value("--reference")? })
    }
}

impl Bench {
    /// Starts the servers.
    ///
    /// # Errors
    /// When the subject does not build or start, or a reference that was asked for does not.
    pub fn start(wanted: Wanted, commands: u64, seed: u64) -> Result<Bench> {
        let launch = match wanted.subject {
            Some(command) => Launch::new(&command, &command, DEBUG),
            None => {
                let built = shell::build_server(false)?;
                Launch::new("ferrite", &format!("{} server", built.display()), DEBUG)
            }
        };
        let subject = launch.start()?;
        let reference = match wanted.reference.as_deref() {
            Some(newer::NAME) => Ok(newer::launch()?.start()?),
            Some(command) => Ok(Launch::new(command, command, DEBUG).start()?),
            None => install::redis_server()
                .and_then(|()| Launch::new("redis-server", "redis-server", DEBUG).start()),
        };
        Ok(Bench { subject, reference, commands, seed })
    }
}

/// Runs all parts, or those named by `--only`.
///
/// # Errors
/// The parts that failed; the others have run all the same.
pub fn run(arguments: &mut Arguments) -> Result {
    let servers = Wanted::take(arguments)?;
    let only: String = option(arguments, "--only", String::new())?;
    let commands = option(arguments, "--commands", DIFFERENTIAL_COMMANDS)?;
    let seed = option(arguments, "--seed", 1)?;
    finished(arguments)?;
    let wanted: Vec<&str> = only.split(',').filter(|name| !name.is_empty()).collect();
    if let Some(unknown) = wanted.iter().find(|name| PARTS.iter().all(|(part, _)| part != *name)) {
        let names: Vec<_> = PARTS.iter().map(|(name, _)| *name).collect();
        return Err(format!("no part `{unknown}`; there are {}", names.join(", ")));
    }
    let bench = Bench::start(servers, commands, seed)?;
    let (mut failed, mut skipped) = (Vec::new(), Vec::new());
    for (name, part) in PARTS.iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name))
    {
        println!("\n== {name}");
        match part(&bench) {
            Ok(Outcome::Passed) => {}
            Ok(Outcome::Skipped(reason)) => {
                println!("skipped: {reason}");
                let reason = reason.lines().next().unwrap_or_default();
                skipped.push(format!("{name} ({reason})"));
            }
            Err(message) => {
                println!("FAILED: {message}");
                failed.push(*name);
            }
        }
    }
    let skips = if skipped.is_empty() { "none".to_owned() } else { skipped.join(", ") };
    println!("\ncompat: failed {}, skipped {skips}", failed.len());
    if failed.is_empty() { Ok(()) } else { Err(format!("compat failed: {}", failed.join(", "))) }
}

/// Runs a client's checks, whose output is its summary.
fn checked(command: &mut Command) -> Result<Outcome> {
    shell::run(command).map(|()| Outcome::Passed)
}

/// Runs `part` on the server under test and, where there is one, on the reference, and compares
/// what it gives.
fn side_by_side(bench: &Bench, part: impl Fn(&Server) -> Result<String>) -> Result<Outcome> {
    let timed = |server: &Server| -> Result<String> {
        let start = Instant::now();
        let given = part(server)?;
        println!("{}: {:.1} s", server.label, start.elapsed().as_secs_f64());
        Ok(given)
    };
    let got = timed(&bench.subject)?;
    print!("{got}");
    match &bench.reference {
        Err(reason) => println!("skipped: the same on redis-server: {reason}"),
        Ok(reference) => {
            let wanted = timed(reference)?;
            if got != wanted {
                return Err(format!("{} gives:\n{wanted}", reference.label));
            }
        }
    }
    Ok(Outcome::Passed)
}
