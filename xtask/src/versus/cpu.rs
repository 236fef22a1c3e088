//! Server CPU time per command, with redis-benchmark as the load.

use std::process::Command;

use serde_json::{Value, json};

use super::{Plan, median, ratio};
use crate::server::{Server, pump};
use crate::{Result, shell};

/// Connections of the load.
const CONNECTIONS: &str = "50";
/// A pipelined command costs less, so that a round takes more of them to measure as well.
const PIPELINED_FACTOR: u64 = 5;

/// Name and command line of a test; an empty line means redis-benchmark's own test of that name.
const TESTS: &[(&str, &str)] = &[
    ("get", ""),
    ("set", ""),
    ("incr", ""),
    ("mget10", "MGET key:__rand_int__ *10"),
    ("setex", "SET key:__rand_int__ xxx EX 1000"),
    ("expire", "EXPIRE key:__rand_int__ 1000"),
    ("getbit", "GETBIT key:__rand_int__ 7"),
    ("lpush", ""),
    ("rpop", ""),
    ("sadd", ""),
    ("hset", ""),
    ("zadd", ""),
    ("hget", "HGET myhash element:__rand_int__"),
    ("zscore", "ZSCORE myzset element:__rand_int__"),
    ("xadd", "XADD mystream:__rand_int__ * f v"),
    ("evalget", "EVAL return(redis.call('get',KEYS[1])) 1 key:__rand_int__"),
];

/// The names of the tests.
pub fn names() -> Vec<&'static str> {
    TESTS.iter().map(|(name, _)| *name).collect()
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
    let (keys, rounds) = (plan.keys, plan.rounds);
    println!(
        "server CPU per command in us, {keys} keys, {CONNECTIONS} connections, {rounds} rounds"
    );
    print!("{:<10}{:>4}", "test", "P");
    servers.iter().for_each(|server| print!("{:>10}", server.label));
    println!("{:>8}{:>16}", "ratio", "of the rounds");
    let mut figures = serde_json::Map::new();
    for depth in &plan.depths {
        for test in &plan.tests {
            let rows = (0..rounds)
                .map(|_| servers.iter().map(|s| round(plan, s, test, *depth)).collect())
                .collect::<Result<Vec<Vec<f64>>>>()?;
            let column = |i: usize| median(rows.iter().map(|row| row[i]).collect());
            let us: Vec<f64> = (0..servers.len()).map(column).collect();
            let mut ratios: Vec<f64> = rows.iter().map(|row| ratio(row)).collect();
            ratios.sort_by(f64::total_cmp);
            print!("{test:<10}{depth:>4}");
            us.iter().for_each(|us| print!("{us:>10.3}"));
            let middle = median(ratios.clone());
            println!("{middle:>8.2}{:>9.2} -{:>5.2}", ratios[0], ratios[ratios.len() - 1]);
            let figure = json!({ "us": us, "ratio": middle, "ratios": ratios });
            figures.insert(format!("{test}@{depth}"), figure);
        }
    }
    Ok(Value::Object(figures))
}

/// Microseconds of server CPU per command in one round.
fn round(plan: &Plan, server: &Server, test: &str, depth: u32) -> Result<f64> {
    let requests = plan.requests * if depth > 1 { PIPELINED_FACTOR } else { 1 };
    let mut load = Command::new("redis-benchmark");
    load.args(["-p", &server.port.to_string(), "-q", "-c", CONNECTIONS])
        .args(["-n", &requests.to_string(), "-P", &depth.to_string()])
        .args(["-r", &plan.keys.max(1).to_string()]);
    let line = TESTS.iter().find(|(name, _)| *name == test).map_or("", |(_, line)| line);
    match line {
        "" => load.args(["-t", test]),
        line => load.args(words(line)),
    };
    let before = server.cpu_ns();
    let said = shell::capture(&mut load)?;
    let spent = server.cpu_ns() - before;
    // Its exit status is 0 whatever the server answers.
    if said.to_ascii_lowercase().contains("error") {
        return Err(format!("{test} at {}: {said}", server.label));
    }
    Ok(spent as f64 / requests as f64 / 1_000.0)
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
    fn unknown_tests_are_refused() {
        assert!(check_names(&["get".to_owned()]).is_ok());
        assert!(check_names(&["got".to_owned()]).is_err());
    }
}
