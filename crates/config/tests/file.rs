//! Configuration files and what stands in them besides parameters.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod common;

use common::{fresh, get, load};
use config::{LoadError, rows};

fn line_error(text: &str) -> (usize, String, String) {
    match load(&fresh(), text) {
        Err(LoadError::Line { line_number, line, reason }) => {
            (line_number, String::from_utf8(line).unwrap(), reason)
        }
        other => panic!("{text:?} gives {other:?}"),
    }
}

#[test]
fn lines() {
    let config = fresh();
    let text = "# comment\n\n   PORT   7000  \r\n\tmaxmemory 100mb\nrequirepass \"a b\\x21\"\n\
                loglevel 'verbose'\nhz 5\nhz 7\nunixsocketperm 700\nlua-time-limit 9";
    let loaded = load(&config, text).unwrap();
    for (name, value) in [
        ("port", "7000"),
        ("maxmemory", "104857600"),
        ("requirepass", "a b!"),
        ("loglevel", "verbose"),
        ("hz", "7"),
        ("unixsocketperm", "700"),
        ("busy-reply-threshold", "9"),
    ] {
        assert_eq!(get(&config, name), value, "{name}");
    }
    let origin = loaded.origin(rows::HZ).unwrap();
    assert_eq!((origin.line_number, &origin.line[..]), (8, &b"hz 7"[..]));
    assert!(loaded.origin(rows::TIMEOUT).is_none());
}

#[test]
fn mistakes_are_reported_like_redis_reports_them() {
    let error = load(&fresh(), "\n  # c\n port 17199  abc\"d\" \n").unwrap_err();
    assert_eq!(
        error.report("Redis 8.8.0"),
        "\n*** FATAL CONFIG FILE ERROR (Redis 8.8.0) ***\n\
         Reading the configuration file, at line 3\n\
         >>> 'port 17199  abc\"d\"'\n\
         wrong number of arguments\n"
    );
    for (line, reason) in [
        ("port \"17199", "Unbalanced quotes in configuration line"),
        ("portx 1", "Bad directive or wrong number of arguments"),
        ("\"\"", "Bad directive or wrong number of arguments"),
        ("port", "wrong number of arguments"),
        ("port 0x10", "argument couldn't be parsed into an integer"),
        ("masterauth a b", "wrong number of arguments"),
        ("unixsocketperm 999", "argument couldn't be parsed as an octal number"),
        ("unixsocketperm 7777", "argument must be between 0 and 777 inclusive"),
        ("replicaof a", "wrong number of arguments"),
        ("replicaof a x", "Invalid master port"),
        ("save 3 1 4", "Invalid save parameters"),
        (
            "shutdown-on-sigint",
            "argument(s) must be one of the following: default, save, nosave, now, force",
        ),
        (
            "client-output-buffer-limit \"\"",
            "Wrong number of arguments in buffer limit configuration.",
        ),
        ("loadmodule", "Bad directive or wrong number of arguments"),
        ("user", "Bad directive or wrong number of arguments"),
        ("rename-command a", "Bad directive or wrong number of arguments"),
        ("include", "Bad directive or wrong number of arguments"),
        ("sentinel monitor", "sentinel directive while not in sentinel mode"),
        ("list-max-ziplist-value 1 2", "Bad directive or wrong number of arguments"),
    ] {
        assert_eq!(line_error(line), (1, line.to_owned(), reason.to_owned()));
    }
    let many = format!("bind {}", ["a"; 17].join(" "));
    assert_eq!(line_error(&many).2, "Too many bind addresses specified.");
}

#[test]
fn cluster_nodes_are_told_their_primary_by_the_cluster() {
    let error = load(&fresh(), "replicaof a 1\ncluster-enabled yes").unwrap_err();
    assert_eq!(
        error.report("Redis 8.8.0"),
        "\n*** FATAL CONFIG FILE ERROR (Redis 8.8.0) ***\n\
         replicaof directive not allowed in cluster mode\n"
    );
    assert!(load(&fresh(), "replicaof no one\ncluster-enabled yes").is_ok());
}

