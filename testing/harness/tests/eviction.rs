//! Making room: what commands see of it, and when it must not happen. The allocator of these tests
//! says what it is told; one byte above the limit lets each command evict one key.

use std::time::Duration;

use client::Value;
use engine::ThreadContext;
use harness::{Background, Connection, InProcess, Recorder, Setup};

const LIMIT: u64 = 100 << 20;

/// An engine with such a policy whose memory is one byte above the limit, and a client with keys
/// `k0` to `k9`.
fn full(policy: &str) -> (InProcess, Connection) {
    let config = format!("maxmemory {LIMIT}\nmaxmemory-policy {policy}");
    let server = InProcess::new(Setup { config, ..Setup::default() });
    let mut client = server.connect();
    (0..10).for_each(|key| assert_eq!(client.text(&format!("SET k{key} v")), "OK"));
    server.platform.set_allocated(LIMIT + 1);
    (server, client)
}

fn count(client: &mut Connection) -> i64 {
    client.ask("CONFIG SET maxmemory 0");
    let Value::Integer(keys) = client.ask("DBSIZE") else { panic!("a number") };
    client.ask(&format!("CONFIG SET maxmemory {LIMIT}"));
    keys
}

fn info(client: &mut Connection, field: &str) -> u64 {
    let text = client.text("INFO everything");
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{field}:")));
    line.expect("the field is there").trim().parse().expect("a number")
}

#[test]
fn each_command_makes_room_and_none_is_refused() {
    let (_server, mut client) = full("allkeys-lru");
    assert_eq!(client.text("SET new v"), "OK");
    assert_eq!(client.text("PING"), "PONG");
    // Two so far, and one by `CONFIG SET`.
    assert_eq!(count(&mut client), 11 - 3);
    assert_eq!(info(&mut client, "evicted_keys"), 4);
    client.ask("CONFIG RESETSTAT");
    assert_eq!(info(&mut client, "evicted_keys"), 1);
}

#[test]
fn where_nothing_may_go_what_grows_is_refused() {
    let oom = "-OOM command not allowed when used memory > 'maxmemory'.";
    let (_server, mut client) = full("volatile-lru");
    for _ in 0..2 {
        assert_eq!(client.text("SET new v"), oom);
        assert_eq!(client.text("GET k1"), "v");
    }
    // From here on there is a key that may go.
    assert_eq!(client.ask("EXPIRE k1 1000"), Value::Integer(1));
    assert_eq!(client.text("SET new v"), "OK");
    assert_eq!(client.ask("EXISTS k1 new"), Value::Integer(1));
    assert_eq!(client.text("SET new v"), oom);
    client.ask("CONFIG SET maxmemory-policy allkeys-random");
    assert_eq!(client.text("SET new v"), "OK");
}

#[test]
fn an_empty_dataset_makes_no_room() {
    let (_server, mut client) = full("allkeys-lfu");
    (0..10).for_each(|_| assert_eq!(client.text("PING"), "PONG"));
    for _ in 0..2 {
        assert!(client.text("SET new v").starts_with("-OOM"));
    }
    assert!(client.text("EVAL #!lua\nreturn(1) 0").starts_with('-'));
}

#[test]
fn not_inside_a_transaction_and_not_inside_a_script() {
    let (server, mut client) = full("allkeys-lru");
    server.platform.set_allocated(LIMIT);
    client.ask("MULTI");
    (0..10).for_each(|key| assert_eq!(client.text(&format!("GET k{key}")), "QUEUED"));
    client.ask("SET more v");
    client.ask("DBSIZE");
    server.platform.set_allocated(LIMIT + 1);
    let Value::Array(replies) = client.ask("EXEC") else { panic!("replies") };
    // One key goes before it begins, and none while it runs.
    let missing = replies.iter().filter(|reply| **reply == Value::NullBulk).count();
    assert_eq!((missing, replies.last()), (1, Some(&Value::Integer(10))));
    let script = "local n = 0 for i = 0, 9 do n = n + redis.call('exists', 'k' .. i) end \
                  redis.call('set', 'x', 'y') return n + redis.call('exists', 'x')";
    let found = client.command(&["EVAL", script, "0"]);
    assert!(matches!(found, Value::Integer(9 | 10)), "{found:?}");
}

