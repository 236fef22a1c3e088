//! Libraries of functions outlive the server: in the log, in snapshots, and back from both.

use harness::{Connection, InProcess, Recorder, Setup};
use simdisk::SimDisk;

const COUNTER: &str = "#!lua name=counter\n\
    redis.register_function('next', function(keys) return redis.call('incr', keys[1]) end)";
const ANSWER: &str =
    "#!lua name=answer\nredis.register_function('answer', function() return 42 end)";

fn server(disk: &SimDisk, config: &str) -> InProcess {
    InProcess::new(Setup { disk: disk.clone(), config: config.to_owned(), ..Setup::default() })
}

fn started(disk: &SimDisk, config: &str) -> InProcess {
    let server = server(disk, config);
    server.engine.begin_loading();
    server.engine.load_at_start().expect("what was saved can be loaded");
    server
}

fn load(client: &mut Connection, text: &str) {
    let name = client.command(&["FUNCTION", "LOAD", text]);
    assert!(name.as_bytes().is_some(), "{name:?}");
}

/// The texts of all libraries.
fn codes(client: &mut Connection) -> Vec<String> {
    let list = client.ask("FUNCTION LIST WITHCODE");
    let libraries = list.as_slice().expect("a list is an array");
    let code = |library: &client::Value| {
        let fields = library.as_slice().expect("in RESP2 a map is an array");
        let code = fields.last().and_then(client::Value::as_bytes).expect("the code comes last");
        String::from_utf8_lossy(code).into_owned()
    };
    libraries.iter().map(code).collect()
}

#[test]
fn the_log_has_libraries_as_they_were_loaded_and_what_functions_did() {
    let recorder = Recorder::default();
    let server = InProcess::new(Setup { consumers: recorder.consumers(), ..Setup::default() });
    let mut client = server.connect();
    load(&mut client, COUNTER);
    let payload = client.command(&["FUNCTION", "DUMP"]);
    let payload = payload.as_bytes().expect("a payload is a bulk string").to_vec();
    client.text("FCALL next 1 k");
    client.text("FUNCTION DELETE counter");
    client.command(&[b"FUNCTION", &b"RESTORE"[..], &payload]);
    client.text("FUNCTION FLUSH ASYNC");
    for refused in ["FUNCTION DELETE counter", "FUNCTION LOAD x", "FUNCTION RESTORE x"] {
        assert!(client.text(refused).starts_with('-'), "{refused}");
    }
    for read in ["FUNCTION LIST", "FUNCTION STATS", "FUNCTION DUMP"] {
        client.text(read);
    }
    let log = recorder.take().log;
    let logged: Vec<Vec<Vec<u8>>> = log
        .iter()
        .flat_map(store::Records::commands)
        .map(|(_, args)| args.as_args().iter().map(<[u8]>::to_vec).collect())
        .collect();
    let expected: &[&[&[u8]]] = &[
        &[b"FUNCTION", b"LOAD", COUNTER.as_bytes()],
        &[b"incr", b"k"],
        &[b"FUNCTION", b"DELETE", b"counter"],
        &[b"FUNCTION", b"RESTORE", &payload],
        &[b"FUNCTION", b"FLUSH", b"ASYNC"],
    ];
    assert_eq!(logged, expected);
}

#[test]
fn a_transaction_logs_libraries_between_its_commands() {
    let recorder = Recorder::default();
    let server = InProcess::new(Setup { consumers: recorder.consumers(), ..Setup::default() });
    let mut client = server.connect();
    client.text("MULTI");
    client.command(&["FUNCTION", "LOAD", COUNTER]);
    client.text("FCALL next 1 k");
    client.text("FUNCTION DELETE counter");
    client.text("EXEC");
    let load = format!("0 FUNCTION LOAD {COUNTER}");
    let expected = ["0 MULTI", &load, "0 incr k", "0 FUNCTION DELETE counter", "0 EXEC"];
    assert_eq!(recorder.take().log_lines(), expected);
}

