//! What an idle connection costs in resident memory.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::Plan;
use crate::server::ask;
use crate::{Result, shell};

/// Descriptors that neither side uses for the connections.
const SPARE_DESCRIPTORS: usize = 1_000;
/// How long buffers of the first command get to be returned.
const SETTLE: Duration = Duration::from_secs(3);

/// Opens the connections, uses each once, and compares resident memory.
///
/// # Errors
/// A limit on open files that cannot be raised, or a server that refuses.
pub fn measure(plan: &Plan) -> Result<Value> {
    let limit = plan.connections + SPARE_DESCRIPTORS;
    let own = std::process::id().to_string();
    // The server inherits the limit; std has no call to set it.
    shell::capture(Command::new("prlimit").args([
        "--pid",
        &own,
        &format!("--nofile={limit}:{limit}"),
    ]))?;
    let server = plan.launch.start()?;
    let mut first = server.connect()?;
    ask(&mut first, &["CONFIG", "SET", "maxclients", &(plan.connections + 100).to_string()])?;
    sleep(SETTLE);
    let before = server.rss_bytes();
    let mut clients = Vec::with_capacity(plan.connections);
    while clients.len() + 1 < plan.connections {
        let mut client = server.connect()?;
        ask(&mut client, &["PING"])?;
        clients.push(client);
    }
    sleep(SETTLE);
    let bytes = server.rss_bytes().saturating_sub(before);
    let each = bytes as f64 / clients.len().max(1) as f64;
    println!(
        "\n{} idle connections: {:.1} MB, {each:.0} bytes each",
        clients.len(),
        bytes as f64 / 1e6
    );
    Ok(json!({ "connections": clients.len(), "bytes": bytes, "bytes_each": each }))
}
