//! Hashes against an ordered map, and where they change their form.

use std::collections::{BTreeMap, BTreeSet};

use stdx::rng::Rng;

use super::*;

const LIMITS: Limits = Limits { listpack_entries: 8, listpack_value: 10, seed: 42 };

fn text(item: Item<'_>) -> Vec<u8> {
    item.text(&mut itoa::Buffer::new()).to_vec()
}

fn fields(hash: &Hash) -> BTreeMap<Vec<u8>, Vec<u8>> {
    hash.iter(0).map(|field| (text(field.name), text(field.value))).collect()
}

#[test]
fn the_form_changes_at_the_limits() {
    let mut hash = Hash::default();
    for number in 0..8 {
        assert!(hash.set(&LIMITS, format!("f{number}").as_bytes(), Item::Int(number)));
    }
    assert!(!hash.set(&LIMITS, b"f0", &b"0123456789"[..]));
    assert_eq!(hash.encoding(), "listpack");
    let small = hash.clone();
    assert!(!hash.set(&LIMITS, b"f0", &b"0123456789a"[..]));
    assert_eq!(hash.encoding(), "hashtable");
    let mut hash = small.clone();
    assert!(hash.set(&LIMITS, b"0123456789a", &b""[..]));
    assert_eq!(hash.encoding(), "hashtable");
    let mut hash = small.clone();
    assert!(hash.set(&LIMITS, b"ninth", &b""[..]));
    assert_eq!((hash.encoding(), hash.len()), ("hashtable", 9));
    let mut hash = small.clone();
    hash.expect(&LIMITS, 8);
    assert_eq!(hash.encoding(), "listpack");
    hash.expect(&LIMITS, 9);
    assert_eq!((hash.encoding(), fields(&hash)), ("hashtable", fields(&small)));
}

#[test]
fn long_values_are_shared() {
    let mut hash = Hash::default();
    hash.set(&LIMITS, b"long", &[b'x'; 20_000][..]);
    hash.set(&LIMITS, b"short", &b"y"[..]);
    assert_eq!(hash.get_shared(b"long").map(|value| value.len()), Some(20_000));
    assert!(hash.get_shared(b"short").is_none() && hash.get_shared(b"none").is_none());
}

#[test]
fn deadlines_make_a_form_of_their_own() {
    let mut hash = Hash::default();
    ["a", "b", "c", "d"].iter().for_each(|name| {
        hash.set(&LIMITS, name.as_bytes(), Item::Int(1));
    });
    assert!(hash.set_deadline(b"c", None) && !hash.set_deadline(b"x", Some(5)));
    assert_eq!((hash.encoding(), hash.earliest()), ("listpack", None));
    for (name, deadline) in [(b"c", 30), (b"b", 10), (b"d", 30)] {
        assert!(hash.set_deadline(name, Some(deadline)));
    }
    let order = |hash: &Hash| hash.fields().map(|field| text(field.name)).collect::<Vec<_>>();
    assert_eq!(order(&hash), [b"b", b"d", b"c", b"a"]);
    assert_eq!((hash.encoding(), hash.earliest()), ("listpackex", Some(10)));
    let copy = hash.clone();
    hash.set_value(&LIMITS, b"c", &b"kept"[..]);
    hash.set(&LIMITS, b"d", &b"new"[..]);
    assert_eq!(order(&hash), [b"b", b"c", b"a", b"d"]);
    assert_eq!(hash.get(b"b", 9), Some(Item::Int(1)));
    assert_eq!((hash.get(b"b", 10), hash.count(10), hash.len()), (None, 3, 4));
    for number in 0..8 {
        hash.set(&LIMITS, format!("{number}").as_bytes(), Item::Int(number));
    }
    assert_eq!((hash.encoding(), hash.earliest()), ("hashtable", Some(10)));
    assert_eq!(hash.find(b"c").map(|field| field.deadline), Some(Some(30)));
    assert!(hash.set_deadline(b"b", None) && hash.set_deadline(b"c", None));
    assert_eq!(hash.earliest(), None);
    assert_eq!((copy.encoding(), order(&copy).len()), ("listpackex", 4));
}

/// What a hash must hold: values and deadlines.
type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>;

fn check(hash: &Hash, model: &Model, now: u64) {
    let whole = |field: Field<'_>| (text(field.name), (text(field.value), field.deadline));
    assert_eq!(&hash.fields().map(whole).collect::<Model>(), model);
    assert_eq!(hash.len(), model.len());
    let is_alive = |(_, deadline): &&(Vec<u8>, Option<u64>)| deadline.is_none_or(|at| at > now);
    assert_eq!(hash.count(now), model.values().filter(is_alive).count());
    let earliest = model.values().filter_map(|(_, deadline)| *deadline).min();
    assert_eq!(hash.earliest().is_some(), earliest.is_some());
    assert!(hash.earliest() <= earliest, "a bound is never too late");
}

