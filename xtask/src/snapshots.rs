//! What a snapshot costs, side by side with a peer on this machine in one run: how long saving and
//! loading take, how large the file is, and what a save or a rewrite of the log under full write
//! load does to everybody else: memory, throughput, and the latency of a client that has nothing to
//! do with it.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant};

use client::{Client, Value as Reply};
use pico_args::Arguments;
use serde_json::{Value, json};
use stdx::rng::Rng;

use crate::server::{Launch, Server, ask, pump};
use crate::stalls::{Probe, row, set};
use crate::{Result, finished, option, shell};

const HELP: &str = "\
cargo xtask snapshots [OPTIONS]

  --ours COMMAND        server under test [a release build of ferrite]
  --peer COMMAND        peer [redis-server]
  --server-args ARGS    for both []
  --keys N              small keys [10000000]
  --writers N           clients that overwrite keys during what is measured under load [2]
  --seconds N           how long they write before it, for comparison [5]
  --interval-us N       pace of the unrelated client [500]
  --json FILE           also write the figures
";

/// Commands that a writer has in flight.
const BATCH: u64 = 64;
/// How often is looked whether a save has ended.
const LOOK: Duration = Duration::from_millis(2);
/// How long a save may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// What to measure.
struct Plan {
    keys: u64,
    writers: u64,
    time: Duration,
    interval: Duration,
}

/// Measures and prints the tables.
///
/// # Errors
/// A server that fails, or a bad option.
pub fn run(arguments: &mut Arguments) -> Result {
    if arguments.contains("--help") {
        print!("{HELP}");
        return Ok(());
    }
    let ours: String = option(arguments, "--ours", String::new())?;
    let peer: String = option(arguments, "--peer", "redis-server".to_owned())?;
    let extra: String = option(arguments, "--server-args", String::new())?;
    let file: String = option(arguments, "--json", String::new())?;
    let plan = Plan {
        keys: option(arguments, "--keys", 10_000_000)?,
        writers: option(arguments, "--writers", 2)?,
        time: Duration::from_secs(option(arguments, "--seconds", 5)?),
        interval: Duration::from_micros(option(arguments, "--interval-us", 500)?),
    };
    finished(arguments)?;
    let ours = match ours.as_str() {
        "" => format!("{} server", shell::build_server(true)?.display()),
        command => command.to_owned(),
    };
    let mut figures = Vec::new();
    for (label, command) in [("ours", ours), ("peer", peer)] {
        println!("\n{label}: {command}, {} keys", plan.keys);
        figures.push(measure(&Launch::new(label, &command, &extra), &plan)?);
    }
    println!("\n{:<44}{:>12}{:>12}{:>9}", "", "ours", "peer", "ratio");
    for (name, title) in ROWS {
        print_row(&figures, &format!("/{name}"), title);
    }
    for job in [SAVE, REWRITE] {
        print_row(&figures, &format!("/{}/took_s", job.name), job.title);
        for (name, title) in BUSY_ROWS {
            print_row(&figures, &format!("/{}/{name}", job.name), title);
        }
    }
    if file.is_empty() {
        return Ok(());
    }
    let figures = json!({ "keys": plan.keys, "ours": figures[0], "peer": figures[1] });
    let text = serde_json::to_string_pretty(&figures).map_err(|e| e.to_string())?;
    fs::write(&file, text + "\n").map_err(|e| format!("{file}: {e}"))
}

/// The rows of the table: name of the figure, title.
const ROWS: &[(&str, &str)] = &[
    ("save_s", "BGSAVE, s"),
    ("load_s", "start with that file until it serves, s"),
    ("file_mib", "file, MiB"),
];

/// The rows of what happens under load.
const BUSY_ROWS: &[(&str, &str)] = &[
    ("throughput", "  writes per second, part of those before"),
    ("copied_percent", "  memory copied for it, % of the dataset"),
    ("grown_percent", "  resident memory added, % of the dataset"),
    ("stall_p99_99_us", "  unrelated GET, p99.99, us"),
    ("stall_max_us", "  unrelated GET, longest, us"),
    ("fork_us", "  fork, us"),
];

