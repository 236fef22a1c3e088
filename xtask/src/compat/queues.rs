//! Job queues as they are deployed: 10,000 jobs, several workers, every job done exactly once.
//!
//! A queue library is a stricter judge than a client: it composes blocking commands, transactions,
//! streams, scripts and channels, and loses or repeats a job when one of them is subtly wrong. The
//! programs under `testing/clients` check the jobs themselves and print what is left in the server,
//! which must be what redis-server is left with.

use std::process::Command;

use super::clients::{node_script, python_script};
use super::programs::{CHANNELS, SCRIPTING, compared};
use super::{Bench, Outcome, install};
use crate::{Result, shell};

/// RQ: lists, hashes, sorted sets, streams, transactions and blocking moves.
pub fn rq(bench: &Bench) -> Result<Outcome> {
    compared(bench, &[], || python_script(install::python_with_libraries(), "queues/rq_queue.py"))
}

/// Celery: it starts by releasing a lock with a script, and its results come over channels.
pub fn celery(bench: &Bench) -> Result<Outcome> {
    compared(bench, &[SCRIPTING, CHANNELS], || {
        python_script(install::python_with_libraries(), "queues/celery_queue.py")
    })
}

/// BullMQ: a script for every step of a job.
pub fn bullmq(bench: &Bench) -> Result<Outcome> {
    compared(bench, &[SCRIPTING], || node_script("bullmq.js"))
}

/// Sidekiq: jobs for later, and those that failed, are taken from sorted sets by a script.
pub fn sidekiq(bench: &Bench) -> Result<Outcome> {
    compared(bench, &[SCRIPTING], || {
        install::sidekiq()?;
        let mut command = Command::new("ruby");
        command.arg(shell::root().join("testing/clients/queues/sidekiq_queue.rb"));
        Ok(command)
    })
}
