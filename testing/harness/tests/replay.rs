//! What is replayed is what was: a random stream of all commands with the log on, and a second
//! server that loads the log. Every key is compared: its value, its deadline, the deadlines of its
//! fields, its consumer groups.

use std::collections::BTreeMap;
use std::time::Duration;

use client::Value;
use conformance::Version;
use differential::generate::{Abilities, Generator, WAITING};
use engine::registry::Registry;
use harness::{Background, Connection, InProcess, Setup, State};
use simdisk::SimDisk;
use stdx::clock::Clock;
use stdx::rng::Rng;

/// Commands of a stream.
const COMMANDS: usize = 1_500;
const DATABASES: usize = 16;

fn server(disk: &SimDisk, preamble: &str) -> InProcess {
    InProcess::new(Setup {
        disk: disk.clone(),
        background: Background::Held,
        config: format!("save \"\"\nappendonly yes\naof-use-rdb-preamble {preamble}\n"),
        ..Setup::default()
    })
}

/// All that can be known of the keys, by database and name.
fn dataset(server: &InProcess) -> BTreeMap<(usize, Vec<u8>), String> {
    let mut client = server.connect();
    let mut dataset = BTreeMap::new();
    for db in 0..DATABASES {
        client.text(&format!("SELECT {db}"));
        let Value::Array(keys) = client.ask("KEYS *") else { panic!("KEYS answers with keys") };
        for key in keys {
            let key = key.as_bytes().expect("a key is text").to_vec();
            let known = describe(&mut client, &key);
            dataset.insert((db, key), known);
        }
    }
    dataset
}

fn describe(client: &mut Connection, key: &[u8]) -> String {
    let mut known = Vec::new();
    let mut ask = |words: &[&[u8]]| {
        let reply = client.command(words);
        known.push(format!("{reply:?}"));
        reply
    };
    ask(&[b"PEXPIRETIME", key]);
    ask(&[b"DEBUG", b"DIGEST-VALUE", key]);
    let kind = ask(&[b"TYPE", key]);
    match kind.as_bytes() {
        Some(b"hash") => {
            let Value::Array(mut fields) = client.command(&[b"HKEYS", key]) else {
                return known.concat();
            };
            fields.sort_by_key(|field| field.as_bytes().map(<[u8]>::to_vec));
            for field in fields {
                let field = field.as_bytes().unwrap_or_default().to_vec();
                let reply = client.command(&[b"HPEXPIRETIME", key, b"FIELDS", b"1", &field]);
                known.push(format!("{field:?} {reply:?}"));
            }
        }
        Some(b"stream") => {
            known.push(format!("{:?}", client.command(&[&b"XINFO"[..], b"STREAM", key])));
            let groups = client.command(&[&b"XINFO"[..], b"GROUPS", key]);
            known.push(format!("{groups:?}"));
            for group in groups.as_slice().unwrap_or_default() {
                let fields = group.as_slice().unwrap_or_default();
                let name = fields.get(1).and_then(Value::as_bytes).unwrap_or_default().to_vec();
                let pending = client.command(&[b"XPENDING", key, &name]);
                known.push(format!("{pending:?}"));
            }
        }
        _ => {}
    }
    known.concat()
}

fn replays(seed: u64) {
    let mut rng = Rng::seed(seed);
    let preamble = if rng.chance(1, 2) { "yes" } else { "no" };
    let disk = SimDisk::new();
    let original = server(&disk, preamble);
    original.engine.begin_loading();
    original.engine.load_at_start().expect("an empty disk is a good start");
    let commands = Registry::get().entries.iter().map(|entry| entry.full_name.to_owned());
    let abilities = Abilities { version: Version(8, 8, 0), commands: commands.collect() };
    let mut generator = Generator::new(seed, &abilities);
    let mut clients: Vec<Connection> = (0..=WAITING).map(|_| original.connect()).collect();
    let mut elapsed = Duration::ZERO;
    for (index, sent) in generator.take(COMMANDS).into_iter().enumerate() {
        let client = &mut clients[sent.connection];
        // Who waits for what nobody brings is gone when the next one comes.
        if client.state() != State::Open {
            *client = original.connect();
        }
        client.request(&sent.command);
        for client in &mut clients {
            client.serve();
            let _ = client.take_bytes();
        }
        let passed = Duration::from_millis(rng.below(20));
        elapsed += passed;
        original.pass(passed);
        if rng.chance(1, 4) {
            original.engine.write_log();
        }
        if index == COMMANDS / 2 {
            original.connect().text("BGREWRITEAOF");
        }
        original.platform.run_background();
    }
    drop(clients);
    original.engine.write_log();
    let expected = dataset(&original);
    original.engine.finish_log().expect("the disk works");

    let copy = server(&disk.after_kill(disk.operations()), preamble);
    copy.clock.pass(Duration::from_millis(original.clock.unix_ms() - copy.clock.unix_ms()));
    copy.engine.begin_loading();
    let loaded = copy.engine.load_at_start();
    assert!(loaded.is_ok(), "seed {seed}: {:?}", copy.platform.take_log());
    let found = dataset(&copy);
    for (key, known) in &expected {
        assert_eq!(found.get(key), Some(known), "seed {seed}, key {key:?}");
    }
    for key in found.keys() {
        assert!(expected.contains_key(key), "seed {seed}: {key:?} came back");
    }
}

#[test]
fn the_log_replays_to_the_same_dataset() {
    for seed in 0..40 {
        println!("seed {seed}");
        replays(seed);
    }
}
