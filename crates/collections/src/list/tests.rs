//! Tests of the list against a standard deque, with clones that must not change and all invariants
//! checked along the way.

use std::collections::VecDeque;

use stdx::rng::Rng;

use super::*;

type Model = VecDeque<Vec<u8>>;

/// The seed of a random test: from the environment to replay, else the given one.
fn seed(test: &str, default: u64) -> u64 {
    let seed = std::env::var("FERRITE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(default);
    println!("seed {seed}; replay: FERRITE_SEED={seed} cargo test -p collections {test}");
    seed
}

fn limits(max_listpack_size: i64, compress_depth: u32) -> Limits {
    Limits { max_listpack_size, compress_depth }
}

/// Texts of all sizes and of integers; few of them, so that equal ones are met.
fn element(rng: &mut Rng) -> Vec<u8> {
    let letter = b'a' + rng.below(5) as u8;
    match rng.below(40) {
        0 => vec![letter; 9_000],
        1..=3 => vec![letter; rng.index(5_000)],
        4..=15 => format!("{}", rng.below(300_000) as i64 - 100).into_bytes(),
        _ => format!("element:{letter}:{}", rng.below(30)).into_bytes(),
    }
}

fn elements(list: &List) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    list.for_each(&mut |parts| all.push(parts[0].to_vec()));
    all
}

fn text(item: Item<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    item.write_text(&mut text);
    text
}

impl List {
    fn check(&self, limits: Limits) {
        if let Form::Large(chain) = self.word.form() {
            assert!(chain.nodes() > 0, "an empty list is a listpack");
            chain.check(limits);
        }
    }

    fn node_bytes(&self) -> Vec<usize> {
        match self.word.form() {
            Form::Small(listpack) => vec![listpack.as_bytes().len()],
            Form::Large(chain) => chain.node_bytes(),
        }
    }
}

fn remove_equal(model: &mut Model, element: &[u8], start: End, limit: usize) -> usize {
    let mut removed = 0;
    let mut keep = |candidate: &Vec<u8>| {
        let gone = removed < limit && candidate == element;
        removed += usize::from(gone);
        !gone
    };
    match start {
        End::Front => model.retain(&mut keep),
        End::Back => {
            let kept: Vec<_> = model.drain(..).rev().filter(|e| keep(e)).collect();
            model.extend(kept.into_iter().rev());
        }
    }
    removed
}

