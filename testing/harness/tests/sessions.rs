//! The gates and what a session remembers: pauses, muted replies, kills, passwords, memory limits,
//! words for what is refused, and the statistics of refusals.

use std::time::Duration;

use client::Value;
use harness::{Background, Connection, InProcess, Setup, State};

fn ok() -> Value {
    Value::Simple(b"OK".to_vec())
}

fn info(connection: &mut Connection, section: &str) -> String {
    connection.text(&format!("INFO {section}"))
}

fn with_config(text: &str) -> InProcess {
    InProcess::new(Setup { config: text.to_owned(), ..Setup::default() })
}

#[test]
fn a_write_pause_holds_writes_back_until_its_end() {
    let server = InProcess::default();
    let (mut own, mut other) = (server.connect(), server.connect());
    assert_eq!(own.ask("CLIENT PAUSE 100 WRITE"), ok());
    assert!(own.ask("GET k").is_null());
    other.silent("SET k v");
    // What is sent behind it waits too.
    other.silent("GET k");
    server.pass(Duration::from_millis(99));
    assert_eq!(other.take_reply(), None);
    server.pass(Duration::from_millis(2));
    assert_eq!(other.take_reply(), Some(ok()));
    assert_eq!(other.take_reply(), Some(Value::Bulk(b"v".to_vec())));
    assert_eq!(other.state(), State::Open);
}

#[test]
fn unpause_resumes_and_exec_with_writes_waits() {
    let server = InProcess::default();
    let (mut own, mut reader, mut writer) = (server.connect(), server.connect(), server.connect());
    for connection in [&mut reader, &mut writer] {
        assert_eq!(connection.ask("MULTI"), ok());
    }
    assert_eq!(writer.text("SET k v"), "QUEUED");
    assert_eq!(own.ask("CLIENT PAUSE 100000 WRITE"), ok());
    reader.ask("GET k");
    assert!(reader.ask("EXEC").as_slice().is_some());
    writer.silent("EXEC");
    assert!(own.ask("GET k").is_null());
    assert_eq!(own.ask("CLIENT UNPAUSE"), ok());
    assert_eq!(writer.take_reply(), Some(Value::Array(vec![ok()])));
    assert_eq!(own.text("GET k"), "v");
    // A client that left while it waited leaves nothing behind.
    assert_eq!(own.ask("CLIENT PAUSE 100000 WRITE"), ok());
    writer.silent("SET k w");
    drop(writer);
    // A write that would only be queued waits too.
    assert_eq!(reader.ask("MULTI"), ok());
    reader.silent("SET k x");
    assert_eq!(own.ask("CLIENT UNPAUSE"), ok());
    assert!(reader.take_reply().is_some_and(|reply| reply.as_bytes() == Some(b"QUEUED")));
    assert_eq!(own.text("GET k"), "v");
}

#[test]
fn muted_replies() {
    let server = InProcess::default();
    let mut own = server.connect();
    own.silent("CLIENT REPLY OFF");
    own.silent("SET k v");
    own.silent("NOSUCH");
    own.silent("CLIENT REPLY SKIP");
    own.silent("GET k");
    assert_eq!(own.ask("CLIENT REPLY ON"), ok());
    own.silent("CLIENT REPLY SKIP");
    own.silent("GET k");
    assert_eq!(own.text("GET k"), "v");
    // Everything in one pipeline.
    own.send(b"CLIENT REPLY SKIP\r\nSET k w\r\nGET k\r\n");
    assert_eq!((own.take_reply(), own.take_reply()), (Some(Value::Bulk(b"w".to_vec())), None));
}

