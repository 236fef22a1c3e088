//! What the tests of durability do for a moment, at length: the crash campaign on a simulated disk,
//! and the real program killed under load.

use pico_args::Arguments;

use crate::{Result, finished, option, shell};

/// `cargo xtask soak [--runs N] [--seed N] [--kills N]`.
///
/// # Errors
/// When anything was lost; the line that runs it again is printed.
pub fn run(arguments: &mut Arguments) -> Result {
    let runs: u64 = option(arguments, "--runs", 5_000)?;
    let seed: u64 = option(arguments, "--seed", 1)?;
    let kills: u64 = option(arguments, "--kills", 100)?;
    finished(arguments)?;
    let (runs, seed) = (runs.to_string(), seed.to_string());
    let campaign = ["run", "--quiet", "--profile", "quick", "-p", "harness", "--example", "crash"];
    let limits = ["--", "--runs", &runs, "--seed", &seed];
    shell::run(&mut shell::cargo(&[&campaign[..], &limits[..]].concat()))?;
    let killed = ["test", "--quiet", "-p", "server", "--test", "kill", "--", "--nocapture"];
    shell::run(shell::cargo(&killed).env("FERRITE_SOAK_KILLS", kills.to_string()))
}
