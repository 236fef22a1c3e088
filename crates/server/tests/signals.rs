//! How the process ends, on purpose and otherwise.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use std::os::unix::process::ExitStatusExt;

use support::Server;

#[test]
fn termination_and_interruption_end_in_order() {
    for (signal, name) in [("TERM", "SIGTERM"), ("INT", "SIGINT")] {
        let mut server = Server::start(&[]);
        let pid_file = server.directory.file("pid");
        server.signal("HUP");
        assert_eq!(server.connect().command("PING"), "+PONG");
        server.signal(signal);
        assert_eq!(server.wait().code(), Some(0));
        let log = server.log();
        assert!(log.contains(&format!("Received {name} scheduling shutdown...")), "{log}");
        assert!(log.contains("User requested shutdown..."), "{log}");
        assert!(log.trim_end().ends_with("ready to exit, bye bye..."), "{log}");
        assert!(std::fs::metadata(pid_file).is_err());
    }
}

#[test]
fn a_server_ends_though_its_periodic_work_is_paused() {
    let mut server = Server::start(&["--enable-debug-command", "yes"]);
    assert_eq!(server.connect().command("DEBUG PAUSE-CRON 1"), "+OK");
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_fatal_signal_leaves_a_report() {
    for (name, number) in [("SEGV", 11), ("ABRT", 6), ("BUS", 7), ("FPE", 8), ("ILL", 4)] {
        let mut server = Server::start(&[]);
        let mut client = server.connect();
        assert_eq!(client.command("PING"), "+PONG");
        server.signal(name);
        assert_eq!(server.wait().signal(), Some(number));
        let log = server.log();
        let parts = [
            "=== FERRITE BUG REPORT START: Cut & paste starting from here ===".to_owned(),
            format!("crashed by signal: {number}"),
            "STACK TRACE".to_owned(),
            "INFO OUTPUT".to_owned(),
            "CLIENT LIST OUTPUT".to_owned(),
            "=== FERRITE BUG REPORT END. Make sure to include from START to END. ===".to_owned(),
        ];
        for part in parts {
            assert!(log.contains(&part), "no {part:?} in\n{log}");
        }
    }
}

#[test]
fn reports_can_be_turned_off() {
    let mut server = Server::start(&["--crash-log-enabled", "no"]);
    server.signal("SEGV");
    assert_eq!(server.wait().signal(), Some(11));
    assert!(!server.log().contains("BUG REPORT"));
}

#[test]
fn debug_crashes_are_reported() {
    for (how, words) in [
        ("SEGFAULT", "crashed by signal: 11"),
        ("PANIC", "Software Failure"),
        ("ASSERT", "ASSERTION FAILED"),
    ] {
        let mut server = Server::start(&["--enable-debug-command", "yes"]);
        let mut client = server.connect();
        client.send(format!("DEBUG {how}\r\n").as_bytes());
        assert_eq!(client.rest(), "");
        assert!(server.wait().signal().is_some());
        let log = server.log();
        assert!(log.contains(words) && log.contains("STACK TRACE"), "{how}:\n{log}");
        assert_eq!(log.matches("BUG REPORT START").count(), 1, "{how}:\n{log}");
    }
}

#[test]
fn a_panic_ends_the_server_only_in_the_midst_of_a_change() {
    let mut server = Server::start(&["--enable-debug-command", "yes"]);
    let mut client = server.connect();
    client.send(b"DEBUG BREAK-OFF\r\n");
    assert_eq!(client.rest(), "", "its connection is closed, and others go on");
    assert_eq!(server.connect().command("SET key v"), "+OK");
    let mut client = server.connect();
    client.send(b"DEBUG BREAK-OFF key\r\n");
    assert_eq!(client.rest(), "");
    assert!(server.wait().signal().is_some());
    let log = server.log();
    assert!(log.contains("A command broke off while it was changing the dataset"), "{log}");
    let (_, report) = log.split_once("A command broke off").expect("it was found above");
    assert!(report.contains("STACK TRACE") && report.contains("BUG REPORT END"), "{log}");
}

#[test]
fn a_panic_in_a_transaction_that_has_changed_something_ends_the_server() {
    let mut server = Server::start(&["--enable-debug-command", "yes"]);
    let mut client = server.connect();
    client.send(b"MULTI\r\nDEBUG BREAK-OFF\r\nEXEC\r\n");
    assert_eq!(client.rest(), "", "its connection is closed, and others go on");
    let mut client = server.connect();
    client.send(b"MULTI\r\nSET key v\r\nDEBUG BREAK-OFF\r\nEXEC\r\n");
    assert_eq!(client.rest(), "");
    assert!(server.wait().signal().is_some());
    let log = server.log();
    assert!(log.contains("A command broke off while it was changing the dataset"), "{log}");
}

#[test]
fn an_alarm_logs_a_stack_and_changes_nothing() {
    let server = Server::start(&[]);
    server.signal("ALRM");
    server.wait_for_log("Received SIGALRM");
    server.wait_for_log("STACK TRACE DONE");
    assert_eq!(server.connect().command("PING"), "+PONG");
}
