//! What becomes of the dataset, its file and the clients when the disk fails during a save.

use std::time::Duration;

use client::Value;
use harness::{Connection, InProcess, Setup};
use simdisk::{Fault, On, SimDisk};

const MISCONF: &str = "-MISCONF Redis is configured to save RDB snapshots";

fn server(disk: &SimDisk, config: &str) -> InProcess {
    let config = format!("save 3600 1\n{config}");
    let server = InProcess::new(Setup { disk: disk.clone(), config, ..Setup::default() });
    server.engine.begin_loading();
    server.engine.load_at_start().expect("the disk has a dataset or none");
    server
}

/// Every way in which a save can fail, and what the log says of it.
const FAULTS: &[(&str, On, Fault, usize, &str)] = &[
    ("a read-only directory", On::Create, Fault::ReadOnly, 0, "Failed opening the temp RDB file"),
    ("no room at all", On::Create, Fault::Full(0), 0, "Failed opening the temp RDB file"),
    ("a full disk", On::Write, Fault::Full(0), 0, "Write error saving DB on disk(write)"),
    ("a disk that gets full", On::Write, Fault::Full(0), 2, "Write error saving DB on disk(write)"),
    ("a write that fails", On::Write, Fault::Io, 1, "Write error saving DB on disk(write)"),
    (
        "a disk that fails midway",
        On::BeginSync,
        Fault::Io,
        0,
        "Write error saving DB on disk(write)",
    ),
    ("a flush that fails", On::Sync, Fault::Io, 0, "Write error saving DB on disk(fsync)"),
    ("a rename that fails", On::Rename, Fault::Io, 0, "Error moving temp DB file"),
];

/// A dataset of several pieces, so that there are several writes, and the disk is told to begin
/// before the last.
fn fill(client: &mut Connection) {
    for key in 0..40 {
        let value = format!("{key}").repeat(60_000);
        assert_eq!(
            client.command(&["SET", &format!("key:{key}"), &value]).as_bytes(),
            Some(&b"OK"[..])
        );
    }
}

/// What a script with the key `more` answers.
fn eval(client: &mut Connection, script: &str) -> String {
    let reply = client.command(&["EVAL", script, "1", "more"]);
    let text = String::from_utf8_lossy(reply.as_bytes().unwrap_or_default()).into_owned();
    if matches!(reply, Value::Error(_)) { format!("-{text}") } else { text }
}

fn log_of(server: &InProcess) -> String {
    let lines = server.platform.take_log();
    lines.into_iter().map(|(_, line)| line + "\n").collect()
}

fn keys_after_a_restart(disk: &SimDisk) -> String {
    let again = server(&disk.after_kill(disk.operations()), "");
    again.connect().text("DBSIZE")
}

#[test]
fn the_old_file_stays_and_writes_are_refused_until_a_save_succeeds() {
    for &(what, on, fault, skip, said) in FAULTS {
        let disk = SimDisk::new();
        let server = server(&disk, "rdbcompression no");
        let mut client = server.connect();
        fill(&mut client);
        assert_eq!(client.text("SAVE"), "OK");
        let old = disk.content("dump.rdb");
        assert_eq!(client.text("SET more v"), "OK");
        drop(log_of(&server));

        disk.fail(on, fault, skip, 1);
        assert_eq!(client.text("BGSAVE"), "Background saving started", "{what}");
        let log = log_of(&server);
        assert!(log.contains(said) && log.contains("Background saving error"), "{what}: {log}");
        assert_eq!(disk.content("dump.rdb"), old, "{what}");
        assert_eq!(disk.names(), ["dump.rdb"], "{what} left something behind");
        let info = client.text("INFO persistence");
        assert!(info.contains("rdb_last_bgsave_status:err"), "{what}: {info}");
        assert!(info.contains("rdb_changes_since_last_save:1\r\n"), "{what}: {info}");
        assert_eq!(keys_after_a_restart(&disk), "Integer(40)", "{what}");

        for refused in ["SET other v", "PING"] {
            assert!(client.text(refused).starts_with(MISCONF), "{what}: {refused}");
        }
        let set = "return redis.call('set', KEYS[1], 'v')";
        for refused in [set.to_owned(), format!("#!lua\n{set}")] {
            assert!(eval(&mut client, &refused).starts_with(MISCONF), "{what}: {refused}");
        }
        let get = "return redis.call('get', KEYS[1])";
        for script in [get.to_owned(), format!("#!lua flags=no-writes\n{get}")] {
            assert_eq!(eval(&mut client, &script), "v", "{what}: {script}");
        }
        assert_eq!(client.text("GET more"), "v", "reads go on");
        assert_eq!(client.text("CONFIG SET stop-writes-on-bgsave-error no"), "OK");
        assert_eq!(client.text("SET other v"), "OK");
        assert_eq!(client.text("CONFIG SET stop-writes-on-bgsave-error yes"), "OK");

        assert_eq!(client.text("BGSAVE"), "Background saving started", "{what}");
        assert_eq!(client.text("SET third v"), "OK", "{what} is over");
        assert!(client.text("INFO persistence").contains("rdb_last_bgsave_status:ok"));
        assert_eq!(keys_after_a_restart(&disk), "Integer(42)", "{what}");
    }
}

