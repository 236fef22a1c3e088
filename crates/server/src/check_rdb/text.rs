//! The report in the words of redis-check-rdb, and the tables of `--stats`.

use super::stats::{Stats, Sum, form_name};
use super::table::{Align, size, table};
use super::walk::{Counts, Event, Failure};

/// Bytes of a key that a table shows.
const KEY_SHOWN_MAX: usize = 60;

/// Prints what was met.
pub fn event(event: &Event<'_>) {
    match event {
        Event::Begin { file } => println!("[offset 0] Checking RDB file {file}"),
        Event::Aux { offset, name, value } => println!(
            "[offset {offset}] AUX FIELD {} = '{}'",
            String::from_utf8_lossy(name),
            String::from_utf8_lossy(value)
        ),
        Event::ModuleAux { offset, name } => {
            println!("[offset {offset}] MODULE AUX for: {name}");
        }
        Event::Database { offset, number } => {
            println!("[offset {offset}] Selecting DB ID {number}")
        }
        Event::End { offset, has_checksum: true } => println!("[offset {offset}] Checksum OK"),
        Event::End { offset, has_checksum: false } => println!(
            "[offset {offset}] RDB file was saved with checksum disabled: no check performed."
        ),
    }
}

/// Prints what came of it.
pub fn conclusion(len: u64, counts: &Counts, failure: Option<&Failure>) {
    match failure {
        None => println!("[offset {len}] \\o/ RDB looks OK! \\o/"),
        Some(failure) => print!("{}", failed(failure, counts)),
    }
    println!("[info] {} keys read", counts.keys);
    println!("[info] {} expires", counts.expires);
    println!("[info] {} already expired", counts.already_expired);
    if counts.empty > 0 {
        println!("[info] {} keys without elements", counts.empty);
    }
}

fn failed(failure: &Failure, counts: &Counts) -> String {
    let Failure { offset, reason, doing, key, kind } = failure;
    let mut text = format!("--- RDB ERROR DETECTED ---\n[offset {offset}] {reason}\n");
    text += &format!("[additional info] While doing: {doing}\n");
    if let Some(key) = key {
        text += &format!("[additional info] Reading key '{}'\n", String::from_utf8_lossy(key));
    }
    // Before the first key, the type is said to be the first one.
    let number = kind.map(|kind| (kind as u8, form_name(kind)));
    if let Some((number, name)) = number.or((counts.keys == 0).then_some((0, "string"))) {
        text += &format!("[additional info] Reading type {number} ({name})\n");
    }
    text
}

/// The tables.
pub fn stats(stats: &Stats) -> String {
    use Align::{Left, Right};
    let total = stats.total();
    let sums = [
        ("keys", Right),
        ("%", Right),
        ("expire", Right),
        ("elements", Right),
        ("in the file", Right),
        ("in memory", Right),
        ("memory/key", Right),
    ];
    let mut text = String::from("\n");
    let rows = stats.databases.iter().map(|(db, sum)| row([db.to_string()], sum, &total));
    text += &table(&[&[("db", Right)][..], &sums].concat(), &rows.collect::<Vec<_>>());
    text += "\n";
    let rows = stats
        .types
        .iter()
        .map(|((name, form), sum)| row([(*name).to_owned(), (*form).to_owned()], sum, &total));
    let mut rows: Vec<_> = rows.collect();
    rows.push(row(["all".to_owned(), String::new()], &total, &total));
    text += &table(&[&[("type", Left), ("form", Left)][..], &sums].concat(), &rows);
    text += "\n";
    let heads = [
        ("in memory", Right),
        ("in the file", Right),
        ("elements", Right),
        ("type", Left),
        ("db", Right),
        ("largest keys", Left),
    ];
    let rows = stats.largest().into_iter().map(|large| {
        let mut key = large.key.escape_ascii().to_string();
        if key.len() > KEY_SHOWN_MAX {
            key.truncate(KEY_SHOWN_MAX);
            key += "...";
        }
        vec![
            size(large.memory_bytes),
            size(large.file_bytes),
            large.elements.to_string(),
            large.type_name.to_owned(),
            large.db.to_string(),
            key,
        ]
    });
    text + &table(&heads, &rows.collect::<Vec<_>>())
}

fn row<const N: usize>(names: [String; N], sum: &Sum, total: &Sum) -> Vec<String> {
    let percent = sum.keys as f64 / total.keys.max(1) as f64 * 100.0;
    let numbers = [
        sum.keys.to_string(),
        format!("{percent:.1}"),
        sum.expires.to_string(),
        sum.elements.to_string(),
        size(sum.file_bytes),
        size(sum.memory_bytes),
        size(sum.memory_bytes / sum.keys.max(1)),
    ];
    names.into_iter().chain(numbers).collect()
}
