//! Sets against an ordered set, and where they change their form.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const LIMITS: Limits =
    Limits { intset_entries: 16, listpack_entries: 8, listpack_value: 10, seed: 42 };

fn members(set: &Set) -> BTreeSet<Vec<u8>> {
    set.iter().map(|member| member.text(&mut itoa::Buffer::new()).to_vec()).collect()
}

fn set_of(texts: &[&str]) -> Set {
    let mut set = Set::default();
    for text in texts {
        assert!(set.add(&LIMITS, text.as_bytes()));
    }
    set
}

#[test]
fn forms_change_at_the_limits() {
    let numbers: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    assert_eq!(set_of(&numbers[..16]).encoding(), "intset");
    assert_eq!(set_of(&numbers[..17]).encoding(), "hashtable");
    let with = |count: usize, text| {
        let texts: Vec<&str> = numbers[..count].iter().copied().chain([text]).collect();
        set_of(&texts).encoding()
    };
    assert_eq!(with(0, "a"), "listpack");
    assert_eq!(with(7, "a"), "listpack");
    assert_eq!(with(8, "a"), "hashtable");
    assert_eq!(with(1, "0123456789"), "listpack");
    assert_eq!(with(1, "0123456789a"), "hashtable");
    assert_eq!(set_of(&["12345678901", "a"]).encoding(), "hashtable");
    assert_eq!(set_of(&["a", "1", "2"]).encoding(), "listpack");
    assert_eq!(set_of(&["01"]).encoding(), "listpack");
    let mut set = Set::default();
    set.expect(&LIMITS, b"1", 17);
    assert_eq!(set.encoding(), "hashtable");
    let mut set = set_of(&["a"]);
    set.expect(&LIMITS, b"b", 9);
    assert!(set.encoding() == "hashtable" && set.contains(b"a") && !set.add(&LIMITS, b"a"));
}

#[test]
fn behaves_like_a_set_in_every_form() {
    let seed = std::env::var("SEED").map_or(20_260_104, |seed| seed.parse().unwrap());
    println!("replay with: SEED={seed} cargo test -p collections like_a_set_in_every_form");
    let mut rng = Rng::seed(seed);
    for round in 0..200 {
        let (mut set, mut model) = (Set::default(), BTreeSet::new());
        for _ in 0..60 {
            let number = rng.below(30);
            let text = match round % 3 {
                0 => number.to_string(),
                1 => format!("{number:011}"),
                _ if rng.chance(1, 8) => format!("m{number}"),
                _ => rng.below(7).to_string(),
            };
            let text = text.into_bytes();
            let (frozen, before) = (set.clone(), model.clone());
            match rng.below(8) {
                0..=3 => assert_eq!(set.add(&LIMITS, &text), model.insert(text.clone())),
                4..=5 => assert_eq!(set.remove(&text), model.remove(&text)),
                6 => {
                    let place = set.sample(&mut rng);
                    assert_eq!(place.is_none(), model.is_empty());
                    let drawn = place.map(|at| set.get(at).text(&mut itoa::Buffer::new()).to_vec());
                    assert!(drawn.is_none_or(|member| model.contains(&member)));
                }
                _ => {
                    let count = rng.index(40);
                    let drawn = set.sample_distinct(&mut rng, count);
                    let drawn: BTreeSet<_> = drawn
                        .into_iter()
                        .map(|at| set.get(at).text(&mut itoa::Buffer::new()).to_vec())
                        .collect();
                    assert_eq!(drawn.len(), count.min(model.len()));
                    assert!(drawn.is_subset(&model));
                }
            }
            assert_eq!(members(&set), model);
            assert_eq!(members(&frozen), before);
            assert_eq!(set.len(), model.len());
            assert_eq!(set.contains(&text), model.contains(&text));
        }
    }
}

/// The chi-square statistic of drawing `count` of `total` members many times, in deviations from
/// its mean.
fn unevenness(total: usize, count: usize, texts: impl Fn(usize) -> String) -> f64 {
    let mut set = Set::default();
    for number in 0..total {
        set.add(&LIMITS, texts(number).as_bytes());
    }
    let mut rng = Rng::seed(20_260_105);
    let mut counts = BTreeMap::<Vec<u8>, u64>::new();
    let rounds = 200 * total / count;
    for _ in 0..rounds {
        for place in set.sample_distinct(&mut rng, count) {
            let text = set.get(place).text(&mut itoa::Buffer::new()).to_vec();
            *counts.entry(text).or_default() += 1;
        }
    }
    assert_eq!(counts.len(), total);
    let (p, n) = (count as f64 / total as f64, rounds as f64);
    // Members of one draw exclude one another, which the variance of each accounts for.
    let sum: f64 = counts.values().map(|&seen| (seen as f64 - n * p).powi(2)).sum();
    let statistic = sum / (n * p * (1.0 - p)) * (total as f64 - 1.0) / total as f64;
    (statistic - (total as f64 - 1.0)) / (2.0 * (total as f64 - 1.0)).sqrt()
}

#[test]
fn distinct_samples_are_uniform_in_every_form() {
    for count in [1, 3, 7] {
        assert!(unevenness(8, count, |number| format!("m{number}")).abs() < 4.0);
        assert!(unevenness(16, count, |number| number.to_string()).abs() < 4.0);
    }
    for count in [1, 50, 99, 101, 250, 299] {
        assert!(unevenness(300, count, |number| format!("m{number}")).abs() < 4.0, "{count}");
    }
}