/// Something that writes the whole dataset in the background.
struct Job {
    /// Of its figures.
    name: &'static str,
    title: &'static str,
    command: &'static str,
    /// The fields of `INFO` that tell whether it goes on, how it ended, and what it copied.
    in_progress: &'static str,
    succeeded: &'static str,
    copied: &'static str,
}

const SAVE: Job = Job {
    name: "save",
    title: "BGSAVE under write load, s",
    command: "BGSAVE",
    in_progress: "rdb_bgsave_in_progress",
    succeeded: "rdb_last_bgsave_status:ok",
    copied: "rdb_last_cow_size",
};
const REWRITE: Job = Job {
    name: "rewrite",
    title: "BGREWRITEAOF under write load, s",
    command: "BGREWRITEAOF",
    in_progress: "aof_rewrite_in_progress",
    succeeded: "aof_last_bgrewrite_status:ok",
    copied: "aof_last_cow_size",
};

fn print_row(figures: &[Value], path: &str, title: &str) {
    let of = |at: usize| figures[at].pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let [ours, peer] = [of(0), of(1)];
    println!("{title:<44}{ours:>12.3}{peer:>12.3}{:>9.2}", ours / peer);
}

/// The figures of one server.
fn measure(launch: &Launch, plan: &Plan) -> Result<Value> {
    let server = launch.start()?;
    let mut client = server.connect()?;
    let empty = server.rss_bytes();
    pump(&mut client, (0..plan.keys).map(|key| set(key, None)))?;
    let dataset = server.rss_bytes().saturating_sub(empty).max(1);
    let save_s = write_all(&mut client, &SAVE, || ())?.as_secs_f64();
    let file = server.folder().join("dump.rdb");
    let file_bytes = fs::metadata(&file).map_err(|e| format!("{}: {e}", file.display()))?.len();
    let load_s = load(&server, plan)?.as_secs_f64();
    println!("  save {save_s:.2} s, load {load_s:.2} s");
    let busy_save = busy(&server, &mut client, &SAVE, plan)?.figures(dataset);
    log_everything(&mut client)?;
    let busy_rewrite = busy(&server, &mut client, &REWRITE, plan)?.figures(dataset);
    Ok(json!({
        "save_s": save_s,
        "load_s": load_s,
        "file_mib": file_bytes as f64 / f64::from(1 << 20),
        "dataset_bytes": dataset,
        SAVE.name: busy_save,
        REWRITE.name: busy_rewrite,
    }))
}

/// Does `job` in the background and calls `meanwhile` until that is done. How long it took.
fn write_all(client: &mut Client, job: &Job, meanwhile: impl FnMut()) -> Result<Duration> {
    let started = Instant::now();
    ask(client, &[job.command])?;
    end_of(client, job, meanwhile)?;
    Ok(started.elapsed())
}

/// Waits until `job` has succeeded, and calls `meanwhile` as long.
fn end_of(client: &mut Client, job: &Job, mut meanwhile: impl FnMut()) -> Result {
    let started = Instant::now();
    while info(client, job.in_progress)? == 1 {
        if started.elapsed() > PATIENCE {
            return Err(format!("{} does not end within {PATIENCE:?}", job.command));
        }
        meanwhile();
        sleep(LOOK);
    }
    match text(&ask(client, &["INFO", "persistence"])?).contains(job.succeeded) {
        true => Ok(()),
        false => Err(format!("{} failed", job.command)),
    }
}

/// Switches the log on, and waits for the rewrite that this begins; more come only when asked for.
fn log_everything(client: &mut Client) -> Result {
    ask(client, &["CONFIG", "SET", "auto-aof-rewrite-percentage", "0"])?;
    ask(client, &["CONFIG", "SET", "appendonly", "yes"])?;
    while info(client, "aof_rewrite_scheduled")? == 1 {
        sleep(LOOK);
    }
    end_of(client, &REWRITE, || ())
}

/// How long another server needs from its start with the file of `server` until it serves.
fn load(server: &Server, plan: &Plan) -> Result<Duration> {
    let file = server.folder().join("dump.rdb");
    let mut started = Instant::now();
    let loaded = server.another_with("", |folder| {
        fs::copy(&file, folder.join("dump.rdb")).map_err(|e| e.to_string())?;
        started = Instant::now();
        Ok(())
    })?;
    let took = started.elapsed();
    match ask(&mut loaded.connect()?, &["DBSIZE"])? {
        Reply::Integer(keys) if keys.unsigned_abs() == plan.keys => Ok(took),
        other => Err(format!("{other:?} keys were loaded")),
    }
}