#[test]
fn what_cannot_be_left_out_is_named() {
    for (text, unmet) in [
        ("masterauth x\nactivedefrag yes\nrdb-version-check relaxed\nmptcp yes", None),
        ("replicaof a 1", Some("replicaof")),
        ("replicaof a 1\nslaveof no one", None),
        ("tls-port 6380", Some("tls-port")),
        ("tls-port 6380\ntls-port 0\ntls-cert-file x", None),
        ("aclfile /etc/users.acl", Some("aclfile")),
        ("cluster-enabled no", None),
    ] {
        let config = fresh();
        load(&config, text).unwrap();
        assert_eq!(config.unmet().map(|id| id.row().name), unmet, "{text}");
    }
}

#[test]
fn save_lines_add_up() {
    for (text, points) in [
        ("", "3600 1 300 100 60 10000"),
        ("save 900 1", "900 1"),
        ("save 900 1\nsave 300 10 60 5", "900 1 300 10 60 5"),
        ("save \"900 1 300 10\"", "900 1 300 10"),
        ("save ''\nsave 100 100", "100 100"),
        ("save 100 100\nsave ''", ""),
        ("save", ""),
        ("save 1 1\nsave \"\"\nsave 2 2", "2 2"),
    ] {
        let config = fresh();
        load(&config, text).unwrap();
        assert_eq!(get(&config, "save"), points, "{text}");
    }
}

#[test]
fn lists_stand_in_quotes_or_not() {
    let config = fresh();
    let text = "shutdown-on-sigterm \"nosave force\"\nshutdown-on-sigint now save\n\
                bind \"127.0.0.1 ::1\"\nclient-output-buffer-limit replica 1mb 2mb 3\n\
                client-output-buffer-limit normal 5 6 7\noom-score-adj-values 1 2 3\n\
                latency-tracking-info-percentiles 10 20.5\nslaveof host 6379";
    load(&config, text).unwrap();
    for (name, value) in [
        ("shutdown-on-sigterm", "nosave force"),
        ("shutdown-on-sigint", "save now"),
        ("bind", "127.0.0.1 ::1"),
        (
            "client-output-buffer-limit",
            "normal 5 6 7 slave 1048576 2097152 3 pubsub 33554432 8388608 60",
        ),
        ("oom-score-adj-values", "1 2 3"),
        ("latency-tracking-info-percentiles", "10 20.5"),
        ("replicaof", "host 6379"),
    ] {
        assert_eq!(get(&config, name), value, "{name}");
    }
    load(&config, "bind ''\nslaveof NO one").unwrap();
    assert_eq!((get(&config, "bind"), get(&config, "replicaof")), Default::default());
}

#[test]
fn other_directives_are_handed_back_in_order() {
    let text = "user alice on >pw\nloadmodule /m.so a b\nUSER bob off\n\
                rename-command FLUSHALL \"\"\nlist-max-ziplist-entries 512\n";
    let loaded = load(&fresh(), text).unwrap();
    let users: Vec<_> = loaded.users.iter().map(|line| line.args[0].as_slice()).collect();
    assert_eq!(users, [b"alice".as_slice(), b"bob"]);
    assert_eq!(loaded.users[1].line_number, 3);
    assert_eq!(loaded.modules[0].args.len(), 3);
    assert_eq!(loaded.renamed_commands[0].args, [b"FLUSHALL".to_vec(), Vec::new()]);
    let error = loaded.renamed_commands[0].error("No such command in rename-command");
    assert!(
        error.report("Redis 8.8.0").contains("at line 4\n>>> 'rename-command FLUSHALL \"\"'\n")
    );
}

