//! How long an unrelated client waits while the server does something large.
//!
//! A probe sends one `GET` at a steady pace to the server under test, and a second one does the
//! same to an idle server on the same machine at the same time. The second column is the machine:
//! what it shows, no server could have avoided. Requests that a stall held back count as waiting
//! too.

mod collections;
mod commands;
mod connections;
mod expiry;
mod histogram;
mod probe;
mod scenarios;

use std::time::Duration;

use pico_args::Arguments;
use serde_json::{Map, Value, json};

use crate::server::Launch;
use crate::{Result, finished, option, shell};

use histogram::Histogram;
pub use probe::Probe;
pub use scenarios::set;

const HELP: &str = "\
cargo xtask stalls [OPTIONS]

  --server COMMAND      server under test [a release build of ferrite]
  --server-args ARGS    []
  --only A,B            grow, expire, flush-async, flush-sync, expiry, idle, huge,
                        convert, commands [all]
  --keys N              keys of the large keyspace [10000000]
  --connections N       idle connections [10000]
  --interval-us N       pace of the unrelated client [500]
  --json FILE           also write the figures
";

/// What to measure and on what.
pub struct Plan {
    /// The server under test.
    pub launch: Launch,
    /// Keys of the large keyspace.
    pub keys: u64,
    /// Idle connections.
    pub connections: usize,
    /// Pace of the unrelated client.
    pub interval: Duration,
}

/// A measurement: prints its lines and returns its figures.
type Measurement = fn(&Plan) -> Result<Value>;

const MEASUREMENTS: &[(&str, Measurement)] = &[
    ("grow", scenarios::grow),
    ("expire", scenarios::expire),
    ("flush-async", scenarios::flush_async),
    ("flush-sync", scenarios::flush_sync),
    ("expiry", expiry::measure),
    ("idle", connections::measure),
    ("huge", collections::huge),
    ("convert", collections::convert),
    ("commands", commands::measure),
];

/// Runs the measurements asked for.
///
/// # Errors
/// A server that fails, or a bad option.
pub fn run(arguments: &mut Arguments) -> Result {
    if arguments.contains("--help") {
        print!("{HELP}");
        return Ok(());
    }
    let server: String = option(arguments, "--server", String::new())?;
    let extra: String = option(arguments, "--server-args", String::new())?;
    let only: String = option(arguments, "--only", String::new())?;
    let file: String = option(arguments, "--json", String::new())?;
    let keys = option(arguments, "--keys", 10_000_000)?;
    let connections = option(arguments, "--connections", 10_000)?;
    let interval = Duration::from_micros(option(arguments, "--interval-us", 500)?);
    finished(arguments)?;
    let wanted: Vec<&str> = only.split(',').filter(|name| !name.is_empty()).collect();
    if let Some(unknown) = wanted.iter().find(|n| MEASUREMENTS.iter().all(|(name, _)| name != *n)) {
        return Err(format!("no measurement `{unknown}`\n{HELP}"));
    }
    let command = match server.as_str() {
        "" => format!("{} server", shell::build_server(true)?.display()),
        command => command.to_owned(),
    };
    let launch = Launch::new("server", &command, &extra);
    let plan = Plan { launch, keys, connections, interval };
    println!("{command} {extra}: {keys} keys, one GET every {} us", plan.interval.as_micros());
    println!(
        "{:<28}{:>10}{:>9}{:>9}{:>9}{:>9}{:>9}",
        "latency of GET in us", "count", "p50", "p99", "p99.9", "p99.99", "max"
    );
    let mut figures = Map::new();
    for (name, measurement) in MEASUREMENTS {
        if wanted.is_empty() || wanted.contains(name) {
            figures.insert((*name).to_owned(), measurement(&plan)?);
        }
    }
    if file.is_empty() {
        return Ok(());
    }
    let text = serde_json::to_string_pretty(&Value::Object(figures)).map_err(|e| e.to_string())?;
    std::fs::write(&file, text + "\n").map_err(|e| format!("{file}: {e}"))
}

/// Prints one row of the latency table and returns its figures in microseconds.
pub fn row(title: &str, histogram: &Histogram) -> Value {
    let us = |ns: u64| ns as f64 / 1_000.0;
    let quantiles = [0.5, 0.99, 0.999, 0.9999].map(|part| us(histogram.quantile_ns(part)));
    let max = us(histogram.max_ns());
    print!("{title:<28}{:>10}", histogram.count());
    quantiles.iter().for_each(|us| print!("{us:>9.0}"));
    println!("{max:>9.0}");
    let [p50, p99, p99_9, p99_99] = quantiles;
    json!({ "count": histogram.count(), "p50_us": p50, "p99_us": p99, "p99.9_us": p99_9,
        "p99.99_us": p99_99, "max_us": max })
}
