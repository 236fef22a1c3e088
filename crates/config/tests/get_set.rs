//! `CONFIG GET` and `CONFIG SET`, with the words of Redis 7.0.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod common;

use common::{fresh, get, random_value, reason, seed, set, set_all};
use config::*;

#[test]
fn get_matches_names_and_aliases_once() {
    let config = fresh();
    let names = |patterns: &[&str]| -> Vec<String> {
        let patterns: Vec<&[u8]> = patterns.iter().map(|pattern| pattern.as_bytes()).collect();
        let found = config.matching(&patterns);
        found.into_iter().map(|(name, _)| String::from_utf8(name).unwrap()).collect()
    };
    assert_eq!(names(&["maxmemory", "MAXMEMORY", "maxmemor?"]), ["maxmemory"]);
    assert_eq!(names(&["slave-priorit?"]), ["slave-priority"]);
    assert_eq!(
        names(&["hash-max-*-entries"]),
        ["hash-max-listpack-entries", "hash-max-ziplist-entries"]
    );
    assert_eq!(names(&["HZ"]), ["HZ"], "an exact name is answered as it was asked");
    assert_eq!(names(&["key-load-*", "nosuch"]), [""; 0], "patterns miss hidden parameters");
    assert_eq!(names(&["Key-Load-Delay"]), ["Key-Load-Delay"]);
    assert_eq!(names(&["primary*"]), [""; 0], "names of other servers are not listed");
    assert_eq!(names(&["primaryauth", "masterauth"]), ["primaryauth", "masterauth"]);
    assert!(names(&["*"]).len() > 250);
}

#[test]
fn refusals_have_the_words_of_redis() {
    let config = fresh();
    let long = "a".repeat(300);
    for (name, value, words) in [
        ("hz", "abc", "argument couldn't be parsed into an integer"),
        ("hz", "1.5", "argument couldn't be parsed into an integer"),
        ("hz", "-1", "argument must be between 0 and 2147483647 inclusive"),
        ("hz", "99999999999", "argument must be between 0 and 2147483647 inclusive"),
        ("port", "70000", "argument must be between 0 and 65535 inclusive"),
        ("lua-time-limit", "-1", "argument must be between 0 and 9223372036854775807 inclusive"),
        ("maxclients", "0", "argument must be between 1 and 4294967295 inclusive"),
        (
            "slowlog-log-slower-than",
            "-2",
            "argument must be between -1 and 9223372036854775807 inclusive",
        ),
        (
            "list-max-listpack-size",
            "99999999999",
            "argument must be between -2147483648 and 2147483647 inclusive",
        ),
        ("acllog-max-len", "99999999999999999999", "argument couldn't be parsed into an integer"),
        ("maxmemory", "10xb", "argument must be a memory value"),
        ("maxmemory", "-1", "argument must be a memory value"),
        ("maxmemory", "1.5gb", "argument must be a memory value"),
        ("maxmemory", "18446744073709551616", "argument must be a memory value"),
        (
            "proto-max-bulk-len",
            "1",
            "argument must be between 1048576 and 9223372036854775807 inclusive",
        ),
        ("maxmemory-clients", "500%", "percentage argument must be less or equal to 100"),
        ("maxmemory-clients", "-5", "argument must be a memory or percent value"),
        ("maxmemory-clients", "%", "argument must be a memory or percent value"),
        ("appendonly", "maybe", "argument must be 'yes' or 'no'"),
        (
            "sanitize-dump-payload",
            "x",
            "argument(s) must be one of the following: no, yes, clients",
        ),
        (
            "oom-score-adj",
            "maybe",
            "argument(s) must be one of the following: no, yes, relative, absolute",
        ),
        (
            "shutdown-on-sigint",
            "",
            "argument(s) must be one of the following: default, save, nosave, now, force",
        ),
        (
            "shutdown-on-sigint",
            "foo",
            "argument(s) must be one of the following: default, save, nosave, now, force",
        ),
        (
            "shutdown-on-sigint",
            "save nosave",
            "shutdown options SAVE and NOSAVE can't be used simultaneously",
        ),
        ("save", "1 2 3", "Invalid save parameters"),
        ("save", "\"900\" \"1\"", "Invalid save parameters"),
        (
            "client-output-buffer-limit",
            "normal 1",
            "Wrong number of arguments in buffer limit configuration.",
        ),
        (
            "client-output-buffer-limit",
            "master 1 2 3",
            "Invalid client class specified in buffer limit configuration.",
        ),
        (
            "client-output-buffer-limit",
            "normal 1mb 2 x",
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
        ),
        ("oom-score-adj-values", "1 2", "wrong number of arguments"),
        (
            "oom-score-adj-values",
            "0 2 2001",
            "Invalid oom-score-adj-values, elements must be between -2000 and 2000.",
        ),
        (
            "latency-tracking-info-percentiles",
            "50 101",
            "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
        ),
        (
            "latency-tracking-info-percentiles",
            "50 a",
            "Invalid latency-tracking-info-percentiles parameters",
        ),
        (
            "proc-title-template",
            "{bad}",
            "template format is invalid or contains unknown variables",
        ),
        ("dbfilename", "a/b", "dbfilename can't be a path, just a filename"),
        (
            "cluster-announce-hostname",
            "a b",
            "Hostnames may only contain alphanumeric characters, hyphens or dots",
        ),
        ("cluster-announce-hostname", &long, "Hostnames must be less than 256 characters"),
        ("daemonize", "yes", "can't set immutable config"),
        ("slaveof", "x 1", "can't set immutable config"),
        ("tls-port", "6380", "this version does not support it"),
        ("unixsocketperm", "777", "can't set immutable config"),
    ] {
        assert_eq!(reason(&config, name, value), words, "{name} {value}");
    }
    assert!(reason(&config, "notify-keyspace-events", "Kq").starts_with("Invalid event class"));
    assert_eq!(
        set(&config, "maxmemory-policy", "x").unwrap_err(),
        "ERR CONFIG SET failed (possibly related to argument 'maxmemory-policy') - argument(s) \
         must be one of the following: volatile-lru, volatile-lfu, volatile-random, volatile-ttl, \
         volatile-lrm, allkeys-lru, allkeys-lfu, allkeys-random, allkeys-lrm, noeviction"
    );
}

