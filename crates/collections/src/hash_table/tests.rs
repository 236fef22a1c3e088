//! The table against a map, its scan guarantee, its sampling and its memory.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn seed() -> u64 {
    let seed = std::env::var("SEED").map_or(20_260_103, |seed| seed.parse().unwrap());
    println!("replay with: SEED={seed} cargo test -p collections hash_table");
    seed
}

fn contents(table: &HashTable) -> BTreeMap<Vec<u8>, Vec<u8>> {
    table.iter().map(|element| (element.name().to_vec(), element.value().to_vec())).collect()
}

fn check(table: &HashTable) {
    let leaves: Vec<&Leaf> = table.pages.iter().flat_map(|page| &page.leaves).collect();
    assert_eq!(leaves.len(), table.leaves());
    assert_eq!(leaves.iter().map(|leaf| leaf.len()).sum::<usize>(), table.len);
    let mut bytes = 0;
    for (at, leaf) in leaves.into_iter().enumerate() {
        assert!(leaf.len() <= table.longest as usize);
        for index in 0..leaf.len() {
            let hash = table.hash(leaf.get(index).name());
            assert_eq!((table.leaf_of(hash), leaf.mark(index)), (at, Mark::of(hash)));
            bytes += leaf.get(index).allocated_bytes();
        }
    }
    assert_eq!(bytes, table.element_bytes);
}

#[test]
fn a_table_with_room_holds_what_comes() {
    for len in [0, 1, FILL, PAGE * FILL - 1, PAGE * FILL, 3 * PAGE * FILL + 7] {
        let mut table = HashTable::with_room(5, len);
        let leaves = table.leaves;
        for number in 0..len {
            assert!(table.insert(format!("{number}").as_bytes(), None));
        }
        assert!(table.leaves >= leaves && table.leaves <= leaves + 1, "{len}: it did not grow");
        check(&table);
        for number in 0..len {
            assert!(table.find(format!("{number}").as_bytes()).is_some());
            assert!(table.remove(format!("{number}").as_bytes()));
        }
        check(&table);
    }
}

#[test]
fn behaves_like_a_map_and_clones_stay_as_they_were() {
    let mut rng = Rng::seed(seed());
    for _ in 0..6 {
        let mut table = HashTable::new(rng.next_u64());
        let mut model = BTreeMap::new();
        let mut frozen = Vec::new();
        for turn in 0..4 {
            // Two thirds insertions, then two thirds removals.
            let inserts = if turn % 2 == 0 { 4 } else { 1 };
            for _ in 0..3000 {
                let name = rng.below(4000).to_string().into_bytes();
                if rng.below(6) < inserts {
                    let value = vec![b'v'; rng.index(40) * if rng.chance(1, 20) { 20 } else { 1 }];
                    let new = model.insert(name.clone(), value.clone()).is_none();
                    assert_eq!(table.insert(&name, Some(&value)), new);
                } else {
                    assert_eq!(table.remove(&name), model.remove(&name).is_some());
                }
                let found = table.find(&name).map(|element| element.value().to_vec());
                assert_eq!(found.as_ref(), model.get(&name));
                assert_eq!(table.len(), model.len());
            }
            check(&table);
            assert_eq!(contents(&table), model);
            frozen.push((table.clone(), model.clone()));
            for (table, model) in &frozen {
                assert_eq!(&contents(table), model);
            }
        }
    }
}

#[test]
fn a_scan_gives_all_that_stays_while_the_table_grows_and_shrinks() {
    let mut rng = Rng::seed(seed());
    for round in 0..40 {
        let mut table = HashTable::new(rng.next_u64());
        let stays = 1 + rng.below(2000);
        let stay = |number: u64| format!("stays {number}").into_bytes();
        for number in 0..stays {
            assert!(table.insert(&stay(number), None));
        }
        let (mut cursor, mut seen, mut steps) = (0, BTreeSet::new(), 0);
        loop {
            cursor = table.scan(cursor, |element| {
                seen.insert(element.name().to_vec());
            });
            steps += 1;
            assert!(steps < 100_000, "the walk ends");
            if cursor == 0 {
                break;
            }
            for _ in 0..rng.below(200) {
                let other = rng.below(5000).to_string();
                if (steps + round) % 40 < 20 {
                    table.insert(other.as_bytes(), None);
                } else {
                    table.remove(other.as_bytes());
                }
            }
        }
        assert!((0..stays).all(|number| seen.contains(&stay(number))));
    }
    // A cursor that nobody handed out ends too.
    assert_eq!(HashTable::new(1).scan(u64::MAX, |_| panic!("the table is empty")), 0);
}

#[test]
fn samples_are_uniform() {
    let mut rng = Rng::seed(seed());
    let mut table = HashTable::new(rng.next_u64());
    for number in 0..500_u64 {
        table.insert(&number.to_le_bytes(), None);
    }
    let mut counts = BTreeMap::<&[u8], u64>::new();
    for _ in 0..500 * 200 {
        let place = table.sample(&mut rng).unwrap();
        *counts.entry(table.get(place).name()).or_default() += 1;
    }
    let square = |&count: &u64| (count as f64 - 200.0).powi(2) / 200.0;
    let chi_square: f64 = counts.values().map(square).sum();
    // 499 degrees of freedom: mean 499, deviation 31.6; five deviations on either side.
    assert_eq!(counts.len(), 500);
    assert!((341.0..657.0).contains(&chi_square), "{chi_square}");
}

#[test]
fn elements_keep_the_memory_budget_at_every_size() {
    let mut members = HashTable::new(7);
    let mut fields = HashTable::new(8);
    for number in 1..=300_000 {
        members.insert(format!("m{number:013}").as_bytes(), None);
        let text = format!("{number:013}");
        fields.insert(text.as_bytes(), Some(text.as_bytes()));
        if number > 10_000 && number % 1000 == 0 {
            let leaves = |table: &HashTable| -> usize {
                let leaves = table.pages.iter().flat_map(|page| &page.leaves);
                leaves.map(|leaf| leaf.allocated_bytes() + 2 * size_of::<Leaf>()).sum()
            };
            let bytes = |table: &HashTable| (leaves(table) + table.element_bytes) / number;
            assert!(bytes(&members) < 29 && bytes(&fields) < 45, "at {number} elements");
        }
    }
}