#[test]
fn kill_by_every_filter() {
    let server = InProcess::default();
    let mut own = server.connect();
    let victim = |server: &InProcess| server.connect();
    let by_id = |v: &Connection| format!("CLIENT KILL ID {}", v.id());
    let by_address = |v: &Connection| format!("CLIENT KILL ADDR {}", v.address());
    let filters: [&dyn Fn(&Connection) -> String; 6] = [
        &by_id,
        &by_address,
        &|_| "CLIENT KILL LADDR 127.0.0.1:6379".to_owned(),
        &|_| "CLIENT KILL TYPE normal".to_owned(),
        &|_| "CLIENT KILL USER default".to_owned(),
        &|v| format!("CLIENT KILL TYPE normal ID {} SKIPME yes", v.id()),
    ];
    for filter in filters {
        let mut killed = victim(&server);
        assert_eq!(killed.text("PING"), "PONG");
        let command = filter(&killed);
        assert_eq!(own.ask(&command), Value::Integer(1), "{command}");
        killed.serve();
        assert_eq!((killed.state(), killed.take_reply()), (State::Closed, None), "{command}");
        killed.send(b"SET k v\r\n");
        assert!(own.ask("GET k").is_null(), "a killed client executes nothing");
    }
    let mut bystander = victim(&server);
    assert_eq!(own.ask("CLIENT KILL ID 999999"), Value::Integer(0));
    assert_eq!(own.ask("CLIENT KILL TYPE pubsub"), Value::Integer(0));
    assert_eq!(own.ask("CLIENT KILL MAXAGE 100"), Value::Integer(0));
    assert_eq!(own.text("CLIENT KILL 1.2.3.4:5"), "-ERR No such client");
    assert_eq!(bystander.text("PING"), "PONG");
    server.clock.pass(Duration::from_secs(200));
    assert_eq!(own.ask("CLIENT KILL MAXAGE 100"), Value::Integer(1));
    // Its own connection gets the reply first.
    let command = format!("CLIENT KILL {}", own.address());
    assert_eq!(own.ask(&command), ok());
    assert_eq!(own.state(), State::Closed);
    assert_eq!(server.engine.clients.len(), 0, "killed clients are seen by nobody");
    bystander.serve();
    assert_eq!(bystander.state(), State::Closed);
}

#[test]
fn reset_returns_to_the_beginning() {
    let server = InProcess::default();
    let mut fresh = server.connect();
    fresh.ask("HELLO 3 SETNAME me");
    for command in ["SELECT 3", "WATCH k", "CLIENT NO-EVICT ON", "CLIENT NO-TOUCH ON", "MULTI"] {
        assert!(!fresh.text(command).starts_with('-'), "{command}");
    }
    assert_eq!(fresh.text("RESET"), "RESET");
    assert_eq!(server.engine.store.watched_keys(), 0);
    assert_eq!(fresh.text("EXEC"), "-ERR EXEC without MULTI");
    assert_eq!(fresh.ask("GET k"), Value::NullBulk, "RESP2 again");
    assert!(fresh.ask("CLIENT GETNAME").is_null());
    let line = fresh.text("CLIENT INFO");
    assert!(line.contains(" db=0 ") && line.contains(" flags=N "), "{line}");
}

#[test]
fn a_password_is_asked_for() {
    let server = with_config("requirepass secret");
    let mut own = server.connect();
    let no_auth = "-NOAUTH Authentication required.";
    assert_eq!(own.text("GET k"), no_auth);
    assert_eq!(own.text("NOSUCH").split(' ').next(), Some("-ERR"));
    assert!(own.text("HELLO 3").starts_with("-NOAUTH HELLO must be called"));
    let wrong = "-WRONGPASS invalid username-password pair or user is disabled.";
    assert_eq!(own.text("AUTH wrong"), wrong);
    assert_eq!(own.text("HELLO 3 AUTH default wrong"), wrong);
    assert_eq!(own.text("AUTH nobody secret"), wrong);
    assert_eq!(own.text("GET k"), no_auth);
    assert_eq!(own.ask("AUTH secret"), ok());
    assert_eq!(own.ask("SET k v"), ok());
    assert_eq!(own.text("RESET"), "RESET");
    assert_eq!(own.text("GET k"), no_auth);
    assert!(matches!(own.ask("HELLO 3 AUTH default secret"), Value::Map(_)));
    assert_eq!(own.text("GET k"), "v");
    // Who is in stays in when the password changes.
    assert_eq!(own.ask("CONFIG SET requirepass other"), ok());
    assert_eq!(own.text("GET k"), "v");
    assert_eq!(server.connect().text("AUTH secret"), wrong);
}

#[test]
fn writes_are_refused_above_the_memory_limit() {
    let server = InProcess::default();
    let mut own = server.connect();
    let oom = "-OOM command not allowed when used memory > 'maxmemory'.";
    own.ask("SET k v");
    own.ask("MULTI");
    own.ask("SET k w");
    let mut other = server.connect();
    assert_eq!(other.ask("CONFIG SET maxmemory 100mb"), ok());
    server.platform.set_allocated(200 << 20);
    server.engine.cron();
    assert_eq!(other.text("SET k x"), oom);
    assert_eq!(other.text("GET k"), "v");
    assert_eq!(other.ask("DEL missing"), Value::Integer(0));
    let cause = oom.trim_start_matches('-');
    let aborted = format!("-EXECABORT Transaction discarded because of: {cause}");
    assert_eq!(own.text("EXEC"), aborted);
    own.ask("MULTI");
    assert_eq!(own.text("GET k"), "QUEUED", "only what grows memory is refused");
    assert_eq!(own.ask("DISCARD"), ok());
    server.platform.set_allocated(50 << 20);
    assert_eq!(other.ask("SET k x"), ok(), "the allocator is asked again before a refusal");
}

