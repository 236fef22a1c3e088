//! What follows from an edit reaches whoever listens: events, log records, changed keys, keys that
//! came into being. Each command's form in the log is the one that replicas of Redis see.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use harness::{Connection, Heard, InProcess, Recorder, Setup};
use store::consumers::{CommandLog, Consumers};
use store::{Held, Interest, Records, shard_of};

/// Unix milliseconds of the manual clock's start.
const START_MS: u64 = 1_758_376_800_000;

/// An engine that all consumers listen to, with every event configured.
fn recording() -> (InProcess, Recorder) {
    let recorder = Recorder::default();
    let server = InProcess::new(Setup {
        consumers: recorder.consumers(),
        config: "notify-keyspace-events KEAmnoc".to_owned(),
        ..Setup::default()
    });
    (server, recorder)
}

/// Runs commands separated by semicolons; none may fail.
fn run(connection: &mut Connection, commands: &str) {
    for command in commands.split(';').filter(|command| !command.trim().is_empty()) {
        let reply = connection.text(command);
        assert!(!reply.starts_with('-'), "{command}: {reply}");
    }
}

/// What is heard of `command` after `setup`.
fn heard(setup: &str, command: &str) -> Heard {
    let (server, recorder) = recording();
    let mut connection = server.connect();
    run(&mut connection, setup);
    let _ = recorder.take();
    run(&mut connection, command);
    recorder.take()
}

/// The event lines but those on keys that are new, replaced or missing, which have their own test.
fn events(heard: &Heard) -> Vec<String> {
    let mut lines = heard.event_lines();
    let apart = [" New ", " Overwritten ", " TypeChanged ", " Miss "];
    lines.retain(|line| !apart.iter().any(|class| line.contains(class)));
    lines
}

