//! Server CPU time per command, with redis-benchmark as the load.

use std::process::Command;

use serde_json::{Value, json};

use super::{Plan, median, queue, ratio};
use crate::server::{Server, pump};
use crate::{Result, shell};

/// Connections of the load.
const CONNECTIONS: &str = "50";
/// A pipelined command costs less, so that a round takes more of them to measure as well.
const PIPELINED_FACTOR: u64 = 5;

/// A test: the command that is measured, and what must be there before.
pub(super) struct Test {
    name: &'static str,
    /// The command line; empty if redis-benchmark's own test of that name is meant.
    line: &'static str,
    /// The commands that are sent before, by number, as many as there are keys.
    fill: Option<fn(u64) -> String>,
    /// Whether that is done anew before each round, the key of this name being deleted first.
    spent: Option<&'static str>,
    /// Of how many requests one is sent: for commands that take long.
    share: u64,
    /// What sends them, where it must look at the replies; by default redis-benchmark.
    load: Option<Load>,
}

/// Of tests, by `test@depth`.
pub(super) type Figures = serde_json::Map<String, Value>;

/// Sends so many requests to a server, at most so many at once.
type Load = fn(&Server, u64, u32) -> Result;

impl Test {
    /// A test of redis-benchmark's own.
    const fn own(name: &'static str) -> Self {
        Self::new(name, "")
    }

    pub(super) const fn new(name: &'static str, line: &'static str) -> Self {
        Self { name, line, fill: None, spent: None, share: 1, load: None }
    }

    const fn filled(self, fill: fn(u64) -> String) -> Self {
        Self { fill: Some(fill), ..self }
    }

    const fn spending(self, key: &'static str) -> Self {
        Self { spent: Some(key), ..self }
    }

    const fn share(self, share: u64) -> Self {
        Self { share, ..self }
    }

    const fn by(self, load: Load) -> Self {
        Self { load: Some(load), ..self }
    }
}

const TESTS: &[Test] = &[
    Test::own("get"),
    Test::own("set"),
    Test::own("incr").filled(counter),
    Test::new("mget10", "MGET key:__rand_int__ *10"),
    Test::new("setex", "SET key:__rand_int__ xxx EX 1000"),
    Test::new("expire", "EXPIRE key:__rand_int__ 1000"),
    Test::new("getbit", "GETBIT key:__rand_int__ 7"),
    Test::own("lpush"),
    Test::own("rpop"),
    Test::own("sadd"),
    Test::own("hset"),
    Test::own("zadd"),
    Test::new("hget", "HGET myhash element:__rand_int__"),
    Test::new("zscore", "ZSCORE myzset element:__rand_int__"),
    Test::new("zrange10", "ZRANGE ranked 500000 500009").filled(ranked),
    Test::new("zincrby", "ZINCRBY ranked 1 element:__rand_int__").filled(ranked),
    Test::new("zrank", "ZRANK ranked element:__rand_int__").filled(ranked),
    Test::new("sinter", "SINTER half:0 half:1").filled(halves).share(20_000),
    Test::new("xadd", "XADD mystream:__rand_int__ * f v"),
    Test::new("xadd1", "XADD onestream * f v"),
    Test::new("xreadgroup", "XREADGROUP GROUP g c COUNT 1 STREAMS events >")
        .filled(events)
        .spending("events")
        .share(2),
    Test::new("xack", "XACK events g 1-__rand_int__").filled(deliver).spending("events").share(8),
    Test::new("queue", "").filled(events).spending("events").share(8).by(queue::work),
    Test::new("pfadd", "PFADD hll element:__rand_int__"),
    Test::new("geosearch", "GEOSEARCH places FROMLONLAT 15 37 BYRADIUS 2 km")
        .filled(places)
        .share(10),
    Test::new("evalget", "EVAL return(redis.call('get',KEYS[1])) 1 key:__rand_int__"),
];

fn counter(i: u64) -> String {
    format!("SET counter:{i:012} 1")
}

fn ranked(i: u64) -> String {
    format!("ZADD ranked {i} element:{i:012}")
}

/// Two sets of a hundred thousand members, of which they have half in common.
fn halves(i: u64) -> String {
    let (set, member) = (i / 100_000 % 2, i % 100_000 + i / 100_000 % 2 * 50_000);
    format!("SADD half:{set} member:{member:012}")
}

/// A stream with a group.
fn events(i: u64) -> String {
    match i {
        0 => "XGROUP CREATE events g 0 MKSTREAM".to_owned(),
        _ => format!("XADD events 1-{i} f v"),
    }
}

/// The same, half as long, and all of it delivered.
fn deliver(i: u64) -> String {
    match i {
        0 => events(0),
        _ if i % 2 == 1 => events(i / 2 + 1),
        _ => "XREADGROUP GROUP g c COUNT 1 STREAMS events >".to_owned(),
    }
}

fn places(i: u64) -> String {
    // Some six degrees around, in a spiral of no repetition.
    let (turn, far) = (i as f64 * 2.399_963, (i as f64).sqrt() / 170.0);
    format!("GEOADD places {:.6} {:.6} place:{i}", 15.0 + far * turn.cos(), 37.0 + far * turn.sin())
}

/// The names of the tests.
pub fn names() -> Vec<&'static str> {
    TESTS.iter().map(|test| test.name).collect()
}

/// Refuses a name that is no test.
///
/// # Errors
/// The name.
pub fn check_names(wanted: &[String]) -> Result {
    match wanted.iter().find(|name| !names().contains(&name.as_str())) {
        None => Ok(()),
        Some(unknown) => Err(format!("no test `{unknown}`; there are {}", names().join(", "))),
    }
}

