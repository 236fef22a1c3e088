//! Making room in a real server: several event loops write to one dataset that is full, and the
//! allocator says how much memory they take.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};

use support::{Server, wait_for};

const MIB: u64 = 1 << 20;

/// Each loop looks at all the others' memory once it has taken so much itself; and some commands
/// are under way.
const SLACK: u64 = 2 * MIB;

/// Writes from four threads at once while somebody measures. The most memory that was seen above
/// the limit, in bytes.
fn write_from_all_sides(
    server: &Server,
    limit: u64,
    command: impl Fn(u64) -> String + Sync,
) -> u64 {
    const WRITES: u64 = 10_000;
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (mut client, command) = (server.connect(), &command);
                scope.spawn(move || {
                    for number in 0..WRITES {
                        let line = command(writer * WRITES + number);
                        let reply = client.command(&line);
                        assert!(!reply.starts_with('-'), "{reply}");
                    }
                })
            })
            .collect();
        let observer = scope.spawn(|| {
            let mut above = 0;
            while !is_over.load(Ordering::Relaxed) {
                above = above.max(server.info("used_memory").saturating_sub(limit));
            }
            above
        });
        let ended: Vec<_> = writers.into_iter().map(ScopedJoinHandle::join).collect();
        is_over.store(true, Ordering::Relaxed);
        ended.into_iter().for_each(Result::unwrap);
        observer.join().unwrap()
    })
}

#[test]
fn several_loops_stay_within_the_limit_and_refuse_nothing() {
    let small = |number: u64| format!("SET key:{number} {number}");
    let mixed = |number: u64| match number % 3 {
        0 => format!("SET key:{number} {}", "x".repeat(1 + number as usize * 31 % 5_000)),
        1 => format!("HSET hash:{} field:{number} {}", number % 500, "x".repeat(200)),
        _ => format!("RPUSH list:{} {}", number % 500, "x".repeat(200)),
    };
    // A save takes some memory while it runs, which is much where a mebibyte is all there is.
    let options = ["--latency-tracking", "no", "--save", ""];
    let server = Server::start(&[&["--io-threads", "4"], &options[..]].concat());
    let mut control = server.connect();
    let runs: [(&str, &(dyn Fn(u64) -> String + Sync)); 4] = [
        ("allkeys-lru", &small),
        ("allkeys-lfu", &mixed),
        ("allkeys-random", &mixed),
        ("allkeys-lrm", &small),
    ];
    // Measured once: what an earlier run has left to be freed is not there to stay.
    let limit = server.info("used_memory") + MIB;
    for (policy, command) in runs {
        assert_eq!(control.command("FLUSHALL"), "+OK");
        assert_eq!(control.command("CONFIG RESETSTAT"), "+OK");
        let set = format!("CONFIG SET maxmemory-policy {policy} maxmemory {limit}");
        assert_eq!(control.command(&set), "+OK");
        let above = write_from_all_sides(&server, limit, command);
        assert!(above < SLACK, "{policy}: {above} bytes above");
        let evicted = server.info("evicted_keys");
        assert!(evicted > 1_000, "{policy}: {evicted} keys");
        let used = server.info("used_memory");
        assert!(used > limit - MIB / 2, "{policy}: {} bytes below", limit - used);
        assert_eq!(control.command("CONFIG SET maxmemory 0"), "+OK");
    }
}

#[test]
fn a_lower_limit_is_met_without_a_command_and_no_more_goes_than_must() {
    let options = ["--maxmemory-policy", "allkeys-lru", "--enable-debug-command", "yes"];
    let server = Server::start(&[&["--io-threads", "2"], &options[..]].concat());
    let mut client = server.connect();
    assert_eq!(client.command("DEBUG POPULATE 100000 key 60"), "+OK");
    let used = server.info("used_memory");
    let limit = used - 5 * MIB;
    assert_eq!(client.command(&format!("CONFIG SET maxmemory {limit}")), "+OK");
    wait_for("eviction", || (server.info("used_memory") <= limit).then_some(()));
    let evicted = server.info("evicted_keys");
    // About a hundred bytes each.
    assert!((30_000..80_000).contains(&evicted), "{evicted}");
    assert!(server.info("used_memory") > limit - MIB);
}

#[test]
fn a_large_value_that_goes_takes_nothing_else_along() {
    let server = Server::start(&["--io-threads", "2", "--maxmemory-policy", "volatile-ttl"]);
    let mut client = server.connect();
    let members: Vec<_> = (0..1_000).map(|n| format!("member:{n}")).collect();
    for batch in 0..200 {
        let members: Vec<_> = members.iter().map(|member| format!("{member}:{batch}")).collect();
        client.command(&format!("SADD large {}", members.join(" ")));
    }
    client.command("EXPIRE large 100");
    for number in 0..1_000 {
        client.command(&format!("SET small:{number} v"));
    }
    let limit = server.info("used_memory") - MIB;
    assert_eq!(client.command(&format!("CONFIG SET maxmemory {limit}")), "+OK");
    for _ in 0..100 {
        assert_eq!(client.command("SET other v"), "+OK");
    }
    wait_for("the end of the free", || {
        (server.info("lazyfree_pending_objects") == 0).then_some(())
    });
    assert_eq!(client.command("DBSIZE"), ":1001");
    assert_eq!(server.info("evicted_keys"), 1);
}
