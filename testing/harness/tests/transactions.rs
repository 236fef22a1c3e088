//! `WATCH`, `MULTI` and `EXEC` through the engine: what dooms a transaction and what does not.

use std::time::Duration;

use client::Value;
use harness::{Connection, InProcess};

/// Runs commands separated by semicolons; none may fail.
fn run(connection: &mut Connection, commands: &str) {
    for command in commands.split(';').filter(|command| !command.trim().is_empty()) {
        let reply = connection.text(command);
        assert!(!reply.starts_with('-'), "{command}: {reply}");
    }
}

/// Whether a transaction that watches `k` is executed when `between` happens after `WATCH`.
fn survives(setup: &str, between: impl FnOnce(&InProcess, &mut Connection)) -> bool {
    let server = InProcess::default();
    let (mut own, mut other) = (server.connect(), server.connect());
    run(&mut other, setup);
    run(&mut own, "WATCH k;MULTI;PING");
    between(&server, &mut other);
    let reply = own.ask("EXEC");
    assert_eq!(server.engine.store.watched_keys(), 0, "EXEC forgets the watches");
    assert_eq!(own.ask("PING"), Value::Simple(b"PONG".to_vec()));
    match reply {
        Value::Array(replies) => {
            assert_eq!(replies, [Value::Simple(b"PONG".to_vec())]);
            true
        }
        Value::NullArray => false,
        other => panic!("EXEC said {other:?}"),
    }
}

#[test]
fn a_change_of_a_watched_key_dooms_the_transaction() {
    for (setup, change) in [
        ("", "SET k v"),
        ("SET k v", "SET k v"),
        ("SET k v", "DEL k"),
        ("SET k v", "APPEND k w"),
        ("SET k v", "EXPIRE k 100"),
        ("SET k v EX 100", "PERSIST k"),
        ("SET k v", "RENAME k other"),
        ("SET other v", "RENAME other k"),
        ("SET other v", "COPY other k"),
        ("SET k v", "MOVE k 1"),
        ("SET k v", "FLUSHALL"),
        ("SET k v", "FLUSHDB"),
        ("SET k v", "SWAPDB 0 1"),
        ("SELECT 1;SET k v", "SWAPDB 0 1"),
        ("SET k v", "EXPIRE k -1"),
        ("SET k v", "GETDEL k"),
        ("SET k v", "SETBIT k 0 1"),
        ("SET k v", "MULTI;SET k w;EXEC"),
        ("SELECT 1;SET k v", "MOVE k 0"),
    ] {
        assert!(!survives(setup, |_, other| run(other, change)), "{setup}; {change}");
    }
}

#[test]
fn what_leaves_a_watched_key_alone_dooms_nothing() {
    for (setup, change) in [
        ("SET k v", "GET k"),
        ("SET k v", "SET other w"),
        ("SET k v", "SELECT 1;SET k w"),
        ("SET k v;SELECT 1;SET k w", "DEL k"),
        ("SET k v", "SELECT 1;FLUSHDB"),
        ("", "FLUSHALL"),
        ("", "SWAPDB 0 1"),
        ("SET k v", "SWAPDB 2 3"),
        ("SET k v", "SET k w NX"),
        ("", "DEL k"),
        ("SET k v", "PERSIST k"),
        ("SET k v", "TOUCH k"),
        ("SET k v", "COPY k other"),
    ] {
        assert!(survives(setup, |_, other| run(other, change)), "{setup}; {change}");
    }
}

#[test]
fn expiry_of_a_watched_key_dooms_whoever_saw_it_alive() {
    let pass = |server: &InProcess| server.clock.pass(Duration::from_millis(60));
    // Nobody removed it, a look-up did, the sweep did.
    assert!(!survives("SET k v PX 50", |server, _| pass(server)));
    assert!(!survives("SET k v PX 50", |server, other| {
        pass(server);
        run(other, "GET k");
    }));
    assert!(!survives("SET k v PX 50", |server, _| server.pass(Duration::from_secs(2))));
    assert!(survives("SET k v PX 5000", |server, _| pass(server)));
}

