//! Connections against a real server: fragments, slow readers, limits, kills, addresses.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use support::{Client, PATIENCE, Server, free_port, wait_for};

fn bulk(parts: &[&[u8]]) -> Vec<u8> {
    let mut request = format!("*{}\r\n", parts.len()).into_bytes();
    for part in parts {
        request.extend_from_slice(format!("${}\r\n", part.len()).as_bytes());
        request.extend_from_slice(part);
        request.extend_from_slice(b"\r\n");
    }
    request
}

#[test]
fn requests_may_arrive_in_any_fragments() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let request = [&bulk(&[b"SET", b"key", b"some value"])[..], b"GET key\r\n", b"\r\nPING\r\n"];
    let request = request.concat();
    let reply = b"+OK\r\n$10\r\nsome value\r\n+PONG\r\n";
    for step in [1, 2, 3, 7, 19] {
        for piece in request.chunks(step) {
            client.send(piece);
            // Whether the server sees the pieces apart is up to the kernel; mostly it does.
            thread::sleep(Duration::from_micros(300));
        }
        client.expect(reply);
    }
}

#[test]
fn a_pipeline_longer_than_any_buffer_is_answered_in_order() {
    let server = Server::start(&[]);
    let client = server.connect();
    let mut writer = client.stream.try_clone().unwrap();
    let sender = thread::spawn(move || {
        for number in 0..200_000u32 {
            let text = number.to_string();
            let request = bulk(&[b"ECHO", text.as_bytes()]);
            writer.write_all(&request).unwrap();
        }
    });
    let mut reader = std::io::BufReader::new(client.stream);
    for number in 0..200_000u32 {
        let text = number.to_string();
        let expected = format!("${}\r\n{text}\r\n", text.len());
        let mut received = vec![0; expected.len()];
        reader.read_exact(&mut received).unwrap();
        assert_eq!(received, expected.as_bytes());
    }
    sender.join().unwrap();
}

#[test]
fn large_values_pass_in_both_directions() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let value: Vec<u8> = (0..30_000_000u32).map(|at| (at % 251) as u8).collect();
    client.send(&bulk(&[b"SET", b"large", &value]));
    client.expect(b"+OK\r\n");
    client.send(b"GET large\r\n");
    client.expect(format!("${}\r\n", value.len()).as_bytes());
    let mut received = vec![0; value.len()];
    client.stream.read_exact(&mut received).unwrap();
    assert!(received == value);
    client.expect(b"\r\n");
    assert_eq!(client.command("STRLEN large"), ":30000000");
}

#[test]
fn a_reader_that_is_slow_gets_everything() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let value = vec![b'v'; 1_000_000];
    client.send(&bulk(&[b"SET", b"k", &value]));
    client.expect(b"+OK\r\n");
    client.send(&b"GET k\r\n".repeat(40));
    thread::sleep(Duration::from_millis(300));
    // Others are served meanwhile.
    assert_eq!(server.connect().command("PING"), "+PONG");
    for _ in 0..40 {
        client.expect(b"$1000000\r\n");
        let mut received = vec![0; value.len()];
        client.stream.read_exact(&mut received).unwrap();
        assert!(received == value);
        client.expect(b"\r\n");
    }
}

#[test]
fn who_has_said_all_gets_the_rest_of_the_replies_and_is_gone_then() {
    let server = Server::start(&[]);
    let mut observer = server.connect();
    // What the sockets take at once, and what they do not.
    for len in [1_500_000, 20_000_000] {
        let value = vec![b'v'; len];
        observer.send(&bulk(&[b"SET", b"k", &value]));
        observer.expect(b"+OK\r\n");
        for _ in 0..5 {
            let mut client = server.connect();
            client.send(b"GET k\r\nPING\r\n");
            client.stream.shutdown(Shutdown::Write).unwrap();
            client.expect(format!("${len}\r\n").as_bytes());
            let mut received = vec![0; len];
            client.stream.read_exact(&mut received).unwrap();
            assert!(received == value);
            client.expect(b"\r\n+PONG\r\n");
        }
    }
    wait_for("the end of the connections", || {
        (observer.command("CLIENT LIST").lines().count() == 1).then_some(())
    });
}

