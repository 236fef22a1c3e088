//! The family's tests: whole command lines against a fresh store, compared with what a reference
//! server answered, announced and replicated.

mod replies;

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};

use collections::entry::NewValue;
use command::Flags;
use store::Effects;
use store::access::Policy;
use store::effects::KeyEvent;

use super::COMMANDS;
use crate::testing;

const NOW: u64 = 1_700_000_000_000;
const LFU: Policy = Policy::Lfu { log_factor: 10, decay_minutes: 1 };

/// The bench, with replies and what followed as lines.
struct Bench {
    bench: testing::Bench,
    /// The command lines since [`Bench::told`].
    lines: Vec<String>,
}

impl Deref for Bench {
    type Target = testing::Bench;

    fn deref(&self) -> &testing::Bench {
        &self.bench
    }
}

impl DerefMut for Bench {
    fn deref_mut(&mut self) -> &mut testing::Bench {
        &mut self.bench
    }
}

impl Bench {
    fn new() -> Self {
        let mut bench = testing::Bench::new();
        bench.at(NOW);
        Self { bench, lines: Vec::new() }
    }

    /// The reply to a command line, with spaces for line ends.
    fn run(&mut self, line: &str) -> String {
        self.lines.push(line.to_owned());
        self.bench.run(line).trim_end().replace("\r\n", " ")
    }

