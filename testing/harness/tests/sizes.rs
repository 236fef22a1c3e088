//! The histograms of `INFO keysizes` are what counting the keys says, whatever has changed them: a
//! random stream of all commands over several databases, with time that passes, transactions,
//! scripts, exchanged and flushed databases, and datasets that are loaded again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use client::Value;
use conformance::Version;
use differential::generate::{Abilities, Generator, WAITING};
use engine::registry::Registry;
use harness::{Connection, InProcess, Setup, State};
use stdx::rng::Rng;

/// Commands of a stream.
const COMMANDS: usize = 3_000;
const DATABASES: usize = 16;

/// The fields of `INFO keysizes`, counted key by key.
fn counted(client: &mut Connection) -> BTreeMap<String, BTreeMap<u64, u64>> {
    let mut fields: BTreeMap<String, BTreeMap<u64, u64>> = BTreeMap::new();
    for db in 0..DATABASES {
        client.text(&format!("SELECT {db}"));
        let Value::Array(keys) = client.ask("KEYS *") else { panic!("KEYS answers with keys") };
        for key in keys {
            let key = key.as_bytes().expect("a key is text");
            let (command, name) = match client.command(&[b"TYPE", key]).as_bytes() {
                Some(b"string") => ("STRLEN", "strings_sizes"),
                Some(b"list") => ("LLEN", "lists_items"),
                Some(b"set") => ("SCARD", "sets_items"),
                Some(b"zset") => ("ZCARD", "zsets_items"),
                Some(b"hash") => ("HLEN", "hashes_items"),
                _ => continue,
            };
            let Value::Integer(size) = client.command(&[command.as_bytes(), key]) else {
                panic!("{command} answers with a number");
            };
            let bin = size.checked_ilog2().map_or(0, |exponent| 1 << exponent);
            *fields.entry(format!("db{db}_distrib_{name}")).or_default().entry(bin).or_default() +=
                1;
        }
    }
    fields
}

/// The fields of `INFO keysizes` as they are kept.
fn kept(client: &mut Connection) -> BTreeMap<String, BTreeMap<u64, u64>> {
    let text = client.text("INFO keysizes");
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let bins = |bins: &str| {
        let pairs = bins.split(',').map(|pair| pair.split_once('=').expect("a bin and a count"));
        pairs.map(|(bin, count)| (size(bin), count.parse().expect("a count"))).collect()
    };
    lines.map(|(name, counts)| (name.to_owned(), bins(counts))).collect()
}

/// A bin's size from its label.
fn size(label: &str) -> u64 {
    let digits = label.trim_end_matches(|unit: char| unit.is_ascii_uppercase());
    let unit = "KMGTPE".find(&label[digits.len()..]).filter(|_| digits.len() < label.len());
    digits.parse::<u64>().expect("a number") << unit.map_or(0, |unit| 10 * (unit + 1))
}

fn agrees(seed: u64, seen: &mut BTreeSet<String>) {
    let mut rng = Rng::seed(seed);
    let server = InProcess::new(Setup::default());
    let mut own = server.connect();
    // What is due counts until it is gone, and whoever counts may not make it go.
    own.text("DEBUG SET-ACTIVE-EXPIRE 0");
    let commands = Registry::get().entries.iter().map(|entry| entry.full_name.to_owned());
    let abilities = Abilities { version: Version(8, 8, 0), commands: commands.collect() };
    let mut generator = Generator::new(seed, &abilities);
    let mut clients: Vec<Connection> = (0..=WAITING).map(|_| server.connect()).collect();
    for (index, sent) in generator.take(COMMANDS).into_iter().enumerate() {
        let client = &mut clients[sent.connection];
        if client.state() != State::Open {
            *client = server.connect();
        }
        client.request(&sent.command);
        for client in &mut clients {
            client.serve();
            let _ = client.take_bytes();
        }
        server.pass(Duration::from_millis(rng.below(20)));
        if index % 50 == 0 {
            assert!(server.engine.store.sizes_are_right(), "seed {seed}, command {index}");
        }
        if index % 500 == 499 {
            if rng.chance(1, 2) {
                assert_eq!(own.text("DEBUG RELOAD"), "OK", "seed {seed}");
            }
            // Fields that are due are counted by HLEN too, but keys only until they are looked at.
            let _ = counted(&mut own);
            let kept = kept(&mut own);
            assert_eq!(kept, counted(&mut own), "seed {seed}, command {index}");
            seen.extend(kept.into_keys());
        }
    }
}

#[test]
fn the_histograms_are_what_the_keys_are() {
    let mut seen = BTreeSet::new();
    for seed in 0..25 {
        println!("seed {seed}");
        agrees(seed, &mut seen);
    }
    for name in ["strings_sizes", "lists_items", "sets_items", "zsets_items", "hashes_items"] {
        assert!(seen.iter().filter(|field| field.ends_with(name)).count() > 1, "{name}");
    }
}