#[test]
fn a_reader_that_is_too_slow_is_closed() {
    let limit = ["--client-output-buffer-limit", "normal 20mb 0 0"];
    let server = Server::start(&limit);
    let mut client = server.connect();
    client.send(&bulk(&[b"SET", b"k", &vec![b'v'; 1_000_000]]));
    client.expect(b"+OK\r\n");
    client.send(&b"GET k\r\n".repeat(60));
    server.wait_for_log("scheduled to be closed ASAP for overcoming of output buffer limits.");
    assert!(client.rest().len() < 60_000_000);
    assert_eq!(server.info("client_output_buffer_limit_disconnections"), 1);
}

#[test]
fn a_subscriber_that_reads_late_gets_every_message_in_order() {
    let server = Server::start(&["--io-threads", "2"]);
    let (mut publisher, mut subscriber) = (server.connect(), server.connect());
    subscriber.send(b"SUBSCRIBE c\r\n");
    subscriber.expect(b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
    let text = |number: usize| format!("{number}:{}", "m".repeat([3, 300, 30_000][number % 3]));
    for number in 0..1_500 {
        publisher.send(&bulk(&[b"PUBLISH", b"c", text(number).as_bytes()]));
        publisher.expect(b":1\r\n");
    }
    // Requests of its own come in between.
    subscriber.send(b"PING\r\n");
    for number in 0..1_500 {
        let text = text(number);
        let head = format!("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n${}\r\n", text.len());
        subscriber.expect(format!("{head}{text}\r\n").as_bytes());
    }
    subscriber.expect(b"*2\r\n$4\r\npong\r\n$0\r\n\r\n");
}

#[test]
fn a_subscriber_that_never_reads_is_closed() {
    let server = Server::start(&["--client-output-buffer-limit", "pubsub 1mb 0 0"]);
    let (mut publisher, mut deaf) = (server.connect(), server.connect());
    deaf.send(b"SUBSCRIBE c\r\n");
    deaf.expect(b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
    let message = vec![b'm'; 100_000];
    wait_for("the subscriber's end", || {
        publisher.send(&bulk(&[b"PUBLISH", b"c", &message]));
        (publisher.line() == ":0").then_some(())
    });
    server.wait_for_log("scheduled to be closed ASAP for overcoming of output buffer limits.");
    assert_eq!(server.info("client_output_buffer_limit_disconnections"), 1);
    assert_eq!(server.info("pubsub_channels"), 0);
}

#[test]
fn a_reply_without_end_is_not_even_begun() {
    let server = Server::start(&["--client-output-buffer-limit", "normal 1000000 0 0"]);
    let mut client = server.connect();
    assert_eq!(client.command("HSET k field value"), ":1");
    client.send(b"HRANDFIELD k -999999999\r\n");
    assert_eq!(client.rest(), "");
    assert_eq!(server.info("client_output_buffer_limit_disconnections"), 1);
}

#[test]
fn a_soft_limit_closes_after_its_time() {
    let server = Server::start(&["--client-output-buffer-limit", "normal 0 1mb 1"]);
    let mut client = server.connect();
    client.send(&bulk(&[b"SET", b"k", &vec![b'v'; 1_000_000]]));
    client.expect(b"+OK\r\n");
    client.send(&b"GET k\r\n".repeat(20));
    server.wait_for_log("scheduled to be closed ASAP for overcoming of output buffer limits.");
    assert!(client.rest().len() < 20_000_000);
}

#[test]
fn a_query_buffer_has_its_limit() {
    let server = Server::start(&["--client-query-buffer-limit", "1mb"]);
    let mut client = server.connect();
    let header = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$9000000\r\n";
    // The server closes while this is being sent.
    let _ = client.stream.write_all(header);
    let _ = client.stream.write_all(&vec![b'v'; 9_000_000]);
    assert_eq!(client.rest(), "");
    server.wait_for_log("Closing client that reached max query buffer length");
    assert_eq!(server.info("client_query_buffer_limit_disconnections"), 1);
}

/// A header that announces `bytes`, and so many bytes without an end.
fn unfinished(bytes: usize) -> Vec<u8> {
    [format!("*2\r\n${bytes}\r\n").as_bytes(), &vec![b'v'; bytes]].concat()
}

/// The names of all clients but of those that have none.
fn names(client: &mut Client) -> Vec<String> {
    let list = client.command("CLIENT LIST");
    let name = |line: &str| {
        let name = line.split(' ').find_map(|field| field.strip_prefix("name="))?;
        (!name.is_empty()).then(|| name.to_owned())
    };
    list.lines().filter_map(name).collect()
}

/// Clients that hold so many bytes each, named by their size.
fn holding(server: &Server, sizes: &[usize]) -> Vec<Client> {
    let mut clients = Vec::new();
    for &size in sizes {
        let mut client = server.connect();
        assert_eq!(client.command(&format!("CLIENT SETNAME c{size}")), "+OK");
        client.send(&unfinished(size));
        let mut other = server.connect();
        wait_for("the bytes to arrive", || {
            let list = other.command(&format!("CLIENT LIST NAME c{size}"));
            let field = |name: &str| {
                let value = list.split(' ').find_map(|field| field.strip_prefix(name));
                value.unwrap().parse::<usize>().unwrap()
            };
            (field("qbuf=") >= size && field("tot-mem=") > size).then_some(())
        });
        clients.push(client);
    }
    clients
}

#[test]
fn the_largest_clients_go_when_all_take_too_much() {
    let server = Server::start(&[]);
    let mut control = server.connect();
    assert_eq!(control.command("CLIENT SETNAME control"), "+OK");
    assert_eq!(control.command("CLIENT NO-EVICT ON"), "+OK");
    let mut held = holding(&server, &[300_000, 900_000, 600_000]);
    assert_eq!(control.command("CONFIG SET maxmemory-clients 1200000"), "+OK");
    assert_eq!(names(&mut control), ["control", "c300000", "c600000"]);
    assert_eq!(held[1].rest(), "");
    assert_eq!(control.command("CONFIG SET maxmemory 10mb"), "+OK");
    assert_eq!(control.command("CONFIG SET maxmemory-clients 5%"), "+OK");
    assert_eq!(names(&mut control), ["control", "c300000"]);
    server.wait_for_log("Evicting client: id=");
    assert_eq!(server.info("evicted_clients"), 2);
    assert_eq!(control.command("CONFIG RESETSTAT"), "+OK");
    assert_eq!(server.info("evicted_clients"), 0);
}

#[test]
fn a_client_that_grows_above_the_limit_goes_at_once() {
    let server = Server::start(&["--maxmemory-clients", "1mb"]);
    let mut control = server.connect();
    assert_eq!(control.command("CLIENT NO-EVICT ON"), "+OK");
    // By what it sends, whether it is protected decides.
    let mut large = server.connect();
    assert_eq!(large.command("CLIENT NO-EVICT ON"), "+OK");
    assert_eq!(large.command("CLIENT SETNAME large"), "+OK");
    large.send(&unfinished(1_500_000));
    let other = server.connect();
    assert_eq!(Client::new(other.stream).rest(), "");
    drop(large);
    wait_for("disconnection", || names(&mut control).is_empty().then_some(()));
    let mut large = server.connect();
    // The server closes while this is being sent.
    let _ = large.stream.write_all(&unfinished(1_500_000));
    assert_eq!(large.rest(), "");
    // By its transaction.
    let mut queueing = server.connect();
    assert_eq!(queueing.command("MULTI"), "+OK");
    let set = bulk(&[b"SET", b"k", &vec![b'v'; 400_000]]);
    for _ in 0..2 {
        queueing.send(&set);
        queueing.expect(b"+QUEUED\r\n");
    }
    // The third is too much once it is queued, or already while it arrives.
    let _ = queueing.stream.write_all(&set);
    assert!(["", "+QUEUED\r\n"].contains(&queueing.rest().as_str()));
    // By what it does not read.
    control.send(&bulk(&[b"SET", b"k", &vec![b'v'; 500_000]]));
    control.expect(b"+OK\r\n");
    let mut deaf = server.connect();
    assert_eq!(deaf.command("CLIENT SETNAME deaf"), "+OK");
    deaf.send(&b"GET k\r\n".repeat(100));
    wait_for("eviction", || names(&mut control).is_empty().then_some(()));
    assert!(deaf.rest().len() < 100 * 500_000);
    // By what it watches and listens to.
    assert_eq!(control.command("CONFIG SET maxmemory-clients 100000"), "+OK");
    for command in ["WATCH", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"] {
        let mut client = server.connect();
        assert_eq!(client.command("CLIENT SETNAME busy"), "+OK");
        for number in 0..5_000 {
            if client.stream.write_all(format!("{command} {number}\r\n").as_bytes()).is_err() {
                break;
            }
        }
        wait_for("eviction", || names(&mut control).is_empty().then_some(()));
    }
}

#[test]
fn a_stalled_request_keeps_no_free_space() {
    let server = Server::start(&[]);
    let (mut stalled, mut other) = (server.connect(), server.connect());
    stalled.send(b"CLIENT SETNAME stalled\r\n");
    stalled.expect(b"+OK\r\n");
    stalled.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000000\r\n");
    let mut space = || -> usize {
        let list = other.command("CLIENT LIST");
        let line = list.lines().find(|line| line.contains(" name=stalled ")).unwrap();
        let field = line.split(' ').find_map(|field| field.strip_prefix("qbuf-free="));
        field.unwrap().parse().unwrap()
    };
    wait_for("the header to arrive", || {
        stalled.send(b"v");
        (space() >= 900_000).then_some(())
    });
    wait_for("the buffer to shrink", || (space() < 100_000).then_some(()));
    stalled.send(&vec![b'v'; 1_000_000]);
    stalled.send(b"\r\n");
    stalled.expect(b"+OK\r\n");
}

#[test]
fn protocol_errors_are_answered_and_end_the_connection() {
    let server = Server::start(&[]);
    let cases: [(&[u8], &str); 3] = [
        (b"*3\r\n$3\r\nSET\r\n:1\r\n", "-ERR Protocol error: expected '$', got ':'\r\n"),
        (b"*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
        (b"PING\r\n\"\r\n", "+PONG\r\n-ERR Protocol error: unbalanced quotes in request\r\n"),
    ];
    for (request, reply) in cases {
        let mut client = server.connect();
        client.send(request);
        assert_eq!(client.rest(), reply);
    }
}

#[test]
fn an_abandoned_request_leaves_no_trace() {
    let server = Server::start(&["--io-threads", "1"]);
    for _ in 0..20 {
        let mut client = server.connect();
        client.send(b"*2\r\n$4\r\nECHO\r\n$10\r\nabc");
        client.stream.shutdown(Shutdown::Both).unwrap();
        assert_eq!(server.connect().command("PING"), "+PONG");
    }
    assert!(!server.log().contains("BUG REPORT"), "{}", server.log());
}

#[test]
fn requests_before_the_end_of_the_stream_are_answered() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.send(b"SET a 1\r\nGET a\r\n");
    client.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.rest(), "+OK\r\n$1\r\n1\r\n");
}

#[test]
fn a_thousand_connections_work_and_cost_little() {
    let server = Server::start(&["--maxclients", "2000"]);
    // What the first connection of each event loop touches is not a connection's.
    for _ in 0..4 {
        let mut client = server.connect();
        assert_eq!(client.command("PING"), "+PONG");
        client.send(&bulk(&[b"SET", b"k", b"v"]));
        client.expect(b"+OK\r\n");
    }
    let before = server.resident();
    let mut clients: Vec<Client> = (0..1000).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(&bulk(&[b"SET", b"k", b"v"]));
    }
    for client in &mut clients {
        client.expect(b"+OK\r\n");
    }
    let added = server.resident().saturating_sub(before);
    assert!(added < 2_000_000, "{added} bytes for 1,000 connections");
    assert_eq!(server.info("connected_clients"), 1001);
    drop(clients);
    wait_for("disconnections", || (server.info("connected_clients") == 1).then_some(()));
}

