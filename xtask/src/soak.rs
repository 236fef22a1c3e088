//! What the tests of durability do for a moment, at length: the crash campaign on a simulated disk,
//! snapshots under write load, and the real program killed under load.

use pico_args::Arguments;

use crate::{Result, finished, option, shell};

/// Runs of the crash campaign for each seed of the point-in-time checker, which takes so much
/// longer.
const RUNS_PER_SEED: u64 = 50;

/// `cargo xtask soak [--runs N] [--seed N] [--kills N]`.
///
/// # Errors
/// When anything was lost; the line that runs it again is printed.
pub fn run(arguments: &mut Arguments) -> Result {
    let runs: u64 = option(arguments, "--runs", 5_000)?;
    let seed: u64 = option(arguments, "--seed", 1)?;
    let kills: u64 = option(arguments, "--kills", 100)?;
    finished(arguments)?;
    let seeds = (runs / RUNS_PER_SEED).max(1).to_string();
    let (runs, seed) = (runs.to_string(), seed.to_string());
    let campaign = ["run", "--quiet", "--profile", "quick", "-p", "harness", "--example", "crash"];
    let limits = ["--", "--runs", &runs, "--seed", &seed];
    shell::run(&mut shell::cargo(&[&campaign[..], &limits[..]].concat()))?;
    let checked = ["test", "--quiet", "-p", "harness", "--test", "point_in_time"];
    let mut checked = shell::cargo(&[&checked[..], &["--", "--nocapture"]].concat());
    shell::run(checked.env("POINT_IN_TIME_SEED", &seed).env("POINT_IN_TIME_RUNS", seeds))?;
    let killed = ["test", "--quiet", "-p", "server", "--test", "kill", "--", "--nocapture"];
    shell::run(shell::cargo(&killed).env("FERRITE_SOAK_KILLS", kills.to_string()))
}