/// A job under full write load.
struct Busy {
    took: Duration,
    /// Writes per second.
    before: f64,
    during: f64,
    copied_bytes: u64,
    grown_bytes: u64,
    latency: Value,
    quiet_latency: Value,
    fork_us: u64,
}

impl Busy {
    /// `dataset` in bytes.
    fn figures(&self, dataset: u64) -> Value {
        let percent = |bytes: u64| bytes as f64 * 100.0 / dataset as f64;
        json!({
            "took_s": self.took.as_secs_f64(),
            "writes_before": self.before,
            "writes_during": self.during,
            "throughput": self.during / self.before,
            "copied_percent": percent(self.copied_bytes),
            "grown_percent": percent(self.grown_bytes),
            "stall_p99_99_us": self.latency["p99.99_us"],
            "stall_max_us": self.latency["max_us"],
            "quiet_p99_99_us": self.quiet_latency["p99.99_us"],
            "fork_us": self.fork_us,
        })
    }
}

fn busy(server: &Server, client: &mut Client, job: &Job, plan: &Plan) -> Result<Busy> {
    let writers = Writers::start(server, plan)?;
    let probe = Probe::start(server, plan.interval)?;
    let before = writers.rate(|| {
        sleep(plan.time);
        Ok(())
    })?;
    let quiet_latency = row("  GET under write load", &probe.finish()?);
    let probe = Probe::start(server, plan.interval)?;
    let resident = server.rss_bytes();
    let (mut took, mut peak) = (Duration::ZERO, resident);
    let during = writers.rate(|| {
        took = write_all(client, job, || peak = peak.max(server.rss_bytes()))?;
        Ok(())
    })?;
    let latency = row(&format!("  and during {}", job.command), &probe.finish()?);
    writers.finish()?;
    Ok(Busy {
        took,
        before,
        during,
        copied_bytes: info(client, job.copied)?,
        grown_bytes: peak - resident,
        latency,
        quiet_latency,
        fork_us: info(client, "latest_fork_usec")?,
    })
}

/// Clients that overwrite random keys as fast as they can.
struct Writers {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    threads: Vec<JoinHandle<Result>>,
}

impl Writers {
    fn start(server: &Server, plan: &Plan) -> Result<Self> {
        let (stop, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut threads = Vec::new();
        for number in 1..=plan.writers {
            let (stop, written) = (Arc::clone(&stop), Arc::clone(&written));
            let (mut client, keys) = (server.connect()?, plan.keys.max(1));
            threads.push(std::thread::spawn(move || {
                let mut rng = Rng::seed(number);
                while !stop.load(Ordering::Relaxed) {
                    pump(&mut client, (0..BATCH).map(|_| set(rng.below(keys), None)))?;
                    written.fetch_add(BATCH, Ordering::Relaxed);
                }
                Ok(())
            }));
        }
        Ok(Self { stop, written, threads })
    }

    /// Writes per second while `work` runs.
    fn rate(&self, work: impl FnOnce() -> Result) -> Result<f64> {
        let (written, started) = (self.written.load(Ordering::Relaxed), Instant::now());
        work()?;
        let written = self.written.load(Ordering::Relaxed) - written;
        Ok(written as f64 / started.elapsed().as_secs_f64())
    }

    fn finish(self) -> Result {
        self.stop.store(true, Ordering::Relaxed);
        let join = |thread: JoinHandle<Result>| {
            thread.join().map_err(|_| "a writer panicked".to_owned())?
        };
        self.threads.into_iter().try_for_each(join)
    }
}

/// A number out of `INFO`.
fn info(client: &mut Client, name: &str) -> Result<u64> {
    let said = text(&ask(client, &["INFO", "everything"])?);
    let mut lines = said.lines().filter_map(|line| line.trim_end().split_once(':'));
    let value = lines.find_map(|(found, value)| (found == name).then_some(value));
    value.and_then(|value| value.parse().ok()).ok_or_else(|| format!("INFO says no {name}"))
}

fn text(value: &Reply) -> String {
    String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned()
}
