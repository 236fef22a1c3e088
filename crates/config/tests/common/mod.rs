//! What the tests of this crate share: a configuration, and random values for any row.

#![allow(dead_code, reason = "each test program uses a part of it")]

use config::{Config, Environment, Kind, List, LoadError, Loaded, Row, SetError, SetRules};
use stdx::rng::Rng;

/// Every parameter at its default, on two cores in `/data`.
pub fn fresh() -> Config {
    Config::new(&Environment { cores: 2, directory: b"/data".to_vec() })
}

/// Loads a text that includes nothing.
pub fn load(config: &Config, text: impl AsRef<[u8]>) -> Result<Loaded, LoadError> {
    config.load(text.as_ref(), &mut |path, _| {
        panic!("nothing is included, least of all {}", String::from_utf8_lossy(path))
    })
}

/// The value of one name.
pub fn get(config: &Config, name: &str) -> String {
    let found = config.matching(&[name.as_bytes()]);
    assert_eq!(found.len(), 1, "{name} is one parameter");
    String::from_utf8(found[0].1.clone()).unwrap()
}

/// `CONFIG SET` of one pair with every permission; the error as the client sees it.
pub fn set(config: &Config, name: &str, value: &str) -> Result<(), String> {
    set_all(config, &[(name, value)])
}

/// `CONFIG SET` of several pairs with every permission.
pub fn set_all(config: &Config, pairs: &[(&str, &str)]) -> Result<(), String> {
    let pairs: Vec<(&[u8], &[u8])> =
        pairs.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let rules = SetRules { protected_allowed: true, loading: false };
    config.set(&pairs, rules, &mut |_| Ok(())).map(drop).map_err(|error| error.to_string())
}

/// The reason inside a refusal of `name`.
pub fn reason(config: &Config, name: &str, value: &str) -> String {
    let rules = SetRules { protected_allowed: true, loading: false };
    match config.set(&[(name.as_bytes(), value.as_bytes())], rules, &mut |_| Ok(())) {
        Err(SetError::Refused { name: named, reason }) if named == name.as_bytes() => reason,
        other => panic!("{name} {value:?} gives {other:?}"),
    }
}

/// The seed of a random test, with the line that replays it.
pub fn seed(test: &str, default: u64) -> Rng {
    let seed = std::env::var("FERRITE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(default);
    println!("seed {seed}; replay: FERRITE_SEED={seed} cargo test -p config {test}");
    Rng::seed(seed)
}

/// A random text that the row accepts, as one argument.
pub fn random_value(row: &Row, rng: &mut Rng) -> Vec<u8> {
    match row.kind {
        Kind::Bool { .. } => pick(rng, &["yes", "no", "YES"]),
        Kind::Int { min, max, .. } => loop {
            let number = random_number(rng, min, max);
            if row.number_check.is_none_or(|check| check(number).is_ok()) {
                return number.to_string().into_bytes();
            }
        },
        Kind::Octal { max, .. } => format!("{:o}", random_number(rng, 0, max)).into_bytes(),
        Kind::Bytes { min, max, .. } => {
            let max = max.min(i64::MAX.cast_unsigned()).cast_signed();
            random_number(rng, min.cast_signed(), max).to_string().into_bytes()
        }
        Kind::BytesOrPercent { .. } => match rng.below(2) {
            0 => format!("{}%", rng.below(101)).into_bytes(),
            _ => format!("{}mb", rng.below(1 << 20)).into_bytes(),
        },
        Kind::Choice { words, .. } => words[rng.index(words.len())].0.into(),
        Kind::Flags { words, .. } => loop {
            let some: Vec<_> = words.iter().filter(|_| rng.chance(1, 2)).collect();
            let bits = some.iter().fold(0, |bits, word| bits | word.1);
            if !some.is_empty() && row.number_check.is_none_or(|check| check(bits).is_ok()) {
                let names: Vec<&str> = some.iter().map(|word| word.0).collect();
                return names.join(" ").into_bytes();
            }
        },
        Kind::Events => {
            (0..rng.below(8)).map(|_| b"Ag$lshzxeKEtmdnocaSTIV"[rng.index(22)]).collect()
        }
        Kind::Text { default } => random_text(row, default, rng),
        Kind::List { list, .. } => random_list(list, rng),
    }
}

fn pick(rng: &mut Rng, words: &[&str]) -> Vec<u8> {
    words[rng.index(words.len())].into()
}

/// A number in the range, often one of its ends.
fn random_number(rng: &mut Rng, min: i64, max: i64) -> i64 {
    let span = max.wrapping_sub(min).cast_unsigned();
    match rng.below(4) {
        0 => min,
        1 => max,
        2 => min + i64::try_from(rng.below(span.min(5000) + 1)).unwrap(),
        _ => min.wrapping_add(rng.below(span.saturating_add(1).max(1)).cast_signed()),
    }
}

fn random_text(row: &Row, default: &str, rng: &mut Rng) -> Vec<u8> {
    for _ in 0..20 {
        let mut text = vec![0; rng.index(12)];
        rng.fill(&mut text);
        if rng.chance(1, 2) {
            text.iter_mut().for_each(|byte| *byte = b"ab1.9- \"'\\#$"[usize::from(*byte) % 12]);
        }
        if row.text_check.is_none_or(|check| check(&text).is_ok()) {
            return text;
        }
    }
    default.into()
}

fn random_list(list: List, rng: &mut Rng) -> Vec<u8> {
    let limit = |rng: &mut Rng| {
        format!("{} {} {}", rng.below(1 << 40), rng.below(1 << 30) << 10, rng.below(100))
    };
    match list {
        List::SavePoints => {
            let points: Vec<String> = (0..rng.below(4))
                .map(|_| format!("{} {}", rng.below(5000) + 1, rng.below(5000)))
                .collect();
            points.join(" ").into_bytes()
        }
        List::OutputLimits => {
            let class = ["normal", "replica", "slave", "pubsub"][rng.index(4)];
            format!("{class} {} pubsub {}", limit(rng), limit(rng)).into_bytes()
        }
        List::OomScores => {
            let score = |rng: &mut Rng| random_number(rng, -2000, 2000);
            format!("{} {} {}", score(rng), score(rng), score(rng)).into_bytes()
        }
        List::Addresses => pick(rng, &["", "127.0.0.1", "* -::*", "10.0.0.1 ::1 -host"]),
        List::Primary => pick(rng, &["no one", "host 6379", "::1 0"]),
        List::Percentiles => pick(rng, &["", "50", "0 99.999 100", "12.345678"]),
    }
}
