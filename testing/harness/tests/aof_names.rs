//! The names and numbers of the log's files, as operators and their scripts know them: what a
//! manifest says after rewrites that succeed and fail, with the log on and off, with history kept
//! and removed.

use harness::{Connection, InProcess, Setup};
use simdisk::{Fault, On, SimDisk};

/// The manifest, a word for each file: its kind and its number.
fn manifest(disk: &SimDisk) -> String {
    let text = disk.content("appendonlydir/appendonly.aof.manifest").expect("there is a manifest");
    let text = String::from_utf8(text).expect("names are plain");
    let mut words = Vec::new();
    for line in text.lines() {
        let [_, name, _, seq, _, kind] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        assert!(disk.content(&format!("appendonlydir/{name}")).is_some(), "{name} is missing");
        assert!(name.contains(&format!("aof.{seq}.")), "{line}");
        let what = if name.contains("base") { "base" } else { "incr" };
        assert_eq!(kind == "b", what == "base" && kind != "h", "{line}");
        words.push(format!("{}{what}{seq}", if kind == "h" { "old " } else { "" }));
    }
    words.join(", ")
}

fn begin(disk: &SimDisk) -> (InProcess, Connection) {
    let server = InProcess::new(Setup {
        disk: disk.clone(),
        config: "save \"\"\nappendonly yes\n".to_owned(),
        ..Setup::default()
    });
    server.engine.begin_loading();
    assert!(server.engine.load_at_start().is_ok(), "{:?}", server.platform.take_log());
    let client = server.connect();
    (server, client)
}

/// A rewrite whose base does not get its name: the manifest's is the first.
fn fail_rewrite(disk: &SimDisk, client: &mut Connection) {
    disk.fail(On::Rename, Fault::Io, 1, 1);
    client.text("BGREWRITEAOF");
    assert!(client.text("INFO persistence").contains("aof_last_bgrewrite_status:err"));
}

/// What was logged is what there is.
fn reload(client: &mut Connection) {
    let before = client.text("DEBUG DIGEST");
    assert_eq!(client.text("DEBUG LOADAOF"), "OK");
    assert_eq!(client.text("DEBUG DIGEST"), before);
}

#[test]
fn numbers_go_on_whatever_happens() {
    let disk = SimDisk::new();
    let (_server, mut client) = begin(&disk);
    client.text("SET a 1");
    client.text("BGREWRITEAOF");
    assert_eq!(manifest(&disk), "base2, incr2");
    for number in 0..3 {
        client.text(&format!("SET b {number}"));
        fail_rewrite(&disk, &mut client);
    }
    assert_eq!(manifest(&disk), "base2, incr2, incr3, incr4, incr5");
    client.text("SET c 1");
    reload(&mut client);
    client.text("BGREWRITEAOF");
    assert_eq!(manifest(&disk), "base3, incr6");
    reload(&mut client);

    // Without the log a rewrite leaves a base, and a log that begins again has increments of its
    // own.
    client.text("CONFIG SET appendonly no");
    client.text("SET d 1");
    client.text("BGREWRITEAOF");
    assert_eq!(manifest(&disk), "base4");
    reload(&mut client);
    client.text("CONFIG SET appendonly yes");
    assert_eq!(manifest(&disk), "base5, incr1");

    client.text("CONFIG SET aof-disable-auto-gc yes");
    client.text("BGREWRITEAOF");
    client.text("BGREWRITEAOF");
    let kept = "base7, old incr2, old base6, old incr1, old base5, incr3";
    assert_eq!(words(&manifest(&disk)), words(kept));
    client.text("CONFIG SET aof-disable-auto-gc no");
    assert_eq!(manifest(&disk), "base7, incr3");
    reload(&mut client);
    client.text("BGREWRITEAOF");
    assert_eq!(manifest(&disk), "base8, incr4");
    let names = disk.names();
    assert_eq!(names.len(), 3, "nothing else is left: {names:?}");
}

/// The words of a manifest, in no order.
fn words(manifest: &str) -> Vec<&str> {
    let mut words: Vec<&str> = manifest.split(", ").collect();
    words.sort_unstable();
    words
}

