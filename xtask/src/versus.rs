//! Side by side with a peer, on this machine, in one run: server CPU time per command and resident
//! memory per element.
//!
//! CPU is what the server's threads ran, user and system, from the kernel's scheduler statistics,
//! divided by the commands done. It depends neither on how fast the client is nor much on what
//! else the machine does. The servers take turns for several rounds, and the figure is the median
//! of the per-round ratios to the best peer: drift hits both sides of a ratio. Memory is resident
//! bytes after loading, the warmed empty server subtracted, divided by the elements.

mod common;
mod cpu;
pub mod loads;
mod memory;
mod queue;

use pico_args::Arguments;
use serde_json::{Map, Value, json};

use crate::server::Launch;
use crate::{Result, compat, finished, option, shell};

const HELP: &str = "\
cargo xtask versus [OPTIONS]

  --ours COMMAND        server under test [a release build of ferrite]
  --peer COMMAND        peer [redis-server]
  --peer2 COMMAND       a second peer; ratios are against the better one
  --ours-args ARGS      [--io-threads 1]
  --peer-args ARGS      for both peers []
  --only cpu|memory     one half [both], or `common`: many commands at pipeline 16
  --tests A,B           CPU tests [get,set,incr,mget10]; `list` prints all
  --loads A,B           memory loads [string,string-ttl]; `list` prints all
  --pipeline N,N        commands in flight per connection [1,16]
  --rounds N            rounds per test [3]
  --requests N          commands per round and server, 5 times that when pipelined [400000]
  --keys N              keys in place before the CPU tests [1000000]
  --elements N          elements per memory load [1000000]
  --json FILE           also write the figures
";

/// What to measure.
#[derive(Clone)]
pub struct Plan {
    /// The server under test first, then one or two peers.
    pub servers: Vec<Launch>,
    /// Names of CPU tests.
    pub tests: Vec<String>,
    /// Names of memory loads.
    pub loads: Vec<String>,
    /// Commands in flight per connection.
    pub depths: Vec<u32>,
    /// Rounds per test.
    pub rounds: usize,
    /// Commands per round and server.
    pub requests: u64,
    /// Keys in place before the CPU tests.
    pub keys: u64,
    /// Elements per memory load.
    pub elements: u64,
}

/// Measures and prints the tables.
///
/// # Errors
/// A server that does not start, an error reply, a bad option.
pub fn run(arguments: &mut Arguments) -> Result {
    if arguments.contains("--help") {
        print!("{HELP}");
        return Ok(());
    }
    let only: String = option(arguments, "--only", String::new())?;
    let file: String = option(arguments, "--json", String::new())?;
    let Some(plan) = plan(arguments)? else { return Ok(()) };
    compat::install::redis_benchmark()?;
    let mut result = Map::new();
    match only.as_str() {
        "" => {
            result.insert("cpu".to_owned(), cpu::measure(&plan)?);
            result.insert("memory".to_owned(), memory::measure(&plan)?);
        }
        "cpu" => drop(result.insert("cpu".to_owned(), cpu::measure(&plan)?)),
        "memory" => drop(result.insert("memory".to_owned(), memory::measure(&plan)?)),
        "common" => drop(result.insert("common".to_owned(), common::measure(&plan)?)),
        other => return Err(format!("--only takes cpu, memory or common, not `{other}`")),
    }
    let labels: Vec<_> = plan.servers.iter().map(|server| server.command.join(" ")).collect();
    result.insert("servers".to_owned(), json!(labels));
    if file.is_empty() {
        return Ok(());
    }
    let text = serde_json::to_string_pretty(&Value::Object(result)).map_err(|e| e.to_string())?;
    std::fs::write(&file, text + "\n").map_err(|e| format!("{file}: {e}"))
}

/// Reads the options; none when a list was asked for and printed.
fn plan(arguments: &mut Arguments) -> Result<Option<Plan>> {
    let ours: String = option(arguments, "--ours", String::new())?;
    let peer: String = option(arguments, "--peer", "redis-server".to_owned())?;
    let peer2: String = option(arguments, "--peer2", String::new())?;
    let ours_args: String = option(arguments, "--ours-args", "--io-threads 1".to_owned())?;
    let peer_args: String = option(arguments, "--peer-args", String::new())?;
    let tests: String = option(arguments, "--tests", "get,set,incr,mget10".to_owned())?;
    let loads: String = option(arguments, "--loads", "string,string-ttl".to_owned())?;
    let depths: String = option(arguments, "--pipeline", "1,16".to_owned())?;
    let mut plan = Plan {
        servers: Vec::new(),
        tests: names(&tests),
        loads: names(&loads),
        depths: names(&depths)
            .iter()
            .map(|depth| depth.parse().map_err(|_| format!("--pipeline {depth}: not a number")))
            .collect::<Result<_>>()?,
        rounds: option(arguments, "--rounds", 3)?,
        requests: option(arguments, "--requests", 400_000)?,
        keys: option(arguments, "--keys", 1_000_000)?,
        elements: option(arguments, "--elements", 1_000_000)?,
    };
    finished(arguments)?;
    if tests == "list" || loads == "list" {
        println!("tests: {}", cpu::names().join(" "));
        println!("loads: {}", loads::names().join(" "));
        return Ok(None);
    }
    if plan.rounds == 0 || plan.requests == 0 || plan.elements == 0 || plan.depths.contains(&0) {
        return Err("--rounds, --requests, --elements and --pipeline start at 1".to_owned());
    }
    cpu::check_names(&plan.tests)?;
    loads::check_names(&plan.loads)?;
    let ours = match ours.as_str() {
        "" => format!("{} server", shell::build_server(true)?.display()),
        command => command.to_owned(),
    };
    plan.servers.push(Launch::new("ours", &ours, &ours_args));
    plan.servers.push(Launch::new("peer", &peer, &peer_args));
    if !peer2.is_empty() {
        plan.servers.push(Launch::new("peer2", &peer2, &peer_args));
    }
    Ok(Some(plan))
}

fn names(list: &str) -> Vec<String> {
    list.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The middle of the values, the mean of the two middle ones for an even count; 0 for none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        count if count % 2 == 0 => f64::midpoint(values[middle - 1], values[middle]),
        _ => values[middle],
    }
}

/// Our value over the best of the peers'.
fn ratio(row: &[f64]) -> f64 {
    row[0] / row[1..].iter().copied().fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![]), 0.0);
        assert_eq!(median(vec![3.0]), 3.0);
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 9.0]), 3.0);
    }

    #[test]
    fn the_ratio_is_against_the_best_peer() {
        assert_eq!(ratio(&[1.0, 4.0]), 0.25);
        assert_eq!(ratio(&[1.0, 4.0, 2.0]), 0.5);
    }
}
