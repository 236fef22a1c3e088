//! The crash campaign at length: `--runs N`, `--seed N` (the first one). Ends with status 1 if
//! anything was lost.

use std::process::ExitCode;

use harness::crash::{self, Figures};

fn main() -> ExitCode {
    let mut arguments = pico_args::Arguments::from_env();
    let runs: u64 = arguments.value_from_str("--runs").unwrap_or(10_000);
    let seed: u64 = arguments.value_from_str("--seed").unwrap_or(1);
    let mut figures = Figures::default();
    let mut losses = 0;
    for seed in seed..seed.saturating_add(runs) {
        match crash::run(seed) {
            Ok(seen) => figures += seen,
            Err(what) => {
                losses += 1;
                println!("seed {seed}: {what}");
            }
        }
    }
    println!("{figures}, {losses} losses");
    if losses == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
