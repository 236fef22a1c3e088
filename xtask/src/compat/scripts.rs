//! The conformance scripts and the differential tester against running servers.

use client::Address;
use conformance::{Report, TcpTarget};
use differential::lockstep::{Protocols, Servers};
use pico_args::Arguments;

use super::{Bench, Outcome, Wanted, files, newer, payloads};
use crate::server::Server;
use crate::{Result, finished, option};

/// Commands of a differential run that was asked for by itself.
const DIFFERENTIAL_COMMANDS: u64 = 1_000_000;

/// The most commands of the run against the newer reference, which comes on top of the other one.
const NEWER_COMMANDS_MAX: u64 = 100_000;

/// `cargo xtask conformance`.
///
/// # Errors
/// A script that one of the servers does not conform to.
pub fn conformance(arguments: &mut Arguments) -> Result {
    let servers = Wanted::take(arguments)?;
    finished(arguments)?;
    report("conformance", conformance_part(&Bench::start(servers, 0, 0)?)?);
    Ok(())
}

/// `cargo xtask differential`.
///
/// # Errors
/// The first difference that is not explained, shrunk.
pub fn differential(arguments: &mut Arguments) -> Result {
    let servers = Wanted::take(arguments)?;
    let commands = option(arguments, "--commands", DIFFERENTIAL_COMMANDS)?;
    let seed = option(arguments, "--seed", 1)?;
    finished(arguments)?;
    report("differential", differential_part(&Bench::start(servers, commands, seed)?)?);
    Ok(())
}

fn report(name: &str, outcome: Outcome) {
    if let Outcome::Skipped(reason) = outcome {
        println!("skipped: {name}: {reason}");
    }
}

/// Every script against the subject, and against the reference, whose replies they record.
pub fn conformance_part(bench: &Bench) -> Result<Outcome> {
    let cases = conformance::load(&conformance::cases_dir())?;
    let mut failed = conform(&bench.subject, &cases)?;
    match &bench.reference {
        Ok(reference) => failed += conform(reference, &cases)?,
        Err(reason) => println!("skipped: conformance of the reference: {reason}"),
    }
    if failed == 0 { Ok(Outcome::Passed) } else { Err(format!("{failed} conformance tests")) }
}

/// The number of tests that `server` fails; prints each.
fn conform(server: &Server, cases: &[conformance::Case]) -> Result<usize> {
    let mut target = TcpTarget::new(address(server));
    let mut total = Report::default();
    for case in cases {
        let shown = case.path.display();
        let report =
            conformance::run(&case.script, &mut target).map_err(|e| format!("{shown}: {e}"))?;
        for failure in &report.failures {
            println!("{}: {shown}: {failure}", server.label);
        }
        total.absorb(report);
    }
    let Report { passed, skipped, failures } = &total;
    println!("{}: {passed} passed, {} failed, {skipped} skipped", server.label, failures.len());
    Ok(failures.len())
}

/// The same random commands to both servers, over both protocol versions in turn.
pub fn differential_part(bench: &Bench) -> Result<Outcome> {
    let reference = match &bench.reference {
        Ok(reference) => reference,
        Err(reason) => return Ok(Outcome::Skipped(reason.clone())),
    };
    for protocols in [Protocols::Resp2, Protocols::Resp3] {
        let servers =
            Servers { subject: address(&bench.subject), reference: address(reference), protocols };
        let shown = format!("{protocols:?}");
        let commands = bench.commands.div_ceil(2);
        let config =
            differential::Config { servers, seed: bench.seed, commands, groups: Vec::new() };
        let outcome = differential::run(&config)?;
        println!("{shown}: {} commands from seed {}", outcome.commands, bench.seed);
        for (name, count) in &outcome.explained {
            println!("{shown}: explained difference `{name}` {count} times");
        }
        for seed in &outcome.unreproduced {
            println!("{shown}: the episode of seed {seed} differed once and not when replayed");
        }
        if let Some(failure) = outcome.failure {
            return Err(format!("{shown}: unexplained difference\n{failure}"));
        }
    }
    Ok(Outcome::Passed)
}

/// What two servers can be compared by, with a newer redis-server than the distribution's: it knows
/// more commands, and what it differs in from the older one is later work of the same authors.
pub fn newer_part(bench: &Bench) -> Result<Outcome> {
    let launch = match newer::launch() {
        Ok(launch) => launch,
        Err(reason) => return Ok(Outcome::Skipped(reason)),
    };
    let bench = Bench {
        subject: bench.subject.another()?,
        reference: Ok(launch.start()?),
        commands: bench.commands.min(NEWER_COMMANDS_MAX),
        seed: bench.seed,
    };
    // The subject conforms already, or the part for it has failed.
    let cases = conformance::load(&conformance::cases_dir())?;
    let failed = bench.reference.as_ref().map_or(Ok(0), |newer| conform(newer, &cases))?;
    if failed > 0 {
        return Err(format!("{failed} conformance tests"));
    }
    for part in [payloads::part, files::rdb_part, files::log_part, differential_part] {
        part(&bench)?;
    }
    Ok(Outcome::Passed)
}

fn address(server: &Server) -> Address {
    Address::tcp("127.0.0.1", server.port)
}
