//! Faults of the disk under the append-only file, one by one: what clients hear, what the log of
//! the server says, and what the next server finds. `docs/durability.md` has the table.

use std::sync::Arc;
use std::time::Duration;

use harness::{Background, Connection, InProcess, Setup};
use persistence::aof::Rest;
use simdisk::{Fault, On, SimDisk, Watcher};

const INCR: &str = "appendonlydir/appendonly.aof.1.incr.aof";
const BASE: &str = "appendonlydir/appendonly.aof.1.base.rdb";
const MANIFEST: &str = "appendonlydir/appendonly.aof.manifest";

fn setup(disk: &SimDisk, config: &str) -> InProcess {
    let server = InProcess::new(Setup {
        disk: disk.clone(),
        config: format!("save \"\"\nappendonly yes\n{config}"),
        ..Setup::default()
    });
    server.engine.begin_loading();
    server
}

/// A server that serves.
fn server(disk: &SimDisk, config: &str) -> InProcess {
    let server = setup(disk, config);
    assert!(server.engine.load_at_start().is_ok(), "{:?}", server.platform.take_log());
    server
}

/// Time passes, and the log's writer has its turns.
fn pass(server: &InProcess) {
    for _ in 0..3 {
        server.pass(Duration::from_secs(2));
        server.engine.write_log();
    }
}

/// A server whose log is on the disk with `SET a 1` in it, a client of it, and the log.
fn with_one_command() -> (SimDisk, InProcess, Connection, Vec<u8>) {
    let disk = SimDisk::new();
    let server = server(&disk, "appendfsync everysec");
    let mut client = server.connect();
    answers(&mut client, &[("SET a 1", "OK")]);
    pass(&server);
    let whole = disk.content(INCR).expect("the log is there");
    (disk, server, client, whole)
}

fn says(server: &InProcess, text: &str) {
    let log = server.platform.take_log();
    assert!(log.iter().any(|(_, line)| line.contains(text)), "no {text:?} in {log:?}");
}

fn answers(client: &mut Connection, expected: &[(&str, &str)]) {
    for (command, reply) in expected {
        assert_eq!(client.text(command), *reply, "{command}");
    }
}

/// What the next server finds after a loss of power.
fn found(disk: &SimDisk, key: &str) -> String {
    server(&disk.after_crash(disk.operations(), 1), "").connect().text(&format!("GET {key}"))
}

#[test]
fn a_disk_that_is_full_refuses_changes_until_there_is_room() {
    for fault in [Fault::Full(0), Fault::Full(7), Fault::Io] {
        let (disk, server, mut client, whole) = with_one_command();
        if let Fault::Full(1..) = fault {
            disk.fail(On::Write, fault, 0, 1);
        }
        let then = if fault == Fault::Io { Fault::Io } else { Fault::Full(0) };
        disk.fail(On::Write, then, 0, usize::MAX);
        answers(&mut client, &[("SET b 2", "OK")]);
        pass(&server);
        let refusal = client.text("SET c 3");
        assert!(refusal.starts_with("-MISCONF Errors writing to the AOF file: "), "{refusal}");
        answers(&mut client, &[("GET b", "2")]);
        assert!(client.text("INFO persistence").contains("aof_last_write_status:err"));
        assert!(disk.content(INCR).unwrap().starts_with(&whole));
        disk.mend();
        pass(&server);
        answers(&mut client, &[("SET c 3", "OK")]);
        assert!(client.text("INFO persistence").contains("aof_last_write_status:ok"));
        says(&server, "AOF write error looks solved");
        pass(&server);
        assert_eq!([found(&disk, "a"), found(&disk, "b"), found(&disk, "c")], ["1", "2", "3"]);
    }
}

