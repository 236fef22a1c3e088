//! Loading a dataset: what is there afterwards, and what clients may do meanwhile.

use std::time::Duration;

use format::rdb::file::write::{self, Attributes, Usage};
use format::rdb::{Options, Version};
use harness::{Connection, InProcess, Setup};
use simdisk::{Fault, On, SimDisk};
use stdx::clock::Clock;
use store::{StringRef, ValueRef};

const WRITTEN: Options = Options { version: Version::V10, compress: true };

/// A file of strings.
fn file(keys: &[(&str, &str, Attributes)]) -> Vec<u8> {
    let mut file = Vec::new();
    let Ok(()) = write::header(Version::V10, &mut file);
    for (key, value, attributes) in keys {
        let value = ValueRef::String(StringRef::Inline { bytes: value.as_bytes(), raw: false });
        let Ok(()) = write::entry(key.as_bytes(), value, *attributes, WRITTEN, &mut file);
    }
    let Ok(()) = write::end(&mut file);
    let crc = stdx::crc::crc64(0, &file);
    let Ok(()) = write::checksum(Some(crc), &mut file);
    file
}

fn plain(key: &'static str, value: &'static str) -> (&'static str, &'static str, Attributes) {
    (key, value, Attributes::default())
}

fn server(disk: &SimDisk, config: &str) -> InProcess {
    InProcess::new(Setup { disk: disk.clone(), config: config.to_owned(), ..Setup::default() })
}

fn answers(connection: &mut Connection, expected: &[(&str, &str)]) {
    for (command, reply) in expected {
        assert_eq!(connection.text(command), *reply, "{command}");
    }
}

#[test]
fn the_file_is_loaded_with_deadlines_and_use() {
    let disk = SimDisk::new();
    let empty = server(&disk, "");
    assert!(!empty.engine.has_dataset());
    let now = empty.clock.unix_ms();
    let until = |deadline| Attributes { deadline: Some(deadline), usage: None };
    let idle = Attributes { deadline: None, usage: Some(Usage::Idle(100)) };
    let keys = [
        plain("text", "value"),
        plain("number", "12"),
        ("past", "v", until(now - 1)),
        ("soon", "v", until(now + 60_000)),
        ("idle", "v", idle),
    ];
    disk.put("dump.rdb", &file(&keys));
    let server = server(&disk, "");
    assert!(server.engine.has_dataset());
    server.engine.begin_loading();
    server.engine.load_at_start().expect("the file is right");
    let mut client = server.connect();
    answers(
        &mut client,
        &[
            ("GET text", "value"),
            ("OBJECT ENCODING number", "int"),
            ("OBJECT IDLETIME idle", "Integer(100)"),
            ("OBJECT IDLETIME text", "Integer(0)"),
            ("DBSIZE", "Integer(4)"),
        ],
    );
    server.pass(Duration::from_secs(61));
    answers(&mut client, &[("EXISTS soon", "Integer(0)")]);
    let info = client.text("INFO persistence");
    for line in ["loading:0", "rdb_last_load_keys_expired:1", "rdb_last_load_keys_loaded:4"] {
        assert!(info.contains(&format!("{line}\r\n")), "{info}");
    }
    let log: Vec<String> = server.platform.take_log().into_iter().map(|(_, line)| line).collect();
    let done = "Done loading RDB, keys loaded: 4, keys expired: 1.";
    assert!(log.iter().any(|line| line == done), "{log:?}");
}

#[test]
fn a_dataset_that_is_being_loaded_is_not_served() {
    let server = InProcess::default();
    let (mut client, mut queued) = (server.connect(), server.connect());
    answers(&mut queued, &[("MULTI", "OK"), ("GET k", "QUEUED")]);
    server.engine.begin_loading();
    let refusal = "-LOADING Redis is loading the dataset in memory";
    answers(
        &mut client,
        &[
            ("GET k", refusal),
            ("SET k v", refusal),
            ("PING", refusal),
            ("DBSIZE", refusal),
            ("MULTI", "OK"),
            ("GET k", refusal),
            ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
            ("SELECT 1", "OK"),
            ("CONFIG SET maxmemory 0", "OK"),
        ],
    );
    assert!(client.text("INFO persistence").contains("loading:1\r\n"));
    assert_eq!(client.text("CONFIG SET loglevel debug"), "OK");
    let exec = queued.text("EXEC");
    assert!(exec.starts_with("-EXECABORT") && exec.contains("LOADING"), "{exec}");
    server.engine.end_loading();
    answers(&mut client, &[("EXISTS k", "Integer(0)"), ("PING", "PONG")]);
}

