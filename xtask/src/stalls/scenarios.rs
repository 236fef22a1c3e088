//! The large things a server does while the probe watches.

use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use client::{Client, Value as Reply};
use serde_json::{Map, Value, json};

use super::probe::Probe;
use super::{Plan, row};
use crate::Result;
use crate::server::{Server, ask, ask_integer, pump};

/// How long the probe goes on after the command was answered: work may continue behind it.
pub const AFTERMATH: Duration = Duration::from_secs(3);
/// Slowest loading that a common deadline waits for, in keys per second.
const LOAD_RATE_MIN: u64 = 120_000;
/// How long expired keys may take to be gone before the measurement gives up on the server.
const RECLAIM_PATIENCE: Duration = Duration::from_secs(300);

/// The keyspace grows from nothing.
///
/// # Errors
/// A server that fails.
pub fn grow(plan: &Plan) -> Result<Value> {
    let server = plan.launch.start()?;
    let mut client = server.connect()?;
    watched(plan, &server, "keyspace grows", || load(&mut client, plan.keys, None))
}

/// Half as many keys fall due in the same millisecond.
///
/// # Errors
/// A server that fails, or one that loads too slowly for the deadline.
pub fn expire(plan: &Plan) -> Result<Value> {
    let server = plan.launch.start()?;
    let mut client = server.connect()?;
    let keys = plan.keys / 2;
    let due = unix_ms() + 5_000 + keys * 1_000 / LOAD_RATE_MIN;
    load(&mut client, keys, Some(due))?;
    let lead = due.saturating_sub(unix_ms());
    if lead == 0 {
        return Err(format!("loading {keys} keys took longer than their time to live"));
    }
    sleep(Duration::from_millis(lead.saturating_sub(500)));
    watched(plan, &server, "keys expire at once", || {
        let deadline = Instant::now() + RECLAIM_PATIENCE;
        while ask_integer(&mut client, &["DBSIZE"])? > 0 {
            if Instant::now() > deadline {
                return Err(format!("expired keys are still there after {RECLAIM_PATIENCE:?}"));
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    })
}

/// `FLUSHALL ASYNC` of the large keyspace.
///
/// # Errors
/// A server that fails.
pub fn flush_async(plan: &Plan) -> Result<Value> {
    flush(plan, "ASYNC")
}

/// `FLUSHALL SYNC` of the large keyspace.
///
/// # Errors
/// A server that fails.
pub fn flush_sync(plan: &Plan) -> Result<Value> {
    flush(plan, "SYNC")
}

fn flush(plan: &Plan, mode: &str) -> Result<Value> {
    let server = plan.launch.start()?;
    let mut client = server.connect()?;
    load(&mut client, plan.keys, None)?;
    watched(plan, &server, &format!("FLUSHALL {mode}"), || {
        sleep(Duration::from_millis(500));
        ask(&mut client, &["FLUSHALL", mode])?;
        sleep(AFTERMATH);
        Ok(())
    })
}

/// Runs `work` under the eyes of two probes: of the server, and of an idle one.
///
/// # Errors
/// What `work` or a probe failed with.
pub fn watched<F>(plan: &Plan, server: &Server, title: &str, work: F) -> Result<Value>
where
    F: FnOnce() -> Result,
{
    let idle = plan.launch.start()?;
    ask(&mut server.connect()?, &["CONFIG", "RESETSTAT"])?;
    let before = server.cpu_ns();
    let started = Instant::now();
    let probe = Probe::start(server, plan.interval)?;
    let control = Probe::start(&idle, plan.interval)?;
    let outcome = work();
    let (probe, control) = (probe.finish()?, control.finish()?);
    outcome?;
    let seconds = started.elapsed().as_secs_f64();
    let cpu = (server.cpu_ns() - before) as f64 / 1e9;
    let measured = row(title, &probe);
    let machine = row("  the machine (idle server)", &control);
    let inside = inside(server)?;
    for (name, value) in &inside {
        println!("  {name}: {value}");
    }
    println!("  {seconds:.1} s, server CPU {cpu:.1} s");
    Ok(json!({ "server": measured, "machine": machine, "inside": inside, "seconds": seconds,
        "cpu_seconds": cpu }))
}

/// What the server itself says of its longest turns, locks and commands since the last reset.
///
/// # Errors
/// A server that fails.
pub fn inside(server: &Server) -> Result<Map<String, Value>> {
    let reply = ask(&mut server.connect()?, &["INFO", "debug"])?;
    let (Reply::Bulk(text) | Reply::Verbatim(_, text)) = reply else {
        return Err("INFO replied no text".to_owned());
    };
    let text = String::from_utf8_lossy(&text);
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    let told = |name: &str| name.ends_with("_max") || name.contains("longest");
    let kept = fields.filter(|(name, _)| told(name) && !name.starts_with("cmd"));
    Ok(kept.map(|(name, value)| (name.to_owned(), json!(value.trim()))).collect())
}

/// Loads `count` keys of 11 bytes with values of 16, falling due at `due` (unix time in ms) if
/// given.
///
/// # Errors
/// An error reply.
fn load(client: &mut Client, count: u64, due: Option<u64>) -> Result {
    pump(client, (0..count).map(|i| set(i, due)))
}

/// The command that sets key number `i`.
pub fn set(i: u64, due: Option<u64>) -> Vec<String> {
    let mut command = vec!["SET".to_owned(), format!("k:{i:09}"), format!("value:{i:010}")];
    if let Some(due) = due {
        command.extend(["PXAT".to_owned(), due.to_string()]);
    }
    command
}

/// Unix time in milliseconds.
pub fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("the clock is past 1970").as_millis() as u64
}