#[test]
fn values_are_shown_as_redis_shows_them() {
    let config = fresh();
    for (name, given, shown) in [
        ("MAXMEMORY", "5mb", "5242880"),
        ("maxmemory", "18446744073709551615", "18446744073709551615"),
        ("maxmemory", "", "0"),
        ("repl-backlog-size", "1", "16384"),
        ("hz", "0", "1"),
        ("hz", "2147483647", "500"),
        ("maxmemory-clients", "5%", "5%"),
        ("maxmemory-clients", "0%", "0"),
        ("maxmemory-clients", "1k", "1000"),
        ("appendonly", "YES", "yes"),
        ("loglevel", "NOTICE", "notice"),
        ("oom-score-adj", "relative", "yes"),
        ("save", "900 1 300 10", "900 1 300 10"),
        ("save", "", ""),
        (
            "client-output-buffer-limit",
            "replica 1mb 2mb 3 pubsub 1 2 4",
            "normal 0 0 0 slave 1048576 2097152 3 pubsub 1 2 4",
        ),
        ("client-output-buffer-limit", "", "normal 0 0 0 slave 1048576 2097152 3 pubsub 1 2 4"),
        ("notify-keyspace-events", "mnKg", "gnKm"),
        ("bind", "", ""),
        ("bind", "127.0.0.1 -::1", "127.0.0.1 -::1"),
        ("latency-tracking-info-percentiles", "50.123456 99.99 100 0", "50.123456 99.99 100 0"),
        ("latency-tracking-info-percentiles", "", ""),
        ("shutdown-on-sigint", "nosave force now", "nosave now force"),
        ("shutdown-on-sigint", "default force", "force"),
        ("shutdown-on-sigint", "default", "default"),
        ("masterauth", "", ""),
    ] {
        set(&config, name, given).unwrap();
        assert_eq!(get(&config, name), shown, "{name} {given}");
    }
}