/// Setup, command, events, log. `@` stands for ten seconds after the start.
const EDITS: &[(&str, &str, &[&str], &[&str])] = &[
    ("", "SET k v", &["0 String set k"], &["0 SET k v"]),
    ("", "set k v KEEPTTL", &["0 String set k"], &["0 set k v KEEPTTL"]),
    ("", "SET k v EX 10", &["0 String set k", "0 Generic expire k"], &["0 SET k v PXAT @"]),
    ("", "SET k v PX 10000 NX", &["0 String set k", "0 Generic expire k"], &["0 SET k v PXAT @"]),
    ("SET k x", "SET k v GET", &["0 String set k"], &["0 SET k v"]),
    ("SET k x", "SET k v NX", &[], &[]),
    ("", "SETEX k 10 v", &["0 String set k", "0 Generic expire k"], &["0 SET k v PXAT @"]),
    ("", "PSETEX k 10000 v", &["0 String set k", "0 Generic expire k"], &["0 SET k v PXAT @"]),
    ("", "SETNX k v", &["0 String set k"], &["0 SETNX k v"]),
    ("SET k x", "SETNX k v", &[], &[]),
    ("", "GETSET k v", &["0 String set k"], &["0 SET k v"]),
    ("SET k v", "GETDEL k", &["0 Generic del k"], &["0 DEL k"]),
    ("SET k v", "GETEX k EX 10", &["0 Generic expire k"], &["0 PEXPIREAT k @"]),
    ("SET k v EX 5", "GETEX k PERSIST", &["0 Generic persist k"], &["0 PERSIST k"]),
    ("SET k v", "GETEX k", &[], &[]),
    ("", "MSET a 1 b 2", &["0 String set a", "0 String set b"], &["0 MSET a 1 b 2"]),
    ("", "MSETNX a 1 b 2", &["0 String set a", "0 String set b"], &["0 MSETNX a 1 b 2"]),
    ("SET b 1", "MSETNX a 1 b 2", &[], &[]),
    ("", "APPEND k v", &["0 String append k"], &["0 APPEND k v"]),
    ("", "SETRANGE k 2 v", &["0 String setrange k"], &["0 SETRANGE k 2 v"]),
    ("", "INCR k", &["0 String incrby k"], &["0 INCR k"]),
    ("", "DECRBY k 3", &["0 String incrby k"], &["0 DECRBY k 3"]),
    ("", "INCRBYFLOAT k 1.5", &["0 String incrbyfloat k"], &["0 SET k 1.5 KEEPTTL"]),
    ("", "SETBIT k 7 1", &["0 String setbit k"], &["0 SETBIT k 7 1"]),
    ("", "BITFIELD k SET u8 0 1", &["0 String setbit k"], &["0 BITFIELD k SET u8 0 1"]),
    ("SET a x", "BITOP NOT k a", &["0 String set k"], &["0 BITOP NOT k a"]),
    ("SET k x", "BITOP NOT k missing", &["0 Generic del k"], &["0 BITOP NOT k missing"]),
    ("", "GEOADD k 0 0 a", &["0 SortedSet zadd k"], &["0 ZADD k 3377699720527872 a"]),
    (
        "GEOADD a 0 0 x",
        "GEOSEARCHSTORE k a FROMLONLAT 0 0 BYRADIUS 1 m",
        &["0 SortedSet geosearchstore k"],
        &["0 GEOSEARCHSTORE k a FROMLONLAT 0 0 BYRADIUS 1 m"],
    ),
    (
        "GEOADD a 0 0 x",
        "GEORADIUS a 0 0 1 m STORE k",
        &["0 SortedSet georadiusstore k"],
        &["0 GEORADIUS a 0 0 1 m STORE k"],
    ),
    ("", "PFADD k a b", &["0 String pfadd k"], &["0 PFADD k a b"]),
    ("PFADD k a", "PFADD k a", &[], &[]),
    ("PFADD k a", "PFCOUNT k", &[], &["0 PFCOUNT k"]),
    ("PFADD k a; PFCOUNT k", "PFCOUNT k", &[], &[]),
    ("PFADD a x", "PFMERGE k a", &["0 String pfadd k"], &["0 PFMERGE k a"]),
    ("PFADD k a", "PFDEBUG TODENSE k", &[], &["0 PFDEBUG TODENSE k"]),
    ("SET k v", "DEL k missing", &["0 Generic del k"], &["0 DEL k missing"]),
    ("SET k v", "UNLINK k", &["0 Generic del k"], &["0 UNLINK k"]),
    ("", "DEL k", &[], &[]),
    ("SET k v", "EXPIRE k 10", &["0 Generic expire k"], &["0 PEXPIREAT k @"]),
    ("SET k v", "PEXPIRE k 10000", &["0 Generic expire k"], &["0 PEXPIREAT k @"]),
    ("SET k v", "EXPIRE k -1", &["0 Generic del k"], &["0 DEL k"]),
    ("SET k v EX 5", "PERSIST k", &["0 Generic persist k"], &["0 PERSIST k"]),
    ("SET k v", "PERSIST k", &[], &[]),
    (
        "SET a v",
        "RENAME a b",
        &["0 Generic rename_from a", "0 Generic rename_to b"],
        &["0 RENAME a b"],
    ),
    ("SET a v", "MOVE a 2", &["0 Generic move_from a", "2 Generic move_to a"], &["0 MOVE a 2"]),
    ("SET a v", "COPY a b", &["0 Generic copy_to b"], &["0 COPY a b"]),
    ("SET a v", "COPY a b DB 3", &["3 Generic copy_to b"], &["0 COPY a b DB 3"]),
    ("SELECT 4;SET a v", "SET b v", &["4 String set b"], &["4 SET b v"]),
    ("SET a v", "FLUSHALL", &[], &["0 FLUSHALL"]),
    ("SET a v;SELECT 1", "FLUSHDB", &[], &["1 FLUSHDB"]),
    ("SET a v", "SWAPDB 0 1", &[], &["0 SWAPDB 0 1"]),
    ("SET a v", "GET a", &[], &[]),
];

