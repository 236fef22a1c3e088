//! Many threads in one engine: no deadlock, no lost update, no torn transaction, and `SCAN` that
//! keeps its promise while keys come and go.
//!
//! `CONCURRENCY_SECONDS` lets the free-for-all run longer, `CONCURRENCY_SEED` chooses its streams.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use client::Value;
use harness::{Connection, InProcess, Recorder, Setup, TestClock};
use stdx::rng::Rng;

fn server(threads: usize) -> InProcess {
    InProcess::new(Setup { threads, clock: TestClock::system(), ..Setup::default() })
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// The keys of one whole `SCAN`, and whether any came twice.
fn scan(connection: &mut Connection, count: usize) -> (BTreeSet<Vec<u8>>, usize) {
    let (mut seen, mut shown) = (BTreeSet::new(), 0);
    let mut cursor = b"0".to_vec();
    loop {
        let count = count.to_string();
        let reply = connection.command(&[b"SCAN", &cursor[..], b"COUNT", count.as_bytes()]);
        let parts = reply.as_slice().expect("SCAN answers with an array");
        cursor = parts[0].as_bytes().expect("the cursor is text").to_vec();
        let keys = parts[1].as_slice().expect("the keys are an array");
        shown += keys.len();
        seen.extend(keys.iter().filter_map(|key| key.as_bytes()).map(<[u8]>::to_vec));
        if cursor == b"0" {
            return (seen, shown);
        }
    }
}

#[test]
fn scan_shows_every_key_that_stays_while_others_come_and_go() {
    const STAY: u64 = 2_000;
    let server = server(3);
    let mut own = server.connect_on(0);
    for key in 0..STAY {
        own.ask(&format!("SET stays:{key} v"));
    }
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 1..3 {
            let (server, stop) = (&server, &stop);
            // Grows and shrinks the tables: segments split and merge under the scan.
            scope.spawn(move || {
                let mut connection = server.connect_on(thread);
                let mut round = 0;
                while !stop.load(Ordering::Relaxed) {
                    for key in 0..3_000 {
                        connection.ask(&format!("SET comes:{thread}:{round}:{key} v"));
                    }
                    for key in 0..3_000 {
                        connection.ask(&format!("DEL comes:{thread}:{round}:{key}"));
                    }
                    round += 1;
                }
            });
        }
        for count in [1, 10, 100, 1_000, 7, 50] {
            let (seen, _) = scan(&mut own, count);
            for key in 0..STAY {
                let key = format!("stays:{key}");
                assert!(seen.contains(key.as_bytes()), "COUNT {count} missed {key}");
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    let (seen, shown) = scan(&mut own, 10);
    assert_eq!(seen.len(), shown, "a scan of keys at rest shows each once");
    assert_eq!(own.ask("DBSIZE"), Value::Integer(seen.len() as i64));
}

#[test]
fn no_increment_is_lost_and_no_transaction_is_torn() {
    const THREADS: usize = 4;
    const ROUNDS: i64 = 2_000;
    let server = server(THREADS);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let server = &server;
            scope.spawn(move || {
                let mut own = server.connect_on(thread);
                for round in 0..ROUNDS {
                    own.ask("INCR alone");
                    // Two counters that only ever move together, in either order of locking.
                    let (first, second) = if round % 2 == 0 { ("a", "b") } else { ("b", "a") };
                    own.ask("MULTI");
                    own.ask(&format!("INCR {first}"));
                    own.ask(&format!("INCR {second}"));
                    own.ask("EXEC");
                    let both = own.ask("MGET a b");
                    let both = both.as_slice().expect("MGET answers with an array");
                    assert_eq!(both[0], both[1], "a transaction was seen half done");
                }
            });
        }
    });
    let total = (ROUNDS * THREADS as i64).to_string();
    let mut own = server.connect();
    for key in ["alone", "a", "b"] {
        assert_eq!(own.text(&format!("GET {key}")), total, "{key}");
    }
}

#[test]
fn check_and_set_loses_nothing() {
    const THREADS: usize = 4;
    const ROUNDS: i64 = 500;
    let server = server(THREADS);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let server = &server;
            scope.spawn(move || {
                let mut own = server.connect_on(thread);
                let mut done = 0;
                while done < ROUNDS {
                    own.ask("WATCH k");
                    let old = own.ask("GET k");
                    let old = old.as_bytes().map_or("0", |b| str::from_utf8(b).expect("digits"));
                    let new = old.parse::<i64>().expect("a number") + 1;
                    own.ask("MULTI");
                    own.ask(&format!("SET k {new}"));
                    done += i64::from(own.ask("EXEC") != Value::NullArray);
                }
            });
        }
    });
    let total = (ROUNDS * THREADS as i64).to_string();
    assert_eq!(server.connect().text("GET k"), total);
    assert_eq!(server.engine.store.watched_keys(), 0);
}