#[test]
fn handles_read_what_was_set() {
    let config = fresh();
    set_all(
        &config,
        &[
            ("maxmemory", "100mb"),
            ("maxmemory-policy", "allkeys-lru"),
            ("maxmemory-clients", "5%"),
            ("notify-keyspace-events", "KEA"),
            ("save", "60 1"),
            ("client-output-buffer-limit", "pubsub 1 2 3"),
            ("shutdown-on-sigterm", "nosave force"),
            ("requirepass", "secret"),
            ("oom-score-adj", "yes"),
            ("bind", "127.0.0.1 ::1"),
        ],
    )
    .unwrap();
    assert_eq!(config.get(rows::MAXMEMORY), 100 << 20);
    assert_eq!(config.get(rows::MAXMEMORY_POLICY), MaxmemoryPolicy::AllkeysLru);
    assert_eq!(config.get(rows::MAXMEMORY_CLIENTS), Amount::Percent(5));
    assert_eq!(config.get(rows::MAXMEMORY_CLIENTS).resolve(1000), 50);
    assert!(config.get(rows::NOTIFY_KEYSPACE_EVENTS).contains(EventFlags::HASH));
    assert_eq!(config.get(rows::SAVE), [SavePoint { seconds: 60, changes: 1 }]);
    let limit = OutputLimit { hard_bytes: 1, soft_bytes: 2, soft_seconds: 3 };
    assert_eq!(config.output_limit(ClientClass::Pubsub), limit);
    assert_eq!(config.get(rows::CLIENT_OUTPUT_BUFFER_LIMIT)[2], limit);
    assert_eq!(config.output_limit(ClientClass::Replica).hard_bytes, 256 << 20);
    let flags = config.get(rows::SHUTDOWN_ON_SIGTERM);
    assert!(flags.nosave() && flags.force() && !flags.now() && !flags.save());
    assert_eq!(&*config.get(rows::REQUIREPASS), b"secret");
    assert_eq!(config.get(rows::OOM_SCORE_ADJ), OomScoreAdj::Relative);
    assert_eq!(config.get(rows::OOM_SCORE_ADJ_VALUES), [0, 200, 800]);
    assert_eq!(config.get(rows::BIND), [b"127.0.0.1".to_vec(), b"::1".to_vec()]);
    assert_eq!(config.get(rows::LATENCY_TRACKING_INFO_PERCENTILES), [50.0, 99.0, 99.9]);
    assert_eq!(config.get(rows::REPLICAOF), None);
    assert!(config.get(rows::PROTECTED_MODE));
    assert_eq!(config.get(rows::SLOWLOG_LOG_SLOWER_THAN), 10_000);
}

#[test]
fn rules_come_before_values() {
    let config = fresh();
    let first = |pairs: &[(&str, &str)]| set_all(&config, pairs).unwrap_err();
    assert_eq!(
        first(&[("nosuch", "1")]),
        "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"
    );
    assert_eq!(
        first(&[("maxmemory", "x"), ("nosuch", "1")]),
        "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"
    );
    assert!(first(&[("daemonize", "no"), ("nosuch", "1")]).ends_with("can't set immutable config"));
    assert_eq!(
        first(&[("save", "1 1"), ("maxmemory", "x"), ("Save", "")]),
        "ERR CONFIG SET failed (possibly related to argument 'Save') - duplicate parameter"
    );
    for name in ["user", "include", "loadmodule", "rename-command"] {
        assert!(first(&[(name, "x")]).starts_with("ERR Unknown option"));
    }
    let refused = config.set(&[(b"dir", b"/")], SetRules::default(), &mut |_| Ok(()));
    assert!(refused.unwrap_err().to_string().ends_with("can't set protected config"));
    let loading = SetRules { protected_allowed: true, loading: true };
    let refused = config.set(&[(b"dir", b"/")], loading, &mut |_| Ok(()));
    assert!(refused.unwrap_err().to_string().starts_with("LOADING "));
    assert!(config.set(&[(b"loglevel", b"debug")], loading, &mut |_| Ok(())).is_ok());
}

#[test]
fn two_aliases_of_one_parameter_may_meet_and_the_later_wins() {
    let config = fresh();
    set_all(&config, &[("hash-max-ziplist-entries", "1"), ("hash-max-listpack-entries", "2")])
        .unwrap();
    assert_eq!(get(&config, "hash-max-ziplist-entries"), "2");
}

#[test]
fn a_bad_value_changes_nothing() {
    let config = fresh();
    let words = set_all(
        &config,
        &[
            ("maxmemory", "10000001"),
            ("maxmemory-clients", "200%"),
            ("client-query-buffer-limit", "x"),
        ],
    )
    .unwrap_err();
    assert_eq!(
        words,
        "ERR CONFIG SET failed (possibly related to argument 'maxmemory-clients') - percentage \
         argument must be less or equal to 100"
    );
    assert_eq!(get(&config, "maxmemory"), "0");
}