#[test]
fn snapshots_bring_libraries_back() {
    // The file, its form, and the command that writes it.
    for (config, command) in [
        ("", "BGSAVE"),
        ("appendonly yes", "BGREWRITEAOF"),
        ("appendonly yes\naof-use-rdb-preamble no", "BGREWRITEAOF"),
    ] {
        let disk = SimDisk::new();
        let first = started(&disk, config);
        let mut client = first.connect();
        load(&mut client, COUNTER);
        load(&mut client, ANSWER);
        client.text("FUNCTION DELETE answer");
        client.text("FCALL next 1 k");
        assert!(!client.text(command).starts_with('-'), "{command}");
        load(&mut client, ANSWER);
        first.platform.run_background();
        first.engine.write_log();
        let second = started(&disk, config);
        let mut client = second.connect();
        assert_eq!(client.text("FCALL next 1 k"), "Integer(2)", "{config}");
        let answer = client.text("FCALL answer 0");
        assert!(answer == "Integer(42)" || config.is_empty(), "{config}: {answer}");
        assert_eq!(codes(&mut client)[usize::from(!config.is_empty())], COUNTER, "{config}");
    }
}

#[test]
fn a_reload_replaces_libraries_or_adds_to_them() {
    let disk = SimDisk::new();
    let server = started(&disk, "");
    let mut client = server.connect();
    load(&mut client, COUNTER);
    client.text("BGSAVE");
    server.platform.run_background();
    load(&mut client, ANSWER);
    assert_eq!(client.text("DEBUG RELOAD NOSAVE NOFLUSH MERGE"), "OK");
    assert_eq!(codes(&mut client), [ANSWER, COUNTER]);
    let refused = client.text("DEBUG RELOAD NOSAVE NOFLUSH");
    assert!(refused.contains("Error trying to load the RDB dump"), "{refused}");
    assert!(!server.platform.aborted(), "the keys are whole");
    assert_eq!(client.text("DEBUG RELOAD NOSAVE"), "OK");
    assert_eq!(codes(&mut client), [COUNTER]);
}

#[test]
fn a_file_with_a_library_that_is_none_is_refused() {
    use format::rdb::file::write;
    use format::rdb::{Options, Version};
    for text in ["no library", "#!lua name=a\nbad script", "#!lua name=a\nreturn 1"] {
        let mut file = Vec::new();
        let Ok(()) = write::header(Version::V10, &mut file);
        let options = Options { version: Version::V10, compress: false };
        let Ok(()) = write::function(text.as_bytes(), options, &mut file);
        let Ok(()) = write::end(&mut file);
        let crc = stdx::crc::crc64(0, &file);
        let Ok(()) = write::checksum(Some(crc), &mut file);
        let disk = SimDisk::new();
        disk.put("dump.rdb", &file);
        let server = server(&disk, "");
        server.engine.begin_loading();
        assert!(server.engine.load_at_start().is_err(), "{text}");
        let log = server.platform.take_log();
        assert!(
            log.iter().any(|(_, line)| line.starts_with("Failed loading library, ")),
            "{log:?}"
        );
    }
}

#[test]
fn every_thread_calls_the_library_that_is_known_now() {
    let server = InProcess::new(Setup { threads: 2, ..Setup::default() });
    let (mut one, mut two) = (server.connect_on(0), server.connect_on(1));
    for round in 0..20 {
        let text =
            format!("#!lua name=a\nredis.register_function('f', function() return {round} end)");
        one.command(&["FUNCTION", "LOAD", "REPLACE", &text]);
        let expected = format!("Integer({round})");
        assert_eq!(two.text("FCALL f 0"), expected);
        assert_eq!(one.text("FCALL f 0"), expected);
        std::mem::swap(&mut one, &mut two);
    }
    one.text("FUNCTION FLUSH");
    assert!(two.text("FCALL f 0").contains("Function not found"));
}