/// One command of the free-for-all on a few keys.
fn any_command(rng: &mut Rng) -> String {
    let mut key = || format!("k{}", rng.below(12));
    let (a, b, c) = (key(), key(), key());
    match rng.below(16) {
        0 | 1 => format!("MGET {a} {b} {c}"),
        2 | 3 => format!("MSET {a} 1 {b} 2 {c} 3"),
        4 => format!("RENAME {a} {b}"),
        5 => format!("COPY {a} {b} REPLACE"),
        6 => format!("MULTI;INCR {a};APPEND {b} x;DEL {c};EXEC"),
        7 => "FLUSHALL".to_owned(),
        8 => "SCAN 0 COUNT 100".to_owned(),
        9 => format!("WATCH {a} {b};MULTI;DBSIZE;SET {c} v;EXEC"),
        10 => format!("SET {a} v PX 1"),
        11 => "SWAPDB 0 1".to_owned(),
        12 => "KEYS *;RANDOMKEY;DBSIZE".to_owned(),
        13 => format!("BITOP OR {a} {b} {c}"),
        14 => format!("MOVE {a} 1;DEL {b} {c}"),
        _ => format!("MSETNX {a} 1 {b} 2;INFO keyspace"),
    }
}

#[test]
fn no_mixture_of_locks_ends_in_a_deadlock() {
    const THREADS: usize = 6;
    let seed = number("CONCURRENCY_SEED", 1);
    let time = Duration::from_secs(number("CONCURRENCY_SECONDS", 2));
    println!("replay: CONCURRENCY_SEED={seed}");
    let server = InProcess::new(Setup {
        threads: THREADS,
        clock: TestClock::system(),
        consumers: Recorder::default().consumers(),
        ..Setup::default()
    });
    let (done, executed) = (AtomicU64::new(0), AtomicU64::new(0));
    let began = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (server, done, executed) = (&server, &done, &executed);
            scope.spawn(move || {
                let mut rng = Rng::seed(seed ^ ((thread as u64) << 32));
                let mut own = server.connect_on(thread);
                while began.elapsed() < time {
                    for command in any_command(&mut rng).split(';') {
                        own.ask(command);
                        executed.fetch_add(1, Ordering::Relaxed);
                    }
                }
                done.fetch_add(1, Ordering::Relaxed);
            });
        }
        // The sweep takes locks of its own meanwhile.
        while began.elapsed() < time {
            server.pass(Duration::from_millis(5));
        }
        let patience = Instant::now() + Duration::from_secs(30);
        while done.load(Ordering::Relaxed) < THREADS as u64 {
            if Instant::now() > patience {
                // Threads that wait for each other can be neither joined nor ended.
                eprintln!("deadlock: seed {seed}, {} of {THREADS} threads ended", {
                    done.load(Ordering::Relaxed)
                });
                std::process::abort();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    assert!(executed.load(Ordering::Relaxed) > 1_000);
    // The dataset is whole: every key that a walk shows is found, and the counts agree.
    let mut own = server.connect();
    let keys = own.ask("KEYS *");
    let keys = keys.as_slice().expect("KEYS answers with an array");
    let existing = keys.iter().filter_map(Value::as_bytes);
    let command: Vec<&[u8]> = std::iter::once(&b"EXISTS"[..]).chain(existing).collect();
    if command.len() > 1 {
        assert_eq!(own.command(&command), Value::Integer(keys.len() as i64));
    }
}

#[test]
fn the_log_replays_to_the_same_dataset() {
    const THREADS: usize = 3;
    let recorder = Recorder::default();
    let server = InProcess::new(Setup {
        threads: THREADS,
        clock: TestClock::system(),
        consumers: recorder.consumers(),
        ..Setup::default()
    });
    let seed = number("CONCURRENCY_SEED", 7);
    println!("replay: CONCURRENCY_SEED={seed}");
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let server = &server;
            scope.spawn(move || {
                let mut rng = Rng::seed(seed ^ ((thread as u64) << 32));
                let mut own = server.connect_on(thread);
                for _ in 0..1_500 {
                    any_command(&mut rng).split(';').for_each(|command| drop(own.ask(command)));
                }
            });
        }
    });
    // What is past its time is no part of the dataset; its removal is logged by the sweep.
    server.pass(Duration::from_secs(1));
    let replica = InProcess::default();
    let mut player = replica.connect();
    player.ask("DEBUG SET-ACTIVE-EXPIRE 0");
    let mut db = 0;
    for (record_db, args) in recorder.take().log.iter().flat_map(store::Records::commands) {
        if record_db != db {
            db = record_db;
            player.ask(&format!("SELECT {db}"));
        }
        player.command(&args.as_args().iter().collect::<Vec<_>>());
    }
    let mut own = server.connect();
    player.ask("SELECT 0");
    for db in ["0", "1"] {
        for connection in [&mut own, &mut player] {
            connection.ask(&format!("SELECT {db}"));
        }
        let contents = |connection: &mut Connection| {
            let (keys, _) = scan(connection, 100);
            let value = |key: Vec<u8>| (key.clone(), connection.command(&[b"GET", &key[..]]));
            keys.into_iter().map(value).collect::<Vec<_>>()
        };
        assert_eq!(contents(&mut own), contents(&mut player), "database {db}, seed {seed}");
    }
}