#[test]
fn reload() {
    let disk = SimDisk::new();
    disk.put("saved.rdb", &file(&[plain("a", "file"), plain("b", "file")]));
    let server = server(&disk, "dbfilename saved.rdb");
    let mut client = server.connect();
    answers(
        &mut client,
        &[
            ("SET a memory", "OK"),
            ("SET c memory", "OK"),
            ("DEBUG RELOAD NOSAVE NOFLUSH MERGE", "OK"),
            ("GET a", "file"),
            ("GET b", "file"),
            ("GET c", "memory"),
            ("DEBUG RELOAD NOSAVE", "OK"),
            ("GET a", "file"),
            ("EXISTS c", "Integer(0)"),
            ("SET c memory", "OK"),
            ("SET past memory PX 1", "OK"),
            ("DEL b", "Integer(1)"),
            ("DEBUG RELOAD", "OK"),
            ("GET a", "file"),
            ("GET c", "memory"),
            ("EXISTS b", "Integer(0)"),
            ("DBSIZE", "Integer(3)"),
            (
                "DEBUG RELOAD WHATEVER",
                "-ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.",
            ),
        ],
    );
    assert!(!server.platform.aborted());
    let failed = "-ERR Error trying to load the RDB dump, check server logs";
    answers(&mut client, &[("DEBUG RELOAD NOSAVE NOFLUSH", failed)]);
    assert!(server.platform.aborted(), "a key was there twice");
}

#[test]
fn a_file_that_is_wrong_anywhere_is_never_served() {
    let whole = file(&[plain("key", "value"), plain("other", "value")]);
    let disk = SimDisk::new();
    for len in 0..whole.len() {
        disk.put("dump.rdb", &whole[..len]);
        let server = server(&disk, "");
        server.engine.begin_loading();
        assert!(server.engine.load_at_start().is_err(), "cut to {len}");
        assert!(server.connect().text("GET key").starts_with("-LOADING"), "cut to {len}");
        let log = server.platform.take_log();
        assert!(log.iter().any(|(_, line)| line.contains("Unexpected EOF")), "{log:?}");
    }
}

#[test]
fn a_reload_that_cannot_save_changes_nothing() {
    let disk = SimDisk::new();
    let server = server(&disk, "");
    let mut client = server.connect();
    answers(&mut client, &[("SET a memory", "OK")]);
    disk.fail(On::Create, Fault::ReadOnly, 0, 1);
    answers(&mut client, &[("DEBUG RELOAD", "-ERR"), ("GET a", "memory"), ("PING", "PONG")]);
    assert!(!server.platform.aborted());
    answers(&mut client, &[("DEBUG RELOAD", "OK"), ("GET a", "memory")]);
}

#[test]
fn the_log_can_be_switched_during_a_load() {
    let disk = SimDisk::new();
    disk.put("dump.rdb", &file(&[plain("a", "1"), plain("b", "2")]));
    let server = server(&disk, "");
    let mut client = server.connect();
    server.engine.begin_loading();
    for value in ["yes", "no", "yes"] {
        assert_eq!(client.text(&format!("CONFIG SET appendonly {value}")), "OK");
        let info = client.text("INFO persistence");
        assert!(info.contains("loading:1\r\n") && info.contains("aof_enabled:0\r\n"), "{info}");
    }
    server.engine.load_at_start().expect("the file is right");
    assert!(client.text("INFO persistence").contains("aof_enabled:1\r\n"));
    answers(&mut client, &[("DBSIZE", "Integer(2)"), ("SET c 3", "OK")]);
    server.engine.finish_log().expect("the disk works");

    let again = self::server(&disk, "appendonly yes\nkey-load-delay 1000");
    let mut client = again.connect();
    let started = again.clock.unix_ms();
    again.engine.begin_loading();
    again.engine.load_at_start().expect("the log is right");
    answers(&mut client, &[("DBSIZE", "Integer(3)")]);
    // Two keys of the base file, and two commands behind it: SELECT and SET.
    assert_eq!(again.clock.unix_ms() - started, 4, "a millisecond for each");
}