/// One random change of both; what both report must agree.
fn step(rng: &mut Rng, list: &mut List, model: &mut Model, limits: Limits, growing: bool) {
    let end = if rng.chance(1, 2) { End::Front } else { End::Back };
    let at = rng.index(model.len().max(1));
    let new = element(rng);
    match rng.below(16) {
        0..=5 if growing => {
            list.push(end, &new, limits);
            match end {
                End::Front => model.push_front(new),
                End::Back => model.push_back(new),
            }
        }
        0..=7 => {
            let expected = match end {
                End::Front => model.pop_front(),
                End::Back => model.pop_back(),
            };
            assert_eq!(list.pop(end, limits, text), expected);
        }
        8..=10 if at < model.len() => {
            list.insert(at, end, &new, limits);
            model.insert(at + usize::from(end == End::Back), new);
        }
        11..=12 if at < model.len() => {
            list.set(at, &new, limits);
            model[at] = new;
        }
        13 => {
            let limit = if rng.chance(1, 2) { usize::MAX } else { 1 + rng.index(3) };
            let removed = remove_equal(model, &new, end, limit);
            assert_eq!(list.remove_equal(&new, end, limit, limits).0, removed);
        }
        14 if rng.chance(1, if growing { 20 } else { 4 }) => {
            let count = rng.index(model.len() / 2 + 1);
            list.remove_range(at, count, limits);
            model.drain(at..(at + count).min(model.len()));
        }
        _ => {
            assert_eq!(list.get(at, text), model.get(at).cloned());
            let mut seen = Vec::new();
            let _ = list.visit(at, end, &mut |item| {
                seen.push(text(item));
                if seen.len() < 7 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            let expected: Vec<_> = match end {
                End::Front => model.iter().skip(at).take(7).cloned().collect(),
                End::Back => model.iter().take(at + 1).rev().take(7).cloned().collect(),
            };
            assert_eq!(seen, expected);
        }
    }
}

#[test]
fn agrees_with_a_deque_and_clones_stay_as_they_were() {
    let mut rng = Rng::seed(seed("agrees_with_a_deque", 4711));
    for (size, depth) in [(-2, 0), (-1, 1), (4, 2), (1, 0), (0, 1), (128, 3), (-5, 0)] {
        let limits = limits(size, depth);
        let (mut list, mut model) = (List::default(), Model::new());
        let mut frozen = Vec::new();
        for round in 0..3_000 {
            step(&mut rng, &mut list, &mut model, limits, round / 600 % 2 == 0);
            assert_eq!((list.len(), list.is_empty()), (model.len(), model.is_empty()));
            if round % 50 == 0 {
                list.check(limits);
                assert_eq!(elements(&list), Vec::from(model.clone()));
                frozen.push((list.clone(), model.clone()));
            }
            if frozen.len() > 8 {
                // Some change after they were cloned: both sides copy what they touch.
                let (mut list, mut model) = frozen.swap_remove(rng.index(frozen.len()));
                assert_eq!(elements(&list), Vec::from(model.clone()));
                step(&mut rng, &mut list, &mut model, limits, true);
                assert_eq!(elements(&list), Vec::from(model));
            }
        }
        for (list, model) in frozen {
            list.check(limits);
            assert_eq!(elements(&list), Vec::from(model));
        }
    }
}

#[test]
fn converts_where_the_documented_limit_is() {
    let by_count = limits(3, 0);
    let mut list = List::default();
    for _ in 0..3 {
        list.push(End::Back, b"x", by_count);
    }
    assert_eq!(list.encoding(), "listpack");
    list.push(End::Back, b"x", by_count);
    assert_eq!((list.encoding(), list.node_bytes().len()), ("quicklist", 2));
    // One node of three is more than half of the limit.
    list.pop(End::Back, by_count, |_| ());
    assert_eq!(list.encoding(), "quicklist");
    list.pop(End::Back, by_count, |_| ());
    assert_eq!(list.encoding(), "quicklist");
    list.pop(End::Back, by_count, |_| ());
    assert_eq!(list.encoding(), "listpack");

    // Seven bytes of an empty listpack and the bare length of the element.
    let by_size = limits(-1, 0);
    let mut list = List::default();
    list.push(End::Front, &[b'x'; 4089], by_size);
    assert_eq!(list.encoding(), "listpack");
    let mut list = List::default();
    list.push(End::Front, &[b'x'; 4090], by_size);
    assert_eq!(list.encoding(), "quicklist");
    list.set(0, b"small", by_size);
    assert_eq!(list.encoding(), "listpack");
}

#[test]
fn several_elements_are_judged_together() {
    let limits = limits(3, 0);
    let mut list = List::default();
    list.push(End::Back, b"a", limits);
    list.prepare([&b"b"[..], b"c", b"d"].into_iter(), limits);
    assert_eq!(list.encoding(), "quicklist");
}

#[test]
fn large_elements_are_nodes_of_their_own() {
    let limits = Limits::default();
    let large = vec![b'x'; 8193];
    let mut list = List::default();
    for text in [&b"a"[..], b"b", b"c"] {
        list.push(End::Back, text, limits);
    }
    list.insert(1, End::Back, &large, limits);
    assert_eq!(elements(&list), [b"a".to_vec(), b"b".to_vec(), large.clone(), b"c".to_vec()]);
    assert_eq!(list.node_bytes(), [7 + 6, 8193, 7 + 3]);
    list.set(2, b"d", limits);
    assert_eq!(list.node_bytes().len(), 3, "replacing does not join");
    list.set(0, &large, limits);
    assert_eq!(elements(&list)[0], large);
    assert_eq!(list.remove_equal(&large, End::Back, 1, limits).0, 1);
    assert_eq!(elements(&list), [b"b".to_vec(), b"d".to_vec(), b"c".to_vec()]);
}

#[test]
fn a_million_elements_take_at_most_eighteen_bytes_each() {
    for end in [End::Front, End::Back] {
        let mut list = List::default();
        for number in 0..1_000_000 {
            list.push(end, format!("element:{number:07}").as_bytes(), Limits::default());
        }
        let bytes = list.allocated_bytes();
        assert!(bytes <= 18_000_000, "{bytes}");
        assert!(list.pieces() < 2_100);
    }
}

#[test]
fn inner_nodes_are_compressed_and_the_ends_are_not() {
    let limits = limits(-1, 1);
    let mut list = List::default();
    for number in 0..20_000 {
        list.push(End::Back, format!("element:{number:07}").as_bytes(), limits);
    }
    let compressed = list.allocated_bytes();
    list.check(limits);
    let mut plain = List::default();
    list.for_each(&mut |parts| plain.push(End::Back, parts[0], self::limits(-1, 0)));
    assert!(compressed < plain.allocated_bytes() * 2 / 3, "{compressed}");
    // What was inside comes to an end.
    list.remove_range(5_000, 14_000, limits);
    list.remove_range(0, 4_000, limits);
    list.check(limits);
    assert_eq!(list.get(0, text), Some(b"element:0004000".to_vec()));
    assert_eq!(list.len(), 2_000);
}

#[test]
fn a_change_of_a_shared_list_copies_one_node() {
    let mut list = List::default();
    for number in 0..200_000 {
        list.push(End::Back, format!("element:{number:07}").as_bytes(), Limits::default());
    }
    let frozen = list.clone();
    list.pop(End::Front, Limits::default(), |_| ());
    list.set(100_000, b"changed", Limits::default());
    let (Form::Large(mine), Form::Large(theirs)) = (list.word.form(), frozen.word.form()) else {
        panic!("both are long")
    };
    let copied = (0..mine.nodes()).filter(|&index| !mine.shares_node(theirs, index)).count();
    assert_eq!(copied, 2, "the front and the changed one");
    assert_eq!(frozen.get(100_001, text), Some(b"element:0100001".to_vec()));
    assert_eq!(list.get(100_000, text), Some(b"changed".to_vec()));
}