/// `DEBUG LOADAOF` writes in place of the writer's thread, which sleeps meanwhile.
#[test]
fn the_writer_is_woken_after_somebody_wrote_in_its_place() {
    let disk = SimDisk::new();
    let server = server(&disk, "appendfsync no");
    let mut client = server.connect();
    answers(&mut client, &[("SET a 1", "OK")]);
    while server.engine.write_log() != Rest::Forever {}
    answers(&mut client, &[("DEBUG LOADAOF", "OK")]);
    server.platform.take_woken();
    answers(&mut client, &[("GET a", "1"), ("SET b 2", "OK")]);
    assert!(server.platform.take_woken(), "what was logged is to be written");
}

#[test]
fn half_a_command_is_taken_back() {
    let (disk, server, mut client, whole) = with_one_command();
    disk.fail(On::Write, Fault::Full(7), 0, 1);
    disk.fail(On::Write, Fault::Full(0), 0, 1);
    answers(&mut client, &[("SET b 2", "OK")]);
    server.pass(Duration::from_secs(2));
    server.engine.write_log();
    assert_eq!(disk.content(INCR).unwrap(), whole);
    says(&server, "Error writing to the AOF file");
}

#[test]
fn what_always_cannot_keep_ends_the_server() {
    let faults = [
        (On::Write, Fault::Full(0), "Can't recover from AOF write error"),
        (On::Write, Fault::Io, "Can't recover from AOF write error"),
        (On::Sync, Fault::Io, "Can't persist AOF for fsync error"),
    ];
    for (on, fault, words) in faults {
        let disk = SimDisk::new();
        let server = server(&disk, "appendfsync always");
        let mut client = server.connect();
        answers(&mut client, &[("SET a 1", "OK")]);
        server.engine.write_log();
        assert_eq!(server.engine.replies_wait_for(), None);
        disk.fail(on, fault, 0, 1);
        answers(&mut client, &[("SET b 2", "OK")]);
        let position = server.engine.replies_wait_for().expect("nobody hears of it before");
        server.engine.write_log();
        assert!(server.platform.aborted());
        assert!(!server.engine.replies_released(position, 0), "the reply never leaves");
        says(&server, words);
        assert_eq!(found(&disk, "a"), "1");
    }
}

#[test]
fn a_failed_flush_is_mended_by_writing_everything_anew() {
    mends_what_a_flush_may_have_lost(On::Sync, &[("SET a 1", "OK")]);
}

/// What a disk says that was told to begin, it need not say again when it is flushed.
#[test]
fn a_failure_in_the_middle_counts_as_a_failed_flush() {
    let large = format!("SET c {}", "x".repeat(5_000_000));
    mends_what_a_flush_may_have_lost(On::BeginSync, &[("SET a 1", "OK"), (&large, "OK")]);
}

fn mends_what_a_flush_may_have_lost(on: On, changes: &[(&str, &str)]) {
    let disk = SimDisk::new();
    let server = server(&disk, "appendfsync everysec");
    let mut client = server.connect();
    disk.fail(on, Fault::Io, 0, 1);
    answers(&mut client, changes);
    server.pass(Duration::from_secs(2));
    server.engine.write_log();
    says(&server, "Fail to fsync the AOF file");
    // Later flushes succeed, and mean nothing.
    server.engine.write_log();
    assert!(client.text("SET b 2").starts_with("-MISCONF"));
    // The cron begins a rewrite, which holds what the flush may have lost.
    pass(&server);
    says(&server, "Background AOF rewrite finished successfully");
    answers(&mut client, &[("SET b 2", "OK")]);
    pass(&server);
    for seed in 0..20 {
        let image = disk.after_crash(disk.operations(), seed);
        let mut next = self::server(&image, "").connect();
        answers(&mut next, &[("GET a", "1"), ("GET b", "2")]);
    }
}