/// Prints the table and returns its figures by `test@depth`.
///
/// # Errors
/// A server or a load that fails.
pub fn measure(plan: &Plan) -> Result<Value> {
    let servers: Vec<Server> = plan.servers.iter().map(|s| s.start()).collect::<Result<_>>()?;
    for server in &servers {
        let set = |i| vec!["SET".to_owned(), format!("key:{i:012}"), "xxx".to_owned()];
        pump(&mut server.connect()?, (0..plan.keys).map(set))?;
    }
    let known = |name: &String| {
        let test = TESTS.iter().find(|known| known.name == name);
        test.ok_or_else(|| format!("no test `{name}`"))
    };
    let tests: Vec<&Test> = plan.tests.iter().map(known).collect::<Result<_>>()?;
    table(plan, &servers, &tests).map(Value::Object)
}

/// Measures tests, prints a line of each and returns their figures.
pub(super) fn table(plan: &Plan, servers: &[Server], tests: &[&Test]) -> Result<Figures> {
    let width = tests.iter().map(|test| test.name.len()).max().unwrap_or(0).max(10) + 1;
    let (keys, rounds) = (plan.keys, plan.rounds);
    println!(
        "server CPU per command in us, {keys} keys, {CONNECTIONS} connections, {rounds} rounds"
    );
    print!("{:<width$}{:>4}", "test", "P");
    servers.iter().for_each(|server| print!("{:>10}", server.label));
    println!("{:>8}{:>16}", "ratio", "of the rounds");
    let mut figures = Figures::new();
    for depth in &plan.depths {
        for test in tests {
            if test.spent.is_none() {
                servers.iter().try_for_each(|server| fill(plan, server, test))?;
            }
            let rows = (0..rounds)
                .map(|_| servers.iter().map(|s| round(plan, s, test, *depth)).collect())
                .collect::<Result<Vec<Vec<f64>>>>()?;
            let column = |i: usize| median(rows.iter().map(|row| row[i]).collect());
            let us: Vec<f64> = (0..servers.len()).map(column).collect();
            let mut ratios: Vec<f64> = rows.iter().map(|row| ratio(row)).collect();
            ratios.sort_by(f64::total_cmp);
            print!("{:<width$}{depth:>4}", test.name);
            us.iter().for_each(|us| print!("{us:>10.3}"));
            let middle = median(ratios.clone());
            println!("{middle:>8.2}{:>9.2} -{:>5.2}", ratios[0], ratios[ratios.len() - 1]);
            let figure = json!({ "us": us, "ratio": middle, "ratios": ratios });
            figures.insert(format!("{}@{depth}", test.name), figure);
        }
    }
    Ok(figures)
}

/// Sends what a test needs.
fn fill(plan: &Plan, server: &Server, test: &Test) -> Result {
    let Some(fill) = test.fill else { return Ok(()) };
    let client = &mut server.connect()?;
    let commands = test.spent.map(|key| format!("DEL {key}")).into_iter();
    let commands = commands.chain((0..plan.keys).map(fill));
    pump(client, commands.map(|line| line.split(' ').map(str::to_owned).collect()))
}

/// Microseconds of server CPU per command in one round.
fn round(plan: &Plan, server: &Server, test: &Test, depth: u32) -> Result<f64> {
    if test.spent.is_some() {
        fill(plan, server, test)?;
    }
    let requests = plan.requests * if depth > 1 { PIPELINED_FACTOR } else { 1 };
    let requests = (requests / test.share).max(1);
    let before = server.cpu_ns();
    match test.load {
        Some(load) => load(server, requests, depth)?,
        None => benchmark(plan, server, test, requests, depth)?,
    }
    let spent = server.cpu_ns() - before;
    Ok(spent as f64 / requests as f64 / 1_000.0)
}

/// Sends the requests of a test by redis-benchmark.
fn benchmark(plan: &Plan, server: &Server, test: &Test, requests: u64, depth: u32) -> Result {
    let mut load = Command::new("redis-benchmark");
    load.args(["-p", &server.port.to_string(), "-q", "-c", CONNECTIONS])
        .args(["-n", &requests.to_string(), "-P", &depth.to_string()])
        .args(["-r", &plan.keys.max(1).to_string()]);
    match test.line {
        "" => load.args(["-t", test.name]),
        line => load.args(words(line)),
    };
    let said = shell::capture(&mut load)?;
    // Its exit status is 0 whatever the server answers.
    if said.to_ascii_lowercase().contains("error") {
        return Err(format!("{} at {}: {said}", test.name, server.label));
    }
    Ok(())
}

/// The words of a test's line, in which `*N` repeats the word before it N times in all.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in line.split(' ') {
        let times = word.strip_prefix('*').and_then(|times| times.parse::<usize>().ok());
        match (times, words.last().cloned()) {
            (Some(times), Some(last)) => words.extend(std::iter::repeat_n(last, times - 1)),
            _ => words.push(word.to_owned()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_repeats_the_word_before() {
        assert_eq!(words("MGET k *3"), ["MGET", "k", "k", "k"]);
        assert_eq!(words("XADD s * f v"), ["XADD", "s", "*", "f", "v"]);
    }

    #[test]
    fn what_is_delivered_was_added() {
        let lines: Vec<String> = (1..5).map(deliver).collect();
        assert!(lines[0] == "XADD events 1-1 f v" && lines[2] == "XADD events 1-2 f v");
        assert!(lines[1].starts_with("XREADGROUP") && lines[1] == lines[3]);
    }

    #[test]
    fn unknown_tests_are_refused() {
        assert!(check_names(&["get".to_owned()]).is_ok());
        assert!(check_names(&["got".to_owned()]).is_err());
    }
}