#[test]
fn a_refused_change_is_undone_in_reverse() {
    let config = fresh();
    let mut told = Vec::new();
    let pairs: [(&[u8], &[u8]); 4] =
        [(b"hz", b"20"), (b"timeout", b"0"), (b"port", b"1"), (b"maxmemory", b"5")];
    let refused = config
        .set(&pairs, SetRules::default(), &mut |change| {
            assert_eq!(config.value(change.id), change.after, "values are stored before");
            told.push((change.id.row().name, change.after.clone()));
            if change.after == Value::Word(1) { Err("Unable to listen".into()) } else { Ok(()) }
        })
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen"
    );
    let word = Value::Word;
    assert_eq!(
        told,
        [("hz", word(20)), ("port", word(1)), ("port", word(6379)), ("hz", word(10))],
        "what did not change is not applied, what was applied is applied back"
    );
    for (name, value) in [("hz", "10"), ("port", "6379"), ("maxmemory", "0")] {
        assert_eq!(get(&config, name), value);
    }
}

#[test]
fn changes_are_reported_and_files_are_applied_again() {
    let config = fresh();
    let pairs: [(&[u8], &[u8]); 3] = [(b"hz", b"10"), (b"timeout", b"5"), (b"tls-cert-file", b"")];
    let changes = config.set(&pairs, SetRules::default(), &mut |_| Ok(())).unwrap();
    let names: Vec<&str> = changes.iter().map(|change| change.id.row().name).collect();
    assert_eq!(names, ["timeout", "tls-cert-file"]);
    assert_eq!(changes[0].before, Value::Word(0));
}

#[test]
fn the_server_assigns_what_the_rules_forbid() {
    let config = fresh();
    config.assign(rows::DIR, b"/elsewhere").unwrap();
    config.assign(rows::REPLICAOF, b"host 7000").unwrap();
    assert_eq!(&*config.get(rows::DIR), b"/elsewhere");
    assert_eq!(config.get(rows::REPLICAOF), Some((b"host".to_vec(), 7000)));
    assert!(config.assign(rows::PORT, b"x").is_err());
}

#[test]
fn a_switch_may_be_for_the_file_alone_to_turn_on() {
    let config = fresh();
    let name = "key-memory-histograms";
    let refusal = "memory tracking cannot be enabled at runtime";
    assert_eq!(reason(&config, name, "yes"), refusal);
    config.assign(rows::KEY_MEMORY_HISTOGRAMS, b"yes").unwrap();
    let set = |value: &[u8]| {
        config.set(&[(name.as_bytes(), value)], SetRules::default(), &mut |_| Ok(())).is_ok()
    };
    assert!(set(b"yes") && set(b"no") && !set(b"yes"));
}

#[test]
fn setting_what_get_shows_changes_nothing() {
    let mut rng = seed("setting_what_get_shows_changes_nothing", 1);
    let config = fresh();
    let rules = SetRules { protected_allowed: true, loading: false };
    for _ in 0..200 {
        let settable = |row: &Row| {
            row.access != Access::Immutable && !row.indispensable && row.only_off.is_none()
        };
        for id in ids().filter(|id| settable(id.row())) {
            let row = id.row();
            let name = row.name.as_bytes();
            let value = random_value(row, &mut rng);
            config
                .set(&[(name, &value)], rules, &mut |_| Ok(()))
                .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&value)));
            let (before, shown) = (config.value(id), config.show(id));
            let changes = config.set(&[(name, &shown)], rules, &mut |_| Ok(())).unwrap();
            assert!(changes.is_empty() || row.reapplied, "{}: {changes:?}", row.name);
            assert_eq!(config.value(id), before, "{}", row.name);
        }
    }
}

#[test]
fn arbitrary_bytes_are_values_or_refusals() {
    let mut rng = seed("arbitrary_bytes_are_values_or_refusals", 2);
    let config = fresh();
    let rules = SetRules { protected_allowed: true, loading: false };
    let alphabet = b"0159-+ \x00\xffkmgb%.yesnoKEA\"";
    for _ in 0..100 {
        for id in ids() {
            let text: Vec<u8> =
                (0..rng.index(24)).map(|_| alphabet[rng.index(alphabet.len())]).collect();
            let before = config.value(id);
            if config.set(&[(id.row().name.as_bytes(), &text)], rules, &mut |_| Ok(())).is_err() {
                assert_eq!(config.value(id), before);
            }
        }
    }
}

#[test]
fn readers_see_whole_texts_while_writers_write() {
    let config = fresh();
    std::thread::scope(|scope| {
        for word in ["aaaaaaaa", "bbbbbbbbbbbb"] {
            let config = &config;
            scope.spawn(move || (0..500).for_each(|_| set(config, "masterauth", word).unwrap()));
        }
        for _ in 0..500 {
            let text = config.get(rows::MASTERAUTH);
            assert!(text.windows(2).all(|pair| pair[0] == pair[1]), "{text:?}");
        }
    });
}
