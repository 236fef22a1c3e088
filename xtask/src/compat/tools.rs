//! redis-cli and redis-benchmark as their users run them, on the server under test and beside it on
//! redis-server, whose output must be the same wherever it does not depend on time or memory.

use std::io::Write;
use std::process::{Command, Stdio};

use super::{Bench, Outcome, install, side_by_side};
use crate::Result;
use crate::server::Server;

/// The tests of redis-benchmark, all that it has.
const TESTS: &str =
    "ping,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange,mset";
/// The tables that it prints for them: PING has two, LRANGE five with the filling of its list.
const TABLES: usize = 20;
/// Requests of each test: it is checked that they are served, not how fast.
const REQUESTS: &str = "5000";

/// One element of every type, each the largest of its type.
const FILL: &str = "SET hot value\nSET longest 0123456789abcdef\nRPUSH list a b c\nSADD set x\n\
                    HSET hash f 1 g 2\nZADD zset 1 a 2.5 b\nXADD stream 1-1 f v\n";

/// Command lines whose output is the same on every server.
const SAME: &[&str] = &[
    "--csv lrange list 0 -1",
    "--json hgetall hash",
    "-3 --json zrange zset 0 -1 withscores",
    "-3 hgetall hash",
    "-3 smembers set",
    "--no-raw xrange stream - +",
    "-d ; lrange list 0 -1",
    "-r 3 ping",
    "-n 3 set elsewhere 1",
    "-n 3 dbsize",
    "incr counter",
];

/// Every mode of redis-cli that needs no replication, and every test of redis-benchmark.
pub fn tools(bench: &Bench) -> Result<Outcome> {
    let installed = install::redis_server().and_then(|()| install::redis_benchmark());
    match installed {
        Err(reason) => Ok(Outcome::Skipped(reason)),
        Ok(()) => side_by_side(bench, session),
    }
}

fn session(server: &Server) -> Result<String> {
    let mut shown = String::new();
    cli(server, "flushall", "")?;
    let keys: String = (0..3_000).map(|i| format!("SET key:{i} value\n")).collect();
    shown += &cli(server, "--pipe", &(keys + FILL))?;
    for line in SAME {
        shown += &format!("{line}: {}", cli(server, line, "")?);
    }
    shown += &cli(server, "-x set from-stdin", "bytes")?;
    let scanned = cli(server, "--scan --pattern key:12*", "")?;
    let mut scanned: Vec<_> = scanned.lines().collect();
    scanned.sort_unstable();
    shown += &format!("--scan --pattern key:12*: {} keys, ", scanned.len());
    shown += &format!("from {:?} to {:?}\n", scanned.first(), scanned.last());
    let biggest = cli(server, "--bigkeys", "")?;
    // Above it stands what was found in the order of the scan.
    shown += biggest.split("- summary -").nth(1).unwrap_or("--bigkeys without a summary\n");
    expect(&cli(server, "--memkeys", "")?, "Biggest stream found '\"stream\"' has")?;
    cli(server, "config set maxmemory-policy allkeys-lfu", "")?;
    cli(server, "-r 500 get hot", "")?;
    expect(&cli(server, "--hotkeys", "")?, "keyname: \"hot\"")?;
    cli(server, "config set maxmemory-policy noeviction", "")?;
    cli(server, "--latency --raw", "")?;
    cli(server, "flushall", "")?;
    for options in ["", "-P 16 -r 1000 -d 100", "-3 --threads 2"] {
        let line = format!("-q -n {REQUESTS} -t {TESTS} {options}");
        let said = run(server, "redis-benchmark", &line, "")?;
        let tables = said.matches("requests per second").count();
        if tables != TABLES {
            return Err(format!("{}: {tables} of {TABLES} tests ran:\n{said}", server.label));
        }
        shown += &format!("redis-benchmark {options}: {tables} tests\n");
    }
    cli(server, "flushall", "")?;
    Ok(shown)
}

fn expect(said: &str, wanted: &str) -> Result {
    if said.contains(wanted) { Ok(()) } else { Err(format!("no `{wanted}` in:\n{said}")) }
}

fn cli(server: &Server, line: &str, input: &str) -> Result<String> {
    run(server, "redis-cli", line, input)
}

/// Runs a tool with the words of `line` as its arguments and returns what it printed.
fn run(server: &Server, tool: &str, line: &str, input: &str) -> Result<String> {
    let failed = |what: String| format!("{}: `{tool} {line}`: {what}", server.label);
    let mut child = Command::new(tool)
        .args(["-p", &server.port.to_string()])
        .args(line.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed(e.to_string()))?;
    // What is written here fits into a pipe or is read while it is written.
    let mut stdin = child.stdin.take().expect("the child's standard input is a pipe");
    stdin.write_all(input.as_bytes()).map_err(|e| failed(e.to_string()))?;
    drop(stdin);
    let output = child.wait_with_output().map_err(|e| failed(e.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    match output.status.success() && !said.starts_with("ERR") {
        true => Ok(said),
        false => Err(failed(format!("{}\n{said}{complaint}", output.status))),
    }
}