#[test]
fn words_for_what_is_refused() {
    let server = InProcess::default();
    let mut own = server.connect();
    for (command, text) in [
        ("nosuch a b", "-ERR unknown command 'nosuch', with args beginning with: 'a' 'b' "),
        ("nosuch", "-ERR unknown command 'nosuch'"),
        ("CLIENT nosuch a", "-ERR unknown subcommand 'nosuch'. Try CLIENT HELP."),
        ("GET", "-ERR wrong number of arguments for 'get' command"),
        ("GET a b", "-ERR wrong number of arguments for 'get' command"),
        ("MSET a", "-ERR wrong number of arguments for 'mset' command"),
        ("CLIENT", "-ERR wrong number of arguments for 'client' command"),
        ("CLIENT KILL", "-ERR wrong number of arguments for 'client|kill' command"),
    ] {
        assert_eq!(own.text(command), text);
    }
    let long = "x".repeat(300);
    let text = own.text(&format!("{long} {long} y"));
    let (name, args) = (&long[..128], &long[..128]);
    let expected = format!("-ERR unknown command '{name}', with args beginning with: '{args}' ");
    assert_eq!(text, expected);
}

#[test]
fn refusals_and_failures_are_counted() {
    let server = InProcess::default();
    let mut own = server.connect();
    for command in ["GET", "NOSUCH", "SET k text", "INCR k", "INCR k", "AUTH a b c d"] {
        own.ask(command);
    }
    let errors = info(&mut own, "errorstats");
    assert!(errors.contains("errorstat_ERR:count=5"), "{errors}");
    let commands = info(&mut own, "commandstats");
    let line = |name: &str| {
        let found = commands.lines().find(|line| line.starts_with(&format!("cmdstat_{name}:")));
        found.unwrap_or_default().to_owned()
    };
    assert!(line("get").contains("calls=0") && line("get").contains("rejected_calls=1"));
    assert!(line("incr").contains("calls=2") && line("incr").contains("failed_calls=2"));
    assert!(line("set").contains("calls=1") && line("set").contains("failed_calls=0"));
    assert!(info(&mut own, "stats").contains("total_error_replies:5"));
    own.ask("CONFIG RESETSTAT");
    assert!(!info(&mut own, "errorstats").contains("errorstat_ERR"));
}

#[test]
fn a_synchronous_flush_answers_when_the_memory_is_free() {
    let server = InProcess::new(Setup { background: Background::Held, ..Setup::default() });
    let (mut own, mut other) = (server.connect(), server.connect());
    own.ask("DEBUG POPULATE 5000");
    own.silent("FLUSHALL SYNC");
    assert_eq!(other.ask("DBSIZE"), Value::Integer(0), "others see the empty dataset at once");
    assert_eq!(own.state(), State::Waiting);
    own.silent("PING");
    assert!(server.platform.run_background() > 0);
    assert_eq!(own.take_reply(), Some(ok()));
    assert_eq!(own.text("PING"), "PONG");
    assert_eq!(own.take_reply(), Some(Value::Simple(b"PONG".to_vec())));
}

#[test]
fn a_malformed_request_is_answered_and_ends_the_connection() {
    let server = InProcess::default();
    let mut own = server.connect();
    own.send(b"*1\r\n$4\r\nPING\r\n*1\r\n+PING\r\n");
    assert_eq!(own.take_reply(), Some(Value::Simple(b"PONG".to_vec())));
    let text = b"ERR Protocol error: expected '$', got '+'".to_vec();
    assert_eq!(own.take_reply(), Some(Value::Error(text)));
    assert_eq!(own.state(), State::Closed);
    assert_eq!(server.engine.clients.len(), 0);
}

#[test]
fn a_pause_hides_due_keys_and_keeps_them() {
    let server = InProcess::default();
    let (mut own, mut waiting) = (server.connect(), server.connect());
    own.ask("SET k v PX 10");
    own.ask("CLIENT PAUSE 60000 WRITE");
    server.pass(Duration::from_millis(20));
    assert!(own.ask("GET k").is_null());
    assert_eq!(own.ask("DBSIZE"), Value::Integer(1), "hidden, not removed");
    waiting.silent("SET other v");
    assert!(own.text("INFO clients").contains("blocked_clients:1"));
    own.ask("CLIENT UNPAUSE");
    assert_eq!(waiting.take_reply(), Some(ok()));
    assert!(own.text("INFO clients").contains("blocked_clients:0"));
    assert!(own.ask("GET k").is_null());
    assert_eq!(own.ask("EXISTS k other"), Value::Integer(1));
    assert_eq!(own.ask("DBSIZE"), Value::Integer(1));
}