#[test]
fn a_rewrite_that_fails_anywhere_changes_nothing() {
    let operations = [On::Create, On::Write, On::Sync, On::Rename, On::SyncDirectory];
    for on in operations {
        for skip in 0..6 {
            let disk = SimDisk::new();
            let server = server(&disk, "appendfsync no");
            let mut client = server.connect();
            answers(&mut client, &[("SET a 1", "OK")]);
            server.engine.write_log();
            disk.fail(on, Fault::ReadOnly, skip, 1);
            let _ = client.text("BGREWRITEAOF");
            let failed = client.text("INFO persistence").contains("aof_last_bgrewrite_status:err");
            // What fails behind the manifest only leaves a file too many.
            assert!(!failed || disk.failures() == [on], "{on:?} {skip}");
            assert!(failed || skip > 0, "{on:?}");
            answers(&mut client, &[("SET b 2", "OK")]);
            pass(&server);
            disk.mend();
            let image = disk.after_kill(disk.operations());
            let mut next = self::server(&image, "").connect();
            answers(&mut next, &[("GET a", "1"), ("GET b", "2")]);
            // The next one succeeds.
            let _ = client.text("BGREWRITEAOF");
            says(&server, "Background AOF rewrite finished successfully");
        }
    }
}

#[test]
fn a_directory_that_takes_nothing() {
    let disk = SimDisk::new();
    disk.fail(On::Create, Fault::ReadOnly, 0, usize::MAX);
    let refused = setup(&disk, "");
    assert!(refused.engine.load_at_start().is_err());
    says(&refused, "Can't open the append-only file");
    // A server that serves already goes on without a log.
    let serving = InProcess::new(Setup { disk: disk.clone(), ..Setup::default() });
    let mut client = serving.connect();
    client.text("CONFIG SET appendonly yes");
    says(&serving, "Background AOF rewrite terminated with error");
    answers(&mut client, &[("SET a 1", "OK")]);
    disk.mend();
    serving.pass(Duration::from_secs(1));
    serving.engine.write_log();
    assert_eq!(found(&disk, "a"), "1", "the next try succeeds");
}

#[test]
fn files_that_are_not_what_the_manifest_says() {
    let disk = SimDisk::new();
    let mut client = server(&disk, "").connect();
    answers(&mut client, &[("SET a 1", "OK")]);
    drop(client);
    let manifest = disk.content(MANIFEST).unwrap();
    let texts: [(&[u8], &str); 4] = [
        (b"file gone.1.incr.aof seq 1 type i\n", "Unable to obtain the AOF file gone.1.incr.aof"),
        (b"", "Found an empty AOF manifest"),
        (b"file ../x seq 1 type i\n", "File can't be a path"),
        (&manifest[..manifest.len() - 5], "AOF MANIFEST FILE ERROR"),
    ];
    for (text, words) in texts {
        disk.put(MANIFEST, text);
        let refused = setup(&disk, "");
        assert!(refused.engine.load_at_start().is_err(), "{words}");
        says(&refused, words);
        assert!(refused.connect().text("GET a").starts_with("-LOADING"));
    }
}

/// The files of a small log: three keys in the base, three changes behind it.
fn small() -> SimDisk {
    let disk = SimDisk::new();
    let server = server(&disk, "");
    let mut client = server.connect();
    answers(&mut client, &[("SET a 1", "OK"), ("RPUSH l x y", "Integer(2)")]);
    server.engine.finish_log().expect("the disk works");
    drop(client);
    disk
}

#[test]
fn a_log_that_is_cut_anywhere() {
    let whole = small().content(INCR).unwrap();
    for cut in 0..whole.len() {
        let disk = small();
        disk.put(INCR, &whole[..cut]);
        let strict = setup(&disk, "aof-load-truncated no");
        let loaded = strict.engine.load_at_start().is_ok();
        let next = server(&disk, "");
        let mut client = next.connect();
        let (text, list) = (client.text("GET a"), client.text("LLEN l"));
        assert!(
            matches!((&*text, &*list), ("NullBulk", "Integer(0)") | ("1", "Integer(0)")),
            "{cut}: {text} {list}"
        );
        // What was not whole is gone from the file, and what follows can be read.
        assert_eq!(loaded, disk.content(INCR).unwrap().len() == cut, "{cut}");
        answers(&mut client, &[("SET b 2", "OK")]);
        next.engine.finish_log().unwrap();
        answers(&mut server(&disk, "").connect(), &[("GET b", "2")]);
    }
}

