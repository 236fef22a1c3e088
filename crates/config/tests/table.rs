//! Rules that every row keeps, and the defaults of Redis 7.0.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod common;

use std::collections::{BTreeMap, HashMap};

use common::{fresh, get};
use config::{Access, ids, rows};

#[test]
fn names_are_unique_and_spelled_like_names() {
    let mut seen = HashMap::new();
    for id in ids() {
        for name in id.row().names() {
            let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
            assert!(name.bytes().all(|byte| fine(byte) || b"-_".contains(&byte)), "{name}");
            assert_eq!(seen.insert(name, id), None, "{name} names two rows");
            assert_eq!(config::find(name.to_uppercase().as_bytes()), Some(id));
        }
    }
}

#[test]
fn every_row_is_documented_in_one_sentence() {
    for id in ids() {
        let row = id.row();
        assert!(row.doc.ends_with('.'), "{}", row.name);
        assert_eq!(row.doc.matches(". ").count(), 0, "{} has more than one sentence", row.name);
        assert!(row.doc.starts_with(|first: char| first.is_uppercase()), "{}", row.name);
        assert!((15..=140).contains(&row.doc.len()), "{}: {}", row.name, row.doc.len());
    }
}

#[test]
fn every_default_is_a_value_that_can_be_given() {
    let config = fresh();
    for id in ids() {
        let row = id.row();
        let shown = config.show(id);
        if row.access == Access::Mutable {
            let name = row.name.as_bytes();
            // Nothing stands for "no primary" in CONFIG SET, but that row is immutable.
            let changes = config.set(&[(name, &shown)], Default::default(), &mut |_| Ok(()));
            let changes = changes.unwrap_or_else(|error| panic!("{}: {error}", row.name));
            assert!(changes.is_empty() || row.reapplied, "{} changed: {changes:?}", row.name);
        }
        assert_eq!(config.show(id), shown, "{}", row.name);
    }
}

#[test]
fn aliases_show_the_same_value() {
    let config = fresh();
    for id in ids() {
        let row = id.row();
        for alias in row.aliases.iter().chain(row.foreign_names) {
            assert_eq!(get(&config, alias), get(&config, row.name), "{alias}");
        }
    }
}

#[test]
fn the_defaults_are_those_of_redis() {
    // `CONFIG GET *` of redis-server 7.0.15 without a configuration file, in /data.
    let theirs: BTreeMap<&str, &str> = include_str!("redis_7_0_defaults.txt")
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .collect();
    assert_eq!(theirs.len(), 192);
    let config = fresh();
    for (name, value) in theirs {
        // One thread for each core is what this server is for.
        let expected = if name == "io-threads" { "2" } else { value };
        assert_eq!(get(&config, name), expected, "{name}");
        let listed = config.matching(&[format!("{name}*").as_bytes()]);
        let listed = listed.iter().any(|(found, _)| found == name.as_bytes());
        // Redis 8 no longer lists a parameter without effect.
        assert_eq!(listed, name != "io-threads-do-reads", "{name}");
    }
}

#[test]
fn what_the_machine_decides() {
    let config = fresh();
    assert_eq!(config.get(rows::IO_THREADS), 2);
    assert_eq!(&*config.get(rows::DIR), b"/data");
    let resolved: Vec<&str> =
        ids().map(|id| id.row()).filter(|row| row.resolved_at_start).map(|row| row.name).collect();
    assert_eq!(resolved, ["dir", "io-threads"]);
}

#[test]
fn a_script_may_hold_several_of_the_largest_values() {
    let config = fresh();
    assert!(config.get(rows::LUA_MEMORY_LIMIT) >= 4 * config.get(rows::PROTO_MAX_BULK_LEN));
}
