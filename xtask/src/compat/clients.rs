//! The client libraries, each with a program of its own under `testing/clients`.

use std::path::PathBuf;
use std::process::Command;

use super::{Bench, Outcome, checked, install};
use crate::{Result, shell};

/// redis-py over RESP2 and RESP3.
pub fn redis_py(bench: &Bench) -> Result<Outcome> {
    run(bench, python_script(install::python_with_redis(), "redis_py/run.py"))
}

/// ioredis over RESP2 and RESP3.
pub fn ioredis(bench: &Bench) -> Result<Outcome> {
    run(bench, node_script("ioredis.js"))
}

/// node-redis over RESP2 and RESP3.
pub fn node_redis(bench: &Bench) -> Result<Outcome> {
    run(bench, node_script("node_redis.js"))
}

fn run(bench: &Bench, script: Result<Command>) -> Result<Outcome> {
    match script {
        Err(reason) => Ok(Outcome::Skipped(reason)),
        Ok(mut script) => checked(script.arg(bench.subject.port.to_string())),
    }
}

/// A Python script of `testing/clients`, which takes a port, run by `python`.
///
/// # Errors
/// Why there is no such Python.
pub fn python_script(python: Result<PathBuf>, script: &str) -> Result<Command> {
    let mut command = Command::new(python?);
    // redis-py warns of methods that are new, which is why they are tested.
    command
        .args(["-W", "ignore"])
        .arg(shell::root().join("testing/clients").join(script))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(command)
}

/// A script of `testing/clients/node`, which takes a port, with its libraries.
///
/// # Errors
/// Why they cannot be had.
pub fn node_script(script: &str) -> Result<Command> {
    let mut command = Command::new("node");
    command
        .arg(shell::root().join("testing/clients/node").join(script))
        .env("NODE_PATH", install::node_modules()?);
    Ok(command)
}

/// redis-rs over RESP2 and RESP3.
pub fn redis_rs(bench: &Bench) -> Result<Outcome> {
    let manifest = "testing/clients/redis_rs/Cargo.toml";
    let fetched =
        shell::capture(&mut shell::cargo(&["fetch", "--locked", "--manifest-path", manifest]));
    if let Err(reason) = fetched {
        return Ok(Outcome::Skipped(reason));
    }
    let port = bench.subject.port.to_string();
    let arguments = ["run", "--quiet", "--locked", "--manifest-path", manifest, "--", &port];
    checked(shell::cargo(&arguments).env("CARGO_TARGET_DIR", shell::target_dir()))
}
