//! How well one engine uses several cores: threads in one engine against as many processes.
//!
//! `cargo run --release -p harness --example scaling -- [THREADS [ROUNDS [MILLISECONDS [KEYS]]]]`
//!
//! The two alternate, so that a noisy machine disturbs both alike; the medians are compared. A
//! worker process is this program again, started with `--worker`: it makes an engine, and for each
//! line on its input runs the load once and prints what it achieved.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::Duration;

use harness::load::{Loaded, Outcome};

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

/// A worker's life: arguments are threads, milliseconds, keys.
fn work(arguments: &[String]) -> Result<(), String> {
    let threads = number(arguments, 0, 1)?;
    let time = Duration::from_millis(number(arguments, 1, 1_000)?);
    let loaded = Loaded::new(usize::try_from(threads).unwrap_or(1), number(arguments, 2, 1)?, 1);
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
    fn start(threads: u64, milliseconds: u64, keys: u64) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut child = Command::new(program)
            .arg("--worker")
            .args([threads, milliseconds, keys].map(|number| number.to_string()))
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

/// Requests per second of wall clock and per second of processor time, in millions, of workers
/// that run at the same time.
fn round(workers: &mut [Worker]) -> Result<(f64, f64), String> {
    workers.iter_mut().try_for_each(Worker::go)?;
    let (mut wall, mut requests, mut cpu_seconds) = (0.0, 0.0, 0.0);
    for worker in workers {
        let outcome = worker.outcome()?;
        wall += outcome.requests as f64 / outcome.seconds / 1e6;
        requests += outcome.requests as f64 / 1e6;
        cpu_seconds += outcome.cpu_seconds;
    }
    Ok((wall, requests / cpu_seconds))
}

fn compare(arguments: &[String]) -> Result<(), String> {
    let threads = number(arguments, 0, 2)?;
    let rounds = number(arguments, 1, 11)?;
    let milliseconds = number(arguments, 2, 1_000)?;
    let keys = number(arguments, 3, 1_000_000)?;
    let mut together = [Worker::start(threads, milliseconds, keys)?];
    let mut apart = Vec::new();
    for _ in 0..threads {
        apart.push(Worker::start(1, milliseconds, keys)?);
    }
    let mut results: [Vec<f64>; 6] = Default::default();
    for _ in 0..rounds {
        let (shared, shared_cpu) = round(&mut together)?;
        let (separate, separate_cpu) = round(&mut apart)?;
        let row = [shared, separate, shared / separate, shared_cpu, separate_cpu];
        let ratio = shared_cpu / separate_cpu;
        results.iter_mut().zip(row.into_iter().chain([ratio])).for_each(|(all, x)| all.push(x));
    }
    let [shared, separate, ratio, shared_cpu, separate_cpu, cpu_ratio] = results.map(median);
    println!("{threads} threads, {keys} keys, 9 GET to 1 SET, median of {rounds} rounds");
    println!("                        one engine   processes   ratio");
    println!("million/s, wall clock   {shared:10.3}  {separate:10.3}   {ratio:.3}");
    println!("million/s, processor    {shared_cpu:10.3}  {separate_cpu:10.3}   {cpu_ratio:.3}");
    Ok(())
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