#[test]
fn a_log_that_begins_is_named_when_it_has_a_base() {
    let disk = SimDisk::new();
    let (server, mut client) = begin(&disk);
    client.text("CONFIG SET appendonly no");
    client.text("SET a 1");
    // Without a log there is no increment to name: the base is the first to be renamed.
    disk.fail(On::Rename, Fault::Io, 0, 1);
    client.text("CONFIG SET appendonly yes");
    assert_eq!(manifest(&disk), "base1, incr1");
    let log = server.platform.take_log();
    assert!(log.iter().any(|(_, line)| line.starts_with("Removing the temp incr aof file")));
    // It is tried again.
    client.text("SET b 1");
    server.pass(std::time::Duration::from_secs(1));
    assert_eq!(manifest(&disk), "base2, incr2");
    client.text("SET c 1");
    reload(&mut client);
    for key in ["a", "b", "c"] {
        assert_eq!(client.text(&format!("GET {key}")), "1");
    }
}

#[test]
fn a_transaction_is_in_the_log_as_a_whole_and_selects_inside() {
    let disk = SimDisk::new();
    let (server, mut client) = begin(&disk);
    for command in ["SELECT 9", "MULTI", "SET a 1", "SET b 2", "EXEC", "MULTI", "DEL a", "EXEC"] {
        client.text(command);
    }
    server.engine.finish_log().expect("the disk works");
    let log = disk.content("appendonlydir/appendonly.aof.1.incr.aof").expect("it is there");
    let words = String::from_utf8_lossy(&log).into_owned();
    let words: Vec<&str> = words.lines().filter(|line| !line.starts_with(['*', '$'])).collect();
    let expected = "MULTI SELECT 9 SET a 1 SET b 2 EXEC DEL a";
    assert_eq!(words.join(" "), expected);
    assert_eq!(client.text("GET b"), "2");
    reload(&mut client);
    // One that switches the log on is before it.
    client.text("CONFIG SET appendonly no");
    for command in ["MULTI", "SET c 3", "CONFIG SET appendonly yes", "SET d 4", "EXEC"] {
        client.text(command);
    }
    let log = server.platform.take_log();
    let scheduled = "AOF was enabled during a transaction.";
    assert!(log.iter().any(|(_, line)| line.starts_with(scheduled)), "{log:?}");
    server.pass(std::time::Duration::from_secs(1));
    reload(&mut client);
    assert_eq!([client.text("GET c"), client.text("GET d")], ["3", "4"]);
}

#[test]
fn a_file_that_no_manifest_names_does_not_count() {
    // A crash just before the first manifest leaves the files that it was to name.
    let disk = SimDisk::new();
    disk.put(
        "appendonlydir/appendonly.aof.1.incr.aof",
        b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n",
    );
    disk.put("appendonlydir/appendonly.aof.1.base.rdb", b"half of a file");
    let (server, mut client) = begin(&disk);
    client.text("SET b 2");
    server.engine.finish_log().expect("the disk works");
    let (_server, mut client) = begin(&disk);
    assert_eq!([client.text("EXISTS a"), client.text("GET b")], ["Integer(0)", "2"]);
}

#[test]
fn a_base_of_valkey_9_is_read() {
    let disk = SimDisk::new();
    let put = |name: &str, bytes: &[u8]| disk.put(&format!("appendonlydir/{name}"), bytes);
    put("appendonly.aof.1.base.rdb", b"VALKEY080\xfe\x00\x00\x01a\x01b\xff\0\0\0\0\0\0\0\0");
    put("appendonly.aof.1.incr.aof", b"*3\r\n$3\r\nSET\r\n$1\r\nc\r\n$1\r\nd\r\n");
    let base = "file appendonly.aof.1.base.rdb seq 1 type b\n";
    let incr = "file appendonly.aof.1.incr.aof seq 1 type i\n";
    put("appendonly.aof.manifest", format!("{base}{incr}").as_bytes());
    let (_server, mut client) = begin(&disk);
    assert_eq!((client.text("GET a"), client.text("GET c")), ("b".to_owned(), "d".to_owned()));
}
