//! The ordered index against standard maps, with clones held while it is written.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use stdx::rng::Rng;

use super::*;

/// A score that orders as the index orders.
#[derive(Clone, Copy, PartialEq)]
struct Score(f64);

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.partial_cmp(&other.0).unwrap()
    }
}

#[derive(Clone, Default)]
struct Model {
    scores: BTreeMap<Vec<u8>, Score>,
    order: BTreeSet<(Score, Vec<u8>)>,
}

impl Model {
    fn insert(&mut self, member: &[u8], score: f64) -> Option<f64> {
        let old = self.scores.insert(member.to_vec(), Score(score));
        if let Some(old) = old {
            self.order.remove(&(old, member.to_vec()));
        }
        self.order.insert((Score(score), member.to_vec()));
        old.map(|old| old.0)
    }

    fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let old = self.scores.remove(member)?;
        self.order.remove(&(old, member.to_vec()));
        Some(old.0)
    }
}

impl Ordered {
    /// Checks all invariants; returns the bytes of all nodes and elements.
    fn check(&self) -> usize {
        let tree_bytes = self.tree.check();
        let (members, table_bytes) = self.members.check(|link| self.hash.of_link(link));
        assert_eq!(members, self.len());
        let mut elements = 0;
        for item in self.range(0..self.len()) {
            elements += element_bytes(item.member().len());
            let found = self.find(self.hash.of(item.member()), item.member());
            assert!(found.unwrap().link() == item.link());
        }
        assert_eq!(elements, self.element_bytes);
        elements + tree_bytes + table_bytes
    }

    fn agrees_with(&self, model: &Model) {
        assert_eq!(self.len(), model.order.len());
        let pairs = |item: Item<'_>| (Score(item.score()), item.member().to_vec());
        assert!(self.range(0..self.len()).map(pairs).eq(model.order.iter().cloned()));
        let backwards = self.range(0..self.len()).rev().map(pairs);
        assert!(backwards.eq(model.order.iter().rev().cloned()));
    }
}