#[test]
fn every_edit_is_heard() {
    let later = (START_MS + 10_000).to_string();
    let mut wrong = Vec::new();
    for (setup, command, expected_events, expected_log) in EDITS {
        let heard = heard(setup, command);
        let log: Vec<String> = expected_log.iter().map(|line| line.replace('@', &later)).collect();
        if events(&heard) != *expected_events {
            wrong.push(format!("{setup}; {command}: events {:?}", events(&heard)));
        }
        if heard.log_lines() != log {
            wrong.push(format!("{setup}; {command}: log {:?}", heard.log_lines()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn new_replaced_and_missing_keys_are_heard() {
    let lines = |setup, command| heard(setup, command).event_lines();
    assert_eq!(lines("", "SET k v"), ["0 New new k", "0 String set k"]);
    assert_eq!(lines("", "GET k"), ["0 Miss keymiss k"]);
    let copied = ["0 Generic copy_to b", "0 Overwritten overwritten b"];
    let copied_events = lines("SET a 1;SET b 2", "COPY a b REPLACE");
    let kept: Vec<&String> = copied_events.iter().filter(|l| !l.contains(" New ")).collect();
    assert_eq!(kept, copied);
}

#[test]
fn changed_keys_are_heard_with_their_session() {
    let (server, recorder) = recording();
    let (mut one, mut two) = (server.connect(), server.connect());
    run(&mut one, "SET a 1");
    run(&mut two, "APPEND a 2;GET a;SELECT 3;MSET x 1 y 2;DEL x");
    let heard = recorder.take();
    assert_eq!(heard.modified_lines(), ["0 a", "0 a", "3 x", "3 y", "3 x"]);
    let sessions: Vec<u64> = heard.modified.iter().map(|(_, session)| *session).collect();
    assert_eq!(sessions, [one.id(), two.id(), two.id(), two.id(), two.id()]);
}

#[test]
fn a_rename_and_a_move_tell_both_keys() {
    assert_eq!(heard("SET a 1", "RENAME a b").modified_lines(), ["0 a", "0 b"]);
    assert_eq!(heard("SET a 1", "MOVE a 5").modified_lines(), ["0 a", "5 a"]);
}

#[test]
fn a_transaction_is_one_bracketed_record() {
    let (server, recorder) = recording();
    let mut connection = server.connect();
    run(&mut connection, "MULTI;SET a 1 PX 10000;GET a;SELECT 2;INCR b;EXEC");
    let heard = recorder.take();
    assert_eq!(heard.log.len(), 1, "{:?}", heard.log);
    let later = START_MS + 10_000;
    let set = format!("0 SET a 1 PXAT {later}");
    let lines = heard.log_lines();
    let words: Vec<&str> = lines.iter().map(|line| &line[2..]).collect();
    assert_eq!(words, ["MULTI", &set[2..], "INCR b", "EXEC"]);
    assert_eq!((&lines[1][..1], &lines[2][..1]), ("0", "2"));
    // Nothing changed, so nothing is logged.
    run(&mut connection, "MULTI;GET a;EXEC");
    assert_eq!(recorder.take().log_lines(), [""; 0]);
}

#[test]
fn a_failed_command_in_a_transaction_leaves_the_others_in_the_log() {
    let (server, recorder) = recording();
    let mut connection = server.connect();
    run(&mut connection, "SET k text");
    let _ = recorder.take();
    run(&mut connection, "MULTI;SET a 1;INCR k;SET b 2;EXEC");
    assert_eq!(recorder.take().log_lines(), ["0 MULTI", "0 SET a 1", "0 SET b 2", "0 EXEC"]);
}

#[test]
fn a_key_past_its_time_is_deleted_before_the_command_that_found_it() {
    let (server, recorder) = recording();
    let mut connection = server.connect();
    run(&mut connection, "SET k v PX 50;SET other v PX 50");
    let _ = recorder.take();
    server.clock.pass(Duration::from_millis(51));
    run(&mut connection, "GET k");
    let heard = recorder.take();
    assert_eq!(heard.log_lines(), ["0 DEL k"]);
    assert_eq!(heard.event_lines(), ["0 Expired expired k", "0 Miss keymiss k"]);
    assert_eq!(heard.modified_lines(), ["0 k"]);
    run(&mut connection, "APPEND other w");
    let heard = recorder.take();
    assert_eq!(heard.log_lines(), ["0 MULTI", "0 DEL other", "0 APPEND other w", "0 EXEC"]);
    assert_eq!(heard.log.len(), 1, "the two are one step");
    assert_eq!(connection.text("GET other"), "w");
}

#[test]
fn active_expiry_and_scan_log_what_they_remove() {
    let (server, recorder) = recording();
    let mut connection = server.connect();
    run(&mut connection, "SET k v PX 50;SELECT 1;SET j v PX 50;SET l v");
    let _ = recorder.take();
    server.pass(Duration::from_secs(2));
    let mut lines = recorder.take().log_lines();
    lines.sort();
    assert_eq!(lines, ["0 DEL k", "1 DEL j"]);
    run(&mut connection, "SET m v PX 50");
    let _ = recorder.take();
    server.clock.pass(Duration::from_millis(51));
    run(&mut connection, "SCAN 0 COUNT 1000");
    assert_eq!(recorder.take().log_lines(), ["1 DEL m"]);
}

#[test]
fn events_are_collected_only_while_they_are_configured() {
    let (server, recorder) = recording();
    let mut connection = server.connect();
    connection.command(&["CONFIG", "SET", "notify-keyspace-events", ""]);
    run(&mut connection, "SET k v");
    let heard = recorder.take();
    assert!(heard.events.is_empty(), "{:?}", heard.event_lines());
    assert_eq!(heard.log_lines(), ["0 SET k v"]);
    run(&mut connection, "CONFIG SET notify-keyspace-events KEA;SET k w");
    assert!(recorder.take().event_lines().contains(&"0 String set k".to_owned()));
}

#[test]
fn an_imported_hash_is_logged_as_its_value() {
    let heard = heard("HIMPORT PREPARE u b a;HSET k x 1;EXPIRE k 9", "HIMPORT SET k u 2 1");
    assert_eq!(events(&heard), ["0 Hash hset k"]);
    let commands: Vec<_> = heard.log.iter().flat_map(store::Records::commands).collect();
    let [(0, command)] = &commands[..] else { panic!("{:?}", heard.log_lines()) };
    let (server, _) = recording();
    let mut replica = server.connect();
    replica.command(&command.as_args().iter().collect::<Vec<_>>());
    assert_eq!(replica.text("HGET k a"), "1");
    assert_eq!(replica.text("HGET k b"), "2");
    assert!(heard.log_lines()[0].starts_with("0 RESTORE k 0 "));
}

#[test]
fn dirty_counts_every_change_once() {
    let server = InProcess::default();
    let mut connection = server.connect();
    let dirty = || server.engine.stats.sum(|thread| &thread.dirty);
    let mut last = 0;
    for (command, changes) in [
        ("SET k v", 1),
        ("MSET a 1 b 2", 2),
        ("GET k", 0),
        ("RENAME a c", 1),
        ("DEL b c missing", 2),
        ("DEL b", 0),
        ("EXPIRE k 100", 1),
        ("SET k v NX", 0),
    ] {
        run(&mut connection, command);
        assert_eq!(dirty() - last, changes, "{command}");
        last = dirty();
    }
}

/// A log that fails.
struct Failing;

impl CommandLog for Failing {
    fn append(&self, _: &Records) -> u64 {
        panic!("the log fails")
    }
}

#[test]
fn a_panic_while_something_is_changed_is_known() {
    let consumers = Consumers { log: Some(Box::new(Failing)), ..Consumers::default() };
    let server = InProcess::new(Setup { consumers, ..Setup::default() });
    for command in ["SET k v", "FLUSHALL"] {
        let mut connection = server.connect();
        connection.text("GET k");
        assert!(!connection.is_changing());
        let run = catch_unwind(AssertUnwindSafe(|| connection.text(command)));
        assert!(run.is_err() && connection.is_changing(), "{command}");
    }
    let (server, _) = recording();
    let mut connection = server.connect();
    for command in ["SET k v", "APPEND k w", "FLUSHALL", "SWAPDB 0 1", "EVAL return(1) 0"] {
        connection.text(command);
        assert!(!connection.is_changing(), "{command} has come to its end");
    }
}

/// A writer that finds a waiting client whose keys lie apart gives its lock back and takes all. Who
/// begins to listen in between, as `CONFIG SET appendonly yes` does, hears of it.
#[test]
fn who_begins_to_listen_while_a_writer_changes_its_locks_hears_of_it() {
    let (server, recorder) = recording();
    let store = &server.engine.store;
    let apart = |key: &&String| {
        shard_of(store.position(key.as_bytes())) != shard_of(store.position(b"list"))
    };
    let names: Vec<String> = (0..100).map(|number| format!("k{number}")).collect();
    let other = names.iter().find(apart).expect("not all are in one shard");
    let mut waiter = server.connect();
    waiter.silent(&format!("BLPOP {other} list 0"));
    store.set_interest(Interest::NONE);
    let held = Held::one(store, store.position(other.as_bytes()));
    std::thread::scope(|scope| {
        scope.spawn(|| run(&mut server.connect(), "RPUSH list a b"));
        // By now it has found the waiting client. If not, this finds nothing wrong.
        std::thread::sleep(Duration::from_millis(100));
        store.set_interest(Interest::LOG);
        drop(held);
    });
    assert_eq!(recorder.take().log_lines(), ["0 RPUSH list a b", "0 LPOP list"]);
}