    /// What the last commands announced, counted, and logged in other words than their own, as one
    /// line.
    fn told(&mut self) -> String {
        let interest = self.effects.interest;
        let fresh = Effects { interest, ..Effects::default() };
        let effects = std::mem::replace(&mut self.effects, fresh);
        let lines = std::mem::take(&mut self.lines);
        let show = |e: &KeyEvent| format!("{}:{}={}", e.db, e.event.name, text(&e.key));
        let mut parts: Vec<String> = effects.events.iter().map(show).collect();
        let logged = effects.records.lines();
        let rewritten = logged.iter().filter(|(_, line)| !lines.contains(line));
        parts.extend(rewritten.map(|(db, line)| format!("[{db} {line}]")));
        parts.push(effects.dirty.to_string());
        parts.join(" ")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn converse(conversations: &[&[(&str, &str)]]) {
    let mut bench = Bench::new();
    for (line, reply) in conversations.iter().copied().flatten() {
        assert_eq!(bench.run(line), *reply, "{line}");
    }
}

#[test]
fn replies_are_those_of_the_reference_server() {
    converse(&[replies::PRESENCE]);
    converse(&[replies::RENAME, replies::COPY, replies::MOVE, replies::EXPIRE]);
    converse(&[replies::SCAN, replies::OBJECT]);
}

/// Commands with their events, log records and number of changes, as a reference server gave them.
/// It tells `overwritten` since 8.2, and of a key that is there no `new` before `set`.
const EFFECTS: &[(&str, &str)] = &[
    ("expire a 100", "0:expire=a [0 PEXPIREAT a 1700000100000] 1"),
    ("expire a 200 gt", "0:expire=a [0 PEXPIREAT a 1700000200000 gt] 1"),
    ("expire a 50 gt", "0"),
    ("expire a 300 nx", "0"),
    ("pexpire a 100000 xx lt", "0:expire=a [0 PEXPIREAT a 1700000100000 xx lt] 1"),
    ("expireat a 9999999999", "0:expire=a [0 PEXPIREAT a 9999999999000] 1"),
    ("pexpireat a 9999999999000", "0:expire=a 1"),
    ("persist a", "0:persist=a 1"),
    ("persist a", "0"),
    ("expire a -1 xx", "0"),
    ("expire a -1", "0:del=a [0 DEL a] 1"),
    ("expire a -1", "0"),
    ("set a 1", "0:new=a 0:set=a 1"),
    ("rename a b", "0:new=b 0:rename_from=a 0:rename_to=b 0:overwritten=b 1"),
    ("rename b b", "0"),
    ("rename nokey b", "0"),
    ("set a 1", "0:new=a 0:set=a 1"),
    ("renamenx a b", "0"),
    ("renamenx a c", "0:new=c 0:rename_from=a 0:rename_to=c 1"),
    ("copy b c", "0"),
    ("copy b c replace", "0:new=c 0:copy_to=c 0:overwritten=c 1"),
    ("copy b d", "0:new=d 0:copy_to=d 1"),
    ("copy b d db 1", "1:new=d 1:copy_to=d 1"),
    ("copy nokey d", "0:keymiss=nokey 0"),
    ("move c 1", "1:new=c 0:move_from=c 1:move_to=c 1"),
    ("move d 1", "0"),
    ("move nokey 1", "0"),
    ("del b d nokey", "0:del=b 0:del=d 2"),
    ("unlink b", "0"),
    ("touch nokey", "0:keymiss=nokey 0"),
    ("exists nokey", "0:keymiss=nokey 0"),
    ("ttl nokey", "0:keymiss=nokey 0"),
    ("type nokey", "0:keymiss=nokey 0"),
    ("object encoding nokey", "0"),
    ("keys nokey", "0"),
];

#[test]
fn effects_are_those_of_the_reference_server() {
    let mut bench = Bench::new();
    bench.run("set a 1");
    bench.run("set b 2");
    bench.told();
    for (line, told) in EFFECTS {
        bench.run(line);
        assert_eq!(bench.told(), *told, "{line}");
    }
}

#[test]
fn a_deadline_in_the_past_is_logged_as_configured() {
    let mut bench = Bench::new();
    bench.config("lazyfree-lazy-expire", "yes");
    bench.run("set a 1");
    bench.told();
    bench.run("pexpireat a 1");
    assert_eq!(bench.told(), "0:del=a [0 UNLINK a] 1");
}

#[test]
fn keys_whose_time_has_come_are_gone() {
    let mut bench = Bench::new();
    for key in ["a", "b", "c", "d", "e", "f"] {
        bench.run(&format!("set {key} 1 px 10"));
    }
    bench.scope.now += 10;
    bench.told();
    assert_eq!(bench.run("keys *"), "*0");
    assert_eq!(bench.run("keys a"), "*0");
    assert_eq!(bench.run("scan 0 count 1000"), "*2 $1 0 *0");
    assert_eq!(bench.run("randomkey"), "$-1");
    assert_eq!(bench.told(), "0");
    assert_eq!(bench.run("exists a"), ":0");
    assert_eq!(bench.told(), "0:expired=a 0:keymiss=a [0 DEL a] 0");
    assert_eq!(bench.run("rename b x"), "-ERR no such key");
    assert_eq!(bench.told(), "0:expired=b [0 DEL b] 0");
    bench.run("set new 1");
    bench.told();
    assert_eq!(bench.run("renamenx new c"), ":1");
    let told = "0:expired=c 0:new=c 0:rename_from=new 0:rename_to=c [0 DEL c] 1";
    assert_eq!(bench.told(), told);
    assert_eq!(bench.run("expire d 100"), ":0");
    assert_eq!(bench.run("del e"), ":0");
    assert_eq!(bench.run("dbsize"), ":2", "the key that nobody asked for is still counted");
}

#[test]
fn a_scan_hands_over_the_due_keys_that_it_would_have_shown() {
    let mut bench = Bench::new();
    bench.run("set due:a 1 px 10");
    bench.run("set due:b 1 px 10");
    bench.run("set other 1 px 10");
    bench.scope.now += 10;
    bench.told();
    assert_eq!(bench.run("scan 0 match due:* type string count 1000"), "*2 $1 0 *0");
    let due: BTreeSet<_> = bench.effects.due.iter().map(|due| (due.db, text(&due.key))).collect();
    assert_eq!(due, BTreeSet::from([(0, "due:a".into()), (0, "due:b".into())]));
    assert_eq!((bench.told(), bench.run("dbsize")), ("0".into(), ":3".into()));
    bench.in_transaction = true;
    bench.run("scan 0 match due:a count 1000");
    assert_eq!(bench.told(), "0:expired=due:a [0 DEL due:a] 0");
    assert_eq!(bench.run("dbsize"), ":2");
}

#[test]
fn a_walk_shows_every_key_and_locks_by_itself_or_not_at_all() {
    let mut bench = Bench::new();
    let all: BTreeSet<String> = (0..3000).map(|i| format!("key:{i}")).collect();
    all.iter().for_each(|key| assert_eq!(bench.run(&format!("set {key} 1")), "+OK"));
    for transaction in [false, true] {
        bench.in_transaction = transaction;
        assert_eq!(bench.run("dbsize"), ":3000");
        let keys = bench.run("keys key:*");
        let listed: Vec<_> = keys.split(' ').filter(|word| word.starts_with("key")).collect();
        assert!(keys.starts_with("*3000 ") && listed.len() == 3000);
        assert_eq!(listed.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>(), all);
        assert_eq!(bench.run("keys key:7"), "*1 $5 key:7");
        assert_eq!(bench.run("keys key:29[0-4]?").split(' ').next(), Some("*50"));

        let mut seen = BTreeSet::new();
        let (mut cursor, mut calls) = ("0".to_owned(), 0);
        loop {
            let reply = bench.run(&format!("scan {cursor} count 7"));
            let words: Vec<&str> = reply.split(' ').collect();
            seen.extend(words.iter().filter(|word| word.starts_with("key")).map(|w| (*w).into()));
            (cursor, calls) = (words[2].to_owned(), calls + 1);
            if cursor == "0" {
                break;
            }
        }
        assert_eq!(seen, all);
        assert!(calls > 3000 / 100, "{calls} calls");
    }
    let random = bench.run("randomkey");
    assert!(all.contains(random.rsplit(' ').next().expect("a reply has a word")), "{random}");
}

#[test]
fn values_keep_their_bytes_encoding_and_deadline_when_they_move() {
    let mut bench = Bench::new();
    let (long_key, long) = ("k".repeat(100), "v".repeat(1000));
    bench.run(&format!("set short {} px 5000", "v".repeat(44)));
    bench.run(&format!("set long {long}"));
    bench.run(&format!("rename short {long_key}"));
    assert_eq!(bench.run(&format!("object encoding {long_key}")), "$6 embstr");
    assert_eq!(bench.run(&format!("pttl {long_key}")), ":5000");
    bench.run(&format!("move {long_key} 3"));
    bench.scope.db = 3;
    assert_eq!(bench.run(&format!("rename {long_key} short")), "+OK");
    assert_eq!(bench.run("pexpiretime short"), format!(":{}", NOW + 5000));
    bench.scope.db = 0;
    bench.run("copy long other db 5");
    bench.run("rename long renamed");
    assert_eq!(bench.run("object encoding renamed"), "$3 raw");
    let mut keyspace = bench.keyspace();
    for (db, key) in [(0, "renamed"), (5, "other")] {
        let entry = keyspace.peek_in(db, key.as_bytes()).expect("it was put there");
        let expected = collections::entry::Entry::new(b"", NewValue::Bytes(long.as_bytes()), None);
        assert_eq!(format!("{:?}", entry.value()), format!("{:?}", expected.value()));
    }
}

#[test]
fn looking_leaves_no_trace_but_touching_does() {
    let mut bench = Bench::new();
    bench.run("set a 1");
    bench.scope.now += 100_000;
    for line in ["object idletime a", "exists a", "ttl a", "type a", "object encoding a"] {
        bench.run(line);
    }
    assert_eq!(bench.run("object idletime a"), ":100");
    assert_eq!(bench.effects.counters.hits, 6);
    bench.scope.access.touch = false;
    bench.run("touch a");
    assert_eq!(bench.run("object idletime a"), ":0", "TOUCH touches even in no-touch mode");
}

#[test]
fn a_renamed_key_keeps_its_clock_and_a_copy_is_new() {
    let mut bench = Bench::new();
    bench.scope.access.policy = LFU;
    bench.run("set a 1");
    assert_eq!(bench.run("object freq a"), ":5");
    let refusal = bench.run("object idletime a");
    assert!(refusal.starts_with("-ERR An LFU maxmemory policy is selected, idle time"));
    for _ in 0..200 {
        bench.run("touch a");
    }
    let used = bench.run("object freq a");
    assert_ne!(used, ":5");
    bench.scope.access.touch = false;
    bench.run("rename a b");
    assert_eq!(bench.run("object freq b"), used);
    bench.run("copy b c");
    assert_eq!(bench.run("object freq c"), ":5");
}

#[test]
fn resp3_has_its_own_null() {
    let mut bench = Bench::new();
    bench.resp3();
    assert_eq!(bench.run("randomkey"), "_");
    assert_eq!(bench.run("object encoding nokey"), "_");
    assert_eq!(bench.run("scan 0"), "*2 $1 0 *0");
    assert!(bench.run("object help").starts_with("*12 +OBJECT <subcommand>"));
}

#[test]
fn whoever_watches_either_key_of_a_move_hears_of_it() {
    for (line, db, key) in [
        ("rename a b", 0, "a"),
        ("rename a b", 0, "b"),
        ("move a 1", 0, "a"),
        ("move a 1", 1, "a"),
        ("copy a c", 0, "c"),
        ("expire a 10", 0, "a"),
        ("persist t", 0, "t"),
        ("del a", 0, "a"),
    ] {
        let mut bench = Bench::new();
        bench.run("set a 1");
        bench.run("set t 1 px 1000");
        let flag = std::sync::Arc::new(store::WatchFlag::default());
        bench.scope.db = db;
        bench.keyspace().watch(key.as_bytes(), &flag);
        bench.scope.db = 0;
        bench.run("exists a t");
        assert!(!flag.is_raised(), "{line}: reading is no change");
        bench.run(line);
        assert!(flag.is_raised(), "{line} and {key} of database {db}");
    }
}

#[test]
fn the_table_is_consistent() {
    let mut names = BTreeSet::new();
    for command in COMMANDS {
        let spec = &command.spec;
        assert!(names.insert(spec.name), "{} twice", spec.name);
        let walks = spec.flags.contains(Flags::KEYSPACE_WALK);
        let container = !command.subcommands.is_empty();
        assert_eq!(spec.keys.is_empty(), walks || container, "{}: keys or a walk", spec.name);
        let (reads, writes) =
            (spec.flags.contains(Flags::READONLY), spec.flags.contains(Flags::WRITE));
        assert!(container || reads != writes, "{} reads or writes", spec.name);
    }
    assert_eq!(names.len(), 28);
}
