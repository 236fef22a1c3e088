//! The client libraries, each with a program of its own under `testing/clients`.

use std::process::Command;

use super::{Bench, Outcome, checked, install};
use crate::{Result, shell};

/// redis-py over RESP2 and RESP3.
pub fn redis_py(bench: &Bench) -> Result<Outcome> {
    match install::python_with_redis() {
        Err(reason) => Ok(Outcome::Skipped(reason)),
        Ok(python) => checked(
            Command::new(python)
                // redis-py warns of methods that are new, which is why they are tested.
                .args(["-W", "ignore", "run.py"])
                .arg(bench.subject.port.to_string())
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .current_dir(shell::root().join("testing/clients/redis_py")),
        ),
    }
}

/// ioredis over RESP2 and RESP3.
pub fn ioredis(bench: &Bench) -> Result<Outcome> {
    node(bench, "ioredis.js")
}

/// node-redis over RESP2 and RESP3.
pub fn node_redis(bench: &Bench) -> Result<Outcome> {
    node(bench, "node_redis.js")
}

fn node(bench: &Bench, script: &str) -> Result<Outcome> {
    match install::node_modules() {
        Err(reason) => Ok(Outcome::Skipped(reason)),
        Ok(modules) => checked(
            Command::new("node")
                .arg(script)
                .arg(bench.subject.port.to_string())
                .env("NODE_PATH", modules)
                .current_dir(shell::root().join("testing/clients/node")),
        ),
    }
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
