//! One server in the place of the other, with the configuration file as it lies on the machine:
//! that of the distribution, after `CONFIG REWRITE` has been through it, with a password and
//! without. Redis starts from it, then the server under test, then Redis again from what that one
//! rewrites.

use std::fs;

use client::Value;

use super::payloads::{line, ok};
use super::{Bench, Outcome};
use crate::Result;
use crate::server::Server;

/// The file of the distribution, where it is installed and may be read.
const PACKAGED: &str = "/etc/redis/redis.conf";
/// Paths in it, of the service of the machine or of the server before.
const PATHS: [&str; 4] = ["dir ", "logfile ", "pidfile ", "unixsocket "];
/// The file's name in the folder of a server.
const FILE: &str = "swap.conf";
const PASSWORD: &str = "s3cret";
/// Set before each rewriting, so that there is something to write.
const CHANGES: [(&str, &str); 3] =
    [("maxmemory", "104857600"), ("timeout", "1234"), ("latency-tracking", "no")];

/// Swaps them.
pub fn part(bench: &Bench) -> Result<Outcome> {
    let reference = match &bench.reference {
        Ok(reference) => reference,
        Err(reason) => return Ok(Outcome::Skipped(reason.clone())),
    };
    let packaged = fs::read_to_string(PACKAGED).unwrap_or_default();
    for password in [None, Some(PASSWORD)] {
        let mut text = packaged.clone();
        if let Some(password) = password {
            text.push_str(&format!("\nrequirepass {password}\n"));
        }
        for server in [reference, &bench.subject, reference] {
            text = rewritten(server, &text, password)
                .map_err(|problem| format!("{}: {problem}\n", server.label))?;
        }
    }
    let lines = packaged.lines().count();
    println!("swap: {lines} lines of {PACKAGED}, rewritten by either server");
    Ok(Outcome::Passed)
}

/// What the server makes of the file that it is started from.
fn rewritten(server: &Server, text: &str, password: Option<&str>) -> Result<String> {
    let is_ours = |line: &&str| !PATHS.iter().any(|path| line.starts_with(path));
    let text: Vec<&str> = text.lines().filter(is_ours).collect();
    let started = server.another_from(FILE, |folder| {
        fs::write(folder.join(FILE), text.join("\n") + "\n")
            .map_err(|error| format!("{FILE}: {error}"))
    })?;
    let mut end = started.connect()?;
    let is_closed = matches!(end.command(&["GET", "k"]), Ok(Value::Error(_)));
    if is_closed != password.is_some() {
        return Err(format!("serves without a password: {}, with {password:?} set", !is_closed));
    }
    if let Some(password) = password {
        ok(&mut end, &line(&["AUTH", password]))?;
    }
    for (name, value) in CHANGES {
        ok(&mut end, &line(&["CONFIG", "SET", name, value]))?;
    }
    ok(&mut end, &line(&["CONFIG", "REWRITE"]))?;
    let path = started.folder().join(FILE);
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}
