//! `appendfsync always` with several event loops: whoever writes the log, and however long a flush
//! takes, every reply comes, and by then the log has what it tells of.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use support::{Client, Server};

/// Connections at a time.
const CLIENTS: usize = 12;
/// Commands of each.
const COMMANDS: usize = 60;

/// Everybody adds to one key, one command at a time, reads it back, and looks into the log.
fn add(mut client: Client, log: &std::path::Path, name: usize) {
    for number in 0..COMMANDS {
        let member = format!("member:{name}:{number}:");
        assert_eq!(client.command(&format!("SADD set {member}")), ":1");
        if number % 10 == 0 {
            let written = std::fs::read(log).unwrap();
            let is_there = written.windows(member.len()).any(|found| found == member.as_bytes());
            assert!(is_there, "{member} was acknowledged before it was written");
        }
        assert_eq!(client.command(&format!("SISMEMBER set {member}")), ":1");
    }
}

#[test]
fn every_reply_comes_when_its_flush_has_ended() {
    let directory = support::Directory::new();
    let path = directory.path().display().to_string();
    let options = ["--dir", &path, "--appendonly", "yes", "--appendfsync", "always"];
    let more = ["--io-threads", "3", "--enable-debug-command", "yes"];
    let server = Server::start(&[&options[..], &more[..]].concat());
    let log = directory.path().join("appendonlydir/appendonly.aof.1.incr.aof");
    // Flushes are made by the loops while they are short, else by a thread of their own; in the end
    // the one goes over into the other.
    for pause_us in [0, 1_000, 8_000, 0] {
        server.connect().command(&format!("DEBUG AOF-FLUSH-SLEEP {pause_us}"));
        server.connect().command("DEL set");
        std::thread::scope(|scope| {
            for name in 0..CLIENTS {
                let (client, log) = (server.connect(), &log);
                scope.spawn(move || add(client, log, name));
            }
        });
        let count = server.connect().command("SCARD set");
        assert_eq!(count, format!(":{}", CLIENTS * COMMANDS));
    }
    // What nobody waits for comes to the disk as well.
    let mut silent = server.connect();
    silent.send(b"CLIENT REPLY OFF\r\nSET silent-key 1\r\n");
    support::wait_for("a change without a reply", || {
        let written = std::fs::read(&log).unwrap();
        written.windows(10).any(|found| found == b"silent-key").then_some(())
    });
}