#[test]
fn more_clients_than_allowed_are_refused() {
    let server = Server::start(&["--maxclients", "3"]);
    let mut clients: Vec<Client> = (0..3).map(|_| server.connect()).collect();
    for client in &mut clients {
        assert_eq!(client.command("PING"), "+PONG");
    }
    assert_eq!(server.connect().rest(), "-ERR max number of clients reached\r\n");
    assert_eq!(clients[0].command("CONFIG SET maxclients 4"), "+OK");
    assert_eq!(server.connect().command("PING"), "+PONG");
}

#[test]
fn clients_are_killed_across_threads() {
    let server = Server::start(&["--io-threads", "2"]);
    // New connections go to the loop with the fewest, so these spread over both.
    let mut clients: Vec<Client> = (0..4).map(|_| server.connect()).collect();
    let ids: Vec<String> = clients
        .iter_mut()
        .map(|client| client.command("CLIENT ID").strip_prefix(':').unwrap().to_owned())
        .collect();
    let (killer, victims) = clients.split_first_mut().unwrap();
    for (victim, id) in victims.iter_mut().zip(&ids[1..]) {
        assert_eq!(killer.command(&format!("CLIENT KILL ID {id}")), ":1");
        assert_eq!(victim.rest(), "");
    }
    assert_eq!(killer.command("PING"), "+PONG");
    // Killing oneself is answered first.
    killer.send(format!("CLIENT KILL ID {} SKIPME no\r\n", ids[0]).as_bytes());
    assert_eq!(killer.rest(), ":1\r\n");
}

