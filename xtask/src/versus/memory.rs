//! Resident memory per element.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::loads::{LOADS, Load};
use super::{Plan, ratio};
use crate::Result;
use crate::server::{Launch, pump};
use crate::shell::words;

/// Keys that touch what a server allocates once, before the empty server is measured.
const WARM_KEYS: u64 = 1_000;
/// How long freed buffers get to return to the system before the loaded server is measured.
const SETTLE: Duration = Duration::from_millis(300);

/// Prints the table and returns its figures by load.
///
/// # Errors
/// A server or a load that fails.
pub fn measure(plan: &Plan) -> Result<Value> {
    println!("\nresident bytes per element, {} elements", plan.elements);
    print!("{:<36}", "load");
    plan.servers.iter().for_each(|server| print!("{:>9}", server.label));
    println!("{:>9}", "ratio");
    let mut figures = serde_json::Map::new();
    for load in LOADS.iter().filter(|load| plan.loads.iter().any(|name| name == load.name)) {
        let row: Vec<f64> =
            plan.servers.iter().map(|s| bytes(s, load, plan.elements)).collect::<Result<_>>()?;
        print!("{:<36}", load.title);
        row.iter().for_each(|bytes| print!("{bytes:>9.1}"));
        println!("{:>9.2}", ratio(&row));
        figures.insert(load.name.to_owned(), json!({ "bytes": row, "ratio": ratio(&row) }));
    }
    Ok(Value::Object(figures))
}

/// Bytes per element in a fresh server.
fn bytes(launch: &Launch, load: &Load, elements: u64) -> Result<f64> {
    let count = (elements / load.share).max(1);
    let server = launch.start()?;
    let mut client = server.connect()?;
    pump(&mut client, (0..WARM_KEYS).map(|i| words(&format!("SET warm:{i} x"))))?;
    let empty = server.rss_bytes();
    pump(&mut client, (0..count).map(|i| words(&(load.command)(i))))?;
    sleep(SETTLE);
    Ok(server.rss_bytes().saturating_sub(empty) as f64 / count as f64)
}
