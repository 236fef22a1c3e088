//! `cargo run -p differential --example differential -- --subject HOST:PORT --reference HOST:PORT
//! [--seed S] [--commands N] [--resp2 | --resp3]
//! [--groups A,B]`

use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use client::Address;
use differential::lockstep::{Protocols, Servers};
use differential::{Config, run};

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

fn arguments() -> Result<Config, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
    let mut seed = u64::from(now.subsec_nanos());
    let (mut subject, mut reference) = (None, None);
    let mut commands = 100_000;
    let mut groups = Vec::new();
    let mut protocols = Protocols::Mixed;
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{flag} takes a value"));
        let number = |text: String| text.parse().map_err(|_| format!("'{text}' is no number"));
        let address = |text: String| text.parse::<Address>().map_err(|error| error.to_string());
        match flag.as_str() {
            "--subject" => subject = Some(address(value()?)?),
            "--reference" => reference = Some(address(value()?)?),
            "--seed" => seed = number(value()?)?,
            "--commands" => commands = number(value()?)?,
            "--groups" => groups = value()?.split(',').map(str::to_owned).collect(),
            "--resp2" => protocols = Protocols::Resp2,
            "--resp3" => protocols = Protocols::Resp3,
            _ => return Err(format!("{flag} is no option")),
        }
    }
    let subject = subject.ok_or("--subject HOST:PORT is missing")?;
    let reference = reference.ok_or("--reference HOST:PORT is missing")?;
    Ok(Config { servers: Servers { subject, reference, protocols }, seed, commands, groups })
}

fn work() -> Result<bool, String> {
    let config = arguments()?;
    println!("differential: seed {}", config.seed);
    let start = Instant::now();
    let outcome = run(&config)?;
    let seconds = start.elapsed().as_secs_f64();
    for (name, count) in &outcome.explained {
        println!("explained: {name} {count} times");
    }
    for seed in &outcome.unreproduced {
        println!("seed {seed} differed once and not again");
    }
    if let Some(failure) = &outcome.failure {
        println!("{failure}");
    }
    let rate = outcome.commands as f64 / seconds;
    println!("differential: {} commands, {rate:.0} a second", outcome.commands);
    Ok(outcome.failure.is_none())
}