#[test]
fn idle_connections_are_closed_in_time() {
    let server = Server::start(&[]);
    let mut idle = server.connect();
    let mut busy = server.connect();
    assert_eq!(idle.command("PING"), "+PONG");
    assert_eq!(busy.command("CONFIG SET timeout 1"), "+OK");
    let closed = thread::spawn(move || idle.rest());
    wait_for("the idle client to be closed", || {
        assert_eq!(busy.command("PING"), "+PONG");
        thread::sleep(Duration::from_millis(100));
        closed.is_finished().then_some(())
    });
    assert_eq!(closed.join().unwrap(), "");
}

#[test]
fn a_paused_client_goes_on_where_it_stopped() {
    let server = Server::start(&[]);
    let (mut paused, mut other) = (server.connect(), server.connect());
    assert_eq!(other.command("CLIENT PAUSE 10000 WRITE"), "+OK");
    paused.send(b"GET a\r\nSET a 1\r\nGET a\r\n");
    paused.expect(b"$-1\r\n");
    paused.stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(paused.stream.read(&mut [0; 10]).is_err());
    paused.stream.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(other.command("CLIENT UNPAUSE"), "+OK");
    paused.expect(b"+OK\r\n$1\r\n1\r\n");
}

#[test]
fn strangers_are_refused_in_protected_mode() {
    // Asking for a route sends nothing and tells this machine's own outward address.
    let probe = UdpSocket::bind("0.0.0.0:0").unwrap();
    let address = probe.connect("192.0.2.1:9").and_then(|()| probe.local_addr());
    let Ok(address) = address.map(|address| address.ip()) else {
        eprintln!("not tested: this machine has no address but the loopback one");
        return;
    };
    let server = Server::start(&[]);
    let stranger = || Client::new(TcpStream::connect((address, server.port)).unwrap());
    let refusal = stranger().rest();
    assert!(refusal.starts_with("-DENIED Redis is running in protected mode because"), "{refusal}");
    assert!(refusal.ends_with("accepting connections from the outside.\r\n"), "{refusal}");
    assert_eq!(server.connect().command("CONFIG SET requirepass secret"), "+OK");
    assert_eq!(stranger().command("PING"), "-NOAUTH Authentication required.");
}