#[test]
fn behaves_like_a_map_in_every_form() {
    let seed = std::env::var("SEED").map_or(20_260_106, |seed| seed.parse().unwrap());
    println!("replay with: SEED={seed} cargo test -p collections like_a_map_in_every_form");
    let mut rng = Rng::seed(seed);
    for round in 0..300 {
        let (mut hash, mut model, mut now) = (Hash::default(), Model::new(), 1);
        let range = if round % 2 == 0 { 8 } else { 300 };
        for _ in 0..120 {
            let name = rng.below(range).to_string().into_bytes();
            let value = vec![b'0' + rng.below(10) as u8; rng.index(11)];
            let (frozen, before) = (hash.clone(), model.clone());
            match rng.below(10) {
                0..=2 => {
                    let is_new = model.insert(name.clone(), (value.clone(), None)).is_none();
                    assert_eq!(hash.set(&LIMITS, &name, &value[..]), is_new);
                }
                3 => {
                    let kept = model.get(&name).and_then(|(_, deadline)| *deadline);
                    let is_new = model.insert(name.clone(), (value.clone(), kept)).is_none();
                    assert_eq!(hash.set_value(&LIMITS, &name, &value[..]), is_new);
                }
                4..=5 if round % 3 > 0 => {
                    let deadline = rng.chance(9, 10).then(|| now + rng.below(30));
                    let known = model.get_mut(&name).map(|(_, at)| *at = deadline).is_some();
                    assert_eq!(hash.set_deadline(&name, deadline), known);
                }
                6 => {
                    now += rng.below(10);
                    let (mut gone, budget) = (BTreeSet::new(), 1 + rng.index(100));
                    while hash.may_be_due(now) {
                        hash.expire(now, budget, &mut |name| assert!(gone.insert(name.to_vec())));
                    }
                    let is_due = |at: Option<u64>| at.is_some_and(|at| at <= now);
                    let due = model.extract_if(.., |_, (_, at)| is_due(*at)).map(|(name, _)| name);
                    assert_eq!(gone, due.collect());
                }
                7 => {
                    let drawn = hash.sample(&mut rng, now).map(|place| hash.at(place));
                    assert_eq!(drawn.is_none(), hash.count(now) == 0);
                    assert!(drawn.is_none_or(|field| !field.is_due(now)));
                }
                8 => {
                    let count = rng.index(40);
                    let drawn = hash.sample_distinct(&mut rng, count, now);
                    let drawn: BTreeSet<_> =
                        drawn.into_iter().map(|place| text(hash.at(place).name)).collect();
                    assert_eq!(drawn.len(), count.min(hash.count(now)));
                    assert!(drawn.iter().all(|name| hash.get(name, now).is_some()));
                }
                _ => assert_eq!(hash.remove(&name), model.remove(&name).is_some()),
            }
            check(&hash, &model, now);
            check(&frozen, &before, now);
        }
    }
}

#[test]
fn samples_are_uniform_among_those_that_are_not_due() {
    let seed = std::env::var("SEED").map_or(20_261_121, |seed| seed.parse().unwrap());
    println!("replay with: SEED={seed} cargo test -p collections uniform_among");
    let mut rng = Rng::seed(seed);
    // Small and large; nothing due, a third, and nearly all, where draws give up.
    for (fields, due) in [(8, 0), (8, 3), (400, 0), (400, 130), (400, 390)] {
        let mut hash = Hash::default();
        for number in 0..fields {
            let name = format!("{number}");
            hash.set(&LIMITS, name.as_bytes(), Item::Int(number));
            hash.set_deadline(name.as_bytes(), (number < due).then_some(5));
        }
        let alive = (fields - due) as f64;
        for take in [1, 3] {
            let (mut counts, rounds) = (BTreeMap::new(), 200 * fields as usize);
            for round in 0..rounds {
                let places = match (take, round % 2) {
                    (1, 0) => hash.sample(&mut rng, 5).into_iter().collect(),
                    _ => hash.sample_distinct(&mut rng, take, 5),
                };
                assert_eq!(places.len(), take);
                for place in places {
                    *counts.entry(text(hash.at(place).name)).or_insert(0.0) += 1.0;
                }
            }
            let expected = (rounds * take) as f64 / alive;
            let squares = counts.values().map(|count: &f64| (count - expected).powi(2) / expected);
            // Mean n - 1, deviation sqrt(2n): six deviations to either side.
            let (sum, mean) = (squares.sum::<f64>(), alive - 1.0);
            let limit = 6.0 * (2.0 * alive).sqrt();
            assert_eq!(counts.len(), (fields - due) as usize);
            assert!((sum - mean).abs() < limit, "{sum} for {take} of {alive}");
        }
    }
}

#[test]
fn a_large_hash_expires_in_steps_that_visit_little() {
    let mut hash = Hash::default();
    for number in 0..20_000_u64 {
        let name = number.to_be_bytes();
        hash.set(&LIMITS, &name, &b"value"[..]);
        hash.set_deadline(&name, Some(1000 + number % 100));
    }
    let frozen = hash.clone();
    assert_eq!(hash.expire(999, 100, &mut |_| panic!("nothing is due")), 0);
    let (mut gone, mut steps) = (0, 0);
    while hash.may_be_due(1049) {
        let visited = hash.expire(1049, 500, &mut |_| gone += 1);
        assert!((1..700).contains(&visited), "{visited} visited");
        steps += 1;
    }
    assert_eq!((gone, hash.len(), frozen.len()), (10_000, 10_000, 20_000));
    assert!(steps < 60, "{steps} steps");
    assert_eq!(hash.earliest(), Some(1050));
    while hash.may_be_due(5000) {
        hash.expire(5000, 500, &mut |_| {});
    }
    assert!(hash.is_empty() && hash.earliest().is_none());
}

#[test]
fn asking_ahead_changes_nothing_whatever_the_form() {
    let names: Vec<Vec<u8>> = (0..40_u32).map(|number| number.to_be_bytes().to_vec()).collect();
    let asked: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    let mut hash = Hash::default();
    for number in 0..20_000_u32 {
        if [0, 1, 5, 50, 20_000 - 1].contains(&number) {
            let before = hash.clone();
            hash.prefetch(&asked);
            hash.prefetch(&[]);
            assert_eq!(hash.encoding(), before.encoding());
            assert!(hash.fields().map(|f| f.name).eq(before.fields().map(|f| f.name)));
        }
        if number == 2 {
            hash.set_deadline(&0_u32.to_be_bytes(), Some(7));
        }
        hash.set(&LIMITS, &number.to_be_bytes(), &b"value"[..]);
    }
}