#[test]
fn who_waits_for_a_save_hears_that_it_failed() {
    for &(what, on, fault, skip, said) in FAULTS {
        let disk = SimDisk::new();
        let server = server(&disk, "rdbcompression no");
        let mut client = server.connect();
        fill(&mut client);
        disk.fail(on, fault, skip, 1);
        assert_eq!(client.text("SAVE"), "-ERR", "{what}");
        assert!(log_of(&server).contains(said), "{what}");
        assert!(disk.names().is_empty(), "{what} left something behind");
        assert_eq!(client.text("SAVE"), "OK", "{what} is over");
    }
}

/// The new file is there; only a loss of power could still bring the old one back.
#[test]
fn a_directory_that_is_not_flushed_is_a_failure_too() {
    let disk = SimDisk::new();
    let server = server(&disk, "");
    let mut client = server.connect();
    assert_eq!(client.text("SET key v"), "OK");
    disk.fail(On::SyncDirectory, Fault::Io, 0, 1);
    assert_eq!(client.text("SAVE"), "-ERR");
    assert!(log_of(&server).contains("Failed to fsync the directory"));
    assert_eq!(keys_after_a_restart(&disk), "Integer(1)");
}

#[test]
fn a_shutdown_that_cannot_save_is_called_off() {
    let disk = SimDisk::new();
    let server = server(&disk, "");
    let mut client = server.connect();
    assert_eq!(client.text("SET key v"), "OK");
    disk.fail(On::Rename, Fault::ReadOnly, 0, 2);
    assert_eq!(client.text("SHUTDOWN"), "-ERR Errors trying to SHUTDOWN. Check logs.");
    assert!(server.platform.take_shutdowns().is_empty());
    assert!(log_of(&server).contains("Error trying to save the DB, can't exit."));
    assert_eq!(client.text("SET key w"), "OK", "it goes on as before");
    client.request(&["SHUTDOWN", "FORCE"]);
    assert_eq!(server.platform.take_shutdowns().len(), 1, "whatever is lost");
}

#[test]
fn a_shutdown_that_is_called_off_leaves_a_pause_of_clients() {
    let disk = SimDisk::new();
    let server = server(&disk, "");
    let (mut client, mut writer) = (server.connect(), server.connect());
    assert_eq!(client.text("SET key v"), "OK");
    assert_eq!(client.text("CLIENT PAUSE 100000 WRITE"), "OK");
    disk.fail(On::Rename, Fault::ReadOnly, 0, 1);
    assert_eq!(client.text("SHUTDOWN"), "-ERR Errors trying to SHUTDOWN. Check logs.");
    writer.silent("SET key w");
    assert_eq!(client.text("GET key"), "v", "reads go on, and the write waits");
    assert_eq!(client.text("CLIENT UNPAUSE"), "OK");
    let reply = writer.reply_within(Duration::from_secs(5)).expect("the write goes on");
    assert_eq!(reply.as_bytes(), Some(&b"OK"[..]));
}

/// After a failure the next attempt by itself is some seconds later, and then one at each try.
#[test]
fn a_save_by_itself_is_tried_again() {
    let disk = SimDisk::new();
    let server = server(&disk, "save 1 1");
    let mut client = server.connect();
    assert_eq!(client.text("SET key v"), "OK");
    disk.fail(On::Create, Fault::Io, 0, 1);
    server.pass(Duration::from_secs(2));
    assert!(client.text("INFO persistence").contains("rdb_last_bgsave_status:err"));
    server.pass(Duration::from_secs(2));
    assert!(disk.content("dump.rdb").is_none(), "too early for another attempt");
    server.pass(Duration::from_secs(5));
    assert!(client.text("INFO persistence").contains("rdb_last_bgsave_status:ok"));
    assert_eq!(keys_after_a_restart(&disk), "Integer(1)");
}

/// A machine that loses its power at any moment of a save finds the old dataset or the new one.
#[test]
fn a_crash_during_a_save_leaves_one_dataset_whole() {
    let disk = SimDisk::new();
    let server = server(&disk, "");
    let mut client = server.connect();
    assert_eq!(client.text("SET key old"), "OK");
    assert_eq!(client.text("SAVE"), "OK");
    let first = disk.operations();
    assert_eq!(client.text("SET key new"), "OK");
    assert_eq!(client.text("SAVE"), "OK");
    let mut seen = [0, 0];
    for at in first..=disk.operations() {
        for seed in 0..50 {
            let image = disk.after_crash(at, seed);
            let again = self::server(&image, "");
            let value = again.connect().text("GET key");
            let is_new = usize::from(value == "new");
            assert!(value == "old" || value == "new", "{value} after {at}, seed {seed}");
            assert!(is_new == 1 || at < disk.operations(), "what was answered is lost");
            seen[is_new] += 1;
        }
    }
    assert!(seen.iter().all(|&count| count > 0), "{seen:?}");
}
