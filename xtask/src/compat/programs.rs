//! Programs of `testing/clients` that judge a server by what they print: each checks for itself
//! what it can, and prints what must be the same on redis-server.

use std::process::Command;

use client::Value;

use super::{Bench, Outcome, side_by_side};
use crate::server::Server;
use crate::{Result, shell};

/// What a program may need of a server that another can do without, with the command that shows it.
pub type Need = (&'static str, &'static str);

/// Scripts, which most libraries that keep more than one key consistent are made of.
pub const SCRIPTING: Need = ("scripting (EVAL)", "eval");
/// Channels and subscriptions.
pub const CHANNELS: Need = ("channels (SUBSCRIBE)", "subscribe");
/// Invalidations for caches that clients keep.
pub const TRACKING: Need = ("client-side caching (CLIENT TRACKING)", "client|tracking");

/// Runs the program with the server's port on the server under test and on the reference, and
/// compares what it prints.
///
/// # Errors
/// When it fails, and when the texts differ.
pub fn compared(
    bench: &Bench,
    needs: &[Need],
    program: impl Fn() -> Result<Command>,
) -> Result<Outcome> {
    compared_on(bench, needs, 1, program)
}

/// As [`compared`], with the ports of so many servers of the same kind that know nothing of each
/// other. The program may shut down all but the first.
///
/// # Errors
/// As [`compared`], and when a server does not start.
pub fn compared_on(
    bench: &Bench,
    needs: &[Need],
    servers: usize,
    program: impl Fn() -> Result<Command>,
) -> Result<Outcome> {
    let lacking = lacking(&bench.subject, needs)?;
    if !lacking.is_empty() {
        return Ok(Outcome::Skipped(format!("needs {}", lacking.join(" and "))));
    }
    if let Err(reason) = program() {
        return Ok(Outcome::Skipped(reason));
    }
    side_by_side(bench, |server| {
        let others: Vec<Server> = (1..servers).map(|_| server.another()).collect::<Result<_>>()?;
        let ports = std::iter::once(server).chain(&others).map(|server| server.port.to_string());
        shell::capture(program()?.args(ports))
            .map_err(|message| format!("{}: {message}", server.label))
    })
}

/// The needs that the server does not meet, in words.
fn lacking(server: &Server, needs: &[Need]) -> Result<Vec<&'static str>> {
    let mut connection = server.connect()?;
    let mut lacking = Vec::new();
    for (words, command) in needs {
        let request = ["COMMAND", "INFO", command];
        let reply = connection.command(&request).map_err(|e| format!("COMMAND INFO: {e}"))?;
        let is_array = |row: &Value| matches!(row, Value::Array(_));
        if !matches!(&reply, Value::Array(rows) if rows.iter().any(is_array)) {
            lacking.push(*words);
        }
    }
    Ok(lacking)
}
