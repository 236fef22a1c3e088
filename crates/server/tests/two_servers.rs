//! Two servers that keep their files in one directory.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use support::{Directory, Server, free_port, run};

const SHARED: &str = "Another server was started in this directory";

/// The options of a server in `directory`.
fn options(directory: &Directory, port: u16, more: &[&str]) -> Vec<String> {
    let mut options = vec!["server".to_owned(), "--port".to_owned(), port.to_string()];
    options.extend(["--dir".to_owned(), directory.path().display().to_string()]);
    options.extend(more.iter().map(|&option| option.to_owned()));
    options
}

fn start(directory: &Directory, more: &[&str]) -> Server {
    let port = free_port();
    let mut command = std::process::Command::new(support::BINARY);
    command.args(options(directory, port, more));
    Server::spawn(command, port, Directory::new())
}

/// As today with Redis: whoever saves last has the file. But both are told.
#[test]
fn saved_files_are_whole_whoever_writes_them() {
    let directory = Directory::new();
    let [first, second] = [(); 2].map(|()| start(&directory, &["--save", ""]));
    first.wait_for_log("Ready to accept connections");
    second.wait_for_log("Ready to accept connections");
    assert!(!first.log().contains(SHARED) && second.log().contains(SHARED));
    let saves = |server: &Server, value: &str| {
        let mut client = server.connect();
        assert_eq!(client.command(&format!("SET key {value}")), "+OK");
        for _ in 0..50 {
            assert_eq!(client.command("SAVE"), "+OK");
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| saves(&first, "one"));
        scope.spawn(|| saves(&second, "two"));
    });
    drop((first, second));
    let third = start(&directory, &["--save", ""]);
    third.wait_for_log("Ready to accept connections");
    assert!(!third.log().contains(SHARED), "the others are gone");
    let value = third.connect().command("STRLEN key");
    assert_eq!(value, ":3", "one of the two datasets is there");
}

#[test]
fn an_append_only_file_has_one_server() {
    let directory = Directory::new();
    let first = start(&directory, &["--save", "", "--appendonly", "yes"]);
    first.wait_for_log("Ready to accept connections");
    assert_eq!(first.connect().command("SET key value"), "+OK");
    let port = free_port();
    let words = options(&directory, port, &["--appendonly", "yes"]);
    let refused = run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(said.contains("Another server is writing the append only file"), "{said}");
    // One with a log of another name is no trouble.
    let other = start(&directory, &["--appendonly", "yes", "--appenddirname", "other"]);
    other.wait_for_log("Ready to accept connections");
    // One that switches its log on later finds the directory taken.
    let late = start(&directory, &["--save", ""]);
    assert_eq!(late.connect().command("CONFIG SET appendonly yes"), "+OK");
    late.wait_for_log("Another server is writing the append only file");
    assert_eq!(first.connect().command("STRLEN key"), ":5", "the first one goes on");
    // The late one tries again and again, and might be faster than who comes next.
    drop(late);
    drop(first);
    let again = start(&directory, &["--save", "", "--appendonly", "yes"]);
    again.wait_for_log("Ready to accept connections");
    assert_eq!(again.connect().command("STRLEN key"), ":5");
}