/// The seed of a random test: from the environment to replay, else the given one.
fn seed(test: &str, default: u64) -> u64 {
    let seed = std::env::var("FERRITE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(default);
    println!("seed {seed}; replay: FERRITE_SEED={seed} cargo test -p collections {test}");
    seed
}

/// Scores of few values, so that members decide often, and of many.
fn score(rng: &mut Rng) -> f64 {
    match rng.below(8) {
        0 => 0.0,
        1 => -0.0,
        2 => f64::INFINITY,
        3 => f64::NEG_INFINITY,
        4..6 => rng.below(20) as f64,
        _ => rng.unit_f64() * 1e9 - 5e8,
    }
}

fn member(rng: &mut Rng, space: u64) -> Vec<u8> {
    let number = rng.below(space);
    let mut name = format!("member:{number}").into_bytes();
    name.resize(name.len() + (number % 50) as usize, b'.');
    name
}

/// Takes a range of ranks out of both.
fn remove_range(ranks: Range<usize>, index: &mut Ordered, model: &mut Model) {
    let doomed: Vec<_> = model.order.iter().skip(ranks.start).take(ranks.len()).cloned().collect();
    for (_, member) in doomed {
        model.remove(&member);
    }
    drop(index.remove_range(ranks));
}

/// One random change on both.
fn step(rng: &mut Rng, space: u64, grow: bool, index: &mut Ordered, model: &mut Model) {
    let member = member(rng, space);
    match rng.below(20) {
        0 if !index.is_empty() => {
            let start = rng.index(index.len());
            // A few, or now and then a good part, or nearly all.
            let many = if rng.chance(1, 300) { rng.index(index.len()) } else { 0 };
            let end = (start + rng.index(40) + many).min(index.len());
            remove_range(start..end, index, model);
        }
        1..4 => assert_eq!(index.remove(&member), model.remove(&member)),
        4..8 if !grow => assert_eq!(index.remove(&member), model.remove(&member)),
        _ => {
            let old = model.scores.get(&member).copied();
            // Often a little more or less than it has, with which it may stay in its leaf.
            let score = match old.filter(|old| old.0.is_finite() && rng.chance(2, 3)) {
                Some(old) => old.0 + (rng.below(9) as f64 - 4.0) * 10f64.powi(rng.below(7) as i32),
                None => score(rng),
            };
            assert_eq!(index.insert(&member, score), old.map(|old| old.0));
            model.insert(&member, score);
        }
    }
}

#[test]
fn random_changes_agree_with_a_model_while_clones_stay_as_they_were() {
    let seed = seed("random_changes_agree", 0x0dde7);
    let mut rng = Rng::seed(seed);
    for space in [30, 400, 30_000] {
        let (mut index, mut model) = (Ordered::new(7), Model::default());
        let mut frozen: Vec<(Ordered, Model)> = Vec::new();
        for round in 0..40_000 {
            step(&mut rng, space, round / 10_000 % 2 == 0, &mut index, &mut model);
            if round % 1500 == 0 {
                frozen.push((index.clone(), model.clone()));
                if frozen.len() > 3 {
                    let (old, expected) = frozen.remove(rng.index(3));
                    old.check();
                    old.agrees_with(&expected);
                }
            }
            if round % 4000 == 0 {
                index.check();
                index.agrees_with(&model);
            }
        }
        for (old, expected) in &frozen {
            old.check();
            old.agrees_with(expected);
        }
        index.agrees_with(&model);
        // A clone may be written too, without its origin noticing.
        let (mut second, mut second_model) = (index.clone(), model.clone());
        for _ in 0..2000 {
            step(&mut rng, space, false, &mut second, &mut second_model);
        }
        second.agrees_with(&second_model);
        index.check();
        index.agrees_with(&model);
    }
}

#[test]
fn ranges_of_every_size_go_whatever_holds_their_nodes() {
    let seed = seed("ranges_of_every_size", 0xc07);
    let mut rng = Rng::seed(seed);
    for round in 0..60 {
        let (mut index, mut model) = (Ordered::new(7), Model::default());
        for number in 0..rng.below(20_000) {
            // One score for all, so that members decide; few of them; or all different.
            let score = [0, rng.below(3), rng.below(1 << 40)][round % 3] as f64;
            let member = number.to_string();
            index.insert(member.as_bytes(), score);
            model.insert(member.as_bytes(), score);
        }
        while !index.is_empty() {
            let (frozen, expected) = (index.clone(), model.clone());
            let start = rng.index(index.len()) * usize::from(rng.chance(2, 3));
            let most = index.len() - start;
            let count = if rng.chance(1, 3) { most } else { rng.index(most) + 1 };
            remove_range(start..start + count, &mut index, &mut model);
            index.check();
            index.agrees_with(&model);
            frozen.check();
            frozen.agrees_with(&expected);
            if let Some((_, member)) = model.order.first().cloned() {
                assert!(index.remove(&member).is_some());
                model.remove(&member);
            }
        }
        assert!(index.check() < 100);
    }
}

#[test]
fn ranks_ranges_and_bounds_agree_with_the_order() {
    let seed = seed("ranks_ranges_and_bounds", 0xbe5);
    let mut rng = Rng::seed(seed);
    let (mut index, mut model) = (Ordered::new(7), Model::default());
    for _ in 0..12_000 {
        step(&mut rng, 20_000, true, &mut index, &mut model);
    }
    let order: Vec<_> = model.order.iter().cloned().collect();
    for (rank, (score, member)) in order.iter().enumerate() {
        assert_eq!(index.rank(member), Some((rank, score.0)));
        assert_eq!(index.score(member), Some(score.0));
        let item = index.nth(rank).unwrap();
        assert!((Score(item.score()), item.member()) == (*score, &member[..]));
    }
    assert!(index.nth(order.len()).is_none() && index.rank(b"absent").is_none());
    for _ in 0..2000 {
        let bound = score(&mut rng);
        let below = order.partition_point(|(score, _)| score.0 < bound);
        assert_eq!(index.partition_point(|item| item.score() < bound), below);
        let from = index.range_from(|item| item.score() < bound).take(100);
        let expected = order[below..].iter().take(100);
        assert!(from.map(|item| item.score()).eq(expected.map(|(score, _)| score.0)));
        let (start, len) = (rng.index(order.len()), rng.index(200));
        let end = (start + len).min(order.len());
        let mut range = index.range(start..end);
        let (mut front, mut back) = (start, end);
        while front < back {
            let (item, at) = if rng.chance(1, 2) {
                front += 1;
                (range.next().unwrap(), front - 1)
            } else {
                back -= 1;
                (range.next_back().unwrap(), back)
            };
            assert_eq!(item.member(), order[at].1);
            assert_eq!(range.len(), back - front);
        }
        assert!(range.next().is_none() && range.next_back().is_none());
        let skip = rng.index(len + 1);
        let nth = index.range(start..end).nth(skip).map(Item::member);
        assert_eq!(nth, order[start..end].get(skip).map(|(_, member)| &member[..]));
    }
}

#[test]
fn a_scan_visits_all_that_stays_though_the_table_splits_and_merges() {
    let seed = seed("a_scan_visits_all_that_stays", 0x5ca);
    let mut rng = Rng::seed(seed);
    for grow in [true, false] {
        let mut index = Ordered::new(7);
        let stays = |number: u32| number.is_multiple_of(3);
        for number in 0..9_000u32 {
            if !grow || stays(number) {
                index.insert(&number.to_le_bytes(), f64::from(number));
            }
        }
        let (mut cursor, mut seen) = (0, BTreeSet::new());
        loop {
            cursor = index.scan(cursor, |item| {
                seen.insert(u32::from_le_bytes(item.member().try_into().unwrap()));
            });
            if cursor == 0 {
                break;
            }
            assert!(cursor < 1 << 48);
            for _ in 0..40 {
                let number = rng.below(9_000) as u32;
                if !stays(number) && grow {
                    index.insert(&number.to_le_bytes(), 0.0);
                } else if !stays(number) {
                    index.remove(&number.to_le_bytes());
                }
            }
        }
        index.check();
        assert!((0..9_000).filter(|&number| stays(number)).all(|number| seen.contains(&number)));
    }
    // Cursors that were never handed out.
    let index = Ordered::from_members(7, [(&b"a"[..], 1.0)]);
    for _ in 0..1000 {
        index.scan(rng.next_u64(), |_| {});
    }
}

#[test]
fn a_member_of_fourteen_bytes_costs_less_than_fifty() {
    let seed = seed("a_member_of_fourteen_bytes", 0x14b);
    let mut rng = Rng::seed(seed);
    let names: Vec<_> = (0..200_000).map(|number| format!("member:{number:07}")).collect();
    let mut random = Ordered::new(7);
    let mut ascending = Ordered::new(7);
    for (at, name) in names.iter().enumerate() {
        random.insert(name.as_bytes(), rng.unit_f64());
        ascending.insert(name.as_bytes(), at as f64);
    }
    let bulk = Ordered::from_members(7, names.iter().map(|name| (name.as_bytes(), 0.0)));
    for (name, index) in [("random", random), ("ascending", ascending), ("bulk", bulk)] {
        let each = index.check() as f64 / index.len() as f64;
        println!("{name}: {each:.1} bytes");
        assert!(each < 49.0, "{each:.1} bytes a member");
        let estimate = index.allocated_bytes() as f64 / index.len() as f64;
        assert!((estimate / each - 1.0).abs() < 0.05, "{estimate:.1} for {each:.1}");
    }
}

#[test]
fn removing_nearly_all_gives_the_memory_back() {
    let seed = seed("removing_nearly_all", 0xdead);
    let mut rng = Rng::seed(seed);
    let mut index = Ordered::new(7);
    let mut names: Vec<_> = (0..50_000).map(|number| format!("member:{number:07}")).collect();
    for name in &names {
        index.insert(name.as_bytes(), rng.unit_f64());
    }
    rng.shuffle(&mut names);
    for name in names.iter().skip(1000) {
        assert!(index.remove(name.as_bytes()).is_some());
    }
    let each = index.check() / index.len();
    assert!(each < 64, "{each} bytes a member");
    for name in names.iter().take(1000) {
        assert!(index.remove(name.as_bytes()).is_some());
    }
    assert!(index.check() < 100 && index.is_empty());
}

#[test]
fn equal_scores_in_descending_order_between_full_leaves_stay_dense() {
    let mut index = Ordered::new(7);
    for number in 0..100 {
        index.insert(format!("a{number:06}").as_bytes(), 0.0);
    }
    for number in (0..20_000).rev() {
        index.insert(format!("b{number:06}").as_bytes(), 0.0);
    }
    assert!(index.check() / index.len() < 55);
}

#[test]
fn clones_are_dropped_on_other_threads() {
    let mut index = Ordered::new(7);
    for number in 0..20_000u32 {
        index.insert(&number.to_be_bytes(), f64::from(number));
    }
    std::thread::scope(|scope| {
        for round in 0..8u32 {
            let mine = index.clone();
            scope.spawn(move || {
                // The members below the mark had their scores negated before the clone was made.
                let negative = (round * 2_000) as usize;
                let order = mine.range(0..mine.len()).map(Item::score);
                let expected = (1..=negative).rev().map(|n| -(n as f64));
                let expected = expected.chain((negative..20_000).map(|n| n as f64));
                assert!(order.eq(expected));
            });
            for number in round * 2_000..(round + 1) * 2_000 {
                index.insert(&number.to_be_bytes(), -f64::from(number + 1));
            }
        }
    });
    index.check();
}