#[test]
fn not_while_writes_are_paused() {
    for kind in ["WRITE", "ALL"] {
        let (server, mut client) = full("allkeys-lru");
        server.platform.set_allocated(LIMIT);
        client.ask(&format!("CLIENT PAUSE 1000 {kind}"));
        server.platform.set_allocated(LIMIT + 1);
        let mut other = server.connect();
        if kind == "WRITE" {
            (0..5).for_each(|_| assert_eq!(other.text("PING"), "PONG"));
            assert_eq!(other.ask("DBSIZE"), Value::Integer(10));
        }
        assert!(!server.engine.evict_in_background(&mut ThreadContext::new(0, 1)));
        server.pass(Duration::from_millis(1001));
        assert_eq!(other.text("PING"), "PONG");
        assert_eq!(other.ask("DBSIZE"), Value::Integer(8));
    }
}

#[test]
fn scripts_are_judged_by_the_room_before_they_began() {
    let (server, mut client) = full("noeviction");
    let eval = |client: &mut Connection, script: &str| {
        let reply = client.command(&["EVAL", script, "1", "k"]);
        reply.as_bytes().map(|text| String::from_utf8_lossy(text).into_owned())
    };
    let set = "return redis.call('set', KEYS[1], 'v')";
    assert!(eval(&mut client, set).is_some_and(|text| text.starts_with("OOM ")));
    // Whatever it changes: who has begun to write may end.
    let after = "redis.call('del', 'nosuch') return redis.call('set', KEYS[1], 'v')";
    assert_eq!(eval(&mut client, after).as_deref(), Some("OK"));
    let allowed = "#!lua flags=allow-oom\nreturn redis.call('set', KEYS[1], 'v')";
    assert_eq!(eval(&mut client, allowed).as_deref(), Some("OK"));
    client.ask("CONFIG SET maxmemory-policy allkeys-lru");
    assert_eq!(eval(&mut client, set).as_deref(), Some("OK"));
    client.ask("CONFIG SET maxmemory-policy noeviction");
    server.platform.set_allocated(LIMIT);
    assert_eq!(eval(&mut client, set).as_deref(), Some("OK"));
}

#[test]
fn who_has_cached_a_key_hears_of_its_end_before_the_reply() {
    let (server, mut client) = full("volatile-lru");
    server.platform.set_allocated(LIMIT);
    let mut other = server.connect();
    for client in [&mut client, &mut other] {
        client.ask("HELLO 3");
        client.ask("CLIENT TRACKING ON");
    }
    client.ask("SET volatile v EX 100");
    client.ask("GET volatile");
    other.ask("GET volatile");
    server.platform.set_allocated(LIMIT + 1);
    client.send(b"GET k1\r\n");
    let bytes = client.take_bytes();
    let told = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$8\r\nvolatile\r\n";
    assert_eq!(String::from_utf8_lossy(&bytes), format!("{told}$1\r\nv\r\n"));
    other.serve();
    assert_eq!(String::from_utf8_lossy(&other.take_bytes()), told);
}