#[test]
fn unix_socket_and_ipv6_serve_too() {
    let directory = support::Directory::new();
    let path = directory.file("socket");
    // A group of the process, which may be given away without privileges.
    let id = |what: &str| {
        let output = std::process::Command::new("id").arg(what).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let access = ["--unixsocketperm", "700", "--unixsocketgroup", &id("-gn")];
    let server = Server::start(&[&["--unixsocket", &path][..], &access].concat());
    server.wait_for_log("Ready to accept connections unix");
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let metadata = std::fs::metadata(&path).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o700);
    assert_eq!(metadata.gid().to_string(), id("-g"));
    let mut client = Client { stream: UnixStream::connect(&path).unwrap() };
    assert_eq!(client.command("PING"), "+PONG");
    let info = client.command("CLIENT INFO");
    assert!(info.contains(&format!(" addr={path}:0 ")) && info.contains(" flags=U "), "{info}");
    match TcpStream::connect(("::1", server.port)) {
        Ok(stream) => {
            let mut client = Client::new(stream);
            assert!(client.command("CLIENT INFO").contains(" addr=[::1]:"));
        }
        Err(error) => eprintln!("not tested: no IPv6 here: {error}"),
    }
}

#[test]
fn addresses_change_at_run_time_or_stay() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let other = free_port();
    assert_eq!(client.command(&format!("CONFIG SET port {other}")), "+OK");
    assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err());
    let mut moved = Client::new(TcpStream::connect(("127.0.0.1", other)).unwrap());
    assert_eq!(moved.command("CONFIG SET bind 127.0.0.1"), "+OK");
    let occupied = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = occupied.local_addr().unwrap().port();
    let reply = moved.command(&format!("CONFIG SET port {taken}"));
    assert!(reply.ends_with("Unable to listen on this port. Check server logs."), "{reply}");
    let reply = moved.command("CONFIG SET bind 192.0.2.1");
    assert!(reply.ends_with("Failed to bind to specified addresses."), "{reply}");
    let mut still = Client::new(TcpStream::connect(("127.0.0.1", other)).unwrap());
    assert_eq!(still.command("PING"), "+PONG");
}

