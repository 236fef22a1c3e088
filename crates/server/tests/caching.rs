//! Client-side caching against a real server with two event loops: who has seen the reply to a
//! write finds the invalidation at the reader's socket, without asking that connection anything.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

use support::{Client, Server, request, wait_for};

/// Keeps the client's event loop busy for 200 ms, without any locks.
const BUSY: &str = "local t = os.clock() while os.clock() - t < 0.2 do end return 1";

fn keep_busy(client: &mut Client) {
    client.send(&request(&["EVAL", BUSY, "0"]));
    std::thread::sleep(Duration::from_millis(20));
}

/// Whether two clients belong to one event loop.
fn share_a_loop(one: &mut Client, other: &mut Client) -> bool {
    keep_busy(one);
    let begun = Instant::now();
    assert_eq!(other.command("PING"), "+PONG");
    let waited = begun.elapsed();
    assert_eq!(one.line(), ":1");
    waited > Duration::from_millis(100)
}

/// A client whose loop is that of `reader`, or is not.
fn neighbour(server: &Server, reader: &mut Client, shares: bool) -> Client {
    // They are kept meanwhile: a new client goes to the loop that has fewest.
    let mut others = Vec::new();
    loop {
        let mut client = server.connect();
        if share_a_loop(&mut client, reader) == shares {
            return client;
        }
        others.push(client);
        assert!(others.len() < 10, "all are on one loop");
    }
}

/// What has arrived.
fn arrived(client: &mut Client) -> String {
    client.stream.set_nonblocking(true).unwrap();
    let mut bytes = vec![0; 4096];
    let read = client.stream.read(&mut bytes);
    client.stream.set_nonblocking(false).unwrap();
    match read {
        Ok(len) => String::from_utf8_lossy(&bytes[..len]).into_owned(),
        Err(error) if error.kind() == ErrorKind::WouldBlock => String::new(),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn whoever_has_the_reply_finds_the_invalidation() {
    let server = Server::start(&["--io-threads", "2"]);
    let mut reader = server.connect();
    let mut beside = neighbour(&server, &mut reader, true);
    let mut writer = neighbour(&server, &mut reader, false);
    reader.send(b"HELLO 3\r\n");
    let greeting = || arrived(&mut reader).contains("modules").then_some(());
    wait_for("the reply to HELLO", greeting);
    let key = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n";
    let all = ">2\r\n$10\r\ninvalidate\r\n_\r\n";
    for (mode, write, reply, told) in [
        ("ON", "SET k 1", "+OK", key),
        ("ON", "FLUSHALL", "+OK", all),
        ("ON BCAST PREFIX k", "INCR k", ":1", key),
    ] {
        reader.command("CLIENT TRACKING OFF");
        assert_eq!(reader.command(&format!("CLIENT TRACKING {mode}")), "+OK");
        reader.command("GET k");
        keep_busy(&mut beside);
        let begun = Instant::now();
        assert_eq!(writer.command(write), reply, "{mode}");
        assert_eq!(arrived(&mut reader), told, "{write} after {:?}", begun.elapsed());
        assert_eq!(beside.line(), ":1");
    }
    // Who writes what it has cached itself gets the reply first.
    assert_eq!(reader.command("SET k 2"), "+OK");
    assert_eq!(reader.line(), ">2");
}
