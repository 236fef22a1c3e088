//! The sorted set in both encodings against a standard map.

use std::collections::BTreeMap;

use stdx::rng::Rng;

use super::*;

const LIMITS: Limits = Limits { entries_max: 128, member_bytes_max: 64, seed: 7 };

type Model = BTreeMap<Vec<u8>, f64>;

fn pairs(set: &SortedSet) -> Vec<(Vec<u8>, f64)> {
    let pair = |element: Element<'_>| {
        let mut text = Vec::new();
        element.member.write_text(&mut text);
        (text, element.score)
    };
    set.range(0..set.len()).map(pair).collect()
}

fn in_order(model: &Model) -> Vec<(Vec<u8>, f64)> {
    let mut order: Vec<_> = model.iter().map(|(member, score)| (member.clone(), *score)).collect();
    order.sort_by(|a, b| a.1.partial_cmp(&b.1).unwrap().then_with(|| a.0.cmp(&b.0)));
    order
}

#[test]
fn both_encodings_agree_with_a_model() {
    let seed = std::env::var("FERRITE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0x5e7);
    println!("seed {seed}; replay: FERRITE_SEED={seed} cargo test -p collections both_encodings");
    let mut rng = Rng::seed(seed);
    let scores = [0.0, -0.0, 1.0, -3.25, 0.1, 1e300, f64::INFINITY, f64::NEG_INFINITY, 5e15];
    for (space, entries_max) in [(12, 128), (300, 128), (300, 0), (40, 8)] {
        let limits = Limits { entries_max, ..LIMITS };
        let (mut set, mut model) = (SortedSet::default(), Model::new());
        let mut frozen = (set.clone(), in_order(&model));
        for round in 0..4_000 {
            let number = rng.below(space);
            let member =
                if number.is_multiple_of(3) { format!("{number}") } else { format!("m{number}") };
            let member = member.as_bytes();
            match rng.below(12) {
                0..4 => assert_eq!(set.remove(member), model.remove(member)),
                4 if !model.is_empty() => {
                    let start = rng.index(model.len());
                    // A few, or now and then all behind the first.
                    let count = if rng.below(20) == 0 { model.len() } else { rng.index(4) };
                    let end = (start + count).min(model.len());
                    in_order(&model)[start..end].iter().for_each(|(member, _)| {
                        model.remove(member);
                    });
                    let handed_over = set.remove_range(start..end);
                    assert!(handed_over.is_none_or(|removed| removed.pieces() >= end - start));
                }
                _ => {
                    let score = scores[rng.index(scores.len())];
                    let old = model.get(member).copied();
                    assert_eq!(set.insert(member, score, limits), old);
                    if old != Some(score) {
                        model.insert(member.to_vec(), score);
                    }
                }
            }
            let order = in_order(&model);
            assert_eq!(pairs(&set), order);
            assert_eq!(set.score(member), model.get(member).copied());
            let rank = order.iter().position(|(other, _)| other == member);
            assert_eq!(set.rank(member), rank.map(|rank| (rank, order[rank].1)));
            let bound = scores[rng.index(scores.len())];
            let below = order.iter().filter(|(_, score)| *score < bound).count();
            assert_eq!(set.rank_by_score(|score| score < bound), below);
            let scores_from = set.range_from_score(|score| score < bound).map(|found| found.score);
            assert!(scores_from.eq(order[below..].iter().map(|(_, score)| *score)));
            let backwards = set.range(0..set.len()).rev().map(|element| element.score);
            assert!(backwards.eq(order.iter().rev().map(|(_, score)| *score)));
            if round % 100 == 0 {
                assert_eq!(pairs(&frozen.0), frozen.1);
                frozen = (set.clone(), order);
            }
        }
    }
}

#[test]
fn the_encoding_changes_beyond_the_limits_and_not_back() {
    let limits = LIMITS;
    let mut set = SortedSet::default();
    for number in 0..128 {
        set.insert(format!("{number}").as_bytes(), 0.5, limits);
    }
    assert_eq!(set.encoding(), "listpack");
    set.insert(b"7", 1.0, limits);
    assert_eq!((set.encoding(), set.len()), ("listpack", 128));
    set.insert(b"one more", 1.0, limits);
    assert_eq!((set.encoding(), set.len(), set.score(b"7")), ("skiplist", 129, Some(1.0)));
    let handed_over = set.remove_range(1..129).map(|removed| removed.pieces() >= 128);
    assert_eq!(handed_over, Some(true), "many are not freed at once");
    assert_eq!((set.encoding(), set.len()), ("skiplist", 1));

    let mut set = SortedSet::default();
    set.insert(&[b'x'; 64], 1.0, limits);
    assert_eq!(set.encoding(), "listpack");
    set.insert(&[b'x'; 65], 1.0, limits);
    assert_eq!((set.encoding(), set.rank(&[b'x'; 65])), ("skiplist", Some((1, 1.0))));

    let long = [b'x'; 65];
    assert_eq!(SortedSet::from_members(&[(&long, 1.0)], limits).encoding(), "skiplist");
    let set = SortedSet::from_members(&[(b"b", 1.0), (b"a", 1.0)], limits);
    assert_eq!((set.encoding(), set.rank(b"a")), ("listpack", Some((0, 1.0))));
}

#[test]
fn scores_are_kept_to_the_last_bit() {
    let mut set = SortedSet::default();
    let scores = [
        0.1 + 0.2,
        f64::MIN_POSITIVE,
        5e-324,
        f64::MAX,
        9_007_199_254_740_993.0,
        -9.3e18,
        f64::NEG_INFINITY,
    ];
    for score in scores {
        set.insert(b"m", score, LIMITS);
        assert_eq!(set.score(b"m").map(f64::to_bits), Some(score.to_bits()), "{score}");
    }
    // A negative zero loses its sign in a listpack and keeps it beyond.
    set.insert(b"z", -0.0, LIMITS);
    assert!(set.score(b"z").unwrap().is_sign_positive());
    let mut set = SortedSet::default();
    let large = Limits { entries_max: 0, ..LIMITS };
    set.insert(b"z", -0.0, large);
    set.insert(b"z", 0.0, large);
    assert!(set.score(b"z").unwrap().is_sign_negative());
}

#[test]
fn asking_ahead_changes_nothing() {
    let mut set = SortedSet::default();
    for number in 0..5_000_u32 {
        set.insert(&number.to_be_bytes(), f64::from(number), LIMITS);
    }
    let names: Vec<[u8; 4]> = (4_980..5_020_u32).map(u32::to_be_bytes).collect();
    let asked: Vec<&[u8]> = names.iter().map(<[u8; 4]>::as_slice).collect();
    set.prefetch(&asked);
    SortedSet::default().prefetch(&asked);
    assert_eq!(set.len(), 5_000);
    assert_eq!(set.rank(&names[0]), Some((4_980, 4_980.0)));
}
