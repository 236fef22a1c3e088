//! The real program, killed under load again and again: what it acknowledged is there when it
//! starts again, in order, and transactions are whole.
//!
//! `FERRITE_SOAK_KILLS` says how often; `cargo xtask soak` sets it.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use stdx::rng::Rng;
use support::{Client, Directory, PATIENCE, Server};

/// Connections that write.
const WRITERS: usize = 3;
/// Transactions that a connection has under way.
const WINDOW: u64 = 8;
/// Lines of the replies to one transaction.
const REPLY_LINES: u64 = 8;
/// What is older than this survives a kill with `everysec`. It needs far less, as the kernel
/// survives; a busy machine needs some.
const BOUND: Duration = Duration::from_secs(1);

/// What a writer knows when its server is gone.
struct Writer {
    /// When how many of its transactions had been acknowledged.
    acknowledged: Vec<(Instant, u64)>,
}

/// Sends transactions numbered from `first` until the connection breaks.
fn write(port: u16, name: usize, first: u64) -> Writer {
    let mut acknowledged = vec![(Instant::now(), first - 1)];
    let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return Writer { acknowledged };
    };
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut replies = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut stream = stream;
    let transaction = |number: u64| {
        format!("MULTI\r\nRPUSH list:{name} {number}\r\nINCR a:{name}\r\nINCR b:{name}\r\nEXEC\r\n")
    };
    for number in first..first + WINDOW {
        let _ = stream.write_all(transaction(number).as_bytes());
    }
    for number in first.. {
        for _ in 0..REPLY_LINES {
            match replies.next() {
                Some(Ok(line)) => assert!(!line.starts_with('-'), "{line}"),
                _ => return Writer { acknowledged },
            }
        }
        acknowledged.push((Instant::now(), number));
        let _ = stream.write_all(transaction(number + WINDOW).as_bytes());
    }
    unreachable!("a connection ends before the numbers do")
}

/// The number of transactions of a writer that are there. All of each, and none left out.
fn survived(client: &mut Client, name: usize) -> u64 {
    let count = |client: &mut Client, command: &str| {
        client.command(command).trim_start_matches(':').parse::<u64>().unwrap_or(0)
    };
    let length = count(client, &format!("LLEN list:{name}"));
    for counter in ["a", "b"] {
        assert_eq!(count(client, &format!("GET {counter}:{name}")), length, "half a transaction");
    }
    client.send(format!("LRANGE list:{name} 0 -1\r\n").as_bytes());
    assert_eq!(client.line(), format!("*{length}"));
    for number in 1..=length {
        let _ = client.line();
        assert_eq!(client.line(), number.to_string(), "one is missing, or twice there");
    }
    length
}

#[test]
fn killed_under_load() {
    let rounds = std::env::var("FERRITE_SOAK_KILLS").map_or(4, |text| text.parse().unwrap());
    let mut rng = Rng::seed(7);
    let directory = Directory::new();
    let path = directory.path().display().to_string();
    let (mut before, mut acknowledged) = (vec![0; WRITERS], 0);
    for round in 0..rounds {
        let policy = ["always", "everysec"][round % 2];
        let preamble = ["yes", "no"][round / 2 % 2];
        let options = ["--dir", &path, "--appendonly", "yes", "--appendfsync", policy];
        let more = ["--aof-use-rdb-preamble", preamble, "--auto-aof-rewrite-min-size", "64kb"];
        let mut server = Server::start(&[&options[..], &more[..]].concat());
        let port = server.port;
        let writers: Vec<_> = (before.iter().enumerate())
            .map(|(name, &count)| std::thread::spawn(move || write(port, name, count + 1)))
            .collect();
        for _ in 0..rng.below(4) {
            std::thread::sleep(Duration::from_millis(rng.below(150)));
            let _ = server.connect().command("BGREWRITEAOF");
        }
        std::thread::sleep(Duration::from_millis(rng.below(300)));
        let killed = Instant::now();
        server.signal("KILL");
        server.wait();
        drop(server);
        let writers: Vec<Writer> = writers.into_iter().map(|w| w.join().unwrap()).collect();
        let server = Server::start(&["--dir", &path, "--appendonly", "yes"]);
        let mut client = server.connect();
        for (name, writer) in writers.iter().enumerate() {
            let old = |at: &Instant| policy == "always" || *at + BOUND <= killed;
            let due = writer.acknowledged.iter().rev().find(|(at, _)| old(at));
            let due = due.map_or(0, |&(_, count)| count);
            let found = survived(&mut client, name);
            assert!(found >= due, "round {round}, {policy}: {found} of {due} survived");
            acknowledged += due.saturating_sub(before[name]);
            before[name] = found;
        }
    }
    println!("{rounds} kills, {acknowledged} transactions were due, 0 losses");
}