#[test]
fn a_key_that_was_stale_when_watched_may_go() {
    let server = InProcess::default();
    let (mut own, mut other) = (server.connect(), server.connect());
    run(&mut other, "DEBUG SET-ACTIVE-EXPIRE 0;SET k v PX 50");
    server.clock.pass(Duration::from_millis(60));
    run(&mut own, "WATCH k");
    run(&mut other, "GET k");
    run(&mut own, "MULTI;PING");
    assert!(own.ask("EXEC").as_slice().is_some());
    // Coming to life again is a change.
    run(&mut other, "SET k v PX 50");
    server.clock.pass(Duration::from_millis(60));
    run(&mut own, "WATCH k");
    run(&mut other, "SET k v");
    run(&mut own, "MULTI;PING");
    assert_eq!(own.ask("EXEC"), Value::NullArray);
}

#[test]
fn unwatch_discard_and_departure_forget() {
    let server = InProcess::default();
    let (mut own, mut other) = (server.connect(), server.connect());
    run(&mut own, "WATCH k a b");
    assert_eq!(server.engine.store.watched_keys(), 3);
    run(&mut other, "SET k v");
    run(&mut own, "UNWATCH;MULTI;PING");
    assert!(own.ask("EXEC").as_slice().is_some());
    run(&mut own, "WATCH k;MULTI;PING;DISCARD");
    assert_eq!(server.engine.store.watched_keys(), 0);
    run(&mut own, "WATCH k j");
    drop(own);
    assert_eq!(server.engine.store.watched_keys(), 0);
}

#[test]
fn a_refused_command_aborts_exec() {
    let server = InProcess::default();
    let mut own = server.connect();
    let abort = "-EXECABORT Transaction discarded because of previous errors.";
    for refused in ["NOSUCH", "GET", "CLIENT NOSUCH", "SHUTDOWN"] {
        run(&mut own, "MULTI;SET k v");
        assert!(own.text(refused).starts_with("-ERR"), "{refused}");
        assert_eq!(own.text("EXEC"), abort, "{refused}");
        assert_eq!(own.text("EXEC"), "-ERR EXEC without MULTI");
    }
    // What fails only when it is executed, or stands outside the queue, aborts nothing.
    run(&mut own, "MULTI;SET k v;INCR k");
    assert_eq!(own.text("MULTI"), "-ERR MULTI calls can not be nested");
    assert_eq!(own.text("WATCH k"), "-ERR WATCH inside MULTI is not allowed");
    let reply = own.ask("EXEC");
    let not_integer = Value::Error(b"ERR value is not an integer or out of range".to_vec());
    assert_eq!(reply, Value::Array(vec![Value::Simple(b"OK".to_vec()), not_integer]));
    // A refused EXEC ends the transaction.
    run(&mut own, "WATCH k;MULTI;SET k w");
    let cause = "wrong number of arguments for 'exec' command";
    let text = format!("-EXECABORT Transaction discarded because of: {cause}");
    assert_eq!(own.text("EXEC now"), text);
    assert_eq!(own.text("GET k"), "v");
    assert_eq!(server.engine.store.watched_keys(), 0);
}

#[test]
fn a_transaction_sees_one_instant_and_walks_are_part_of_it() {
    let server = InProcess::default();
    let mut own = server.connect();
    run(&mut own, "SET k v;MULTI;DBSIZE;SET j w;DBSIZE;KEYS *;RANDOMKEY;SCAN 0;FLUSHALL;DBSIZE");
    let reply = own.ask("EXEC");
    let replies = reply.as_slice().unwrap();
    let numbers = [&replies[0], &replies[2], &replies[7]].map(|reply| reply.as_i64());
    assert_eq!(numbers, [Some(1), Some(2), Some(0)]);
    assert_eq!(replies[3].as_slice().map(<[Value]>::len), Some(2));
}

/// A key whose time has come is as good as absent, so one in the place of the other is no change.
#[test]
fn an_exchange_for_a_stale_key_is_no_change() {
    let swap = |server: &InProcess, other: &mut Connection| {
        server.pass(Duration::from_millis(20));
        run(other, "SWAPDB 0 1");
    };
    assert!(survives("SELECT 1;SET k v PX 10", swap), "absent, then stale");
    assert!(survives("SELECT 1;SET x v", swap), "absent, then absent");
    assert!(!survives("SELECT 1;SET k v PX 30", swap), "absent, then alive");
    assert!(!survives("SET k v PX 10", swap), "it was alive when it was watched");
}
