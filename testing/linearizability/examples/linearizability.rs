//! `cargo run -p linearizability --example linearizability -- HOST:PORT [SEED [HISTORIES]]`

use std::process::ExitCode;

use client::Address;
use linearizability::{Plan, Verdict, check, connect, record};

/// Most states that the search for one part visits.
const VISITS_MAX: usize = 2_000_000;

fn main() -> ExitCode {
    match work() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn work() -> Result<bool, String> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("usage: linearizability HOST:PORT [SEED [HISTORIES]]")?;
    let address: Address = address.parse().map_err(|error| format!("{error}"))?;
    let number = |text: Option<String>, default| {
        text.map_or(Ok(default), |text| text.parse::<u64>().map_err(|error| error.to_string()))
    };
    let seed = number(arguments.next(), 1)?;
    let histories = number(arguments.next(), 100)?;
    let mut undecided = 0;
    for seed in seed..seed.saturating_add(histories) {
        let transactions = seed % 2 == 0;
        let requests = if transactions { 100 } else { 500 };
        let plan = Plan { seed, clients: 8, requests, keys: 4, transactions, scripts: true };
        let history = record(&plan, connect(&address, &plan))?;
        match check(&history, VISITS_MAX) {
            Verdict::Linearizable => {}
            Verdict::Undecided => undecided += 1,
            Verdict::Violation { prefix, stuck } => {
                println!("seed {seed}: not linearizable");
                for operation in prefix.iter().rev().take(20).rev() {
                    println!("  {operation}");
                }
                println!("cannot follow: {stuck}");
                println!("replay: linearizability {address} {seed} 1");
                return Ok(false);
            }
        }
    }
    println!("linearizability: {histories} histories from seed {seed}, {undecided} undecided");
    Ok(true)
}
