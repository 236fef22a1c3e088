//! How well one engine uses several cores: threads in one engine against as many processes.
//!
//! `cargo run --release -p harness --example scaling -- [THREADS [ROUNDS [MILLIS [KEYS [1]]]]]`
//!
//! A last argument of 1 has `EVALSHA` of one GET in place of commands.
//!
//! The two alternate, so that a noisy machine disturbs both alike; the medians are compared, once
//! over all rounds and once over those in which nobody else wanted the processors: a thread that is
//! put aside while it holds a lock stops the others too, which says nothing about an idle machine.
//! A worker process is this program again, started with `--worker`: it makes an engine, and for
//! each line on its input runs the load once and prints what it achieved.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::Duration;

use harness::load::{Loaded, Mix, Outcome};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((first, rest)) if first == "--worker" => work(rest),
        _ => compare(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn number(arguments: &[String], index: usize, default: u64) -> Result<u64, String> {
    let wrong = |text: &String| format!("'{text}' is no number");
    arguments.get(index).map_or(Ok(default), |text| text.parse().map_err(|_| wrong(text)))
}

/// A worker's life: arguments are threads, milliseconds, keys, whether it runs scripts.
fn work(arguments: &[String]) -> Result<(), String> {
    let threads = number(arguments, 0, 1)?;
    let time = Duration::from_millis(number(arguments, 1, 1_000)?);
    let mix = if number(arguments, 3, 0)? == 1 { Mix::Scripts } else { Mix::Commands };
    let threads = usize::try_from(threads).unwrap_or(1);
    let loaded = Loaded::new(threads, number(arguments, 2, 1)?, mix, 1);
    println!("ready");
    for (round, line) in std::io::stdin().lock().lines().enumerate() {
        line.map_err(|error| error.to_string())?;
        let Outcome { requests, seconds, cpu_seconds } = loaded.run(time, round as u64);
        println!("{requests} {seconds} {cpu_seconds}");
    }
    Ok(())
}

struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Worker {
    fn start(threads: u64, [milliseconds, keys, scripts]: [u64; 3]) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut child = Command::new(program)
            .arg("--worker")
            .args([threads, milliseconds, keys, scripts].map(|number| number.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start a worker: {error}"))?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().ok_or("a worker has no output")?);
        let mut worker = Worker { child, input, output };
        match worker.line()?.as_str() {
            "ready" => Ok(worker),
            other => Err(format!("a worker said '{other}'")),
        }
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|error| error.to_string())?;
        Ok(line.trim().to_owned())
    }

    fn go(&mut self) -> Result<(), String> {
        let input = self.input.as_mut().ok_or("the worker is gone")?;
        input.write_all(b"go\n").map_err(|error| error.to_string())
    }

    fn outcome(&mut self) -> Result<Outcome, String> {
        let line = self.line()?;
        let numbers: Vec<f64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
        let &[requests, seconds, cpu_seconds] = numbers.as_slice() else {
            return Err(format!("a worker said '{line}'"));
        };
        Ok(Outcome { requests: requests as u64, seconds, cpu_seconds })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The end of its input is a worker's sign to leave.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// What workers achieved that ran at the same time.
#[derive(Clone, Copy, Default)]
struct Round {
    /// Million requests per second of wall clock.
    wall: f64,
    /// Million requests per second of processor time.
    cpu: f64,
    /// Processor time over wall-clock time, per thread: below 1 where a thread had to wait for a
    /// processor or slept on a lock.
    share: f64,
}

fn round(workers: &mut [Worker], threads: u64) -> Result<Round, String> {
    workers.iter_mut().try_for_each(Worker::go)?;
    let (mut wall, mut requests, mut seconds, mut cpu_seconds) = (0.0, 0.0, 0.0, 0.0);
    let count = workers.len() as f64;
    for worker in workers {
        let outcome = worker.outcome()?;
        wall += outcome.requests as f64 / outcome.seconds / 1e6;
        requests += outcome.requests as f64 / 1e6;
        seconds += outcome.seconds;
        cpu_seconds += outcome.cpu_seconds;
    }
    let thread_seconds = seconds / count * threads as f64;
    Ok(Round { wall, cpu: requests / cpu_seconds, share: cpu_seconds / thread_seconds })
}

/// A round is quiet if the processes before and after it, which share no lock, had their
/// processors for at least this part of the time.
const QUIET_SHARE: f64 = 0.97;

fn compare(arguments: &[String]) -> Result<(), String> {
    let threads = number(arguments, 0, 2)?;
    let rounds = number(arguments, 1, 21)?;
    let milliseconds = number(arguments, 2, 500)?;
    let keys = number(arguments, 3, 1_000_000)?;
    let scripts = number(arguments, 4, 0)?;
    let load = [milliseconds, keys, scripts];
    let mut together = [Worker::start(threads, load)?];
    let mut apart = Vec::new();
    for _ in 0..threads {
        apart.push(Worker::start(1, load)?);
    }
    // Each round of the one engine lies between two rounds of the processes.
    let mut before = round(&mut apart, threads)?;
    let mut pairs = Vec::new();
    for _ in 0..rounds {
        let shared = round(&mut together, threads)?;
        let after = round(&mut apart, threads)?;
        let separate = Round {
            wall: f64::midpoint(before.wall, after.wall),
            cpu: f64::midpoint(before.cpu, after.cpu),
            share: before.share.min(after.share),
        };
        pairs.push((shared, separate));
        before = after;
    }
    let mix = if scripts == 1 { "scripts of one GET" } else { "nine GET to one SET" };
    println!("{threads} threads, {keys} keys, {mix}, medians");
    println!("                                 one engine   processes   ratio");
    table("all rounds", &pairs);
    pairs.retain(|(_, separate)| separate.share >= QUIET_SHARE);
    table("quiet rounds", &pairs);
    Ok(())
}

fn table(which: &str, pairs: &[(Round, Round)]) {
    println!("{which}: {}", pairs.len());
    if pairs.is_empty() {
        return;
    }
    type Figure = fn(&Round) -> f64;
    let wall: (&str, Figure) = ("million/s of wall clock", |round| round.wall);
    let cpu: (&str, Figure) = ("million/s of processor", |round| round.cpu);
    for (unit, figure) in [wall, cpu] {
        let all = |one: &dyn Fn(&(Round, Round)) -> f64| median(pairs.iter().map(one).collect());
        let (shared, separate) = (all(&|p| figure(&p.0)), all(&|p| figure(&p.1)));
        let ratio = all(&|p| figure(&p.0) / figure(&p.1));
        println!("  {unit:27}   {shared:12.3}   {separate:9.3}   {ratio:5.3}");
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
