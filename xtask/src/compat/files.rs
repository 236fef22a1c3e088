//! Datasets carried between the server and redis-server by their files, both ways and home again:
//! RDB files, and append-only files with bases of either form. Every type in every encoding is in
//! them, with deadlines and in two databases.
//!
//! A server is asked about each key by its own digest: what has arrived must be what the same
//! commands make there.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use client::{Client, Value};

use super::payloads::{Sample, line, ok, samples};
use super::{Bench, Outcome};
use crate::Result;
use crate::server::Server;

/// A deadline that is far away, unix time in milliseconds.
const DEADLINE_MS: &str = "4102444800000";
/// How long a rewrite may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The directory of an append-only file.
const LOG: &str = "appendonlydir";

/// What a server says of each key: its database, its name and the rest.
type Dataset = Vec<(usize, String, String)>;

/// Carries RDB files.
pub fn rdb_part(bench: &Bench) -> Result<Outcome> {
    let reference = match &bench.reference {
        Ok(reference) => reference,
        Err(reason) => return Ok(Outcome::Skipped(reason.clone())),
    };
    let mut keys = 0;
    for compression in ["no", "yes"] {
        for (first, second) in [(&bench.subject, reference), (reference, &bench.subject)] {
            for server in [first, second] {
                let mut end = server.connect()?;
                ok(&mut end, &line(&["CONFIG", "SET", "rdbcompression", compression]))?;
            }
            keys = there_and_back(first, second).map_err(|problem| {
                let (from, to) = (&first.label, &second.label);
                format!("{from} to {to}, rdbcompression {compression}: {problem}")
            })?;
        }
    }
    println!("rdb: {keys} keys, both ways and back, compressed and not");
    Ok(Outcome::Passed)
}

/// From `first` to `second` and back; the number of keys.
fn there_and_back(first: &Server, second: &Server) -> Result<usize> {
    let wanted = [make(first)?, make(second)?];
    for (from, to, wanted) in [(first, second, &wanted[1]), (second, first, &wanted[0])] {
        ok(&mut from.connect()?, &line(&["SAVE"]))?;
        let names = (from.folder().join("dump.rdb"), to.folder().join("dump.rdb"));
        fs::copy(&names.0, &names.1).map_err(|error| format!("dump.rdb: {error}"))?;
        let mut end = to.connect()?;
        ok(&mut end, &line(&["DEBUG", "RELOAD", "NOSAVE"]))?;
        same(&to.label, &read(&mut end)?, wanted)?;
    }
    Ok(wanted[0].len())
}

/// Carries append-only files: a base, and commands behind it.
pub fn log_part(bench: &Bench) -> Result<Outcome> {
    let reference = match &bench.reference {
        Ok(reference) => reference,
        Err(reason) => return Ok(Outcome::Skipped(reason.clone())),
    };
    let mut keys = 0;
    for preamble in ["yes", "no"] {
        for (first, second) in [(&bench.subject, reference), (reference, &bench.subject)] {
            keys = by_log(first, second, preamble).map_err(|problem| {
                let (from, to) = (&first.label, &second.label);
                format!("{from} to {to}, aof-use-rdb-preamble {preamble}: {problem}")
            })?;
        }
    }
    println!("log: {keys} keys, both ways and back, with RDB bases and bases of commands");
    Ok(Outcome::Passed)
}

/// As [`there_and_back`], each time with a server that starts on the files of the one before.
fn by_log(first: &Server, second: &Server, preamble: &str) -> Result<usize> {
    let wanted = [make(first)?, make(second)?];
    let mut from = first.another_with("--appendonly yes --appendfsync always", |_| Ok(()))?;
    let mut end = from.connect()?;
    ok(&mut end, &line(&["CONFIG", "SET", "aof-use-rdb-preamble", preamble]))?;
    // One half is in the base, the other behind it.
    let samples = samples();
    let (base, behind) = samples.split_at(samples.len() / 2);
    fill(&mut end, base)?;
    rewrite(&mut end)?;
    fill(&mut end, behind)?;
    for (to, wanted) in [(second, &wanted[1]), (first, &wanted[0])] {
        let log = from.folder().join(LOG);
        from = to.another_with("--appendonly yes --appendfsync always", |folder| {
            copy_folder(&log, &folder.join(LOG))
        })?;
        let mut end = from.connect()?;
        same(&to.label, &read(&mut end)?, wanted)?;
        ok(&mut end, &line(&["CONFIG", "SET", "aof-use-rdb-preamble", preamble]))?;
        rewrite(&mut end)?;
    }
    Ok(wanted[0].len())
}

