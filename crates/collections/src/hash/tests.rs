//! Hashes against an ordered map, and where they change their form.

use std::collections::BTreeMap;

use super::*;

const LIMITS: Limits = Limits { listpack_entries: 8, listpack_value: 10, seed: 42 };

fn text(item: Item<'_>) -> Vec<u8> {
    item.text(&mut itoa::Buffer::new()).to_vec()
}

fn fields(hash: &Hash) -> BTreeMap<Vec<u8>, Vec<u8>> {
    hash.iter().map(|(field, value)| (text(field), text(value))).collect()
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
fn behaves_like_a_map_in_every_form() {
    let seed = std::env::var("SEED").map_or(20_260_106, |seed| seed.parse().unwrap());
    println!("replay with: SEED={seed} cargo test -p collections like_a_map_in_every_form");
    let mut rng = Rng::seed(seed);
    for round in 0..200 {
        let (mut hash, mut model) = (Hash::default(), BTreeMap::new());
        let range = if round % 2 == 0 { 8 } else { 300 };
        for _ in 0..80 {
            let field = rng.below(range).to_string().into_bytes();
            let value = vec![b'0' + rng.below(10) as u8; rng.index(11)];
            let (frozen, before) = (hash.clone(), model.clone());
            match rng.below(6) {
                0..=2 => {
                    let is_new = model.insert(field.clone(), value.clone()).is_none();
                    assert_eq!(hash.set(&LIMITS, &field, &value[..]), is_new);
                }
                3 => assert_eq!(hash.remove(&field), model.remove(&field).is_some()),
                4 => {
                    let drawn = hash.sample(&mut rng).map(|place| hash.at(place));
                    assert_eq!(drawn.is_none(), model.is_empty());
                    let known = |(field, value)| model.get(&text(field)) == Some(&text(value));
                    assert!(drawn.is_none_or(known));
                }
                _ => {
                    let count = rng.index(40);
                    let drawn = hash.sample_distinct(&mut rng, count);
                    let drawn: BTreeMap<_, _> = drawn
                        .into_iter()
                        .map(|place| hash.at(place))
                        .map(|(field, value)| (text(field), text(value)))
                        .collect();
                    assert_eq!(drawn.len(), count.min(model.len()));
                    assert!(drawn.iter().all(|(field, value)| model.get(field) == Some(value)));
                }
            }
            assert_eq!(fields(&hash), model);
            assert_eq!(fields(&frozen), before);
            assert_eq!(hash.len(), model.len());
            assert_eq!(hash.get(&field).map(text).as_ref(), model.get(&field));
        }
    }
}