#[test]
fn watched_keys_and_waiting_clients_notice() {
    let (server, mut client) = full("volatile-ttl");
    server.platform.set_allocated(LIMIT);
    client.ask("SET volatile v EX 100");
    let mut other = server.connect();
    other.ask("WATCH volatile");
    other.ask("MULTI");
    other.ask("PING");
    server.platform.set_allocated(LIMIT + 1);
    client.ask("PING");
    server.platform.set_allocated(LIMIT);
    assert_eq!(other.ask("EXEC"), Value::NullArray);
    client.ask("XADD s * a b");
    client.ask("XGROUP CREATE s g $");
    client.ask("EXPIRE s 100");
    other.request(&["XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">"]);
    server.platform.set_allocated(LIMIT + 1);
    client.ask("PING");
    other.serve();
    let reply = other.take_bytes();
    let reply = String::from_utf8_lossy(&reply);
    assert!(reply.starts_with("-NOGROUP No such key 's'"), "{reply}");
}

#[test]
fn events_and_log() {
    for (lazy, word) in [("no", "DEL"), ("yes", "UNLINK")] {
        let recorder = Recorder::default();
        let config = format!(
            "maxmemory {LIMIT}\nmaxmemory-policy allkeys-random\nnotify-keyspace-events Ee\n\
             lazyfree-lazy-eviction {lazy}"
        );
        let consumers = recorder.consumers();
        let server = InProcess::new(Setup { config, consumers, ..Setup::default() });
        let mut client = server.connect();
        client.ask("SELECT 3");
        client.ask("SET k v");
        let _ = recorder.take();
        server.platform.set_allocated(LIMIT + 1);
        client.ask("SET new v");
        let heard = recorder.take();
        let evicted: Vec<_> =
            heard.event_lines().into_iter().filter(|line| line.contains("Evicted")).collect();
        assert_eq!(evicted, ["3 Evicted evicted k"]);
        assert_eq!(heard.log_lines(), [format!("3 {word} k"), "3 SET new v".to_owned()]);
    }
}

#[test]
fn what_is_being_freed_counts_as_free() {
    let config = format!("maxmemory {LIMIT}\nmaxmemory-policy allkeys-lru");
    let setup = Setup { config, background: Background::Held, ..Setup::default() };
    let server = InProcess::new(setup);
    let mut client = server.connect();
    client.command(&["SET", "large", &"x".repeat(1 << 20)]);
    client.ask("SET small v");
    client.ask("UNLINK large");
    server.platform.set_allocated(LIMIT + (1 << 20));
    (0..5).for_each(|_| assert_eq!(client.text("PING"), "PONG"));
    assert_eq!(client.ask("DBSIZE"), Value::Integer(1), "its memory is as good as free");
    assert_eq!(server.platform.run_background(), 1);
    assert_eq!(client.text("PING"), "PONG");
    assert_eq!(client.ask("DBSIZE"), Value::Integer(0), "now it has not helped");
}

#[test]
fn only_changes_count_for_the_least_recently_modified() {
    let (server, mut client) = full("allkeys-lrm");
    server.platform.set_allocated(LIMIT);
    server.clock.pass(Duration::from_secs(100));
    let idle = |client: &mut Connection, key: &str| client.ask(&format!("OBJECT IDLETIME {key}"));
    client.ask("GET k1");
    client.ask("TOUCH k1");
    client.ask("SETNX k1 w");
    client.ask("PERSIST k1");
    assert_eq!(idle(&mut client, "k1"), Value::Integer(100));
    client.ask("CLIENT NO-TOUCH ON");
    client.ask("APPEND k1 w");
    assert_eq!(idle(&mut client, "k1"), Value::Integer(0));
    client.ask("SADD s a");
    server.clock.pass(Duration::from_secs(10));
    client.ask("SADD s a");
    assert_eq!(idle(&mut client, "s"), Value::Integer(10), "nothing was added");
    client.ask("SADD s b");
    assert_eq!(idle(&mut client, "s"), Value::Integer(0));
    assert!(client.text("OBJECT FREQ s").starts_with("-ERR An LFU maxmemory policy is not"));
}

#[test]
fn a_lower_limit_is_met_in_the_background() {
    let (server, mut client) = full("allkeys-lru");
    client.ask("CONFIG SET maxmemory 0");
    let mut evictor = ThreadContext::new(0, 1);
    assert!(!server.engine.evict_in_background(&mut evictor));
    client.ask(&format!("CONFIG SET maxmemory {}", LIMIT / 2));
    let log = server.platform.take_log();
    assert!(log.iter().any(|(_, line)| line.starts_with("WARNING: the new limit on memory")));
    // What is above the limit is more than there is.
    while server.engine.evict_in_background(&mut evictor) {}
    server.platform.set_allocated(0);
    assert_eq!(client.ask("DBSIZE"), Value::Integer(0));
}

#[test]
fn how_long_memory_was_above_its_limit() {
    let (server, mut client) = full("noeviction");
    server.platform.set_allocated(LIMIT);
    assert_eq!(info(&mut client, "current_eviction_exceeded_time"), 0);
    server.platform.set_allocated(LIMIT + 1);
    client.ask("SET k v");
    server.clock.pass(Duration::from_millis(70));
    assert!((69..=70).contains(&info(&mut client, "current_eviction_exceeded_time")));
    server.platform.set_allocated(LIMIT);
    client.ask("SET k v");
    server.clock.pass(Duration::from_millis(30));
    assert_eq!(info(&mut client, "current_eviction_exceeded_time"), 0);
    assert!((69..=70).contains(&info(&mut client, "total_eviction_exceeded_time")));
}