/// Rewrites the log and waits for the end of it.
fn rewrite(end: &mut Client) -> Result {
    ok(end, &line(&["BGREWRITEAOF"]))?;
    let until = Instant::now() + PATIENCE;
    loop {
        let info = text(&ok(end, &line(&["INFO", "persistence"]))?);
        let runs = ["aof_rewrite_in_progress:1", "aof_rewrite_scheduled:1"];
        match runs.iter().any(|line| info.contains(line)) {
            false if info.contains("aof_last_bgrewrite_status:ok") => return Ok(()),
            false => return Err("the rewrite failed".to_owned()),
            true if Instant::now() > until => return Err("the rewrite does not end".to_owned()),
            true => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn copy_folder(from: &Path, to: &Path) -> Result {
    let failed = |error: std::io::Error| format!("{}: {error}", from.display());
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        fs::copy(entry.path(), to.join(entry.file_name())).map_err(failed)?;
    }
    Ok(())
}

/// Makes the dataset on a server, and says what it is there.
fn make(server: &Server) -> Result<Dataset> {
    let mut end = server.connect()?;
    ok(&mut end, &line(&["FLUSHALL"]))?;
    fill(&mut end, &samples())?;
    read(&mut end)
}

/// Each sample twice: in database 0, and with a deadline in database 9.
fn fill(end: &mut Client, samples: &[Sample]) -> Result {
    for db in ["0", "9"] {
        ok(end, &line(&["SELECT", db]))?;
        for sample in samples {
            for command in &sample.commands {
                ok(end, command)?;
            }
            if db == "9" {
                ok(end, &line(&["PEXPIREAT", sample.key, DEADLINE_MS]))?;
            }
        }
    }
    ok(end, &line(&["SELECT", "0"])).map(drop)
}

/// What a server says of its dataset.
fn read(end: &mut Client) -> Result<Dataset> {
    let mut dataset = Dataset::new();
    for db in [0, 9] {
        ok(end, &line(&["SELECT", &db.to_string()]))?;
        let Value::Array(keys) = ok(end, &line(&["KEYS", "*"]))? else {
            return Err("KEYS gives no array".to_owned());
        };
        let mut names: Vec<String> = keys.iter().map(text).collect();
        names.sort();
        for key in names {
            let mut said = Vec::new();
            for question in
                [&["DEBUG", "DIGEST-VALUE"][..], &["OBJECT", "ENCODING"], &["PEXPIRETIME"]]
            {
                said.push(ok(end, &line(&[question, &[&key]].concat()))?);
            }
            if key == "stream" {
                said.push(ok(end, &line(&["XINFO", "GROUPS", &key]))?);
                said.push(ok(end, &line(&["XPENDING", &key, "readers"]))?);
            }
            dataset.push((db, key, format!("{said:?}")));
        }
    }
    ok(end, &line(&["SELECT", "0"]))?;
    Ok(dataset)
}

/// Compares key by key.
fn same(label: &str, found: &Dataset, wanted: &Dataset) -> Result {
    for (found, wanted) in found.iter().zip(wanted) {
        if found != wanted {
            return Err(format!("{label} has {found:?} and not {wanted:?}"));
        }
    }
    if found.len() != wanted.len() {
        return Err(format!("{label} has {} keys of {}", found.len(), wanted.len()));
    }
    Ok(())
}

fn text(value: &Value) -> String {
    String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned()
}