#[test]
fn includes_are_read_in_place() {
    let config = fresh();
    let mut asked = Vec::new();
    config
        .load(b"hz 1\ninclude \"/etc/*.conf\"\ntimeout 3", &mut |path, so_far| {
            asked.push((path.to_vec(), so_far.get(rows::HZ)));
            Ok(vec![b"hz 2\ntimeout 2".to_vec(), b"hz 4".to_vec()])
        })
        .unwrap();
    assert_eq!(asked, [(b"/etc/*.conf".to_vec(), 1)]);
    assert_eq!((config.get(rows::HZ), config.get(rows::TIMEOUT)), (4, 3));

    let error = fresh()
        .load(b"\ninclude a", &mut |_, _| Ok(vec![b"# fine\nportx 1".to_vec()]))
        .unwrap_err();
    assert!(error.report("Redis 8.8.0").contains("at line 2\n>>> 'portx 1'\n"));
    let missing = "can't open config file 'a': No such file or directory";
    let error = fresh().load(b"include a", &mut |_, _| Err(missing.to_owned())).unwrap_err();
    assert_eq!(error.report("Redis 8.8.0"), format!("Fatal error, {missing}\n"));
}

#[test]
fn endless_includes_end() {
    for text in ["include me", "include me\ninclude me"] {
        let mut reads = 0;
        let error = fresh()
            .load(text.as_bytes(), &mut |_, _| {
                reads += 1;
                Ok(vec![text.as_bytes().to_vec()])
            })
            .unwrap_err();
        assert!(error.to_string().contains("Too many included files"));
        assert!(reads <= 1_001);
    }
}

#[test]
fn command_lines_become_values() {
    // The start-ups that the upstream suite tries, after a file with `save 900 1`.
    let serve = |args: &[&str]| {
        let config::Invocation::Serve(line) = config::Invocation::parse(args) else {
            panic!("{args:?} serves")
        };
        let config = fresh();
        let text = line.assemble(b"save 900 1\nloglevel notice\n", b"");
        load(&config, text).map(|_| config).map_err(|error| error.report("Redis 8.8.0"))
    };
    let config = serve(&["x.conf", "--save", "100", "100"]).unwrap();
    assert_eq!(get(&config, "save"), "900 1 100 100");
    for args in [
        &["x.conf", "--save", "--loglevel", "verbose"][..],
        &["x.conf", "--loglevel", "verbose", "--save"],
        &["x.conf", "--save", "", "--loglevel", "verbose"],
        &["x.conf", "loglevel", "verbose", "--save ''"],
    ] {
        let config = serve(args).unwrap();
        let values = (get(&config, "save"), get(&config, "loglevel"));
        assert_eq!(values, (String::new(), "verbose".to_owned()), "{args:?}");
    }
    let config = serve(&["x.conf", "--maxmemory '700mb'", "--maxmemory-policy volatile-lru"]);
    assert_eq!(get(&config.unwrap(), "maxmemory"), "734003200");
    let config = serve(&["x.conf", "--proc-title-template", "--save", "--save", ""]).unwrap();
    assert_eq!(get(&config, "proc-title-template"), "--save");
    let config = serve(&["x.conf", "--shutdown-on-sigint", "nosave", "force", "now"]).unwrap();
    assert_eq!(get(&config, "shutdown-on-sigint"), "nosave now force");

    for (args, report) in [
        (&["x", "--port", "6379", "6380"][..], ">>> 'port \"6379\" \"6380\"'\nwrong number"),
        (&["x", "--port", "--loglevel", "verbose"], ">>> 'port \"--loglevel\" \"verbose\"'\nwrong"),
        (&["x", "--port", "--bla", "--hz", "1"], ">>> 'port \"--bla\"'\nargument couldn't be"),
        (&["x", "--loglevel", "--bla"], ">>> 'loglevel \"--bla\"'\nargument(s) must be one of"),
        (&["x", "--replicaof", "--127.0.0.1", "--abc"], ">>> 'replicaof \"--127.0.0.1\"'\nwrong"),
        (&["x", "--shutdown-on-sigint"], ">>> 'shutdown-on-sigint'\nargument(s) must be one of"),
        (&["x", "--port"], "at line 4\n>>> 'port'\nwrong number of arguments"),
        (&["x", "--invalid"], "Bad directive or wrong number of arguments"),
    ] {
        let error = serve(args).unwrap_err();
        assert!(error.contains(report), "{args:?}: {error}");
    }
}
