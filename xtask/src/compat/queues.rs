//! Job queues as they are deployed: 10,000 jobs, several workers, every job done exactly once.
//!
//! A queue library is a stricter judge than a client: it composes blocking commands, transactions,
//! streams, scripts and channels, and loses or repeats a job when one of them is subtly wrong. The
//! programs under `testing/clients` check the jobs themselves and print what is left in the server,
//! which must be what redis-server is left with.

use std::process::Command;

use client::Value;

use super::clients::{node_script, python_script};
use super::{Bench, Outcome, install, side_by_side};
use crate::server::Server;
use crate::{Result, shell};

/// What a queue may need of a server that another can do without, with the command that shows it.
type Need = (&'static str, &'static str);

const SCRIPTING: Need = ("scripting (EVAL)", "eval");
const CHANNELS: Need = ("channels (SUBSCRIBE)", "subscribe");

/// RQ: lists, hashes, sorted sets, streams, transactions and blocking moves.
pub fn rq(bench: &Bench) -> Result<Outcome> {
    queue(bench, &[], || python_script(install::python_with_queues(), "queues/rq_queue.py"))
}

/// Celery: it starts by releasing a lock with a script, and its results come over channels.
pub fn celery(bench: &Bench) -> Result<Outcome> {
    queue(bench, &[SCRIPTING, CHANNELS], || {
        python_script(install::python_with_queues(), "queues/celery_queue.py")
    })
}

/// BullMQ: a script for every step of a job.
pub fn bullmq(bench: &Bench) -> Result<Outcome> {
    queue(bench, &[SCRIPTING], || node_script("bullmq.js"))
}

/// Runs the program on the server under test and on the reference, and compares what they print.
fn queue(bench: &Bench, needs: &[Need], program: impl Fn() -> Result<Command>) -> Result<Outcome> {
    let lacking = lacking(&bench.subject, needs)?;
    if !lacking.is_empty() {
        return Ok(Outcome::Skipped(format!("needs {}", lacking.join(" and "))));
    }
    if let Err(reason) = program() {
        return Ok(Outcome::Skipped(reason));
    }
    side_by_side(bench, |server| {
        shell::capture(program()?.arg(server.port.to_string()))
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