#[test]
fn whoever_monitors_hears_of_what_comes_during_a_rewrite() {
    let disk = SimDisk::new();
    let first = server(&disk, "");
    let (mut monitor, mut client) = (first.connect(), first.connect());
    answers(&mut client, &[("SET a 1", "OK")]);
    monitor.ask("MONITOR");
    let other = first.clone();
    disk.watch(Watcher(Arc::new(move |on| {
        if on == On::Rename {
            let _ = other.connect().text("GET during");
        }
    })));
    let _ = client.text("BGREWRITEAOF");
    disk.watch(Watcher(Arc::new(|_| ())));
    monitor.serve();
    let heard = String::from_utf8_lossy(&monitor.take_bytes()).into_owned();
    // Once before the cut, with the first manifest.
    assert_eq!(heard.matches("\"GET\" \"during\"").count(), 4, "{heard}");
}

#[test]
fn a_log_that_begins_while_a_base_is_written() {
    for in_transaction in [false, true] {
        let disk = SimDisk::new();
        let setup = Setup {
            disk: disk.clone(),
            background: Background::Held,
            config: "save \"\"\n".to_owned(),
            ..Setup::default()
        };
        let first = InProcess::new(setup);
        let mut client = first.connect();
        let begun = "Background append only file rewriting started";
        answers(&mut client, &[("SET a 1", "OK"), ("BGREWRITEAOF", begun)]);
        if in_transaction {
            client.ask("MULTI");
        }
        client.ask("CONFIG SET appendonly yes");
        if in_transaction {
            client.ask("EXEC");
        }
        first.pass(Duration::from_millis(100));
        assert!(first.platform.run_background() > 1, "one was called off, another one begins");
        answers(&mut client, &[("SET b 2", "OK")]);
        first.engine.finish_log().unwrap();
        answers(&mut server(&disk, "").connect(), &[("GET a", "1"), ("GET b", "2")]);
    }
}

#[test]
fn a_base_that_is_not_whole() {
    const COMMANDS: &str = "appendonlydir/appendonly.aof.2.base.aof";
    let disk = SimDisk::new();
    let first = server(&disk, "aof-use-rdb-preamble no");
    let mut client = first.connect();
    answers(&mut client, &[("SET a 1", "OK")]);
    let _ = client.text("BGREWRITEAOF");
    first.engine.finish_log().unwrap();
    let whole = disk.content(COMMANDS).expect("the base is there");
    assert_eq!(disk.content("appendonlydir/appendonly.aof.2.incr.aof"), Some(Vec::new()));
    for damaged in [whole[..whole.len() - 1].to_vec(), vec![0; whole.len()]] {
        disk.put(COMMANDS, &damaged);
        let refused = setup(&disk, "");
        assert!(refused.engine.load_at_start().is_err());
        says(&refused, "Fatal error: the truncated file is not the last file");
        assert_eq!(disk.content(COMMANDS), Some(damaged));
    }
    disk.put(COMMANDS, &whole);
    answers(&mut server(&disk, "").connect(), &[("GET a", "1")]);
}

#[test]
fn a_bit_that_flips_anywhere() {
    let original = small();
    let log = original.content(INCR).unwrap();
    for bit in 0..log.len() * 8 {
        let disk = small();
        let mut flipped = log.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        disk.put(INCR, &flipped);
        let next = setup(&disk, "");
        // A log has no checksums: other words may be as good. What cannot be read is not served.
        let loaded = next.engine.load_at_start().is_ok();
        let answer = next.connect().text("GET a");
        assert_eq!(answer.starts_with("-LOADING"), !loaded, "bit {bit}: {answer}");
    }
    let server = server(&original, "");
    let _ = server.connect().text("BGREWRITEAOF");
    let base_name = "appendonlydir/appendonly.aof.2.base.rdb";
    let base = original.content(base_name).unwrap();
    assert!(original.content(BASE).is_none());
    for bit in 0..base.len() * 8 {
        let mut flipped = base.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        original.put(base_name, &flipped);
        let next = setup(&original, "");
        assert!(next.engine.load_at_start().is_err(), "bit {bit} of the base");
    }
}