#[test]
fn a_reply_that_was_waited_for_obeys_the_reply_mode() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    let fill = |client: &mut Client| {
        // More than a flush frees without a wait.
        (0..2000).for_each(|key| client.send(format!("SET {key} 1\r\n").as_bytes()));
        (0..2000).for_each(|_| client.expect(b"+OK\r\n"));
    };
    fill(&mut client);
    client.send(b"CLIENT REPLY SKIP\r\nFLUSHALL SYNC\r\nPING\r\n");
    client.expect(b"+PONG\r\n");
    fill(&mut client);
    client.send(b"CLIENT REPLY OFF\r\nFLUSHALL SYNC\r\nCLIENT REPLY ON\r\nPING\r\n");
    client.expect(b"+OK\r\n+PONG\r\n");
    fill(&mut client);
    client.send(b"FLUSHALL SYNC\r\nPING\r\n");
    client.expect(b"+OK\r\n+PONG\r\n");
    fill(&mut client);
    client.send(b"CLIENT REPLY SKIP\r\nFLUSHDB\r\nDBSIZE\r\n");
    client.expect(b":0\r\n");
}

#[test]
fn slow_commands_sent_in_one_go_are_answered_in_full() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    client.send(&bulk(&[b"SET", b"k", &vec![0xff; 200_000]]));
    client.expect(b"+OK\r\n");
    // Each takes some tenths of a millisecond, so that turns end for want of time.
    for count in 1..60 {
        client.send(&b"BITCOUNT k\r\n".repeat(count));
        client.expect(&b":1600000\r\n".repeat(count));
    }
}

#[test]
fn a_client_that_listens_is_not_idle() {
    let server = Server::start(&["--timeout", "1"]);
    let (mut listener, mut idle) = (server.connect(), server.connect());
    listener.send(b"SUBSCRIBE c\r\n");
    listener.expect(b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
    assert_eq!(idle.rest(), "", "whoever does nothing is closed");
    thread::sleep(Duration::from_millis(1_500));
    assert_eq!(server.connect().command("PUBLISH c hi"), ":1");
    listener.expect(b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n");
}

#[test]
fn waits_that_were_served_leave_the_later_ones_their_time() {
    let server = Server::start(&[]);
    let (mut waiting, mut pushing) = (server.connect(), server.connect());
    for _ in 0..300 {
        waiting.send(b"BLPOP q 0.2\r\n");
        pushing.command("RPUSH q x");
        waiting.expect(b"*2\r\n$1\r\nq\r\n$1\r\nx\r\n");
    }
    let begun = std::time::Instant::now();
    waiting.send(b"BLPOP q 0.4\r\n");
    waiting.expect(b"*-1\r\n");
    assert!(begun.elapsed() >= Duration::from_millis(400));
}

#[test]
fn who_is_served_after_its_time_in_the_same_turn_does_not_hold_the_loop_up() {
    let server = Server::start(&["--io-threads", "1", "--enable-debug-command", "yes"]);
    let (mut waiting, mut pushing) = (server.connect(), server.connect());
    for round in 0..3 {
        waiting.send(b"BLPOP q 0.05\r\n");
        // One turn: the time is over before the push, and nobody has looked at it in between.
        pushing.send(b"ECHO waits\r\n");
        pushing.expect(b"$5\r\nwaits\r\n");
        pushing.send(b"DEBUG SLEEP 0.1\r\nRPUSH q x\r\n");
        pushing.expect(b"+OK\r\n:1\r\n");
        waiting.expect(b"*2\r\n$1\r\nq\r\n$1\r\nx\r\n");
        assert_eq!(waiting.command("PING"), "+PONG", "round {round}");
    }
}
